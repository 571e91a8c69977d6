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
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from bs4 import PageElement, Tag

from scraper.addresses import canonical_url, is_web_address
from scraper.items import (
    Exchange,
    Item,
    NotAPost,
    Paywall,
    Post,
    Problem,
    Related,
    Sighting,
    Site,
    Source,
    Unreadable,
)
from scraper.platforms._readers import clean, iso_date, minutes, read_date, text_of
from scraper.platforms.wix import address, counters, ricos
from scraper.platforms.wix.body import Body, render
from scraper.platforms.wix.cut import Parts, hooked, parts, utf8
from scraper.platforms.wix.head import Head, read_head, timezone
from scraper.platforms.wix.shapes import mapping, sequence, string
from scraper.platforms.wix.warmup import INTERNAL_ID, UUID, Warmup, read_warmup

# What a members-only or paid post shows below its preview instead of the rest.
_PAYWALL = re.compile(r"keep reading this exclusive post|this post is for (?:members|subscribers)", re.I)


def read_page(exchange: Exchange, *, whole: bool = False) -> Iterator[Item]:
    """Read a post page: a `Post`, a `Site`, a `Sighting` a card, a `Problem` a promised field that is not there.

    `whole` parses the whole page instead of cutting it first: the same items, slowly. Raises `NotAPost` (or `Paywall`,
    or `Unreadable` for a page cut off inside its text) where there is no whole post.
    """
    body = utf8(exchange)
    page = parts(exchange, body, whole=whole)
    if page.article is None:
        raise NotAPost("a page of a Wix site without a post in it")
    head = read_head(page.head, body, page.encoding, exchange.url)
    url = canonical_url(head.url(exchange.url))
    slug = address.slug(url)
    warmup = read_warmup(body, page.encoding, exchange.url, slug)
    post = _Reader(exchange, page, page.article, head, warmup, url).post()
    yield post
    yield Site(platform="wix", timezone=timezone(body), language=head.language)
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


def is_post_page(body: bytes) -> bool:
    """The bytes are of a post page, by the hook around its article."""
    return hooked(body, "post-page") >= 0 and hooked(body, "post") >= 0


class _Reader:
    """Reads one article; each field with the source it came from."""

    def __init__(
        self, exchange: Exchange, page: Parts, article: Tag, head: Head, warmup: Warmup, url: str
    ) -> None:
        self.exchange, self.page, self.article, self.head, self.warmup, self.url = (
            exchange, page, article, head, warmup, url,
        )  # fmt: skip
        self.sources: dict[str, Source] = {}
        self.resolve = address.resolver(url, head.canonical)
        self.container = article.find(attrs={"data-hook": "post-description"})

    def post(self) -> Post:
        """The post with all that the page says of it."""
        body = self.body()  # first: a page without one is no post
        uuid, internal = self.ids()
        stats = counters.read(self.article, self.warmup)
        raw = text_of(self.hook("time-ago"))
        post = Post(
            platform="wix",
            platform_post_id=internal or uuid,
            url=self.url or None,
            slug=address.slug(self.url),
            title=self.pick(
                "title",
                html=text_of(self.hook("post-title")) or self.head.linked("headline"),
                warmup=self.warmup.post.get("title"),
                last=self.meta("og:title"),
            ),
            author=self.pick("author", html=text_of(self.hook("user-name"))),
            published_at=self.date(
                "published_at", "article:published_time", "datePublished", "firstPublishedDate", raw
            ),
            modified_at=self.date(
                "modified_at", "article:modified_time", "dateModified", "lastPublishedDate", self.updated()
            ),
            published_raw=self.pick("published_raw", html=raw),
            language=self.pick("language", warmup=self.warmup.post.get("language"), last=self.head.language),
            excerpt=self.pick(
                "excerpt",
                html=self.meta("og:description") or self.head.linked("description"),
                warmup=self.warmup.post.get("excerpt"),
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
            author_person=self.author_person(),
            counters_pending=stats.pending,
            comments_key=internal,
            media_pending=body.shells,
        )
        for name in ("word_count", "links", "images", "related_posts"):
            if getattr(post, name):
                self.sources[name] = self.sources.get("body_text" if name == "word_count" else "body_html", "html")
        post.sources = {**self.sources, **stats.sources}
        return post

    # --- where things stand

    def hook(self, name: str) -> Tag | None:
        """The first element of that hook inside the article."""
        found = self.article.find(attrs={"data-hook": name})
        return found if isinstance(found, Tag) else None

    def outside(self, tag: Tag) -> bool:
        """The element stands in the article's header or footer, not in the author's text."""
        return self.container is None or not any(parent is self.container for parent in tag.parents)

    def meta(self, name: str) -> str | None:
        """A meta of the head, where the head describes the post and not the site."""
        return clean(self.head.metas.get(name)) if self.head.is_article else None

    def pick(self, name: str, html: str | None = None, warmup: Any = None, last: str | None = None) -> str | None:
        """The first of the values that says something, its source noted."""
        if html is not None:
            self.sources[name] = "html"
            return html
        value = clean(warmup) if isinstance(warmup, str) else None
        if value is not None:
            self.sources[name] = "warmup"
            return value
        if last is not None:
            self.sources[name] = "html"
        return last

    # --- fields

    def body(self) -> Body:
        """What stands between the block markers, or what the warm-up data holds where the markup has no body."""
        first = self.article.find(attrs={"data-hook": "rcv-block-first"})
        nodes: Iterable[PageElement]
        if isinstance(first, Tag):
            nodes = list(first.next_siblings)
            last = next((at for at, node in enumerate(nodes) if _is_last(node)), None)
            if last is None:
                raise Unreadable("the page is cut off inside the post's text; fetch it again")
            return self.checked(render(nodes[:last], self.resolve))
        document = self.warmup.post.get("richContent") or self.warmup.post.get("content")
        if isinstance(document, dict):
            rich = ricos.render(document)
            for name in ("body_html", "body_text"):
                self.sources[name] = "warmup"
            return Body(
                html=rich.html or None, text=rich.text or None, links=rich.links, images=rich.images, shells=False
            )
        # Before 2021: <div data-hook="post-description"><div class="post-content__body"> ... paragraphs ...
        old = self.article.select_one("[data-id=content-viewer], .post-content__body")
        if old is not None:
            found = render(old.contents, self.resolve)
            if found.text or found.images:
                return self.checked(found)
        self.checked(None)
        raise NotAPost("the page of a post, but its text is not in it (drawn by a script?)")

    def checked(self, body: Body | None) -> Body:
        """Raise `Paywall` where a box below the text says that the rest is for members."""
        for tag in self.article.find_all(attrs={"data-hook": re.compile("paywall", re.I)}):
            if self.outside(tag):
                raise Paywall("the post is for members or subscribers only: what stands there is its preview")
        if self.container is not None:
            after = " ".join(str(text) for text in self.container.find_all_next(string=_PAYWALL, limit=1))
            if after:
                raise Paywall("the post is for members or subscribers only: what stands there is its preview")
        if body is None:
            return Body(html=None, text=None, links=(), images=(), shells=False)
        return body

    def ids(self) -> tuple[str | None, str | None]:
        """UUID and 24-hex `internalId`: from the warm-up data, else the UUID of `id="more-button-<uuid>"`."""
        post = self.warmup.post
        uuid = next((value for value in (post.get("id"), self.warmup.uuid) if _matches(UUID, value)), None)
        if uuid is None:
            for tag in self.article.find_all(id=re.compile(r"^(?:more-button-|post-social-actions_)")):
                if (found := UUID.search(str(tag["id"]))) is not None:
                    uuid = found[0]
                    break
        internal = post.get("internalId")
        return (str(uuid).lower() if uuid else None), (str(internal) if _matches(INTERNAL_ID, internal) else None)

    def addresses(self, uuid: str | None, internal: str | None) -> tuple[str, ...]:
        """Every address the page gives: canonical first, the one asked for, both ids."""
        asked = canonical_url(self.exchange.url) if is_web_address(self.exchange.url) else ""
        every = (self.url, asked, f"wix:{uuid}" if uuid else "", f"wix:{internal}" if internal else "")
        return tuple(dict.fromkeys(filter(None, every)))

    def date(self, name: str, meta: str, linked: str, warm: str, printed: str | None) -> str | None:
        """A date by trust: the meta, JSON-LD, the warm-up data, the printed text (which has no year within a year)."""
        for value in (self.head.metas.get(meta), self.head.linked(linked)):
            if (found := iso_date(value)) is not None:
                self.sources[name] = "html"
                return found
        value = self.warmup.post.get(warm)
        if isinstance(value, str) and (found := iso_date(value)) is not None:
            self.sources[name] = "warmup"
            return found
        return self.pick(name, html=read_date(printed, self.exchange.fetched_at, self.head.language))

    def updated(self) -> str | None:
        """The date of "Updated: Jan 7", the second one in the header."""
        dates = [tag for tag in self.article.find_all(attrs={"data-hook": "time-ago"}) if self.outside(tag)]
        return text_of(dates[1]) if len(dates) > 1 else None

    def minutes(self) -> int | None:
        """Minutes to read, as printed, else of the warm-up data."""
        printed = minutes(text_of(self.hook("time-to-read")))
        if printed is not None:
            self.sources["minutes_to_read"] = "html"
            return printed
        value = self.warmup.post.get("minutesToRead")
        if isinstance(value, int) and not isinstance(value, bool):
            self.sources["minutes_to_read"] = "warmup"
            return value
        return None

    def cover(self) -> str | None:
        """The original file of the picture that stands for the post elsewhere, from `og:image` or JSON-LD."""
        found = self.meta("og:image") or self.head.linked("image", "url")
        return address.original_file(found) if found else None

    def labels(self, name: Literal["categories", "tags"]) -> tuple[str, ...]:
        """Labels of categories or tags: links of the article's header and footer, else of the warm-up data.

        `<nav data-hook="tag-cloud-root"><ul><li><a>`; `<ul><li><a data-hook="link">` for categories (their addresses
        hold "/categories/", unless the owner chose others), in feeds `<a data-hook="category-label-list__item">`.
        """
        found: list[str | None] = []
        for link in self.article.find_all("a"):
            if not self.outside(link):
                continue
            hook, href = str(link.get("data-hook") or ""), str(link.get("href") or "")
            tag = "/tags/" in href or link.find_parent(attrs={"data-hook": "tag-cloud-root"}) is not None
            category = hook.startswith("category-label") or "/categories/" in href
            category = category or (hook == "link" and link.find_parent("li") is not None)
            if tag if name == "tags" else category and not tag:
                found.append(text_of(link))
        labels = tuple(dict.fromkeys(label for label in found if label is not None))
        if labels:
            self.sources[name] = "html"
            return labels
        known = [clean(string(mapping(entry).get("label"))) for entry in sequence(self.warmup.page.get(name))]
        labels = tuple(dict.fromkeys(label for label in known if label is not None))
        if labels:
            self.sources[name] = "warmup"
        return labels

    def author_person(self) -> str | None:
        """The platform's id of the author, `owner.siteMemberId`."""
        owner = mapping(self.warmup.post.get("owner"))
        return string(owner.get("siteMemberId")) or None

    def related(self) -> tuple[Related, ...]:
        """The cards of "Recent Posts", as shown."""
        if self.page.recent is None:
            return ()
        cards = self.page.recent.find_all(attrs={"data-hook": "recent-post-list-item"})
        return tuple(self.card(position, card) for position, card in enumerate(cards, 1))

    def card(self, position: int, card: Tag) -> Related:
        """One card; its excerpt stands there only where it has no picture."""
        title = card.find(attrs={"data-hook": "recent-post__title"})
        link = (title.find("a", href=True) if isinstance(title, Tag) else None) or card.find("a", href=True)
        excerpt = card.find(attrs={"data-hook": ["recent-post__description", "post-description"]})
        return Related(
            position=position,
            title=text_of(title if isinstance(title, Tag) else None),
            url=canonical_url(self.resolve(str(link["href"]))) if isinstance(link, Tag) else None,
            excerpt=text_of(excerpt if isinstance(excerpt, Tag) else None),
        )


def _is_last(node: PageElement) -> bool:
    return isinstance(node, Tag) and node.get("data-hook") == "rcv-block-last"


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
