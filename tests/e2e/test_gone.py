"""A post is gone when none of its addresses leads to it, on two days; a fault on the way says nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.hostile import MISSING, Blog, Reply, redirect, serving
from tests.e2e.product import column, rows, value_of
from tests.year.moved import warm

STANZA = '[clinics.elder]\nname = "Elder"\nurl = "{url}"\nallow_private = true\nrender = "never"\n'
BEGIN = datetime(2026, 3, 1, 3, 17, tzinfo=UTC)
LISTS = ("/sitemap.xml", "/blog-feed.xml", "/blog")


def relist(blog: Blog, new: str | None) -> None:
    """The lists name the third post by another address; or not at all."""
    for place in LISTS:
        answer = blog.answers[place]
        assert isinstance(answer, Reply) and isinstance(answer.body, bytes)
        body = answer.body
        if new is not None:
            body = body.replace(b"/post/note-3<", b"/post/%s<" % new.encode())
            body = body.replace(b'/post/note-3"', b'/post/%s"' % new.encode())
        else:
            body = body.replace(b"/post/tea-3", b"/pages/tea-3")
        blog.answers[place] = replace(answer, body=body)


@pytest.mark.parametrize(("fault", "removed"), [(Reply(b"busy", 503), 0), (Reply(b"no", 403), 0), (MISSING, 1)])
def test_what_calls_itself_by_a_dead_address(tmp_path: Path, fault: Reply, removed: int) -> None:
    """It lives at `tea-3` and calls itself `note-3`, which answers 404; then no list names it, and `tea-3` fails."""
    archive = tmp_path / "archive"
    with serving(Blog(posts=8)) as blog, warm(tmp_path) as launch:
        (tmp_path / "clinics.toml").write_text(STANZA.format(url=blog.url))

        def crawl(day: float) -> list[str]:
            blog.asked.clear()
            done = launch(["crawl", "--archive", str(archive)], BEGIN + timedelta(days=day), lambda _: None)
            assert done.code == 0, done.err
            return [path for path in blog.paths if path.endswith("-3")]

        relist(blog, "tea-3")
        live = blog.answers["/post/tea-3"] = blog.answers["/post/note-3"]
        blog.answers["/post/note-3"] = MISSING
        assert crawl(0) == ["/post/tea-3"]
        relist(blog, None)
        blog.answers["/post/tea-3"] = fault
        for day in (2, 3):
            assert set(crawl(day)) == {"/post/tea-3"}
        assert value_of(archive, "SELECT count(*) FROM posts WHERE removed_at IS NOT NULL") == removed
        blog.answers["/post/tea-3"] = live
        assert set(crawl(40)) == {"/post/tea-3"}
        assert value_of(archive, "SELECT count(*) FROM posts WHERE removed_at IS NOT NULL") == 0
        assert len(rows(archive, "SELECT 1 FROM posts")) == 8


def test_what_lists_name_by_an_address_that_died(tmp_path: Path) -> None:
    """The address of the lists led to the post once, and leads to the list of posts now: its own is asked for then."""
    archive = tmp_path / "archive"
    with serving(Blog(posts=8)) as blog, warm(tmp_path) as launch:
        (tmp_path / "clinics.toml").write_text(STANZA.format(url=blog.url))
        relist(blog, "tea-3")
        for day, leads_to in ((0, "/post/note-3"), (31, "/blog")):
            blog.answers["/post/tea-3"] = redirect(f"{blog.url}{leads_to}")
            done = launch(["crawl", "--archive", str(archive)], BEGIN + timedelta(days=day), lambda _: None)
            assert done.code == 0, done.err
        assert column(archive, "SELECT min(last_seen_at) >= '2026-04-01' FROM posts") == [1]
