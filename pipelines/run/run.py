"""One run: the lock, the database, the key and a WARC writer a clinic, shared by every component of the process.

Opened by the command (or by the first component under plain `scrapy crawl`), closed by whoever opened it. Nothing but
the holder of the lock ever writes to an archive.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
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
    Captured,
    ClinicListed,
    ClinicRun,
    Confirmed,
    Event,
    RunEnded,
    RunStarted,
    as_json,
    stanza_text,
)
from pipelines.fold import Fold
from pipelines.log import RUNS
from pipelines.rebuild import refold
from pipelines.run.key import has_pseudonyms, read_key
from pipelines.run.locking import lock_archive
from pipelines.run.outcome import Outcome
from pipelines.stored import reread_post
from scraper.config.clinics import PRODUCT, VERSION, Clinic
from scraper.crawl.state import VisitResult

logger = logging.getLogger(__name__)


@lru_cache(maxsize=64)
def _named(archive: str) -> str:
    return str(Path(archive))


def _place(archive: str) -> str:
    """What an open run is found by; asked for several times an answer, so without a look at the disk."""
    return _named(archive) if archive.startswith("/") else str(Path(archive).absolute())


class Run:
    """An archive held for writing. Raises `Locked`, `BadKey`, or what `open_archive` raises."""

    _open: ClassVar[dict[str, Run]] = {}

    def __init__(self, archive: Path) -> None:
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
        self.crawl_id = uuid4().hex
        self.started_at = datetime.now(UTC)
        self.outcomes: dict[str, Outcome] = {}
        self.broken: str | None = None  # why nothing more can be written, in one line
        self.out_of_time = False  # the run's time limit ended it
        self.recovered: list[str] = []  # what became of runs that were killed, a line each
        self._writers: dict[str, Writer] = {}
        self._run_file: Writer | None = None  # of the run as a whole
        self._runs: dict[str, ClinicRun] = {}  # by clinic, as the writers and folds
        self._folds: dict[str, Fold] = {}
        self.not_begun: list[str] = []  # clinics that it was to visit, and ended before it came to
        self._closed: list[Clinic] = []
        self._listed: list[Clinic] = []  # that the archive did not know before this run
        self._stops: list[Callable[[], object]] = []
        Run._open[_place(str(archive))] = self

    def on_halt(self, stop: Callable[[], object]) -> None:
        """Call `stop` when nothing more can be written."""
        self._stops.append(stop)

    def halt(self, why: str) -> None:
        """Nothing more can be written: every visit of the run is ended. The first reason stands."""
        self.broken = self.broken or why
        logger.error("%s", why)
        stops, self._stops = self._stops, []
        for stop in stops:
            stop()

    @classmethod
    def of(cls, settings: BaseSettings) -> Self:
        """The open run of the archive that the settings name; opened now if there is none."""
        archive = str(settings["ARCHIVE"])
        run = cls._open.get(_place(archive))
        return run if run is not None else cls(Path(archive))  # type: ignore[return-value]

    @classmethod
    def is_open(cls, settings: BaseSettings) -> bool:
        """A run holds the archive that the settings name."""
        return _place(str(settings["ARCHIVE"])) in cls._open

    def begin(
        self,
        clinic: Clinic,
        visit: VisitResult,
        user_agent: str,
        *,
        kind: str = "crawl",
        web_archive: str | None = None,
    ) -> Outcome:
        """The run comes to a clinic: its WARC file, its rows, and what is counted of it.

        `kind`: what `crawls.kind` says. `web_archive`: the address of the archive that is asked instead of the clinic.
        """
        outcome = Outcome(
            clinic=clinic,
            started_at=utc(datetime.now(UTC)),
            visit=visit,
            without_blog=runs.is_without_blog(self.db, clinic.slug),
        )
        self.outcomes[clinic.slug] = outcome
        about = {"software": self.software, "http-header-user-agent": user_agent}
        self.start(clinic, kind, outcome.started_at, about, web_archive)
        return outcome

    def start(
        self, clinic: Clinic, kind: str, started_at: str, about: Mapping[str, str], web_archive: str | None = None
    ) -> ClinicRun:
        """Open the clinic's WARC file and record that the run comes to it; `about`: what its warcinfo says first."""
        self.open_run_file(kind)
        clinic_id = clinic.slug
        run = ClinicRun(
            clinic_id=clinic_id,
            crawl_id=self.crawl_id,
            kind=kind,
            software=self.software,
            started_at=started_at,
            stanza=clinic.as_stanza(),
            web_archive=web_archive,
        )
        (last,) = self.db.execute("SELECT max(fetched_at) FROM captures WHERE clinic_id = ?", [clinic_id]).fetchone()
        info = {**about, "clinic": clinic_id, "stanza": stanza_text(run.stanza), "kind": kind}
        self._writers[clinic_id] = Writer(
            self.archive,
            clinic_id,
            self.crawl_id,
            info | ({"web-archive": web_archive} if web_archive else {}),
            last=datetime.fromisoformat(last) if last else None,
        )
        self._runs[clinic_id] = run
        self._folds[clinic_id] = self.fold_of(clinic_id)
        self.record(RunStarted(run))
        return run

    def record(self, event: Event) -> None:
        """Write the event to the WARC, then make its rows: bytes before rows.

        What others captured is older than what is there: events of an import or a backfill become rows once its end is
        recorded, when the whole log of the clinic is applied again. Raises `WarcWriteError`, OSError, `sqlite3.Error`;
        at the end of an import or a backfill `BadKey` and `BadRecord` as well.
        """
        clinic_id, note = event.clinic_id, event.note()
        writer = self._run_file if isinstance(event, Confirmed) else self._writers.get(clinic_id)
        if note is not None:
            assert writer is not None
            writer.write_note(*note, datetime.now(UTC))
            writer.sync()
        kind = event.run.kind if isinstance(event, RunStarted | Captured | RunEnded) else "crawl"
        if isinstance(event, RunEnded):
            self._end(event)
        elif kind == "crawl" or (kind == "backfill" and isinstance(event, RunStarted)):
            (self._folds.get(clinic_id) or self.fold_of(clinic_id)).apply(event)

    def fold_of(self, clinic_id: str) -> Fold:
        """A fold into the clinic's rows."""
        writer = self._writers.get(clinic_id)
        reread = partial(reread_post, self.archive, self.db)
        return Fold(self.db, clinic_id, reread, writer.sync if writer is not None else lambda: None)

    def _end(self, event: RunEnded) -> None:
        """Make the rows of a run that has ended, and close its file. Killed in between, the next start does the rest:
        the run's row says that it is running, or its file is not closed."""
        clinic_id = event.clinic_id
        writer, fold = self._writers.pop(clinic_id), self._folds.pop(clinic_id)
        del self._runs[clinic_id]
        if event.run.kind == "crawl":
            writer.close()
            fold.apply(event)
        else:
            refold(self.db, self.archive, self.key, clinic_id)
            writer.close()

    def is_at(self, clinic_id: str) -> bool:
        """The run has begun at the clinic, and has not ended there."""
        return clinic_id in self._runs

    def run_at(self, clinic_id: str) -> ClinicRun:
        """The run at a clinic that has begun and not ended."""
        return self._runs[clinic_id]

    def commit(self, clinic_id: str, *, finished: bool) -> None:
        """Make the rows of all captures of the clinic; `finished`: its visit came to its end."""
        self._folds[clinic_id].finish(self._runs[clinic_id], finished=finished)

    def open_run_file(self, kind: str) -> None:
        """The run's row, and its own WARC file: what `crawls` holds of it, and the clinics that it lists."""
        if self._run_file is not None:
            return
        self._run_file = Writer(self.archive, RUNS, self.crawl_id, {"software": self.software, "kind": kind}, last=None)
        started_at = utc(self.started_at)
        fields = as_json({"crawl": self.crawl_id, "started_at": started_at, "software": self.software, "kind": kind})
        for name, clinics in (("closed", self._closed), ("listed", self._listed)):
            stanzas = {clinic.slug: clinic.as_stanza() for clinic in clinics}
            fields[name] = json.dumps(stanzas, sort_keys=True, default=str)
        self._run_file.write_note("crawl-started", fields, self.started_at)
        self._run_file.sync()
        runs.save_crawl(self.db, self.crawl_id, started_at, self.software, kind)

    def register_closed(self, clinics: Iterable[Clinic]) -> None:
        """Clinics that are not visited any more stay in the archive: shares are computed over them too."""
        self._closed = [clinic for clinic in clinics if clinic.is_closed(self.started_at.date())]
        self._record_listed(self._closed)

    def register(self, clinics: Iterable[Clinic]) -> None:
        """Enter the clinics that are to be visited before any is begun: one that never is would otherwise be missed by
        nobody. To be called once, before the first. Raises `WarcWriteError`, OSError, `sqlite3.Error`.
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

    def confirm(self, clinic_id: str) -> None:
        """The operator confirms what the runs reported of the clinic. Raises `WarcWriteError`, `sqlite3.Error`."""
        self.open_run_file("confirm")
        self.record(Confirmed(clinic_id, utc(datetime.now(UTC))))

    def writer(self, clinic_id: str) -> Writer:
        """The clinic's WARC writer of this run."""
        return self._writers[clinic_id]

    def mark_failed(self, clinic: Clinic, why: str) -> None:
        """The visit could not begin, or ended where nothing could judge it."""
        visit = VisitResult(clinic_id=clinic.slug)
        outcome = self.outcomes.setdefault(
            clinic.slug, Outcome(clinic=clinic, started_at=utc(datetime.now(UTC)), visit=visit)
        )
        outcome.status, outcome.visit.failure = "failed", outcome.visit.failure or why

    def mark_cut_short(self) -> None:
        """Visits that a second signal ended at once: their files stay open, and the next start goes on from them."""
        for outcome in self.outcomes.values():
            if outcome.status == "running":
                outcome.status = "cut-short"

    def close(self, exit_code: int, summary: dict[str, Any]) -> None:
        """End of the run. Writers still open stay as they are: the next start mends their files.

        Raises `ArchiveError` where the end cannot be written, unless that is what ended the run.
        """
        try:
            if self._run_file is not None:
                now = datetime.now(UTC)
                # Where the archive lies on this machine is nothing for those it is given to.
                text = json.dumps({**summary, "archive": None}, ensure_ascii=False)
                fields = {"ended_at": utc(now), "exit_code": exit_code, "summary": text}
                self._run_file.write_note("crawl-ended", as_json(fields), now)
                self._run_file.sync()
                runs.save_crawl_end(self.db, self.crawl_id, fields)
                self._run_file.close()
        except (sqlite3.Error, WarcWriteError) as error:
            if not self.broken:  # else it is told already, and is why this fails too
                raise ArchiveError(f"{self.archive}: the end of the run could not be written: {error}") from error
        finally:
            self.release()

    def release(self) -> None:
        """Give the archive back."""
        Run._open.pop(_place(str(self.archive)), None)
        try:
            if not self.broken:
                remark = WriteAheadLog(self.db).truncate()
                if remark:
                    logger.info("%s: %s", self.archive, remark)  # no fault, and not worth a mail
        finally:
            self.db.close()
            self._lock.release()
