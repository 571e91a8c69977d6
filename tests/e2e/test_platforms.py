"""Platforms that are not Wix: one with an API of whole posts, a change of platform, one that is not read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.commands import main
from pipelines.rebuild import rebuild
from tests.dummies import registered
from tests.e2e.hostile import Blog, Reply, Server
from tests.e2e.product import Row, column, rows, value_of
from tests.soak import sampled
from tests.year.moved import Ended, Launch, warm

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUMMIES = ("api", "postname")


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    with warm(tmp_path_factory.mktemp("runs")) as launcher:
        yield launcher


class Visits:
    """A site, its archive, and the visits to it."""

    def __init__(self, site: Server, folder: Path, launch: Launch) -> None:
        self.site, self.archive, self._folder, self._launch = site, folder / "archive", folder, launch

    def visit(self, day: int, *more: str, dummies: tuple[str, ...] = DUMMIES) -> Ended:
        self.site.asked.clear()
        listed = ("--clinics-file", str(self._folder / "none.toml"), "--archive", str(self.archive))
        given = ["crawl", "--url", self.site.url, "--allow-private", *listed, *more]
        return self._launch(given, BEGIN + timedelta(days=day), lambda _: None, dummies)

    def paths(self) -> list[str]:
        return [path for path in self.site.paths if path != "/robots.txt"]

    def assert_rebuilt(self) -> None:
        with registered(*DUMMIES):
            done = rebuild(self.archive, cores=1)
            verified = CliRunner().invoke(main, ["verify", "--archive", str(self.archive)])
        assert (done.problems, done.differs) == ([], [])
        assert (verified.exit_code, verified.output) == (0, "")


@pytest.fixture
def site() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


def page(generator: str, inside: str = "") -> Reply:
    head = f'<meta name="generator" content="{generator}">' if generator else ""
    return Reply(f"<!DOCTYPE html><html><head>{head}</head><body>{inside}</body></html>".encode())


def article(generator: str, title: str, text: str) -> Reply:
    return page(generator, f"<article><h1>{title}</h1><p>{text}</p></article>")


class TestAnApiOfWholePosts:
    """Posts 1 to 4, newest first; 4 has no text in the API, so its page is read."""

    @pytest.fixture
    def visits(self, site: Server, tmp_path: Path, launch: Launch) -> Visits:
        site.answers["/"] = page("Api 1")
        self.arrange(site, "Text")
        for number in (1, 2, 3, 4):
            site.answers[f"/news/{number}"] = article("Api 1", f"Post {number}", f"Page {number}.")
        return Visits(site, tmp_path, launch)

    def arrange(self, site: Server, text: str) -> None:
        posts = [
            {
                "url": f"/news/{number}", "title": f"Post {number}", "text": f"{text} {number}.",
                "published_at": f"2025-03-0{number}T00:00:00Z",
            }
            for number in (4, 3, 2, 1)
        ]  # fmt: skip
        del posts[0]["text"]
        site.answers["/api/posts"] = Reply(json.dumps(posts).encode(), kind="application/json")

    def test_their_pages_are_not_requested(self, visits: Visits) -> None:
        done = visits.visit(0)
        assert (done.code, done.err) == (0, "")
        assert visits.paths() == ["/", "/api/posts", "/news/4"]
        (run,) = rows(visits.archive, "SELECT discovered, fetched, failed, status FROM clinic_runs")
        assert run == {"discovered": 4, "fetched": 4, "failed": 0, "status": "done"}
        texts = column(visits.archive, "SELECT body_text FROM posts ORDER BY title")
        assert texts == ["Text 1.", "Text 2.", "Text 3.", "Page 4."]
        visits.assert_rebuilt()

    @pytest.mark.parametrize(("limit", "requested"), sampled([(1, ["/news/4"]), (2, ["/news/4"]), (9, ["/news/4"])], 2))
    def test_a_limit_holds(self, limit: int, requested: list[str], visits: Visits) -> None:
        """It counts the newest posts, whether an API or a page gives them."""
        assert visits.visit(0, "--limit", str(limit)).code == 0
        assert visits.paths() == ["/", "/api/posts", *requested]
        assert value_of(visits.archive, "SELECT fetched FROM clinic_runs") == min(limit, 4)
        visits.assert_rebuilt()

    def test_the_second_visit_asks_the_api_again(self, visits: Visits) -> None:
        visits.visit(0)
        self.arrange(visits.site, "Another text")
        done = visits.visit(1)
        assert (done.code, done.err) == (0, "")
        assert visits.paths()[:2] == ["/", "/api/posts"]
        assert set(visits.paths()[2:]) <= {"/news/4"}
        assert value_of(visits.archive, "SELECT body_text FROM posts WHERE title = 'Post 2'") == "Another text 2."
        assert value_of(visits.archive, "SELECT count(*) FROM revisions WHERE kind = 'content'") == 3
        fetched = column(visits.archive, "SELECT fetched FROM clinic_runs ORDER BY started_at")
        assert fetched == [4, 4]
        assert rows(visits.archive, "SELECT * FROM absences") == []
        visits.assert_rebuilt()

    def test_a_post_that_the_api_names_no_more_is_asked_for_by_its_page(self, visits: Visits) -> None:
        visits.visit(0)
        visits.site.answers["/api/posts"] = Reply(b"[]", kind="application/json")
        del visits.site.answers["/news/2"]
        visits.visit(1)
        assert "/news/2" in visits.paths()
        gone = "SELECT title FROM absences JOIN posts USING (post_id)"
        assert column(visits.archive, gone) == ["Post 2"]
        visits.assert_rebuilt()


class TestAChangeOfPlatform:
    def test_each_run_is_read_by_the_platform_that_it_recognised(self, tmp_path: Path, launch: Launch) -> None:
        blog = Blog()
        try:
            self._visit_twice(Visits(blog, tmp_path, launch), blog)
        finally:
            blog.stop()

    def _visit_twice(self, visits: Visits, blog: Blog) -> None:
        assert visits.visit(0).code == 0
        first = value_of(visits.archive, "SELECT crawl_id FROM crawls")
        assert column(visits.archive, "SELECT platform FROM clinics") == ["wix"]
        before = of_run(visits.archive, first)
        blog.answers.clear()
        slugs = ("note-1", "note-2", "fresh")
        locs = "".join(f"<url><loc>{blog.url}/{slug}/</loc></url>" for slug in slugs)
        blog.answers["/"] = page("Postname 1")
        blog.answers["/wp-sitemap-posts-post-1.xml"] = Reply(f"<urlset>{locs}</urlset>".encode(), kind="text/xml")
        for slug in slugs:
            blog.answers[f"/{slug}/"] = article("Postname 1", f"{slug} now", "Another text.")
            blog.answers[f"/post/{slug}"] = Reply(b"", 301, headers=(("Location", f"/{slug}/"),))
        done = visits.visit(1)
        assert done.code == 0, done.err
        by_run = column(visits.archive, "SELECT platform FROM clinic_runs ORDER BY started_at")
        assert by_run == ["wix", "postname"]
        assert column(visits.archive, "SELECT platform FROM clinics") == ["postname"]
        assert of_run(visits.archive, first) == before
        # Redirects join the old addresses with the new ones; a third post was removed.
        assert value_of(visits.archive, "SELECT count(*) FROM posts") == 4
        visits.assert_rebuilt()
        assert of_run(visits.archive, first) == before
        assert column(visits.archive, "SELECT platform FROM clinics") == ["postname"]


def of_run(archive: Path, crawl_id: str) -> dict[str, list[Row]]:
    """What the captures of a run said: rows of revisions, readings and sightings."""
    found = {}
    for table, names in (
        ("revisions", "capture_id, kind, source, content_sha256, title, body_text"),
        ("readings", "capture_id, views, likes, comments_count, source"),
        ("sightings", "capture_id, url, source, lastmod"),
    ):
        sql = f"SELECT {names} FROM {table} JOIN captures USING (capture_id) WHERE crawl_id = ? ORDER BY {names}"
        sql = sql.replace("url, source", f"{table}.url, source") if table == "sightings" else sql
        found[table] = rows(archive, sql, crawl_id)
    return found


@pytest.mark.parametrize(
    ("home", "words", "maker"),
    [
        (page("Hostinger", '<img src="https://static.wixstatic.com/media/a.png">'), "runs Hostinger", "hostinger"),
        (page("Hostinger", "<p>Made without Wix.com Website Builder</p>"), "runs Hostinger", "hostinger"),
        (page("", "<p>Made without Wix.com Website Builder</p>"), "no sign of a blog platform", None),
    ],
    ids=["picture", "words in Hostinger", "words"],
)  # fmt: skip
def test_a_site_of_another_maker_without_a_blog(
    home: Reply, words: str, maker: str | None, site: Server, tmp_path: Path, launch: Launch
) -> None:
    site.answers["/"] = home
    visits = Visits(site, tmp_path, launch)
    done = visits.visit(0, dummies=())
    assert words in done.err
    (clinic,) = rows(visits.archive, "SELECT blog_status, platform, maker FROM clinics")
    assert clinic == {"blog_status": "none_found", "platform": None, "maker": maker}
    assert words in str(column(visits.archive, "SELECT note FROM clinic_runs"))
    assert visits.paths() == ["/", "/sitemap.xml", "/blog"]
    visits.assert_rebuilt()
    again = visits.visit(1, dummies=())
    assert (done.code, again.code) == (3, 0)
    assert column(visits.archive, "SELECT status FROM clinic_runs ORDER BY started_at") == ["failed", "no-blog"]
    assert column(visits.archive, "SELECT maker FROM clinics") == [maker]


def test_a_site_that_leaves_an_unread_platform(tmp_path: Path, launch: Launch) -> None:
    """And one that goes there: nobody reads it any more, and its maker is that of the last visit."""
    blog = Blog()
    try:
        home = blog.answers["/"]
        visits = Visits(blog, tmp_path, launch)
        unread = page("Hostinger")
        for day, answer, platform, maker in ((0, unread, None, "hostinger"), (1, home, "wix", "wix"),
                                             (2, unread, None, "hostinger")):  # fmt: skip
            blog.answers["/"] = answer
            visits.visit(day, dummies=())
            assert rows(visits.archive, "SELECT platform, maker FROM clinics") == [
                {"platform": platform, "maker": maker}
            ]
        assert column(visits.archive, "SELECT state FROM coverage ORDER BY day") == ["failed", "observed", "failed"]
        visits.assert_rebuilt()
        assert rows(visits.archive, "SELECT platform, maker FROM clinics") == [{"platform": None, "maker": "hostinger"}]
    finally:
        blog.stop()
