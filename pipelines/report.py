"""Report: how the run went at each clinic, as rows, as one line a problem, and as an exit code."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, Self

from scrapy import signals
from scrapy.crawler import Crawler

from archive import runs
from archive.warc import WarcWriteError
from pipelines.run import Outcome, Run, utc
from scraper.spiders.blog import BlogSpider

logger = logging.getLogger(__name__)

DONE, UNEXPECTED, USAGE, CLINICS_FAILED, BAD_CONFIG, DEGRADED, INTEGRITY, LOCKED, STOPPED = 0, 1, 2, 3, 4, 5, 6, 75, 130


class Report:
    """Writes the end of a clinic's run to the archive and its WARC."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._stands_alone = not Run.is_open(crawler.settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        report = cls(crawler)
        crawler.signals.connect(report.spider_closed, signals.spider_closed)
        crawler.signals.connect(report.engine_stopped, signals.engine_stopped)
        return report

    def spider_closed(self, spider: BlogSpider, reason: str) -> None:
        """The clinic's run is over: count, judge, write it down."""
        if not isinstance(spider, BlogSpider) or not Run.is_open(self._crawler.settings):
            return
        run = Run.of(self._crawler.settings)
        outcome = run.outcomes.get(spider.clinic.slug)
        if outcome is None:
            return
        outcome.status, why = judge(outcome, reason, run.broken)
        visit = outcome.visit
        for note in visit.notes:
            logger.info("%s: %s", spider.clinic.slug, note)
        if run.broken:
            return
        rows = runs.count_rows(run.db, run.crawl_id, spider.clinic.slug)
        outcome.rows = rows
        complete = outcome.status == "done" and not visit.limited and visit.failed == 0
        now = utc(datetime.now(UTC))
        row: dict[str, Any] = {
            "ended_at": now, "status": outcome.status, "complete": int(complete), "discovered": visit.discovered,
            "fetched": visit.fetched, "unchanged": visit.unchanged, "failed": visit.failed, "posts": rows["posts"],
            "new_posts": rows["new_posts"], "new_revisions": rows["new_revisions"], "readings": rows["readings"],
            "comments": rows["comments"], "wire_bytes": rows["wire_bytes"],
            "found_in": json.dumps(visit.found_in), "note": "; ".join(filter(None, [why, *visit.notes])) or None,
        }  # fmt: skip
        runs.save_clinic_run(run.db, run.crawl_id, spider.clinic.slug, row, visit.platform)
        runs.save_blog_status(run.db, spider.clinic.slug, visit.blog_status)
        try:
            run.end(spider.clinic.slug, {name: json.dumps(value) for name, value in row.items()})
        except WarcWriteError as error:
            run.broken = str(error)

    def engine_stopped(self) -> None:
        """Under plain `scrapy crawl` the run was opened by its components, and ends with the engine."""
        if self._stands_alone and Run.is_open(self._crawler.settings):
            run = Run.of(self._crawler.settings)
            for line in complaints(run):
                logger.error("%s", line)
            run.close(exit_code(run, stopped=False), json.dumps(summary(run), ensure_ascii=False))


def judge(outcome: Outcome, reason: str, broken: str | None) -> tuple[str, str | None]:
    """How the run at a clinic ended, and why if not well: "done", "failed" or "cut-short" (ended from outside).

    A clinic fails when discovery gave nothing or over half of its pages failed.
    """
    visit = outcome.visit
    if broken:
        return "cut-short", broken
    if visit.failure:
        return "failed", visit.failure
    if not visit.finished:
        return "cut-short", f"ended early ({reason})"
    if visit.failed * 2 > visit.asked:
        return "failed", f"{visit.failed} of {visit.asked} posts could not be read"
    return "done", None


def exit_code(run: Run, *, stopped: bool) -> int:
    """The process's exit code (README, "Exit codes")."""
    if run.broken:
        return UNEXPECTED
    statuses = {outcome.status for outcome in run.outcomes.values()}
    if "failed" in statuses:
        return CLINICS_FAILED
    if stopped or "cut-short" in statuses:
        return STOPPED
    return DONE


def complaints(run: Run) -> list[str]:
    """One line a problem, for stderr: what cron mails."""
    lines: list[str] = []
    if run.broken:
        lines.append(run.broken)
    for clinic_id, outcome in run.outcomes.items():
        visit = outcome.visit
        if outcome.status == "failed":
            lines.append(f"{clinic_id}: failed: {judge(outcome, '', None)[1]}")
        elif outcome.status == "cut-short" and not run.broken:
            lines.append(f"{clinic_id}: ended early; what was read is kept, the next run goes on")
        if outcome.status != "failed" and visit.failed:
            lines.append(f"{clinic_id}: {visit.failed} of {visit.asked} posts could not be read:")
        if visit.platform is not None:
            lines += [f"{clinic_id}: {message}" for message in dict.fromkeys(outcome.problems)][:20]
    return lines


def summary(run: Run) -> dict[str, Any]:
    """What `--json` prints: the run, and each clinic's numbers."""
    return {
        "crawl_id": run.crawl_id,
        "archive": str(run.archive),
        "clinics": {
            clinic_id: {
                "status": outcome.status,
                "platform": outcome.visit.platform,
                "discovered": outcome.visit.discovered,
                "found_in": outcome.visit.found_in,
                "fetched": outcome.visit.fetched,
                "unchanged": outcome.visit.unchanged,
                "failed": outcome.visit.failed,
                "requests": outcome.captures,
                "warc_bytes": outcome.warc_bytes,
                **outcome.rows,
                "problem_lines": list(dict.fromkeys(outcome.problems)),
                "notes": outcome.visit.notes,
                "failure": outcome.visit.failure,
            }
            for clinic_id, outcome in run.outcomes.items()
        },
    }
