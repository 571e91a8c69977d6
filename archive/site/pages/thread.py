"""Comments of a post as conversations: each comment follows the one it replies to."""

from __future__ import annotations

import sqlite3

from archive.site.pages._rows import Row, rows
from archive.site.pages.sanitise import paragraphs, sanitised

COMMENTS_PER_PAGE = 200
_MAX_INDENT = 8  # levels that the page indents; a deeper comment names the one it replies to


def page_with_comment(connection: sqlite3.Connection, post_id: int, comment_id: int) -> int:
    """Return the page of `conversation` that holds a comment; 1 if the post has no such comment.

    Raises `sqlite3.Error`.
    """
    order = [ordered_id for ordered_id, _ in _ordered(connection, post_id)]
    return order.index(comment_id) // COMMENTS_PER_PAGE + 1 if comment_id in order else 1


def conversation(connection: sqlite3.Connection, post_id: int, page: int = 1) -> tuple[list[Row], int]:
    """Return one page of a post's comments in the order of their threads, and the number of all its comments.

    Each comment has its `depth` (0: it opens a thread), `indent` (the depth, up to what a page can show), `answers`
    (the row on this page that it replies to, None if it is not on this page) and its text as safe HTML. Of comments
    that only answer each other in a circle, the first one opens the thread. Raises `sqlite3.Error`.
    """
    ordered = _ordered(connection, post_id)
    start = (page - 1) * COMMENTS_PER_PAGE
    return _with_texts(connection, ordered[start : start + COMMENTS_PER_PAGE]), len(ordered)


def _ordered(connection: sqlite3.Connection, post_id: int) -> list[tuple[int, int]]:
    """Return id and depth of all comments of a post."""
    comments = rows(
        connection,
        "SELECT comment_id, parent_id, parent_platform_comment_id FROM comments WHERE post_id = ? ORDER BY"
        " coalesce(posted_at, '~'), comment_id",
        (post_id,),
    )
    children: dict[int | None, list[Row]] = {}
    known = {comment["comment_id"] for comment in comments}
    for comment in comments:
        children.setdefault(comment["parent_id"] if comment["parent_id"] in known else None, []).append(comment)
    ordered: list[tuple[int, int]] = []
    seen: set[int] = set()
    first_comments = [(comment["comment_id"], 0) for comment in reversed(children.get(None, []))]
    # Comments that only answer each other are below no first comment: they come last.
    remaining = [(comment["comment_id"], 0) for comment in reversed(comments)]
    for stack in (first_comments, remaining):
        while stack:
            comment_id, depth = stack.pop()
            if comment_id in seen:
                continue
            seen.add(comment_id)
            ordered.append((comment_id, depth))
            stack += [(reply["comment_id"], depth + 1) for reply in reversed(children.get(comment_id, []))]
    return ordered


def _with_texts(connection: sqlite3.Connection, ordered: list[tuple[int, int]]) -> list[Row]:
    marks = ",".join("?" * len(ordered))
    found = {
        comment["comment_id"]: comment
        for comment in rows(
            connection,
            "SELECT comment_id, parent_id, parent_platform_comment_id, author, author_kind, posted_at,"
            " posted_at_precision, body_html, body_text, likes, status, edited, type, first_seen_at, last_seen_at,"
            " last_capture_id, (SELECT count(*) FROM comment_revisions AS r WHERE r.comment_id = comments.comment_id)"
            " AS earlier, (SELECT count(*) FROM absences AS a WHERE a.comment_id = comments.comment_id AND a.seen_at >"
            f" comments.last_seen_at) AS missing FROM comments WHERE comment_id IN ({marks})",
            [comment_id for comment_id, _ in ordered],
        )
    }
    comments = []
    for comment_id, depth in ordered:
        comment = found[comment_id]
        comment["depth"], comment["indent"] = depth, min(depth, _MAX_INDENT)
        comment["html"] = sanitised(comment["body_html"]) or paragraphs(comment["body_text"])
        comment["answers"] = found.get(comment["parent_id"]) if depth else None
        comment["orphan"] = depth == 0 and comment["parent_platform_comment_id"] is not None
        comments.append(comment)
    return comments
