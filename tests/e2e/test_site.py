"""The site as people see it: every kind of page in a real browser, on a phone and a desk, against the rows."""

from __future__ import annotations

import csv
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import bibtexparser
import httpx
import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from playwright.sync_api import Browser, Page

from archive.questions import questions
from pipelines.commands import main as commands
from tests.e2e.browsing import DESKTOP, PHONE, Visit, served, visiting
from tests.e2e.conftest import Changes, Crawled
from tests.e2e.product import column, rows, value_of
from tests.making import extraction, made, post, url
from tests.soak import SOAK, sampled
from tests.waiting import HANG, wait_until


@pytest.fixture(scope="module")
def clinic_id(third: Crawled) -> str:
    return str(value_of(third.archive, "SELECT clinic_id FROM clinics"))


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Visit]:
    with visiting(browser, site) as found:
        yield found


def kinds(clinic_id: str, changes: Changes, third: Crawled) -> dict[str, str]:
    """A page of every kind."""
    capture = value_of(third.archive, "SELECT capture_id FROM revisions LIMIT 1")
    return {
        "home": "/", "clinic": f"/{clinic_id}", "post": f"/{clinic_id}/{quote(changes.commented)}",
        "edited": f"/{clinic_id}/{quote(changes.edited)}", "compare": f"/{clinic_id}/{quote(changes.edited)}/compare",
        "search": "/-/search?q=garden&order=best", "nothing-found": "/-/search?q=zzzz", "questions": "/-/explore",
        "edits": "/-/edits", "context": "/-/kwic?q=garden&past=on", "no-context": "/-/kwic?q=...",
        "status": "/-/status", "clinics": "/-/clinics", "about": "/-/about", "sql": "/-/sql",
        "question": "/archive/views_gained", "drawn": "/archive/posting_rhythm", "row": "/archive/posts/1",
        "table": "/archive/posts?_facet=language&_size=10", "view": "/archive/posts_with_counts?_size=10",
        "database": "/archive",
        "typed": "/archive?sql=select+*+from+tags", "wrong-sql": "/archive?sql=select+nonsense",
        "refused-sql": "/archive?sql=delete+from+posts", "chosen": "/archive/posts?_col=title&_col=body_text&_size=10",
        "capture": f"/-/capture/{capture}", "missing": "/nowhere", "no-post": f"/{clinic_id}/nothing",
        "versions": "/-/versions", "plugins": "/-/plugins", "settings": "/-/settings", "metadata": "/-/metadata",
    }  # fmt: skip


def beyond(page: Page) -> int:
    """Pixels by which a page is wider than the window."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


# Pages that have all parts of the style sheet between them.
STYLED = ("home", "clinic", "edited", "compare", "edits", "context", "search", "questions", "question", "status",
          "table", "row", "capture", "clinics", "about", "wrong-sql", "database")  # fmt: skip
STATUS = {"missing": 404, "no-post": 404, "wrong-sql": 400, "refused-sql": 400}


@pytest.mark.parametrize(("width", "size"), [("phone", PHONE), ("desktop", DESKTOP)])
def test_every_kind_of_page_runs_nothing_loads_nothing_and_fits(
    width: str, size: tuple[int, int], browser: Browser, site: str, clinic_id: str, changes: Changes, third: Crawled
) -> None:
    """In the dark and on a desktop, a few of them by default; all with SOAK."""
    pages = kinds(clinic_id, changes, third)
    for scheme in ("light", "dark"):
        with visiting(browser, site, size, color_scheme=scheme) as visit:
            for name in pages if (width, scheme) == ("phone", "light") else sampled(pages, 6):
                page = visit.go(pages[name], STATUS.get(name, 200))
                assert visit.faults() == [], f"{name}: {visit.faults()}"
                assert beyond(page) <= 1, f"{name} is {beyond(page)} pixels too wide for a {width}"
                assert page.evaluate("document.scripts.length") == 0


@pytest.mark.parametrize(("width", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_nothing_serious_for_those_who_read_by_other_means(
    width: str, size: tuple[int, int], browser: Browser, site: str, clinic_id: str, changes: Changes, third: Crawled
) -> None:
    """All pages with SOAK, else those that have all parts of the style sheet; on a phone, a few of these."""
    found: dict[str, list[str]] = {}
    # In the dark only the colours differ.
    colours = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
    pages = kinds(clinic_id, changes, third)
    for scheme, options in (("light", None), ("dark", colours)):
        with visiting(browser, site, size, color_scheme=scheme) as visit:
            for name in pages if SOAK else sampled(STYLED, 17 if (width, scheme) == ("desktop", "light") else 3):
                page = visit.go(pages[name], STATUS.get(name, 200))
                page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
                for fault in Axe().run(page, options=options).response["violations"]:
                    if fault["impact"] in ("serious", "critical"):
                        where = [node["target"] for node in fault["nodes"]][:3]
                        found.setdefault(f"{fault['id']}: {fault['help']}", []).append(f"{name} {scheme} {where}")
    assert found == {}


def test_the_keyboard_reaches_what_matters_first(visit: Visit) -> None:
    page = visit.go("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.wait_for_url("**/#content")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("garden")
    page.keyboard.press("Enter")
    page.wait_for_url("**/-/search?q=garden")
    assert page.locator(".hits mark").count() > 0


def numbers(page: Page, title: str) -> list[list[str]]:
    """The table behind a chart."""
    figure = page.locator(f'figure[aria-label="{title}"]')
    assert figure.locator(".drawing").count() == 1
    return figure.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )  # type: ignore[no-any-return]


def told(values: list[dict[str, Any]]) -> list[list[str]]:
    return [["" if value is None else str(value) for value in row.values()] for row in values]


def test_home_says_what_the_database_says(visit: Visit, third: Crawled) -> None:
    page = visit.go("/")
    tiles = page.locator(".tiles div").evaluate_all(
        "all => all.map(one => [one.querySelector('dt').textContent, one.querySelector('dd').textContent])"
    )
    for name, table in zip(("posts", "comments", "counter readings", "captures"),
                           ("posts", "comments", "readings", "captures"), strict=True):  # fmt: skip
        assert dict(tiles)[name] == f"{value_of(third.archive, f'SELECT count(*) FROM {table}'):,}"
    months = (
        "SELECT substr(published_at, 1, 7) AS m, count(*) FROM posts WHERE published_at NOT NULL GROUP BY m ORDER BY m"
    )
    assert numbers(page, "Posts published per month") == told(rows(third.archive, months))
    newest = column(third.archive, "SELECT title FROM posts ORDER BY published_at DESC LIMIT 8")
    assert page.locator("section:has(h2:text-is('Newest posts')) a").all_text_contents() == newest
    assert page.locator("section:has(h2:text-is('Recent edits')) .events a").count() == len(
        column(third.archive, "SELECT 1 FROM revisions WHERE kind = 'content'")
    )


def test_how_the_archive_stands_is_what_its_rows_and_files_say(visit: Visit, third: Crawled, clinic_id: str) -> None:
    page = visit.go("/")
    visit.follow(page.get_by_role("link", name="Archive status").first)
    assert page.locator(".lead strong").count() == 0
    cells = page.locator("tbody tr td").all_text_contents()
    unread = value_of(third.archive, "SELECT count(DISTINCT url) FROM sightings WHERE post_id IS NULL")
    assert [cells[0], cells[3]] == ["fresh", str(unread)]
    size = sum(path.stat().st_size for path in third.archive.rglob("*.warc.gz"))
    assert f"{size / 1e6:.1f} MB in" in page.locator(".facts").inner_text()
    visit.follow(page.get_by_role("link", name="coverage", exact=True))
    assert page.locator("td.col-state").all_text_contents() == ["observed"]
    # What a paper would say of it is counted from the same rows.
    command = ["coverage", "--archive", str(third.archive), "--json"]
    told = json.loads(CliRunner().invoke(commands, command).stdout)
    assert told["clinics"][clinic_id]["visits"] == 3
    for name, sql in (("posts", "posts"), ("edits", "revisions WHERE kind = 'content'"),
                      ("readings", "readings WHERE evidence = 'read'")):  # fmt: skip
        assert told[name] == value_of(third.archive, f"SELECT count(*) FROM {sql}")


def test_a_clinic_lists_its_posts_with_their_numbers(visit: Visit, third: Crawled, clinic_id: str) -> None:
    page = visit.go(f"/{clinic_id}")
    visible = page.locator("#posts ~ .scroll tbody tr").evaluate_all(
        "rows => rows.map(row => [row.cells[1].querySelector('a').textContent, row.cells[2].textContent.trim()])"
    )
    stored = rows(
        third.archive, "SELECT title, views FROM posts_with_counts ORDER BY published_at DESC, post_id LIMIT 50"
    )
    assert visible == [[row["title"], "–" if row["views"] is None else f"{row['views']:,}"] for row in stored]
    page.locator("select[name=sort]").select_option("views")
    visit.follow(page.get_by_role("button", name="Show"))
    most = value_of(
        third.archive, "SELECT title FROM posts_with_counts ORDER BY views DESC NULLS LAST, published_at DESC LIMIT 1"
    )
    assert page.locator("#posts ~ .scroll tbody th a").first.text_content() == most
    visit.follow(page.get_by_role("link", name="Next"))
    assert page.locator("#posts ~ .scroll tbody tr").count() == len(third.truth["posts"]) - 50 or (
        page.locator("#posts ~ .scroll tbody tr").count() == value_of(third.archive, "SELECT count(*) FROM posts") - 50
    )


def test_a_post_says_what_its_rows_say(visit: Visit, third: Crawled, clinic_id: str, changes: Changes) -> None:
    page = visit.go(f"/{clinic_id}/{quote(changes.commented)}")
    (row,) = rows(third.archive, "SELECT * FROM posts WHERE slug = ?", changes.commented)
    assert page.locator("h1").text_content() == row["title"]
    assert page.locator(".text").inner_text().split()[:30] == row["body_text"].split()[:30]
    assert (
        page.locator(".comment .comment-text").all_text_contents()[-1].strip()
        == "Parking behind the house was easy to find."
    )
    assert page.locator(".comment").count() == value_of(
        third.archive, "SELECT count(*) FROM comments WHERE post_id = ?", row["post_id"]
    )
    chart = numbers(page, "Views, likes and comments over time")
    for place, name in enumerate(("views", "likes", "comments_count"), 1):
        known = f"FROM readings WHERE post_id = {row['post_id']} AND evidence = 'read' AND {name} IS NOT NULL"
        often = f"SELECT source {known} GROUP BY source ORDER BY count(*) DESC, source LIMIT 1"
        stored = column(third.archive, f"SELECT {name} {known} AND source = ({often}) ORDER BY read_at")
        assert [line[place] for line in chart if line[place]] == [str(value) for value in stored]
    assert page.locator("#revisions tbody tr").count() == value_of(
        third.archive, "SELECT count(*) FROM revisions WHERE post_id = ?", row["post_id"]
    )


def test_a_known_edit_is_shown_word_by_word(visit: Visit, third: Crawled, clinic_id: str, changes: Changes) -> None:
    page = visit.go(f"/{clinic_id}/{quote(changes.edited)}")
    visit.follow(page.get_by_role("link", name="what changed").first)
    assert changes.new_text in " ".join(page.locator(".difference ins").all_text_contents())
    first = "SELECT r.body_text FROM revisions AS r JOIN posts USING (post_id) WHERE slug = ? AND kind = 'first'"
    old = value_of(third.archive, first, changes.edited).split("\n")[0]
    assert old in " ".join(page.locator(".difference del").all_text_contents())
    page.go_back()
    visit.follow(page.locator("#revisions tbody a").nth(-1))  # the capture of the first revision
    assert "checked just now: it matches" in page.locator("main").inner_text()


def test_a_citation_that_other_programs_read(visit: Visit, clinic_id: str, changes: Changes, third: Crawled) -> None:
    page = visit.go(f"/{clinic_id}/{quote(changes.edited)}")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="BibTeX", exact=True).click()
    (entry,) = bibtexparser.parse_file(str(waiting.value.path())).entries
    permalink = entry.fields_dict["url"].value
    assert permalink == page.locator('meta[name="DC.identifier"]').get_attribute("content")
    answer = page.goto(permalink)
    assert answer is not None
    assert answer.status == 200
    assert page.locator("h1").text_content() == value_of(
        third.archive, "SELECT title FROM posts WHERE slug = ?", changes.edited
    )


def test_renamed_and_removed_posts_keep_their_addresses(
    visit: Visit, clinic_id: str, changes: Changes, third: Crawled
) -> None:
    before = visit.go(f"/{clinic_id}/{quote(changes.renamed)}").locator("h1").text_content()
    assert visit.go(f"/{clinic_id}/{quote(changes.renamed_to)}").locator("h1").text_content() == before
    page = visit.go(f"/{clinic_id}/{quote(changes.deleted)}")
    assert "At some visits this post was missing: the answer was 404" in page.locator("main").inner_text()


# The sample clinic has no attributes to be grouped by.
DRAWN = [name for name, question in questions().items() if question.drawing and name != "clinics_by_attribute"]


@pytest.mark.parametrize("name", DRAWN)
def test_questions_are_answered_and_drawn_as_their_sql_says(name: str, visit: Visit, third: Crawled) -> None:
    page = visit.go(f"/archive/{name}?word=garden")
    with page.expect_download() as waiting:
        page.locator(".downloads a").first.click()
    with Path(waiting.value.path()).open(encoding="utf-8", newline="") as file:
        stored = list(csv.reader(file))
    cells = page.locator(".rows-and-columns tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )
    assert len(cells) == len(stored) - 1 > 0
    assert [row[0].strip() for row in stored[1:]] == [row[0] for row in cells]
    assert page.locator(".drawing svg:visible").count() == 1


def test_a_question_is_asked_by_its_form(visit: Visit, clinic_id: str) -> None:
    page = visit.go("/archive/sentences_removed")
    page.locator("input[name=word]").fill("open")
    page.locator("select[name=clinic]").select_option(clinic_id)
    visit.follow(page.get_by_role("button", name="Run"))
    sentences = page.locator("td.col-sentence").all_text_contents()
    assert sentences
    assert all("open" in item.lower() for item in sentences)
    assert "instr(lower(g.sentence)" in visit.go("/archive/sentences_removed?_show_sql=1").locator("pre").text_content()  # type: ignore[operator]


def test_a_table_is_filtered_and_its_file_is_what_is_seen(visit: Visit, third: Crawled) -> None:
    page = visit.go("/archive/posts")
    page.locator("select[name=_filter_column]").select_option("language")
    page.locator("input[name=_filter_value]").fill("de")
    visit.follow(page.get_by_role("button", name="Apply"))
    number = value_of(third.archive, "SELECT count(*) FROM posts WHERE language = 'de'")
    assert page.locator(".rows-and-columns tbody tr").count() == number
    with page.expect_download() as waiting:
        page.locator(".downloads").get_by_role("link", name="CSV", exact=True).click()
    assert waiting.value.suggested_filename == "posts.csv"
    with Path(waiting.value.path()).open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == number + 1


ROWS = 100_000 if SOAK else 20_000


def test_a_file_of_many_rows_is_whole(browser: Browser, tmp_path: Path) -> None:
    with made(tmp_path / "a") as archive:
        archive.fold(extraction(1, post()))
        with archive.db.atomic():
            archive.db.conn.executemany(
                "INSERT INTO problems (clinic_id, kind, message, happened_at) VALUES ('riverside', 'x', ?, '2026')",
                [(f'line {number}, "so"',) for number in range(1, ROWS + 1)],
            )
    with served(tmp_path / "a") as site, visiting(browser, site) as visit:
        page = visit.go("/archive/problems")
        with page.expect_download() as waiting:
            page.locator(".downloads").get_by_role("link", name="CSV", exact=True).click()
        with Path(waiting.value.path()).open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
    assert len(found) == ROWS
    assert found[-1]["message"] == f'line {ROWS}, "so"'


def test_an_archive_that_is_being_written_is_read_at_the_same_time(browser: Browser, tmp_path: Path) -> None:
    with made(tmp_path / "a") as archive:
        archive.fold(extraction(1, post()))
        with served(tmp_path / "a") as site, visiting(browser, site) as visit:
            for number in range(2, 22 if SOAK else 7):
                archive.db.execute("BEGIN IMMEDIATE")
                page = visit.go("/")
                assert json.loads(json.dumps(page.locator(".tiles dd").nth(1).text_content())) == str(number - 1)
                archive.db.execute("COMMIT")
                archive.fold(extraction(number, post(f"p{number}", addresses=(url(f"p{number}"),))))
            assert visit.faults() == []


def test_empty_archives_and_odd_posts_are_shown(browser: Browser, tmp_path: Path) -> None:
    with made(tmp_path / "a") as archive, served(tmp_path / "a") as site, visiting(browser, site, PHONE) as visit:
        assert "No post has been read yet" in visit.go("/").locator("main").inner_text()
        assert "The archive has no post of this clinic" in visit.go("/riverside").locator("main").inner_text()
        odd = [
            post("long", title="Long " * 600, addresses=(url("long"),)),
            post("word", title="x" * 3000, text="y" * 5000, addresses=(url("word"),)),
            post("rtl", title="أسئلة العائلة", text="مرحبا بكم في العيادة.", language="ar", addresses=(url("rtl"),)),
            post("old", published_at="0001-01-01T00:00:00Z", addresses=(url("old"),)),
            post("far", published_at="9999-12-31T23:59:59Z", addresses=(url("far"),)),
            post("none", title=None, text=None, addresses=(url("none"),)),
        ]  # fmt: skip
        archive.fold(*(extraction(number, item) for number, item in enumerate(odd, 1)))
        paths = ["/", "/riverside", "/-/search?q=long", "/archive/posts", "/archive/posting_rhythm"]
        for path in (*paths, *(f"/riverside/{item.slug}" for item in odd), "/-/search?q=" + "x" * 3000):
            page = visit.go(path)
            assert visit.faults() == [], path
            assert beyond(page) <= 1, path
        assert page.evaluate("document.title")
        rtl = visit.go("/riverside/rtl")
        assert rtl.locator(".text").evaluate("one => getComputedStyle(one).direction") == "rtl"


def test_an_answer_that_takes_too_long_says_what_to_do(visit: Visit) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    page = visit.go(f"/archive?sql={quote(endless)}&_timelimit=100", 400)
    assert "with .csv after the address" in page.locator("main").inner_text()
    assert visit.faults() == []


def cpu_seconds(process: psutil.Process) -> float:
    """CPU time of a process and of those that it started and that still run."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def works(process: psutil.Process) -> bool:
    """Whether a process, or one that it started, gets CPU time while this one is busy for a fifth of a second."""
    before, end = cpu_seconds(process), time.process_time() + 0.2
    while time.process_time() < end:
        pass
    return cpu_seconds(process) - before > 0.04


def leave(site: str, sql: str, work: Callable[[], object]) -> None:
    """Ask for a file, and go away when it is being made."""
    host, port = site.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as visitor:
        visitor.sendall(f"GET /archive.csv?sql={quote(sql)} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        work()


def test_a_file_that_breaks_off_is_no_whole_file_and_nobody_works_for_those_who_left(site: str) -> None:
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n {}) select {} from n"
    fails = numbers.format("where i < 9000", "case when i > 8000 then abs(-9223372036854775808) else i end")
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        httpx.get(f"{site}/archive.csv", params={"sql": fails}, timeout=HANG)
    port = site.rsplit(":", 1)[1]
    # Other tests' processes end meanwhile: of those `info` has None, where `cmdline()` raises.
    found = psutil.process_iter(["cmdline"])
    (server,) = [item for item in found if f"--port {port}" in " ".join(item.info["cmdline"] or [])]
    endless = numbers.format("", "i")
    for sql in (endless, f"select count(*) from ({endless})"):
        leave(site, sql, lambda: wait_until(lambda: works(server)))
        wait_until(lambda: not works(server))
