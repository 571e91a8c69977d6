"""What is derived from an archive's rows: once, again after a kill, and without what its rows no longer have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.derived.posts import derive_posts
from archive.derived.store import due_posts, edit_number, progress, read_post, write_derived
from archive.derived.tables import INDEXES
from pipelines.derive import derive
from pipelines.rebuild import delete_clinic_rows
from scraper.items import Link
from tests.making import HEX, Made, extraction, made, post, url

TABLES = ("cache_derived", "cache_sentences", "cache_edits", "cache_sentence_fates", "cache_site_edits")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Made]:
    with made(tmp_path / "archive") as opened:
        opened.crawl("one")
        opened.crawl("two")
        yield opened


def visit(archive: Made, crawl: str, first: int, **texts: str) -> None:
    """A run that reads these posts, a capture each, from the number `first`."""
    archive.fold(
        *(
            extraction(number, post(slug, text, addresses=(url(slug),), title=slug.title()))
            for number, (slug, text) in enumerate(texts.items(), first)
        ),
        crawl_id=crawl,
    )


def derived(archive: Made) -> dict[str, list[tuple[Any, ...]]]:
    return {name: archive.rows(f"SELECT * FROM {name}") for name in TABLES}


def found(archive: Made, words: str) -> list[str]:
    """The titles of the edits that the index finds, the newest first."""
    both = " UNION ALL ".join(f"SELECT rowid FROM {name} WHERE {name} MATCH :words" for name in INDEXES)
    sql = f"SELECT title FROM edits WHERE edit_id IN ({both}) ORDER BY edit_id DESC"
    return [title for (title,) in archive.db.execute(sql, {"words": words}).fetchall()]


def test_sentences_edits_and_fates_are_derived_from_rows(archive: Made) -> None:
    visit(archive, "one", 1, sleep="Lamps help most sleepers. Rest.", food="Eat.")
    visit(archive, "two", 5, sleep="Lamps may help some sleepers. Wake.", food="Eat.")
    done = derive(archive.db)
    assert (done.posts, done.revisions, done.progress) == (2, 3, (3, 3, None))
    assert archive.rows("SELECT sentences FROM cache_derived ORDER BY revision_id") == [(2,), (1,), (2,)]
    assert archive.rows("SELECT kind, removed, added, words_removed, words_added, title, crawl_id FROM edits") == [
        ("wording", "most … Rest.", "may … some … Wake.", 2, 3, "Sleep", "two")
    ]
    assert archive.rows(
        "SELECT title, sentence, fate, reworded_as, substr(last_seen_at, 12, 5), substr(missing_at, 12, 5) FROM"
        " sentence_fates ORDER BY fate, sentence"
    ) == [
        ("Food", "Eat.", "kept", None, "09:06", None),
        ("Sleep", "Lamps may help some sleepers.", "kept", None, "09:05", None),
        ("Sleep", "Wake.", "kept", None, "09:05", None),
        ("Sleep", "Rest.", "removed", None, "09:01", "09:05"),
        ("Sleep", "Lamps help most sleepers.", "reworded", "Lamps may help some sleepers.", "09:01", "09:05"),
    ]
    assert archive.rows(
        "SELECT capture_id, last_capture_id, missing_capture_id FROM sentence_fates WHERE fate='removed'"
    )[0] == tuple(f"00000000-0000-4000-8000-{number:012}" for number in (1, 1, 5))


def test_a_second_derivation_finds_nothing_to_do(archive: Made) -> None:
    visit(archive, "one", 1, sleep="Rest.")
    visit(archive, "two", 5, sleep="Rest well.")
    derive(archive.db)
    before = derived(archive)
    assert derive(archive.db).posts == 0
    assert derived(archive) == before


def test_what_was_derived_before_a_kill_stays_and_the_rest_follows(archive: Made) -> None:
    visit(archive, "one", 1, sleep="Rest.", food="Eat.")
    visit(archive, "two", 5, sleep="Rest well.", food="Eat well.")
    first, second = due_posts(archive.db.conn)
    with archive.db.atomic():
        write_derived(archive.db.conn, derive_posts([read_post(archive.db.conn, first)]))
    assert progress(archive.db.conn) == (4, 2, "2026-03-01T09:02:00.000000Z")
    assert due_posts(archive.db.conn) == [second]
    derive(archive.db)
    in_parts = derived(archive)
    archive.db.execute("DELETE FROM cache_derived")
    derive(archive.db)
    assert derived(archive) == in_parts


def test_a_limit_ends_the_derivation_after_a_batch(archive: Made) -> None:
    visit(archive, "one", 1, **{f"post-{number}": f"Rest {number}." for number in range(150)})
    done = derive(archive.db, go_on=lambda: False)
    assert 0 < done.posts < 150
    assert done.progress.up_to is not None
    assert derive(archive.db).progress == (150, 150, None)


def test_several_processes_give_the_same_rows(archive: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    visit(archive, "one", 1, **{f"post-{number}": f"Rest {number}. Eat." for number in range(9)})
    visit(archive, "two", 20, **{f"post-{number}": f"Rest {number}." for number in range(9)})
    derive(archive.db, cores=1)
    alone = derived(archive)
    archive.db.execute("DELETE FROM cache_derived")
    monkeypatch.setattr("pipelines.derive.CHUNK", 40)
    monkeypatch.setattr("pipelines.derive.WORTHWHILE", 80)
    derive(archive.db, cores=2)
    assert derived(archive) == alone


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("removed : mild", ["Sleep"]),
        ("added : strong", ["Sleep"]),
        ("removed : lamp", []),
        ("{removed added} : lamp", []),
        ("lamp", ["Sleep"]),
        ("{old_text new_text} : lamp AND strong", ["Sleep"]),
        ('"糖尿 尿病"', ["Food"]),
        ("sugar", ["Food"]),
        ("nothing", []),
    ],
)
def test_edits_are_found_by_their_words(archive: Made, words: str, titles: list[str]) -> None:
    visit(archive, "one", 1, sleep="A mild lamp. Rest.", food="糖尿病 is a sugar disease.")
    visit(archive, "two", 5, sleep="A strong lamp. Rest.", food="糖尿病 is no sugar disease.")
    derive(archive.db)
    assert found(archive, words) == titles


def test_later_edits_have_higher_numbers_that_a_double_holds() -> None:
    early, late = (edit_number(at, number) for at, number in (("2026-03-01T09:00:00Z", 9), ("2026-03-01T09:01:00Z", 1)))
    assert early < late
    assert edit_number("2090-01-01T00:00:00Z", 2**27 - 1) < 2**53


def test_an_edit_of_a_link_or_of_white_space_says_so(archive: Made) -> None:
    visit(archive, "one", 1, space="Rest. Eat.")
    visit(archive, "two", 5, space="Rest. E\u00adat.")
    for number, target in ((10, "https://a.example"), (11, "https://b.example")):
        link = Link(url=target, text="Rest", rel=None)
        archive.fold(extraction(number, post("links", "Rest.", addresses=(HEX,), links=(link,))))
    derive(archive.db)
    assert archive.rows("SELECT kind, removed, added, words_removed FROM edits ORDER BY edit_id") == [
        ("space", None, None, 0),
        ("links", None, None, 0),
    ]
    assert archive.rows("SELECT DISTINCT fate FROM sentence_fates") == [("kept",)]
    assert archive.rows("SELECT * FROM site_wide_edits") == []


def test_the_same_change_on_three_posts_of_a_run_is_one_site_wide_edit(archive: Made) -> None:
    slugs = ("sleep", "food", "rest", "work")
    visit(archive, "one", 1, **{slug: f"About {slug}. Call us on 555 today. Terms apply." for slug in slugs})
    visit(
        archive,
        "two",
        20,
        **{slug: f"About {slug}. Call us on 777 today. Ask your doctor." for slug in slugs[:3]},
        work="About work. Call us on 555 today. Ask your doctor.",
    )
    derive(archive.db)
    assert sorted(archive.rows("SELECT removed, added, posts, crawl_id FROM site_wide_edits"), key=str) == [
        ("Call us on 555 today.", "Call us on 777 today.", 3, "two"),
        ("Terms apply.", None, 4, "two"),
        (None, "Ask your doctor.", 4, "two"),
    ]


def test_a_sentence_that_each_post_had_twice_is_one_site_wide_edit(archive: Made) -> None:
    slugs = ("sleep", "food", "rest")
    visit(archive, "one", 1, **{slug: f"Call us. About {slug}.\nCall us." for slug in slugs})
    visit(archive, "two", 20, **{slug: f"About {slug}.\nRead on.\nRead on." for slug in slugs})
    derive(archive.db)
    assert sorted(archive.rows("SELECT removed, added, posts FROM site_wide_edits"), key=str) == [
        ("Call us.", None, 3),
        (None, "Read on.", 3),
    ]


class TestWhatRowsNoLongerHave:
    """Deleted, moved or judged otherwise: derived rows and the words of the index go in the same transaction."""

    @pytest.fixture(autouse=True)
    def _fill(self, archive: Made) -> None:
        slugs = ("sleep", "food", "rest")
        visit(archive, "one", 1, **{slug: f"About {slug}. Secretword here. 糖尿病。" for slug in slugs})
        visit(archive, "two", 20, **{slug: f"About {slug}. Better words. 糖尿病。" for slug in slugs})
        visit(archive, "two", 30, **{"plain": "A plainword."})
        visit(archive, "two", 40, **{"plain": "Another one."})
        derive(archive.db)
        assert len(found(archive, "secretword")) == 3
        assert all(derived(archive).values())

    def test_of_a_clinic(self, archive: Made) -> None:
        with archive.db.atomic():
            archive.db.execute("PRAGMA defer_foreign_keys = ON")
            delete_clinic_rows(archive.db, "riverside")
        assert derived(archive) == {name: [] for name in TABLES}
        assert found(archive, "secretword") == found(archive, "plainword") == []
        derive(archive.db)
        for name in INDEXES:  # FTS5 stores a word after its first letters where the word before has them, too
            assert archive.one(f"SELECT coalesce(max(instr(block, 'cretword')), 0) FROM {name}_data") == 0
        for name in INDEXES:
            archive.db.execute(f"INSERT INTO {name} ({name}) VALUES ('integrity-check')")

    def test_of_a_revision(self, archive: Made) -> None:
        (number,) = archive.rows("SELECT revision_id FROM edits WHERE title = 'Sleep'")[0]
        archive.db.execute("PRAGMA foreign_keys = OFF")
        archive.db.execute("DELETE FROM revisions WHERE revision_id = ?", [number])
        assert sorted(found(archive, "secretword")) == ["Food", "Rest"]
        assert archive.rows("SELECT * FROM site_wide_edits") == []
        assert [(number,) for number in due_posts(archive.db.conn)] == archive.rows(
            "SELECT post_id FROM posts WHERE title = 'Sleep'"
        )
        derive(archive.db)
        assert archive.one("SELECT count(*) FROM edits") == 3

    def test_of_a_text_that_is_masked(self, archive: Made) -> None:
        archive.db.execute("UPDATE revisions SET body_text = replace(body_text, 'Secretword', 'A reader')")
        assert found(archive, "secretword") == []
        derive(archive.db)
        assert len(found(archive, "reader")) == 3
        assert archive.one("SELECT max(removed LIKE '%secret%') FROM edits") == 0


def test_two_posts_that_become_one_are_derived_as_one(archive: Made) -> None:
    visit(archive, "one", 1, sleep="Rest.", slumber="Rest well.")
    derive(archive.db)
    assert archive.one("SELECT count(*) FROM edits") == 0
    archive.fold(extraction(9, post("sleep", "Rest.", addresses=(url("sleep"), url("slumber")))))
    derive(archive.db)
    assert archive.one("SELECT count(*) FROM posts") == 1
    assert archive.one("SELECT count(*) FROM edits") == archive.one("SELECT count(*) FROM edited_posts") > 0
    assert progress(archive.db.conn).up_to is None
