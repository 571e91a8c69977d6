"""What a robots.txt forbids, or may forbid, is not requested: in a crawl of a real server."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.e2e.hostile import Blog, Reply, serving
from tests.e2e.product import column, crawl, run

ALLOWED = b"User-agent: *\nAllow: /\n"
GZIP = (("Content-Encoding", "gzip"),)


def text(body: bytes, **changes: object) -> Reply:
    return Reply(body, kind="text/plain", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (text(b"User-agent: clinic-blog-archive/0.1.0\nDisallow: /\n\nUser-agent: *\nAllow: /\n"), "forbids it"),
        (text(b"User-agent: Clinic-Blog-Archive 9\nDisallow: /\n"), "forbids it"),
        (text(b"User-agent: a\nUser-agent: *\nDisallow: /\n"), "forbids it"),
        (text("User-agent: *\nDisallow: /\n".encode("utf-16")), "forbids it"),
        (text("User-agent: *\nAllow: /\n".encode("utf-16-le")), "cannot be read"),
        (text(gzip.compress(ALLOWED)), "cannot be read"),
        (text(gzip.compress(ALLOWED * 40)[:-9], headers=GZIP), "robots.txt"),
        (text(ALLOWED, length=900), "robots.txt"),
        (text(b"busy", status=503), "answered 503"),
        (text(b"busy", status=429), "answered 429"),
    ],
    ids=["version", "word", "group", "utf-16", "utf-16 without its mark", "packed", "cut gzip", "cut", "503", "429"],
)  # fmt: skip
def test_nothing_is_requested(answer: Reply, why: str, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with serving(Blog()) as blog:
        blog.answers["/robots.txt"] = answer
        done = crawl(archive, blog.url)
        assert set(blog.paths) == {"/robots.txt"}
    assert done.code == 3
    assert why in done.err
    assert "robots-refused" in column(archive, "SELECT kind FROM problems")
    for command in ("verify", "rebuild"):
        again = run("clinic-archive", command, "--archive", "archive", cwd=tmp_path)
        assert (again.code, again.err) == (0, ""), command


def test_a_group_of_our_own_is_obeyed_beside_that_of_all(tmp_path: Path) -> None:
    groups = b"User-agent: clinic-blog-archive/2\nDisallow: /post/note-%32\n\nUser-agent: *\nDisallow: /\n"
    with serving(Blog()) as blog:
        blog.answers["/robots.txt"] = text(groups)
        crawl(tmp_path / "archive", blog.url)
        requests = [path for path in blog.paths if path.startswith("/post/")]
    assert sorted(requests) == ["/post/note-1", "/post/note-3"]
