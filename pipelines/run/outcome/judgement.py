"""The judgement of a visit and of a run: a status for each clinic, an exit code for the process."""

from __future__ import annotations

from archive.rows.evidence import Loss, losses, vanished
from pipelines.exit_codes import ExitCode
from pipelines.run.notices import RUN
from pipelines.run.outcome.field_coverage import FEWEST
from pipelines.run.outcome.outcome import VisitOutcome
from pipelines.run.run import Run
from pipelines.run.visits import Visits


def compare_with_past(run: Visits, outcome: VisitOutcome) -> None:
    """Compare a visit, whose rows are written, with the clinic's past: posts that vanished, fields no longer given."""
    clinic_id, visit = outcome.clinic.slug, outcome.visit
    outcome.vanished = vanished(run.db, run.crawl_id, clinic_id)
    # A visit that was cut short had not reached the counting services, so it is no evidence about counters.
    coverage, started_at = outcome.coverage, outcome.started_at
    measured = (
        coverage.measured(run.db, run.crawl_id, clinic_id, started_at, visit.counters_expected)
        if visit.finished
        else []
    )
    outcome.measured_fields = measured
    past = {loss.field: loss for loss in losses(run.db, clinic_id)}
    for measure in measured:  # the newest measure counts; a field not measured today keeps its last one
        earlier = past.pop(measure.field, None)
        if measure.is_lost:
            since, accepted = (earlier.since, earlier.accepted) if earlier else (outcome.started_at, False)
            past[measure.field] = Loss(*measure, since, accepted)
    outcome.lost_fields = [loss for loss in past.values() if not loss.accepted]


def judge(outcome: VisitOutcome, ended: str, broken: str | None) -> tuple[str, str | None]:
    """Return the status of a visit, and the reason where it did not end well.

    - "done".
    - "degraded": the posts no longer give a field.
    - "moved_or_gone": over a third of the posts vanished at once (where the day's budget left some posts out: over a
      third of those that were requested), or the home page leads to another host.
    - "failed": discovery found nothing, over half of the pages that could be read last time failed, or over half of
      the posts are named by lists alone and answer that they do not exist.
    - "no-blog": an earlier visit already found that the clinic has no blog. One on a platform that is not read is none
      of these: it may have a blog.
    - "cut-short": something outside ended the visit; `ended` says what ("by a signal").

    `broken`: why nothing more can be written, where that ended the run.
    """
    visit = outcome.visit
    if broken:
        return "cut-short", broken
    if visit.failure:
        known = outcome.without_blog and visit.blog_status == "none_found"
        return "no-blog" if known else "failed", visit.failure
    if visit.moved:
        return "moved_or_gone", (
            f"its home page leads to {visit.moved}, on another host: nothing was requested there and no post is marked"
            " removed; if the clinic moved there, change url in its stanza"
        )
    if not visit.finished:
        return "cut-short", f"ended early {ended}"
    # Dead addresses that lists still name fail in each visit: where other posts can be read, the blog is there.
    failed, attempted = (visit.unreadable, visit.expected) if visit.expected else (visit.failed, visit.attempted)
    if failed * 2 > attempted:
        return "failed", f"{failed} of {attempted} posts could not be read"
    listed = visit.attempted + visit.not_due
    if visit.never_there * 2 > listed:
        return "failed", (
            f"{visit.never_there} of {listed} posts answer that they do not exist, though the blog's lists name them;"
            " none of them was ever read; compare the addresses in the lists with those in a browser"
        )
    return _judge_evidence(outcome)


def _judge_evidence(outcome: VisitOutcome) -> tuple[str, str | None]:
    """Judge a visit that ended well by the posts that vanished and the fields that are no longer given."""
    visit, (gone, posts) = outcome.visit, outcome.vanished
    confirm = f"`clinic-archive confirm {outcome.clinic.slug}`"
    losses = ", ".join(f"{loss.field} (by {loss.told} of {loss.expected} posts)" for loss in outcome.lost_fields)
    # Where a budget allowed few requests, one or two posts that are gone prove nothing.
    if gone * 3 > posts or (visit.deferred and gone >= FEWEST and gone * 3 > visit.attempted):
        of = f"{posts} posts" if gone * 3 > posts else f"the {visit.attempted} posts that the day's budget allowed"
        return "moved_or_gone", (
            f"{gone} of {of} answer that they are gone: none is marked removed until {confirm} confirms it"
            f"{f'; that also accepts the fields no longer given: {losses}' if losses else ''}"
        )
    if losses:
        return "degraded", f"no longer given: {losses}; look at the blog, and accept it with {confirm}"
    return "done", None


LARGE_FRAME = 50  # clinics; of more, some fail each day, and a share of them may (`[alert] failed_share`)


def exit_code(run: Run) -> ExitCode:
    """Return the process's exit code (docs/exit-codes.md). A stop requested after the last visit does not count."""
    if run.broken:
        return ExitCode.UNEXPECTED
    statuses = {outcome.status for outcome in run.outcomes.values()}
    if "running" in statuses:  # a visit whose end was neither reached nor reported
        return ExitCode.UNEXPECTED
    failed = sum(outcome.status in ("failed", "moved_or_gone") for outcome in run.outcomes.values())
    allowed = run.failed_share * len(run.outcomes) if len(run.outcomes) > LARGE_FRAME else 0
    if failed > allowed:
        return ExitCode.CLINICS_FAILED
    if "degraded" in statuses:
        return ExitCode.DEGRADED
    if run.not_begun or "cut-short" in statuses:
        return ExitCode.STOPPED
    return ExitCode.DONE


def resolved(run: Run) -> dict[str, set[str]]:
    """Return what the run visited completely, so that an earlier problem that did not recur is over.

    The keys are clinics, and `RUN` for the run itself. The values are the pages of each that were not requested
    (`post_key`): their problems are not over. A visit that failed, was cut short or was limited says nothing about the
    posts that it did not reach, and has no key.
    """
    whole = {"done", "degraded", "no-blog"}
    seen = {
        slug: outcome.visit.skipped_keys
        for slug, outcome in run.outcomes.items()
        if outcome.status in whole and not outcome.visit.limited
    }
    return seen if run.broken else {**seen, RUN: set()}
