"""Whatever a server says of its bytes: what a visit stored is what a rebuild stores, and verify has nothing to say.

Real bytes from a real server, many different answers in one crawl, drawn by hypothesis; more of them with SOAK.
"""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import brotli
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from archive.warc.format._coding import zstd
from pipelines.commands import main
from pipelines.rebuild import rebuild
from tests.e2e.hostile import Blog, Reply, post, serving
from tests.e2e.product import column, crawl, rows
from tests.soak import SOAK, sampled

SAMPLES = 60 if SOAK else 2
POSTS = 24

CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
    "gzip, br": lambda body: brotli.compress(gzip.compress(body)),
    "deflate, identity": zlib.compress,
}
UNKNOWN = ["rot13", "utf-8", "none", "", "gzip, rot13"]


def _damaged(packed: bytes, at: int) -> bytes:
    middle = at % max(len(packed), 1)
    return packed[:middle] + bytes(byte ^ 0x55 for byte in packed[middle : middle + 3]) + packed[middle + 3 :]


# What is done to a body: to the packed one, and to the one that was never packed.
Change = Callable[[bytes, bytes, int], bytes]
TRUE = {"true", "junk behind", "zeros behind", "a comment behind"}
CHANGES: dict[str, Change] = {
    "true": lambda packed, plain, at: packed,
    "never packed": lambda packed, plain, at: plain,
    "damaged": lambda packed, plain, at: _damaged(packed, at),
    "cut": lambda packed, plain, at: packed[: at % max(len(packed), 1)],
    "without its last bytes": lambda packed, plain, at: packed[: -1 - at % 8],
    "junk behind": lambda packed, plain, at: packed + bytes([at % 251]) * (at % 40),
    "zeros behind": lambda packed, plain, at: packed + bytes(600),
    "a comment behind": lambda packed, plain, at: packed + b"<!-- made by a cache -->",
    "twice": lambda packed, plain, at: packed + packed,
    "noise": lambda packed, plain, at: zlib.compress(plain)[2 : 2 + at % 900],
    "nothing": lambda packed, plain, at: b"",
    "packed by another": lambda packed, plain, at: list(CODINGS.values())[at % len(CODINGS)](plain),
}
CHARSETS = ["utf-8", "UTF8", "undefined", "idna", "none", "utf-16", "latin-1", "punycode", "base64", "x-user-defined"]
TRANSFERS = ["length", "chunked", "trailers", "no last chunk"]


@dataclass(frozen=True)
class Said:
    """What is said of a body, and what is true."""

    coding: str
    change: str
    at: int
    charset: str = "utf-8"
    transfer: str = "length"
    status: int = 200
    kind: str = "text/html"

    @property
    def is_true(self) -> bool:
        """Whether a browser shows the page."""
        return (
            self.coding in CODINGS and self.change in TRUE and self.status == 200 and self.transfer != "no last chunk"
        ) and self.kind == "text/html"

    def reply(self, plain: bytes) -> Reply:
        """The answer with these faults."""
        packed = CODINGS.get(self.coding, bytes)(plain)
        body = CHANGES[self.change](packed, plain, self.at)
        headers = (("Content-Encoding", self.coding),)
        if self.status in (301, 302):
            headers += (("Location", "/post/note-1"),)
        kind = f"{self.kind}; charset={self.charset}"
        if self.transfer == "length":
            return Reply(body, self.status, kind, headers)
        chunks = [body[at : at + 700] for at in range(0, len(body), 700)]
        pieces = [b"%x;name=1\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
        end = {"chunked": b"0\r\n\r\n", "trailers": b"0\r\nX-Checksum: 1\r\n\r\n", "no last chunk": b""}[self.transfer]
        return Reply(lambda: [*pieces, end], self.status, kind, (*headers, ("Transfer-Encoding", "chunked")))


SAID = st.builds(
    Said,
    coding=st.sampled_from([*CODINGS, *UNKNOWN]),
    change=st.sampled_from(list(CHANGES)),
    at=st.integers(0, 5000),
    charset=st.sampled_from(CHARSETS),
    transfer=st.sampled_from(TRANSFERS),
    status=st.sampled_from([200] * 6 + [203, 206, 301, 403, 404, 410, 500]),
    kind=st.sampled_from(["text/html"] * 5 + ["application/json", "text/plain", "image/png"]),
)
# The lists of the blog are well in most crawls: else no post is asked for.
LISTS = ["/", "/robots.txt", "/sitemap.xml", "/blog-feed.xml", "/blog"]
EACH = [Said(coding, change, 77) for change in CHANGES for coding in CODINGS]
WELL = dict.fromkeys(LISTS)


@contextmanager
def archive_of(posts: list[Said], lists: dict[str, Said | None]) -> Iterator[tuple[Path, Blog]]:
    """An archive after a crawl of a blog that answers so."""
    with tempfile.TemporaryDirectory() as folder, serving(Blog(posts=len(posts))) as blog:
        for number, said in enumerate(posts, 1):
            blog.answers[f"/post/note-{number}"] = said.reply(post(blog.url, number).encode())
        for path, said in lists.items():
            answer = blog.answers[path]
            assert isinstance(answer, Reply)
            if said is not None:
                assert isinstance(answer.body, bytes)
                blog.answers[path] = said.reply(answer.body)
        archive = Path(folder) / "archive"
        done = crawl(archive, blog.url, settings={"RETRY_PAUSE": 0.0, "RETRY_TIMES": 1})
        assert "Traceback" not in done.err and "please report" not in done.err, done.err
        yield archive, blog


def check(archive: Path) -> None:
    """Verify is silent, and a rebuild changes nothing; with SOAK once more, of what it made."""
    for _ in range(2 if SOAK else 1):
        verified = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
        assert (verified.exit_code, verified.output) == (0, "")
        built = rebuild(archive)
        assert (built.differs, built.problems) == ([], [])


@settings(
    max_examples=SAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
    derandomize=not SOAK,
)
@given(st.lists(SAID, min_size=POSTS, max_size=POSTS), st.fixed_dictionaries(dict.fromkeys(LISTS, st.none() | SAID)))
@example([Said("br", "damaged", 40)] * POSTS, {**WELL, "/": Said("br", "damaged", 9)})
def test_a_visit_and_a_rebuild_read_any_answer_alike(posts: list[Said], lists: dict[str, Said | None]) -> None:
    with archive_of(posts, lists) as (archive, _):
        check(archive)


@pytest.mark.parametrize("third", range(3))
def test_each_coding_with_each_fault(third: int) -> None:
    said = EACH[third::3]
    with archive_of(said, dict(WELL)) as (archive, blog):
        texts = column(archive, "SELECT url FROM posts JOIN revisions USING (post_id) WHERE revisions.body_text <> ''")
        problems = {row["url"]: row["kind"] for row in rows(archive, "SELECT url, kind FROM problems")}
        for number, each in enumerate(said, 1):
            url = f"{blog.url}/post/note-{number}"
            if each.is_true or each.change == "never packed":
                assert url in texts, each
            elif each.change == "damaged" and each.coding in ("br", "zstd"):
                assert url in texts or url in problems, "without a checksum, damage may be another text"
            elif each.change in ("damaged", "noise", "nothing"):
                assert url not in texts, each
                assert problems[url] in ("cut-short", "undecodable", "unreadable"), each
            elif each.change == "cut":
                assert (url not in texts, problems[url]) == (True, "cut-short"), each
        assert texts
        check(archive)


def test_an_unknown_charset_is_ignored_and_utf16_is_read() -> None:
    charsets = ["undefined", "idna", "none", "base64", "punycode", "unicode_escape", "utf-16", "utf-16", "x" * 300]
    said = [Said("", "never packed", 0, charset) for charset in charsets]
    with serving(Blog(posts=len(said))) as blog, tempfile.TemporaryDirectory() as folder:
        for number, each in enumerate(said, 1):
            page = post(blog.url, number)
            encoded = page.encode("utf-16") if number == 7 else page.encode("utf-16-be").join([b"\xfe\xff", b""])
            blog.answers[f"/post/note-{number}"] = each.reply(encoded if each.charset == "utf-16" else page.encode())
        for path in ("/", "/blog", "/blog-feed.xml", "/sitemap.xml", "/robots.txt"):
            answer = blog.answers[path]
            assert isinstance(answer, Reply)
            blog.answers[path] = replace(answer, kind=answer.kind.partition(";")[0] + "; charset=undefined")
        done = crawl(Path(folder) / "archive", blog.url)
        assert (done.code, done.err) == (0, "")
        texts = column(Path(folder) / "archive", "SELECT body_text FROM posts ORDER BY url")
        assert texts == [f"Paragraph of post {number}, about tea \u2014 and caf\u00e9s." for number in range(1, 10)]
        check(Path(folder) / "archive")


ROBOTS = [Said("gzip", "cut", 20), Said("br", "damaged", 3), Said("zstd", "noise", 90), Said("gzip", "noise", 90)]


@pytest.mark.parametrize("said", sampled(ROBOTS, 2))
def test_a_robots_txt_that_cannot_be_decoded_allows_nothing(said: Said, tmp_path: Path) -> None:
    with serving(Blog(posts=2)) as blog:
        blog.answers["/robots.txt"] = replace(said.reply(b"User-agent: *\nAllow: /\n" * 9), kind="text/plain")
        done = crawl(tmp_path / "archive", blog.url, settings={"RETRY_PAUSE": 0.0})
        assert (done.code, set(blog.paths)) == (3, {"/robots.txt"})
        assert "robots.txt gave no answer" in done.err
        check(tmp_path / "archive")


@pytest.mark.parametrize("said", sampled(ROBOTS, 2))
def test_a_missing_robots_txt_allows_whatever_its_body_is(said: Said, tmp_path: Path) -> None:
    with serving(Blog(posts=2)) as blog:
        blog.answers["/robots.txt"] = replace(said, status=404).reply(b"<html>Not found</html>" * 9)
        done = crawl(tmp_path / "archive", blog.url)
        assert (done.code, done.err) == (0, "")
        assert "/post/note-1" in blog.paths
        check(tmp_path / "archive")
