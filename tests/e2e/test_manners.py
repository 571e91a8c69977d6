"""What the sites that are crawled see of the crawler."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from tests.clinic import Clinic
from tests.e2e.hostile import Asked, Blog, Reply, post
from tests.e2e.product import column, crawl, environment, lost, rows, value_of

BUSY = Reply(b"busy", 503, headers=(("Retry-After", "0"),))

# Put before everything else in the crawl's process: writes down who is looked up and connected to, and lets nobody
# through but this machine.
WATCHER = """
import json, os, sys
def _watch(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto"):
        place = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
        host = place[0] if isinstance(place, tuple) else place
        with open(os.environ["WATCHED"], "a") as file:
            file.write(json.dumps([event, str(host)]) + chr(10))
        if str(host) != "127.0.0.1":
            raise OSError(f"{event} {host}: not in this test")
sys.addaudithook(_watch)
"""


def test_nothing_but_this_machine_is_ever_looked_up_or_connected_to(clinic: Clinic, tmp_path: Path) -> None:
    """The pages name the platform's services, pictures and scripts by the dozen."""
    (tmp_path / "sitecustomize.py").write_text(WATCHER, "utf-8")
    inherited = environment().get("PYTHONPATH", "")
    env = environment(PYTHONPATH=f"{tmp_path}:{inherited}".rstrip(":"), WATCHED=str(tmp_path / "watched"))
    done = crawl(tmp_path / "archive", clinic.url, "--limit", "5", env=env)
    assert (done.code, done.err) == (0, "")
    seen = [json.loads(line) for line in (tmp_path / "watched").read_text("utf-8").splitlines()]
    assert {host for _, host in seen} == {"127.0.0.1"}
    assert "socket.connect" in {event for event, _ in seen}


def test_one_request_at_a_time(tmp_path: Path, blog: Blog) -> None:
    for path, reply in list(blog.answers.items()):
        assert isinstance(reply, Reply)
        blog.answers[path] = Reply(reply.body, kind=reply.kind, wait=0.05)
    assert crawl(tmp_path / "archive", blog.url).code == 0
    assert {each.beside for each in blog.asked} == {0}


@pytest.fixture(scope="module")
def visited(notes: Blog, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Asked]]:
    """The archive of a first visit, and what was asked for."""
    notes.reset()
    archive = tmp_path_factory.mktemp("visited") / "archive"
    assert crawl(archive, notes.url).code == 0
    return archive, list(notes.asked)


def test_nothing_is_asked_twice(visited: tuple[Path, list[Asked]]) -> None:
    paths = [each.path for each in visited[1]]
    assert sorted(paths) == sorted(set(paths))


def test_robots_txt_is_asked_for_before_all_else(visited: tuple[Path, list[Asked]]) -> None:
    archive, asked = visited
    assert asked[0].path == "/robots.txt"
    sql = "SELECT http_status FROM captures WHERE url LIKE '%/robots.txt'"
    assert column(archive, sql) == [200]


def test_headers_say_who_asks_and_nothing_about_anybody(visited: tuple[Path, list[Asked]]) -> None:
    for each in visited[1]:
        assert each.method == "GET"
        assert each.headers["user-agent"].startswith("clinic-blog-archive/")
        assert not {"cookie", "referer", "authorization", "from"} & set(each.headers)
        assert set(each.headers["accept-encoding"].replace(" ", "").split(",")) <= {"gzip", "deflate", "br", "identity"}


def keeps(blog: Blog, delay: float) -> bool:
    """Between any two of its requests, the first behind robots.txt too, the crawl of `blog` paused for `delay` seconds.

    A busy server may see a request half a pause too late, and then the next too early; all of them together may be out
    by as much.
    """
    moments = [each.at for each in blog.asked]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return len(gaps) > 4 and min(gaps) > delay / 2 and sum(gaps) > delay * (len(gaps) - 0.5)


def test_crawl_delay_is_kept(tmp_path: Path, blog: Blog) -> None:
    blog.answers["/robots.txt"] = Reply(b"User-agent: *\nCrawl-delay: 1\n", kind="text/plain")
    assert crawl(tmp_path / "archive", blog.url, "--limit", "1").code == 0
    assert keeps(blog, 1)


def test_the_shortest_delay_asked_for_is_kept(tmp_path: Path, blog: Blog) -> None:
    assert crawl(tmp_path / "archive", blog.url, "--limit", "1", "--delay", "0.8").code == 0
    assert keeps(blog, 0.8)


@pytest.mark.parametrize("answer", [BUSY, Reply(b"", 429, headers=(("Retry-After", "0"),))], ids=["503", "429"])
def test_trouble_with_robots_txt_means_nothing_is_crawled(
    archive: Path, notes_archive: Path, blog: Blog, answer: Reply
) -> None:
    blog.answers["/robots.txt"] = answer
    done = crawl(archive, blog.url, settings={"RETRY_PAUSE": 0.0})
    assert (done.code, len(done.lines)) == (3, 1), done.err
    assert f"robots.txt answered {answer.status}" in done.err
    assert set(blog.paths) == {"/robots.txt"}
    assert "robots-refused" in column(archive, "SELECT kind FROM problems")
    assert rows(archive, "SELECT * FROM absences") == []
    assert lost(notes_archive, archive) == []


def test_disallowed_posts_are_never_asked_for(archive: Path, notes_archive: Path, blog: Blog) -> None:
    blog.answers["/robots.txt"] = Reply(b"User-agent: *\nDisallow: /post/\n", kind="text/plain")
    done = crawl(archive, blog.url)
    assert done.code == 3
    assert [path for path in blog.paths if path.startswith("/post/")] == []
    assert "robots.txt forbids it" in done.err
    assert set(column(archive, "SELECT kind FROM problems")) == {"robots-refused"}
    assert rows(archive, "SELECT * FROM absences") == []
    assert lost(notes_archive, archive) == []


def test_a_rule_for_this_crawler_alone_is_obeyed(tmp_path: Path, blog: Blog) -> None:
    text = b"User-agent: *\nAllow: /\n\nUser-agent: clinic-blog-archive\nDisallow: /post/note-2\n"
    blog.answers["/robots.txt"] = Reply(text, kind="text/plain")
    done = crawl(tmp_path / "archive", blog.url)
    assert done.code == 0
    assert "/post/note-2" not in blog.paths
    assert value_of(tmp_path / "archive", "SELECT count(*) FROM posts") == 2


def test_a_redirected_address_is_asked_of_robots_again(tmp_path: Path, blog: Blog) -> None:
    blog.answers["/robots.txt"] = Reply(b"User-agent: *\nDisallow: /hidden/\n", kind="text/plain")
    blog.answers["/post/note-2"] = Reply(b"", 301, headers=(("Location", "/hidden/note-2"),))
    crawl(tmp_path / "archive", blog.url)
    assert "/hidden/note-2" not in blog.paths


def test_a_page_that_calls_itself_by_another_host_sends_nobody_there(archive: Path, blog: Blog) -> None:
    """Neither in this crawl nor in the next: the archive may believe the name, the crawler stays where it was sent."""
    elsewhere = post(blog.url, 2).replace(f"{blog.url}/post/", "https://elsewhere.invalid/post/")
    card = '<div data-hook="recent-posts"><a href="https://elsewhere.invalid/post/trap">Trap</a></div>'
    blog.answers["/post/note-2"] = Reply(elsewhere.replace("</body>", f"{card}</body>").encode())
    for _ in range(2):
        done = crawl(archive, blog.url)
        assert (done.code, done.err) == (0, "")
    assert blog.paths.count("/post/note-2") == 2
    assert [url for url in column(archive, "SELECT url FROM captures") if not url.startswith(blog.url)] == []
    assert value_of(archive, "SELECT count(*) FROM posts") == 3


@pytest.mark.parametrize(
    ("name", "reply", "kind"),
    [
        ("cut in its middle", Reply(b"<html>" + b"x" * 4000, length=9000), {"cut-short", "broken-connection"}),
        ("slow", Reply(b"late", wait=60), {"timeout"}),
        (
            "no HTTP",
            Reply(b"", headers=(("X-Broken\r\n\r\nnonsense", ""),), length=50),
            {"cut-short", "broken-connection"},
        ),
    ],
    ids=["cut", "slow", "ended at once"],
)
def test_a_broken_connection(
    archive: Path, notes_archive: Path, blog: Blog, name: str, reply: Reply, kind: set[str]
) -> None:
    """Asked again, then left for the next run: no post is stored from half a page, and none is called absent."""
    blog.answers["/post/note-2"] = reply
    impatient = {"DOWNLOAD_TIMEOUT": 1.0 if reply.wait else 20.0, "RETRY_PAUSE": 0.05}
    assert crawl(archive, blog.url, settings=impatient).code == 0
    assert blog.paths.count("/post/note-2") == 3
    assert set(column(archive, "SELECT kind FROM problems")) <= kind
    assert value_of(archive, "SELECT failed FROM clinic_runs ORDER BY started_at DESC LIMIT 1") == 1
    assert rows(archive, "SELECT * FROM absences") == []
    assert lost(notes_archive, archive) == []
