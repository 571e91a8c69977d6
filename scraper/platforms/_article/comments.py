"""Comments in a page, by markup that several programs share: microdata, RDFa (Drupal), h-cite, Movable Type.

*Ids*      the number at the end of the element's id, `comment-123`; without one a comment is not stored, since it could
           not be found again.
*Replies*  lie inside the comment that they answer, or (Drupal) in an element `.indented` behind it, or name it in a
           link "in reply to" (Movable Type).
*Names*    the printed name is the identity of a guest; a profile's address or number, where there is one, is better.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from lxml.html import HtmlElement

from scraper.items import Comment, Precision
from scraper.platforms._article.dom import Tree, around, classes_of, drop, matching, nodes_of, text_of
from scraper.platforms._body import read_body, resolver
from scraper.platforms._dates import iso_date, read_date, utc
from scraper.platforms._values import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentShape:
    """Where a platform's pages print the parts of a comment: CSS selectors, the best first."""

    item: tuple[str, ...] = (
        '[itemtype$="/Comment"]',
        '[itemprop~="comment"]',
        '[typeof~="schema:Comment"]',
        '[typeof~="sioct:Comment"]',
        ".h-cite.p-comment",
        'article[id^="comment-"]',
        'div.comment[id^="comment-"]',
        'li.comment[id^="comment-"]',
        "li.comment[id^=c]",
    )
    author: tuple[str, ...] = (
        '[itemprop~="author"] [itemprop~="name"]',
        '[itemprop~="author"]',
        '[itemprop~="creator"]',
        ".p-author .p-name",
        ".p-author",
        ".comment-author .fn",
        ".vcard.author",
        ".comment-author",
        '[typeof~="schema:Person"]',
        ".username",
        ".author",
        ".fn",
        "cite",
        ".user",
    )
    date: tuple[str, ...] = (
        '[itemprop~="datePublished"]',
        '[itemprop~="dateCreated"]',
        '[itemprop~="commentTime"]',
        ".dt-published",
        "time[datetime]",
        '[property~="schema:dateCreated"]',
        "abbr.published[title]",
        ".comment-date",
        ".datetime",
        ".date",
        ".submitted",
    )
    text: tuple[str, ...] = (
        '[itemprop~="text"]',
        '[itemprop~="commentText"]',
        ".e-content",
        ".p-content",
        '[property~="schema:text"]',
        ".comment-content",
        ".comment-body",
        ".comment-text",
        ".field--name-comment-body",
        ".content",
    )


# "comment-123", "c8271", "div-comment-12"
_ID = re.compile(r"(?:^|[-_a-z])(\d{1,20})$", re.IGNORECASE)
# class="comment bypostauthor" of WordPress, "user blog-author" of Blogger, "by-node-author" of Drupal
_STAFF = re.compile(r"\s(?:bypostauthor|blog-author|by-node-author|by-post-author)\s")
# "?showComment=1221167160000#c8870915167989283099" of Blogger: the time in milliseconds
_SHOWN_AT = re.compile(r"[?&]showComment=(\d{12,14})(?:#|&|$)")
# <a href="#comment-12">
_FRAGMENT = re.compile(r"#(?:[a-z]+-)*(?:comment-?|c)(\d{1,20})$", re.IGNORECASE)


def read_comments(tree: Tree, post: tuple[str, ...], shape: CommentShape = CommentShape()) -> tuple[Comment, ...]:
    """Return the comments that the page shows, in its order, each once; replies name their parent.

    `post`: the addresses of the post.
    """
    elements = [element for element in tree.all(*shape.item) if _id_of(element)]
    order = {element: index for index, element in enumerate(tree.root.iter())}
    elements.sort(key=order.__getitem__)
    members = set(elements)
    found: dict[str, Comment] = {}
    for element in elements:
        number = _id_of(element)
        if number is None or number in found:
            continue
        outer = next((outer for outer in around(element) if outer in members), None)
        own = _alone(element, members)
        parent = _id_of(outer) if outer is not None else _indented_under(element, members) or _replied_to(own)
        comment = _read(own, tree.url, post, number, shape)
        comment.parent_id = parent if parent != number else None
        if comment.body_text is not None or comment.author is not None:
            found[number] = comment
    return tuple(found.values())


def _id_of(element: HtmlElement | None) -> str | None:
    if element is None:
        return None
    own = element.get("data-comment-id") or element.get("id") or element.get("about") or ""
    found = _ID.search(own) or (_ID.search(own) if own.isdigit() else None)
    if found is None:
        anchors = (_ID.search(node.get("id") or "") for node in matching(element, '[id^="comment-"]')[:1])
        found = next(filter(None, anchors), None)
    if found is None:
        links = (_FRAGMENT.search(link.get("href") or "") for link in matching(element, "a[href*='#']")[:5])
        found = next(filter(None, links), None)
    return found[1] if found else None


def _alone(element: HtmlElement, members: set[HtmlElement]) -> HtmlElement:
    """Return a copy of a comment without the replies inside it."""
    inner = [index for index, node in enumerate(element.iter()) if node in members and node is not element]
    copy = deepcopy(element)
    nodes = list(copy.iter()) if inner else []
    for index in inner:
        drop(nodes[index])
    return copy


def _indented_under(element: HtmlElement, members: set[HtmlElement]) -> str | None:
    """Return the id of the comment before the nearest `.indented` around a comment, which it answers."""
    outer = next((outer for outer in around(element) if " indented " in classes_of(outer)), None)
    while outer is not None:
        outer = outer.getprevious()
        if outer is not None:
            inside = next((node for node in outer.iter() if node in members), None)
            if inside is not None and " indented " not in classes_of(outer):
                return _id_of(inside)
    return None


def _replied_to(element: HtmlElement) -> str | None:
    for link in matching(element, '[rel~="in-reply-to"]', ".u-in-reply-to", ".reply-to a", "a.comment-parent"):
        found = _FRAGMENT.search(link.get("href") or "")
        if found:
            return found[1]
    return None


def _read(element: HtmlElement, url: str, post: tuple[str, ...], number: str, shape: CommentShape) -> Comment:
    comment = Comment(post=post, platform_comment_id=number, source="html")
    named = next((node for node in matching(element, *shape.author) if text_of(node)), None)
    comment.author = clean((text_of(named) or "").strip(" ,:")) if named is not None else None
    own = named.iterancestors() if named is not None else ()
    inside = (element, *((named,) if named is not None else ()), *(node for node in own if node in {*element.iter()}))
    if any(_STAFF.search(classes_of(node)) for node in inside):
        comment.author_kind = "staff"
    comment.person = _person(element, named, comment.author)
    comment.posted_at, comment.posted_at_precision = _date(element, shape)
    texts = [node for node in matching(element, *shape.text) if node is not element and text_of(node)]
    if texts:
        body = read_body(nodes_of(texts[:1]), resolver(url))
        comment.body_text, comment.body_html = body.text, body.html
    return comment


def _person(element: HtmlElement, named: HtmlElement | None, name: str | None) -> str | None:
    """Return an identity of the commenter: the number or address of a profile; a bare name is none."""
    number = element.get("data-comment-user-id")
    if number and number != "0":
        return f"user:{number}"
    for node in (*((named,) if named is not None else ()), *(matching(named, "a[href]") if named is not None else ())):
        href = node.get("href") or node.get("about") or ""
        if href and name and not href.startswith("#"):
            return href
    return None


def _date(element: HtmlElement, shape: CommentShape) -> tuple[str | None, Precision | None]:
    for mark in matching(element, "[data-comment-timestamp]"):
        stamp = mark.get("data-comment-timestamp") or ""
        if exact := of_epoch(stamp):
            return exact, "second"
    for link in matching(element, 'a[href*="showComment="]'):
        found = _SHOWN_AT.search(link.get("href") or "")
        if found and (exact := of_epoch(found[1], unit=1000)):
            return exact, "second"
    for node in matching(element, *shape.date):
        stamp = clean(node.get("datetime") or node.get("content") or node.get("title") or "")
        at = iso_date(stamp) or read_date(text_of(node))
        if at is not None:
            return at, "second" if "T" in at else "day"
    return None, None


def of_epoch(stamp: str, *, unit: int = 1) -> str | None:
    """Return the moment of a Unix time, "1697622300"; `unit`: parts of a second that it counts (1000 for ms)."""
    from datetime import UTC, datetime  # noqa: PLC0415

    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 14:
        return None
    try:
        moment = datetime.fromtimestamp(int(stamp) // unit, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return utc(moment) if moment.year > 1970 else None


def printed_count(tree: Tree, *selectors: str) -> Iterator[str]:
    """Yield the texts of the elements that print the number of comments."""
    for element in tree.all(*selectors):
        text = text_of(element)
        if text and len(text) <= 80:
            yield text
