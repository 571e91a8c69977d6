"""A page may name any address as its own; a post keeps the address under which it was fetched."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from tests.e2e.hostile import Blog, Reply, redirect, serving
from tests.e2e.product import column, crawl, rows, run, value_of
from tests.soak import sampled

NOWHERE = "/post/never-there"
IDS = {number: f"0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d4e{number:02d}" for number in range(1, 4)}


def change(blog: Blog, path: str, old: str, new: str) -> None:
    answer = blog.answers[path]
    assert isinstance(answer, Reply) and isinstance(answer.body, bytes)
    assert old.encode() in answer.body
    blog.answers[path] = replace(answer, body=answer.body.replace(old.encode(), new.encode()))


def claim(blog: Blog, number: int, path: str, *, host: str = "") -> None:
    """The page of a post names another address in its head."""
    own, other = f"{blog.url}/post/note-{number}", f"{host or blog.url}{path}"
    link = f'<link rel="canonical" href="{other}"/></head>'
    change(blog, f"/post/note-{number}", f'og:url" content="{own}"', f'og:url" content="{other}"')
    change(blog, f"/post/note-{number}", "</head>", link)


def with_ids(blog: Blog) -> None:
    for number, name in IDS.items():
        change(blog, f"/post/note-{number}", "</h1>", f'</h1><button id="more-button-{name}"></button>')


def assert_whole(archive: Path) -> None:
    for command in ("verify", "rebuild"):
        done = run("clinic-archive", command, "--archive", str(archive), cwd=archive.parent)
        assert (done.code, done.err) == (0, ""), command


CLAIMS: dict[str, tuple[dict[int, str], str]] = {
    "newer": ({1: "/post/note-3"}, ""),
    "older": ({3: "/post/note-1"}, ""),
    "each other": ({1: "/post/note-2", 2: "/post/note-1"}, ""),
    "nowhere": ({1: NOWHERE, 2: NOWHERE, 3: NOWHERE}, ""),
    "another site": ({2: "/post/note-2"}, "https://another.example"),
    "with a query": ({1: "/post/note-2?x=1", 2: "/post/note-2?x=1"}, ""),
}


@pytest.mark.parametrize(("name", "ids"), sampled(product(CLAIMS, (False, True)), 4))
def test_a_post_stays_where_it_was_fetched(name: str, ids: bool, tmp_path: Path) -> None:
    """Whether the post that a page names was read before that page or after it; with platform ids, and without."""
    claims, host = CLAIMS[name]
    archive = tmp_path / "archive"
    with serving(Blog()) as blog:
        if ids:
            with_ids(blog)
        for number, path in claims.items():
            claim(blog, number, path, host=host)
        for _ in range(2):
            done = crawl(archive, blog.url)
            assert (done.code, done.err) == (0, "")
        assert rows(archive, "SELECT title, url, slug FROM posts ORDER BY title") == [
            {"title": f"Note {n}", "url": f"{blog.url}/post/note-{n}", "slug": f"note-{n}"} for n in (1, 2, 3)
        ]
        assert column(archive, "SELECT kind FROM revisions") == ["first"] * 3
        assert rows(archive, "SELECT * FROM post_changes") == []
        assert value_of(archive, "SELECT count(*) FROM post_addresses WHERE address LIKE 'http%'") == 3
        assert_whole(archive)


def test_a_redirect_still_joins_the_old_address_and_the_new(tmp_path: Path) -> None:
    """The renamed post says under which address it is now, and a list names the old address a while longer."""
    archive = tmp_path / "archive"
    with serving(Blog()) as blog:
        assert crawl(archive, blog.url).code == 0
        for place in ("/sitemap.xml", "/blog"):
            change(blog, place, "/post/note-3", "/post/renamed")
        claim(blog, 3, "/post/renamed")
        blog.answers["/post/renamed"] = blog.answers["/post/note-3"]
        blog.answers["/post/note-3"] = redirect(f"{blog.url}/post/renamed")
        assert crawl(archive, blog.url).code == 0
        assert column(archive, "SELECT url FROM posts WHERE title = 'Note 3'") == [f"{blog.url}/post/renamed"]
        assert column(archive, "SELECT kind FROM revisions") == ["first"] * 3
        assert value_of(archive, "SELECT count(*) FROM posts") == 3
        assert_whole(archive)


def test_a_duplicate_that_is_published_later_is_a_post_of_its_own(tmp_path: Path) -> None:
    """It was copied with the head of its original, whose text is edited between the two visits."""
    archive = tmp_path / "archive"
    with serving(Blog()) as blog:
        assert crawl(archive, blog.url).code == 0
        page = blog.answers["/post/note-1"]
        for place in ("/sitemap.xml", "/blog"):
            old = "</urlset>" if "xml" in place else "</div>"
            new = f"<url><loc>{blog.url}/post/copy</loc></url></urlset>" if "xml" in place else "</div>"
            change(blog, place, old, new)
        blog.answers["/post/copy"] = page
        change(blog, "/post/copy", "about tea", "about broth")
        assert crawl(archive, blog.url).code == 0
        assert column(archive, "SELECT url FROM posts ORDER BY url") == [
            f"{blog.url}/post/{slug}" for slug in ("copy", "note-1", "note-2", "note-3")
        ]
        assert set(column(archive, "SELECT kind FROM revisions")) == {"first"}
        assert_whole(archive)
