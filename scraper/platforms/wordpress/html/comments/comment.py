"""What one comment of a WordPress page says: name, date, text, votes; and who wrote it, for the pseudonym alone.

Core's classes come first (`.fn`, `.comment-content`, `time datetime`), then those of the comment blocks and of
wpDiscuz, then what themes call them; where nothing is marked, what stands beside the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from bs4 import Tag

from scraper.items import AuthorKind, Comment, CommentType, Exchange, Precision
from scraper.platforms._body import Body, BodyWriter, resolver
from scraper.platforms._dates import iso_date
from scraper.platforms._html import text_of
from scraper.platforms._tree import descendants
from scraper.platforms._values import clean, count
from scraper.platforms.wordpress.body import is_avatar
from scraper.platforms.wordpress.html.comments.nodes import Node
from scraper.platforms.wordpress.html.dates import printed_day
from scraper.platforms.wordpress.html.markup import classes
from scraper.platforms.wordpress.person import visitor

_TEXT_FIRST = ("comment-content", "wp-block-comment-content", "wpd-comment-text", "wc-comment-text", "comment-text")
# "comment-entry", "commenttext", "eltdf-comment-text"
_TEXT = re.compile(r"(?:[a-z0-9]+[-_]{1,2}){0,3}comments?[-_]{0,2}(?:content|text|entry|message|description|copy)")
_NAMED = (
    "fn",
    "wp-block-comment-author-name",
    "wpd-comment-author",
    "wc-comment-author",
    "comment-author-name",
    "comment-author-link",
    "comment__author",
    "comment-author",
    "comment_author",
    "author-name",
    "comment-name",
    "author",
)
# "comment-by", "eltdf-comment-author", "comment_user_name", "authorblogname"
_NAME = re.compile(
    r"\S{0,40}author\S{0,20}|(?:[a-z0-9]+[-_]{1,2}){0,3}comment[-_]{0,2}(?:by|name|user)(?:[-_](?:name|link))?"
)
_DATED = (
    "wp-block-comment-date",
    "wpd-comment-date",
    "wc-comment-date",
    "comment-date",
    "comment-time",
    "comment_date",
    "comment__date",
    "comment-metadata",
    "comment-meta",
    "commentmetadata",
    "comment-timestamp",
    "date",
)
# "date-comment", "eltdf-comment-date", "commentsdate"
_DATE = re.compile(r"(?:[a-z0-9]+[-_]{1,2}){0,3}(?:comments?)?(?:date|time)(?:[-_]{1,2}[a-z0-9]+){0,2}")
# What stands in a comment beside its text.
_NO_TEXT = re.compile(
    r"comment-author|vcard|comment-meta|commentmetadata|comment-metadata|comment-header|comment-info|comment-details|reply"
    r"|comment-reply(?:-link)?|comment-footer|comment-actions?|comment-edit-link|edit-link|comment-date|comment-time|says"
    r"|comment-avatar|avatar|comment-awaiting-moderation|fn|wpd-comment-(?:header|footer)|wpd-comment-left|wpulike"
    r"|wp_ulike\S*|comment-permalink|comment-author-\S+|children|\S*-reply|\S*\b(?:dis)?likes?\S*|\S*vote\S*"
    r"|\S*rating\S*|(?:wp-block-)?comment-(?:reply|edit)-link"
)
# Elements in which themes print name and date, where no element is marked as the text.
_BESIDE = ("cite", "time", "h3", "h4", "h5", "h6", "footer", "header")
_NO_NAMES = frozenset({"comment-reply-link", "comment-edit-link", "comment-date", "comment-permalink", "reply"})
# Behind a name: Anna says:, Anna schreibt:, Anna dit :
_SAYS = re.compile(
    r"\s+(?:says|said|sagt|schreibt|meint|dit|dice|diz|zegt|skriver|wrote)\s*:?\s*$|\s*:\s*$", re.IGNORECASE
)
_SOURCES = ("src", "data-src", "data-lazy-src", "srcset", "data-lazy-srcset")
_LONGEST_NAME = 200  # characters
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def read_comments(
    nodes: list[Node], post: tuple[str, ...], exchange: Exchange, language: str | None
) -> Iterator[Comment]:
    """Read the comments, and take them out of the tree.

    Those that wait for moderation, which only their author sees, are left out.
    """
    _take_out(nodes)
    for node in nodes:
        if node.part("comment-awaiting-moderation") is None:
            yield _comment(node, post, exchange, language)


def _take_out(nodes: list[Node]) -> None:
    """Take the comments out of their tree, the innermost first, so that none holds another when it is read.

    Each stands before the last one of its parent that was taken out: searched from the beginning, 10,000 take a minute.
    """
    ends: dict[int, int] = {}
    for tag in (node.tag for node in reversed(nodes)):
        if tag.parent is None:
            continue
        siblings = tag.parent.contents
        end = min(ends.get(id(tag.parent), len(siblings)), len(siblings))
        place = next((place for place in range(end - 1, -1, -1) if siblings[place] is tag), None)
        if place is not None:
            ends[id(tag.parent)] = place
        tag.extract(_self_index=place)


def _comment(node: Node, post: tuple[str, ...], exchange: Exchange, language: str | None) -> Comment:
    kind = _type(node)
    author, body = _author(node, kind), _body(node, exchange.url)
    posted, precision = _date(node, exchange.fetched_at, language)
    return Comment(
        post=post,
        platform_comment_id=node.number,
        type=kind,
        parent_id=node.parent,
        author=author,
        person=_person(node, author),
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
    tag = node.part(*_NAMED)
    if tag is None or not text_of(tag):
        tag = _first_named(node, _NAME) or _name_beside(node, kind)
    if tag is None:
        return None
    inner = next((part for part in descendants(tag, "cite", "b", "strong", "a") if text_of(part)), None)
    named = text_of(inner if "fn" not in classes(tag) and inner is not None else tag)
    found = clean(_SAYS.sub("", named)) if named else None
    return found if found and len(found) <= _LONGEST_NAME else None


def _name_beside(node: Node, kind: CommentType) -> Tag | None:
    """Return the first element beside the text that themes put a name in, where none is marked."""
    text = _text_part(node)
    names = ("cite", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "b", "a") if kind == "comment" else ("a", "strong")
    beside = (part for name in names for part in node.parts if part.name == name and not classes(part) & _NO_NAMES)
    own = (part for part in beside if text is None or (part is not text and text not in part.parents))
    return next((part for part in own if text_of(part)), None)


def _first_named(node: Node, pattern: re.Pattern[str]) -> Tag | None:
    marked = (part for part in node.parts if any(map(pattern.fullmatch, classes(part))))
    return next((part for part in marked if text_of(part)), None)


def _person(node: Node, author: str | None) -> str | None:
    """Return the identity of the commenter: the account's name in a class, else as `visitor` says."""
    tokens = classes(node.tag)
    account = next((token for token in tokens if token.startswith("comment-author-")), None)
    if account is not None and "byuser" in tokens:
        return f"account:{account.removeprefix('comment-author-')}"
    pictures = [str(tag.get(name) or "") for tag in node.parts if tag.name == "img" for name in _SOURCES]
    avatar = next((source for source in pictures if "gravatar.com/avatar/" in source), "")
    site = next((part for part in node.parts if part.name == "a" and "url" in classes(part)), None)
    return visitor(avatar, str(site.get("href") or "") if site is not None else "", author)


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
    dated = [*filter(None, (node.part(token) for token in _DATED)), *filter(None, [_first_named(node, _DATE)])]
    links = [
        part for part in node.parts if part.name == "time" or f"#comment-{node.number}" in str(part.get("href") or "")
    ]
    for tag in (*dated, *links):
        parts = descendants(tag, "a", "time")
        strings = tag.find_all(string=True, recursive=False)
        for printed in (str(tag.get("title") or ""), text_of(tag), *map(text_of, parts), *map(str, strings)):
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
