"""An archive rebuilt from its WARC files says what the one that grew says, whatever happened to it."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.compare import canonical
from archive.db import DATABASE, open_archive
from archive.times import utc
from archive.warc._file import OPEN_SUFFIX
from pipelines import rebuild
from pipelines.components import capture, item_pipelines
from pipelines.events import Confirmed
from pipelines.imports.adopt import ImportRefused, adopt
from pipelines.recover import recover
from pipelines.replay import parsing
from pipelines.run import report, run
from pipelines.run import visits as run_visits
from pipelines.run.key import KEY_FILE, BadKey
from pipelines.run.run import Run
from pipelines.verify.verify import closed_files, verify
from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitState
from scraper.items import Problem
from tests.making import begun, faults
from tests.soak import SOAK
from tests.visiting import (
    CLINIC,
    SITE,
    Visiting,
    comments_answer,
    comments_url,
    post_answer,
    post_url,
)

SAMPLES = 400 if SOAK else 5
SLUGS = ("sleep", "rest")
Step = tuple[str, Any]


def now_is(patch: pytest.MonkeyPatch, moved: timedelta) -> None:
    """The clock of everything that a run dates is moved."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + moved

    for module in (capture, report, run, run_visits, item_pipelines):
        patch.setattr(module, "datetime", Moved)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    kind = draw(st.sampled_from(["post", "post", "same", "gone", "moved", "thread", "cut", "fail", "note", "junk"]))
    slug = draw(st.sampled_from(SLUGS))
    if kind == "post":
        text = draw(st.sampled_from(["Sleep well.", "Sleep better.", "Do not sleep."]))
        return kind, (slug, text, draw(st.none() | st.integers(0, 9)))
    return kind, slug


visits = st.tuples(
    st.lists(steps(), max_size=8),
    st.sampled_from(["ended", "ended", "ended", "stopped", "killed"]),
    st.sampled_from([0, 1, 21, 50]),  # hours since the run before
    st.sampled_from([False, False, True]),  # the operator confirms it
)


def take(visiting: Visiting, step: Step) -> None:
    kind, given = step
    if kind == "post":
        slug, text, views = given
        visiting.answer(post_url(slug), post_answer(slug, text, views), headers={"ETag": f'"{text}"'})
    elif kind == "same":
        visiting.answer(f"{SITE}/robots.txt", b"User-agent: *\nAllow: /\n", headers={"Content-Type": "text/plain"})
    elif kind == "gone":
        visiting.answer(f"{SITE}/post/{given}", status=404, headers={"Content-Type": "text/html"})
    elif kind == "moved":
        visiting.answer(f"{SITE}/post/old-{given}", status=301, headers={"Location": f"{SITE}/post/{given}"})
    elif kind == "thread":
        visiting.thread(given, Vega="Marisol Vega", Roe="Ada Roe")
    elif kind == "cut":
        visiting.answer(comments_url(given), comments_answer(("late", "p1", "Vega again.")))
    elif kind == "fail":
        visiting.fail(f"{SITE}/post/{given}", TimeoutError("slow"))
    elif kind == "busy":
        metadata = f"{SITE}/_api/blog-frontend-adapter-public/v2/post-feed-page-metadata?page=1"
        visiting.answer(metadata, b"", status=given)
    elif kind == "note":
        visiting.note(Problem(kind="robots-refused", message="forbidden", url=f"{SITE}/x"))
    else:
        visiting.answer(post_url(given), b"{not json")


def visit(archive: Path, made: list[Step], how: str, clinic: Clinic = CLINIC) -> None:
    """One run at the clinic, from its lock to its end or death."""
    settle(archive)
    with Visiting(archive, clinic) as visiting:
        for step in made:
            take(visiting, step)
        visiting.visit.fetched = visiting.visit.attempted = 1
        if how == "killed":
            visiting.kill()
            return
        visiting.end(finished=how == "ended")
        visiting.run.close(0, report.summary(visiting.run))


def confirm(archive: Path, *, killed: bool = False) -> None:
    """The operator says that what was reported is so; `killed` before the command has ended."""
    held = Run(archive)
    recover(held)
    held.decide(Confirmed("riverside", utc(run.datetime.now(UTC))), "confirm")
    if killed:
        held.release()
    else:
        held.close(0, {})


def said(archive: Path) -> dict[str, str]:
    with closing(open_archive(archive, "write")) as db:
        assert faults(db) == []
        return canonical.digests(db)


def verified(archive: Path) -> None:
    """Verify is silent, whether runs have ended or were killed."""
    with closing(open_archive(archive, "read")) as db:
        closed = closed_files(archive)
        db.execute("BEGIN")
        result = verify(archive, db, sample=None, seed=0, closed=closed, cores=1)
    assert (result.faults, result.older) == ([], [])


def settle(archive: Path) -> None:
    """What the next start does first."""
    held = Run(begun(archive))
    recover(held)
    held.release()


@settings(max_examples=SAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(visits, min_size=1, max_size=5))
def test_rebuild_equals_live(tmp_path_factory: pytest.TempPathFactory, story: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("story")
    at = timedelta()
    with pytest.MonkeyPatch.context() as patch:
        for made, how, hours, confirmed in story:
            at += timedelta(hours=hours)
            now_is(patch, at)
            visit(folder / "live", made, how)
            verified(folder / "live")
            if confirmed:
                confirm(folder / "live")
    settle(folder / "live")
    verified(folder / "live")
    live = said(folder / "live")
    adopt([folder / "live"], folder / "new", None)
    done = rebuild.rebuild(folder / "new", cores=1)
    assert done.problems == []
    assert said(folder / "new") == live
    again = rebuild.rebuild(folder / "live", cores=1)
    assert (again.differs, again.digest) == ([], done.digest)
    shutil.rmtree(folder)


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    """Two runs: an edit, threads, a page that is gone."""
    for text in ("Sleep well.", "Sleep better."):
        steps = [("post", ("sleep", text, 3)), ("thread", "sleep"), ("gone", "rest"), ("same", "")]
        visit(tmp_path / "live", steps, "ended")
    return tmp_path / "live"


def test_removals_are_confirmed_by_the_same_runs(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for hours, kind in ((0, "post"), (24, "gone"), (48, "gone"), (72, "post"), (96, "gone"), (120, "gone")):
            now_is(patch, timedelta(hours=hours))
            given: Any = ("sleep", "Sleep well.", 1) if kind == "post" else "sleep"
            visit(
                tmp_path, [("post", ("rest", "Rest.", None)), ("post", ("wake", "Wake.", None)), (kind, given)], "ended"
            )
    before = said(tmp_path)
    assert _one(tmp_path, "SELECT count(*) FROM posts WHERE removed_at IS NOT NULL") == 1
    rebuild.rebuild(tmp_path)
    assert said(tmp_path) == before


def test_all_cores_give_the_same(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "FEWEST", 1)
    monkeypatch.setattr(parsing, "CHUNK", 2)
    first, two = rebuild.rebuild(grown, cores=1), rebuild.rebuild(grown, cores=2)
    assert (two.differs, two.digest) == ([], first.digest)


def test_the_old_database_is_kept(grown: Path) -> None:
    before = said(grown)
    (grown / DATABASE).chmod(0o600)
    done = rebuild.rebuild(grown)
    assert done.previous is not None
    assert done.previous.exists() and done.previous.parent == grown
    assert {path.stat().st_mode & 0o777 for path in (done.previous, grown / DATABASE)} == {0o600}
    shutil.copy(done.previous, grown / DATABASE)
    assert said(grown) == before


def test_a_reader_sees_the_old_and_then_the_new(grown: Path) -> None:
    """Datasette keeps its connection open."""
    uri = f"{(grown / DATABASE).as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as reader:
        requests = "SELECT count(*) FROM captures"
        before = reader.execute(requests).fetchone()
        with closing(sqlite3.connect(grown / DATABASE)) as live:
            live.execute("DELETE FROM posts")
            live.commit()
        rebuild.rebuild(grown)
        assert reader.execute(requests).fetchone() == before
        assert reader.execute("SELECT count(*) FROM posts").fetchone() == (1,)


@pytest.mark.parametrize("damage", [b"", b"this is no database, and a page long" * 200])
def test_a_database_that_is_lost_or_damaged(grown: Path, damage: bytes) -> None:
    wanted = said(grown)
    for path in grown.glob(f"{DATABASE}*"):
        path.unlink()
    if damage:
        (grown / DATABASE).write_bytes(damage)
        (grown / DATABASE).chmod(0o600)
    done = rebuild.rebuild(grown)
    assert done.differs is None
    assert not damage or (grown / DATABASE).stat().st_mode & 0o777 == 0o600
    assert said(grown) == wanted
    assert bool(done.previous) == bool(damage)


def test_comments_and_no_key(grown: Path) -> None:
    before = (grown / DATABASE).read_bytes()
    key = (grown / KEY_FILE).rename(grown.parent / "kept.key")
    with pytest.raises(BadKey, match="--key"):
        rebuild.rebuild(grown)
    assert (grown / DATABASE).read_bytes() == before
    adopt([], grown, key)
    assert rebuild.rebuild(grown).differs == []


def test_two_keys_are_one_too_many(grown: Path, tmp_path: Path) -> None:
    (tmp_path / "other.key").write_text("ab" * 32)
    with pytest.raises(BadKey, match="two keys"):
        adopt([grown], tmp_path / "new", tmp_path / "other.key")


def test_one_file_alone(grown: Path, tmp_path: Path) -> None:
    """A WARC file of one run is an archive of one run."""
    first = min((grown / "warc" / "riverside").glob("*.warc.gz"))
    adopt([first], tmp_path / "new", None)
    done = rebuild.rebuild(tmp_path / "new")
    mine = _one(grown, "SELECT count(*) FROM captures WHERE warc_file LIKE ?", f"%{first.name}")
    assert done.clinics == {"riverside": mine}
    assert _one(tmp_path / "new", "SELECT count(*) FROM revisions") == 1


def test_a_clinic_may_have_the_name_of_a_folder(grown: Path, tmp_path: Path) -> None:
    (grown / "warc" / "riverside").rename(grown / "warc" / "study")
    for source in (grown, grown / "warc"):
        adopt([source], tmp_path / source.name, None)
        assert list((tmp_path / source.name / "warc" / "riverside").glob("*.warc.gz"))


def test_a_folder_above_is_copied_only_from_the_archive_itself(grown: Path, tmp_path: Path) -> None:
    """A researcher's own folder is called "study", too."""
    for place in ("study", "."):
        work = tmp_path / place
        grown = shutil.copytree(grown, work / "one")
        (tmp_path / "study" / "letter.txt").write_text("private")
        adopt([grown], tmp_path / "new", None)
        assert not (tmp_path / "new" / "study").exists()
    (grown / "study" / "codings").mkdir(parents=True)
    (grown / "study" / "codings" / "0001.csv").write_text("a")
    adopt([grown / "warc"], tmp_path / "other", None)
    assert [path.name for path in (tmp_path / "other" / "study").rglob("*") if path.is_file()] == ["0001.csv"]


def test_files_of_others_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "other.warc.gz").write_bytes(b"WARC/1.0\r\n")
    with pytest.raises(ImportRefused, match="import"):
        adopt([tmp_path], tmp_path / "new", None)


def test_another_file_of_the_same_name_is_not_overwritten(grown: Path, tmp_path: Path) -> None:
    adopt([grown], tmp_path / "new", None)
    adopt([grown], tmp_path / "new", None)  # the same again: nothing to do
    path = max((tmp_path / "new" / "warc" / "riverside").glob("*.warc.gz"))
    stored = path.read_bytes() + b"more"
    path.write_bytes(stored)
    with pytest.raises(ImportRefused, match=path.name):
        adopt([grown], tmp_path / "new", None)
    assert path.read_bytes() == stored


def test_a_file_that_was_still_written_is_copied_again(grown: Path, tmp_path: Path) -> None:
    path = max((grown / "warc" / "riverside").glob("*.warc.gz"))
    whole, mark = path.read_bytes(), path.with_name(path.name + OPEN_SUFFIX)
    mark.touch()
    for content in (whole[:-200], whole + whole[:50], whole):
        path.write_bytes(content)
        if content == whole:
            mark.unlink()
        adopt([grown], tmp_path / "new", None)
    copied = tmp_path / "new" / "warc" / "riverside" / path.name
    assert (copied.read_bytes() == whole, copied.with_name(mark.name).exists()) == (True, False)


def test_a_small_disk_is_told_before_anything_is_copied(
    grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new").mkdir()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(ImportRefused, match="free on this disk"):
        adopt([grown], tmp_path / "new", None)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_damaged_record_is_told_and_the_rest_goes_in(grown: Path) -> None:
    path = min((grown / "warc" / "riverside").glob("*.warc.gz"))
    wanted = "SELECT warc_offset, warc_length, capture_id FROM captures WHERE warc_file LIKE ? ORDER BY 1 LIMIT 1"
    (offset, length, capture_id) = _row(grown, wanted, f"%{path.name}")
    data = bytearray(path.read_bytes())
    data[offset + length // 2] ^= 0xFF
    path.write_bytes(data)
    captures = _one(grown, "SELECT count(*) FROM captures")
    done = rebuild.rebuild(grown)
    assert done.problems and all(f"byte {offset}" in line for line in done.problems[:1])
    assert sum(done.clinics.values()) == captures - 1
    assert _one(grown, "SELECT count(*) FROM captures WHERE capture_id = ?", capture_id) == 0
    assert "captures" in (done.differs or [])


def test_closed_clinics_come_back(tmp_path: Path) -> None:
    """They are part of what shares are taken of, and no WARC file is theirs."""
    gone = Clinic(slug="gone", name="Gone", url="https://gone.example", closed=date(2026, 1, 1))
    held = Run(tmp_path)
    held.register_closed([gone])
    held.begin(CLINIC, VisitState(clinic_id="riverside"), "agent")
    held.close(0, {})
    settle(tmp_path)
    before = said(tmp_path)
    rebuild.rebuild(tmp_path)
    assert _one(tmp_path, "SELECT blog_status FROM clinics WHERE clinic_id = 'gone'") == "closed"
    assert said(tmp_path) == before


def test_when_a_clinic_closes_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Announced, closed, visited all the same, closed on another day, and open again: a rebuild says it each time."""
    closing = (datetime.now(UTC) + timedelta(days=3)).date()
    later = closing + timedelta(days=1)
    found = (
        (1, closing, True, "blog"), (3, closing, False, "closed"), (4, closing, True, "closed"),
        (5, later, False, "closed"), (6, None, True, "blog"), (7, later, False, "closed"),
    )  # fmt: skip
    other = Clinic(slug="other", name="Other", url="https://other.example")
    for days, day, is_visited, status in found:
        clinic = replace(CLINIC, closed=day)
        with monkeypatch.context() as patch:
            now_is(patch, timedelta(days=days))
            with Visiting(
                tmp_path, clinic if is_visited else other, lambda run, item=clinic: run.register_closed([item])
            ) as of:
                if is_visited:
                    of.answer(post_url("sleep"), post_answer("sleep", "Sleep well."))
                of.end()
        settle(tmp_path)
        before = said(tmp_path)
        assert _row(tmp_path, "SELECT blog_status, closed_on FROM clinics WHERE clinic_id = 'riverside'") == (
            status, day and day.isoformat()
        )  # fmt: skip
        rebuild.rebuild(tmp_path)
        assert said(tmp_path) == before


def _row(archive: Path, sql: str, *values: Any) -> Any:
    with closing(sqlite3.connect(archive / DATABASE)) as db:
        return db.execute(sql, values).fetchone()


def _one(archive: Path, sql: str, *values: Any) -> Any:
    return _row(archive, sql, *values)[0]


def test_a_note_that_cannot_be_read_is_named_and_the_rest_goes_in(grown: Path) -> None:
    path = max((grown / "warc" / "riverside").glob("*.warc.gz"))
    size, before = path.stat().st_size, said(grown)
    block = b"ended_at: {not JSON\r\n"
    note = (
        b"WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n"
        b"WARC-Date: 2030-01-01T00:00:00Z\r\nX-Archive-Kind: run-ended\r\nContent-Type: application/warc-fields\r\n"
    )
    with path.open("ab") as file:
        file.write(gzip.compress(note + b"Content-Length: %d\r\n\r\n" % len(block) + block + b"\r\n\r\n"))
    built = rebuild.rebuild(grown)
    (line,) = built.problems
    assert line == f"warc/riverside/{path.name}: byte {size}: cannot be read (JSONDecodeError); left out"
    assert said(grown) == before
