"""Wix: post pages and listings of every generation, text copies of them, and the services behind them.

*Recognised by*  the generator tag, Wix's headers and `http-equiv` metas, or the elements of the blog widget;
                 services by their address.
*Sources*        `page` (posts), `listing` (other pages that list posts), `text` (plain-text copies), `api` (services);
                 of rendered pages `xhr` (answers to their scripts) and `comments_dom` (comments in the DOM).
*Caveats*        a not-found page is as large as a post and may answer 200; members-only posts show a preview.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scraper.items import Exchange, Item, Post
from scraper.not_a_post import ConsentWall, Unreadable
from scraper.platforms._json import string
from scraper.platforms._page import utf8
from scraper.platforms._platform import Blog, Plan, Platform, RenderTargets
from scraper.platforms._recognise import Marks, has_mark_of, in_a_tag, is_anothers
from scraper.platforms.wix import address, comments_dom
from scraper.platforms.wix.article import no_post
from scraper.platforms.wix.listing import read_listing
from scraper.platforms.wix.page import post_page, read_page
from scraper.platforms.wix.services import api, comments, xhr
from scraper.platforms.wix.slices import hooked
from scraper.platforms.wix.text import is_text_copy, read_text

# Elements of the blog widget, which saved extracts of a page still contain when its head is missing.
_WIDGET = (
    b'id="wix-warmup-data"',
    b'data-hook="rcv-block-first"',
    b'data-hook="post-page"',
    b'data-hook="feed-page-root"',
)
# 24 hex digits or a UUID: 64ddbf6a1737d98af033206f, 0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d4e5f
_GUID = re.compile(r"[0-9a-f]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CONSENT_BYTES = 120_000
# A title such as "Before you continue", "Cookie consent", "We value your privacy".
_CONSENT = re.compile(rb"<title[^>]*>[^<]{0,80}(?:before you continue|consent|your privacy|cookie)", re.I)
# "/blog/page/2" -> "/blog", "2"
_PAGED = re.compile(r"^(?P<first>.*?)/page/(?P<number>\d{1,5})/?$")


class Wix(Platform):
    """Reads Wix pages, text copies and service answers, and requests from the services what pages no longer contain."""

    name: ClassVar[str] = "wix"
    hosted: ClassVar[bool] = True
    extractor_version: ClassVar[int] = 4
    marks: ClassVar[Marks] = Marks(
        generators=("Wix.com Website Builder",),
        headers=(("x-wix-request-id", "."), ("server", r"^Pepyaka\b")),
        # <meta http-equiv="X-Wix-Meta-Site-Id" content="..."/>
        head=(rb"(?i)<meta\b[^<>]{0,400}\bhttp-equiv\s*=\s*[\"']?X-Wix-",),
    )
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "pages, API",
        "bodies": "all",
        "dates": "exact",
        "views": "yes",
        "likes": "yes",
        "comments": "threads",
    }
    feed_size: ClassVar[int | None] = 20
    sitemaps: ClassVar[Sequence[str]] = ("/blog-posts-sitemap.xml", "/sitemap.xml")
    feeds: ClassVar[Sequence[str]] = ("/blog-feed.xml",)
    listings: ClassVar[Sequence[str]] = ("/blog",)
    render: ClassVar[RenderTargets | None] = RenderTargets(
        # Before its script has run, the node holds empty boxes, in newer layouts with the hook "skeleton-loader".
        counters='article[data-hook="post"] [data-hook="post-stats"] span:not([data-hook="skeleton-loader"])',
        comments='[data-hook^="wc-root"]',
        item='[data-hook^="wc-root"] [data-hook^="list-item"]',
        more=tuple(f'[data-hook^="wc-root"] button[data-hook*="{part}"]' for part in comments_dom.MORE),
    )

    def claims(self, exchange: Exchange) -> bool:
        """Return whether this is a page with a mark of Wix or its widget, a text copy, or a service answer."""
        if exchange.of_script:
            return xhr.is_of_site(exchange) and (api.is_api_url(exchange.url) or xhr.claims(exchange))
        if api.is_api_url(exchange.url) or api.is_post_answer(exchange.body):
            return True
        if has_mark_of(self.marks, exchange):
            return True
        return not is_anothers(self.marks, exchange) and (
            any(in_a_tag(exchange.body, mark) for mark in _WIDGET) or is_text_copy(exchange)
        )

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Return the items of a post page, listing, text copy, service answer or DOM, recognised by its content.

        Raises `NotFoundPage`, `Paywall`, `ConsentWall`, `Unreadable` or `NotAPost` for other pages.
        """
        if exchange.of_script and not api.reads(exchange.url):
            return xhr.read(exchange)
        if api.is_api_url(exchange.url):
            return api.read(exchange)
        if exchange.via == "dom":
            return self._read_dom(exchange)
        if api.is_post_answer(exchange.body):
            return api.read_post_answer(exchange)
        if is_text_copy(exchange):
            return read_text(exchange)
        body = utf8(exchange)
        _refuse_walls(exchange, body)
        page = post_page(body)
        if page >= 0:
            return read_page(exchange, after=page)
        listing = hooked(body, "feed-page-root") >= 0 or hooked(body, "post-list-item") >= 0
        if hooked(body, "not-found-page") >= 0 or (address.is_post(exchange.url) and not listing):
            raise no_post(body)
        return read_listing(exchange)

    def _read_dom(self, exchange: Exchange) -> Iterator[Item]:
        """Yield the items of a rendered page's final DOM: the post without the comments below it, then the comments."""
        body, widgets = comments_dom.cut_widgets(utf8(exchange))
        resource = comments_dom.filed_under(widgets)
        post: Post | None = None
        for item in self.read(replace(exchange, body=body, via=None)):
            if isinstance(item, Post):
                post = item
                if resource is not None:
                    item.addresses = tuple(dict.fromkeys((*item.addresses, resource)))
                    item.comments_key = item.comments_key or resource.removeprefix("wix:")
            yield item
        if post is not None:
            for markup in widgets:
                yield from comments_dom.read_widget(markup, exchange, post.language)

    def is_post_url(self, url: str, named_in: str | None = None) -> bool:
        """Return whether the path is `/post/<slug>` or `/single-post/<slug>`, below any site or language prefix."""
        return address.is_post(url)

    def is_listing_url(self, url: str) -> bool:
        """Return whether this is the blog's listing, one of its pages, or that of a category, tag or hashtag."""
        return address.is_listing(url)

    def next_listing(self, url: str) -> str | None:
        """Return "/blog/page/2" for "/blog", "/blog/page/3" for "/blog/page/2"; None for other pages."""
        if not self.is_listing_url(url):
            return None
        parts = urlsplit(url)
        paged = _PAGED.match(parts.path)
        first, number = (paged["first"], int(paged["number"])) if paged else (parts.path.rstrip("/"), 1)
        return parts._replace(path=f"{first}/page/{number + 1}", fragment="").geturl()

    def guid_address(self, guid: str) -> str | None:
        """Return `wix:64ddbf6a1737d98af033206f` for `64ddbf6a1737d98af033206f` (wix-blog, section 0, fact 4)."""
        return f"{self.name}:{guid.lower()}" if _GUID.fullmatch(guid) else None

    def row_id(self, row: Mapping[str, Any]) -> str | None:
        """`{"id": "0b5e...", "author": {...}, ...}` of a comment, `{"id": "f7a1...", "profile": {...}}` of a member."""
        name = string(row.get("id"))
        if not name or row.keys().isdisjoint({"author", "profile"}):
            return None
        return name if "author" in row else comments.member(name)

    def is_api_url(self, url: str) -> bool:
        """Return whether this is the address of a service of the blog."""
        return api.is_api_url(url)

    def root(self, url: str) -> str:
        """Return scheme and host; of free sites, which share `user.wixsite.com`, with the first part of the path."""
        return address.root(url)

    def holds_tokens(self, url: str, body: bytes) -> bool:
        """Return whether the answer contains a visitor's tokens, at a known address or by its content."""
        return api.gives_tokens(url) or xhr.is_token_answer(body)

    def unknown_comment_endpoint(self, exchange: Exchange) -> str | None:
        """Return the address of an answer that only its shape identified as comments; None for any other exchange."""
        is_candidate = exchange.of_script and exchange.status == 200 and xhr.is_of_site(exchange)
        return xhr.unknown_comment_endpoint(exchange) if is_candidate else None

    def counters(self, blog: Blog) -> Plan:
        """Request the counters, and the bodies and media, that pages leave to a script."""
        return api.counters(blog)

    def threads(self, blog: Blog) -> Plan:
        """Request the comments of the posts."""
        return comments.threads(blog)


def _refuse_walls(exchange: Exchange, body: bytes) -> None:
    """Raise `Unreadable` or `ConsentWall` for answers that are not pages of the site."""
    if not body or body.isspace():
        raise Unreadable("the answer is empty")
    if b"<" not in body:
        raise Unreadable("it contains no HTML")
    if len(body) < _CONSENT_BYTES and _CONSENT.search(body[:20_000]) and hooked(body, "post") < 0:
        raise ConsentWall("a page that shows nothing but a consent dialogue")
