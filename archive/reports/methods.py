"""What a paper says of how an archive was made: one paragraph of prose, out of the archive's own rows."""

from __future__ import annotations

from collections import Counter
from datetime import date

from archive.reports.coverage import Coverage

OBSERVED = (
    "A clinic-day counts as observed when at least one visit that began on it came to its end under no limit, left no"
    " post that was due for later, and was answered for every post that it asked for."
)
MISSED = {
    "partial": "observed in part", "failed": "visited without success", "refused": "refused by robots.txt",
    "not-attempted": "not visited",
}  # fmt: skip


def paragraph(told: Coverage) -> str:
    """The period, the clinics, the visits and what they missed, in English for a section on methods."""
    if told.first is None or told.last is None:
        return "No visit was made in this period."
    length = (date.fromisoformat(told.last) - date.fromisoformat(told.first)).days + 1
    blogs = Counter(one.blog for one in told.clinics)
    kinds = [f"{blogs['blog']:,} with a blog", f"{blogs['none']:,} without one"]
    kinds += [f"{blogs['unknown']:,} of which it could not be told"] if blogs["unknown"] else []
    software = [name.replace("/", " ") for name in told.software]
    clinics = _many(len(told.clinics), "clinic")
    sentences = (
        f"From {told.first} to {told.last} ({_many(length, 'day')}, UTC) {clinics} {_was(len(told.clinics))} followed,"
        f" {_and(kinds)}.",
        f"{_many(told.visits, 'visit')} {_was(told.visits)} made, of which {told.complete_visits:,}"
        f" {_was(told.complete_visits)} complete.",
        _share(told),
        _longest_gap(told),
        _not_due(told),
        f"In this period {_many(told.posts, 'post')} {_was(told.posts)} read; {_many(told.edits, 'edit')} of their"
        f" texts and {_many(told.readings, 'reading')} of their counters (views, likes, comments;"
        " what the server called unchanged is not counted) were recorded.",
        "The rules of each host's robots.txt were obeyed: what they forbid was not asked for.",
        f"The visits were made with {_and(software)}." if software else "",
    )
    return " ".join(filter(None, sentences))


def _share(told: Coverage) -> str:
    """What a day of observation is, and how many there were."""
    if not told.days:
        return "On no day was there a blog to observe."
    seen, missed = told.states["observed"], told.days - told.states["observed"]
    of_all = (
        f"Of {_many(told.days, 'clinic-day')} (counted from each clinic's first visit, without days on which it had no"
        f" blog or was retired) {seen:,} ({100 * seen / told.days:.1f}%) {_was(seen)} observed"
    )
    why = [
        f"{told.states[state]:,} {_was(told.states[state])} {words}"
        for state, words in MISSED.items()
        if told.states[state]
    ]
    return f"{OBSERVED} {of_all}{f'; {_and(why)}' if missed else ''}."


def _longest_gap(told: Coverage) -> str:
    if not told.gaps:
        return ""
    gap = told.gaps[0]
    when = gap.first if gap.days == 1 else f"{gap.first} to {gap.last}"
    return f"The longest interval without an observed day lasted {_many(gap.days, 'day')} ({gap.clinic_id}, {when})."


def _not_due(told: Coverage) -> str:
    """That not every visit asks for every post."""
    if not told.not_due:
        return ""
    left = f"{_many(told.not_due, 'time')} one was left until it was due"
    return f"Posts that nothing called changed were not asked for at every visit ({left})."


def _many(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _and(parts: list[str]) -> str:
    """One; one and another; one, another and a third."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
