"""The result of a run at one clinic: counted during the visit, judged at its end (`outcome.judgement`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from archive.rows.evidence import Loss, Measured
from archive.times import utc
from pipelines.run.notices import Notice
from pipelines.run.outcome.field_coverage import FieldCoverage
from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitState
from scraper.items import Problem


@dataclass(slots=True)
class VisitOutcome:
    """The result of a run at one clinic."""

    clinic: Clinic
    started_at: str
    visit: VisitState
    warc_bytes: int = 0
    captures: int = 0  # exchanges and fetches without an answer
    recorded: int = 0  # all records that need a row: these, and problems that no exchange shows
    problems: list[Problem] = field(default_factory=list)
    status: str = "running"  # done, degraded, moved_or_gone, failed, no-blog, cut-short
    why: str | None = None  # the reason in words, where it did not end well
    without_blog: bool = False  # an earlier visit reached the clinic and found no blog
    coverage: FieldCoverage = field(default_factory=FieldCoverage)
    vanished: tuple[int, int] = (0, 0)  # posts gone in this run, and all posts that are not marked as removed
    measured_fields: list[Measured] = field(default_factory=list)  # how many posts gave the fields that they used to
    lost_fields: list[Loss] = field(default_factory=list)  # fields that the posts no longer give
    rows: dict[str, int] = field(default_factory=dict)  # number of new rows by table

    def page_notices(self) -> list[Notice]:
        """Return a notice for each post that could not be read, then for each other problem; equal lines once.

        A problem that a later attempt overcame, or that the line of an unread post repeats, has no notice of its own.
        """
        problems = [problem for problem in self.problems if problem.message not in self.visit.recovered_problems]
        unread = self.visit.failure_lines
        notices = [
            self._notice(line, next((problem for problem in problems if problem.message in line), None))
            for line in unread
        ]
        notices += [
            self._notice(problem.message, problem)
            for problem in problems
            if not any(problem.message in line for line in unread)
        ]
        return list({notice.line: notice for notice in reversed(notices)}.values())[::-1]

    def _notice(self, line: str, problem: Problem | None) -> Notice:
        line = f"{self.clinic.slug}: {line}"
        if problem is None:
            return Notice(self.clinic.slug, line)
        kind = f"{problem.kind} {problem.field}" if problem.field else problem.kind
        return Notice(self.clinic.slug, line, kind, problem.url)


def mark_failed(outcomes: dict[str, VisitOutcome], clinic: Clinic, why: str) -> None:
    """Mark a visit as failed that could not begin, or that ended without being judged; `outcomes`: by clinic."""
    new = VisitOutcome(clinic=clinic, started_at=utc(datetime.now(UTC)), visit=VisitState(clinic_id=clinic.slug))
    outcome = outcomes.setdefault(clinic.slug, new)
    outcome.status, outcome.visit.failure = "failed", outcome.visit.failure or why


def mark_cut_short(outcomes: Iterable[VisitOutcome]) -> bool:
    """Mark the visits that a second signal ended at once; return whether there are any.

    Their files stay open; the next start recovers them.
    """
    cut = [outcome for outcome in outcomes if outcome.status == "running"]
    for outcome in cut:
        outcome.status = "cut-short"
    return bool(cut)
