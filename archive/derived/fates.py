"""How long each sentence stood in a post, as one source gave it, and how that ended.

The steps are the post's texts from one source in the order of their captures. A sentence ends only where an edit is: a
text that another version of the parser reads differently is no edit, and what only that reading has, or lacks, has no
fate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archive.derived.edits import Changes, Wording, places

REMOVED, REWORDED, RETURNED = "removed", "reworded", "returned"


@dataclass(frozen=True, slots=True)
class Step:
    """A text of a post. `changes`: what the edit changed that made it; None where it is no edit of the step before.

    `last_seen_at`, `last_capture_id`: when, and in which capture, the text before was seen last.
    """

    revision_id: int
    captured_at: str
    wording: Wording
    changes: Changes | None = None
    last_seen_at: str | None = None
    last_capture_id: str | None = None


@dataclass(slots=True)
class Interval:
    """A time during which a sentence was in the post, as a row of `cache_sentence_fates` has it."""

    revision_id: int
    position: int
    hash: int
    first_seen_at: str
    last_revision_id: int
    last_position: int
    last_seen_at: str | None = None
    last_capture_id: str | None = None
    fate: str | None = None
    missing_at: str | None = None
    next_revision_id: int | None = None
    next_position: int | None = None
    returned_at: str | None = None


def intervals(steps: Sequence[Step]) -> Iterator[Interval]:
    """Yield the intervals of all sentences: those that ended, in order, then those of the last text."""
    present: dict[tuple[int, int], Interval] = {}
    ended: dict[tuple[int, int], Interval] = {}  # the last interval of a sentence that is not there now
    done: list[Interval] = []
    for step in steps:
        now = places(step.wording.sentences)
        for key in [key for key in present if key not in now]:
            interval = present.pop(key)
            if step.changes is not None:
                _end(interval, step, step.changes)
                ended[key] = interval
                done.append(interval)
        for key, place in now.items():
            if key in present:
                present[key].last_revision_id, present[key].last_position = step.revision_id, place
                continue
            present[key] = Interval(step.revision_id, place, key[0], step.captured_at, step.revision_id, place)
            if (before := ended.pop(key, None)) is not None and step.changes is not None:
                before.fate, before.returned_at = RETURNED, step.captured_at
    yield from done
    yield from present.values()


def _end(interval: Interval, step: Step, changes: Changes) -> None:
    interval.next_position = changes.reworded.get(interval.last_position)
    interval.fate = REMOVED if interval.next_position is None else REWORDED
    interval.last_seen_at, interval.last_capture_id = step.last_seen_at, step.last_capture_id
    interval.missing_at, interval.next_revision_id = step.captured_at, step.revision_id
