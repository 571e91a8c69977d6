"""A word in context: each place in each text, by the rules of the index, and no pattern in what is typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.export import find_source
from archive.listings.concordance import Concordance, _sentences
from archive.search.folding import folded
from archive.search.matching import BadKeyword, keyword
from tests.making import CLINIC, Made, comment, extraction, made, post, url
from tests.scaling import assert_linear


def found(typed: str, text: str, *, prefix: bool = False) -> list[str]:
    places = keyword(typed, prefix=prefix).places(text, is_plain=folded(text) == text)
    return [text[start:end] for start, end in places]


@pytest.mark.parametrize(
    ("typed", "text", "expected"),
    [
        ("ketamine", "Ketamine, KETAMINE-led; esketamine ketamines ketamine's", ["Ketamine", "KETAMINE", "ketamine"]),
        ("ketam*", "Ketamine esketamine ketamines", ["Ketamine", "ketamines"]),
        ("off label", "Off-label “off—label” off\nlabels off  label.", ["Off-label", "off—label", "off  label"]),
        ("resume", "Résumé resume re\u0301sume\u0301 resumed", ["Résumé", "resume", "re\u0301sume\u0301"]),
        ("RÉSUMÉ", "a resume", ["resume"]),
        ("treatment", "treat\u00adment treat\u200bment", ["treat\u00adment", "treat\u200bment"]),
        ("final", "ﬁnal finally", ["ﬁnal"]),
        ("a", "A vitamin a day, an aim", ["A", "a"]),
        ("糖尿病", "预防糖尿病的人，糖尿。糖尿病", ["糖尿病", "糖尿病"]),
        ("病", "糖尿病", ["病"]),
        ("IV", "做IV治疗 IVF", ["IV"]),
        ("b b", "xb b b", ["b b"]),
        ("ket.*", "ket ketamine ket.*", ["ket", "ket"]),
        ("[a-z]+", "a-z az", ["a-z"]),
        ("दर्द", "दर्द दर्दनाक", ["दर्द"]),
    ],
)  # fmt: skip
def test_every_place_is_found_and_no_other(typed: str, text: str, expected: list[str]) -> None:
    assert found(typed, text) == expected


@pytest.mark.parametrize("typed", ["", "  ", "...", "x" * 300, "a*", "x " * 30])
def test_what_cannot_be_looked_for_is_answered_in_words(typed: str) -> None:
    with pytest.raises(BadKeyword, match=r"^[A-Z'].*\.$"):
        keyword(typed)


@given(
    st.lists(st.sampled_from(["rest", "Rest", "resting", "arrest", "-", "\n", "é", "糖", " "]), max_size=12).map(
        " ".join
    )
)
def test_the_quick_way_for_ascii_finds_what_the_general_way_does(text: str) -> None:
    wanted = keyword("rest")
    pattern = re.compile(r"(?<!\w)rest(?!\w)", re.IGNORECASE)
    assert list(wanted.places(text, is_plain=True)) == [match.span() for match in pattern.finditer(text)]
    assert list(wanted.places(text, is_plain=False)) == list(wanted.places(text, is_plain=True))


@pytest.mark.parametrize("first", ["ab x", "é ab x"])
def test_a_beginning_takes_time_by_the_length_of_a_text(first: str) -> None:
    def search(length: int) -> None:
        assert found("ab", first + "ab" * length, prefix=True) == ["ab"]

    assert_linear(search, 160_000)


def test_marks_in_a_row_are_read_in_time_by_the_length_of_a_text() -> None:
    def read(length: int) -> None:
        assert len(list(_sentences("." * length + "x. Rest. "))) == 2

    assert_linear(read, 160_000)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with made(tmp_path_factory.mktemp("context")) as archive:
        archive.crawl("run")
        archive.fold(
            extraction(1, post(text="Ketamine heals. We use ketamine daily.\nCall us.", published_at="2026-01-02")),
            extraction(2, post(text="Ketamine may help. We use ketamine daily.\nCall us.")),
            extraction(3, post(text="It may help. We use ketamine daily.\nCall us now.")),
            extraction(4, comment("c1", "No ketamine for me.")),
            extraction(5, post("k", title="On ketamine", text="Rest.", addresses=(url("k"),), published_at="2025")),
            crawl_id="run",
        )  # fmt: skip
        yield archive


def rows(archive: Made, typed: str = "ketamine", **options: Any) -> list[dict[str, Any]]:
    concordance = Concordance(keyword(typed), **options)
    return [dict(zip(concordance.columns, row, strict=True)) for row in concordance.rows(archive.db.conn)]


def test_the_texts_of_now_have_a_row_for_each_place(archive: Made) -> None:
    first, second = rows(archive)
    assert (first["left"], first["keyword"], first["right"]) == (
        "It may help. We use ",
        "ketamine",
        " daily. Call us now.",
    )
    assert (first["wording"], first["part"], first["position"], first["published_on"]) == (
        "now",
        "text",
        20,
        "2026-01-02",
    )
    assert first["permalink"].startswith(f"/{CLINIC}/sleep/20260301090300-")
    assert (second["part"], second["left"], second["title"]) == ("title", "On ", "On ketamine")
    assert rows(archive, clinic_id="other") == []


def test_a_past_wording_has_a_row_only_where_its_sentence_was_changed(archive: Made) -> None:
    past = [row for row in rows(archive, past=True) if row["wording"] == "past"]
    assert [(row["keyword"], row["right"][:10]) for row in past] == [
        ("Ketamine", " may help."),
        ("Ketamine", " heals. We"),
    ]
    assert [row["last_seen_at"][:16] for row in past] == ["2026-03-01T09:02", "2026-03-01T09:01"]


def test_comments_are_searched_only_where_it_is_asked_for(archive: Made) -> None:
    assert "comment" not in {row["wording"] for row in rows(archive, past=True)}
    (talk,) = [row for row in rows(archive, comments=True) if row["wording"] == "comment"]
    assert talk["permalink"].endswith("#comment-1")


def test_pages_continue_where_the_page_before_ended(archive: Made) -> None:
    concordance = Concordance(keyword("ketamine"), past=True, comments=True)
    whole = list(concordance.rows(archive.db.conn))
    paged, before = [], None
    for _ in whole:
        found_rows, before, _ = concordance.page(archive.db.conn, 1, before)
        paged += found_rows
    assert before is None
    assert paged == whole


def test_the_question_gives_the_same_places_of_the_present_texts(archive: Made) -> None:
    source = find_source(archive.db.conn, "word_in_context", {"word": "ketamine"})
    found_rows = archive.db.conn.execute(source.sql, source.parameters)
    names = [column[0] for column in found_rows.description]
    listed = [row for row in rows(archive) if row["part"] == "text"]
    assert [dict(zip(names, row, strict=True)) for row in found_rows] == [
        {name: row[name] for name in names} for row in listed
    ]
