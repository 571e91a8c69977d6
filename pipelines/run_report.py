"""Report: how the run went at each clinic, as rows, as one line a problem, and as an exit code."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler

from archive.rows import runs
from archive.rows.evidence import Loss, losses, vanished
from archive.times import utc
from archive.warc import BadRecord, WarcWriteError
from pipelines.events import RunEnded
from pipelines.exit_codes import ExitCode
from pipelines.recover import recover
from pipelines.run.field_coverage import FEWEST
from pipelines.run.key import BadKey
from pipelines.run.notices import RUN, Notice, notices_of, shortened
from pipelines.run.outcome import Outcome
from pipelines.run.run import Run
from scraper.spiders._clinic import ClinicSpider

logger = logging.getLogger(__name__)

MOST_NAMES = 10  # of clinics that were not begun; --json has all

# How a status is told to a person, of those that a person is told of.
LOUD = {"failed": "failed", "moved_or_gone": "moved or gone", "degraded": "degraded"}


class Report:
    """Writes the end of a clinic's run to the archive and its WARC."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        # `scrapy shell` and the like archive nothing, and must not hold the archive.
        self._stands_alone = issubclass(crawler.spidercls, ClinicSpider) and not Run.is_open(crawler.settings)
        if self._stands_alone:
            for line in recover(Run.of(crawler.settings)):
                logger.warning("%s", line)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        report = cls(crawler)
        crawler.signals.connect(report.spider_closed, signals.spider_closed)
        crawler.signals.connect(report.engine_stopped, signals.engine_stopped)
        return report

    def spider_closed(self, spider: ClinicSpider, reason: str) -> None:
        """The clinic's run is over: count, judge, write it down."""
        if not isinstance(spider, ClinicSpider) or not Run.is_open(self._crawler.settings):
            return
        run = Run.of(self._crawler.settings)
        outcome = run.outcomes.get(spider.clinic.slug)
        if outcome is None:
            return
        visit = outcome.visit
        for note in visit.notes:
            logger.info("%s: %s", spider.clinic.slug, note)
        write = self._end_crawl if spider.kind == "crawl" else self._end_backfill
        try:
            if spider.kind == "crawl" and not run.broken:
                compare_with_past(run, outcome)
            outcome.status, outcome.why = judge(outcome, _ended(run, reason), run.broken)
            if not run.broken:
                write(run, outcome)
        except (WarcWriteError, sqlite3.Error, OSError, BadRecord, BadKey) as error:
            run.halt(str(error) if isinstance(error, WarcWriteError) else f"{run.archive}: not written: {error}")
            outcome.status, outcome.why = judge(outcome, _ended(run, reason), run.broken)

    def _end_backfill(self, run: Run, outcome: Outcome) -> None:
        """What others captured is older than what is there: all of it is recorded, so that rows can be made of it."""
        clinic_id, visit = outcome.clinic.slug, outcome.visit
        fields: dict[str, Any] = {
            "ended_at": utc(datetime.now(UTC)),
            "status": outcome.status,
            "complete": 0,
            "discovered": visit.discovered,
            "fetched": visit.fetched,
            "failed": visit.failed,
            "note": "; ".join(filter(None, [outcome.why, visit.unknown_line, *visit.notes])) or None,
            "finished": visit.finished,
        }
        run.record(RunEnded(run.run_at(clinic_id), fields))
        outcome.rows = runs.count_rows(run.db, run.crawl_id, clinic_id)

    def _end_crawl(self, run: Run, outcome: Outcome) -> None:
        """The end of the visit, in the WARC first: a kill in between leaves a note from which the row is made."""
        clinic_id, visit = outcome.clinic.slug, outcome.visit
        rows = outcome.rows = runs.count_rows(run.db, run.crawl_id, clinic_id)
        lost = outcome.recorded - rows["captures"]
        if lost:
            run.halt(f"{clinic_id}: {lost} recorded answers have no row; the next run folds them in, please report it")
            return
        # A visit that met no post at all is no evidence that posts are gone, but of those that somebody said it of: the
        # site may have moved.
        known_gone = visit.gone > 0 and outcome.vanished[0] == 0
        quiet = visit.attempted == 0 and visit.not_due > 0 and not visit.deferred
        met = visit.fetched > 0 or known_gone or quiet
        # A page that could not be read says nothing of another that answered 404.
        complete = outcome.status == "done" and not visit.limited and met
        fields: dict[str, Any] = {
            "ended_at": utc(datetime.now(UTC)), "status": outcome.status, "complete": int(complete),
            "discovered": visit.discovered, "fetched": visit.fetched, "unchanged": visit.unchanged, "gone": visit.gone,
            "failed": visit.failed, "posts": rows["posts"], "new_posts": rows["new_posts"],
            "new_revisions": rows["new_revisions"], "readings": rows["readings"], "comments": rows["comments"],
            "wire_bytes": rows["wire_bytes"], "found_in": json.dumps(visit.found_in),
            "note": "; ".join(filter(None, [outcome.why, *visit.notes])) or None, "limited": int(visit.limited),
            "not_due": visit.not_due, "waiting": visit.deferred,
            "platform": visit.platform, "blog_status": visit.blog_status, "finished": visit.finished,
            "fields": outcome.measured_fields,
        }  # fmt: skip
        recognised = visit.recognised.name if visit.recognised is not None else None
        run.record(RunEnded(run.run_at(clinic_id), fields, recognised))

    def engine_stopped(self) -> None:
        """Under plain `scrapy crawl` the run was opened by its components, and ends with the engine."""
        if self._stands_alone and Run.is_open(self._crawler.settings):
            run = Run.of(self._crawler.settings)
            for line in brief(run):
                logger.error("%s", line)
            run.close(exit_code(run), summary(run))


def compare_with_past(run: Run, outcome: Outcome) -> None:
    """Compare the visit, whose rows are written, with the clinic's past: what vanished, what is told no more."""
    clinic_id, visit = outcome.clinic.slug, outcome.visit
    outcome.vanished = vanished(run.db, run.crawl_id, clinic_id)
    # A visit that was ended on the way had not come to the services that count, and says nothing of what they tell.
    coverage, started_at = outcome.coverage, outcome.started_at
    measured = coverage.measured(run.db, run.crawl_id, clinic_id, started_at, visit.counting) if visit.finished else []
    outcome.measured_fields = measured
    past = {loss.field: loss for loss in losses(run.db, clinic_id)}
    for one in measured:  # the newest word; where nothing could be measured today, the last one holds
        earlier = past.pop(one.field, None)
        if one.is_lost:
            since, accepted = (earlier.since, earlier.accepted) if earlier else (outcome.started_at, False)
            past[one.field] = Loss(*one, since, accepted)
    outcome.lost_fields = [loss for loss in past.values() if not loss.accepted]


def _ended(run: Run, reason: str) -> str:
    """What ended a visit on its way, in words: Scrapy knows but one "shutdown", whoever asked for it."""
    if run.out_of_time:
        return "by the time limit"
    return "by a signal" if reason == "shutdown" else f"({reason})"


def judge(outcome: Outcome, ended: str, broken: str | None) -> tuple[str, str | None]:
    """How the run at a clinic ended, and why if not well.

    "done"; "degraded": posts cease to give a field; "moved_or_gone": over a third of the posts vanished at once (where
    the day's budget left some unasked: of those that were asked for), or the home page leads to another host; "failed":
    discovery gave nothing, or over half of the pages failed that were there the last time; "no-blog": so it was found
    before; "cut-short": `ended` from outside, "by a signal".
    """
    visit, (gone, posts) = outcome.visit, outcome.vanished
    confirm = f"`clinic-archive confirm {outcome.clinic.slug}`"
    if broken:
        return "cut-short", broken
    if visit.failure:
        known = outcome.without_blog and visit.blog_status in ("none_found", "unsupported")
        return "no-blog" if known else "failed", visit.failure
    if visit.moved:
        return "moved_or_gone", (
            f"its home leads to {visit.moved}, on another host: nothing there was asked for, no post is marked removed;"
            " if the clinic moved there, change url in its stanza"
        )
    if not visit.finished:
        return "cut-short", f"ended early {ended}"
    # Addresses that lists still name and that lead nowhere fail in each visit: where others are read, the blog is
    # there.
    failed, asked = (visit.missing, visit.expected) if visit.expected else (visit.failed, visit.attempted)
    if failed * 2 > asked:
        return "failed", f"{failed} of {asked} posts could not be read"
    lost = ", ".join(f"{one.field} (by {one.told} of {one.expected} posts)" for one in outcome.lost_fields)
    # Where a budget let few posts be asked for, one or two that are gone are no sign of anything.
    if gone * 3 > posts or (visit.deferred and gone >= FEWEST and gone * 3 > visit.attempted):
        of = f"{posts} posts" if gone * 3 > posts else f"the {visit.attempted} posts that the day's budget allowed"
        return "moved_or_gone", (
            f"{gone} of {of} answer that they are gone: none is marked removed until {confirm} says that it"
            f" is so{f'; it accepts as well what is told no more: {lost}' if lost else ''}"
        )
    if lost:
        return "degraded", f"told no more: {lost}; look at the blog, and accept it with {confirm}"
    return "done", None


def exit_code(run: Run) -> ExitCode:
    """The process's exit code (docs/exit-codes.md). A run that was asked to stop when all was done is done."""
    if run.broken:
        return ExitCode.UNEXPECTED
    statuses = {outcome.status for outcome in run.outcomes.values()}
    if "running" in statuses:  # its end was never reached, nor told
        return ExitCode.UNEXPECTED
    if statuses & {"failed", "moved_or_gone"}:
        return ExitCode.CLINICS_FAILED
    if "degraded" in statuses:
        return ExitCode.DEGRADED
    if run.not_begun or "cut-short" in statuses:
        return ExitCode.STOPPED
    return ExitCode.DONE


def problem_lines(run: Run) -> list[str]:
    """Return one line for each problem of the run."""
    return [notice.line for notice in problem_notices(run)]


def problem_notices(run: Run) -> list[Notice]:
    """Return a notice for each problem of the run, the clinics in the order of their visits."""
    notices = notices_of([run.broken] if run.broken else [], run.outcomes)
    for clinic_id, outcome in run.outcomes.items():
        lines = _visit_lines(outcome, bool(run.broken))
        notices += [Notice(clinic_id, f"{clinic_id}: {line}") for line in lines]
        if outcome.visit.platform is not None and not run.broken:
            notices += outcome.page_notices()
    return notices


def _visit_lines(outcome: Outcome, broken: bool) -> Iterator[str]:
    """What went wrong with a visit as a whole; where the run is broken, that alone is reported of a visit cut short."""
    visit = outcome.visit
    if outcome.status in LOUD:
        yield f"{LOUD[outcome.status]}: {outcome.why or visit.failure}"
    elif outcome.status == "running":
        yield "the visit ended without a word; see the log, and please report it"
    elif outcome.status == "cut-short" and not broken:
        yield f"{outcome.why or 'ended early by a second signal'}; what was read is kept, the next run goes on"
    if visit.deferred and not visit.attempted and not broken:
        yield (
            f"no post was asked for, {visit.deferred} wait: the day's budget was used up before; raise requests_a_day"
            " in its stanza"
        )
    if visit.unknown_line and not broken:
        yield visit.unknown_line


def not_begun(run: Run) -> list[str]:
    """One line where the run ended before it came to all clinics."""
    waiting = run.not_begun
    if not waiting or run.broken:  # what broke it is told
        return []
    more = f" and {len(waiting) - MOST_NAMES} more" if len(waiting) > MOST_NAMES else ""
    ended = "its time limit" if run.out_of_time else "a signal"
    return [
        f"{len(waiting)} of {len(waiting) + len(run.outcomes)} clinics not begun when {ended} ended the run:"
        f" {', '.join(waiting[:MOST_NAMES])}{more}; the next run begins with those that have waited longest"
    ]


def brief(run: Run) -> list[str]:
    """As many of the lines as a person reads."""
    return [*not_begun(run), *shortened(problem_notices(run))]


def resolved(run: Run) -> dict[str, set[str]]:
    """What the run saw to its end, so that a problem of it that was not met is over: clinics, and itself; and of each,
    which pages it did not ask for (`post_key`), whose problems are not over.

    A visit that failed, was cut short or limited says nothing of the posts that it did not come to.
    """
    whole = {"done", "degraded", "no-blog"}
    seen = {
        slug: one.visit.skipped_keys
        for slug, one in run.outcomes.items()
        if one.status in whole and not one.visit.limited
    }
    return seen if run.broken else {**seen, RUN: set()}


def summary(run: Run) -> dict[str, Any]:
    """What `--json` prints: the run, and each clinic's numbers."""
    return {
        "crawl_id": run.crawl_id,
        "archive": str(run.archive),
        "not_begun": run.not_begun,
        "clinics": {
            clinic_id: {
                "status": outcome.status,
                "platform": outcome.visit.platform,
                "discovered": outcome.visit.discovered,
                "found_in": outcome.visit.found_in,
                "fetched": outcome.visit.fetched,
                "unchanged": outcome.visit.unchanged,
                "not_due": outcome.visit.not_due,
                "waiting": outcome.visit.deferred,
                "gone": outcome.visit.gone,
                "members_only": outcome.visit.members_only,
                "failed": outcome.visit.failed,
                "rendered": outcome.visit.rendered,
                "requests": outcome.captures,
                "warc_bytes": outcome.warc_bytes,
                **outcome.rows,
                "problem_lines": list(dict.fromkeys(problem.message for problem in outcome.problems)),
                "notes": outcome.visit.notes,
                "lost_fields": [loss._asdict() for loss in outcome.lost_fields],
                "why": outcome.why,
                "failure": outcome.visit.failure,
            }
            for clinic_id, outcome in run.outcomes.items()
        },
    }
