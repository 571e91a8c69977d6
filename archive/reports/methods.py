"""The methods paragraph of a paper: how an archive was made, in prose, computed from the archive's rows."""

from __future__ import annotations

from collections import Counter
from datetime import date

from archive.reports.coverage import Coverage

OBSERVED = (
    "A clinic-day counts as observed if at least one visit that began on that day ended normally, had no limit,"
    " deferred no post that was due, and received an answer for every post that it requested."
)
MISSED = {
    "partial": "partly observed",
    "failed": "visited without success",
    "refused": "refused by robots.txt",
    "not-attempted": "not visited",
}


def paragraph(coverage: Coverage) -> str:
    """Describe the period, the clinics, the visits and what they missed, in English for the methods of a paper."""
    if coverage.first is None or coverage.last is None:
        return "No visit was made in this period."
    length = (date.fromisoformat(coverage.last) - date.fromisoformat(coverage.first)).days + 1
    blogs = Counter(clinic.blog for clinic in coverage.clinics)
    kinds = [f"{blogs['blog']:,} with a blog", f"{blogs['none']:,} without one"]
    kinds += _unread(coverage, blogs["unread"])
    kinds += [f"{blogs['unknown']:,} for which this is not known"] if blogs["unknown"] else []
    software = [name.replace("/", " ") for name in coverage.software]
    sentences = (
        f"From {coverage.first} to {coverage.last} ({_many(length, 'day')}, UTC)"
        f" {_were(len(coverage.clinics), 'clinic')} followed, {_and(kinds)}.",
        f"{_were(coverage.visits, 'visit')} made, of which {coverage.complete_visits:,}"
        f" {_was(coverage.complete_visits)} complete.",
        _observed_share(coverage),
        _longest_gap(coverage),
        _not_due(coverage),
        _doubtful(coverage),
        f"In this period {_were(coverage.posts, 'post')} read; {_many(coverage.edits, 'edit')} of their texts and"
        f" {_many(coverage.readings, 'reading')} of their counters (views, likes, comments;"
        " answers of 304 Not Modified are not counted) were recorded.",
        "The rules of each host's robots.txt were obeyed: what they disallow was not requested.",
        f"The visits were made with {_and(software)}." if software else "",
    )
    return " ".join(filter(None, sentences))


def _unread(coverage: Coverage, number: int) -> list[str]:
    """Count the clinics whose blog, if any, was not read, by the platform of their site."""
    platforms = Counter(clinic.platform or "not recognised" for clinic in coverage.clinics if clinic.blog == "unread")
    by_number = sorted(platforms.items(), key=lambda pair: (-pair[1], pair[0]))
    named = ", ".join(f"{many:,} {name}" for name, many in by_number)
    return [f"{number:,} on a platform that the program does not read ({named})"] if number else []


def _observed_share(coverage: Coverage) -> str:
    """Say when a day counts as observed, and how many days did."""
    if not coverage.days:
        return "There was no blog to observe on any day."
    seen, missed = coverage.states["observed"], coverage.days - coverage.states["observed"]
    of_all = (
        f"Of {_many(coverage.days, 'clinic-day')} (counted from each clinic's first visit, without days on which it had"
        f" no blog or was closed) {seen:,} ({100 * seen / coverage.days:.1f}%) {_was(seen)} observed"
    )
    why = [
        f"{coverage.states[state]:,} {_was(coverage.states[state])} {words}"
        for state, words in MISSED.items()
        if coverage.states[state]
    ]
    return f"{OBSERVED} {of_all}{f'; {_and(why)}' if missed else ''}."


def _longest_gap(coverage: Coverage) -> str:
    if not coverage.gaps:
        return ""
    gap = coverage.gaps[0]
    when = gap.first if gap.days == 1 else f"{gap.first} to {gap.last}"
    return f"The longest interval without an observed day lasted {_many(gap.days, 'day')} ({gap.clinic_id}, {when})."


def _not_due(coverage: Coverage) -> str:
    """Say that not every visit requests every post."""
    if not coverage.not_due:
        return ""
    times = f"a post was left until it was due {_many(coverage.not_due, 'time')}"
    return f"Posts without a sign of change were not requested at every visit ({times})."


def _doubtful(coverage: Coverage) -> str:
    """Say on how many days a site answered with something else than its pages."""
    days, missed = coverage.doubtful_days, coverage.doubtful_missed
    if not days:
        return ""
    return (
        f"On {_many(days, 'clinic-day')}, {missed:,} of which {_was(missed)} not observed, a site answered at least"
        " once with something else than the requested page (a bot wall, a parking, maintenance or login page, an"
        " empty page); such answers are evidence neither of a text nor of a removal: nothing was taken from them."
    )


def _many(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _were(number: int, word: str) -> str:
    return f"{_many(number, word)} {_was(number)}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _and(parts: list[str]) -> str:
    """Join parts: "a", "a and b", "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
