"""A text that is masked differently than before is no edit by its commenter: new rules, or a name known since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive.db import open_archive
from archive.rows.masks import is_masked_form
from pipelines.commands import main
from pipelines.fold.fold import SOFTWARE
from pipelines.run.policies import is_masked_otherwise
from pipelines.run.run import Run
from scraper.items import Names
from tests.making import Made, comment, extraction, made, post
from tests.pipelines.privacy.test_policy import is_sound, stanza
from tests.visiting import (
    CLINIC,
    MEMBERS_URL,
    Visiting,
    comments_answer,
    comments_url,
    members_answer,
    post_answer,
    post_url,
)

SAID = "I am @quiet_owl there, says Vega."
MASKED = "I am [handle] there, says [name]."
OLD = "I am @quiet_owl there, says [name]."


def visit(archive: Path, said: str = SAID) -> None:
    with Visiting(archive) as visiting:
        visiting.answer(post_url("sleep"), post_answer("sleep", "On sleep."))
        visiting.answer(comments_url("sleep"), comments_answer(("c1", "m1", said)))
        visiting.answer(MEMBERS_URL, members_answer(m1="Marisol Vega"))
        visiting.end()
        visiting.run.close(0, {})


def as_an_older_version_left_it(archive: Path) -> None:
    run = Run(archive)
    run.db.execute("UPDATE comments SET body_text = ?", [OLD])
    run.db.execute("UPDATE clinics SET folded_by = 'clinic-archive/0.0.1'")
    run.db.conn.commit()
    assert is_masked_otherwise(run.db, CLINIC.slug)
    run.release()


def texts(archive: Path) -> list[str]:
    with closing(open_archive(archive, "read")) as db:
        sql = "SELECT body_text FROM comments UNION ALL SELECT body_text FROM comment_revisions"
        return [row[0] for row in db.execute(sql).fetchall()]


@pytest.fixture(name="archive")
def fixture_archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    visit(folder)
    assert texts(folder) == [MASKED]
    as_an_older_version_left_it(folder)
    return folder


def test_the_next_crawl_masks_again_and_sees_no_edit(archive: Path) -> None:
    visit(archive)
    assert texts(archive) == [MASKED]
    assert b"quiet_owl" not in b"".join(path.read_bytes() for path in archive.glob("archive.db*"))
    visit(archive, SAID + " Since then.")
    assert texts(archive) == [MASKED + " Since then.", MASKED]  # an edit by the commenter stays one
    is_sound(archive)


def test_privacy_apply_masks_at_once(archive: Path, tmp_path: Path) -> None:
    clinics = tmp_path / "clinics.toml"
    clinics.write_text(stanza(CLINIC))
    command = ["privacy", "apply", "--archive", str(archive), "--clinics-file", str(clinics)]
    done = CliRunner().invoke(main, command)
    assert (done.exit_code, texts(archive)) == (0, [MASKED]), done.output
    assert "nothing to do" in CliRunner().invoke(main, command).output
    is_sound(archive)


def test_rows_whose_captures_cannot_be_read_stay(archive: Path, caplog: pytest.LogCaptureFixture) -> None:
    for path in (archive / "warc" / CLINIC.slug).iterdir():
        path.unlink()
    run = Run(archive)
    run.tighten([CLINIC])
    assert run.db.execute("SELECT count(*) FROM captures").fetchone() == (3,)
    assert is_masked_otherwise(run.db, CLINIC.slug)
    run.release()
    assert texts(archive) == [OLD]
    assert "clinic-archive verify" in caplog.text


@pytest.fixture(name="rows")
def fixture_rows(tmp_path: Path) -> Iterator[Made]:
    with made(tmp_path / "rows") as archive:
        yield archive


def fold(rows: Made, at: int, said: str, **names: str) -> list[tuple[str, str | None]]:
    """A reading of the thread; the text, and an earlier one where the archive has it."""
    rows.fold(
        extraction(at, post()),
        extraction(at + 1, comment("c1", said, person="p1", author="p1", author_kind="member")),
        extraction(at + 2, Names(names={"p1": "Marisol Vega", **names})),
    )
    sql = "SELECT c.body_text, r.body_text FROM comments AS c LEFT JOIN comment_revisions AS r USING (comment_id)"
    return rows.rows(sql)


def test_a_name_that_becomes_known_and_unknown_again_makes_no_revision(rows: Made) -> None:
    assert fold(rows, 1, "As Roe wrote.") == [("As Roe wrote.", None)]
    assert fold(rows, 11, "As Roe wrote.", p2="Ada Roe") == [("As [name] wrote.", None)]
    assert fold(rows, 21, "As Roe wrote.") == [("As [name] wrote.", None)]
    assert fold(rows, 31, "As Roe wrote. True.", p2="Ada Roe") == [("As [name] wrote. True.", "As [name] wrote.")]


@pytest.mark.parametrize(
    ("text", "masked", "alike"),
    [
        ("As Roe wrote.", "As [name] wrote.", True),
        ("As [name] and Roe wrote", "As [name] and [name] wrote", True),
        ("Roe", "[name]", True),
        ("Roe Vega, call me", "[name] [name], call me", True),
        ("As [name] wrote. True.", "As [name].", False),
        ("As she said. Then wrote.", "As [name] wrote.", False),
        ("As wrote.", "As [name] wrote.", False),
        ("As Roe wrote!", "As [name] wrote.", False),
        ("As [name] wrote.", "As [name] wrote.", False),
        ("As Roe wrote.", "As Roe wrote.", False),
        (f"As {'x' * 81} wrote.", "As [name] wrote.", False),
        ("As [name] wrote to Vega", "As Roe wrote to [name]", False),
    ],
)
def test_texts_that_differ_in_masks_alone(text: str, masked: str, alike: bool) -> None:
    assert is_masked_form(text, masked) is alike


def test_the_program_names_its_masking_rules() -> None:
    assert SOFTWARE.endswith(" masking/3")
