"""Comments: each as it was last seen, and its earlier texts in `comment_revisions`."""

from __future__ import annotations

from typing import Any

from archive.rows.cache import ClinicCache
from archive.rows.context import CaptureContext, Item
from archive.rows.masks import is_masked_form

COMMENT_FIELDS = (
    "author",
    "author_kind",
    "body_text",
    "body_html",
    "posted_at",
    "posted_at_precision",
    "likes",
    "status",
    "edited",
    "type",
)
_PRECISIONS = ("second", "minute", "hour", "day", "month", "year")  # of posted_at, the finest first
KIND = "comment-of-other-post"  # of the problem
# A change of one of these makes a revision of the comment.
_OF_A_REVISION = {"body_text", "status"}


def save_comment(context: CaptureContext, item: Item, post_id: int) -> None:
    """Write a comment on a post as this capture shows it; a text or status that it replaces becomes a revision."""
    fields = _fields(context.cache, item)
    stored = context.cache.comment(item["platform_comment_id"])
    if stored is None:
        _insert(context, item, post_id, fields)
    elif stored["post_id"] != post_id and _is_on_other_post(context, stored["comment_id"], post_id):
        _refuse(context, item)
    elif context.at < stored["last_seen_at"]:
        # It waited for its post while newer captures found theirs: it tells only that the comment is older than known.
        context.db.conn.execute(
            "UPDATE comments SET first_seen_at = min(?, first_seen_at) WHERE comment_id = ?",
            (context.at, stored["comment_id"]),
        )
    else:
        _update(context, item, stored, fields)


def _is_on_other_post(context: CaptureContext, comment_id: int, post_id: int) -> bool:
    """Return whether the comment belongs to another post, now that posts may have merged."""
    context.cache.write()
    (stored,) = context.db.conn.execute("SELECT post_id FROM comments WHERE comment_id = ?", (comment_id,)).fetchone()
    return bool(stored != post_id)


def _refuse(context: CaptureContext, item: Item) -> None:
    """Report a comment whose id another post's comment has: a theme may number the comments of each page from 1.

    Written over the stored one, each would look like an edit of the other.
    """
    number = item["platform_comment_id"]
    message = (
        f"{context.url}: comment {number} has the id of a comment on another post; not stored; if the site moved it, "
        "or numbers comments by page, please report the address"
    )
    row = (context.clinic_id, context.crawl_id, context.capture_id, context.url, KIND, None, message, context.at)
    context.cache.batch.put("problems", row)


def _fields(cache: ClinicCache, item: Item) -> dict[str, Any]:
    """The values of `COMMENT_FIELDS`, with the author's name where the clinic's own staff wrote the comment."""
    fields = {name: item[name] for name in COMMENT_FIELDS if name != "type"}
    fields["edited"] = None if item["edited"] is None else int(item["edited"])
    if item["person"] in cache.staff:
        fields["author"], fields["author_kind"] = cache.staff[item["person"]], "staff"
    return {**fields, "type": item.get("type") or "comment"}  # what an older version kept in `unplaced` has no type


def _insert(context: CaptureContext, item: Item, post_id: int, fields: dict[str, Any]) -> None:
    comment_name, parent = item["platform_comment_id"], item["parent_id"]
    row = (
        context.clinic_id,
        post_id,
        comment_name,
        parent,
        item["source"],
        context.capture_id,
        context.capture_id,
        context.at,
        context.at,
        *fields.values(),
    )
    context.cache.batch.put("comments", row)
    context.cache.new_comment(comment_name)
    _place_replies(context, comment_name, parent)


def _update(context: CaptureContext, item: Item, stored: Item, fields: dict[str, Any]) -> None:
    changes = _changes(context, item, stored, fields)
    parent = item["parent_id"]
    before = stored["parent_platform_comment_id"]
    # A page may show a reply below another comment than its parent, an API names the parent.
    if parent is not None and (before is None or ("source" in changes and parent != before)):
        changes["parent_platform_comment_id"] = parent
        _place_replies(context, item["platform_comment_id"], parent)
    if changes:
        assignments = ", ".join(f"{name} = ?" for name in changes)
        context.db.conn.execute(
            f"UPDATE comments SET {assignments} WHERE comment_id = ?", (*changes.values(), stored["comment_id"])
        )
    context.cache.batch.put("comments seen", (context.capture_id, context.at, stored["comment_id"]))


def _changes(context: CaptureContext, item: Item, stored: Item, fields: dict[str, Any]) -> dict[str, Any]:
    """The columns of the stored comment that this capture changes; writes a revision where that is needed."""
    changes = {name: value for name, value in fields.items() if value is not None and value != stored[name]}
    worse, better = _compare_sources(context, item, stored)
    if worse:
        return {name: value for name, value in changes.items() if stored[name] is None}
    if better:
        return changes | {"source": item["source"], "capture_id": context.capture_id}
    _leave_masks(context, stored, changes)
    _leave_date(stored, fields, changes)
    if changes.keys() & _OF_A_REVISION:
        if stored["body_text"] is not None or "status" in changes:
            _save_revision(context, stored["comment_id"])
        changes["capture_id"] = context.capture_id
    return changes


def _leave_masks(context: CaptureContext, stored: Item, changes: dict[str, Any]) -> None:
    """Take a text out of the changes that differs from the stored one in masks alone: nobody edited it.

    Of the two the one with more masks stays: a name that was once known in a thread is masked from then on.
    """
    given, before = changes.get("body_text"), stored["body_text"]
    if given is None or before is None:
        return
    if is_masked_form(before, given):
        context.db.conn.execute(
            "UPDATE comments SET body_text = ?, body_html = ? WHERE comment_id = ?",
            (given, changes.get("body_html", stored["body_html"]), stored["comment_id"]),
        )
    elif not is_masked_form(given, before):
        return
    changes.pop("body_text")
    changes.pop("body_html", None)


def _leave_date(stored: Item, fields: Item, changes: dict[str, Any]) -> None:
    """Take a printed date out of the changes that is no finer than the stored one.

    "2w" is read to another date at each visit, so that the first reading stays.
    """
    given, before = fields["posted_at_precision"], stored["posted_at_precision"] or "second"
    if stored["posted_at"] is None or given is None or given == "second":
        return
    if _PRECISIONS.index(given) >= _PRECISIONS.index(before):
        changes.pop("posted_at", None)
        changes.pop("posted_at_precision", None)


def _compare_sources(context: CaptureContext, item: Item, stored: Item) -> tuple[bool, bool]:
    """Whether this capture is a worse, or a better, source of a comment than the capture that it was read from.

    As with posts, two texts are compared only where they came in the same way: a rendered page is made of the service's
    answers, but never shows them to the letter.
    """
    if not context.from_dom and stored["source"] != "rendered":
        if context.rank("api") > context.rank("html"):
            return False, False
        given, before = context.rank(item["source"]), context.rank(stored["source"])
        return given > before, given < before  # an API gives parents and exact texts, its platform's pages do not
    (via,) = context.db.conn.execute(
        "SELECT via FROM captures WHERE capture_id = ?", (stored["capture_id"],)
    ).fetchone()
    return context.from_dom and via != "dom", not context.from_dom and via == "dom"


def _save_revision(context: CaptureContext, comment_id: int) -> None:
    """Copy the comment's stored text and status to `comment_revisions`."""
    context.db.conn.execute(
        "INSERT INTO comment_revisions (comment_id, capture_id, captured_at, body_text, body_html, status)"
        " SELECT comment_id, capture_id, fetched_at, body_text, body_html, status FROM comments JOIN captures"
        " USING (capture_id) WHERE comment_id = ? ON CONFLICT DO NOTHING",
        (comment_id,),
    )


def _place_replies(context: CaptureContext, comment_name: str, parent: str | None) -> None:
    """Join a comment to its parent, and to the replies that arrived before it."""
    cache = context.cache
    if comment_name in cache.parents:
        cache.batch.put("replies", (context.clinic_id, comment_name))
    if parent is not None:
        cache.parents.add(parent)
        cache.batch.put("parents", (context.clinic_id, parent, comment_name))
