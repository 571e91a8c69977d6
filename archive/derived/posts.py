"""All that is derived from the texts of one post: a pure function of its revisions, so that any process may call it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from archive.derived.edits import Edit, Wording, edit_between
from archive.derived.fates import Step, intervals
from archive.derived.sentences import SEGMENTER, sentences_digest, split_sentences


class RevisionText(NamedTuple):
    """A text of a post as a row of `revisions` has it.

    `last_seen_at`, `last_capture_id`: of an edit, the last sighting of the post's text from this source before it.
    """

    revision_id: int
    capture_id: str
    captured_at: str
    kind: str
    source: str
    version: int
    title: str | None
    text: str
    last_seen_at: str | None = None
    last_capture_id: str | None = None


class EditRow(NamedTuple):
    """An edit as a row of `cache_edits` has it, without what the row of its post and of its capture say."""

    revision_id: int
    old_revision_id: int
    source: str
    old_last_seen_at: str
    new_first_seen_at: str
    removed: str | None
    added: str | None
    words_removed: int
    words_added: int
    kind: str
    old_capture_id: str
    capture_id: str


class PostToDerive(NamedTuple):
    """A post to be derived: all its revisions if it was edited, else those that are `due`."""

    post_id: int
    revisions: list[RevisionText]
    due: frozenset[int]


@dataclass(slots=True)
class Derived:
    """The rows of a post by their table, the values in the order of its columns."""

    post_id: int
    cut: list[tuple[int, str, int, str]] = field(default_factory=list)  # of cache_derived
    sentences: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    edits: list[EditRow] = field(default_factory=list)
    fates: list[tuple[Any, ...]] = field(default_factory=list)


def derive_posts(posts: Iterable[PostToDerive]) -> list[Derived]:
    """Return what `derive_post` returns for each post."""
    return [derive_post(post) for post in posts]


def derive_post(post: PostToDerive) -> Derived:
    """Derive a post's rows: the sentences of the revisions that are due, and the edits and fates of all."""
    result = Derived(post.post_id)
    wordings: dict[int, Wording] = {}
    for each in post.revisions:
        found = split_sentences(each.text)
        wordings[each.revision_id] = Wording(each.title, each.text, found)
        if each.revision_id in post.due:
            result.cut.append((each.revision_id, SEGMENTER, len(found), sentences_digest(found)))
            result.sentences += [(each.revision_id, place, *sentence) for place, sentence in enumerate(found)]
    if any(each.kind == "content" for each in post.revisions):
        ordered = sorted(post.revisions, key=lambda each: each.source)
        for source, texts in groupby(ordered, key=lambda each: each.source):
            _add_source(result, source, in_order(texts), wordings)
        result.edits = _once(result.edits)
    return result


def _once(edits: Iterable[EditRow]) -> list[EditRow]:
    """Return the edits, of those that several sources show the first: a page and an API give the same new text."""
    found: list[EditRow] = []
    for edit in sorted(edits, key=lambda each: (each.new_first_seen_at, each.revision_id)):
        if not any(_is_same(edit, earlier) for earlier in found):
            found.append(edit)
    return found


def _is_same(edit: EditRow, earlier: EditRow) -> bool:
    """Return whether another source showed the same words going and coming, in an interval that overlaps."""
    words = (edit.kind, edit.removed, edit.added)
    return (
        edit.source != earlier.source
        and words == (earlier.kind, earlier.removed, earlier.added)
        and edit.old_last_seen_at < earlier.new_first_seen_at
    )


def in_order(revisions: Iterable[RevisionText]) -> list[RevisionText]:
    """Return a post's texts of one source in the order of their captures; of one capture, older readings first."""
    return sorted(revisions, key=lambda each: (each.captured_at, each.capture_id, each.version, each.revision_id))


def _add_source(result: Derived, source: str, texts: Sequence[RevisionText], wordings: dict[int, Wording]) -> None:
    """Add the edits and fates of the texts of one source; none where it was never edited."""
    steps: list[Step] = []
    edited = False
    for place, new in enumerate(texts):
        old = before(texts[:place], new) if new.kind == "content" else None
        if old is None:
            steps.append(Step(new.revision_id, new.captured_at, wordings[new.revision_id]))
            continue
        edited = True
        edit = edit_between(wordings[old.revision_id], wordings[new.revision_id])
        seen = (new.last_seen_at or old.captured_at, new.last_capture_id or old.capture_id)
        result.edits.append(_row(old, new, edit, seen))
        if steps[-1].revision_id != old.revision_id:
            steps.append(Step(old.revision_id, old.captured_at, wordings[old.revision_id]))
        changes = None if edit.kind in ("space", "links") else edit.changes
        steps.append(Step(new.revision_id, new.captured_at, wordings[new.revision_id], changes, *seen))
    if edited:
        result.fates += [(result.post_id, source, *asdict(each).values()) for each in intervals(steps)]


def _row(old: RevisionText, new: RevisionText, edit: Edit, seen: tuple[str, str]) -> EditRow:
    """Return the row of an edit. `seen`: when and in which capture the old text was seen last."""
    return EditRow(
        new.revision_id,
        old.revision_id,
        new.source,
        seen[0],
        new.captured_at,
        edit.removed,
        edit.added,
        edit.words_removed,
        edit.words_added,
        edit.kind,
        seen[1],
        new.capture_id,
    )


def before(earlier: Sequence[RevisionText], new: RevisionText) -> RevisionText | None:
    """Return the text that an edit replaced: that of the capture before, as the same version of the parser reads it.

    As the newest version reads it where that version read it no more; None without an earlier capture.
    """
    others = [each for each in earlier if each.capture_id != new.capture_id]
    if not others:
        return None
    readings = [each for each in others if each.capture_id == others[-1].capture_id]
    return next((each for each in readings if each.version == new.version), readings[-1])
