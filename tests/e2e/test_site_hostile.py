"""Published lists of hostile strings, as titles, texts, comments, names and addresses, and typed into the search.

Each page is looked at twice in a real browser: as served, where nothing may be refused because nothing tries; and with
the policy switched off, where nothing may run because nothing got through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from archive.questions import questions
from pipelines.derive import derive
from scraper.items import Image, Link, Related
from tests.e2e.browsing import Visit, served, visiting
from tests.making import CLINIC, comment, extraction, made, post, url
from tests.soak import SOAK, sampled

# By default so many of the strings stand in the tables and lists, and one of STEP on the page of its own post.
SOME, STEP = 150, 1 if SOAK else 30
HOSTILE = Path(__file__).parents[3] / "shared" / "hostile"


def strings() -> list[str]:
    """Of all lists, each string once."""
    if not HOSTILE.exists():
        pytest.skip("no ../shared: its lists of hostile strings are what is tried")
    lines = [line for path in sorted(HOSTILE.glob("*.txt")) for line in path.read_text("utf-8").splitlines()]
    lines += json.loads((HOSTILE / "blns.json").read_text("utf-8"))
    return sampled([line for line in dict.fromkeys(lines) if line.strip()], SOME)


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An archive with each string in every field of a post, and as a comment and the name below it."""
    folder = tmp_path_factory.mktemp("hostile") / "a"
    with made(folder) as archive:
        items = []
        for number, text in enumerate(strings(), 1):
            address = url(f"p{number}")
            items.append(
                extraction(
                    number,
                    post(
                        f"p{number}", title=text, text=text, body_html=f"<p>{text}</p>{text}", author=text,
                        excerpt=text, language=text[:8], published_raw=text, cover_image_url=text, categories=(text,),
                        tags=(text,), addresses=(address,),
                        links=(Link(url=text, text=text), Link(url=f"https://x.example/{text}", text=text)),
                        images=(Image(url=text, alt=text, caption=text),),
                        related_posts=(Related(position=1, title=text, url=f"{url('p1')}?{text}", excerpt=text),),
                    ),
                )
            )  # fmt: skip
            items.append(
                extraction(
                    10_000 + number,
                    comment(f"c{number}", text, post=(address,), body_html=f"<p>{text}</p>", author=text),
                )
            )  # fmt: skip
        # Edited, so that there is something to compare: the next string takes the place of each.
        after = strings()
        for number, text in enumerate([*after[1:], after[0]], 1):
            items.append(
                extraction(20_000 + number, post(f"p{number}", title=text, text=text, body_html=text,
                                                 addresses=(url(f"p{number}"),)))
            )  # fmt: skip
        archive.fold(*items, privacy="keep")
        archive.db.execute("UPDATE clinics SET name = ?", [strings()[0]])
        derive(archive.db, cores=1)
    with served(folder) as site:
        yield site


@pytest.mark.parametrize("bypass", [False, True], ids=["as served", "without the policy"])
def test_nothing_of_them_runs_or_loads(bypass: bool, hostile_site: str, browser: Browser) -> None:
    number = len(strings())
    with visiting(browser, hostile_site, bypass_csp=bypass) as visit:
        for item in range(1, number + 1, STEP):
            look(visit, f"/{CLINIC}/p{item}")
            if item % 3 == 0:  # the text before and the text after are on the page already, each in the other's
                look(visit, f"/{CLINIC}/p{item}/compare?whole=1")
        more = [f"/{CLINIC}?page={page}" for page in range(2, number // 50 + 2)]
        tables = ("posts", "comments", "links", "revisions", "images", "posts_with_counts", "related_posts", "tags")
        more += [f"/archive/{table}?_size=1000" for table in tables]
        more += [f"/archive/{question}" for question in questions()]
        for path in (
            "/",
            f"/{CLINIC}",
            "/-/explore",
            "/-/edits",
            f"/-/kwic?q={quote('script')}&past=on&comments=on",
            "/archive/posts?_facet=title&_facet_size=1000",
            "/archive/posts/1",
            *more,
        ):
            look(visit, path)
        visit.page.mouse.move(300, 300)
        visit.page.keyboard.press("Tab")
        assert visit.faults() == []


def test_typed_into_the_search_and_into_addresses_they_are_text(hostile_site: str, browser: Browser) -> None:
    with visiting(browser, hostile_site, bypass_csp=True) as visit:
        for text in strings()[::STEP]:
            typed = quote(text.replace("\0", "")[:300], safe="")
            page = visit.go(f"/-/search?q={typed}")
            visible = page.locator(".search-form input[name=q]").input_value()
            assert visible == text[:300].replace("\r", "").replace("\n", "").strip()
            visit.go(f"/-/kwic?q={typed}")
            visit.go(f"/-/edits?q={typed}")
            assert visit.faults() == [], text
        for text in strings()[1 :: 2 * STEP]:
            typed = quote(text, safe="")
            for path in (f"/-/search?q=a&clinic={typed}&from={typed}&platform={typed}", f"/{CLINIC}?sort={typed}",
                         f"/archive/posts?title={typed}", f"/archive/word_by_month?word={typed}"):  # fmt: skip
                answer = visit.page.goto(f"{hostile_site}{path}")
                assert answer is not None
                assert answer.status < 500, path
                assert visit.faults() == [], path


def look(visit: Visit, path: str) -> None:
    visit.go(path)
    assert visit.faults() == [], f"{path}: {visit.faults()}"
