"""Comments in the HTML of a WordPress page: of core's walker, of its themes, of the comment blocks and of wpDiscuz.

*Recognised by*  `id="comment-N"`, `li-comment-N`, `div-comment-N`, and wpDiscuz's `wpd-comm-N_PARENT`, `wc-comm-N_PARENT`.
*Caveats*        Threads deeper than `thread_comments_depth` are flattened: the parent that a page shows is then the
                 comment of the last level, not the one replied to. Replies to what is not public are left out by core.
                 Pingbacks and trackbacks stand among the comments, by class. Avatars name a hash of the e-mail address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bs4 import Tag

from scraper.addresses import as_listed, canonical_url, post_key
from scraper.items import AuthorKind, Comment, CommentType, Exchange, Precision, ThreadPage
from scraper.platforms._body import Body, BodyWriter
from scraper.platforms._dates import iso_date
from scraper.platforms._html import text_of
from scraper.platforms._tree import descendants
from scraper.platforms._values import clean, count
from scraper.platforms.wordpress.body import is_avatar, resolver
from scraper.platforms.wordpress.html.dates import printed_day
from scraper.platforms.wordpress.html.markup import Markup, classes
from scraper.platforms.wordpress.person import visitor

# "comment-12", "li-comment-12", "div-comment-12"
_NODE = re.compile(r"(?:[a-z]{2,12}-)?comment-(?P<id>\d{1,18})")
# "wpd-comm-12_7", of wpDiscuz: comment 12, a reply to 7; "_0" for none
_DISCUZ_NODE = re.compile(r"w(?:pd|c)-comm-(?P<id>\d{1,18})_(?P<parent>\d{1,18})")
# Elements in which themes print name and date, where no element is marked as the text.
_BESIDE = ("cite", "time", "h3", "h4", "h5", "h6", "footer", "header")
_NODE_NAMES = ("li", "article", "div", "section")
_TEXT = re.compile(r"(?:[a-z0-9]+[-_]{1,2}){0,3}comment[-_]{0,2}(?:content|text|entry|message|description|copy)")
_TEXT_FIRST = ("comment-content", "wp-block-comment-content", "wpd-comment-text", "wc-comment-text", "comment-text")
_NAMES = (
    "fn", "wp-block-comment-author-name", "wpd-comment-author", "wc-comment-author", "comment-author-name",
    "comment-author-link", "comment__author", "comment-author", "comment_author", "author-name", "comment-name", "author",
)  # fmt: skip
# "comment-by", "eltdf-comment-author", "comment_user_name"
_NAME = re.compile(r"(?:[a-z0-9]+[-_]{1,2}){0,3}comment[-_]{0,2}(?:author|by|name|user)(?:[-_](?:name|link))?")
_DATES = (
    "wp-block-comment-date", "wpd-comment-date", "wc-comment-date", "comment-date", "comment-time", "comment_date",
    "comment__date", "comment-metadata", "comment-meta", "commentmetadata", "comment-timestamp", "date",
)  # fmt: skip
# "date-comment", "eltdf-comment-date", "comment-posted-time"
_DATE = re.compile(r"(?:[a-z0-9]+[-_]{1,2}){0,3}(?:date|time)(?:[-_]{1,2}[a-z0-9]+){0,2}")
# What stands in a comment beside its text.
_NO_TEXT = re.compile(
    r"comment-author|vcard|comment-meta|commentmetadata|comment-metadata|comment-header|comment-info|comment-details|reply"
    r"|comment-reply(?:-link)?|comment-footer|comment-actions?|comment-edit-link|edit-link|comment-date|comment-time|says"
    r"|comment-avatar|avatar|comment-awaiting-moderation|fn|wpd-comment-(?:header|footer)|wpd-comment-left|wpulike"
    r"|wp_ulike\S*|comment-permalink|comment-author-\S+|children|\S*-reply|\S*\b(?:dis)?likes?\S*|\S*vote\S*|\S*rating\S*|(?:wp-block-)?comment-(?:reply|edit)-link"
)
# "Anna says:", "Anna schreibt:", "Anna sagt", "Anna dit :"
_SAYS = re.compile(
    r"\s+(?:says|said|sagt|schreibt|meint|dit|dice|diz|zegt|skriver|wrote)\s*:?\s*$|\s*:\s*$", re.IGNORECASE
)
# https://secure.gravatar.com/avatar/0bc83cb571cd1c50ba6f3e8a78ef1346?s=56
_AVATAR = re.compile(r"gravatar\.com/avatar/([0-9a-f]{32,64})", re.IGNORECASE)
# Hashes of an empty address, which every commenter without one has.
_NOBODY = frozenset({
    "d41d8cd98f00b204e9800998ecf8427e",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
})  # fmt: skip
# "/comment-page-3/", "?cpage=3"
_COMMENT_PAGE = re.compile(r"/comment-page-\d{1,6}(?=/|$)|(?<=[?&])cpage=\d{1,6}(?:&|$)")
_MOST_NODES = 20_000
_DEEPEST = 200  # list items one inside the other
_LONGEST_NAME = 200  # characters
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(slots=True)
class Node:
    """The element of one comment, and the comment it replies to."""

    number: str
    tag: Tag
    parent: str | None = None
    parts: list[Tag] = field(default_factory=list)  # elements in it that lie in no other comment

    def part(self, *tokens: str) -> Tag | None:
        """Return the first element with the first of these classes that any element has."""
        return next((tag for token in tokens for tag in self.parts if token in classes(tag)), None)


def comment_nodes(page: Markup) -> list[Node]:
    """Return the comments of the page in document order, each once, with their parents."""
    tags: dict[str, Tag] = {}
    stated: dict[str, str] = {}
    for tag in page.elements(*_NODE_NAMES):
        identifier = str(tag.attrs.get("id") or "")
        found = _DISCUZ_NODE.fullmatch(identifier) or _NODE.fullmatch(identifier)
        if found is None or len(tags) >= _MOST_NODES:
            continue
        number = found["id"]
        if "parent" in found.groupdict():
            stated[number] = found["parent"]
        earlier = tags.get(number)
        if earlier is None or any(parent is tag for parent in earlier.parents):
            tags[number] = tag
    stated |= _nested_in_source(page)
    taken = {id(tag) for tag in tags.values()}
    nodes = [Node(number, _whole(tag, taken)) for number, tag in tags.items()]
    owners = {id(node.tag): node.number for node in nodes}
    for node in nodes:
        node.parent = _parent(node, owners, stated.get(node.number))
        node.parts = list(_own_parts(node.tag, owners))
    order = {id(tag): position for position, tag in enumerate(descendants(page.tree))}
    return sorted(nodes, key=lambda node: order.get(id(node.tag), 0))


# "<li id=\"comment-12\" class=...", "<li>", "</li>"
_ITEM = re.compile(r"""<(?P<end>/?)li\b(?:[^<>]{0,400}?\bid=["']comment-(?P<id>\d{1,18})["'])?""", re.IGNORECASE)


def _nested_in_source(page: Markup) -> dict[str, str]:
    """Return the parents of comments of core's block "Comment Template" -> by the nesting of list items as written.

    Deeper than `thread_comments_depth` the block writes `<li>` directly inside `<li>`, which parsers take apart.
    """
    start = page.body.find(b"wp-block-comment-template")
    if start < 0:
        return {}
    parents: dict[str, str] = {}
    stack: list[str | None] = []
    for found in _ITEM.finditer(page.body[start:].decode(page.encoding, "replace")):
        if found["end"]:
            del stack[-1:]
            continue
        if found["id"]:
            around = next((number for number in reversed(stack) if number is not None), None)
            parents.setdefault(found["id"], around or "0")
        if len(stack) < _DEEPEST:
            stack.append(found["id"])
    return parents


def _whole(tag: Tag, taken: set[int]) -> Tag:
    """Return the list item of a comment whose id is on an element inside it."""
    if tag.name == "li":
        return tag
    item = next((parent for parent in tag.parents if parent.name == "li"), None)
    if (
        item is None
        or id(item) in taken
        or (not classes(item) & {"comment", "pingback", "trackback"} and item.get("class"))
    ):
        return tag
    return item


def _parent(node: Node, owners: dict[int, str], stated: str | None) -> str | None:
    if stated is not None:
        return None if stated in {"0", node.number} else stated
    for parent in node.tag.parents:
        owner = owners.get(id(parent))
        if owner is not None and owner != node.number:
            return owner
        if "children" in classes(parent):  # `<li>...</li><ul class="children">`: the list follows its comment
            before = next((tag for tag in parent.previous_siblings if isinstance(tag, Tag)), None)
            owner = owners.get(id(before)) if before is not None else None
            if owner is not None:
                return owner
    return None


def _own_parts(tag: Tag, owners: dict[int, str]) -> Iterator[Tag]:
    stack = [iter(tag.children)]
    while stack:
        child = next(stack[-1], None)
        if child is None:
            stack.pop()
        elif (
            isinstance(child, Tag)
            and id(child) not in owners
            and "children" not in classes(child)
            and child.name != "form"
        ):
            yield child
            stack.append(iter(child.children))


def read_comments(
    nodes: list[Node], post: tuple[str, ...], exchange: Exchange, language: str | None
) -> Iterator[Comment]:
    """Read the comments. Those that wait for moderation, which only their author sees, are left out."""
    for node in nodes:
        if node.part("comment-awaiting-moderation") is None:
            yield _comment(node, post, exchange, language)


def _comment(node: Node, post: tuple[str, ...], exchange: Exchange, language: str | None) -> Comment:
    kind = _type(node)
    body = _body(node, exchange.url)
    posted, precision = _date(node, exchange.fetched_at, language)
    return Comment(
        post=post,
        platform_comment_id=node.number,
        type=kind,
        parent_id=node.parent,
        author=_author(node, kind),
        person=_person(node, _author(node, kind)),
        author_kind=_author_kind(node, kind),
        posted_at=posted,
        posted_at_precision=precision,
        body_text=body.text,
        body_html=body.html,
        likes=_likes(node),
        status="published",
        source="html",
    )


def _type(node: Node) -> CommentType:
    tokens = classes(node.tag).union(*(classes(tag) for tag in node.parts[:3]))
    return "pingback" if "pingback" in tokens else "trackback" if "trackback" in tokens else "comment"


def _author(node: Node, kind: CommentType) -> str | None:
    tag = node.part(*_NAMES) or _first_named(node, _NAME)
    if tag is None or not text_of(tag):
        text = _text_part(node)
        beside = [part for part in node.parts if text is None or (part is not text and text not in part.parents)]
        names = (
            ("a", "strong") if kind != "comment" else ("cite", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "b", "a")
        )
        tag = next((part for name in names for part in beside if part.name == name and text_of(part)), None)
    if tag is None:
        return None
    inner = next((part for part in descendants(tag, "cite", "b", "strong", "a") if text_of(part)), None)
    named = text_of(inner if "fn" not in classes(tag) and inner is not None else tag)
    found = clean(_SAYS.sub("", named)) if named else None
    return found if found and len(found) <= _LONGEST_NAME else None


def _first_named(node: Node, pattern: re.Pattern[str]) -> Tag | None:
    return next((part for part in node.parts if any(map(pattern.fullmatch, classes(part)))), None)


def _person(node: Node, author: str | None) -> str | None:
    """Return what tells one commenter from another: the avatar's hash and the name, else the account, else the site."""
    for tag in node.parts:
        if tag.name == "img":
            for name in ("src", "data-src", "data-lazy-src", "srcset"):
                found = _AVATAR.search(str(tag.get(name) or ""))
                if found is not None and found[1].lower() not in _NOBODY:
                    return visitor(str(tag.get(name)), "", author)
    tokens = classes(node.tag)
    account = next(
        (token.removeprefix("comment-author-") for token in tokens if token.startswith("comment-author-")), None
    )
    if account and "byuser" in tokens:
        return f"account:{account}"
    site = next((part for part in node.parts if part.name == "a" and "url" in classes(part)), None)
    return visitor("", str(site.get("href") or "") if site is not None else "", author)


def _author_kind(node: Node, kind: CommentType) -> AuthorKind:
    tokens = classes(node.tag).union(*(classes(tag) for tag in node.parts[:2]))
    if "bypostauthor" in tokens:
        return "staff"
    if "byuser" in tokens:
        return "member"
    return "guest" if kind == "comment" and tokens & {"comment", "wc-comment"} else "unknown"


def _date(node: Node, captured_at: datetime | None, language: str | None) -> tuple[str | None, Precision | None]:
    """Return when a comment was written: to the second where the page states a zone, else the day."""
    for tag in node.parts:
        exact = iso_date(str(tag.get("datetime") or "")) if tag.name == "time" else None
        if exact is not None:
            return exact, "second" if "T" in exact else "day"
    dated = [*filter(None, (node.part(token) for token in _DATES)), *filter(None, [_first_named(node, _DATE)])]
    links = [
        part for part in node.parts if part.name == "time" or f"#comment-{node.number}" in str(part.get("href") or "")
    ]
    for tag in (*dated, *links):
        parts = descendants(tag, "a", "time")
        for printed in (str(tag.get("title") or ""), text_of(tag), *map(text_of, parts)):
            day = printed_day(clean(printed), captured_at, language)
            if day is not None:
                return day, "day"
    return _date_beside(node, captured_at, language)


def _date_beside(node: Node, captured_at: datetime | None, language: str | None) -> tuple[str | None, Precision | None]:
    """Return the day that a string beside the text prints, where no element is marked as a date."""
    text = _text_part(node)
    for part in node.parts:
        if text is not None and (part is text or text in part.parents):
            continue
        for string in part.find_all(string=True, recursive=False):
            printed = clean(str(string))
            if printed and _YEAR.search(printed):
                day = printed_day(printed, captured_at, language)
                if day is not None:
                    return day, "day"
    return None, None


def _likes(node: Node) -> int | None:
    """Return the votes of wpDiscuz or WP ULike; NULL where the theme has none."""
    for tag in node.parts:
        value = tag.get("data-ulike-counter-value")
        if value is not None:
            return count(str(value).lstrip("+"))
    votes = node.part("wpd-vote-result", "wc-vote-result")
    printed = text_of(votes)
    return count(printed.lstrip("+")) if printed else None


class _Writer(BodyWriter):
    """Reads the text of a comment without the elements beside it, and without other comments inside it."""

    def __init__(self, url: str, omitted: set[int]) -> None:
        super().__init__(resolver(url))
        self.omitted = omitted

    def read_whole(self, tag: Tag) -> bool:
        if tag.name == "img" and classes(tag) & {"wp-smiley", "emoji"}:
            self.text(str(tag.get("alt") or ""))
            return True
        return id(tag) in self.omitted or (tag.name == "img" and is_avatar(tag)) or super().read_whole(tag)


def _is_beside(token: str) -> bool:
    return _NAME.fullmatch(token) is not None or _DATE.fullmatch(token) is not None


def _text_part(node: Node) -> Tag | None:
    """Return the element that holds the text of a comment and nothing else."""
    return node.part(*_TEXT_FIRST) or _first_named(node, _TEXT)


def _body(node: Node, url: str) -> Body:
    first = tag = _text_part(node)
    if tag is None:
        if _type(node) != "comment" and not any(part.name == "p" for part in node.parts):
            return Body()  # core prints a pingback as its title alone
        tag = node.part("comment-body", "comment_body") or node.tag
    own = {id(part) for part in node.parts}
    omitted = {id(part) for part in descendants(tag) if id(part) not in own}
    omitted |= {id(part) for part in descendants(tag) if any(map(_NO_TEXT.fullmatch, classes(part)))}
    if first is None:
        omitted |= {id(part) for part in descendants(tag, *_BESIDE)}
        omitted |= {id(part) for part in descendants(tag) if any(map(_is_beside, classes(part)))}
    return _Writer(url, omitted).read([tag])


def thread_page(
    page: Markup, exchange: Exchange, nodes: list[Node], post: tuple[str, ...], stated: int | None
) -> ThreadPage | None:
    """Return which page of the post's thread this is; None where the page shows no comments or not all of them.

    Cursors are the addresses of comment pages. `stated`: the number of comments that the page prints.
    """
    if not nodes:
        return None
    own = as_listed(exchange.url)
    inside = {id(tag) for node in nodes for tag in node.parts}
    following = dict.fromkeys(
        as_listed(str(link.get("href")), exchange.url)
        for link in page.elements("a")
        if id(link) not in inside and is_comment_page(str(link.get("href") or ""))
    )
    pages = tuple(url for url in following if post_key(url) != post_key(own) and _is_of(url, own))
    cursor = own if is_comment_page(own) else None
    discuz = any(_DISCUZ_NODE.fullmatch(str(node.tag.get("id") or "")) for node in nodes)
    if (discuz or not pages) and cursor is None and (stated is None or stated > len(nodes)):
        return None  # scripts load the rest
    return ThreadPage(post=post, cursor=cursor, following=pages, source="html")


def is_comment_page(url: str) -> bool:
    """Return whether the address is that of a page of comments: `/comment-page-2/`, `?cpage=2`."""
    return _COMMENT_PAGE.search(url) is not None


def post_address(url: str) -> str:
    """Return the canonical address of the post that a page of its comments belongs to."""
    return canonical_url(_COMMENT_PAGE.sub("", url).rstrip("?&"))


def _is_of(url: str, own: str) -> bool:
    return post_key(post_address(url)) == post_key(post_address(own))
