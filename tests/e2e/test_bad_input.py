"""A blog that misbehaves: the exit code, one true line, the row in `problems`, and nothing lost."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.hostile import Answer, Blog, Reply, page, post, redirect
from tests.e2e.product import Done, column, crawl, lost, rows, value_of
from tests.soak import sampled

WALL = b'<html><title>Just a moment...</title><script src="/cdn-cgi/challenge-platform/x.js"></script></html>'
NOTE = "/post/note-2"


def bomb() -> Iterator[bytes]:
    """Some hundred kilobytes that unpack to 300 MB."""
    yield gzip.compress(bytes(300_000_000), 9)


def flood() -> Iterator[bytes]:
    """A page of 200 MB."""
    for _ in range(200):
        yield b"<p>filler text</p>\n" * 52_429


def attempt(blog: Blog, archive: Path, before: Path, answers: dict[str, Answer]) -> Done:
    """Another crawl, with these answers; whatever happens, nothing that was stored may be lost."""
    blog.answers.update(answers)
    done = crawl(archive, blog.url)
    assert lost(before, archive) == []
    assert column(archive, "SELECT kind FROM revisions WHERE kind != 'first'") == []
    assert done.out == ""
    assert "Traceback" not in done.err
    return done


def kinds(archive: Path) -> set[str]:
    return set(column(archive, "SELECT kind FROM problems"))


def status(archive: Path) -> str:
    return str(column(archive, "SELECT status FROM clinic_runs ORDER BY started_at")[-1])


@pytest.mark.parametrize(
    ("name", "answer", "says", "kind"),
    [
        ("a plain page", Reply(b"<html><p>Hello</p></html>"), "no sign of a blog platform", "unsupported-platform"),
        ("a bot wall", Reply(WALL), "Cloudflare asks whether the visitor is human", "bot-challenge"),
        (
            "a bot wall with a refusal",
            Reply(WALL, 403),
            "Cloudflare asks whether the visitor is human",
            "bot-challenge",
        ),
        ("nothing", Reply(b""), "answer is empty", "unreadable"),
        ("a refusal", Reply(b"no", 403), "answered 403", "http-403"),
        ("an error", Reply(b"no", 500, headers=(("Retry-After", "0"),)), "answered 500", "http-500"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else None,
)
def test_the_home_page_is(
    blog: Blog, archive: Path, notes_archive: Path, name: str, answer: Reply, says: str, kind: str
) -> None:
    done = attempt(blog, archive, notes_archive, {"/": answer})
    assert (done.code, len(done.lines)) == (3, 1), done.err
    assert says in done.err
    assert kinds(archive) == {kind}
    assert status(archive) == "failed"
    lists = {"/sitemap.xml", "/blog"} if kind == "unsupported-platform" else set()
    assert set(blog.paths) == {"/robots.txt", "/", *lists}


@pytest.mark.parametrize("answer", [Reply(WALL), Reply(b""), Reply(b"no", 403)], ids=["wall", "nothing", "403"])
def test_a_bad_day_does_not_change_what_the_clinic_is(
    blog: Blog, archive: Path, notes_archive: Path, answer: Reply
) -> None:
    """It has a blog, on Wix; today it could not be reached."""
    attempt(blog, archive, notes_archive, {"/": answer})
    assert rows(archive, "SELECT platform, blog_status FROM clinics") == [{"platform": "wix", "blog_status": "blog"}]


def test_a_server_that_wants_a_day_of_peace_gets_it(blog: Blog, archive: Path, notes_archive: Path) -> None:
    """Retry-After beyond our patience: nothing more is asked of the host in this run, and the run says why."""
    peace = Reply(b"x", 429, headers=(("Retry-After", "86400"),))
    done = attempt(blog, archive, notes_archive, {NOTE: peace})
    assert done.code == 3
    assert "the server asks for no requests for 86400 s" in done.err
    assert blog.paths[-1] == NOTE
    assert blog.paths.count(NOTE) == 1


ONE_BAD_POST: list[tuple[str, Answer, str, str]] = [
    ("403", Reply(b"no", 403), "answered 403", "http-403"),
    ("429", Reply(b"slowly", 429, headers=(("Retry-After", "0"),)), "answered 429", "http-429"),
    ("503", Reply(b"busy", 503, headers=(("Retry-After", "0"),)), "answered 503", "http-503"),
    ("bot wall", Reply(WALL), "Cloudflare asks whether the visitor is human", "bot-challenge"),
    (
        "cut gzip",
        Reply(gzip.compress(page("<p>x</p>" * 900).encode())[:-40], headers=(("Content-Encoding", "gzip"),)),
        "gzip data end early",
        "cut-short",
    ),
    ("200 MB", Reply(flood), "larger than the size limit", "too-large"),
    ("200 MB announced", Reply(flood, length=200 * 19 * 52_429), "larger than the size limit", "too-large"),
    ("endless redirect", redirect(NOTE), "redirected more than 10 times", "endless-redirect"),
    ("redirect to a file", redirect("file:///etc/passwd"), "not an http or https address", "foreign-scheme"),
    (
        "gzip bomb",
        Reply(bomb, headers=(("Content-Encoding", "gzip"),)),
        "larger than the size limit when decompressed",
        "bomb",
    ),
    ("0 bytes", Reply(b""), "answer is empty", "unreadable"),
]


SAMPLE = sampled(ONE_BAD_POST, 4)


@pytest.mark.parametrize(("name", "answer", "says", "kind"), SAMPLE, ids=[each[0] for each in SAMPLE])
def test_one_post_is(
    blog: Blog, archive: Path, notes_archive: Path, name: str, answer: Reply, says: str, kind: str
) -> None:
    """One bad page of three: the run is done, one line names the page and what was wrong, no removal is concluded."""
    done = attempt(blog, archive, notes_archive, {NOTE: answer})
    assert done.code == 0, done.err
    assert len(done.lines) == 1, done.err
    assert says in done.err
    assert "note-2" in done.err or "/etc/passwd" in done.err
    assert kind in kinds(archive)
    assert rows(archive, "SELECT * FROM absences") == []
    (run,) = rows(archive, "SELECT * FROM clinic_runs ORDER BY started_at DESC LIMIT 1")
    assert (run["status"], run["complete"], run["failed"]) == ("done", 1, 1)
    assert value_of(archive, "SELECT count(*) FROM readings WHERE post_id = 2 OR capture_id IS NULL") >= 1


def test_a_flood_is_not_swallowed(blog: Blog, archive: Path, notes_archive: Path) -> None:
    attempt(blog, archive, notes_archive, {NOTE: Reply(flood)})
    assert blog.sent[NOTE] < 60_000_000
    assert sum(path.stat().st_size for path in archive.rglob("*") if path.is_file()) < 10_000_000


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [
        ("gone", Reply(b"<html>gone</html>", 410), "410"),
        ("not found", Reply(b"<html>no</html>", 404), "404"),
        ("a not-found page with 200", Reply(page('<div data-hook="not-found-page"></div>').encode()), "not-found page"),
    ],
)
def test_a_post_that_is_not_there_is_absent_not_removed(
    blog: Blog, archive: Path, notes_archive: Path, name: str, answer: Reply, says: str
) -> None:
    done = attempt(blog, archive, notes_archive, {NOTE: answer})
    assert done.code == 0
    (absence,) = rows(archive, "SELECT * FROM absences")
    assert says in absence["answered"]
    assert [line for line in done.lines if line.endswith(":")] == [], "a line that names nothing"


def test_a_post_that_redirects_to_the_home_page_is_named(blog: Blog, archive: Path, notes_archive: Path) -> None:
    """Sites send what they deleted to their home page: no post was read, and the line must say which."""
    done = attempt(blog, archive, notes_archive, {NOTE: redirect("/")})
    assert done.code == 0
    assert "note-2" in done.err
    assert value_of(archive, "SELECT count(*) FROM post_addresses WHERE address = ?", blog.url) == 0


def test_all_posts_refused(blog: Blog, archive: Path, notes_archive: Path) -> None:
    """Over half of its pages failed: the clinic fails, nothing counts as removed."""
    answers: dict[str, Answer] = {f"/post/note-{number}": Reply(b"no", 403) for number in (1, 2, 3)}
    done = attempt(blog, archive, notes_archive, answers)
    assert done.code == 3
    assert "failed: 3 of 3 posts could not be read" in done.err
    assert rows(archive, "SELECT * FROM absences") == []


def test_retry_after_is_honoured_and_then_all_is_well(blog: Blog, archive: Path, notes_archive: Path) -> None:
    good = blog.answers[NOTE]
    assert isinstance(good, Reply)
    busy = Reply(b"slowly", 429, headers=(("Retry-After", "1"),))
    done = attempt(blog, archive, notes_archive, {NOTE: lambda number: busy if number == 1 else good})
    first, second = (each.at for each in blog.asked if each.path == NOTE)
    assert second - first >= 1
    assert done.code == 0
    assert status(archive) == "done"
    assert done.err == "", "it went well in the end: nothing to tell"


def test_a_long_retry_after_is_left_for_the_next_run(blog: Blog, archive: Path, notes_archive: Path) -> None:
    attempt(blog, archive, notes_archive, {NOTE: Reply(b"x", 429, headers=(("Retry-After", "86400"),))})
    assert blog.paths.count(NOTE) == 1


@pytest.mark.parametrize(
    ("name", "kind"),
    [("another charset", "text/html; charset=iso-8859-1"), ("a charset that is none", "text/html; charset=utf-99")],
)
def test_a_wrong_charset_is_seen_through(blog: Blog, archive: Path, notes_archive: Path, name: str, kind: str) -> None:
    """The bytes are UTF-8, whatever the header says: the text is the same as before."""
    good = blog.answers[NOTE]
    assert isinstance(good, Reply)
    done = attempt(blog, archive, notes_archive, {NOTE: Reply(good.body, kind=kind)})
    assert (done.code, done.err) == (0, "")
    assert "caf\u00e9s" in value_of(archive, "SELECT body_text FROM posts WHERE url LIKE '%note-2'")


def test_malformed_islands_cost_nothing_but_themselves(blog: Blog, archive: Path, notes_archive: Path) -> None:
    islands = (
        '<script type="application/json" id="wix-warmup-data">{"appsWarmupData": {"a": [1,}</script>'
        '<script type="application/ld+json">{"@type": "BlogPosting", </script>'
    )
    done = attempt(blog, archive, notes_archive, {NOTE: Reply(post(blog.url, 2, islands=islands).encode())})
    assert done.code == 0
    assert value_of(archive, "SELECT count(*) FROM readings WHERE views = 8") == 2


def test_a_sitemap_that_is_html(blog: Blog, archive: Path, notes_archive: Path) -> None:
    done = attempt(blog, archive, notes_archive, {"/sitemap.xml": Reply(b"<html><body>hello</body></html>")})
    assert (done.code, len(done.lines)) == (0, 1)
    assert "/sitemap.xml: the answer is an HTML page, not a sitemap" in done.err
    assert kinds(archive) == {"sitemap-is-html"}
    assert status(archive) == "done"


def test_a_feed_cut_in_half(blog: Blog, archive: Path, notes_archive: Path) -> None:
    whole = blog.answers["/blog-feed.xml"]
    assert isinstance(whole, Reply)
    assert isinstance(whole.body, bytes)
    half = Reply(whole.body[: len(whole.body) // 2], kind="application/xml")
    done = attempt(blog, archive, notes_archive, {"/blog-feed.xml": half})
    assert (done.code, len(done.lines)) == (0, 1)
    assert "/blog-feed.xml: the document is cut off" in done.err
    assert kinds(archive) == {"feed-cut"}


def test_a_new_post_is_found_though_all_listings_but_one_are_broken(blog: Blog, archive: Path) -> None:
    new = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>{blog.url}/post/note-9</loc></url>'
    blog.answers.update(
        {
            "/sitemap.xml": Reply(new.encode(), kind="application/xml"),
            "/blog-feed.xml": Reply(b"", 500, headers=(("Retry-After", "0"),)),
            "/blog": Reply(b"", 500, headers=(("Retry-After", "0"),)),
            "/post/note-9": Reply(post(blog.url, 9).encode()),
        }
    )
    assert crawl(archive, blog.url).code == 0
    assert value_of(archive, "SELECT count(*) FROM posts") == 4
