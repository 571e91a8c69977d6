"""One run: the lock, the database, the key and a WARC writer a clinic, shared by every component of the process.

Opened by the command (or by the first component under plain `scrapy crawl`), closed by whoever opened it. Nothing but
the holder of the lock ever writes to an archive.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self
from uuid import uuid4

import filelock
from scrapy.settings import BaseSettings
from sqlite_utils import Database

from archive.db import ArchiveError, open_archive
from archive.lock import LOCK_FILE
from archive.rows import context, runs
from archive.rows.evidence import save_confirmation
from archive.wal import WriteAheadLog
from archive.warc import WarcWriteError, Writer
from pipelines.run.key import has_pseudonyms, read_key
from pipelines.run.outcome import Outcome
from scraper.config.clinics import PRODUCT, VERSION, Clinic
from scraper.crawl.state import VisitResult

logger = logging.getLogger(__name__)

RUNS = "_runs"  # the folder below warc/ that holds what belongs to a run and to no clinic; no slug begins so


class Locked(Exception):
    """Another run writes to this archive."""


def utc(at: datetime) -> str:
    """ "2026-11-23T15:20:50.000123Z": how every moment is written, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@lru_cache(maxsize=64)
def _named(archive: str) -> str:
    return str(Path(archive))


def _place(archive: str) -> str:
    """What an open run is found by; asked for several times an answer, so without a look at the disk."""
    return _named(archive) if archive.startswith("/") else str(Path(archive).absolute())


def tighten_umask() -> None:
    """What this process makes from now on is writable by nobody else: what others may write to proves nothing."""
    os.umask(os.umask(0o022) | 0o022)


def lock_archive(archive: Path) -> filelock.BaseFileLock:
    """The archive's lock, taken; given back by its `release`. Raises `Locked`, OSError."""
    tighten_umask()
    archive.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(archive / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise Locked(f"{archive}: another run is writing to this archive; nothing done") from error
    return lock


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
        self._log: Writer | None = None  # of the run as a whole
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
        """The run comes to a clinic: its row, its run's row, a WARC file that names both.

        `kind`: what `crawls.kind` says. `web_archive`: the address of the archive that is asked instead of the clinic.
        """
        now = datetime.now(UTC)
        self.open_run_file(kind)
        outcome = Outcome(
            clinic=clinic, started_at=utc(now), visit=visit, without_blog=runs.is_without_blog(self.db, clinic.slug)
        )
        self.outcomes[clinic.slug] = outcome
        last = self.db.execute("SELECT max(fetched_at) FROM captures WHERE clinic_id = ?", [clinic.slug]).fetchone()[0]
        stanza = stanza_text(clinic)
        about = {"kind": kind} | ({"web-archive": web_archive} if web_archive else {})
        self._writers[clinic.slug] = Writer(
            self.archive,
            clinic.slug,
            self.crawl_id,
            {"software": self.software, "http-header-user-agent": user_agent, "clinic": clinic.slug, "stanza": stanza}
            | about,
            last=datetime.fromisoformat(last) if last else None,
        )
        told = {"crawl": self.crawl_id, "started_at": outcome.started_at, **about}
        fields = {name: json.dumps(value) for name, value in told.items()}
        self._writers[clinic.slug].write_note("run-started", {**fields, "stanza": stanza}, now)
        self._writers[clinic.slug].sync()
        with self.db.atomic():
            save_stanza(self.db, clinic.slug, clinic.as_stanza())
            if kind == "crawl":
                save_stanza_closing(self.db, clinic.slug, clinic.as_stanza(), outcome.started_at)
            runs.save_run_start(self.db, self.crawl_id, clinic.slug, outcome.started_at)
        return outcome

    def open_run_file(self, kind: str) -> None:
        """The run's row, and its own WARC file: what `crawls` holds of it, and the clinics that it visits no more."""
        if self._log is not None:
            return
        self._log = Writer(self.archive, RUNS, self.crawl_id, {"software": self.software, "kind": kind}, last=None)
        told = {"crawl": self.crawl_id, "started_at": utc(self.started_at), "software": self.software, "kind": kind}
        fields = {name: json.dumps(value) for name, value in told.items()}
        for name, clinics in (("closed", self._closed), ("listed", self._listed)):
            stanzas = {clinic.slug: clinic.as_stanza() for clinic in clinics}
            fields[name] = json.dumps(stanzas, sort_keys=True, default=str)
        self._log.write_note("crawl-started", fields, self.started_at)
        self._log.sync()
        runs.save_crawl(self.db, self.crawl_id, utc(self.started_at), self.software, kind)

    def register_closed(self, clinics: Iterable[Clinic]) -> None:
        """Clinics that are visited no more stay in the archive: they are part of what shares are taken of."""
        self._closed = [clinic for clinic in clinics if clinic.is_closed(self.started_at.date())]
        with self.db.atomic():
            for clinic in self._closed:
                save_listed_stanza(self.db, clinic.slug, clinic.as_stanza(), utc(self.started_at))

    def register(self, clinics: Iterable[Clinic]) -> None:
        """Clinics that are to be visited enter the archive before any is begun: one that never is would be missed by
        nobody. To be called once, before the first. Raises `WarcWriteError`, OSError, `sqlite3.Error`.
        """
        known = {row[0] for row in self.db.execute("SELECT clinic_id FROM clinics").fetchall()}
        self._listed = [clinic for clinic in clinics if clinic.slug not in known]
        if self._listed:
            self.open_run_file("crawl")
            with self.db.atomic():
                for clinic in self._listed:
                    save_listed_stanza(self.db, clinic.slug, clinic.as_stanza(), utc(self.started_at))

    def confirm(self, clinic_id: str) -> None:
        """The operator says that what the runs reported of the clinic is so; recorded before it is acted upon.

        Raises `WarcWriteError`, `sqlite3.Error`.
        """
        self.open_run_file("confirm")
        assert self._log is not None
        at = datetime.now(UTC)
        told = {"clinic": clinic_id, "at": utc(at)}
        self._log.write_note("confirmed", {name: json.dumps(value) for name, value in told.items()}, at)
        self._log.sync()
        with self.db.atomic():
            save_confirmation(self.db, clinic_id, told["at"])

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

    def end(self, clinic_id: str, fields: dict[str, str]) -> None:
        """The clinic's visit is over: its note goes to the WARC, whose file is closed. Raises `WarcWriteError`."""
        writer = self._writers.pop(clinic_id)
        writer.write_note("run-ended", fields, datetime.now(UTC))
        writer.close()

    def close(self, exit_code: int, summary: dict[str, Any]) -> None:
        """End of the run. Writers still open stay as they are: the next start mends their files.

        Raises `ArchiveError` where the end cannot be written, unless that is what ended the run.
        """
        try:
            if self._log is not None:
                now = datetime.now(UTC)
                # Where the archive lies on this machine is nothing for those it is given to.
                text = json.dumps({**summary, "archive": None}, ensure_ascii=False)
                told = {"ended_at": utc(now), "exit_code": exit_code, "summary": text}
                self._log.write_note("crawl-ended", {name: json.dumps(value) for name, value in told.items()}, now)
                self._log.sync()
                runs.save_crawl_end(self.db, self.crawl_id, told)
                self._log.close()
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
                kept = WriteAheadLog(self.db).truncate()
                if kept:
                    logger.info("%s: %s", self.archive, kept)  # no fault, and not worth a mail
        finally:
            self.db.close()
            self._lock.release()


def stanza_text(clinic: Clinic) -> str:
    """The clinic's stanza as a WARC holds it: one line of JSON."""
    return json.dumps(clinic.as_stanza(), sort_keys=True, default=str)


def save_stanza(db: Database, clinic_id: str, stanza: Mapping[str, Any]) -> None:
    """The clinic's row, and its attributes, as a stanza has them (`Clinic.as_stanza`)."""
    row = {name: stanza.get(name) for name in ("name", "url", "timezone", "comments", "privacy")}
    context.save_clinic(db, {**row, "clinic_id": clinic_id}, dict(stanza.get("attributes") or {}))


def save_stanza_closing(db: Database, clinic_id: str, stanza: Mapping[str, Any], at: str) -> None:
    """Whether the clinic is closed at the moment `at` (see `utc`), as the stanza says of which it is visited, or not.

    An import or a backfill, which may take a clinic as the archive knows it, says nothing of that.
    """
    runs.save_closing(db, clinic_id, stanza.get("closed"), at[:10])


def save_listed_stanza(db: Database, clinic_id: str, stanza: Mapping[str, Any], at: str) -> None:
    """The clinic's row, and whether it is closed, as a run finds its stanza that began at the moment `at`."""
    save_stanza(db, clinic_id, stanza)
    save_stanza_closing(db, clinic_id, stanza, at)
