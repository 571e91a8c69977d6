"""N: reading WordPress, by its API and by its pages, and a page of which no platform is known."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from pathlib import Path

from scraper.extract import extract
from scraper.items import Exchange, Post
from scraper.not_a_post import NotAPost
from scraper.platforms import platform_named
from tests.bench._figure import ROOT, cpu, figure, ratio
from tests.golden import exchange_of

REAL = ROOT.parent / "shared" / "real-pages" / "platforms"
OURS = Path(__file__).parents[1] / "pages"
HTML = "text/html; charset=utf-8"


@cache
def pages_of(platform: str) -> list[Exchange]:
    """Real post pages on a platform where they are at hand, else the test pages that are posts."""
    paths = sorted(REAL.glob(f"{platform}*/*.html"))
    index = (REAL / "INDEX.tsv").read_text("utf-8").splitlines() if paths else []
    urls = {line.split("\t")[0]: line.split("\t")[5] for line in index}
    real = [
        Exchange(url=urls[name], body=path.read_bytes(), content_type=HTML)
        for path in paths
        if (name := f"{path.parent.name}/{path.name}") in urls
    ]
    pages = real or [exchange_of(path) for path in sorted((OURS / platform).glob("*.html"))]
    return [page for page in pages if _bodies(extract(page, platform_named(platform)))]


@cache
def by_api() -> Exchange:
    """The posts of WordPress' pages as one answer of its API."""
    answer = exchange_of(OURS / "wordpress" / "rest_posts.body")
    first = json.loads(answer.body)[0]
    wordpress = platform_named("wordpress")
    posts = [
        {
            **first,
            "id": 1_000 + number,
            "link": f"https://www.fernside-clinic.example/post-{number}/",
            "slug": f"post-{number}",
            "content": {"rendered": _bodies(extract(page, wordpress))[0].body_html, "protected": False},
        }
        for number, page in enumerate(pages_of("wordpress"))
    ]
    return Exchange(
        url=answer.url, body=json.dumps(posts).encode(), content_type="application/json", headers=answer.headers
    )


@figure("N1", "times as many posts a second by WordPress' API as by its pages", least=8)
def api_against_pages() -> float:
    """All that a crawl does to the answers."""
    wordpress = platform_named("wordpress")
    number = len(pages_of("wordpress"))

    def pages() -> float:
        return cpu(lambda: [_bodies(extract(page, wordpress)) for page in pages_of("wordpress")])

    assert len(_bodies(extract(by_api(), wordpress))) == number
    return ratio(pages, lambda: cpu(lambda: extract(by_api(), wordpress)))


@figure(
    "N2", "times trafilatura alone: the same pages read by the reader of any blog, comments and marks too", most=1.5
)
def fallback_against_trafilatura() -> float:
    """Its container rules are left out of the comparison: both look for the text."""
    import trafilatura  # slow to import

    generic = platform_named("generic")
    assert generic is not None
    pages = [page for platform in ("wordpress", "squarespace", "webflow", "joomla") for page in pages_of(platform)]

    def read(page: Exchange) -> None:
        with suppress(NotAPost):
            list(generic.read(page))

    def alone() -> float:
        return cpu(lambda: [trafilatura.extract(page.body.decode("utf-8", "replace"), url=page.url) for page in pages])

    return ratio(lambda: cpu(lambda: [read(page) for page in pages]), alone)


def _bodies(items: tuple[object, ...]) -> list[Post]:
    return [item for item in items if isinstance(item, Post) and item.body_text is not None]
