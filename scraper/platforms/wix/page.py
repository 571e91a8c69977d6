"""A Wix post page -> the post, its recent-post cards, what it says of the site, and what is missing.

*Recognised by*  `data-hook="post-page"` with one `<article data-hook="post">` that holds `rcv-block-first`.
*Sources*        the article's markup; the head (`head.py`) and the warm-up data (`warmup.py`) for what it is silent on.
*History*        G1 (to early 2025): `div[data-hook=post-description] > article`, counters as text, "2 views0 comments".
                 G2 (from mid 2025): `section[data-hook=post-description]`, counters drawn by a script.
                 Both keep the hooks that are read here, so that one reader does for both. [reference: section 1.2]
*Caveats*        Cards of other posts repeat every hook with numbers of their own: all is read inside the article only.
                 Hashed classes change with each build of the widget and are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from bs4 import Tag
from bs4.element import PageElement

from scraper.addresses import canonical_url, is_web_address
from scraper.items import (
    Author,
    Exchange,
    Item,
    NotAPost,
    NotFoundPage,
    Paywall,
    Post,
    Problem,
    Related,
    Sighting,
    Site,
    Source,
    Unreadable,
)
from scraper.platforms._body import Body
from scraper.platforms._dates import iso_date, read_date
from scraper.platforms._html import text_of
from scraper.platforms._json import count, mapping, sequence, string
from scraper.platforms._page import Head, read_head, utf8
from scraper.platforms._tree import ancestors
from scraper.platforms._values import clean, minutes
from scraper.platforms.wix import address, footer, ricos
from scraper.platforms.wix.body import read_body
from scraper.platforms.wix.comments import member
from scraper.platforms.wix.head import own_url, timezone
from scraper.platforms.wix.hooks import Hooks, find_hooks, within
from scraper.platforms.wix.slices import Parts, hooked, parts
from scraper.platforms.wix.warmup import INTERNAL_ID, UUID, Warmup, read_warmup

# What a members-only or paid post shows below its preview instead of the rest.
_PAYWALL = re.compile(r"keep reading this exclusive post|this post is for (?:members|subscribers)", re.I)


def read_page(exchange: Exchange, *, whole: bool = False, after: int = 0) -> Iterator[Item]:
    """Read a post page: a `Post`, a `Site`, a `Sighting` a card, a `Problem` a promised field that is not there.

    `whole` parses the whole page instead of cutting it first: the same items, slowly. `after`: what stands before was
    searched already (`post_page`). Raises `NotAPost` (or `Paywall`, or `Unreadable` for one cut off inside its article)
    where there is no whole post.
    """
    body = utf8(exchange)
    page = parts(exchange, body, whole=whole, after=after)
    if page.article is None:
        raise no_post(body)
    if not page.end and b"</html" not in body.lower():  # the labels stand behind the text
        raise Unreadable("the page is cut off behind the post's text; fetch it again")
    head = read_head(page.head, page.linked, exchange.url)
    url = canonical_url(own_url(head, exchange.url))
    slug = address.slug(url)
    warmup = read_warmup(body, page.encoding, exchange.url, slug, after=page.end)
    post = _Reader(exchange, page, head=head, warmup=warmup, url=url).post()
    yield post
    name = clean(string(mapping(warmup.post.get("owner")).get("name")))
    if name is not None and post.author_person is not None:
        yield Author(name=name, person=post.author_person)
    yield Site(platform="wix", timezone=timezone(body, after=page.end), language=head.language)
    for card in post.related_posts:
        if card.url is not None and address.is_post(card.url):
            yield Sighting(url=card.url, source="related", title=card.title)
    yield from head.problems
    yield from warmup.problems
    for name in ("title", "published_at", "body_text"):
        if getattr(post, name) is None and not (name == "body_text" and (post.images or post.media_pending)):
            yield Problem(
                kind="missing-field",
                message=f"{url}: a Wix post page has {name}, this one does not; look at the capture",
                url=exchange.url,
                field=name,
            )


def no_post(body: bytes) -> NotAPost:
    """Why a page that should show a post shows none, as an exception to raise."""
    if hooked(body, "not-found-page") >= 0:
        return NotFoundPage("the site's own page for addresses that are not there")
    return NotAPost("a page of the blog without the text of a post in it (drawn by a script, or moved?)")


def post_page(body: bytes) -> int:
    """Where the hook around the article of a post page stands; -1 on any other page."""
    start = hooked(body, "post-page")
    return start if start >= 0 and hooked(body, "post", after=start) >= 0 else -1


class _Reader:
    """Reads one article; each field with the source it came from."""

    def __init__(self, exchange: Exchange, page: Parts, *, head: Head, warmup: Warmup, url: str) -> None:
        self.exchange = exchange
        self.page = page
        self.hooks = Hooks(page.article or page.head)
        self.head = head
        self.warmup = warmup
        self.url = url
        self.sources: dict[str, Source] = {}
        self.resolve = address.resolver(url, head.canonical)

    def post(self) -> Post:
        """The post with all that the page says of it."""
        body = self.body()  # first: a page without one is no post
        uuid, internal = self.ids()
        stats = footer.read(self.hooks, self.warmup)
        warm = self.warmup.post
        raw = text_of(self.hooks.get("time-ago"))
        post = Post(
            platform="wix",
            platform_post_id=internal or uuid,
            url=self.url or None,
            slug=address.slug(self.url),
            title=self.pick(
                "title",
                html=text_of(self.hooks.get("post-title")) or self.head.linked("headline"),
                warmup=warm.get("title"),
                last=self.meta("og:title"),
            ),
            author=self.pick("author", html=text_of(self.hooks.get("user-name"))),
            published_at=self.date(
                "published_at", "article:published_time", "datePublished", "firstPublishedDate", raw
            ),
            modified_at=self.date(
                "modified_at", "article:modified_time", "dateModified", "lastPublishedDate", self.updated()
            ),
            published_raw=self.pick("published_raw", html=raw),
            language=self.pick("language", warmup=warm.get("language"), last=self.head.language),
            excerpt=self.pick(
                "excerpt",
                html=self.meta("og:description") or self.head.linked("description"),
                warmup=warm.get("excerpt"),
            ),
            minutes_to_read=self.minutes(),
            cover_image_url=self.pick("cover_image_url", html=self.cover()),
            body_html=self.pick("body_html", html=body.html),
            body_text=self.pick("body_text", html=body.text),
            word_count=len(body.text.split()) if body.text else None,
            categories=self.labels("categories"),
            tags=self.labels("tags"),
            links=body.links,
            images=body.images,
            views=stats.views,
            views_raw=stats.views_raw,
            likes=stats.likes,
            likes_raw=stats.likes_raw,
            comments_count=stats.comments_count,
            comments_count_raw=stats.comments_count_raw,
            related_posts=self.related(),
            addresses=self.addresses(uuid, internal),
            author_person=member(owner) if (owner := string(mapping(warm.get("owner")).get("siteMemberId"))) else None,
            counters_pending=stats.pending,
            comments_key=internal,
            media_pending=body.media_pending,
        )
        for name in ("body_html", "body_text", "word_count", "links", "images"):
            if getattr(post, name):
                self.sources[name] = self.body_source
        if post.related_posts:
            self.sources["related_posts"] = "html"
        post.sources = {**self.sources, **stats.sources}
        return post

    # --- how values are chosen

    def meta(self, name: str) -> str | None:
        """A meta of the head, where the head describes the post and not the site."""
        return clean(self.head.metas.get(name)) if self.head.is_article else None

    def pick(self, name: str, html: str | None = None, warmup: object = None, last: str | None = None) -> str | None:
        """The first of the values that says something, its source noted; `last` is of the markup as well."""
        warm = clean(string(warmup))
        value = html or warm or last
        if value is not None:
            self.sources[name] = "warmup" if html is None and warm is not None else "html"
        return value

    def date(self, name: str, meta: str, linked: str, warm: str, printed: str | None) -> str | None:
        """A date by trust: the meta, JSON-LD, the warm-up data, the printed text (which has no year within a year)."""
        exact = iso_date(self.head.metas.get(meta)) or iso_date(self.head.linked(linked))
        known = iso_date(string(self.warmup.post.get(warm)))
        read = None if exact or known else read_date(printed, self.exchange.fetched_at, self.head.language)
        return self.pick(name, html=exact, warmup=known, last=read)

    # --- fields

    def body(self) -> Body:
        """What stands between the block markers, or what the warm-up data holds where the markup has no body."""
        self.body_source: Source = "html"
        if _PAYWALL.search("\n".join(self.hooks.strings)) or self.hooks.like("paywall"):
            raise Paywall("the post is for members or subscribers only: what stands there is its preview")
        if self.hooks.first_block is not None:
            nodes = list(self.hooks.first_block.next_siblings)
            last = next((at for at, node in enumerate(nodes) if _is_last(node)), None)
            if last is None:
                raise Unreadable("the page is cut off inside the post's text; fetch it again")
            return read_body(nodes[:last], self.resolve)
        document = self.warmup.post.get("richContent") or self.warmup.post.get("content")
        if mapping(document):
            self.body_source = "warmup"
            rich = ricos.render(document)
            return Body(html=rich.html or None, text=rich.text or None, links=rich.links, images=rich.images)
        if self.hooks.old_body is not None:
            found = read_body(self.hooks.old_body.contents, self.resolve)
            if found.text or found.images:
                return found
        raise no_post(self.exchange.body)

    def ids(self) -> tuple[str | None, str | None]:
        """UUID and 24-hex `internalId`: from the warm-up data, else the UUID of `id="more-button-<uuid>"`."""
        post = self.warmup.post
        marked = (name for name, _ in self.hooks.ids if name.startswith(("more-button-", "post-social-actions_")))
        for name in (string(post.get("id")), self.warmup.uuid or "", *marked):
            uuid = UUID.search(name)
            if uuid is not None:
                break
        internal = INTERNAL_ID.fullmatch(string(post.get("internalId")))
        return (uuid[0].lower() if uuid else None), (internal[0].lower() if internal else None)

    def addresses(self, uuid: str | None, internal: str | None) -> tuple[str, ...]:
        """Every address the page gives: canonical first, the one asked for, both ids."""
        asked = canonical_url(self.exchange.url) if is_web_address(self.exchange.url) else ""
        every = (self.url, asked, f"wix:{uuid}" if uuid else "", f"wix:{internal}" if internal else "")
        return tuple(dict.fromkeys(filter(None, every)))

    def updated(self) -> str | None:
        """The date of "Updated: Jan 7", the second one in the header."""
        return text_of(next(iter(self.hooks.all("time-ago")[1:]), None))

    def minutes(self) -> int | None:
        """Minutes to read, as printed, else of the warm-up data."""
        printed = minutes(text_of(self.hooks.get("time-to-read")))
        known = count(self.warmup.post.get("minutesToRead"))
        value = known if printed is None else printed
        if value is not None:
            self.sources["minutes_to_read"] = "warmup" if printed is None else "html"
        return value

    def cover(self) -> str | None:
        """The original file of the picture that stands for the post elsewhere, from `og:image` or JSON-LD."""
        found = self.meta("og:image") or self.head.linked("image", "url")
        return address.original_file(found) if found else None

    def labels(self, name: Literal["categories", "tags"]) -> tuple[str, ...]:
        """Labels of categories or tags: links of the article's header and footer, else of the warm-up data."""
        texts = (text_of(link) for link, kind in self.labelling if kind == name)
        labels = tuple(dict.fromkeys(label for label in texts if label is not None))
        known = (clean(string(mapping(entry).get("label"))) for entry in sequence(self.warmup.page.get(name)))
        warm = tuple(dict.fromkeys(label for label in known if label is not None))
        if labels or warm:
            self.sources[name] = "html" if labels else "warmup"
        return labels or warm

    @cached_property
    def labelling(self) -> list[tuple[Tag, str | None]]:
        """The article's links, with what each is a label of: "categories", "tags" or nothing.

        `<nav data-hook="tag-cloud-root"><ul><li><a>`; `<ul><li><a data-hook="link">` for categories (their addresses
        hold "/categories/", unless the owner chose others), in feeds `<a data-hook="category-label-list__item">`.
        """
        found: list[tuple[Tag, str | None]] = []
        for link in self.hooks.links:
            hook, href = str(link.get("data-hook") or ""), str(link.get("href") or "")
            category = hook.startswith("category-label") or "/categories/" in href
            category = category or (hook == "link" and any(each.name == "li" for each in ancestors(link)))
            tag = "/tags/" in href or within(link, "tag-cloud-root")
            found.append((link, "tags" if tag else "categories" if category else None))
        return found

    def related(self) -> tuple[Related, ...]:
        """The cards of "Recent Posts", as shown."""
        if self.page.recent is None:
            return ()
        cards = find_hooks(self.page.recent, "recent-post-list-item")
        return tuple(self.card(position, Hooks(card)) for position, card in enumerate(cards, 1))

    def card(self, position: int, card: Hooks) -> Related:
        """One card; its excerpt stands there only where it has no picture."""
        title = card.get("recent-post__title")
        inside = [link for link in card.links if link.get("href")]
        link = next((link for link in inside if within(link, "recent-post__title")), next(iter(inside), None))
        excerpt = next(iter(card.all("recent-post__description", "post-description")), None)
        return Related(
            position=position,
            title=text_of(title),
            url=None if link is None else canonical_url(self.resolve(str(link["href"]))),
            excerpt=text_of(excerpt),
        )


def _is_last(node: PageElement) -> bool:
    return isinstance(node, Tag) and node.get("data-hook") == "rcv-block-last"
