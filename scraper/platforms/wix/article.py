"""The article of a Wix post page, with its head and warm-up data -> `Post`, each field with the source it came from."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cached_property
from typing import Literal

from bs4 import Tag
from bs4.element import PageElement

from scraper.addresses import canonical_url, is_web_address
from scraper.items import Exchange, Post, Related, Source
from scraper.not_a_post import NotAPost, NotFoundPage, Paywall, Unreadable
from scraper.platforms._body import Body
from scraper.platforms._dates import PrintedDate, iso_date, printed_date
from scraper.platforms._html import text_of
from scraper.platforms._json import count, mapping, sequence, string
from scraper.platforms._page import Head
from scraper.platforms._tree import ancestors
from scraper.platforms._values import clean, minutes
from scraper.platforms.wix import address, footer
from scraper.platforms.wix.body import read_body
from scraper.platforms.wix.hooks import Hooks, find_hooks, within
from scraper.platforms.wix.richtext import ricos
from scraper.platforms.wix.services.comments import member
from scraper.platforms.wix.slices import Slices, hooked
from scraper.platforms.wix.warmup import INTERNAL_ID, UUID, Warmup

# What a members-only or paid post shows below its preview instead of the rest.
_PAYWALL = re.compile(r"keep reading this exclusive post|this post is for (?:members|subscribers)", re.I)


class ArticleReader:
    """Reads one article. Each `_read_...` method sets the fields of one group and records their sources."""

    def __init__(self, exchange: Exchange, page: Slices, *, head: Head, warmup: Warmup, url: str) -> None:
        self.exchange = exchange
        self.page = page
        self.hooks = Hooks(page.article or page.head)
        self.head = head
        self.warmup = warmup
        self.url = url
        self.sources: dict[str, Source] = {}
        self.resolve = address.resolver(url, head.canonical)

    def post(self) -> Post:
        """Return the post. Raises `NotAPost`, `Paywall` or `Unreadable` where the page holds no whole body."""
        body, source = self._body()
        post = Post(platform="wix")
        self._read_identity(post)
        self._read_heading(post)
        self._read_dates(post)
        self._read_summary(post)
        self._read_text(post, body, source)
        post.categories, post.tags = self._labels("categories"), self._labels("tags")
        self._read_parts(post, body, source)
        self._read_related(post)
        self._read_counters(post)
        return post

    # --- groups of fields

    def _read_identity(self, post: Post) -> None:
        uuid, internal = self._ids()
        requested = canonical_url(self.exchange.url) if is_web_address(self.exchange.url) else ""
        addresses = (self.url, requested, f"wix:{uuid}" if uuid else "", f"wix:{internal}" if internal else "")
        post.platform_post_id = internal or uuid
        post.url = self.url or None
        post.slug = address.slug(self.url)
        post.addresses = tuple(dict.fromkeys(filter(None, addresses)))
        post.comments_key = internal

    def _read_heading(self, post: Post) -> None:
        owner = string(mapping(self.warmup.post.get("owner")).get("siteMemberId"))
        post.title = self._pick(
            "title",
            html=text_of(self.hooks.get("post-title")) or self.head.json_ld("headline"),
            warmup=self.warmup.post.get("title"),
            fallback=self._meta("og:title"),
        )
        post.author = self._pick("author", html=text_of(self.hooks.get("user-name")))
        post.author_person = member(owner) if owner else None

    def _read_dates(self, post: Post) -> None:
        printed, updated, *_ = (*map(text_of, self.hooks.all("time-ago")), None, None)  # "Jan 5", "Updated: Jan 7"
        post.published_at, relative = self._date(
            "published_at", "article:published_time", "datePublished", "firstPublishedDate", printed
        )
        post.modified_at, _ = self._date(
            "modified_at", "article:modified_time", "dateModified", "lastPublishedDate", updated
        )
        post.published_raw = self._pick("published_raw", html=printed)
        if relative is not None:
            post.counted_to = relative.counted_to
            self._record(post, "relative", "published_at", "published_raw")

    def _read_summary(self, post: Post) -> None:
        summary = self._meta("og:description") or self.head.json_ld("description")
        cover = self._meta("og:image") or self.head.json_ld("image", "url")
        post.language = self._pick("language", warmup=self.warmup.post.get("language"), fallback=self.head.language)
        post.excerpt = self._pick("excerpt", html=summary, warmup=self.warmup.post.get("excerpt"))
        post.minutes_to_read = self._minutes()
        post.cover_image_url = self._pick("cover_image_url", html=address.original_file(cover) if cover else None)

    def _read_text(self, post: Post, body: Body, source: Source) -> None:
        post.body_html, post.body_text = body.html, body.text
        self._record(post, source, "body_html", "body_text")

    def _read_parts(self, post: Post, body: Body, source: Source) -> None:
        post.word_count = len(body.text.split()) if body.text else None
        post.links, post.images = body.links, body.images
        post.media_pending = body.media_pending
        self._record(post, source, "word_count", "links", "images")

    def _read_related(self, post: Post) -> None:
        """Read the cards of "Recent Posts" below the article."""
        if self.page.recent is not None:
            cards = find_hooks(self.page.recent, "recent-post-list-item")
            post.related_posts = tuple(self._card(position, Hooks(card)) for position, card in enumerate(cards, 1))
        self._record(post, "html", "related_posts")

    def _read_counters(self, post: Post) -> None:
        counters = footer.read(self.hooks, self.warmup)
        for field in fields(counters):
            if field.name not in ("pending", "sources"):
                setattr(post, field.name, getattr(counters, field.name))
        post.counters_pending = counters.pending
        post.sources = {**self.sources, **counters.sources}

    # --- how values are chosen

    def _record(self, post: Post, source: Source, *names: str) -> None:
        """Record the source of those of the fields that have a value."""
        self.sources.update((name, source) for name in names if getattr(post, name))

    def _meta(self, name: str) -> str | None:
        """Return a meta of the head where the head describes the post and not the site."""
        return clean(self.head.metas.get(name)) if self.head.is_article else None

    def _pick(
        self, name: str, html: str | None = None, warmup: object = None, fallback: str | None = None
    ) -> str | None:
        """Return the first value that is not empty and record its source; `fallback` is of the markup as well."""
        warm = clean(string(warmup))
        value = html or warm or fallback
        if value is not None:
            self.sources[name] = "warmup" if html is None and warm is not None else "html"
        return value

    def _date(
        self, name: str, meta: str, linked: str, warm: str, printed: str | None
    ) -> tuple[str | None, PrintedDate | None]:
        """Return a date: of the meta, else JSON-LD, the warm-up data, the printed text (often without a year).

        The second value is the printed date where that is the date and depends on the day of the capture, else None.
        """
        exact = iso_date(self.head.metas.get(meta)) or iso_date(self.head.json_ld(linked))
        known = iso_date(string(self.warmup.post.get(warm)))
        read = None if exact or known else printed_date(printed, self.exchange.fetched_at, self.head.language)
        date = self._pick(name, html=exact, warmup=known, fallback=read.at if read else None)
        return date, read if read is not None and read.is_relative else None

    # --- fields

    def _body(self) -> tuple[Body, Source]:
        """Return what is between the block markers, or in the warm-up data where the markup has no body."""
        if _PAYWALL.search("\n".join(self.hooks.strings)) or self.hooks.like("paywall"):
            raise Paywall("the post is for members or subscribers only: the page holds its preview")
        if self.hooks.first_block is not None:
            nodes = list(self.hooks.first_block.next_siblings)
            last = next((index for index, node in enumerate(nodes) if _is_last(node)), None)
            if last is None:
                raise Unreadable("the page is cut off inside the post's text; fetch it again")
            return read_body(nodes[:last], self.resolve), "html"
        document = self.warmup.post.get("richContent") or self.warmup.post.get("content")
        if mapping(document):
            return ricos.render(document), "warmup"
        if self.hooks.old_body is not None:
            body = read_body(self.hooks.old_body.contents, self.resolve)
            if body.text or body.images:
                return body, "html"
        raise no_post(self.exchange.body)

    def _ids(self) -> tuple[str | None, str | None]:
        """Return UUID and 24-hex `internalId`: of the warm-up data, else the UUID of `id="more-button-<uuid>"`."""
        post = self.warmup.post
        marked = (name for name, _ in self.hooks.ids if name.startswith(("more-button-", "post-social-actions_")))
        names = (string(post.get("id")), self.warmup.uuid or "", *marked)
        uuid = next(filter(None, map(UUID.search, names)), None)
        internal = INTERNAL_ID.fullmatch(string(post.get("internalId")))
        return (uuid[0].lower() if uuid else None), (internal[0].lower() if internal else None)

    def _minutes(self) -> int | None:
        """Return the minutes to read, as printed, else of the warm-up data."""
        printed = minutes(text_of(self.hooks.get("time-to-read")))
        known = count(self.warmup.post.get("minutesToRead"))
        value = known if printed is None else printed
        if value is not None:
            self.sources["minutes_to_read"] = "warmup" if printed is None else "html"
        return value

    def _labels(self, name: Literal["categories", "tags"]) -> tuple[str, ...]:
        """Return labels: links of the article's header and footer, else of the warm-up data."""
        texts = (text_of(link) for link, kind in self._label_links if kind == name)
        printed = tuple(dict.fromkeys(label for label in texts if label is not None))
        known = (clean(string(mapping(entry).get("label"))) for entry in sequence(self.warmup.page.get(name)))
        warm = tuple(dict.fromkeys(label for label in known if label is not None))
        if printed or warm:
            self.sources[name] = "html" if printed else "warmup"
        return printed or warm

    @cached_property
    def _label_links(self) -> list[tuple[Tag, str | None]]:
        """The article's links, each with what it is a label of: "categories", "tags" or None.

        `<nav data-hook="tag-cloud-root"><ul><li><a>`; `<ul><li><a data-hook="link">` for categories (their addresses
        hold "/categories/", unless the owner chose others), in feeds `<a data-hook="category-label-list__item">`.
        """
        links: list[tuple[Tag, str | None]] = []
        for link in self.hooks.links:
            hook, href = str(link.get("data-hook") or ""), str(link.get("href") or "")
            category = hook.startswith("category-label") or "/categories/" in href
            category = category or (hook == "link" and any(tag.name == "li" for tag in ancestors(link)))
            is_tag = "/tags/" in href or within(link, "tag-cloud-root")
            links.append((link, "tags" if is_tag else "categories" if category else None))
        return links

    def _card(self, position: int, card: Hooks) -> Related:
        """Return one card as the page prints it; an excerpt is printed only where the card has no picture."""
        links = [link for link in card.links if link.get("href")]
        link = next((link for link in links if within(link, "recent-post__title")), next(iter(links), None))
        excerpt = next(iter(card.all("recent-post__description", "post-description")), None)
        return Related(
            position=position,
            title=text_of(card.get("recent-post__title")),
            url=None if link is None else canonical_url(self.resolve(str(link["href"]))),
            excerpt=text_of(excerpt),
        )


def no_post(body: bytes) -> NotAPost:
    """Return the exception that says why a page that should hold a post holds none."""
    if hooked(body, "not-found-page") >= 0:
        return NotFoundPage("the site's own page for addresses that do not exist")
    return NotAPost("a page of the blog without the text of a post in it (drawn by a script, or moved?)")


def _is_last(node: PageElement) -> bool:
    return isinstance(node, Tag) and node.get("data-hook") == "rcv-block-last"
