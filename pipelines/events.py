"""What happens to a clinic's part of the archive: the events of its log, each with the note that it is recorded as.

`Fold.apply` alone makes rows of them. A live run records an event first; rebuild, reparse, import, backfill and
recovery read the same events from the WARC files again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scraper.items import Extraction

Fields = dict[str, str]  # of a note: each value as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicRun:
    """One run at one clinic, or one import for it: where captures come from."""

    clinic_id: str
    crawl_id: str | None
    kind: str = "crawl"  # crawl, backfill, import
    software: str = ""
    started_at: str = ""  # ISO 8601 UTC with microseconds
    stanza: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    web_archive: str | None = None  # the address of the archive that a backfill asks

    @property
    def privacy(self) -> str:
        """What the stanza says of commenters' names: pseudonymous, omit or keep."""
        return self.stanza.get("privacy") or "pseudonymous"

    @property
    def comments(self) -> str:
        """What the stanza wants of comments: threads, counts or none."""
        return self.stanza.get("comments") or "threads"


@dataclass(frozen=True, slots=True)
class ClinicListed:
    """A run found a stanza of the clinic that it does not visit (yet, or any more)."""

    clinic_id: str
    stanza: Mapping[str, Any]
    at: str | None  # None: nothing is said of whether the clinic is closed

    def note(self) -> None:
        """It is recorded in the run's own file, with all clinics that the run lists (note crawl-started)."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run comes to the clinic: what its stanza says holds from now on."""

    run: ClinicRun

    @property
    def clinic_id(self) -> str:
        """The clinic that it comes to."""
        return self.run.clinic_id

    def note(self) -> tuple[str, Fields]:
        """Kind and fields of its note."""
        run = self.run
        fields: dict[str, Any] = {"crawl": run.crawl_id, "started_at": run.started_at, "kind": run.kind}
        if run.web_archive:
            fields["web-archive"] = run.web_archive
        return "run-started", {**as_json(fields), "stanza": stanza_text(run.stanza)}


@dataclass(frozen=True, slots=True)
class Captured:
    """A capture was made, and says something. Its bytes are in the WARC before the event exists."""

    run: ClinicRun
    extraction: Extraction

    @property
    def clinic_id(self) -> str:
        """The clinic whose capture it is."""
        return self.run.clinic_id

    def note(self) -> None:
        """It is recorded by its own record."""


@dataclass(frozen=True, slots=True)
class CapturesEnded:
    """An import or backfill has no more captures, though its notes are younger than they are."""

    run: ClinicRun

    @property
    def clinic_id(self) -> str:
        """The clinic whose captures they are."""
        return self.run.clinic_id

    def note(self) -> None:
        """It follows from the dates of the captures."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The operator confirmed what runs before had reported of the clinic."""

    clinic_id: str
    at: str

    def note(self) -> tuple[str, Fields]:
        """Kind and fields of its note, in the run's own file."""
        return "confirmed", as_json({"clinic": self.clinic_id, "at": self.at})


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run at the clinic is over."""

    run: ClinicRun
    fields: Mapping[str, Any] | None  # of its note; None: it was killed, and reported nothing
    platform: str | None = None  # the platform that the run's captures were read by

    @property
    def clinic_id(self) -> str:
        """The clinic that the run visited."""
        return self.run.clinic_id

    @property
    def finished(self) -> bool:
        """Its visit came to its end, so that all names of a thread were asked for."""
        return bool(self.fields and self.fields.get("finished"))

    def note(self) -> tuple[str, Fields]:
        """Kind and fields of its note."""
        return "run-ended", as_json(self.fields or {})


Event = ClinicListed | RunStarted | Captured | CapturesEnded | Confirmed | RunEnded


def stanza_text(stanza: Mapping[str, Any]) -> str:
    """A stanza as a WARC holds it: one line of JSON."""
    return json.dumps(stanza, sort_keys=True, default=str)


def as_json(values: Mapping[str, Any]) -> Fields:
    """The fields of a note."""
    return {name: json.dumps(value) for name, value in values.items()}
