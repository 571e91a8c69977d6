"""One run: the lock, the database, the key and a WARC writer a clinic, shared by every component of the process.

Opened by the command (or by the first component under plain `scrapy crawl`), closed by whoever opened it. Nothing but
the holder of the lock ever writes to an archive.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self
from uuid import uuid4

import filelock
from scrapy.settings import BaseSettings
from sqlite_utils import Database

from archive import save
from archive.db import open_archive
from archive.recovery import Recovered, recover
from archive.warc import Writer
from scraper.clinics import PRODUCT, VERSION, Clinic
from scraper.plan import Visit

logger = logging.getLogger(__name__)

LOCK_FILE = ".lock"
KEY_FILE = "pseudonym.key"


class Locked(Exception):
    """Another run writes to this archive."""


def utc(at: datetime) -> str:
    """ "2026-11-23T15:20:50.000123Z": how every moment is written, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_key(folder: Path) -> bytes:
    """The archive's key, made at first use, readable by its owner alone."""
    path = folder / KEY_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text("ascii").strip())
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return read_key(folder)


@dataclass(slots=True)
class Outcome:
    """What the run did at one clinic, counted where it happened."""

    clinic: Clinic
    started_at: str
    visit: Visit
    warc_bytes: int = 0
    captures: int = 0
    problems: list[str] = field(default_factory=list)
    status: str = "running"  # done, failed, cut-short
    rows: dict[str, int] = field(default_factory=dict)  # new rows a table


class Run:
    """An archive held for writing. Raises `Locked`, or what `open_archive` raises."""

    _open: ClassVar[dict[str, Run]] = {}

    def __init__(self, archive: Path) -> None:
        self.archive = archive
        self.software = f"{PRODUCT}/{VERSION}"
        archive.mkdir(parents=True, exist_ok=True)
        self._lock = filelock.FileLock(archive / LOCK_FILE)
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise Locked(f"{archive}: another run is writing to this archive; nothing done") from error
        try:
            self.db: Database = open_archive(archive, "write")
            self.recovered: list[Recovered] = recover(archive)
        except BaseException:
            self._lock.release()
            raise
        self.crawl_id = uuid4().hex
        self.started_at = datetime.now(UTC)
        self.outcomes: dict[str, Outcome] = {}
        self.broken: str | None = None  # why nothing more can be written, in one line
        self._writers: dict[str, Writer] = {}
        Run._open[str(archive.resolve())] = self

    @classmethod
    def of(cls, settings: BaseSettings) -> Self:
        """The open run of the archive that the settings name; opened now if there is none."""
        archive = Path(settings["ARCHIVE"])
        run = cls._open.get(str(archive.resolve()))
        return run if run is not None else cls(archive)  # type: ignore[return-value]

    @classmethod
    def is_open(cls, settings: BaseSettings) -> bool:
        """A run holds the archive that the settings name."""
        return str(Path(settings["ARCHIVE"]).resolve()) in cls._open

    @cached_property
    def key(self) -> bytes:
        """The key of the archive's pseudonyms."""
        return read_key(self.archive)

    def begin(self, clinic: Clinic, visit: Visit, user_agent: str) -> Outcome:
        """The run comes to a clinic: its row, its run's row, a WARC file that names both."""
        now = datetime.now(UTC)
        outcome = Outcome(clinic=clinic, started_at=utc(now), visit=visit)
        self.outcomes[clinic.slug] = outcome
        last = self.db.execute("SELECT max(fetched_at) FROM captures WHERE clinic_id = ?", [clinic.slug]).fetchone()[0]
        stanza = json.dumps(clinic.as_stanza(), sort_keys=True, default=str)
        self._writers[clinic.slug] = Writer(
            self.archive,
            clinic.slug,
            self.crawl_id,
            {"software": self.software, "http-header-user-agent": user_agent, "clinic": clinic.slug, "stanza": stanza},
            last=datetime.fromisoformat(last) if last else None,
        )
        with self.db.atomic():
            self.db.execute(
                "INSERT INTO crawls (crawl_id, started_at, software) VALUES (?,?,?) ON CONFLICT DO NOTHING",
                (self.crawl_id, utc(self.started_at), self.software),
            )
            row = {
                "clinic_id": clinic.slug, "name": clinic.name, "url": clinic.url, "timezone": clinic.timezone,
                "comments": clinic.comments, "privacy": clinic.privacy,
            }  # fmt: skip
            save.save_clinic(self.db, row, dict(clinic.attributes))
            self.db.execute(
                "INSERT INTO clinic_runs (crawl_id, clinic_id, started_at, status) VALUES (?,?,?,'running')",
                (self.crawl_id, clinic.slug, outcome.started_at),
            )
        self._writers[clinic.slug].write_note(
            "run-started", {"crawl": json.dumps(self.crawl_id), "stanza": stanza}, now
        )
        return outcome

    def writer(self, clinic_id: str) -> Writer:
        """The clinic's WARC writer of this run."""
        return self._writers[clinic_id]

    def end(self, clinic_id: str, fields: dict[str, str]) -> None:
        """The clinic's visit is over: its note goes to the WARC, whose file is closed."""
        writer = self._writers.pop(clinic_id)
        writer.write_note("run-ended", fields, datetime.now(UTC))
        writer.close()

    def close(self, exit_code: int, summary: str) -> None:
        """End of the run. Writers still open stay as they are: the next start mends their files."""
        if self.outcomes:
            self.db.execute(
                "UPDATE crawls SET ended_at = ?, exit_code = ?, summary = ? WHERE crawl_id = ?",
                (utc(datetime.now(UTC)), exit_code, summary, self.crawl_id),
            )
        self.release()

    def release(self) -> None:
        """Give the archive back."""
        Run._open.pop(str(self.archive.resolve()), None)
        if not self.broken:
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.db.close()
        self._lock.release()
