"""The visits of one process: a WARC file, a run and an outcome for each clinic, shared by all components of a crawl.

What becomes of their events is the subclass's: `Run` makes rows of them, a worker sends them to the process that does.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from scrapy.settings import BaseSettings
from sqlite_utils import Database

from archive.rows import runs
from archive.times import utc
from archive.warc import Writer
from pipelines.events import USER_AGENT, ClinicVisit, Decision, Event, VisitStarted, stanza_text
from pipelines.fold.fold import SOFTWARE
from pipelines.run.locking import archive_path
from pipelines.run.outcome.outcome import VisitOutcome
from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitState

logger = logging.getLogger(__name__)


class Visits(ABC):
    """The visits of this process to the clinics of one archive, `db`, which a worker only reads."""

    _open: ClassVar[dict[str, Visits]] = {}

    def __init__(
        self, archive: Path, db: Database, key: bytes, crawl_id: str, started_at: datetime, name: str | None = None
    ) -> None:
        """`name`: under which `of` finds them, the setting RUN; None: under that of the archive."""
        self.archive, self.db, self.key = archive, db, key
        self.crawl_id, self.started_at = crawl_id, started_at
        self.software = SOFTWARE
        self.outcomes: dict[str, VisitOutcome] = {}
        self.broken: str | None = None  # why nothing more can be written, in one line
        self.out_of_time = False  # the run's time limit ended it
        self._writers: dict[str, Writer] = {}
        self._visits: dict[str, ClinicVisit] = {}  # by clinic, like the writers
        self._stops: list[Callable[[], object]] = []
        self._name = name or archive_path(str(archive))
        Visits._open[self._name] = self

    def leave(self) -> None:
        """Let `of` find them no more."""
        if Visits._open.get(self._name) is self:
            del Visits._open[self._name]

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

    @staticmethod
    def of(settings: BaseSettings) -> Visits:
        """Return the visits that the settings name, by RUN or by ARCHIVE. Raises KeyError where there are none."""
        return Visits._open[settings["RUN"] or archive_path(str(settings["ARCHIVE"]))]

    @staticmethod
    def is_open(settings: BaseSettings) -> bool:
        """Return whether this process visits clinics of the archive that the settings name."""
        return (settings["RUN"] or archive_path(str(settings["ARCHIVE"]))) in Visits._open

    def begin(
        self,
        clinic: Clinic,
        visit: VisitState,
        user_agent: str,
        *,
        kind: str = "crawl",
        web_archive: str | None = None,
    ) -> VisitOutcome:
        """Begin the visit of a clinic: open its WARC file, record the start, return the outcome to count in.

        `kind`: the value of `crawls.kind`. `web_archive`: the address of the web archive that is requested instead of
        the clinic. Raises `WarcWriteError`, OSError, `sqlite3.Error`.
        """
        without_blog = runs.is_without_blog(self.db, clinic.slug)
        outcome = VisitOutcome(clinic, utc(datetime.now(UTC)), visit, without_blog=without_blog)
        self.outcomes[clinic.slug] = outcome
        about = {"software": self.software, USER_AGENT: user_agent}
        self.start(clinic, kind, outcome.started_at, about, web_archive)
        return outcome

    def start(
        self, clinic: Clinic, kind: str, started_at: str, about: Mapping[str, str], web_archive: str | None = None
    ) -> ClinicVisit:
        """Open the clinic's WARC file and record the start of the visit; `about`: the first fields of its warcinfo."""
        clinic_id = clinic.slug
        run = ClinicVisit(
            clinic_id=clinic_id,
            crawl_id=self.crawl_id,
            kind=kind,
            software=self.software,
            started_at=started_at,
            stanza=clinic.as_stanza(),
            web_archive=web_archive,
            user_agent=about.get(USER_AGENT),
        )
        (last,) = self.db.execute("SELECT max(fetched_at) FROM captures WHERE clinic_id = ?", [clinic_id]).fetchone()
        info = {**about, "clinic": clinic_id, "stanza": stanza_text(run.stanza), "kind": kind}
        info |= {"web-archive": web_archive} if web_archive else {}
        last_at = datetime.fromisoformat(last) if last else None
        self._writers[clinic_id] = Writer(self.archive, clinic_id, self.crawl_id, info, last=last_at)
        self._visits[clinic_id] = run
        self.record(VisitStarted(run))
        return run

    def record(self, event: Event) -> None:
        """Write the event's note to the clinic's WARC file, if it has one, and sync it; then `take` the event.

        The bytes always come first, so that a kill in between loses no event: the next start applies it
        (`pipelines.recover`). A `Captured` has no note, because the WARC holds its record already.

        Raises `WarcWriteError`, OSError, and what `take` raises.
        """
        note = event.note()
        if note is not None:
            writer = self._writers[event.clinic_id]
            writer.write_note(*note, datetime.now(UTC))
            writer.sync()
        self.take(event)

    @abstractmethod
    def take(self, event: Event) -> None:
        """Make rows of an event that is recorded, or have them made; the end of a visit closes its file."""

    @abstractmethod
    def record_unapplied(self, decision: Decision, kind: str) -> None:
        """Record in the run's own file what was decided, and apply nothing; `kind`: of the run. Raises as `record`."""

    @abstractmethod
    def commit(self, clinic_id: str, *, finished: bool) -> Awaitable[None] | None:
        """Commit the rows of all captures of the clinic; `finished`: its visit was not cut short.

        Returns None where that is done, else what ends when another process has done it.
        """

    def room(self) -> Awaitable[None] | None:
        """Return None where another request may be made now, else what ends when it may."""
        return None

    def is_at(self, clinic_id: str) -> bool:
        """Return whether the visit of the clinic has begun and not ended."""
        return clinic_id in self._visits

    def visit_at(self, clinic_id: str) -> ClinicVisit:
        """Return the run at a clinic whose visit has begun and not ended."""
        return self._visits[clinic_id]

    def writer(self, clinic_id: str) -> Writer:
        """Return this run's WARC writer of the clinic."""
        return self._writers[clinic_id]
