"""Tasks 1 to 14: edits and words."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from datasette.app import Datasette

from tests.archive.site.test_site import get, site_of
from tests.tasks import known
from tests.tasks.known import ALL, Known
from tests.tasks.recipes import follow, lines, recipes, run

Place = tuple[str, int]


def place(address: str) -> Place:
    """The post of an address on the clinic's site, or of a path on the archive's."""
    parts = urlsplit(address)
    slug = next(part for part in parts.path.split("/") if part.startswith("note-"))
    clinic = (parts.hostname or parts.path.split("/")[1]).removesuffix(".example")
    return clinic, int(slug.removeprefix("note-"))


def read(site: Datasette, path: str) -> str:
    """The body of an answer of the site."""
    answer = get(site, path)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture(name="site", scope="module")
def fixture_site(_known: Path) -> Datasette:
    return site_of(_known / "var")


@pytest.mark.usefixtures("owner")
def test_01_edits_about_a_topic() -> None:
    follow(1)
    rows = lines("edits.csv")
    assert {place(row["url"]) for row in rows} == known.CURED
    assert {(row["old_text"], row["new_text"]) for row in rows} == {
        (Known(*each).text(0), Known(*each).text(1)) for each in known.CURED
    }


@pytest.mark.usefixtures("owner")
def test_every_known_edit_is_found_and_no_other() -> None:
    run("clinic-archive edits -o all.csv")
    rows = lines("all.csv")
    assert sorted(place(row["url"]) for row in rows) == sorted(known.EDITS)
    assert len(rows) == 40
    assert {place(row["url"]) for row in rows if row["kind"] == "title"} == known.TITLED


@pytest.mark.usefixtures("owner")
def test_02_both_wordings_cited(site: Datasette) -> None:
    follow(1)
    edit = lines("edits.csv")[0]
    page = BeautifulSoup(read(site, edit["comparison"]), "html.parser")
    assert "Cite both" in page.get_text()
    for permalink, visit in ((edit["old_permalink"], 0), (edit["new_permalink"], 1)):
        assert permalink in page.get_text()
        wording = BeautifulSoup(read(site, permalink), "html.parser").get_text()
        sentence = (known.CURES, known.EASES)
        assert (sentence[visit] in wording, sentence[1 - visit] in wording) == (True, False)


@pytest.mark.usefixtures("owner")
def test_03_the_difference_as_text_and_table(site: Datasette) -> None:
    follow(1)
    path, _, stamps = lines("edits.csv")[0]["comparison"].partition("?")
    text = read(site, f"{path}.txt?{stamps}")
    assert "[-cures-]" in text and "{+may ease+}" in text
    pieces = list(csv.DictReader(io.StringIO(read(site, f"{path}.csv?{stamps}"))))
    removed = " ".join(piece["text"] for piece in pieces if piece["change"] == "removed")
    assert removed.split() == ["cures", "in", "a", "week"]


@pytest.mark.usefixtures("owner")
def test_04_who_dropped_a_sentence() -> None:
    follow(4)
    rows = {row["clinic_id"]: row for row in lines("dropped.csv")}
    dropped = Counter(clinic for clinic, _ in known.DROPPED)
    assert {clinic: int(row["sentences_dropped"]) for clinic, row in rows.items()} == {
        clinic: dropped[clinic] for clinic, _ in known.SAFE
    }
    assert rows["riverside"]["clinics_that_had_it"] == "3"
    for clinic in dropped:
        assert rows[clinic]["first_dropped_after"][:10] == "2026-03-09"
        assert rows[clinic]["last_dropped_before"][:10] == "2026-03-16"


@pytest.mark.usefixtures("owner")
def test_05_a_site_wide_edit() -> None:
    follow(5)
    alike = {(row["clinic_id"], row["removed"], row["added"], int(row["posts"])) for row in lines("alike.csv")}
    assert alike == {
        ("harbor", known.NINE, known.EIGHT, len(known.HOURS)),
        *((clinic, known.NO_HARM, "", 5) for clinic in ("riverside", "lakeside")),
    }


@pytest.mark.usefixtures("owner")
def test_06_edits_since_a_day_of_clinics_with_an_attribute() -> None:
    follow(6)
    rows = json.loads(Path("recent.json").read_text("utf-8"))
    assert {place(row["url"]) for row in rows} == known.DROPPED
    assert all(known.STATES[row["clinic_id"]] == "NY" for row in rows)


@pytest.mark.usefixtures("owner")
def test_07_texts_on_a_day() -> None:
    follow(7)
    assert {(place(row["url"]), row["body_text"]) for row in lines("day.csv")} == {
        ((each.clinic, each.number), each.text(0)) for each in ALL if each.clinic == "harbor"
    }


@pytest.mark.usefixtures("owner")
def test_08_removed_posts() -> None:
    follow(8)
    (row,) = lines("removed.csv")
    assert (place(row["url"]), row["removed_at"][:10], row["last_seen_at"][:10]) == (
        known.REMOVED, "2026-03-16", "2026-03-09",
    )  # fmt: skip


@pytest.mark.usefixtures("owner")
def test_09_a_word_in_context_all_of_it() -> None:
    follow(9)
    rows = lines("cures.csv")
    assert {place(row["permalink"]) for row in rows} == known.CURED
    assert len(rows) == len(known.CURED)
    assert {(row["keyword"], row["wording"]) for row in rows} == {("cures", "past")}
    assert all(f"{row['left']}{row['keyword']}{row['right']}".count(known.CURES) == 1 for row in rows)


def test_10_a_search_as_a_file(site: Datasette) -> None:
    rows = list(csv.DictReader(io.StringIO(read(site, recipes()[10].typed[0]), newline="")))
    assert {place(row["url"]) for row in rows if row["kind"] == "post"} == {(each.clinic, each.number) for each in ALL}
    assert all("appointment" in row["snippet"] for row in rows)


@pytest.mark.usefixtures("owner")
def test_11_a_word_by_month() -> None:
    follow(11)
    wanted = Counter(
        (f"{each.published:%Y-%m}", each.clinic) for each in ALL if each in known.CURED or each in known.CLAIMED
    )
    found = {(row["month"], row["clinic_id"]): int(row["posts_with_word"]) for row in lines("months.csv")}
    assert {key: number for key, number in found.items() if number} == wanted


@pytest.mark.usefixtures("owner")
def test_12_claims_by_month() -> None:
    follow(12)
    wanted = Counter((f"{each.published:%Y-%m}", each.clinic) for each in ALL if each in known.CLAIMED)
    found = {(row["month"], row["clinic_id"]): int(row["posts_with_match"]) for row in lines("claims.csv")}
    assert {key: number for key, number in found.items() if number} == wanted


@pytest.mark.usefixtures("owner")
def test_13_posts_that_cite_a_domain() -> None:
    follow(13)
    assert {(place(row["url"]), row["link_url"]) for row in lines("citing.csv")} == {
        (each, known.CITED) for each in known.CITING
    }


@pytest.mark.usefixtures("owner")
def test_14_the_same_sentence_at_several_clinics() -> None:
    follow(14)
    assert {place(row["url"]) for row in lines("same.csv")} == known.PROMISED
