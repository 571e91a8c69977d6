"""One run: the lock, the database, the key and a WARC writer for each clinic, shared by all components of the process.

The command opens it (or the first component under plain `scrapy crawl`), and who opened it closes it. Only the holder
of the lock ever writes to an archive.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self
from uuid import uuid4

from scrapy.settings import BaseSettings
from sqlite_utils import Database

from archive.db import ArchiveError, open_archive
from archive.rows import runs
from archive.times import utc
from archive.wal import WriteAheadLog
from archive.warc import WarcWriteError, Writer
from pipelines.events import (
    USER_AGENT,
    ClinicListed,
    ClinicRun,
    Decision,
    Event,
    OfRun,
    Retroactive,
    RunEnded,
    RunStarted,
    stanza_text,
)
from pipelines.fold import Fold
from pipelines.rebuild import refold, refold_past
from pipelines.replay.stored import reread_post
from pipelines.run.headers import RunHeader
from pipelines.run.key import has_pseudonyms, read_key
from pipelines.run.locking import lock_archive, name_of
from pipelines.run.outcome import ClinicOutcome
from pipelines.run.policies import mask_again, stricter
from pipelines.run.run_file import RunFile
from pipelines.takedown.summaries import redacted_ends
from pipelines.takedown.withheld import withheld_at
from scraper.config.clinics import PRODUCT, VERSION, Clinic
from scraper.crawl.state import VisitResult

logger = logging.getLogger(__name__)


class Run:
    """An archive that is locked and open for writing."""

    _open: ClassVar[dict[str, Run]] = {}

    def __init__(self, archive: Path) -> None:
        """Lock and open the archive. Raises `Locked`, `BadKey`, or what `open_archive` raises."""
        self.archive = archive
        self.software = f"{PRODUCT}/{VERSION}"
        self._lock = lock_archive(archive)
        try:
            self.db: Database = open_archive(archive, "write")
            try:
                self.key = read_key(archive, wanted=has_pseudonyms(self.db))
            except BaseException:
                self.db.close()
                raise
        except BaseException:
            self._lock.release()
            raise
        self._begin()
        Run._open[name_of(str(archive))] = self

    def another(self) -> Run:
        """Return a further run that has this one's lock, database and key; `end` records its end.

        The components of a crawler find it where the setting RUN is its `crawl_id`.
        """
        run = Run.__new__(Run)
        run.archive, run.software, run.db, run.key = self.archive, self.software, self.db, self.key
        run._lock = self._lock
        run._begin()
        Run._open[run.crawl_id] = run
        return run

    def _begin(self) -> None:
        self.crawl_id = uuid4().hex
        self.started_at = datetime.now(UTC)
        self.outcomes: dict[str, ClinicOutcome] = {}
        self.broken: str | None = None  # why nothing more can be written, in one line
        self.out_of_time = False  # the run's time limit ended it
        self.failed_share = 0.0  # `Clinics.failed_share`
        self.recovered: list[str] = []  # how killed runs were recovered, a line each
        self._writers: dict[str, Writer] = {}
        self._run_file: RunFile | None = None
        self._runs: dict[str, ClinicRun] = {}  # by clinic, like the writers and folds
        self._folds: dict[str, Fold] = {}
        self.not_begun: list[str] = []  # clinics whose visit had not begun when the run ended
        self._closed: list[Clinic] = []
        self._listed: list[Clinic] = []  # clinics that the archive did not know before this run
        self._stops: list[Callable[[], object]] = []

    def on_halt(self, stop: Callable[[], object]) -> None:
        """Call `stop` when nothing more can be written."""
        self._stops.append(stop)

    def halt(self, why: str) -> None:
        """End every visit, because nothing more can be written. Only the first reason is stored in `broken`."""
        self.broken = self.broken or why
        logger.error("%s", why)
        stops, self._stops = self._stops, []
        for stop in stops:
            stop()

    @classmethod
    def of(cls, settings: BaseSettings) -> Self:
        """Return the open run that the settings name, by RUN or by ARCHIVE; open one if there is none."""
        archive = str(settings["ARCHIVE"])
        return cls._open.get(settings["RUN"] or name_of(archive)) or cls(Path(archive))  # type: ignore[return-value]

    @classmethod
    def is_open(cls, settings: BaseSettings) -> bool:
        """Return whether a run of this process has the archive open that the settings name."""
        return (settings["RUN"] or name_of(str(settings["ARCHIVE"]))) in cls._open

    def begin(
        self,
        clinic: Clinic,
        visit: VisitResult,
        user_agent: str,
        *,
        kind: str = "crawl",
        web_archive: str | None = None,
    ) -> ClinicOutcome:
        """Begin the visit of a clinic: open its WARC file, record the start, return the outcome to count in.

        `kind`: the value of `crawls.kind`. `web_archive`: the address of the web archive that is requested instead of
        the clinic. Raises `WarcWriteError`, OSError, `sqlite3.Error`.
        """
        without_blog = runs.is_without_blog(self.db, clinic.slug)
        outcome = ClinicOutcome(clinic, utc(datetime.now(UTC)), visit, without_blog=without_blog)
        self.outcomes[clinic.slug] = outcome
        about = {"software": self.software, USER_AGENT: user_agent}
        self.start(clinic, kind, outcome.started_at, about, web_archive)
        return outcome

    def start(
        self, clinic: Clinic, kind: str, started_at: str, about: Mapping[str, str], web_archive: str | None = None
    ) -> ClinicRun:
        """Open the clinic's WARC file and record the start of the visit; `about`: the first fields of its warcinfo."""
        if kind == "crawl":
            self.tighten([clinic])
        self.open_run_file(kind)
        clinic_id = clinic.slug
        run = ClinicRun(
            clinic_id=clinic_id, crawl_id=self.crawl_id, kind=kind, software=self.software, started_at=started_at,
            stanza=clinic.as_stanza(), web_archive=web_archive, user_agent=about.get(USER_AGENT),
        )  # fmt: skip
        (last,) = self.db.execute("SELECT max(fetched_at) FROM captures WHERE clinic_id = ?", [clinic_id]).fetchone()
        info = {**about, "clinic": clinic_id, "stanza": stanza_text(run.stanza), "kind": kind}
        info |= {"web-archive": web_archive} if web_archive else {}
        last_at = datetime.fromisoformat(last) if last else None
        self._writers[clinic_id] = Writer(self.archive, clinic_id, self.crawl_id, info, last=last_at)
        self._runs[clinic_id] = run
        self._folds[clinic_id] = self.fold_of(clinic_id)
        self.record(RunStarted(run))
        return run

    def record(self, event: Event) -> None:
        """Write the event's note to the WARC, if it has one, and sync it; then apply the event to the rows.

        The bytes always come first, so that a kill in between loses no event: the next start applies it
        (`pipelines.recover`). A `Captured` has no note, because the WARC holds its record already.

        Events of a crawl are applied at once. Captures of an import or a backfill may be older than the stored ones:
        no rows are made of them until the `RunEnded`, when the whole log of the clinic is applied again (`refold`).

        Raises `WarcWriteError`, OSError, `sqlite3.Error`; where rows are made again also `BadKey` and `BadRecord`.
        """
        clinic_id, note = event.clinic_id, event.note()
        if note is not None and isinstance(event, Decision):
            assert self._run_file is not None
            self._run_file.write_note(*note, datetime.now(UTC))
        elif note is not None:
            writer = self._writers[clinic_id]
            writer.write_note(*note, datetime.now(UTC))
            writer.sync()
        kind = event.run.kind if isinstance(event, OfRun) else "crawl"
        if isinstance(event, RunEnded):
            self._end(event)
        elif isinstance(event, Retroactive):
            for more in refold_past(self.db, self.archive, self.key, clinic_id).extended:
                self.decide(more, "takedown")
        elif kind == "crawl" or (kind == "backfill" and isinstance(event, RunStarted)):
            (self._folds.get(clinic_id) or self.fold_of(clinic_id)).apply(event)

    def fold_of(self, clinic_id: str) -> Fold:
        """Return a new fold that writes the clinic's rows."""
        writer = self._writers.get(clinic_id)
        sync = writer.sync if writer is not None else lambda: None
        withheld = withheld_at(self.db, self.archive, clinic_id, self.key)
        return Fold(self.db, clinic_id, partial(reread_post, self.archive, self.db), sync, withheld)

    def _end(self, event: RunEnded) -> None:
        """Apply the end of a visit, and close its file.

        After a kill in between, the next start does the rest: the row still says "running", or the file is not closed.
        """
        clinic_id = event.clinic_id
        writer, fold, _ = self._writers.pop(clinic_id), self._folds.pop(clinic_id), self._runs.pop(clinic_id)
        if event.run.kind == "crawl":
            writer.close()
            fold.apply(event)
            extended = fold.extended
        else:
            extended = refold(self.db, self.archive, self.key, clinic_id).extended
            writer.close()
        for more in extended:  # earlier captures may name a withdrawn post by an address that was learned now
            self.decide(more, "takedown")

    def is_at(self, clinic_id: str) -> bool:
        """Return whether the visit of the clinic has begun and not ended."""
        return clinic_id in self._runs

    def run_at(self, clinic_id: str) -> ClinicRun:
        """Return the run at a clinic whose visit has begun and not ended."""
        return self._runs[clinic_id]

    def commit(self, clinic_id: str, *, finished: bool) -> None:
        """Commit the rows of all captures of the clinic; `finished`: its visit was not cut short."""
        self._folds[clinic_id].finish(self._runs[clinic_id], finished=finished)

    def open_run_file(self, kind: str) -> None:
        """Open the WARC file of the run as a whole, unless it is open, and save the run's row."""
        if self._run_file is None:
            closed, listed = (
                {clinic.slug: clinic.as_stanza() for clinic in clinics} for clinics in (self._closed, self._listed)
            )
            at = utc(self.started_at)
            header = RunHeader(self.crawl_id, at, self.software, kind, closed=closed, end=None, listed=listed)
            self._run_file = RunFile(self.archive, self.db, header)
            self._run_file.start()
            self._record_listed(self._closed)  # their rows follow the note that names them

    def register_closed(self, clinics: Iterable[Clinic]) -> None:
        """Enter the closed clinics in the run's file, which are not visited any more: shares are over them too."""
        self._closed = [clinic for clinic in clinics if clinic.is_closed(self.started_at.date())]

    def register(self, clinics: Iterable[Clinic]) -> None:
        """Record the clinics that the archive does not know yet, so that one whose visit never begins is missed.

        Call it once, before the first visit. Raises `WarcWriteError`, OSError, `sqlite3.Error`.
        """
        known = {row[0] for row in self.db.execute("SELECT clinic_id FROM clinics").fetchall()}
        self._listed = [clinic for clinic in clinics if clinic.slug not in known]
        if self._listed:
            self.open_run_file("crawl")
            self._record_listed(self._listed)

    def _record_listed(self, clinics: Iterable[Clinic]) -> None:
        at = utc(self.started_at)
        with self.db.atomic():
            for clinic in clinics:
                self.record(ClinicListed(clinic.slug, clinic.as_stanza(), at))

    def tighten(self, clinics: Iterable[Clinic]) -> None:
        """Record stricter policies, then mask again what other rules masked. Raises as `record`."""
        for event in stricter(self.db, clinics):
            self.decide(event, "crawl")
        for clinic in clinics:
            mask_again(self.db, self.archive, self.key, clinic.slug)

    def decide(self, decision: Decision, kind: str) -> None:
        """Record and apply what the operator decided; `kind`: of the run, if nothing is recorded of it yet."""
        self.open_run_file(kind)
        self.record(decision)

    def writer(self, clinic_id: str) -> Writer:
        """Return this run's WARC writer of the clinic."""
        return self._writers[clinic_id]

    def close(self, exit_code: int, summary: dict[str, Any]) -> None:
        """Record the end of the run, and release the archive. Files that are still open are repaired at the next start.

        Raises `ArchiveError` where the end cannot be written, unless an earlier failing write ended the run.
        """
        try:
            self.end(exit_code, summary)
        finally:
            self.release()

    def end(self, exit_code: int, summary: dict[str, Any]) -> None:
        """Record the end of the run; `another` may go on. Raises as `close`."""
        Run._open.pop(self.crawl_id, None)
        try:
            if self._run_file is not None:
                left = redacted_ends(self.db, self.archive, self.key)
                self._run_file.end(exit_code, summary, datetime.now(UTC), left)
        except (sqlite3.Error, WarcWriteError) as error:
            if not self.broken:  # else that is already reported, and is why this fails too
                raise ArchiveError(f"{self.archive}: the end of the run could not be written: {error}") from error

    def release(self) -> None:
        """Close the database and release the lock."""
        Run._open.pop(name_of(str(self.archive)), None)
        try:
            if not self.broken:
                remark = WriteAheadLog(self.db).truncate()
                if remark:
                    logger.info("%s: %s", self.archive, remark)  # not a fault, so it is only logged
        finally:
            self.db.close()
            self._lock.release()
