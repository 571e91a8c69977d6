"""Settings for comments and their authors hold for what is already stored, too."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from archive.db import open_archive
from pipelines.commands import main
from pipelines.privacy.policy import COMMENTS, PRIVACY, Policy, Statement, in_force
from pipelines.privacy.reasons import fault_of
from pipelines.rebuild import rebuild
from pipelines.recover import recover
from pipelines.run import report
from pipelines.run.run import Run
from pipelines.verify.verify import closed_files, verify
from scraper.config.clinics import Clinic
from tests.making import faults
from tests.visiting import CLINIC, Visiting, post_answer, post_url

DAY = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = ("Marisol", "Vega", "Roe")


def visit(archive: Path, clinic: Clinic) -> None:
    """A visit that reads two posts and their threads, whatever the stanza says: pages may contain them all the same."""
    with Visiting(archive, clinic) as visiting:
        for slug in ("sleep", "rest"):
            visiting.answer(post_url(slug), post_answer(slug, f"On {slug}."))
            visiting.thread(slug, Vega="Marisol Vega", Roe="Ada Roe")
        visiting.end()
        visiting.run.close(0, report.summary(visiting.run))


def state(archive: Path) -> tuple[int, int, int]:
    """The numbers of comments, of authors among them, and of captures whose bytes hold comments."""
    with closing(open_archive(archive, "read")) as db:
        held = "(SELECT count(*) FROM captures WHERE holds_comments = 1)"
        found: tuple[int, int, int] = db.execute(f"SELECT count(*), count(author), {held} FROM comments").fetchone()
        return found


def on_disk(archive: Path) -> bytes:
    return b"".join(path.read_bytes() for path in archive.glob("archive.db*")).lower()


def is_sound(archive: Path) -> None:
    """The rows are those that a rebuild makes, `verify` finds no fault, and the index agrees."""
    closed = closed_files(archive)
    with closing(open_archive(archive, "read")) as db:
        assert verify(archive, db, sample=None, seed=0, closed=closed, cores=1).faults == []
    assert rebuild(archive, cores=1).differs == []
    run = Run(archive)
    assert faults(run.db) == []
    run.release()


def stanza(clinic: Clinic) -> str:
    return (
        f'[clinics.{clinic.slug}]\nname = "R"\nurl = "{clinic.url}"\ncomments = "{clinic.comments}"\n'
        f'privacy = "{clinic.privacy}"\n'
    )


@pytest.fixture
def apply(tmp_path: Path) -> Callable[..., Any]:
    """`clinic-archive privacy apply` with a clinics.toml of one clinic."""

    def applied(clinic: Clinic, *more: str) -> Any:
        (tmp_path / "clinics.toml").write_text(stanza(clinic), "utf-8")
        given = ["--archive", str(tmp_path / "archive"), "--clinics-file", str(tmp_path / "clinics.toml")]
        return CliRunner().invoke(main, ["privacy", "apply", *given, *more])

    return applied


@pytest.mark.parametrize("comments", COMMENTS)
@pytest.mark.parametrize("privacy", PRIVACY)
def test_the_strictest_since_the_capture_is_in_force(comments: str, privacy: str) -> None:
    policy = Policy(comments, privacy)
    later = [Statement(DAY + timedelta(days=n), each) for n, each in enumerate((policy, Policy("counts", "keep")), 1)]
    assert in_force(Policy(), DAY, later) == policy.strictest(Policy("counts", "pseudonymous"))
    assert in_force(policy, DAY + timedelta(days=2), later) == policy  # a looser one holds from its day on
    loosening = Statement(DAY + timedelta(days=3), Policy("threads", "keep"), loosens=True)
    assert in_force(policy, DAY, [*later, loosening]) == Policy("threads", "keep")


def test_a_stricter_stanza_holds_for_earlier_visits(tmp_path: Path) -> None:
    archive, keep = tmp_path / "archive", replace(CLINIC, privacy="keep")
    visit(archive, keep)
    assert state(archive)[:2] == (4, 4)
    assert all(name.lower().encode() in on_disk(archive) for name in NAMES)
    omit = replace(CLINIC, privacy="omit")
    visit(archive, omit)
    comments, authors, held = state(archive)
    assert (comments, authors) == (4, 0)
    assert [name for name in NAMES if name.lower().encode() in on_disk(archive)] == []
    visit(archive, replace(omit, comments="none"))
    assert state(archive)[0] == 0
    assert state(archive)[2] > held  # the records still hold comments, and are not given out
    is_sound(archive)
    visit(archive, keep)  # looser: from that day on
    assert state(archive)[:2] == (4, 4)
    is_sound(archive)


def test_apply_at_once(tmp_path: Path, apply: Callable[..., Any]) -> None:
    archive = tmp_path / "archive"
    visit(archive, replace(CLINIC, privacy="keep"))
    done = apply(replace(CLINIC, privacy="omit"))
    assert (done.exit_code, state(archive)[:2]) == (0, (4, 0))
    assert [name for name in NAMES if name.lower().encode() in on_disk(archive)] == []
    done = apply(replace(CLINIC, comments="none"))
    assert "hold comments that are no longer wanted" in done.output
    assert (done.exit_code, state(archive)[0]) == (0, 0)
    is_sound(archive)
    assert "nothing to do" in apply(replace(CLINIC, comments="none", privacy="omit")).output


def test_a_looser_stanza_holds_for_the_past_only_if_that_is_said(tmp_path: Path, apply: Callable[..., Any]) -> None:
    archive, strict = tmp_path / "archive", replace(CLINIC, comments="none")
    visit(archive, strict)
    done = apply(CLINIC)
    assert "--loosen riverside" in done.output
    assert state(archive)[0] == 0
    for reason in ("asked by anna@example.org", "she called from +1 555 010 2368", "asked by @anna", " "):
        refused = apply(CLINIC, "--loosen", "riverside", "--reason", reason)
        assert (refused.exit_code, state(archive)[0]) == (2, 0)
    done = apply(CLINIC, "--loosen", "riverside", "--reason", "Approved, protocol 12 of 2026-03-01")
    assert (done.exit_code, state(archive)[:2]) == (0, (4, 4))
    is_sound(archive)
    assert apply(CLINIC, "--loosen", "nobody", "--reason", "x").exit_code == 4


def test_rows_of_an_earlier_version_are_made_again(tmp_path: Path, apply: Callable[..., Any]) -> None:
    archive = tmp_path / "archive"
    visit(archive, CLINIC)
    visit(archive, replace(CLINIC, privacy="omit"))
    run = Run(archive)  # that version made no rows again
    run.db.execute("UPDATE comments SET author = 'reader-aaaaaaaaaaaa'")
    run.release()
    assert apply(replace(CLINIC, privacy="omit")).exit_code == 0
    assert state(archive)[:2] == (4, 0)


def test_a_kill_before_the_rows_were_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "archive"
    visit(archive, replace(CLINIC, privacy="keep"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.run.run.refold_past", killed)
        run = Run(archive)
        with pytest.raises(KeyboardInterrupt):
            run.tighten([replace(CLINIC, privacy="omit")])
        run.broken = "killed"
        run.release()
    assert state(archive)[1] == 4
    run = Run(archive)
    recover(run)
    run.release()
    assert state(archive)[:2] == (4, 0)
    is_sound(archive)


@pytest.mark.parametrize("reason", ["Asked for by the clinic, ticket 2026-114", "Patient's story, section 3"])
def test_reasons_that_name_nobody(reason: str) -> None:
    assert fault_of(reason) is None
