"""The comments that a rendered Wix page shows: the Comments widget in its DOM.

*Recognised by*  `data-hook="wc-root <resourceId>"`; in it `div#C-<uuid>` with the hook `list-item top-level` or
                 `list-item reply`, the replies of one below `#reply-list-<uuid>`. [reference: section 3.5]
*Caveats*        A date is printed ("14 min. ago", "5d", "Apr 02, 2023"), so that `posted_at_precision` matters. Whom a
                 reply answers is told by name alone. What a button still hides is not there: `ThreadPage` says so.
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
from scraper.platforms._values import count, western_digits
from scraper.platforms.wix import address
from scraper.platforms.wix.body import read_body
from scraper.platforms.wix.comment_request import page_of
from scraper.platforms.wix.hooks import find_hook
from scraper.platforms.wix.warmup import INTERNAL_ID, UUID

# data-hook="wc-root 64ddbf6a1737d98af033206f"
_ROOT = re.compile(rb"""data-hook=["']wc-root(?: ([^"'<>]*))?["']""")
# A whole tag, whatever its attributes hold, or a comment, script or style with all that is in it.
_TAG = re.compile(
    rb"""<!--.*?-->|<(script|style)\b.*?</\1\s*>|<(/?)([a-zA-Z][^\s/>]*+)(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""",
    re.S | re.I,
)
_MOST_WIDGETS = 5
_MOST_COMMENTS = 20_000
# "14 min. ago", "14m", "3 hours ago", "3h", "vor 3 Stunden": what is finer than a day
_AGO = re.compile(
    r"\b(?P<number>\d{1,3})\s?(?:(?P<minutes>min|m(?!\w))|(?P<hours>h(?!\w)|hrs?\b|hour|hora|heure|std\b|stunde|uur|ore\b))",
    re.I,
)
# What stands in place of a name that is not known: nobody's, and no word to be masked in the texts.
_NOBODY = {"Guest": "guest", "Unknown member": "unknown"}
# Buttons behind which comments or replies wait: "show-more-comments", "show-replies-btn", "load-more".
MORE = ("show-more", "load-more", "show-replies", "view-replies", "more-replies")


@dataclass(slots=True)
class _Element:
    """One list item, and the elements that are its own and not an answer's inside it."""

    tag: Tag
    name: str
    parent: str | None  # the top comment that it stands below
    hooks: dict[str, Tag] = field(default_factory=dict)

    def text(self, hook: str) -> str | None:
        return text_of(self.hooks.get(hook))


def cut(body: bytes) -> tuple[bytes, list[bytes]]:
    """The page without its comment widgets, and those: nothing of a comment can pass for the post's own then."""
    widgets: list[bytes] = []
    for _ in range(_MOST_WIDGETS):
        mark = _ROOT.search(body)
        if mark is None:
            break
        start = body.rfind(b"<", 0, mark.start())
        end = _end(body, start) if start >= 0 else len(body)
        widgets.append(body[max(start, 0) : end])
        body = body[: max(start, 0)] + body[end:]
    return body, widgets


def _resource(widget: bytes) -> str | None:
    """The address of the post that the widget is for, `wix:<24 hex>`; None where it says something else."""
    mark = _ROOT.search(widget)
    name = (mark[1] or b"").decode("ascii", "replace").strip() if mark else ""
    return f"wix:{name.lower()}" if INTERNAL_ID.fullmatch(name) or UUID.fullmatch(name) else None


def filed_under(widgets: list[bytes]) -> str | None:
    """The address of the page's post that its widget is filed under; None where no one, or more than one, is named."""
    named = set(filter(None, map(_resource, widgets)))
    return named.pop() if len(named) == 1 else None


def read_widget(widget: bytes, exchange: Exchange, language: str | None = None) -> Iterator[Comment | ThreadPage]:
    """The comments that a widget shows, and whether they are all. `language`: the page's. Never raises."""
    tree = BeautifulSoup(widget.decode("utf-8", "replace").replace("\0", "\ufffd"), "lxml")
    named = _resource(widget)
    post = (named,) if named else page_of(exchange)
    items = _items(tree) if post else []
    people = {item.name: item.text("comments-author") for item in items}
    before: dict[str, list[str]] = {}  # top comment -> its answers so far
    for item in items:
        parent = item.parent and _answered(item, people, before.setdefault(item.parent, []))
        yield _comment(item, post, parent, exchange, language)
        if item.parent:
            before[item.parent].append(item.name)
    if items:
        yield ThreadPage(post=post, asked=None, following=tuple(_hidden(tree, len(items))))


def _end(body: bytes, start: int) -> int:
    """Where the element that begins at `start` ends; the end of the page where it does not."""
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
    """The list items in their order, each with its own elements."""
    shown: dict[int, _Element] = {}
    for tag in tree.find_all(_has_hook):
        hook = str(tag["data-hook"])
        name = str(tag.get("id") or "")
        if hook.startswith("list-item") and name.startswith("C-") and len(shown) < _MOST_COMMENTS:
            around = tag.find_parent(id=re.compile("^reply-list-"))
            top = str(around["id"]).removeprefix("reply-list-") if around else None
            shown[id(tag)] = _Element(tag, name.removeprefix("C-"), top)
            continue
        owner = next((shown[id(each)] for each in tag.parents if id(each) in shown), None)
        if owner is not None:
            owner.hooks.setdefault(hook, tag)
    return list(shown.values())


def _has_hook(tag: Tag) -> bool:
    return "data-hook" in tag.attrs


def _is_viewer(tag: Tag) -> bool:
    """Around the text of a comment, as around that of a post."""
    return tag.attrs.get("data-id") == "content-viewer"


def _answered(item: _Element, people: dict[str, str | None], before: list[str]) -> str | None:
    """The comment that an answer is to: "Replying to Anna" is the top comment if that is Anna's, else Anna's one answer
    before it; the top comment where that is not clear."""
    named = item.text("replying-to-btn")
    theirs = people.get(item.parent or "")
    if named and not (theirs and _names(named, theirs)):
        earlier = [name for name in before if (who := people.get(name)) and _names(named, who)]
        if len(earlier) == 1:
            return earlier[0]
    return item.parent


def _names(printed: str, author: str) -> bool:
    """ "Anna", or with words before it: "Replying to Anna"."""
    return printed == author or printed.endswith(f" {author}")


def _comment(
    item: _Element, post: tuple[str, ...], parent: str | None, exchange: Exchange, language: str | None
) -> Comment:
    author, content = item.text("comments-author"), item.hooks.get("comment-content")
    viewer = content.find(_is_viewer) if content is not None else None
    body = (
        read_body((viewer or content).contents, address.resolver(exchange.url, None)) if content is not None else None
    )
    # A deleted comment that was answered stays, without anybody's name and text.
    deleted = (author is None and content is None) or any("deleted" in hook for hook in item.hooks)
    pending = any("pending" in hook for hook in item.hooks)
    edited = "edited-comment-indicator" in item.hooks or " edited" in str(item.tag["data-hook"])
    posted, precision = _posted(item.text("time-ago"), exchange.fetched_at, language)
    return Comment(
        post=post,
        platform_comment_id=item.name,
        parent_id=parent,
        author=None if author in _NOBODY or deleted else author,
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
    """Members have a profile that their names lead to."""
    link = item.hooks["comments-author"].find_parent("a") if author else None
    if link is not None and "/profile/" in str(link.get("href") or ""):
        return "member"
    return "guest" if _NOBODY.get(author or "") == "guest" else "unknown"


def _posted(printed: str | None, at: datetime | None, language: str | None) -> tuple[str | None, Precision | None]:
    """When a comment was written, and how exactly that is known: "14 min. ago" to the minute, "5d" to the day."""
    ago = _AGO.search(western_digits(printed)) if printed else None
    if ago is not None and at is not None:
        if ago["minutes"]:
            return utc((at - timedelta(minutes=int(ago["number"]))).replace(second=0)), "minute"
        return utc((at - timedelta(hours=int(ago["number"]))).replace(minute=0, second=0)), "hour"
    found = read_date(printed, at, language)
    if found is None or at is None:
        return found, "day" if found else None
    # A date that goes back with the capture's is counted from it: "2w" is any day of a week, "1y" of a year.
    back = read_date(printed, at - timedelta(days=1), language)
    days = (at.date() - datetime.fromisoformat(found).date()).days
    if back == found or days <= 7:
        return found, "day"
    return found, "month" if days < 365 else "year"


def _hidden(tree: Tag, here: int) -> Iterator[str]:
    """Marks for what the page has not shown: a button to more of it, or a count in the heading that is larger."""
    for tag in tree.find_all(_has_hook):
        hook = str(tag["data-hook"])
        if any(part in hook for part in MORE):
            yield f"({hook})"
    told = count(text_of(find_hook(tree, "wc-header-title")))
    if told is not None and told > here:
        yield "(more)"
