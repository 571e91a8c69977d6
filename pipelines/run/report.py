"""The report of a run: the end of each visit as rows, one line a problem, a summary for `--json`."""

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
from archive.times import utc
from archive.warc import BadRecord, WarcWriteError
from pipelines.events import VisitEnded
from pipelines.recover import recover
from pipelines.rewriting.finishing import finish_first
from pipelines.rewriting.journal import remove_reappeared
from pipelines.run.key import BadKey
from pipelines.run.notices import Notice, notices_of, shortened
from pipelines.run.outcome.judgement import compare_with_past, exit_code, judge
from pipelines.run.outcome.outcome import VisitOutcome
from pipelines.run.run import Run
from pipelines.run.visits import Visits
from scraper.spiders._clinic import ClinicSpider

logger = logging.getLogger(__name__)

MAX_NAMES = 10  # of clinics that were not visited; --json lists all

# The statuses that are reported to a person, in words.
LOUD = {"failed": "failed", "moved_or_gone": "moved or gone", "degraded": "degraded"}


class VisitReport:
    """Scrapy extension that writes the end of each visit to the WARC and to the database."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        # `scrapy shell` and the like archive nothing, and must not lock the archive.
        self._stands_alone = issubclass(crawler.spidercls, ClinicSpider) and not Visits.is_open(crawler.settings)
        if self._stands_alone:
            run = finish_first(Run.opened(crawler.settings))
            remove_reappeared(run.archive)
            for line in recover(run):
                logger.warning("%s", line)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        report = cls(crawler)
        crawler.signals.connect(report.spider_closed, signals.spider_closed)
        crawler.signals.connect(report.engine_stopped, signals.engine_stopped)
        return report

    def spider_closed(self, spider: ClinicSpider, reason: str) -> None:
        """Count, judge and record the visit that is over."""
        if not isinstance(spider, ClinicSpider) or not Visits.is_open(self._crawler.settings):
            return
        run = Visits.of(self._crawler.settings)
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

    def _end_backfill(self, run: Visits, outcome: VisitOutcome) -> None:
        """Record the end of a backfill; rows of its captures, which are older than the stored ones, are made then."""
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
        run.record(VisitEnded(run.visit_at(clinic_id), fields))
        outcome.rows = runs.count_rows(run.db, run.crawl_id, clinic_id)

    def _end_crawl(self, run: Visits, outcome: VisitOutcome) -> None:
        """Record the end of a visit, in the WARC first: after a kill in between, the row is made from the note."""
        clinic_id, visit = outcome.clinic.slug, outcome.visit
        rows = outcome.rows = runs.count_rows(run.db, run.crawl_id, clinic_id)
        missing = outcome.recorded - rows["captures"]
        if missing:
            run.halt(f"{clinic_id}: {missing} recorded answers have no row; the next run adds them, please report it")
            return
        # A visit that met no post at all is no evidence that posts are gone, because the site may have moved; but an
        # answer that a post is gone is evidence.
        known_gone = visit.gone > 0 and outcome.vanished[0] == 0
        quiet = visit.attempted == 0 and visit.not_due > 0 and not visit.deferred
        met = visit.fetched > 0 or known_gone or quiet or visit.by_api
        # A page that could not be read says nothing about another that answered 404.
        complete = outcome.status == "done" and not visit.limited and met
        fields: dict[str, Any] = {
            "ended_at": utc(datetime.now(UTC)),
            "status": outcome.status,
            "complete": int(complete),
            "discovered": visit.discovered,
            "fetched": visit.fetched,
            "unchanged": visit.unchanged,
            "gone": visit.gone,
            "failed": visit.failed,
            "posts": rows["posts"],
            "new_posts": rows["new_posts"],
            "new_revisions": rows["new_revisions"],
            "readings": rows["readings"],
            "comments": rows["comments"],
            "wire_bytes": rows["wire_bytes"],
            "found_in": json.dumps(visit.found_in),
            "note": "; ".join(filter(None, [outcome.why, *visit.notes])) or None,
            "limited": int(visit.limited),
            "not_due": visit.not_due,
            "delay": visit.delay,
            "waiting": visit.deferred,
            "platform": visit.platform,
            "maker": visit.maker,
            "reader": visit.recognised.name if visit.recognised is not None else None,
            "blog_status": visit.blog_status,
            "finished": visit.finished,
            "fields": outcome.measured_fields,
        }
        run.record(VisitEnded(run.visit_at(clinic_id), fields, fields["reader"]))

    def engine_stopped(self) -> None:
        """End a run that its components opened (plain `scrapy crawl`): it ends with the engine."""
        if self._stands_alone and Visits.is_open(self._crawler.settings):
            run = Visits.of(self._crawler.settings)
            assert isinstance(run, Run)
            for line in brief(run):
                logger.error("%s", line)
            run.close(exit_code(run), summary(run))


def _ended(run: Visits, reason: str) -> str:
    """Return what ended a visit early, in words. Scrapy's reason is "shutdown" for a signal and a time limit alike."""
    if run.out_of_time:
        return "by the time limit"
    return "by a signal" if reason == "shutdown" else f"({reason})"


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


def _visit_lines(outcome: VisitOutcome, broken: bool) -> Iterator[str]:
    """Yield the problems of a visit as a whole. A broken run is reported once, not again for each visit cut short."""
    visit = outcome.visit
    if outcome.status in LOUD:
        yield f"{LOUD[outcome.status]}: {outcome.why or visit.failure}"
    elif outcome.status == "running":
        yield "the visit ended without a report; see the log, and please report it"
    elif outcome.status == "cut-short" and not broken:
        yield f"{outcome.why or 'ended early by a second signal'}; what was read is stored, the next run continues"
    if visit.deferred and not visit.attempted and not broken:
        yield (
            f"no post was requested, {visit.deferred} wait: the day's budget was already used up; raise requests_a_day"
            " in its stanza"
        )
    if visit.unknown_line and not broken:
        yield visit.unknown_line


def not_begun(run: Run) -> list[str]:
    """Return one line if the run ended before it had visited all clinics."""
    waiting = run.not_begun
    if not waiting or run.broken:  # the reason is reported already
        return []
    more = f" and {len(waiting) - MAX_NAMES} more" if len(waiting) > MAX_NAMES else ""
    ended = "its time limit" if run.out_of_time else "a signal"
    return [
        f"{len(waiting)} of {len(waiting) + len(run.outcomes)} clinics not begun when {ended} ended the run:"
        f" {', '.join(waiting[:MAX_NAMES])}{more}; the next run begins with those that have waited longest"
    ]


def brief(run: Run) -> list[str]:
    """Return the problem lines, shortened to what a person reads."""
    return [*not_begun(run), *shortened(problem_notices(run))]


def summary(run: Run) -> dict[str, Any]:
    """Return what `--json` prints: the run, and each clinic's numbers."""
    return {
        "crawl_id": run.crawl_id,
        "archive": str(run.archive),
        "not_begun": run.not_begun,
        "clinics": {
            clinic_id: {
                "status": outcome.status,
                "platform": outcome.visit.platform,
                "maker": outcome.visit.maker,
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
