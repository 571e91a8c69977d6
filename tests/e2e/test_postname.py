"""A blog whose addresses do not tell posts from pages: `/sleep-well/` is a post, `/about/` is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.db import open_archive
from pipelines.rebuild import rebuild
from tests.dummies import registered
from tests.e2e.hostile import Reply, Server
from tests.e2e.product import column, rows, value_of
from tests.making import faults
from tests.pipelines.test_importer import Foreign
from tests.year.moved import Ended, Launch, warm

# warcio's writer leaves its temporary files to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
POSTS = {"sleep-well": "Sleep well", "on-tea": "On tea", "first-steps": "First steps"}
XML = "application/xml"
ANYWHERE = (
    ("posts", "url"), ("sightings", "url"), ("post_addresses", "address"), ("problems", "url"), ("problems", "message"),
)  # fmt: skip


def page(inside: str) -> Reply:
    links = '<a href="/about/">About us</a><a href="/about">About us</a>'
    text = f'<html><head><meta name="generator" content="Postname 1"></head><body>{links}{inside}</body></html>'
    return Reply(text.encode())


def post(title: str, text: str = "A text.") -> Reply:
    return page(f"<article><h1>{title}</h1><p>{text}</p></article>")


def moved(target: str) -> Reply:
    return Reply(b"", 301, headers=(("Location", target),))


class Site(Server):
    """Answers as WordPress does under `/%postname%/`: addresses without their slash redirect."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.posts, self.pages = dict(POSTS), ["about"]
        self.arrange()

    def arrange(self) -> None:
        """Answer by today's posts and pages."""
        home = "".join(f'<a href="/{slug}/">{title}</a>' for slug, title in self.posts.items())
        self.answers.clear()
        self.answers["/"] = page(home)
        self.answers["/wp-sitemap-posts-post-1.xml"] = self._sitemap(self.posts)
        self.answers["/wp-sitemap-posts-page-1.xml"] = self._sitemap(self.pages)
        for slug, title in self.posts.items():
            self._put(slug, post(title))
        for slug in self.pages:
            self._put(slug, page("<p>Who we are.</p>"))
        self.asked.clear()

    def rename(self, old: str, new: str) -> None:
        """Answer at the new address, and redirect there from the old one."""
        for address in (f"/{old}", f"/{old}/"):
            self.answers[address] = moved(f"/{new}/")

    def _put(self, slug: str, reply: Reply) -> None:
        self.answers[f"/{slug}/"] = reply
        self.answers[f"/{slug}"] = moved(f"/{slug}/")

    def _sitemap(self, slugs: object) -> Reply:
        locs = "".join(f"<url><loc>{self.url}/{slug}/</loc></url>" for slug in slugs)  # type: ignore[attr-defined]
        return Reply(f"<urlset>{locs}</urlset>".encode(), kind=XML)


class Visits:
    """A site, its archive, and the visits to it."""

    def __init__(self, site: Site, folder: Path, launch: Launch) -> None:
        self.site, self.archive, self._folder, self._launch = site, folder / "archive", folder, launch

    def run(self, day: int, *arguments: str) -> Ended:
        given = [*arguments, "--archive", str(self.archive), "--clinics-file", str(self._folder / "none.toml")]
        return self._launch(given, BEGIN + timedelta(days=day), lambda _: None, ["postname"])

    def visit(self, day: int) -> None:
        self.site.asked.clear()
        done = self.run(day, "crawl", "--url", self.site.url, "--allow-private")
        assert (done.code, done.err) == (0, "")

    def of_posts(self) -> list[str]:
        """Addresses that were requested in this visit, beside the lists."""
        return [path for path in self.site.paths if path not in ("/", "/robots.txt") and not path.endswith(".xml")]

    def assert_rebuilt(self) -> None:
        with registered("postname"):
            done = rebuild(self.archive, cores=1)
        assert (done.problems, done.differs) == ([], [])
        with closing(open_archive(self.archive, "write")) as db:
            assert faults(db) == []


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    with warm(tmp_path_factory.mktemp("runs")) as launcher:
        yield launcher


@pytest.fixture
def visits(tmp_path: Path, launch: Launch) -> Iterator[Visits]:
    site = Site()
    try:
        yield Visits(site, tmp_path, launch)
    finally:
        site.stop()


def test_a_page_that_is_renamed_and_removed_leaves_no_row(visits: Visits, tmp_path: Path) -> None:
    site = visits.site
    visits.visit(0)
    assert sorted(visits.of_posts()) == [f"/{slug}/" for slug in sorted(POSTS)]
    site.pages = ["about-us"]
    site.arrange()
    site.rename("about", "about-us")
    visits.visit(1)
    assert not any("about" in path for path in visits.of_posts())
    site.pages = []
    site.arrange()
    visits.visit(2)
    assert not any("about" in path for path in visits.of_posts())

    foreign = Foreign(tmp_path / "foreign.warc.gz")  # what another tool recorded meanwhile
    at = BEGIN + timedelta(hours=30)
    for path in ("/about", "/about/"):
        foreign.redirect(f"{site.url}{path}", f"{site.url}/about-us/", at)
    for path in ("/about", "/about/", "/about-us/"):
        foreign.missing(f"{site.url}{path}", at + timedelta(hours=1))
    done = visits.run(3, "import", str(foreign.done()), "--url", site.url)
    assert (done.code, done.err) == (0, "")
    assert value_of(visits.archive, "SELECT count(*) FROM captures WHERE url LIKE '%about%'") == 5
    for table, name in ANYWHERE:
        assert column(visits.archive, f"SELECT {name} FROM {table} WHERE {name} LIKE '%about%'") == [], table
    assert rows(visits.archive, "SELECT * FROM absences") == []
    assert value_of(visits.archive, "SELECT count(*) FROM posts") == 3
    visits.assert_rebuilt()


def test_a_post_that_is_renamed_and_removed_is_found_and_its_absence_recorded(visits: Visits) -> None:
    site = visits.site
    visits.visit(0)
    site.posts = {("sleep-better" if slug == "sleep-well" else slug): title for slug, title in POSTS.items()}
    site.arrange()
    site.rename("sleep-well", "sleep-better")
    visits.visit(1)
    assert value_of(visits.archive, "SELECT count(*) FROM posts") == 3
    addresses = (
        "SELECT address FROM post_addresses WHERE post_id = (SELECT post_id FROM post_addresses WHERE address = ?)"
        " ORDER BY address"
    )
    both = [f"{site.url}/sleep-better", f"{site.url}/sleep-well"]
    assert column(visits.archive, addresses, both[1]) == both
    assert rows(visits.archive, "SELECT * FROM absences") == []
    assert column(visits.archive, "SELECT url FROM posts WHERE title = 'Sleep well'") == both[:1]

    del site.posts["sleep-better"]
    site.arrange()
    visits.visit(2)
    answered = column(visits.archive, "SELECT DISTINCT answered FROM absences")
    gone = "SELECT DISTINCT title FROM absences JOIN posts USING (post_id)"
    assert (answered, column(visits.archive, gone)) == (["404"], ["Sleep well"])
    assert column(visits.archive, "SELECT removed_at FROM posts WHERE removed_at IS NOT NULL") == []
    visits.visit(3)
    assert column(visits.archive, "SELECT title FROM posts WHERE removed_at IS NOT NULL") == ["Sleep well"]
    visits.assert_rebuilt()


def test_posts_are_requested_as_listed_and_stored_canonical(visits: Visits) -> None:
    visits.visit(0)
    visits.visit(1)
    assert value_of(visits.archive, "SELECT count(*) FROM captures WHERE http_status >= 300 AND http_status < 400") == 0
    captured = column(visits.archive, "SELECT DISTINCT url FROM captures WHERE url LIKE '%/on-tea%'")
    assert captured == [f"{visits.site.url}/on-tea/"]
    for sql in ("SELECT url FROM posts", "SELECT DISTINCT url FROM sightings", "SELECT address FROM post_addresses"):
        assert sorted(column(visits.archive, sql)) == sorted(f"{visits.site.url}/{slug}" for slug in POSTS)
    visits.assert_rebuilt()
