"""The pages about wordings: words in context, edits, comparisons, results of a search, and the files of each."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Iterator
from pathlib import Path

import feedparser
import httpx
import openpyxl
import pytest
from bs4 import BeautifulSoup
from datasette.app import Datasette

from archive.backup.published import FOLDER, publish
from pipelines.derive import derive
from tests.archive.site.test_site import get, site_of
from tests.making import CLINIC, HEX, Made, comment, extraction, made, post, reading, url


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with made(tmp_path_factory.mktemp("wordings")) as archive:
        archive.crawl("run")
        rest = {"slug": "rest", "addresses": (url("rest"),)}
        archive.fold(
            extraction(1, post(text="Ketamine <b>cures</b> pain.\nCall us.", published_at="2026-01-02", author="Ann")),
            extraction(2, reading(HEX, views=5)),
            extraction(3, post(text="Ketamine may ease pain.\nCall us.")),
            extraction(4, reading(HEX, views=9), comment("c1", "ketamine helped me", posted_at="2026-03-01")),
            extraction(5, post(text="Ketamine may ease pain.\nCall us, please.")),
            extraction(6, post(text="=1+1 ketamine", title="=Rest", published_at="2025-12-31", **rest)),
            crawl_id="run",
        )
        derive(archive.db, cores=1)
        yield archive


@pytest.fixture(scope="module")
def site(archive: Made) -> Datasette:
    return site_of(archive.folder)


def soup(answer: httpx.Response) -> BeautifulSoup:
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def lines(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def stamps(archive: Made) -> list[str]:
    found = archive.rows("SELECT captured_at, content_sha256 FROM revisions WHERE post_id = 1 ORDER BY captured_at")
    return [f"{''.join(c for c in at[:19] if c.isdigit())}-{sha[:8]}" for at, sha in found]


def test_a_word_in_context_as_page_and_files(site: Datasette) -> None:
    page = soup(get(site, "/-/kwic?q=ketamine&past=on&comments=on"))
    assert [cell.get_text() for cell in page.select(".kwic mark")] == ["Ketamine", "ketamine", "Ketamine", "ketamine"]
    rows = lines(get(site, "/-/kwic.csv?q=ketamine&past=on&comments=on"))
    assert sorted(row["wording"] for row in rows) == ["comment", "now", "now", "past"]
    assert all(row["permalink"].startswith("http://localhost/") for row in rows)
    assert json.loads(get(site, "/-/kwic.json?q=ketamine").text)[0]["position"] == 0
    assert "'=1+1" in get(site, "/-/kwic.csv?q=ketamine&_excel=on").text
    sheet = openpyxl.load_workbook(io.BytesIO(get(site, "/-/kwic.xlsx?q=ketam&match=prefix").content))["rows"]
    assert sheet.max_row == 3
    assert get(site, "/-/kwic.json?q=nowhere").text == "[]\n"


def test_words_and_edits_are_counted_and_an_empty_answer_says_what_to_try(site: Datasette) -> None:
    status = soup(get(site, "/-/kwic?q=ketamine")).select("[role=status]")[0].get_text()
    assert status.startswith("ketamine is 2 times in 2 texts")
    assert [("punctuation separates words" in get(site, f"/-/kwic?q={word}").text)
            for word in ("ket.*", "ketam*", "off-label", "a|b", "[k]etamine", "Dr.")
            ] == [True, False, False, True, True, False]  # fmt: skip
    page = soup(get(site, f"/-/edits?q=cures&clinic={CLINIC}"))
    assert page.select("[role=status]")[0].get_text() == "1 of 2 edits, the newest first."
    assert page.select(f"main a[href='/-/edits.atom?q=cures&clinic={CLINIC}']")
    empty = soup(get(site, "/-/edits?q=curesx&in=removed")).select("[role=status] a")
    assert [(link.get_text(), link["href"]) for link in empty] == [("cures*", "?q=cures%2A&in=removed")]
    assert len(soup(get(site, f"/-/edits{empty[0]['href']}")).select(".edit-list li")) == 1


def test_whatever_is_typed_is_answered(site: Datasette) -> None:
    for typed in ("", "...", "x" * 300, "a*", "%00", "[", "ket.*", "糖尿病", "%F0%9F%98%80", '"', "a' OR 1"):
        assert soup(get(site, f"/-/kwic?q={typed}&before={typed}")).select("h1")
        assert soup(get(site, f"/-/edits?q={typed}&attribute={typed}&before={typed}")).select("h1")
    assert get(site, "/-/kwic.csv?q=...").status_code == 400
    assert lines(get(site, "/-/edits.csv?q=...")) == []
    assert get(site, "/-/edits.csv?q=a' OR 1").status_code == 200


@pytest.mark.parametrize("form", ["", ".csv", ".xlsx", ".json"])
@pytest.mark.parametrize("page", ["search", "kwic", "edits"])
def test_a_filter_that_cannot_be_is_answered_400_and_nothing_else(page: str, form: str, site: Datasette) -> None:
    filters = [("clinic=rivreside", "no such clinic; nearest: riverside"), ("from=soon", "write it as 2026-03-01")]
    filters += [("to=20260301", "write it as 2026-03-01"), ("from=2026-02-01&to=2026-01-01", "it is after to")]
    filters += [("kind=x", "kind = 'x': not one of wording"), ("in=x", "not one of")] if page == "edits" else []
    for wrong, why in filters:
        answer = get(site, f"/-/{page}{form}?q=ketamine&{wrong}")
        assert (answer.status_code, why in html.unescape(answer.text)) == (400, True), answer.text
        assert "cures" not in answer.text and "does not occur" not in answer.text
    assert get(site, f"/-/{page}{form}?q=ketamine&clinic={CLINIC}&from=2026-01-01").status_code == 200


def test_comments_are_not_searched_in_a_published_copy(archive: Made) -> None:
    (archive.folder / FOLDER).mkdir()
    published = site_of(publish(archive.folder).parent)
    assert len(soup(get(published, "/-/kwic?q=ketamine&comments=on")).select(".kwic mark")) == 2
    assert not soup(get(published, "/-/kwic")).select("input[name=comments]")
    assert get(published, "/-/kwic.csv?q=ketamine&comments=on").status_code == 403


def test_edits_with_their_words_as_page_files_and_feed(site: Datasette, archive: Made) -> None:
    page = soup(get(site, "/-/edits"))
    first, last, before = page.select(".edit-list li")[1], page.select(".edit-list li")[0], stamps(archive)
    assert [first.find(name).get_text() for name in ("del", "ins")] == ["<b>cures</b>", "may ease"]  # type: ignore[union-attr]
    assert "<b>cures" not in str(first)
    assert first.find("a")["href"] == f"/{CLINIC}/sleep/compare?from={before[0]}&to={before[1]}"  # type: ignore[index]
    assert "please" in last.get_text()
    assert len(soup(get(site, "/-/edits?q=cures&in=removed")).select(".edit-list li")) == 1
    assert "No edit matches" in get(site, "/-/edits?q=cures&in=added").text
    (edit,) = lines(get(site, "/-/edits.csv?q=cures"))
    assert (edit["old_text"], edit["added"]) == ("Ketamine <b>cures</b> pain.\nCall us.", "may ease")
    assert edit["comparison"].startswith("http://localhost/")
    assert get(site, "/-/edits.csv?from=soon").status_code == 400
    feed = feedparser.parse(get(site, "/-/edits.atom").text)
    assert "Removed: <b>cures</b>. Added: may ease." in feed.entries[1].summary.replace("&lt;", "<").replace(
        "&gt;", ">"
    )
    assert "may ease" in soup(get(site, "/")).select("section:has(ins)")[0].get_text()


def test_a_feed_of_edits_about_a_topic(site: Datasette) -> None:
    def feed_of(query: str) -> feedparser.FeedParserDict:
        return feedparser.parse(get(site, f"/-/edits.atom?{query}").text)

    feed = feed_of("q=cures")
    assert feed.feed.title.startswith("Edits about cures in the words removed or added: ")
    assert [entry.summary.count("cures") for entry in feed.entries] == [1]
    (edit,) = lines(get(site, "/-/edits.csv?q=cures"))
    assert feed.entries[0].link == edit["new_permalink"]
    assert [len(feed_of(query).entries) for query in ("", "q=ketamine", "q=ketamine&in=text", "to=2025-01-01")] == [
        2, 0, 2, 0
    ]  # fmt: skip
    assert [get(site, f"/-/edits.atom?{wrong}").status_code for wrong in ("from=soon", "in=x", "clinic=x")] == [
        400, 400, 404
    ]  # fmt: skip
    link = soup(get(site, f"/-/edits?q=cures&clinic={CLINIC}")).select("main a[href*='edits.atom']")[0]
    assert link.get_text() == "Atom feed of new edits about cures of this clinic, with these filters"


def test_an_archive_without_edits_says_so_and_one_that_is_not_derived_too(tmp_path: Path) -> None:
    with made(tmp_path) as archive:
        archive.crawl("run")
        archive.fold(extraction(1, post()), crawl_id="run")
        assert "Edits are derived up to 2026-03-01 09:01" in soup(get(site_of(tmp_path), "/-/edits")).get_text()
        derive(archive.db, cores=1)
        page = soup(get(site_of(tmp_path), "/-/edits"))
        assert "No edit has been found." in page.get_text()
        assert not page.select("main form")


def test_a_comparison_gives_the_interval_both_citations_and_both_readings(site: Datasette, archive: Made) -> None:
    first, second, third = stamps(archive)
    page = soup(get(site, f"/{CLINIC}/sleep/compare?from={first}&to={second}"))
    assert [f"{time} UTC, at http" in text.get_text() for time, text in zip(("09:01:00", "09:03:00"),
            page.select(".apa"), strict=True)] == [True, True]  # fmt: skip
    text = page.get_text(" ", strip=True)
    assert "between 2026-03-01 09:01 and 09:03" in text
    assert "1 word removed , 2 added" in text
    assert [len(page.select(f".cite :-soup-contains('{name}') , .cite .apa:-soup-contains('{name}')")) > 0
            for name in (first, second)] == [True, True]  # fmt: skip
    assert page.select("a[rel=next]")[0]["href"] == f"?from={second}&to={third}"
    assert not page.select("a[rel=prev]")
    assert [row.select("td")[0].get_text() for row in page.select(".readings tbody tr")] == ["5", "9"]
    reverse = soup(get(site, f"/{CLINIC}/sleep/compare?from={second}&to={first}"))
    assert "The first of the two is the later one" in reverse.get_text()


def test_a_comparison_as_text_and_csv(site: Datasette, archive: Made) -> None:
    first, second, _ = stamps(archive)
    pair = f"from={first}&to={second}"
    text = get(site, f"/{CLINIC}/sleep/compare.txt?{pair}").text
    assert f"http://localhost/{CLINIC}/sleep/compare?{pair}" in text
    assert "Ketamine [-<b>cures</b>-]{+may ease+} pain.\nCall us." in text
    rows = lines(get(site, f"/{CLINIC}/sleep/compare.csv?{pair}"))
    assert [(row["line"], row["text"]) for row in rows if row["change"] == "removed"] == [("1", "<b>cures</b>")]
    assert json.loads(get(site, f"/{CLINIC}/sleep/compare.json?{pair}").text)[0]["part"] == "title"
    assert get(site, f"/{CLINIC}/rest/compare.csv").status_code == 404
    assert get(site, f"/{CLINIC}/sleep/compare.csv?from=20200101000000-00000000").status_code == 404


def test_search_results_as_files_and_numbers(site: Datasette) -> None:
    page = soup(get(site, "/-/search?q=ketamine"))
    assert [item.get_text(" ", strip=True) for item in page.select(".numbers-of-results li")] == [
        "Riverside 3", "2026 2", "2025 1", "wix 3",
    ]  # fmt: skip
    rows = lines(get(site, "/-/search.csv?q=ketamine&order=best"))
    assert sorted((row["kind"], row["snippet"]) for row in rows) == [
        ("comment", "ketamine helped me"),
        ("post", "=1+1 ketamine"),
        ("post", "Ketamine may ease pain.\nCall us, please."),
    ]
    assert [row["kind"] for row in json.loads(get(site, "/-/search.json?q=cures").text)] == ["past revision"]
    assert get(site, "/-/search.csv?q=").status_code == 400
    narrowed = page.select(".numbers-of-results a[href*='from=2025']")[0]["href"]
    assert len(soup(get(site, f"/-/search{narrowed}")).select(".hits li")) == 1
