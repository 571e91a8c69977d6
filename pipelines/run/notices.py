"""Notices about an archive's problems: a lasting problem is printed on its first day, then once a week with its age.

Cron mails what is printed, and nobody reads a mail that comes every day. `log/told.json` in the archive remembers the
problems by digests, without their words. Where it is missing or damaged, every problem is new.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from pipelines.printing import echo, is_terminal
from scraper.addresses import post_key

MEMORY_FILE = Path("log") / "told.json"
REPEAT_INTERVAL = timedelta(days=7) - timedelta(hours=12)  # cron begins a quarter of an hour earlier or later each day
FORGET_AFTER = timedelta(days=90)  # not met for this long, as at a clinic that is no longer visited
MAX_PROBLEMS = 50_000  # that are remembered, some 6 MB; the newest
MAX_LINES = 20  # about one clinic: nobody reads more in a mail
FEW_CLINICS, NAMED = 3, 3  # so many clinics still have lines of their own; a line about many clinics names so many
RUN, WATCHER = "_runs", "_watcher"  # `Notice.about` where it is no clinic; no slug begins so


class Notice(NamedTuple):
    """A problem in one line.

    `about`: a clinic's slug, `RUN` or `WATCHER`. `kind` and `url`: those of the `Problem`, where it is one; with both,
    the problem stays the same when its line is worded differently. `lists`: the command that lists all of its kind.
    """

    about: str
    line: str
    kind: str | None = None
    url: str | None = None
    lists: str | None = None


class Seen(NamedTuple):
    """When a problem was first met, last printed without a terminal (None: never), and last met; on which page."""

    first_met: datetime
    mailed: datetime | None
    last_met: datetime
    page: str | None = None  # a digest of the page's `post_key`


Key = tuple[str, str]  # what a problem is about, and its digest
Memory = Mapping[Key, Seen]


def notices_of(lines: Iterable[str], clinics: Collection[str] = ()) -> list[Notice]:
    """Return a notice for each line: about the clinic that it begins with, or whose file below `warc/` it names."""
    notices = []
    for line in lines:
        # A line about a run that was killed: "warc/riverside/riverside-2026...warc.gz: an earlier run was killed; ..."
        file = re.match(r"warc/([a-z0-9-]+)/", line)
        name = file[1] if file else line.partition(": ")[0]
        notices.append(Notice(name if file or name in clinics else RUN, line))
    return notices


def problem_of(notice: Notice) -> str:
    """Return what two notices of the same problem have in common: kind and address, else the words of the line.

    Numbers in a kind do not count ("http-500", "http-503"), nor do scheme and `www.` of an address, nor values in its
    query of more than 40 characters, which are cursors and tokens.
    """
    if notice.kind is None or notice.url is None:
        return without_numbers(notice.line)
    return f"{re.sub(r'[0-9]+', '#', notice.kind)} {_without_tokens(post_key(notice.url))}"


def without_numbers(line: str) -> str:
    """Return the line without what may differ from day to day: numbers, dates and ids outside addresses.

    "a: 3 of 4 posts could not be read" and "a: 1 of 1 post could not be read" give the same. Clinics and addresses stay
    as they are, except for values of more than 40 characters in a query.
    """
    parts = re.split(r"(^[a-z0-9-]+: |https?://\S+)", line)
    for number, part in enumerate(parts):
        if number % 2:
            parts[number] = _without_tokens(part)
        else:
            part = re.sub(r"\b[0-9a-f]{8,}\b", "#", part)  # "1a2b3c4d", the beginning of a run's id
            part = re.sub(r"\d+(?:[-.,:T]\d+)*Z?", "#", part)  # "12", "2.5", "2026-03-01T03:17:00Z"
            parts[number] = re.sub(r"(?<=# )(\w{2,})s\b", r"\1", part)  # "1 post", "2 posts"
    return "".join(parts)


def due_notices(
    memory: Memory,
    notices: Sequence[Notice],
    unrequested: Mapping[str, Collection[str]],
    now: datetime,
    *,
    terminal: bool = False,
) -> tuple[list[Notice], dict[Key, Seen]]:
    """Return the notices to be printed now, older ones with their age, and what is remembered from now on.

    `unrequested`: the clinics whose visit was complete, each with the pages (`post_key`) that were not requested. A
    problem of such a clinic that was not met again is forgotten, unless it is about one of those pages; when it comes
    back, it is new. On a `terminal` all notices are due, and none counts as mailed. A moment in the future, from a
    clock that was wrong, suppresses nothing.
    """
    met = {key for notice in notices for key in _keys(notice)}
    skipped = {about: {_digest(page) for page in pages} for about, pages in unrequested.items()}
    after = {
        key: seen._replace(last_met=min(seen.last_met, now))
        for key, seen in memory.items()
        if key not in met
        and (key[0] not in unrequested or seen.page in skipped[key[0]])
        and now - seen.last_met < FORGET_AFTER
    }
    due = []
    for notice in notices:
        before = _recall(memory, notice)
        if before is None or now - before.last_met >= FORGET_AFTER:
            before = Seen(now, None, now)
        first_met, mailed = min(before.first_met, now), before.mailed
        if terminal or mailed is None or mailed > now or now - mailed >= REPEAT_INTERVAL:
            due.append(_with_age(notice, (now - first_met).days))
            mailed = mailed if terminal else now
        after[_keys(notice)[0]] = Seen(first_met, mailed, now, _page(notice))
    if len(after) > MAX_PROBLEMS:
        # The oldest of those met now come first, so that the same problems are dropped in each run.
        newest = sorted(
            after.items(), key=lambda item: (item[1].last_met == now, -item[1].first_met.timestamp()), reverse=True
        )
        after = dict(newest[:MAX_PROBLEMS])
    return due, after


def shortened(notices: Iterable[Notice]) -> list[str]:
    """Return the lines, `MAX_LINES` a clinic and the number of the others.

    More than `MAX_LINES` problems of more than `FEW_CLINICS` clinics give a line for each kind of problem instead.
    """
    notices = list(notices)
    of_clinics = [notice for notice in notices if notice.about not in (RUN, WATCHER)]
    if len(of_clinics) > MAX_LINES and len({notice.about for notice in of_clinics}) > FEW_CLINICS:
        return [notice.line for notice in notices if notice.about in (RUN, WATCHER)] + _by_kind(of_clinics)
    lines: list[str] = []
    for about, group in groupby(notices, lambda notice: notice.about):
        of_clinic = [notice.line for notice in group]
        most = len(of_clinic) if about in (RUN, WATCHER) else MAX_LINES
        lines += of_clinic[:most]
        if len(of_clinic) > most:
            lines.append(f"{about}: and {len(of_clinic) - most} more problems; the table `problems` lists them all")
    return lines


def _by_kind(notices: Iterable[Notice]) -> list[str]:
    """Return a line for each kind of problem, the most frequent first, with the first clinics that have it.

    A notice without a kind is of the kind of its first words: "a: failed: nothing found" is a "failed".
    """
    found: dict[str, list[Notice]] = {}
    for notice in notices:
        words = notice.line.removeprefix(f"{notice.about}: ")
        found.setdefault(notice.kind or without_numbers(words.partition(": ")[0].partition(";")[0]), []).append(notice)
    return [_about_many(kind, same) for kind, same in sorted(found.items(), key=lambda item: -len(item[1]))]


def _about_many(kind: str, notices: Sequence[Notice]) -> str:
    if len(notices) == 1:
        return notices[0].line
    clinics = list(dict.fromkeys(notice.about for notice in notices))
    names = ", ".join(clinics[:NAMED])
    more = f" and {len(clinics) - NAMED:,} more" if len(clinics) > NAMED else ""
    lists = notices[0].lists or f"clinic-archive {'export problems' if notices[0].kind else 'status'}"
    return f"{len(notices):,} times {kind} ({names}{more}); `{lists}` lists them"


def emit(archive: Path, notices: Sequence[Notice], unrequested: Mapping[str, Collection[str]] | None = None) -> None:
    """Print the due notices to stderr (all of them on a terminal), and remember them in the archive.

    `unrequested`: see `due_notices`.
    """
    file, terminal = archive / MEMORY_FILE, is_terminal(err=True)
    memory = _read(file)
    due, after = due_notices(memory, notices, unrequested or {}, datetime.now(UTC), terminal=terminal)
    for line in shortened(due):
        echo(line, err=True)
    if after != memory:
        _write(file, after)


def _keys(notice: Notice) -> tuple[Key, ...]:
    """The key of the notice's problem, then the one by which earlier versions remembered it: a digest of its words."""
    texts = (problem_of(notice), without_numbers(notice.line))
    return tuple((notice.about, _digest(text)) for text in texts)


def _recall(memory: Memory, notice: Notice) -> Seen | None:
    return next((memory[key] for key in _keys(notice) if key in memory), None)


def _with_age(notice: Notice, days: int) -> Notice:
    return notice._replace(line=f"{notice.line} (for {days} day{'s' * (days > 1)})") if days else notice


def _without_tokens(url: str) -> str:
    """The address without the long values in its query: "https://a.example/c?cursor=eyJ..." gives "...?cursor=#"."""
    return re.sub(r"(?<==)[^&#=]{41,}", "#", url)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _page(notice: Notice) -> str | None:
    """The page that the notice is about: a digest of its address, or of the first one in its line, with any scheme.

    "riverside: https://riverside.example/post/sleep: answered 500" is about `riverside.example/post/sleep`.
    """
    found = re.search(r"https?://\S+", notice.line)
    url = notice.url or (found[0].rstrip(":;,.") if found else None)
    return _digest(post_key(url)) if url else None


def _read(file: Path) -> dict[Key, Seen]:
    """The memory; empty where the file is absent or holds anything else."""
    memory = {}
    try:
        for about, problems in json.loads(file.read_text("ascii")).items():
            for digest, (*texts, page) in problems.items():
                first_met, mailed, last_met = (
                    datetime.fromisoformat(text).astimezone(UTC) if text else None for text in texts
                )
                if first_met is None or last_met is None or not isinstance(page, str | None):
                    return {}
                memory[about, digest] = Seen(first_met, mailed, last_met, page)
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}
    return memory


def _write(file: Path, memory: Memory) -> None:
    """Replace the file in one step; where that fails, as before there is an archive, the next run prints all again."""
    document: dict[str, dict[str, list[str | None]]] = {}
    for (about, digest), seen in memory.items():
        moments = [moment.isoformat() if moment else None for moment in seen[:3]]
        document.setdefault(about, {})[digest] = [*moments, seen.page]
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_text(json.dumps(document), "ascii")
        part.replace(file)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
