"""Whether an archive is well: one judgement and its words, for every page and command that gives one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from archive.reports.disk import parse_time
from archive.reports.status import CLINIC_STATES, ClinicStatus
from archive.reports.status_words import age

# States of clinics that nobody expects to be observed.
_AT_REST = ("closed", "no blog")
_NO_BLOG = {"no blog": "without a blog"}


@dataclass(frozen=True, slots=True)
class Judgement:
    """`well`: True, every clinic with a blog was observed; False, some were not; None, not enough is known to say so.

    `words` is a sentence without a full stop; `counts` the number of clinics in each state that occurs.
    """

    well: bool | None
    words: str
    counts: tuple[tuple[str, int], ...]


def judgement(clinics: Sequence[ClinicStatus], max_age: float) -> Judgement:
    """Judge the clinics of an archive: each should have been observed in the last `max_age` seconds."""
    number = Counter(clinic.state(max_age) for clinic in clinics)
    counts = tuple((state, number[state]) for state in CLINIC_STATES if number[state])
    expected = number["stale"] + number["fresh"]
    others = [f"{count:,} {_NO_BLOG.get(state, state)}" for state, count in counts if state not in ("stale", "fresh")]
    also = f"; {', '.join(others)}" if others else ""
    within = f"in the last {age(max_age)}"
    if not clinics:
        return Judgement(None, "No clinic has been visited yet", counts)
    if number["stale"]:
        of = f"{number['stale']:,} of {expected:,} clinic{'' if expected == 1 else 's'}"
        return Judgement(False, f"{of} {'was' if number['stale'] == 1 else 'were'} not observed {within}{also}", counts)
    if not expected:
        return Judgement(None, f"There is no clinic with a blog to observe{also}", counts)
    if all(state in ("fresh", *_AT_REST) for state, _ in counts):
        return Judgement(True, f"Every clinic{' with a blog' if others else ''} was observed {within}{also}", counts)
    return Judgement(None, f"Every clinic that is known to have a blog was observed {within}{also}", counts)


def at(clinics: Sequence[ClinicStatus], now: datetime) -> list[ClinicStatus]:
    """Return statuses that were read earlier as they are at the time `now` (aware), while no row changes."""

    def seconds(text: str | None) -> float | None:
        time = parse_time(text)
        return (now - time).total_seconds() if time else None

    return [
        replace(clinic, age=seconds(clinic.observed_at), awaited=seconds(clinic.awaited_since)) for clinic in clinics
    ]
