"""The comments in the DOM of a rendered Wix page: those of the Comments widget.

*Recognised by*  `data-hook="wc-root <resourceId>"`; in it `div#C-<uuid>` with the hook `list-item top-level` or
                 `list-item reply`, the replies of one below `#reply-list-<uuid>`. [reference: section 3.5]
*Caveats*        Dates are printed ("14 min. ago", "5d", "Apr 02, 2023"), so that `posted_at_precision` matters. A
                 reply names its parent by the author alone. Comments that a button still hides are missing:
                 `ThreadPage` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bs4 import BeautifulSoup, Tag

from scraper.items import AuthorKind, Comment, Exchange, Precision, ThreadPage
from scraper.platforms._dates import read_date, utc
from scraper.platforms._html import text_of
from scraper.platforms._tree import within_limit
from scraper.platforms._values import count, western_digits
from scraper.platforms.wix import address
from scraper.platforms.wix.body import read_body
from scraper.platforms.wix.hooks import find_hook
from scraper.platforms.wix.services.comment_request import rendered_post
from scraper.platforms.wix.warmup import INTERNAL_ID, UUID

# data-hook="wc-root 64ddbf6a1737d98af033206f"
_ROOT = re.compile(rb"""data-hook=["']wc-root(?: ([^"'<>]*))?["']""")
# A whole tag, whatever its attributes hold, or a comment, script or style with all that is in it.
_TAG = re.compile(
    rb"""<!--.*?-->|<(script|style)\b.*?</\1\s*>|<(/?)([a-zA-Z][^\s/>]*+)(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""",
    re.S | re.I,
)
_MAX_WIDGETS = 5
_MAX_COMMENTS = 20_000
# "14 min. ago", "14m", "3 hours ago", "3h", "vor 3 Stunden": what is finer than a day
_AGO = re.compile(
    r"\b(?P<number>\d{1,3})\s?(?:(?P<minutes>min|m(?!\w))|(?P<hours>h(?!\w)|hrs?\b|hour|hora|heure|std\b|stunde|uur|ore\b))",
    re.I,
)
# Printed in place of an unknown name: nobody's name, and not to be masked in texts.
_PLACEHOLDER_NAMES = {"Guest": "guest", "Unknown member": "unknown"}
# Buttons that load more comments or replies: "show-more-comments", "show-replies-btn", "load-more".
MORE = ("show-more", "load-more", "show-replies", "view-replies", "more-replies")


@dataclass(slots=True)
class _Element:
    """One comment or reply, with its own elements; those of a reply inside it are not among them."""

    tag: Tag
    name: str
    parent: str | None  # the top comment that it belongs to
    hooks: dict[str, Tag] = field(default_factory=dict)

    def text(self, hook: str) -> str | None:
        """Return the text of the element with this hook."""
        return text_of(self.hooks.get(hook))


def cut_widgets(body: bytes) -> tuple[bytes, list[bytes]]:
    """Return the page without its comment widgets, and the widgets, so that no comment is read as part of the post."""
    widgets: list[bytes] = []
    for _ in range(_MAX_WIDGETS):
        mark = _ROOT.search(body)
        if mark is None:
            break
        start = body.rfind(b"<", 0, mark.start())
        end = _end(body, start) if start >= 0 else len(body)
        widgets.append(body[max(start, 0) : end])
        body = body[: max(start, 0)] + body[end:]
    return body, widgets


def _resource(widget: bytes) -> str | None:
    """Return the address of the widget's post, `wix:<24 hex>`; None where the widget does not name it."""
    mark = _ROOT.search(widget)
    name = (mark[1] or b"").decode("ascii", "replace").strip() if mark else ""
    return f"wix:{name.lower()}" if INTERNAL_ID.fullmatch(name) or UUID.fullmatch(name) else None


def filed_under(widgets: list[bytes]) -> str | None:
    """Return the address of the post that the widgets name; None where they name none, or more than one."""
    named = set(filter(None, map(_resource, widgets)))
    return named.pop() if len(named) == 1 else None


def read_widget(widget: bytes, exchange: Exchange, language: str | None = None) -> Iterator[Comment | ThreadPage]:
    """Yield the comments of a widget, and whether they are all. `language`: the page's. Never raises."""
    tree = BeautifulSoup(within_limit(widget.decode("utf-8", "replace").replace("\0", "\ufffd")), "lxml")
    named = _resource(widget)
    post = (named,) if named else rendered_post(exchange)
    items = _items(tree) if post else []
    people = {item.name: item.text("comments-author") for item in items}
    earlier: dict[str, list[str]] = {}  # top comment -> its replies so far
    for item in items:
        parent = item.parent and _parent_of(item, people, earlier.setdefault(item.parent, []))
        yield _comment(item, post, parent, exchange, language)
        if item.parent:
            earlier[item.parent].append(item.name)
    if items:
        yield ThreadPage(post=post, cursor=None, following=tuple(_hidden(tree, len(items))))


def _end(body: bytes, start: int) -> int:
    """Return the end of the element that begins at `start`; the end of the page where it is not closed."""
    depth, name = 0, b""
    for tag in _TAG.finditer(body, start):
        if tag[3] is None:
            continue
        name = name or tag[3].lower()
        if tag[3].lower() == name:
            depth += -1 if tag[2] else 1
            if depth <= 0:
                return tag.end()
    return len(body)


def _items(tree: Tag) -> list[_Element]:
    """Return the comments and replies in their order, each with its own elements."""
    items: dict[int, _Element] = {}
    for tag in tree.find_all(_has_hook):
        hook = str(tag["data-hook"])
        name = str(tag.get("id") or "")
        if hook.startswith("list-item") and name.startswith("C-") and len(items) < _MAX_COMMENTS:
            replies = tag.find_parent(id=re.compile("^reply-list-"))
            top = str(replies["id"]).removeprefix("reply-list-") if replies else None
            items[id(tag)] = _Element(tag, name.removeprefix("C-"), top)
            continue
        owner = next((items[id(parent)] for parent in tag.parents if id(parent) in items), None)
        if owner is not None:
            owner.hooks.setdefault(hook, tag)
    return list(items.values())


def _has_hook(tag: Tag) -> bool:
    return "data-hook" in tag.attrs


def _is_viewer(tag: Tag) -> bool:
    """Return whether the element holds the text of a comment, as it does for a post."""
    return tag.attrs.get("data-id") == "content-viewer"


def _parent_of(item: _Element, people: dict[str, str | None], replies: list[str]) -> str | None:
    """Return the comment that a reply answers, of the top comment and its earlier `replies`.

    "Replying to Anna" is the top comment if Anna wrote it, else her only earlier reply; otherwise the top comment.
    """
    named = item.text("replying-to-btn")
    top_author = people.get(item.parent or "")
    if named and not (top_author and _names(named, top_author)):
        candidates = [name for name in replies if (author := people.get(name)) and _names(named, author)]
        if len(candidates) == 1:
            return candidates[0]
    return item.parent


def _names(printed: str, author: str) -> bool:
    """Return whether the text names the author: "Anna", or words before it, "Replying to Anna"."""
    return printed == author or printed.endswith(f" {author}")


def _comment(
    item: _Element, post: tuple[str, ...], parent: str | None, exchange: Exchange, language: str | None
) -> Comment:
    author, content = item.text("comments-author"), item.hooks.get("comment-content")
    viewer = content.find(_is_viewer) if content is not None else None
    body = (
        read_body((viewer or content).contents, address.resolver(exchange.url, None)) if content is not None else None
    )
    # A deleted comment with replies remains, without a name and text.
    deleted = (author is None and content is None) or any("deleted" in hook for hook in item.hooks)
    pending = any("pending" in hook for hook in item.hooks)
    edited = "edited-comment-indicator" in item.hooks or " edited" in str(item.tag["data-hook"])
    posted, precision = _posted(item.text("time-ago"), exchange.fetched_at, language)
    return Comment(
        post=post,
        platform_comment_id=item.name,
        parent_id=parent,
        author=None if author in _PLACEHOLDER_NAMES or deleted else author,
        author_kind=_kind(item, author),
        posted_at=posted,
        posted_at_precision=precision,
        body_text=body.text if body and not deleted else None,
        body_html=body.html if body and not deleted else None,
        likes=count(item.text("like-text")),
        status="deleted" if deleted else "pending" if pending else "published",
        edited=True if edited else None,
        source="rendered",
    )


def _kind(item: _Element, author: str | None) -> AuthorKind:
    """Return the kind of an author: the names of members link to a profile."""
    link = item.hooks["comments-author"].find_parent("a") if author else None
    if link is not None and "/profile/" in str(link.get("href") or ""):
        return "member"
    return "guest" if _PLACEHOLDER_NAMES.get(author or "") == "guest" else "unknown"


def _posted(printed: str | None, at: datetime | None, language: str | None) -> tuple[str | None, Precision | None]:
    """Return when a comment was written, and with what precision: "14 min. ago" to the minute, "5d" to the day."""
    ago = _AGO.search(western_digits(printed)) if printed else None
    if ago is not None and at is not None:
        if ago["minutes"]:
            return utc((at - timedelta(minutes=int(ago["number"]))).replace(second=0)), "minute"
        return utc((at - timedelta(hours=int(ago["number"]))).replace(minute=0, second=0)), "hour"
    found = read_date(printed, at, language)
    if found is None or at is None:
        return found, "day" if found else None
    # A date that shifts with the capture's is relative to it: "2w" is any day of a week, "1y" of a year.
    shifted = read_date(printed, at - timedelta(days=1), language)
    days = (at.date() - datetime.fromisoformat(found).date()).days
    if shifted == found or days <= 7:
        return found, "day"
    return found, "month" if days < 365 else "year"


def _hidden(tree: Tag, present: int) -> Iterator[str]:
    """Yield marks for comments that the page does not show: a button for more, or a larger count in the heading."""
    for tag in tree.find_all(_has_hook):
        hook = str(tag["data-hook"])
        if any(part in hook for part in MORE):
            yield f"({hook})"
    stated = count(text_of(find_hook(tree, "wc-header-title")))
    if stated is not None and stated > present:
        yield "(more)"
