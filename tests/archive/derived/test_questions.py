"""The ready questions about edits and sentences, and the views behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from archive.questions import questions
from pipelines.derive import derive
from tests.archive.derived.test_store import visit
from tests.making import Made, made


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Two clinics with edits about lamps; the second has no word of it, the third dropped nothing."""
    with made(tmp_path_factory.mktemp("questions") / "archive") as opened:
        opened.crawl("one")
        opened.crawl("two")
        visit(
            opened,
            "one",
            1,
            sleep="Lamps cure all. Rest.",
            food="A lamp helps most. 糖尿病。",
            work="A lamp shines. Eat.",
            back="Lamps! Here.",
            plain="Nothing.",
        )
        visit(opened, "two", 20, sleep="Rest.", food="A light helps most.", work="A lamp shines. Drink.", back="Here.")
        visit(opened, "two", 40, back="Lamps! Here.")
        opened.db.execute("UPDATE posts SET published_at = '2026-01-01T00:00:00Z'")
        for name in ("calm", "quiet"):
            opened.db.execute(
                "INSERT INTO clinics (clinic_id, name, url, blog_status) VALUES (?,?,'x','blog')", [name, name]
            )
        derive(opened.db)
        yield opened


@contextmanager
def undone(archive: Made) -> Iterator[None]:
    archive.db.execute("BEGIN")
    try:
        yield
    finally:
        archive.db.execute("ROLLBACK")


def ask(archive: Made, name: str, **values: str) -> list[dict[str, Any]]:
    question = questions()[name]
    cursor = archive.db.conn.execute(question.sql, {**question.parameters, **values})
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.mark.parametrize(
    ("word", "titles"),
    [
        ("", ["Back", "Back", "Food", "Sleep", "Work"]),
        ("lamp", ["Food", "Work"]),
        ("lamps", ["Back", "Back", "Sleep"]),
        ("LAMP shines", ["Work"]),
        ("糖尿病", ["Food"]),
        ("nothing", []),
        (".", []),
        ('"', []),
        ("x" * 300, []),
        ("a", ["Food", "Work"]),
        ("lam.*", []),
    ],
)
def test_edits_about_a_topic(archive: Made, word: str, titles: list[str]) -> None:
    found = ask(archive, "edits_after_publication", word=word)
    assert sorted(row["title"] for row in found) == titles
    assert all(row["changed_after"] < row["changed_before"] and row["kind"] == "wording" for row in found)


def test_the_words_of_an_edit_are_in_the_answer(archive: Made) -> None:
    (row,) = (row for row in ask(archive, "edits_after_publication", word="light"))
    assert (row["removed"], row["added"], row["words_added"]) == ("lamp … 糖尿病。", "light", None)


def test_sentences_that_an_edit_removed(archive: Made) -> None:
    found = ask(archive, "sentences_removed", word="lamp")
    assert [(row["sentence"], row["fate"], row["reworded_as"]) for row in found] == [
        ("Lamps!", "returned", None),
        ("A lamp helps most.", "reworded", "A light helps most."),
        ("Lamps cure all.", "removed", None),
    ]
    assert [row["sentence"] for row in ask(archive, "sentences_removed", word="糖尿病")] == ["糖尿病。"]
    assert len(ask(archive, "sentences_removed")) == 5
    assert ask(archive, "sentences_removed", word='"*') == []


def test_which_clinics_dropped_a_sentence_with_a_word(archive: Made) -> None:
    (row,) = ask(archive, "clinics_that_dropped", word="lamp")
    assert (row["clinic_id"], row["sentences_dropped"], row["posts"]) == ("riverside", 1, 1)
    assert (row["a_sentence"], row["clinics_that_had_it"], row["of_these_observed_now"]) == ("A lamp helps most.", 1, 0)
    assert row["first_dropped_after"] < row["first_dropped_before"] == row["last_dropped_before"]


def test_a_clinic_that_dropped_nothing_is_in_the_denominator(archive: Made) -> None:
    (row,) = ask(archive, "clinics_that_dropped", word="shines")
    assert (row["sentences_dropped"], row["first_dropped_after"], row["clinics_that_had_it"]) == (0, None, 1)
    assert ask(archive, "clinics_that_dropped", word="never seen") == []


def test_a_clinic_that_was_completely_visited_lately_is_observed(archive: Made) -> None:
    with undone(archive):
        archive.db.execute("UPDATE clinic_runs SET complete = 1, started_at = '2026-03-01T00:00:00Z'")
        archive.db.execute("UPDATE crawls SET started_at = '2026-03-20T00:00:00Z'")
        (row,) = ask(archive, "clinics_that_dropped", word="lamps")
    assert (row["observed_now"], row["of_these_observed_now"], row["sentences_dropped"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("change", "fate"),
    [
        ("UPDATE posts SET removed_at = '2026-04-01T00:00:00Z'", "post removed"),
        ("UPDATE clinics SET closed_on = '2026-04-01'", "no longer observed"),
        ("UPDATE clinic_runs SET complete = 1, started_at = '2026-05-01T00:00:00Z'", "no longer observed"),
        ("UPDATE clinic_runs SET complete = 1", "kept"),
        ("UPDATE clinics SET closed_on = '2999-01-01'", "kept"),
    ],
)
def test_what_became_of_a_sentence_that_no_edit_touched(archive: Made, change: str, fate: str) -> None:
    with undone(archive):
        archive.db.execute(change)
        found = archive.rows("SELECT fate, missing_at FROM sentence_fates WHERE sentence = 'Nothing.'")
    assert found == [(fate, "2026-04-01T00:00:00Z" if fate == "post removed" else None)]
