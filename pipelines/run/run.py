"""One run: the lock, the database, and the folds that make the rows of its visits.

The command opens it (or the report under plain `scrapy crawl`), and who opened it closes it. Only the holder of the
lock ever writes rows.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from scrapy.settings import BaseSettings

from archive.db import ArchiveError, open_archive
from archive.rows.withdrawals import save_withdrawal
from archive.times import utc
from archive.wal import WriteAheadLog
from archive.warc import WarcWriteError
from pipelines.events import (
    ClinicListed,
    ClinicVisit,
    Decision,
    Event,
    OfVisit,
    Retroactive,
    VisitEnded,
    VisitStarted,
    Withdrawn,
)
from pipelines.fold.fold import Fold
from pipelines.rebuild import refold, refold_past
from pipelines.replay.stored import reread_post
from pipelines.run.key import has_pseudonyms, read_key
from pipelines.run.locking import lock_archive
from pipelines.run.policies import mask_again, stricter
from pipelines.run.recorded_runs import RunFileContents
from pipelines.run.run_file import RunFile
from pipelines.run.visits import Visits
from pipelines.takedown.summaries import end_redactor
from pipelines.takedown.withheld import withheld_at
from scraper.config.clinics import Clinic

logger = logging.getLogger(__name__)


class Run(Visits):
    """An archive that is locked and open for writing."""

    def __init__(self, archive: Path) -> None:
        """Lock and open the archive. Raises `Locked`, `BadKey`, or what `open_archive` raises."""
        self._lock = lock_archive(archive)
        try:
            db = open_archive(archive, "write")
            try:
                key = read_key(archive, wanted=has_pseudonyms(db))
            except BaseException:
                db.close()
                raise
        except BaseException:
            self._lock.release()
            raise
        super().__init__(archive, db, key, uuid4().hex, datetime.now(UTC))
        self._begin()

    def another(self) -> Run:
        """Return a further run that has this one's lock, database and key; `end` records its end.

        The components of a crawler find it where the setting RUN is its `crawl_id`.
        """
        run = Run.__new__(Run)
        run._lock = self._lock
        crawl_id = uuid4().hex
        Visits.__init__(run, self.archive, self.db, self.key, crawl_id, datetime.now(UTC), name=crawl_id)
        run._begin()
        return run

    def _begin(self) -> None:
        self.failed_share = 0.0  # `Clinics.failed_share`
        self.recovered: list[str] = []  # how killed runs were recovered, a line each
        self._run_file: RunFile | None = None
        self._folds: dict[str, Fold] = {}  # by clinic
        self._extended: list[Withdrawn] = []  # takedowns of which the visits gave further addresses
        self.is_cut_off = False  # visits were ended at once, and left to the next start
        self.not_begun: list[str] = []  # clinics whose visit had not begun when the run ended
        self._closed: list[Clinic] = []
        self._listed: list[Clinic] = []  # clinics that the archive did not know before this run

    @classmethod
    def opened(cls, settings: BaseSettings) -> Self:
        """Open the archive that the settings name. Raises as the constructor."""
        return cls(Path(str(settings["ARCHIVE"])))

    def start(
        self, clinic: Clinic, kind: str, started_at: str, about: Mapping[str, str], web_archive: str | None = None
    ) -> ClinicVisit:
        """Begin a visit as `Visits.start` does, after what belongs to the run as a whole is recorded."""
        if kind == "crawl":
            self.tighten([clinic])
        self.open_run_file(kind)
        return super().start(clinic, kind, started_at, about, web_archive)

    def record(self, event: Event) -> None:
        """Record the event as `Visits.record` does; a decision of the operator in the run's own file.

        Raises also `sqlite3.Error`; where rows are made again `BadKey` and `BadRecord`.
        """
        if not isinstance(event, Decision):
            super().record(event)
            return
        self.record_unapplied(event, "crawl")
        self.take(event)

    def take(self, event: Event) -> None:
        """Apply an event that is recorded to the rows.

        Events of a crawl are applied at once. Captures of an import or a backfill may be older than the stored ones:
        no rows are made of them until the `VisitEnded`, when the whole log of the clinic is applied again (`refold`).
        """
        clinic_id = event.clinic_id
        kind = event.visit.kind if isinstance(event, OfVisit) else "crawl"
        if isinstance(event, VisitStarted):
            self._visits[clinic_id], self._folds[clinic_id] = event.visit, self.fold_of(clinic_id)
        if isinstance(event, VisitEnded):
            self._end(event)
        elif isinstance(event, Retroactive):
            for more in refold_past(self.db, self.archive, self.key, clinic_id).extended:
                self.decide(more, "takedown")
        elif kind == "crawl" or (kind == "backfill" and isinstance(event, VisitStarted)):
            (self._folds.get(clinic_id) or self.fold_of(clinic_id)).apply(event)

    def take_batch(self, events: Sequence[Event]) -> None:
        """Apply events of one clinic that a worker recorded, and commit their rows."""
        for event in events:
            self.take(event)
        fold = self._folds.get(events[-1].clinic_id)
        if fold is not None:
            fold.commit()

    def forget(self, clinic_id: str) -> None:
        """Drop what is not committed of a visit whose process ended; `pipelines.recover` reads it from the WARC."""
        self._visits.pop(clinic_id, None)
        self._folds.pop(clinic_id, None)

    def fold_of(self, clinic_id: str) -> Fold:
        """Return a new fold that writes the clinic's rows."""
        writer = self._writers.get(clinic_id)
        sync = writer.sync if writer is not None else lambda: None
        withheld = withheld_at(self.db, self.archive, clinic_id, self.key)
        return Fold(self.db, clinic_id, partial(reread_post, self.archive, self.db), sync, withheld)

    def _end(self, event: VisitEnded) -> None:
        """Apply the end of a visit, and close its file.

        After a kill in between, the next start does the rest: the row still says "running", or the file is not closed.
        """
        clinic_id = event.clinic_id
        writer, fold = self._writers.pop(clinic_id, None), self._folds.pop(clinic_id)
        del self._visits[clinic_id]
        if event.visit.kind == "crawl":
            if writer is not None:  # else a worker wrote the file, and closed it
                writer.close()
            fold.apply(event)
            self._extended += fold.extended
        else:
            self._extended += refold(self.db, self.archive, self.key, clinic_id).extended
            assert writer is not None
            writer.close()
        if not self.db.conn.in_transaction:
            self.decide_extended()

    def decide_extended(self) -> None:
        """Withdraw what earlier captures name by addresses that were learned now. Not within a transaction."""
        while self._extended:
            self.decide(self._extended.pop(0), "takedown")

    def commit(self, clinic_id: str, *, finished: bool) -> None:
        """Commit the rows of all captures of the clinic; `finished`: its visit was not cut short."""
        self._folds[clinic_id].finish(self._visits[clinic_id], finished=finished)

    def open_run_file(self, kind: str) -> RunFile:
        """Return the WARC file of the run as a whole; unless it is open, create it and save the run's row."""
        if self._run_file is None:
            closed, listed = (
                {clinic.slug: clinic.as_stanza() for clinic in clinics} for clinics in (self._closed, self._listed)
            )
            at = utc(self.started_at)
            header = RunFileContents(
                self.crawl_id, at, self.software, kind, closed=closed, end=None, new_clinics=listed
            )
            self._run_file = RunFile(self.archive, self.db, header)
            self._run_file.start()
            self._record_listed(self._closed)  # their rows follow the note that names them
        return self._run_file

    def register_closed(self, clinics: Iterable[Clinic]) -> None:
        """Enter the closed clinics in the run's file, which are not visited any more."""
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

    def record_unapplied(self, decision: Decision, kind: str) -> None:
        """Record what the operator decided, and make no rows again; `kind`: as in `decide`.

        The addresses that a takedown names now are known from then on.
        """
        self.open_run_file(kind).write_note(*decision.note(), datetime.now(UTC))
        if isinstance(decision, Withdrawn):
            with self.db.atomic():
                save_withdrawal(self.db, decision.row, decision.permalinks)

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
        self.leave()
        try:
            if self._run_file is not None:
                left = end_redactor(self.db)
                self._run_file.end(exit_code, summary, datetime.now(UTC), left, closing=not self._leaves_open)
        except (sqlite3.Error, WarcWriteError) as error:
            if not self.broken:  # else that is already reported, and is why this fails too
                raise ArchiveError(f"{self.archive}: the end of the run could not be written: {error}") from error

    @property
    def _leaves_open(self) -> bool:
        return self.is_cut_off or self.broken is not None or bool(self._writers)

    def release(self) -> None:
        """Close the database and release the lock."""
        self.leave()
        try:
            if not self.broken:
                remark = WriteAheadLog(self.db).truncate()
                if remark:
                    logger.info("%s: %s", self.archive, remark)  # not a fault, so it is only logged
        finally:
            self.db.close()
            self._lock.release()
