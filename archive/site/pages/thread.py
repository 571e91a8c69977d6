"""Comments of a post in the order of a conversation: each below the one it answers."""

from __future__ import annotations

import sqlite3

from archive.site.pages._rows import Row, rows
from archive.site.pages.sanitise import paragraphs, sanitised

AT_ONCE = 200
_DEEPEST = 8  # levels that are set in; what is deeper says whom it answers


def page_of(connection: sqlite3.Connection, post_id: int, comment_id: int) -> int:
    """The page of `conversation` on which a comment stands; 1 for one that is not there. Raises `sqlite3.Error`."""
    order = [one for one, _ in _ordered(connection, post_id)]
    return order.index(comment_id) // AT_ONCE + 1 if comment_id in order else 1


def conversation(connection: sqlite3.Connection, post_id: int, page: int = 1) -> tuple[list[Row], int]:
    """A page of `AT_ONCE` comments in the order of their threads, and the number of all.

    Each has its `depth` (0 answers nobody), `indent` (no deeper than a page is wide), `answers` (the row above that it
    replies to, None where that one is not kept) and its text as safe HTML. A circle of parents is cut at its first
    member. Raises `sqlite3.Error`.
    """
    ordered = _ordered(connection, post_id)
    return _whole(connection, ordered[(page - 1) * AT_ONCE : page * AT_ONCE]), len(ordered)


def _ordered(connection: sqlite3.Connection, post_id: int) -> list[tuple[int, int]]:
    """Key and depth of all comments of a post."""
    found = rows(
        connection,
        "SELECT comment_id, parent_id, parent_platform_comment_id FROM comments WHERE post_id = ? ORDER BY"
        " coalesce(posted_at, '~'), comment_id",
        (post_id,),
    )
    children: dict[int | None, list[Row]] = {}
    known = {one["comment_id"] for one in found}
    for one in found:
        children.setdefault(one["parent_id"] if one["parent_id"] in known else None, []).append(one)
    ordered: list[tuple[int, int]] = []
    seen: set[int] = set()
    waiting = [(one["comment_id"], 0) for one in reversed(children.get(None, []))]
    # Those that only answer each other are reached from nowhere: they come last, as they are.
    rest = [(one["comment_id"], 0) for one in reversed(found)]
    for start in (waiting, rest):
        while start:
            comment_id, depth = start.pop()
            if comment_id in seen:
                continue
            seen.add(comment_id)
            ordered.append((comment_id, depth))
            start += [(one["comment_id"], depth + 1) for one in reversed(children.get(comment_id, []))]
    return ordered


def _whole(connection: sqlite3.Connection, ordered: list[tuple[int, int]]) -> list[Row]:
    marks = ",".join("?" * len(ordered))
    found = {
        one["comment_id"]: one
        for one in rows(
            connection,
            "SELECT comment_id, parent_id, parent_platform_comment_id, author, author_kind, posted_at,"
            " posted_at_precision, body_html, body_text, likes, status, edited, first_seen_at, last_seen_at,"
            " last_capture_id, (SELECT count(*) FROM comment_revisions AS r WHERE r.comment_id = comments.comment_id)"
            " AS earlier, (SELECT count(*) FROM absences AS a WHERE a.comment_id = comments.comment_id AND a.seen_at >"
            f" comments.last_seen_at) AS missing FROM comments WHERE comment_id IN ({marks})",
            [comment_id for comment_id, _ in ordered],
        )
    }
    told = []
    for comment_id, depth in ordered:
        one = found[comment_id]
        one["depth"], one["indent"] = depth, min(depth, _DEEPEST)
        one["html"] = sanitised(one["body_html"]) or paragraphs(one["body_text"])
        one["answers"] = found.get(one["parent_id"]) if depth else None
        one["orphan"] = depth == 0 and one["parent_platform_comment_id"] is not None
        told.append(one)
    return told
