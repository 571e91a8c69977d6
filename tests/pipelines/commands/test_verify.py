"""Whatever is damaged is found and named; what is whole is called whole."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from archive.db import DATABASE
from archive.reports.integrity import faults
from pipelines.commands import main
from pipelines.commands import verify as command_module
from pipelines.fold.fold import SOFTWARE
from scraper.platforms.wix import Wix
from tests.pipelines.test_importer import SITE, THEN, Foreign, bring, sleep
from tests.pipelines.test_rebuild import Step, visit
from tests.pipelines.test_reparse import mend, reparsed
from tests.soak import SOAK
from tests.visiting import Visiting, post_answer, post_url

pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
SAMPLES = 2000 if SOAK else 10


def verify(archive: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    done = CliRunner().invoke(main, ["verify", "--archive", str(archive), "--json", *more])
    return done.exit_code, json.loads(done.stdout), done.stderr


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edit, a page not modified, a page served the same again, threads, an absence, captures of others."""
    archive = tmp_path_factory.mktemp("verify") / "archive"
    first: list[Step] = [
        ("post", ("sleep", "Sleep well.", 3)), ("post", ("rest", "Rest.", None)), ("thread", "sleep"), ("same", "")
    ]  # fmt: skip
    visit(archive, first, "ended")
    visit(archive, [("post", ("sleep", "Sleep better.", 4)), ("same", ""), ("gone", "rest"), ("fail", "rest")], "ended")
    with Visiting(archive) as visiting:
        visiting.answer(post_url("sleep"), sleep("Sleep better.", 5), headers={"ETag": '"x"'})
        visiting.end()
        visiting.run.close(0, {})
    with Visiting(archive) as visiting:
        visiting.answer(post_url("sleep"), status=304, meta={"conditional": True})
        visiting.end()
        visiting.run.close(0, {})
    foreign = Foreign(archive.parent / "old.warc.gz")
    foreign.page(post_url("sleep"), sleep("Sleep tight.", 1))
    foreign.page(f"{SITE}/about", b"<html></html>", mime="text/html")
    bring(archive, foreign.done())
    return archive


@pytest.fixture
def archive(template: Path, tmp_path: Path) -> Path:  # type: ignore[override]
    shutil.copytree(template, tmp_path / "archive")
    return tmp_path / "archive"


def value(archive: Path, sql: str, *values: Any) -> Any:
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        row = db.execute(sql, values).fetchone()
    return row if len(row) > 1 else row[0]


def change(archive: Path, sql: str, *values: Any) -> None:
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        db.execute(sql, values)
        db.commit()


def test_what_is_whole_is_called_so(archive: Path) -> None:
    code, summary, err = verify(archive)
    assert (code, summary["faults"], summary["outdated"], err) == (0, [], 0, "")
    assert summary["captures"] == value(archive, "SELECT count(*) FROM captures") > 12
    stored = json.loads((archive / "verified.json").read_text())
    assert (stored["whole"], stored["faults"]) == (True, [])


def test_on_success_nothing_is_printed(archive: Path) -> None:
    done = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
    assert (done.exit_code, done.output) == (0, "")


def test_a_sample_can_be_taken_again(archive: Path) -> None:
    _, summary, _ = verify(archive, "--sample", "3", "--seed", "5")
    assert (summary["captures"], summary["whole"], summary["seed"]) == (3, False, 5)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_flipped_byte_names_the_revision(archive: Path, part: float) -> None:
    revision, capture, file, offset, length = value(
        archive, "SELECT revision_id, capture_id, warc_file, warc_offset, warc_length FROM revisions JOIN captures"
        " USING (capture_id) WHERE kind = 'content' AND origin = 'crawl'",
    )  # fmt: skip
    flip(archive / file, offset + int(length * part))
    code, summary, err = verify(archive)
    assert code == 6
    (line,) = [line for line in err.splitlines() if capture in line]
    assert f"revision {revision}" in line
    assert line in summary["faults"]


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def member(path: Path, offset: int, length: int) -> bytes | None:
    """A gzip member as it unpacks; None where it does not."""
    with path.open("rb") as file:
        file.seek(offset)
        try:
            return gzip.decompress(file.read(length))
        except (OSError, EOFError, zlib.error):
            return None


@settings(max_examples=SAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_any_flipped_byte_of_any_record_is_found(template: Path, chance: random.Random) -> None:
    with closing(sqlite3.connect(template / DATABASE)) as db:
        captures = db.execute("SELECT capture_id, warc_file, warc_offset, warc_length FROM captures").fetchall()
    capture, file, offset, length = chance.choice(captures)
    at = offset + chance.choice(range(length))
    sound = member(template / file, offset, length)
    flip(template / file, at)
    try:
        # Some bits say nothing of the record: the header's time and system (RFC 1952, 2.3.1), what fills the last byte
        # of the compressed data up (RFC 1951, 3.2.3).
        assume(member(template / file, offset, length) != sound)
        code, summary, _ = verify(template)
        assert code == 6, (file, at - offset)
        assert any(capture in line for line in summary["faults"])
    finally:
        flip(template / file, at)


Harm = Callable[[Path], str]
# A page that no later answer repeats: a 304 repeats the sightings that are stored.
FIRST_SIGHTING = (
    "SELECT min(rowid) FROM sightings WHERE capture_id NOT IN (SELECT coalesce(refers_to, '') FROM captures)"
)
FALSE_SIGHTING = (
    "INSERT INTO sightings (clinic_id, url, capture_id, source, seen_at) SELECT clinic_id, 'https://x.example',"
    f" capture_id, 'feed', seen_at FROM sightings WHERE rowid = ({FIRST_SIGHTING})"
)


def _cut(archive: Path) -> str:
    file, offset, capture = value(
        archive, "SELECT warc_file, warc_offset, capture_id FROM captures ORDER BY fetched_at DESC"
    )
    os.truncate(archive / file, offset + 20)
    return str(capture)


def _gone(archive: Path) -> str:
    file, capture = value(archive, "SELECT warc_file, capture_id FROM captures WHERE origin != 'crawl'")
    (archive / file).unlink()
    return str(capture)


def _sql(sql: str, expected: str) -> Harm:
    def harm(archive: Path) -> str:
        change(archive, sql)
        return expected

    return harm


def _text(archive: Path) -> str:
    change(archive, "UPDATE revisions SET body_text = 'Forged.' WHERE kind = 'content'")
    return f"revision {value(archive, 'SELECT revision_id FROM revisions WHERE body_text = ?', 'Forged.')}"


def _hash(archive: Path) -> str:
    change(archive, "UPDATE revisions SET content_sha256 = 'ab' WHERE kind = 'content'")
    return "is not the hash of its text"


def _index(archive: Path) -> str:
    change(archive, "INSERT INTO posts_fts(posts_fts, rowid, title, body_text) VALUES ('delete', 1, 'On sleep', 'x')")
    return "posts_fts"


def _orphan(archive: Path) -> str:
    capture = value(archive, "SELECT capture_id FROM captures WHERE record_type = 'failure'")
    change(archive, "DELETE FROM problems WHERE capture_id = ?", capture)
    change(archive, "DELETE FROM captures WHERE capture_id = ?", capture)
    return f"capture {capture}"


@pytest.mark.parametrize(
    "harm",
    [
        _cut, _gone, _text, _hash, _index, _orphan,
        _sql("UPDATE captures SET warc_offset = warc_offset + 1 WHERE record_type = 'response'", "WARC version"),
        _sql("UPDATE captures SET warc_file = warc_file || 'x' WHERE http_status = 404", "No such file"),
        _sql("UPDATE captures SET url = url || 'x' WHERE http_status = 404", "captures: url of a row differs"),
        _sql("UPDATE captures SET payload_sha256 = 'ab' WHERE record_type = 'revisit'", "captures: payload_sha256"),
        _sql("UPDATE readings SET views = views + 1 WHERE views = 4", "it is 5, the recorded bytes give 4"),
        _sql("DELETE FROM readings WHERE views = 3", "readings: a row is missing"),
        _sql("UPDATE readings SET views = 77 WHERE evidence = 'not-modified'", "differs from the reading"),
        _sql("UPDATE comments SET likes = 999", "comments: likes of 2 rows differs: it is 999, the recorded"),
        _sql("DELETE FROM comments", "comments: 2 rows are missing that the recorded bytes give (comment_id sleep-0"),
        _sql("UPDATE posts SET body_text = 'Forged.' WHERE slug = 'sleep'", "its text differs"),
        _sql("DELETE FROM sightings WHERE source = 'post'", "sightings: 6 rows are missing"),
        _sql(FALSE_SIGHTING, "sightings: a row is stored that no recorded bytes give"),
        _sql("UPDATE readings SET capture_id = 'none' WHERE views = 4", "names a row of captures that is not there"),
        _sql("UPDATE crawls SET software = 'another'", "crawls: software of 5 rows differs: it is 'another'"),
        _sql("UPDATE clinics SET name = 'a' || char(27) || '[2J'", "it is 'a\\x1b[2J', the recorded bytes give"),
    ],
)  # fmt: skip
def test_damage_is_named(archive: Path, harm: Harm) -> None:
    expected = harm(archive)
    code, summary, err = verify(archive)
    assert code == 6
    assert expected in err
    assert expected in "\n".join(summary["faults"])


@pytest.mark.parametrize(
    "harm",
    [
        _sql("UPDATE captures SET url = url || 'x' WHERE http_status = 404", "the record says url"),
        _sql("UPDATE revisions SET content_sha256 = 'ab' WHERE kind = 'content'", "as another text than revision"),
        _sql("UPDATE readings SET views = views + 1 WHERE views = 4", "read otherwise than the reading"),
        _sql("DELETE FROM readings WHERE views = 3", "gives 1 reading more than there are"),
        _sql("UPDATE comments SET platform_comment_id = 'x' || platform_comment_id", "does not show comments"),
        _sql(f"DELETE FROM sightings WHERE rowid = ({FIRST_SIGHTING})", "gives a sighting that is not stored"),
        _sql(FALSE_SIGHTING, "does not give a sighting that is stored: https://x.example (feed)"),
    ],
)  # fmt: skip
def test_a_sample_names_what_it_reads(archive: Path, harm: Harm) -> None:
    expected = harm(archive)
    code, summary, err = verify(archive, "--sample", "99")
    assert (code, summary["captures"], summary["whole"]) == (6, 15, False)
    assert expected in err


def test_a_damaged_record_leaves_the_others_compared(archive: Path) -> None:
    """Without it the rows cannot be made again: each capture is compared alone, and a line says so."""
    capture = _cut(archive)
    change(archive, "UPDATE readings SET views = 77 WHERE evidence = 'read' AND views = 4")
    code, summary, _ = verify(archive)
    assert (code, len(summary["faults"])) == (6, 2)
    assert any(capture in line for line in summary["faults"])
    assert any("read otherwise" in line for line in summary["faults"])
    assert "each capture was compared alone" in summary["notes"][0]


def test_a_file_that_is_still_written_to_is_no_damage(archive: Path) -> None:
    path = max((archive / "warc" / "riverside").glob("*.warc.gz"))
    path.with_name(path.name + ".open").touch()
    path.write_bytes(path.read_bytes() + b"\x1f\x8b\x08 half a record")
    code, summary, _ = verify(archive)
    assert code == 0
    assert path.name in summary["notes"][0]


@pytest.mark.parametrize("ends", [True, False])
def test_a_run_that_begins_and_ends_meanwhile_is_no_damage(
    archive: Path, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    """verify reads rows as they were at its start, and files as they are when their turn comes; a run may have closed
    them, or filled one and gone on to the next, with rows that were not committed at the start."""
    with Visiting(archive) as visiting:
        visiting.answer(post_url("wake"), post_answer("wake", "Wake up."))

        def meanwhile(db: Database) -> Iterator[str]:
            yield from faults(db)
            if ends:
                visiting.end()
                visiting.run.close(0, {})
            else:
                visiting.run.writer("riverside")._max_bytes = 1
                visiting.answer(post_url("rest"), post_answer("rest", "Rest more."))

        monkeypatch.setattr(command_module, "faults", meanwhile)
        code, summary, err = verify(archive)
        assert (code, summary["faults"], err) == (0, [], "")
        assert "still running" in summary["notes"][0]
    monkeypatch.undo()
    assert verify(archive)[0] == 0


def test_rows_of_an_older_parser_are_counted_for_reparse(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mend(monkeypatch, Wix.extractor_version + 1, "Sleep", "Slumber", views=1)
    code, summary, _ = verify(archive)
    assert (code, summary["faults"]) == (0, [])
    assert summary["outdated"] > 2
    reparsed(archive)
    code, summary, _ = verify(archive)
    assert (code, summary["faults"], summary["outdated"]) == (0, [], 0)


def test_rows_that_an_older_parser_or_program_made_are_outdated(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(archive, f"DELETE FROM sightings WHERE rowid = ({FIRST_SIGHTING})")
    assert verify(archive)[0] == 6
    with monkeypatch.context() as patch:
        mend(patch, Wix.extractor_version + 1, "x", "x")
        assert verify(archive)[1]["faults"] == []
    for software in ("'clinic-archive/0.0.1'", "NULL"):
        change(archive, f"UPDATE clinics SET folded_by = {software}")
        code, summary, _ = verify(archive)
        assert (code, summary["faults"], summary["outdated"], summary["older"]) == (0, [], 1, ["riverside"])
    # No version explains what runs and the configuration say, and a clinic that no file knows.
    change(archive, "INSERT INTO clinic_attributes VALUES ('riverside', 'state', 'ID')")
    change(archive, "INSERT INTO confirmations VALUES ('riverside', '2026')")
    change(
        archive,
        "INSERT INTO clinics (clinic_id, name, url, blog_status) VALUES ('x', 'X', 'https://x.example', 'blog')",
    )
    _, summary, _ = verify(archive)
    assert [line.partition(" is stored")[0] for line in summary["faults"]] == [
        "riverside: clinic_attributes: a row", "riverside: confirmations: a row", "x: clinics: a row"
    ]  # fmt: skip


def test_what_verify_advises_is_what_reparse_does(archive: Path) -> None:
    change(archive, f"DELETE FROM sightings WHERE rowid = ({FIRST_SIGHTING})")
    change(archive, "UPDATE clinics SET folded_by = 'clinic-archive/0.0.1'")
    assert verify(archive)[1]["older"] == ["riverside"]
    done = CliRunner().invoke(main, ["reparse", "--archive", str(archive)])
    assert done.exit_code == 0
    assert value(archive, "SELECT folded_by FROM clinics") == SOFTWARE
    code, summary, _ = verify(archive)
    assert (code, summary["faults"], summary["older"]) == (0, [], [])


def test_no_archive(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["verify", "--archive", str(tmp_path)]).exit_code == 4


def test_a_later_capture_of_the_same_day_keeps_its_date(archive: Path) -> None:
    assert value(archive, "SELECT min(fetched_at) FROM captures") == THEN.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
