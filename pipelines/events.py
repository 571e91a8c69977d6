"""The events of a clinic's log, and the WARC note that each is recorded as.

Only `Fold.apply` makes rows of events. A live run records an event before it applies it (`Run.record`); rebuild,
reparse, import, backfill and recovery read the same events back from the WARC files (`ClinicLog.events`).

A live visit gives VisitStarted, Captured (many), VisitEnded. `note` returns the kind and fields of the event's note;
None for an event that the WARC already shows in another way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from pipelines.privacy.policy import Policy
from scraper.items import Extraction

USER_AGENT = "http-header-user-agent"  # the field of warcinfo (WARC 1.1, 6.2)
Fields = dict[str, str]  # the fields of a note by name; each value is JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicVisit:
    """One run at one clinic, or one import for it: the origin of captures."""

    clinic_id: str
    crawl_id: str | None
    kind: str = "crawl"  # crawl, backfill, import
    software: str = ""
    started_at: str = ""  # ISO 8601 UTC with microseconds
    stanza: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    web_archive: str | None = None  # the address of the web archive that a backfill requests
    user_agent: str | None = None  # that its requests send, as the warcinfo of its file has it; None for an import
    # In force for the run's captures; None: that of its stanza, because no later one is known.
    in_force: Policy | None = field(default=None, hash=False, compare=False)

    @property
    def policy(self) -> Policy:
        """What is stored about the commenters in the run's captures."""
        return self.in_force or Policy.of(self.stanza)


@dataclass(frozen=True, slots=True)
class ClinicListed:
    """A run read the stanza of a clinic without visiting it: the visit is yet to begin, or the clinic is closed."""

    clinic_id: str
    stanza: Mapping[str, Any]
    at: str | None  # when, ISO 8601 UTC; None: the event says nothing about whether the clinic is closed

    def note(self) -> None:
        """Return None: the note "crawl-started" in the run's own file holds all stanzas that the run lists."""


@dataclass(frozen=True, slots=True)
class VisitStarted:
    """A visit of the clinic begins; its stanza is valid from now on."""

    visit: ClinicVisit

    @property
    def clinic_id(self) -> str:
        """The clinic that is visited."""
        return self.visit.clinic_id

    def note(self) -> tuple[str, Fields]:
        """Return kind and fields of the note, which is written to the clinic's file."""
        run = self.visit
        fields: dict[str, Any] = {"crawl": run.crawl_id, "started_at": run.started_at, "kind": run.kind}
        if run.web_archive:
            fields["web-archive"] = run.web_archive
        return "run-started", {**as_json(fields), "stanza": stanza_text(run.stanza)}


@dataclass(frozen=True, slots=True)
class Captured:
    """A capture was made, and items were extracted from it. Its record is in the WARC before the event exists."""

    visit: ClinicVisit
    extraction: Extraction

    @property
    def clinic_id(self) -> str:
        """The clinic of the capture."""
        return self.visit.clinic_id

    def note(self) -> None:
        """Return None: the WARC holds the capture's own record."""


@dataclass(frozen=True, slots=True)
class CapturesEnded:
    """The last capture of an import or backfill has passed in the order of the log.

    Its VisitEnded comes later: the captures are older than the notes of the run that brought them.
    """

    visit: ClinicVisit

    @property
    def clinic_id(self) -> str:
        """The clinic of the captures."""
        return self.visit.clinic_id

    def note(self) -> None:
        """Return None: the event follows from the dates of the captures."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The operator confirmed what earlier runs had reported about the clinic."""

    clinic_id: str
    at: str  # ISO 8601 UTC

    def note(self) -> tuple[str, Fields]:
        """Return kind and fields of the note, which is written to the run's own file."""
        return "confirmed", as_json({"clinic": self.clinic_id, "at": self.at})


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Another policy holds for a clinic from now on: that of a changed stanza, before or between visits.

    The clinic's rows are made again where the policy is stricter than the one before, or `loosens` the past.
    """

    clinic_id: str
    policy: Policy
    at: str  # ISO 8601 UTC
    loosens: bool = False
    reason: str | None = None  # of the operator, for a policy that loosens

    def note(self) -> tuple[str, Fields]:
        """Return kind and fields of the note, which is written to the run's own file."""
        fields = {"clinic": self.clinic_id, **asdict(self.policy), "at": self.at, "loosens": self.loosens}
        return "policy-set", as_json({**fields, "reason": self.reason})

    @classmethod
    def of_note(cls, fields: Mapping[str, Any]) -> Self:
        """Return the event that a note of this kind records."""
        policy = Policy(fields["comments"], fields["privacy"])
        return cls(fields["clinic"], policy, fields["at"], fields["loosens"], fields["reason"])


@dataclass(frozen=True, slots=True)
class VisitEnded:
    """The visit of the clinic ended, or was killed."""

    visit: ClinicVisit
    fields: Mapping[str, Any] | None  # of the note; None: the run was killed and left no note
    platform: str | None = None  # name of the platform whose parser read the run's captures

    @property
    def clinic_id(self) -> str:
        """The clinic that was visited."""
        return self.visit.clinic_id

    @property
    def finished(self) -> bool:
        """Whether the visit was not cut short, so that all names of its last thread were requested."""
        return bool(self.fields and self.fields.get("finished"))

    def note(self) -> tuple[str, Fields]:
        """Return kind and fields of the note, which is written to the clinic's file."""
        return "run-ended", as_json(self.fields or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A takedown: of what it names no row is made; if its grade is block, it is never requested again either."""

    takedown_id: str  # 12 hex digits, by chance
    clinic_id: str
    kind: str  # clinic, comments (all of a clinic), post, comment, person
    grade: str  # hide, block, purge
    subjects: tuple[str, ...]  # keyed hashes of what it names (`pipelines.takedown.marks`); none for a whole clinic
    permalinks: tuple[str, ...]  # SHA-256 (hex) of "CLINIC/SLUG" for each address of a post on the archive's site
    key_check: str  # by which another key than that of `subjects` is noticed
    at: str  # ISO 8601 UTC
    received: str  # ISO date
    due: str | None  # ISO date
    reason: str
    by: str  # who gave the command
    releases: tuple[str, ...] = ()  # names of the releases that hold it; older notes name none

    @property
    def row(self) -> tuple[str, str, str, str, str, str | None]:
        """The takedown as `withdrawals` has it: id, clinic, kind, grade, day, due."""
        return self.takedown_id, self.clinic_id, self.kind, self.grade, self.at[:10], self.due

    def note(self) -> tuple[str, Fields]:
        """Return kind and fields of the note, which is written to the run's own file."""
        return "withdrawn", as_json(asdict(self))

    @classmethod
    def of_note(cls, fields: Mapping[str, Any]) -> Self:
        """Return the event that a note of this kind records."""
        lists = {name: tuple(fields.get(name, ())) for name in ("subjects", "permalinks", "releases")}
        return cls(**{**fields, **lists})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """A takedown holds no longer: the rows of what it named are made again."""

    takedown_id: str
    clinic_id: str
    at: str  # ISO 8601 UTC
    reason: str
    by: str

    def note(self) -> tuple[str, Fields]:
        """Return kind and fields of the note, which is written to the run's own file."""
        return "lifted", as_json(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """Takedowns of grade purge were performed at a clinic: WARC files were replaced by others without what they name.

    A file that was replaced is no part of the log any more, wherever a copy of it turns up.
    """

    purge_id: str  # 12 hex digits, by chance
    clinic_id: str
    takedowns: tuple[str, ...]  # their ids
    files: Mapping[str, str]  # path of each replaced file in the archive -> path of the new one
    records: int  # that have another body now
    emptied: int  # of these, the ones of which nothing is left: whatever else they held is gone, too
    damaged: int  # regions of the replaced files that could not be read, and are gone
    at: str  # ISO 8601 UTC
    by: str

    def note(self) -> tuple[str, Fields]:
        """Return kind and fields of the note, which is written to the run's own file."""
        return "purged", as_json({**asdict(self), "files": dict(self.files)})

    @classmethod
    def of_note(cls, fields: Mapping[str, Any]) -> Self:
        """Return the event that a note of this kind records."""
        return cls(**{**fields, "takedowns": tuple(fields["takedowns"])})


OfVisit = VisitStarted | Captured | VisitEnded  # events of a visit or an import
Retroactive = PolicySet | Withdrawn | Lifted  # the rows of the clinic's earlier captures are made again
Decision = Confirmed | Retroactive | Purged  # of the operator; the notes are in the file of the run as a whole
Event = ClinicListed | VisitStarted | Captured | CapturesEnded | Confirmed | Retroactive | Purged | VisitEnded


def stanza_text(stanza: Mapping[str, Any]) -> str:
    """Return a stanza as the WARC stores it: one line of JSON."""
    return json.dumps(stanza, sort_keys=True, default=str)


def as_json(values: Mapping[str, Any]) -> Fields:
    """Return the values as fields of a note."""
    return {name: json.dumps(value) for name, value in values.items()}
