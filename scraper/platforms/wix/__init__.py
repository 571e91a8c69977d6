"""Wix: post pages and listings of every generation, text copies of them, and the services behind them.

*Recognised by*  the generator tag, Wix's headers and `http-equiv` metas, or the elements of the blog widget;
                 services by address.
*Sources*        `page` (posts), `listing` (everything else with posts on it), `text` (copies as plain text), `api`;
                 of rendered pages `answers` (what their scripts received) and `widget` (comments in the DOM).
*Caveats*        a page that says "not found" is as large as a post and may answer 200; members' posts show a preview.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlsplit

from scraper.items import BotChallenge, ConsentWall, Exchange, Item, Post, Unreadable
from scraper.platforms._page import utf8
from scraper.platforms._platform import Blog, Plan, Platform, RenderTargets
from scraper.platforms._recognise import Marks, bot_challenge, has_mark_of, is_anothers
from scraper.platforms.wix import address, api, comments, comments_dom, xhr
from scraper.platforms.wix.article import no_post
from scraper.platforms.wix.listing import read_listing
from scraper.platforms.wix.page import post_page, read_page
from scraper.platforms.wix.slices import hooked
from scraper.platforms.wix.text import is_text_copy, read_text

# Elements of the blog widget itself, which saved extracts of a page still have when its head is gone.
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
    """Reads Wix blogs: pages, text copies and service answers; asks the services for what pages no longer print."""

    name: ClassVar[str] = "wix"
    extractor_version: ClassVar[int] = 1
    marks: ClassVar[Marks] = Marks(
        generators=("Wix.com Website Builder",),
        headers=(("x-wix-request-id", "."), ("server", r"^Pepyaka\b")),
        # <meta http-equiv="X-Wix-Meta-Site-Id" content="..."/>
        head=(rb"http-equiv=[\"']?X-Wix-",),
    )
    feed_size: ClassVar[int | None] = 20
    sitemaps: ClassVar[Sequence[str]] = ("/blog-posts-sitemap.xml", "/sitemap.xml")
    feeds: ClassVar[Sequence[str]] = ("/blog-feed.xml",)
    listings: ClassVar[Sequence[str]] = ("/blog",)
    render: ClassVar[RenderTargets | None] = RenderTargets(
        # Before its script ran, the node holds empty boxes, later ones with the hook "skeleton-loader".
        counters='article[data-hook="post"] [data-hook="post-stats"] span:not([data-hook="skeleton-loader"])',
        comments='[data-hook^="wc-root"]',
        item='[data-hook^="wc-root"] [data-hook^="list-item"]',
        more=tuple(f'[data-hook^="wc-root"] button[data-hook*="{part}"]' for part in comments_dom.MORE),
    )

    def claims(self, exchange: Exchange) -> bool:
        """A page with a mark of Wix or its blog widget, a text copy of one, or an answer of a Wix service."""
        if exchange.of_script:
            return xhr.is_of_site(exchange) and (api.claims(exchange.url) or xhr.claims(exchange))
        if api.claims(exchange.url) or api.is_post_answer(exchange.body):
            return True
        if has_mark_of(self.marks, exchange):
            return True
        return not is_anothers(self.marks, exchange) and (
            any(mark in exchange.body for mark in _WIDGET) or is_text_copy(exchange)
        )

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """The items of a post page, listing, text copy or service answer, told apart by looking; of a DOM as well.

        Raises `NotFoundPage`, `Paywall`, `BotChallenge`, `ConsentWall`, `Unreadable` or `NotAPost` for other pages.
        """
        if exchange.of_script and not api.reads(exchange.url):
            return xhr.read(exchange)
        if api.claims(exchange.url):
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
        """A page as it stood in the end: the post without the comments below it, then those."""
        body, widgets = comments_dom.cut(utf8(exchange))
        named = comments_dom.filed_under(widgets)
        post: Post | None = None
        for item in self.read(replace(exchange, body=body, via=None)):
            if isinstance(item, Post):
                post = item
                if named is not None:
                    item.addresses = tuple(dict.fromkeys((*item.addresses, named)))
                    item.comments_key = item.comments_key or named.removeprefix("wix:")
            yield item
        if post is not None:
            for markup in widgets:
                yield from comments_dom.read_widget(markup, exchange, post.language)

    def is_post_url(self, url: str, named_in: str | None = None) -> bool:
        """`/post/<slug>`, `/single-post/<slug>`, on a free site below its name, in a language below its prefix."""
        return address.is_post(url)

    def is_listing_url(self, url: str) -> bool:
        """The blog page, a page, category, tag or hashtag of it."""
        return address.is_listing(url)

    def next_listing(self, url: str) -> str | None:
        """ "/blog" gives "/blog/page/2", "/blog/page/2" gives "/blog/page/3"; None for other pages."""
        if not self.is_listing_url(url):
            return None
        parts = urlsplit(url)
        paged = _PAGED.match(parts.path)
        first, number = (paged["first"], int(paged["number"])) if paged else (parts.path.rstrip("/"), 1)
        return parts._replace(path=f"{first}/page/{number + 1}", fragment="").geturl()

    def guid_address(self, guid: str) -> str | None:
        """`64ddbf6a1737d98af033206f` gives `wix:64ddbf6a1737d98af033206f` (reference: wix-blog, section 0, fact 4)."""
        return f"{self.name}:{guid.lower()}" if _GUID.fullmatch(guid) else None

    def is_api_url(self, url: str) -> bool:
        """One of the services behind the blog."""
        return api.claims(url)

    def root(self, url: str) -> str:
        """Scheme and host; free sites share `user.wixsite.com` and are told apart by the first part of the path."""
        return address.root(url)

    def holds_tokens(self, url: str, body: bytes) -> bool:
        """The visitor's tokens, whatever address gave them."""
        return api.gives_tokens(url) or xhr.is_token_answer(body)

    def unknown_comment_endpoint(self, exchange: Exchange) -> str | None:
        """Where comments were answered that were told by their shape alone."""
        is_candidate = exchange.of_script and exchange.status == 200 and xhr.is_of_site(exchange)
        return xhr.unknown_comment_endpoint(exchange) if is_candidate else None

    def counters(self, blog: Blog) -> Plan:
        """Counts (and bodies and media) that the pages leave to a script."""
        return api.counters(blog)

    def threads(self, blog: Blog) -> Plan:
        """The comments of the posts."""
        return comments.threads(blog)


def _refuse_walls(exchange: Exchange, body: bytes) -> None:
    """Raise for answers that are no page of the site at all."""
    if not body or body.isspace():
        raise Unreadable("an empty answer")
    if b"<" not in body:
        raise Unreadable("no HTML in it")
    wall = bot_challenge(exchange)
    if wall is not None:
        raise BotChallenge(f"{wall} asks whether we are human; nothing stored, try again later or more slowly")
    if len(body) < _CONSENT_BYTES and _CONSENT.search(body[:20_000]) and hooked(body, "post") < 0:
        raise ConsentWall("a page that shows nothing but a consent dialogue")
