"""What a run did at one clinic: counted where it happened, judged in the end (`pipelines.run_report`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from archive.rows.evidence import Loss, Measured
from pipelines.run.field_coverage import FieldCoverage
from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitResult


@dataclass(slots=True)
class Outcome:
    """What the run did at one clinic, counted where it happened."""

    clinic: Clinic
    started_at: str
    visit: VisitResult
    warc_bytes: int = 0
    captures: int = 0  # exchanges and fetches without an answer
    recorded: int = 0  # all records that want a row: these, and problems that no exchange tells
    problems: list[str] = field(default_factory=list)
    status: str = "running"  # done, degraded, moved_or_gone, failed, no-blog, cut-short
    why: str | None = None  # it ended so, in words, where it did not end well
    without_blog: bool = False  # an earlier visit came to the clinic, and found no blog
    coverage: FieldCoverage = field(default_factory=FieldCoverage)
    vanished: tuple[int, int] = (0, 0)  # posts gone in this run, of all that are not marked as removed
    measured_fields: list[Measured] = field(default_factory=list)  # how many posts gave what they used to give
    lost_fields: list[Loss] = field(default_factory=list)  # fields that they give no more
    rows: dict[str, int] = field(default_factory=dict)  # new rows a table
