"""Feeds (RSS, Atom), read into sightings by feedparser from the bytes."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import feedparser  # type: ignore[import-untyped]
from feedparser.exceptions import ThingsNobodyCaresAboutButMe  # type: ignore[import-untyped]
from w3lib.encoding import http_content_type_encoding
from w3lib.html import remove_tags

from scraper.addresses import canonical_url, is_web_address, same_site
from scraper.items import Exchange, Problem, Sighting
from scraper.platforms._dates import feed_date
from scraper.platforms._page import known_charset
from scraper.xml_lists import CUT, IsPostUrl, listed_spelling, of_own_site, problem, root_of, whole_part


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """The content of one feed."""

    sightings: tuple[Sighting, ...] = ()  # posts, in the feed's order
    others: int = 0  # entries that are not posts
    problems: tuple[Problem, ...] = ()


def read_feed(
    exchange: Exchange,
    is_post_url: IsPostUrl | None = None,
    guid_address: Callable[[str], str | None] | None = None,
) -> FeedPage:
    """Read an RSS or Atom feed. A feed without items is no problem. Never raises.

    `is_post_url`: items for which it returns False (podcasts, events) are counted in `others`; None: every item is a
    post. `guid_address`: returns the post's address that a guid gives, such as `wix:64ddbf6a1737d98af033206f`, or None.
    `published_at` is ISO 8601 UTC, a bare date where the feed names no zone (`feed_date`); `title` is plain text
    without tags and entities.
    Kinds of problems: feed-is-html, feed-cut, feed-unreadable, feed-malformed (the readable items are returned),
    feed-foreign.
    """
    entries, problems = feed_entries(exchange)
    sighted = [_feed_sighting(entry, exchange.url, guid_address) for entry in entries]
    posts = []
    for sighting in sighted:
        verdict = True if is_post_url is None else is_post_url(sighting.url, exchange.url)
        if is_web_address(sighting.url) and verdict is not False:
            posts.append(sighting if verdict else replace(sighting, certain=False))
    sightings, foreign = of_own_site(posts, exchange)
    return FeedPage(sightings=sightings, others=len(sighted) - len(posts), problems=(*problems, *foreign))


def feed_entries(exchange: Exchange) -> tuple[list[Any], tuple[Problem, ...]]:
    """Return the entries of an RSS or Atom feed as feedparser reads them, and what is wrong with the feed.

    Values are as written: HTML is not sanitised, and addresses stay relative. Never raises. Kinds of problems as in
    `read_feed`, but for feed-foreign.
    """
    if root_of(exchange.body) == "html":
        return [], (problem("feed-is-html", exchange, "the answer is an HTML page, not a feed"),)
    whole, is_cut = whole_part(exchange.body, entry=rb"item|entry", root=rb"rss|feed|RDF")
    problems = [problem("feed-cut", exchange, CUT)] if is_cut else []
    mime, charset = exchange.content_type.partition(";")[0].strip(), http_content_type_encoding(exchange.content_type)
    # A charset that is none ("undefined") would end feedparser.
    declared = exchange.content_type if known_charset(charset) or charset is None else mime
    # A stream, because feedparser would open bytes that look like an address or a file name.
    try:
        feed = feedparser.parse(
            BytesIO(whole),
            response_headers={"content-type": declared or "application/xml", "content-location": exchange.url},
            sanitize_html=False,  # what is stored is sanitised by its reader
            resolve_relative_uris=False,
        )
    except Exception as error:  # the library raises many kinds: "&#xD800;" in a title is one
        why = f"not readable as XML ({type(error).__name__})"
        return [], (*problems, problem("feed-unreadable", exchange, why))
    if not feed.get("version"):
        return [], (*problems, problem("feed-unreadable", exchange, "it is neither RSS nor Atom"))
    fault = feed.get("bozo_exception")
    # A wrong content type or a corrected charset loses nothing; a cut is reported already.
    if fault is not None and not is_cut and not isinstance(fault, ThingsNobodyCaresAboutButMe):
        problems.append(problem("feed-malformed", exchange, f"not well-formed ({fault}); the readable items were used"))
    return list(feed.entries), tuple(problems)


def _feed_sighting(entry: Any, base: str, guid_address: Callable[[str], str | None] | None) -> Sighting:
    guid = (entry.get("id") or "").strip()
    link = entry.get("link") or ""
    # A guid that is an address of another site, from which the posts were moved, has the number of the post there.
    is_own = not is_web_address(guid) or same_site(guid, base)
    address = guid_address(guid) if guid and guid_address and is_own else None
    title = entry.get("title")
    # Wix escapes inside CDATA: "GBR &#38; Soft Tissue"
    if title and entry.get("title_detail", {}).get("type") == "text/html":
        title = html.unescape(remove_tags(title))
    published = entry.get("published")
    if is_comment_link(link):  # among posts: the entry names one, but title ("By: NAME") and date are the comment's
        return Sighting(url=canonical_url(link, base), source="feed")
    return Sighting(
        url=canonical_url(link, base) if link.strip() else "",
        source="feed",
        listed_url=listed_spelling(link, base, canonical_url(link, base)) if link.strip() else None,
        addresses=(address,) if address else (),
        # Not `.get`: feedparser would return the publication date instead, with a warning.
        lastmod=entry["updated"] if "updated" in entry.keys() else None,  # noqa: SIM118
        title=" ".join(title.split()) or None if title else None,
        published_at=feed_date(published),
    )


# "/comments/feed/", "/sleep/comments/feed", "/feeds/comments/default", "/feeds/7/comments/default", "/comments.rss",
# "/feed/comments", "/comments-rss2.xml"; in WordPress without names of pages "/?feed=comments-rss2"
_COMMENT_FEED_PATH = re.compile(
    r"(?:^|/)comments/(?:feed|default|full|rss|atom)\b|/(?:feeds?|rss)/comments/?$"
    r"|/comments(?:-(?:rss2?|atom|feed))?\.(?:rss|atom|xml)$",
    re.I,
)
_COMMENT_FEED_QUERY = re.compile(r"(?:^|&)feed=comments-", re.I)

# The link of a comment: "/sleep/#comment-12", "/sleep?showComment=15#c34", "/sleep#IDComment9"
_COMMENT_LINK = re.compile(rb"#(?:id)?comment-?\d|[?&;]showComment=|#c\d{6,}", re.IGNORECASE)


# "<link>https://...</link>", also with CDATA; of Atom '<link rel="alternate" href="..."/>'
_LINKS = re.compile(rb"<link>(?:\s*<!\[CDATA\[)?[^<]*|<link\b[^<>]*\brel=.alternate[^<>]*>", re.IGNORECASE)
# '<thr:in-reply-to ref="..."/>': the entry answers another (RFC 4685)
_REPLY = re.compile(rb"<[\w-]+:in-reply-to\b")


def is_comment_link(link: str) -> bool:
    """Return whether the link of a feed's entry leads to a comment."""
    return _COMMENT_LINK.search(link.encode("utf-8", "replace")) is not None


def is_comment_feed(exchange: Exchange) -> bool:
    """Return whether this is a feed of comments: by its address, or because every item is one, or links to one."""
    parts = urlsplit(exchange.url)
    if _COMMENT_FEED_PATH.search(parts.path) or _COMMENT_FEED_QUERY.search(parts.query):
        return True
    items = re.split(rb"<(?:[\w.-]+:)?(?:item|entry)(?=[\s>])", exchange.body)[1:]
    return bool(items) and all(map(_is_comment, items))


def _is_comment(item: bytes) -> bool:
    return bool(_REPLY.search(item)) or any(_COMMENT_LINK.search(link) for link in _LINKS.findall(item))
