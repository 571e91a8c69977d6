"""Two wordings of a post beside each other: when the change was made, its words, its neighbours, both readings."""

from __future__ import annotations

import sqlite3
from typing import Any

from archive.site.pages._rows import Row, row
from archive.site.pages.compare import Line
from archive.site.pages.post import counts_near


def comparison(connection: sqlite3.Connection, found: list[Row], from_id: int, to_id: int) -> dict[str, Any]:
    """Return what the page of a comparison says about two of a post's revisions (`revisions.revisions`).

    `interval`: the dates between which the text changed, None where the sources differ; `is_edit`: the two are an edit
    and the text before it; `is_reverse`: the first is the later one; `between`: revisions of that source between the
    two; `edit`: the words of the edit (`cache_edits`), None if it is none, or is not derived; `earlier`, `later`: the
    edits before and after; `readings`: the readings nearest to each wording. Raises `sqlite3.Error`.
    """
    by_id = {revision["revision_id"]: place for place, revision in enumerate(found)}
    first, last = sorted((by_id[from_id], by_id[to_id]))
    old, new = found[first], found[last]
    is_comparable = old["source"] == new["source"] and old is not new
    edit = row(
        connection,
        "SELECT removed, added, words_removed, words_added, kind FROM cache_edits WHERE revision_id = ? AND"
        " old_revision_id = ?",
        (new["revision_id"], old["revision_id"]),
    )
    edits = [revision for revision in found if revision["kind"] == "content" and revision["before"]]
    return {
        "interval": (old["last_seen_at"] or old["captured_at"], new["captured_at"]) if is_comparable else None,
        "is_edit": new["kind"] == "content" and new["before"] is old,
        "is_reverse": by_id[from_id] > by_id[to_id],
        "between": sum(revision["source"] == new["source"] for revision in found[first + 1 : last]),
        "edit": edit,
        "earlier": next((each for each in reversed(edits) if by_id[each["revision_id"]] < last), None),
        "later": next((each for each in edits if by_id[each["revision_id"]] > last), None),
        "readings": [
            (found[by_id[number]], counts_near(connection, old["post_id"], found[by_id[number]]))
            for number in (from_id, to_id)
        ],
    }


def words(lines: list[Line], title: list[Line], kind: str) -> int:
    """Return the number of words that a comparison shows as removed (`out`) or added (`in`)."""
    pieces = (piece for line in [*title, *lines] for piece in line.pieces if piece.kind == kind)
    return sum(len(piece.text.split()) for piece in pieces)


def as_text(heading: list[str], title: list[Line], lines: list[Line]) -> str:
    """Return a comparison as plain text; what was removed stands in [-…-], what was added in {+…+}, as in wdiff."""
    marked = [_marked(line) for line in title]
    return "\n".join([*heading, "", *marked, "", *(_marked(line) for line in lines)]) + "\n"


def _marked(line: Line) -> str:
    marks = {"out": "[-{}-]", "in": "{{+{}+}}", "same": "{}"}
    return "".join(marks[piece.kind].format(piece.text) for piece in line.pieces)
