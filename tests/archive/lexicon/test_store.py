"""Matches as rows: what is due, a new version of a rule, a text that changes, the view and the questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.lexicon.given import built_in, copy_lexicon, lexicons_of
from archive.lexicon.reading import BadLexicon
from archive.lexicon.store import faults, fold_rules
from archive.questions import questions
from pipelines.derive import derive
from pipelines.matching import match_claims
from tests.archive.derived.test_store import visit
from tests.archive.lexicon.test_reading import lexicon
from tests.making import Made, made

SAFE, RISKY = "Ketamine is safe.", "Ketamine is safe. It may cause nausea."


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Made]:
    with made(tmp_path / "archive") as opened:
        opened.crawl("one")
        opened.crawl("two")
        visit(opened, "one", 1, sleep=SAFE, food=RISKY, plain="Whitening lasts for ever. Eat.")
        opened.db.execute("UPDATE posts SET published_at = '2026-01-05T00:00:00Z', published_on = '2026-01-05'")
        yield opened


def match(archive: Made, folder: Path) -> tuple[int, int]:
    derive(archive.db)
    done = match_claims(archive.db, folder)
    assert done.problems == []
    return done.revisions, done.matches


def claims(archive: Made, columns: str, where: str = "1") -> list[tuple[Any, ...]]:
    return archive.rows(f"SELECT {columns} FROM claims WHERE {where} ORDER BY post_id, captured_at, position, rule")


def ask(archive: Made, name: str, **values: str) -> list[dict[str, Any]]:
    question = questions()[name]
    cursor = archive.db.conn.execute(question.sql, {**question.parameters, **values})
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_matches_are_rows_once(archive: Made, tmp_path: Path) -> None:
    assert match(archive, tmp_path) == (3, 3)
    assert match(archive, tmp_path) == (0, 0)
    assert claims(
        archive, "title, sentence, words, category, rule, negated, risk_in_post, shown_now, newest_version"
    ) == [
        ("Sleep", SAFE, "safe", "safety-claim", "safe@1", 0, 0, 1, 1),
        ("Food", SAFE, "safe", "safety-claim", "safe@1", 0, 1, 1, 1),
        ("Food", "It may cause nausea.", "nausea", "risk-statement", "risk@1", 0, 1, 1, 1),
    ]
    (stamp,) = {row[0] for row in claims(archive, "slug || '/' || stamp", "title = 'Sleep'")}
    sha = archive.one("SELECT substr(content_sha256, 1, 8) FROM revisions LIMIT 1")
    assert stamp == f"sleep/20260301090100-{sha}"


def test_an_edit_adds_matches_and_leaves_those_of_the_old_text(archive: Made, tmp_path: Path) -> None:
    match(archive, tmp_path)
    visit(archive, "two", 10, sleep="Ketamine is not safe.")
    assert match(archive, tmp_path)[0] >= 1
    assert claims(archive, "negated, shown_now", "title = 'Sleep' AND category = 'safety-claim'") == [(0, 0), (1, 1)]


def test_a_text_that_goes_takes_its_matches_along(archive: Made, tmp_path: Path) -> None:
    match(archive, tmp_path)
    archive.db.execute("UPDATE revisions SET body_text = 'Nothing.'")
    assert archive.one("SELECT count(*) FROM cache_matches") == 0
    assert archive.one("SELECT count(*) FROM cache_matched") == 0
    assert match(archive, tmp_path) == (3, 0)


def test_a_new_version_of_a_rule_adds_rows_and_the_old_ones_stay(archive: Made, tmp_path: Path) -> None:
    copy_lexicon(tmp_path, "teeth", lexicon().encode())
    match(archive, tmp_path)
    assert claims(archive, "rule, newest_version", "lexicon = 'teeth'") == [("lasting@1", 1)]
    copy_lexicon(tmp_path, "teeth", lexicon(version=2, pattern="last* for ever").encode())
    assert match(archive, tmp_path) == (3, 5)
    assert claims(archive, "rule, newest_version, words", "lexicon = 'teeth'") == [
        ("lasting@1", 0, "lasts for ever"), ("lasting@2", 1, "lasts for ever"),
    ]  # fmt: skip
    assert archive.one("SELECT count(*) FROM lexicon_rules WHERE file LIKE 'study/lexicons/teeth-%.toml'") == 2


def test_a_version_that_is_there_is_not_changed(tmp_path: Path) -> None:
    first = copy_lexicon(tmp_path, "teeth", lexicon().encode())
    assert copy_lexicon(tmp_path, "again", lexicon().encode()).file == first.file
    with pytest.raises(BadLexicon, match="rule lasting@1: the lexicon teeth has this version already"):
        copy_lexicon(tmp_path, "teeth", lexicon(pattern="last* for ever").encode())


def test_a_file_that_was_changed_is_named_and_the_others_are_used(archive: Made, tmp_path: Path) -> None:
    given = copy_lexicon(tmp_path, "teeth", lexicon().encode())
    (tmp_path / str(given.file)).write_bytes(lexicon(version=2).encode())
    derive(archive.db)
    done = match_claims(archive.db, tmp_path)
    assert done.problems == [
        f"{given.file}: its SHA-256 is not the one in its name: it was changed or renamed; put the file back from a"
        " backup, or delete it"
    ]
    assert done.matches == 3


def test_rows_that_are_not_those_of_the_text_are_faults(archive: Made, tmp_path: Path) -> None:
    match(archive, tmp_path)
    rules = fold_rules(archive.db.conn, lexicons_of(tmp_path)[0])
    assert list(faults(archive.db.conn, rules, 10)) == []
    archive.db.execute("UPDATE cache_matches SET end = end + 1 WHERE revision_id = 1")
    (fault,) = faults(archive.db.conn, rules, 10)
    assert "the matches of revision 1 are not those of its text" in fault


def test_the_questions_have_denominators(archive: Made, tmp_path: Path) -> None:
    match(archive, tmp_path)
    answer = ask(archive, "posts_with_claims", category="safety-claim")
    assert [(row["title"], row["rule"], row["risk_in_post"]) for row in answer] == [
        ("Sleep", "safe@1", 0), ("Food", "safe@1", 1),
    ]  # fmt: skip
    names = ("posts_with_match", "posts", "clinics_with_match", "clinics")
    assert {tuple(row[name] for name in names) for row in answer} == {(2, 3, 1, 1)}
    assert ask(archive, "posts_with_claims", clinic="elsewhere") == []
    assert ask(archive, "claims_by_month") == [
        {
            "month": "2026-01", "clinic_id": "riverside", "posts_with_match": 2,
            "without_risk_statement": 1, "posts": 3, "percent": 66.7,
        }
    ]  # fmt: skip


def test_no_row_has_a_rule_that_the_program_lost(archive: Made, tmp_path: Path) -> None:
    given = copy_lexicon(tmp_path, "teeth", lexicon().encode())
    match(archive, tmp_path)
    (tmp_path / str(given.file)).unlink()
    match(archive, tmp_path)
    assert claims(archive, "rule", "lexicon = 'teeth'") == []
    assert archive.one("SELECT count(*) FROM lexicon_rules") == len(built_in().rules)
