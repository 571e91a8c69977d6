"""What the site says of a past revision, of a clinic's state and of a single reading: nothing that is not so."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from archive.reports.judgement import at, judgement
from archive.reports.status import DEFAULT_AGE, clinics
from archive.site.charts.chart import draw
from archive.site.visitors.door import BASE_URL
from tests.archive.reports.test_coverage import visited
from tests.archive.site.test_site import get, site_of
from tests.making import CLINIC, HEX, Made, extraction, post, reading


def page(archive: Made, path: str) -> BeautifulSoup:
    answer = get(site_of(archive.folder), path)
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def words(found: object) -> str:
    assert isinstance(found, BeautifulSoup) or hasattr(found, "get_text")
    return " ".join(found.get_text(" ").split())  # type: ignore[union-attr]


def tiles(found: BeautifulSoup) -> dict[str, str]:
    return {
        tile.find("dt").get_text(): tile.find("dd").get_text(strip=True)  # type: ignore[union-attr]
        for tile in found.select(".side .tiles div")
    }


@pytest.fixture
def edited(archive: Made) -> Made:
    """Three texts, the first one seen in the minutes 1 to 3; counters in 2, 4, 8 and 10."""
    dated = {"published_at": "2026-01-02"}
    archive.crawl("run")
    archive.fold(
        extraction(1, post(text="First text.", modified_at="2026-01-03T00:00:00Z", tags=("a",), **dated)),
        extraction(2, reading(HEX, views=20)),
        extraction(3, post(text="First text.", **dated)),
        extraction(4, reading(HEX, views=30, likes=3)),
        extraction(5, post(text="Second text.", modified_at="2026-02-03T00:00:00Z", **dated)),
        extraction(8, reading(HEX, views=70, likes=7)),
        extraction(9, post(text="Third text.", modified_at="2026-02-25T00:00:00Z", tags=("b",), **dated)),
        extraction(10, reading(HEX, views=90, likes=9)),
        crawl_id="run",
    )
    return archive


def test_a_past_revision_shows_the_readings_nearest_to_it(edited: Made) -> None:
    stamps = [str(link["href"]) for link in page(edited, "/riverside/sleep").select("#revisions th a")][::-1]
    found = [page(edited, stamp) for stamp in stamps]
    first, second, third = map(tiles, found)
    assert (first["views"], first["likes"]) == ("20", "3")
    assert (second["views"], second["likes"]) == ("30", "3")
    assert (third["views"], third["likes"]) == ("90", "9")
    assert "nearest to this revision" in words(found[0])
    assert "Counters read 2026-03-01 09:04, nearest to this revision" in words(found[1])
    assert "nearest to this revision" not in words(found[2])
    changed = [re.search(r"Changed, according to the page (\S+)", words(item)) for item in found]
    assert [match and match[1] for match in changed] == ["2026-01-03", "2026-02-03", "2026-02-25"]
    assert "#b" not in words(found[0])
    assert "This revision" in words(found[0])


def test_a_past_revision_without_a_reading_has_no_number(archive: Made) -> None:
    archive.fold(extraction(1, post(text="First text.")), extraction(2, post(text="Second text.")))
    stamp = str(page(archive, "/riverside/sleep").select("#revisions th a")[-1]["href"])
    found = page(archive, stamp)
    assert set(tiles(found).values()) == {"–"}
    assert "No counter was read." in words(found)


def test_an_address_for_citations_is_public_or_said_to_be_of_this_machine(
    edited: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = page(edited, "/riverside/sleep")
    assert "works on this machine alone" in words(local.select_one(".cite"))
    monkeypatch.setenv(BASE_URL, "https://archive.example")
    public = page(edited, "/riverside/sleep")
    assert "this machine" not in words(public.select_one(".cite"))
    assert "at https://archive.example/riverside/sleep/2026" in words(public.select_one(".apa"))
    place = str(public.find("a", rel="bookmark")["href"])  # type: ignore[index]
    for form in ("bib", "ris", "json"):
        assert f"https://archive.example{place}" in get(site_of(edited.folder), f"{place}.{form}").text
    for feed in ("posts", "edits"):
        text = get(site_of(edited.folder), f"/-/{feed}.atom").text
        assert "https://archive.example/riverside/sleep" in text
        assert "localhost" not in text


# --- one judgement ---

NOW = datetime(2026, 3, 10, 21, 0, tzinfo=UTC)


def visit(archive: Made, clinic_id: str, at: str, status: str, blog: str = "blog") -> None:
    visited(archive, at, status, clinic=clinic_id)
    archive.db.execute("UPDATE clinics SET blog_status = ? WHERE clinic_id = ?", (blog, clinic_id))


def test_home_and_status_say_the_same_and_are_green_only_where_all_is_well(archive: Made) -> None:
    def both() -> tuple[str, bool]:
        home, status = page(archive, "/"), page(archive, "/-/status")
        line = words(status.select_one(".lead")).split(" At 2")[0]
        assert line in words(home)
        greens = [bool(found.select(".span .good, .lead .good")) for found in (home, status)]
        assert greens[0] == greens[1]
        if greens[1]:
            observed = [words(cell) for cell in status.select("td[data-label=Observed]")]
            assert "never" not in observed
        return line, greens[0]

    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000000Z}"
    visit(archive, CLINIC, now, "done")
    assert both() == ("Every clinic was observed in the last 36 h.", True)
    visit(archive, "bare", now, "no-blog", "none")
    assert both() == ("Every clinic with a blog was observed in the last 36 h; 1 without a blog.", True)
    visit(archive, "away", now, "failed", "unreachable")
    line, green = both()
    assert line.startswith("Every clinic that is known to have a blog was observed in the last 36 h; ")
    assert not green
    visit(archive, "old", "2020-03-01", "done")
    line, green = both()
    assert line.startswith("1 of 2 clinics was not observed in the last 36 h")
    assert not green


def test_a_judgement_ages_although_no_row_changes(archive: Made) -> None:
    visit(archive, CLINIC, "2026-03-10", "done")
    found = clinics(archive.db.conn, NOW)
    assert judgement(at(found, NOW), DEFAULT_AGE).well
    assert judgement(at(found, datetime(2026, 3, 12, tzinfo=UTC)), DEFAULT_AGE).well is False
    assert judgement([], DEFAULT_AGE).well is None


# --- charts ---


@pytest.mark.parametrize(
    "time", ["2026-03-01T09:01:00.994Z", "2026-03-01", "2026-03-01T09:01:00Z", "2026", "0001-01-01"]
)
@pytest.mark.parametrize("mark", ["step", "line", "point"])
def test_one_reading_is_said_in_words_and_two_of_a_day_have_days_as_labels(time: str, mark: str) -> None:
    alone = draw("t", ("at", "views"), [(time, 995)], mark, "at", "views")
    assert (alone.svg, alone.rows) == (None, [(time, 995)])
    assert alone.note.startswith("Only one value is known: views 995 (at ")
    chart = draw("t", ("at", "views"), [(time, 995), (time, 996)], mark, "at", "views")
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", str(chart.svg))
    assert labels
    assert not [label for label in labels if re.match(r"\.\d|:\d", label)], labels


@pytest.mark.parametrize("numbers", [(1,), (1, 2), (0, 3), (2, 2, 4), (5,)])
def test_no_label_of_a_count_stands_twice_on_its_axis(numbers: tuple[int, ...]) -> None:
    for mark in ("bar", "step"):
        rows = [(f"2026-0{number}", value) for number, value in enumerate(numbers, 1)]
        chart = draw("t", ("month", "posts"), rows, mark, "month", "posts")
        wide = str(chart.svg).split('class="narrow"')[0]
        labels = [
            label for label in re.findall(r"<text[^>]*>([^<]*)</text>", wide) if label.isdigit() and len(label) < 4
        ]
        assert len(labels) == len(set(labels)), labels


def test_tiles_of_one(archive: Made) -> None:
    archive.fold(extraction(1, post(views=1)))
    names = [tile.get_text() for tile in page(archive, "/").select(".tiles dt")]
    assert names[:2] == ["clinic", "post"]
    assert "counter reading" in names
    assert Path(archive.folder).name not in words(page(archive, "/"))
