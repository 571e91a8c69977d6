"""How the site shows tables, charts and SQL, in a real Chromium that runs no script: on a phone and at a desk."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
import yaml
from playwright.sync_api import Browser, Locator

from pipelines.commands.serve import SITE
from tests.e2e.browsing import DESKTOP, PHONE, Visit, visiting
from tests.e2e.conftest import Crawled
from tests.e2e.product import value_of
from tests.soak import sampled

TABLES = yaml.safe_load((SITE / "metadata.yaml").read_text("utf-8"))["databases"]["archive"]["tables"]


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Visit]:
    with visiting(browser, site, DESKTOP, java_script_enabled=False) as found:
        yield found


def height(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["height"]


def test_no_table_is_tall_on_a_phone_and_no_cell_is_broken_letter_by_letter(browser: Browser, site: str) -> None:
    with visiting(browser, site, PHONE) as visit:
        for name in sampled(TABLES, 12):
            page = visit.go(f"/archive/{name}?_size=20")
            tall = page.evaluate("document.documentElement.scrollHeight")
            assert tall <= 3000, f"{name}: {tall} pixels"
            cells = page.locator(".rows-and-columns td").evaluate_all("all => all.map(one => one.offsetHeight)")
            assert max(cells, default=0) <= 62, f"{name}: a cell of more than two lines"
            # The wider part of a table is reached by scrolling it alone.
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], name


def test_head_and_first_column_stay_in_sight_while_a_table_scrolls(browser: Browser, site: str) -> None:
    with visiting(browser, site, PHONE) as visit:
        page = visit.go("/archive/posts?_size=50&_columns=all")
        grid = page.locator(".grid")
        before = page.locator("thead th").first.bounding_box()
        grid.evaluate("one => one.scrollTo(400, 300)")
        assert grid.evaluate("one => [one.scrollLeft, one.scrollTop]") == [400, 300]
        assert page.locator("thead th").first.bounding_box() == before
        assert "scrolls sideways" in page.locator("main").inner_text()


def test_columns_are_chosen_without_a_script_and_the_file_has_them_all(visit: Visit, third: Crawled) -> None:
    page = visit.go("/archive/posts?language=en&_size=5")
    heads = page.locator("thead th")
    assert "title" in heads.all_text_contents()
    assert "body_html" not in heads.all_text_contents()
    assert "_col" not in str(page.locator(".downloads a").first.get_attribute("href"))
    page.locator(".chooser summary").click()
    for name in page.locator(".chooser input:checked").evaluate_all("all => all.map(one => one.value)"):
        page.locator(f'.chooser input[value="{name}"]').uncheck()
    page.locator('.chooser input[value="sources"]').check()
    visit.follow(page.get_by_role("button", name="Show these columns"))
    assert page.locator("thead th").all_text_contents() == ["post_id", "sources"]
    english = value_of(third.archive, "SELECT count(*) FROM posts WHERE language = 'en'")
    assert page.locator(".count strong").text_content() == f"{english} rows"
    page.locator(".chooser summary").click()
    visit.follow(page.locator(".chooser").get_by_role("link", name="all columns"))
    assert page.locator("thead th").count() == len(TABLES["posts"]["columns"])


def test_sql_of_a_visitor_is_drawn_and_its_error_stands_beside_it(visit: Visit) -> None:
    page = visit.go("/-/sql")
    page.locator("textarea").fill("SELECT substr(published_on, 1, 7) AS month, count(*) AS posts FROM posts GROUP BY 1")
    visit.follow(page.get_by_role("button", name="Run"))
    assert "posts by month" in page.locator("figcaption").inner_text()
    assert page.locator(".drawing svg:visible").count() == 1
    # As wide as the column that it stands in.
    drawn, column = page.locator(".drawing svg:visible").bounding_box(), page.locator("main").bounding_box()
    assert drawn is not None
    assert column is not None
    assert drawn["width"] >= column["width"] - 40
    page = visit.go(f"/archive?sql={quote('select titel from posts')}", 400)
    assert page.locator("textarea").input_value() == "select titel from posts"
    assert "There is no column titel. Near to it: title" in page.locator("#sql-error").inner_text()
    page = visit.go(f"/archive?sql={quote('delete from posts')}", 400)
    assert page.locator("textarea").input_value() == "delete from posts"
    assert page.locator("#sql-error").is_visible()


def test_the_navigation_leads_to_pages_that_answer(visit: Visit) -> None:
    page = visit.go("/")
    links = page.locator('nav[aria-label="Site"] a')
    assert links.all_text_contents() == ["Clinics", "Edits", "Questions", "Tables", "Status", "About"]
    assert page.locator('form[role="search"]').count() == 1
    for name in ("Clinics", "Questions", "Tables", "Status", "About"):
        visit.follow(page.locator('nav[aria-label="Site"]').get_by_role("link", name=name))
        assert page.locator("h1").count() == 1
        assert page.locator("a[aria-current]").text_content() == name
