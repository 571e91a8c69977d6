"""From numbers of requests to bytes, hours and machines, for frames of any size.

Every constant has its source: a line of docs/figures.md (its letter), or crawls of hosted sample clinics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from tests.simulation.visits import Asked

SIZES = (100, 10_000, 1_000_000)
PACE = 2.0  # seconds between two requests to a clinic (the default delay)
AT_ONCE = 300  # clinics that one process visits side by side
PAGE, LIST, SAME = 90_000, 19_000, 1_200  # bytes in the WARC: a page of 405 KB, any other answer, a 304 (H2)
ROW, POST = 1_500, 60_000  # bytes in archive.db: a post at a visit (H2), a new post with its text and search index
CPU = 0.024  # seconds a request: 2,530 requests to 60 hosted sample clinics took 60 s, on a busy machine
BASE, A_CLINIC = 260.0, 2.7  # MB: of a crawl of 10 and of 60 hosted sample clinics, 287 and 424 at the most
REBUILT = 287 / 2  # pages of 405 KB a second and core that a rebuild reads (B3)
MESSAGE = 700  # bytes of a queued visit in Redis: the message and its entries in the queue's tables
CORES = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """What a frame of so many clinics costs."""

    clinics: int
    first: float  # requests of the first round
    a_day: float  # requests a day, the mean of all later days
    most: float  # requests of the busiest of these days
    bytes_a_day: float  # WARC and archive.db
    bytes_again: float  # the same, if no server ever calls a page unchanged
    cpu_a_day: float  # hours of one core
    hours: float  # that one process needs for a day's round
    processes: int  # for a round of at most 20 hours on the busiest day
    memory: float  # MB of these processes
    files_a_day: int
    disk_a_year: float  # bytes, the first round included
    rebuild: float  # hours on four cores, of a year's WARC
    redis: float  # bytes, if every clinic is queued


def cost(clinics: int, sample: int, days: Sequence[Asked]) -> Cost:
    """Return the cost of a frame like the simulated one of `sample` clinics, whose first day is of first visits."""
    scale = clinics / sample
    later = days[1:]
    mean = _mean(later)
    a_day, most = mean.requests * scale, max(day.requests for day in later) * scale
    stored = _stored(mean) * scale
    busiest = max(later, key=lambda day: day.requests)
    round_hours, busy_hours = (_hours(day, scale) for day in (mean, busiest))
    processes = max(ceil(busy_hours / 20), 1)
    new = (days[0].pages + 365 * (mean.pages - mean.known)) * scale
    return Cost(
        clinics=clinics,
        first=days[0].requests * scale,
        a_day=a_day,
        most=most,
        bytes_a_day=stored,
        bytes_again=_stored(replace(mean, known=0)) * scale,
        cpu_a_day=mean.requests * CPU * scale / 3600,
        hours=round_hours,
        processes=processes,
        memory=processes * BASE + min(clinics, processes * AT_ONCE) * A_CLINIC,
        files_a_day=clinics,
        disk_a_year=_stored(days[0]) * scale + 365 * stored,
        rebuild=new / REBUILT / CORES / 3600,
        redis=clinics * MESSAGE,
    )


def _mean(days: Sequence[Asked]) -> Asked:
    total = Asked()
    for day in days:
        total.add(day)
    return Asked(*(round(getattr(total, name) / len(days)) for name in Asked.__slots__))


def _stored(day: Asked) -> float:
    new = day.pages - day.known
    warc = new * PAGE + day.known * SAME + (day.lists + day.threads) * LIST
    return warc + day.pages * ROW + new * POST


def _hours(day: Asked, scale: float) -> float:
    """Return how long one process takes: bounded by the pace of the clinics at once, or by its one core."""
    paced = day.requests * scale * PACE / min(AT_ONCE, max(day.visits * scale, 1))
    return max(paced, day.requests * CPU * scale) / 3600


def lines(costs: Sequence[Cost]) -> Iterator[str]:
    """Yield the table of docs/scale.md."""
    rows = [
        ("requests of the first round", [f"{each.first:,.0f}" for each in costs]),
        ("hours of one core for it", [_short(each.first * CPU / 3600) for each in costs]),
        ("requests a day", [f"{each.a_day:,.0f}" for each in costs]),
        ("requests on the busiest day", [f"{each.most:,.0f}" for each in costs]),
        ("GB a day, WARC and archive.db", [_short(each.bytes_a_day / 1e9) for each in costs]),
        ("the same, if every page is sent again", [_short(each.bytes_again / 1e9) for each in costs]),
        ("hours of one core a day", [_short(each.cpu_a_day) for each in costs]),
        ("hours of a day's round, one process", [_short(each.hours) for each in costs]),
        ("processes (20 hours, busiest day)", [f"{each.processes:,}" for each in costs]),
        ("GB of memory of all processes", [_short(each.memory / 1e3) for each in costs]),
        ("WARC files a day", [f"{each.files_a_day:,}" for each in costs]),
        ("TB of disk after a year", [_short(each.disk_a_year / 1e12) for each in costs]),
        ("hours to rebuild a year, four cores", [_short(each.rebuild) for each in costs]),
        ("MB of Redis, if all are queued", [_short(each.redis / 1e6) for each in costs]),
    ]
    yield f"| clinics | {' | '.join(f'{each.clinics:,}' for each in costs)} |"
    yield f"|---|{'---:|' * len(costs)}"
    for name, values in rows:
        yield f"| {name} | {' | '.join(values)} |"


def _short(value: float) -> str:
    """Two digits, or whole numbers: 0.012, 3.4, 56, 1,234."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
