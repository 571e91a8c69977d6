"""Feeds of WordPress (RSS and Atom) -> posts with their whole texts.

*Sources*   `/feed/`, `/feed/atom/`, page by page with `?paged=N`: whole HTML in `content:encoded` (`content`) unless
            the site sends excerpts. `updated` of Atom is the last change.
*Caveats*   The validators of a feed follow its posts, so that a 304 says nothing about the numbers of comments in it. A
            post of several pages is there with its first page alone. A post with a password has a form in place of
            its text. Categories and tags are mixed in one list, so that neither is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import unquote, urlsplit

from bs4 import Tag

from scraper.addresses import canonical_url, is_web_address, post_key, same_site
from scraper.feeds import feed_entries, is_comment_link
from scraper.items import Exchange, Item, Post
from scraper.platforms._body import Body, resolver
from scraper.platforms._dates import feed_date
from scraper.platforms._html import text_of
from scraper.platforms._json import string
from scraper.platforms._tree import descendants
from scraper.platforms._values import clean, count
from scraper.platforms.wordpress.body import own_text, read_nodes
from scraper.platforms.wordpress.html.head import post_number
from scraper.platforms.wordpress.html.markup import classes, parse
from scraper.platforms.wordpress.html.title import without_protection
from scraper.xml_lists import beginning, root_of

_PLATFORM = "wordpress"
# "Some words of the text [&hellip;]": an excerpt that WordPress cut off by itself
_CUT = re.compile(r"\s*(?:\[(?:…|\.\.\.)\]|…|\.\.\.)\s*$")
# "<p>The post <a>TITLE</a> appeared first on <a>SITE</a>.</p>", by Yoast, in any language: two links and little else
_MAX_FOOTER = 300  # characters


def read_posts(exchange: Exchange) -> Iterator[Item]:
    """Read the posts of a feed, each with its text where the feed has it, and what is wrong with the feed.

    `comments_count` is what the feed prints, `slash:comments` or `thr:total`; 0 is left out, because a feed shows no
    comments. Entries of other sites are left out. Never raises for a faulty feed.
    """
    entries, problems = feed_entries(exchange)
    is_atom = root_of(beginning(exchange.body)) == "feed"
    for entry in entries:
        post = _post(entry, exchange, is_atom=is_atom)
        if post is not None:
            yield post
    yield from problems


def _post(entry: Any, exchange: Exchange, *, is_atom: bool) -> Post | None:
    link = string(entry.get("link")).strip()
    url = canonical_url(link, exchange.url) if link else ""
    if not is_web_address(url) or not same_site(url, exchange.url) or is_comment_link(link):
        return None
    post = Post(platform=_PLATFORM, url=url, slug=unquote(urlsplit(url).path.rpartition("/")[2]) or None)
    guid = string(entry.get("id"))
    number = (post_number(guid) if same_site(guid, exchange.url) else None) or post_number(link)
    post.platform_post_id = number
    post.addresses = (url, *([f"{_PLATFORM}:{number}"] if number else []))
    # HTML in Atom; in RSS plain text, in which "<what matters>" is no element.
    title = string(entry.get("title"))
    post.title = _plain(title) if is_atom else clean(unescape(title))
    post.author = clean(string(entry.get("author")))
    post.published_raw = clean(string(entry.get("published")))
    post.published_at = feed_date(post.published_raw)
    # Not `.get`: feedparser would return the publication date instead, with a warning.
    post.modified_at = feed_date(entry["updated"]) if "updated" in entry.keys() else None  # noqa: SIM118
    _read_text(post, entry, resolver(exchange.url)(link))
    post.comments_count_raw = clean(string(entry.get("slash_comments"))) or clean(string(entry.get("thr_total")))
    post.comments_count = count(post.comments_count_raw) or None
    post.sources = {name: "feed" for name in _FIELDS if getattr(post, name) not in (None, ())}
    return post


_FIELDS = (
    "title",
    "author",
    "published_at",
    "modified_at",
    "published_raw",
    "access",
    "excerpt",
    "body_html",
    "body_text",
    "word_count",
    "links",
    "images",
    "comments_count",
    "comments_count_raw",
)


def _read_text(post: Post, entry: Any, base: str) -> None:
    """Read text and excerpt. A feed of excerpts has no text; a post with a password has neither.

    `base`: the post's address, to which relative ones refer in every source alike.
    """
    contents = [string(content.get("value")) for content in entry.get("content") or ()]
    html = next(filter(str.strip, contents), "")
    tree = parse(html) if html.strip() else None
    if tree is not None and any("post-password-form" in classes(form) for form in descendants(tree, "form")):
        post.access, post.title = "password", without_protection(post.title)
        return
    if tree is not None:
        body = _without_footer(tree, post, base)
        post.body_html, post.body_text, post.links, post.images = body.html, body.text, body.links, body.images
        post.word_count = len((body.text or "").split()) or None
        post.access = "public" if body.text else None
    summary = _plain(entry.get("summary")) if not contents or entry.get("summary") != contents[0] else None
    if summary is not None and not _is_beginning(summary, post.body_text):
        post.excerpt = summary


def _is_beginning(summary: str, text: str | None) -> bool:
    """Return whether WordPress made the excerpt from the text by itself: as all of it, or its beginning and a mark."""
    if text is None:
        return False
    whole, cut = " ".join(text.split()), _CUT.search(summary)
    return "[" in cut[0] or whole.startswith(summary[: cut.start()]) if cut is not None else whole == summary


def _without_footer(tree: Tag, post: Post, base: str) -> Body:
    """Read the text without the sentence that Yoast adds to each entry: it links to the post, then to the site."""
    paragraphs = list(descendants(tree, "p"))
    links = [str(link.get("href") or "") for link in descendants(paragraphs[-1], "a")] if paragraphs else []
    if len(links) == 2 and "#" not in links[0] and len(paragraphs[-1].get_text()) <= _MAX_FOOTER:
        to_post, to_site = (canonical_url(link, base) for link in links)
        is_site = same_site(to_site, base) and "?" not in to_site and base.startswith(to_site.rstrip("/"))
        if is_site and post_key(to_post) == post_key(post.url or "") and post_key(to_site) != post_key(to_post):
            paragraphs[-1].extract()
    return read_nodes([own_text(tree)], base)


def _plain(value: Any) -> str | None:
    """Return text of a feed without tags; entities are undone."""
    html = string(value)
    return text_of(parse(html)) if "<" in html or "&" in html else clean(html)
