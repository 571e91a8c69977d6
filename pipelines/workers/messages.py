"""What the parent of a run and its workers send each other: pickled, through a pipe for each worker."""

from __future__ import annotations

import copyreg
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import MappingProxyType
from typing import Any

from scrapy.settings import Settings

from pipelines.events import Decision, Event
from pipelines.run.outcome.outcome import VisitOutcome
from scraper.config.clinics import Clinic


def _read_only(values: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(values)


# Attributes of a stanza are a read-only view of a dict, which pickle does not know.
copyreg.pickle(MappingProxyType, lambda view: (_read_only, (dict(view),)))


@dataclass(frozen=True, slots=True)
class WorkerRun:
    """The run that a worker works for."""

    archive: Path
    key: bytes  # of the pseudonyms
    crawl_id: str
    started_at: datetime
    settings: Settings
    arguments: Mapping[str, Any] = field(default_factory=dict)  # of the spider
    shows_progress: bool = False


# From the parent


@dataclass(frozen=True, slots=True)
class Begin:
    """Visit this clinic."""

    clinic: Clinic


@dataclass(frozen=True, slots=True)
class Taken:
    """So many of the worker's captures wait no longer."""

    captures: int


@dataclass(frozen=True, slots=True)
class Committed:
    """The rows of all captures of the clinic are committed."""

    clinic_id: str


@dataclass(frozen=True, slots=True)
class EndVisits:
    """End the visits, with the answers to the requests that are in flight."""

    out_of_time: bool  # because of the run's time limit


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing more can be written."""

    why: str


@dataclass(frozen=True, slots=True)
class Dismissed:
    """No visit is left for this worker."""


# From a worker


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has started."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Events of one clinic, in their order, whose bytes are on the disk."""

    events: tuple[Event, ...]
    captures: int  # number of captures among them


@dataclass(frozen=True, slots=True)
class Noted:
    """A decision that follows from what was received, for the run's own file."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class CapturesOver:
    """The visit makes no more captures: their rows are to be committed. `finished`: the visit was not cut short."""

    clinic_id: str
    finished: bool


@dataclass(frozen=True, slots=True)
class VisitOver:
    """The visit is over; without an outcome it never began."""

    clinic_id: str
    outcome: VisitOutcome | None


@dataclass(frozen=True, slots=True)
class Halted:
    """The worker cannot write any more."""

    why: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """How many posts of the clinic were read, out of those found so far (None: not known yet)."""

    clinic_id: str
    read: int
    found: int | None


OfParent = Begin | Taken | Committed | EndVisits | Halt | Dismissed
OfWorker = Ready | Recorded | Noted | CapturesOver | VisitOver | Halted | Progressed


class Outbox:
    """Sends a worker's messages in their order, from a thread: the visits do not wait until the parent reads them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = Thread(target=self._send, daemon=True)
        self._thread.start()

    def put(self, message: OfWorker) -> None:
        """Send the message as it is now."""
        self._waiting.put(pickle.dumps(message))

    def close(self) -> None:
        """Return when all messages are sent."""
        self._waiting.put(None)
        self._thread.join()

    def _send(self) -> None:
        while (message := self._waiting.get()) is not None:
            try:
                self._connection.send_bytes(message)
            except OSError:  # the parent has ended: the thread that listens to it ends this process
                return
