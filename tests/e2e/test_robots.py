"""What a robots.txt forbids, or may forbid, is not requested: in a crawl of a real server."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.e2e.hostile import Blog, Reply, serving
from tests.e2e.product import column, crawl, run

ALLOWED = b"User-agent: *\nAllow: /\n"
GZIP = (("Content-Encoding", "gzip"),)


def text(body: bytes, **changes: object) -> Reply:
    return Reply(body, kind="text/plain", **changes)  # type: ignore[arg-type]


REFUSALS = {
    "version": (text(b"User-agent: clinic-blog-archive/0.1.0\nDisallow: /\n\nUser-agent: *\nAllow: /\n"), "forbids it"),
    "word": (text(b"User-agent: Clinic-Blog-Archive 9\nDisallow: /\n"), "forbids it"),
    "group": (text(b"User-agent: a\nUser-agent: *\nDisallow: /\n"), "forbids it"),
    "utf-16": (text("User-agent: *\nDisallow: /\n".encode("utf-16")), "forbids it"),
    "utf-16 without its mark": (text("User-agent: *\nAllow: /\n".encode("utf-16-le")), "cannot be read"),
    "packed": (text(gzip.compress(ALLOWED)), "cannot be read"),
    "cut gzip": (text(gzip.compress(ALLOWED * 40)[:-9], headers=GZIP), "robots.txt"),
    "cut": (text(ALLOWED, length=900), "robots.txt"),
    "503": (text(b"busy", status=503), "answered 503"),
    "429": (text(b"busy", status=429), "answered 429"),
}


def test_nothing_is_requested(tmp_path: Path) -> None:
    """Of none of many clinics, whose archive reads the same again."""
    archive = tmp_path / "archive"
    for name, (answer, why) in REFUSALS.items():
        with serving(Blog()) as blog:
            blog.answers["/robots.txt"] = answer
            done = crawl(archive, blog.url, settings={"RETRY_PAUSE": 0.0})
            assert set(blog.paths) == {"/robots.txt"}, name
        assert (done.code, why in done.err) == (3, True), (name, done.err)
        kinds = "SELECT kind FROM problems JOIN clinics USING (clinic_id) WHERE clinics.url = ?"
        assert "robots-refused" in column(archive, kinds, blog.url), name
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
