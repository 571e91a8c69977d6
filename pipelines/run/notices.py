"""What was told of an archive's problems: one that stays is told on its first day, then once a week with its age.

Cron mails what is printed, and a mail that comes every day is read no more. The memory is `log/told.json` in the
archive: digests of problems, no words. Without it, or where it is damaged, everything is new.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import click

from scraper.addresses import post_key

FILE = Path("log") / "told.json"
AGAIN = timedelta(days=7) - timedelta(hours=12)  # cron begins a quarter of an hour earlier or later each day
FORGOTTEN = timedelta(days=90)  # not met for so long, as of a clinic that is visited no more
MOST_PROBLEMS = 50_000  # that are remembered, some 6 MB; those met last
MOST_LINES = 20  # about one clinic: who is mailed reads no more
RUN, WATCHER = "_runs", "_watcher"  # what a line is about that is about no clinic; no slug begins so


class Notice(NamedTuple):
    """A problem in one line, and what it is about: a clinic's slug, `RUN` or `WATCHER`."""

    about: str
    line: str


class Seen(NamedTuple):
    """When a problem was first met, last told without a terminal (None: never), and last met; on which page, if any."""

    since: datetime
    told: datetime | None
    seen: datetime
    page: str | None = None  # a digest of its `post_key`


History = Mapping[tuple[str, str], Seen]  # by what it is about, and which problem


def notices_of(lines: Iterable[str], clinics: Collection[str] = ()) -> list[Notice]:
    """Each line with what it is about: it begins with one of the clinics, or with a file below `warc/CLINIC/`."""
    found = []
    for line in lines:
        # A line of a run that was killed: "warc/riverside/riverside-2026...warc.gz: an earlier run was killed; ..."
        file = re.match(r"warc/([a-z0-9-]+)/", line)
        name = file[1] if file else line.partition(": ")[0]
        found.append(Notice(name if file or name in clinics else RUN, line))
    return found


def problem_of(line: str) -> str:
    """What two lines about the same problem share: numbers, dates and ids outside addresses may differ.

    "a: 3 of 4 posts could not be read" and "a: 1 of 1 post could not be read" give the same. Addresses stay as they
    are, but for values in a query of more than 40 characters, which are cursors and tokens; and so do clinics.
    """
    parts = re.split(r"(^[a-z0-9-]+: |https?://\S+)", line)
    for place, part in enumerate(parts):
        if place % 2:
            parts[place] = re.sub(r"(?<==)[^&#=]{41,}", "#", part)
        else:
            part = re.sub(r"\b[0-9a-f]{8,}\b", "#", part)  # "1a2b3c4d", the beginning of a run's id
            part = re.sub(r"\d+(?:[-.,:T]\d+)*Z?", "#", part)  # "12", "2.5", "2026-03-01T03:17:00Z"
            parts[place] = re.sub(r"(?<=# )(\w{2,})s\b", r"\1", part)  # "1 post", "2 posts"
    return "".join(parts)


def due_notices(
    memory: History,
    complaints: Sequence[Notice],
    over: Mapping[str, Collection[str]],
    now: datetime,
    *,
    terminal: bool = False,
) -> tuple[list[Notice], dict[tuple[str, str], Seen]]:
    """The complaints that are to be told now, those from before today with their age, and what is known from now on.

    `over`: what a run saw to its end, so that a problem of it which is no longer met is forgotten, and new when it
    comes back; but none of the pages (`post_key`) that were not asked for. On a `terminal` all are told, and that
    counts for nothing: who is mailed has not seen them. A moment that lies in the future, of a clock that was wrong,
    holds nothing back.
    """
    met = {(one.about, _digest(problem_of(one.line))) for one in complaints}
    left = {about: {_digest(key) for key in pages} for about, pages in over.items()}
    after = {
        key: known._replace(seen=min(known.seen, now))
        for key, known in memory.items()
        if key not in met and (key[0] not in over or known.page in left[key[0]]) and now - known.seen < FORGOTTEN
    }
    due = []
    for one in complaints:
        key = (one.about, _digest(problem_of(one.line)))
        before = memory.get(key)
        if before is None or now - before.seen >= FORGOTTEN:
            before = Seen(now, None, now)
        since, told = min(before.since, now), before.told
        if terminal or told is None or told > now or now - told >= AGAIN:
            days = (now - since).days
            due.append(one._replace(line=f"{one.line} (for {days} day{'s' * (days > 1)})") if days else one)
            told = told if terminal else now
        after[key] = Seen(since, told, now, _page(one.line))
    if len(after) > MOST_PROBLEMS:
        # Those known for longest first: what does not fit is the same in each run, and not now these, now those.
        kept = sorted(after.items(), key=lambda item: (item[1].seen == now, -item[1].since.timestamp()), reverse=True)
        after = dict(kept[:MOST_PROBLEMS])
    return due, after


def shortened(complaints: Iterable[Notice]) -> list[str]:
    """The lines, of each clinic no more than are read."""
    lines: list[str] = []
    for about, group in groupby(complaints, lambda one: one.about):
        said = [one.line for one in group]
        most = len(said) if about in (RUN, WATCHER) else MOST_LINES
        lines += said[:most]
        if len(said) > most:
            lines.append(f"{about}: and {len(said) - most} problems more; the table `problems` has them")
    return lines


def emit(archive: Path, complaints: Sequence[Notice], over: Mapping[str, Collection[str]] | None = None) -> None:
    """Print the due notices to stderr (all of them on a terminal), and remember them in the archive."""
    file, terminal = archive / FILE, sys.stderr.isatty()
    memory = _read(file)
    due, after = due_notices(memory, complaints, over or {}, datetime.now(UTC), terminal=terminal)
    for line in shortened(due):
        click.echo(line, err=True)
    if after != memory:
        _write(file, after)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _page(line: str) -> str | None:
    """Which page the line is about: a digest of the first address in it, whatever scheme it is told with.

    "riverside: https://riverside.example/post/sleep: answered 500" is about `riverside.example/post/sleep`.
    """
    address = re.search(r"https?://\S+", line)
    return _digest(post_key(address[0].rstrip(":;,."))) if address else None


def _read(file: Path) -> dict[tuple[str, str], Seen]:
    """The memory; an empty one where the file is absent or holds anything else."""
    found = {}
    try:
        for about, problems in json.loads(file.read_text("ascii")).items():
            for digest, (*moments, page) in problems.items():
                since, told, seen = (datetime.fromisoformat(one).astimezone(UTC) if one else None for one in moments)
                if since is None or seen is None or not isinstance(page, str | None):
                    return {}
                found[about, digest] = Seen(since, told, seen, page)
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}
    return found


def _write(file: Path, memory: History) -> None:
    """Swapped in whole; where it cannot be written, or no archive is there yet, the next run tells all again."""
    document: dict[str, dict[str, list[str | None]]] = {}
    for (about, digest), known in memory.items():
        moments = [one.isoformat() if one else None for one in known[:3]]
        document.setdefault(about, {})[digest] = [*moments, known.page]
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_text(json.dumps(document), "ascii")
        part.replace(file)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
