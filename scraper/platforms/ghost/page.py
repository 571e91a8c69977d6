"""Pages of Ghost: the post with its text, and what its head says of it.

Ghost itself writes the head (`ghost_head`) and the classes of the body (`body_class`): `post-template` is a post,
`page-template` a page. Texts stand where themes are told to put `{{content}}`, in `.gh-content` of the official themes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from bs4 import BeautifulSoup, Tag

from scraper.addresses import canonical_url, same_site
from scraper.items import Access, Exchange, Image, Item, Post, Site, Source
from scraper.not_a_post import NotAPost
from scraper.platforms._body import BodyWriter, Resolve, resolver
from scraper.platforms._dates import iso_date
from scraper.platforms._html import text_of
from scraper.platforms._page import Head, encoding_of, read_head, scripts, utf8
from scraper.platforms._tree import ancestors, descendants, soup
from scraper.platforms._values import clean, minutes

_ID = re.compile(r"[0-9a-f]{24}")
# The script of the comments: <script src=".../comments-ui.min.js" ... data-post-id="6944354ce1b6fe0001f62bf0" ...>
_POST_ID = re.compile(rb"<script\b[^<>]{0,4000}\bdata-post-id=[\"']([0-9a-f]{24})[\"']")
# Where themes put the text, the official ones first.
_TEXTS = (
    "gh-content",
    "post-content",
    "article-content",
    "entry-content",
    "post-full-content",
    "kg-canvas",
    "articleBody",
)
_READING_TIMES = ("gh-article-meta-length", "reading-time", "byline-reading-time", "post-reading-time")
# What Ghost puts in place of a text that is not for everybody, and what else stands in a text without belonging to it
_UPGRADE = ("gh-post-upgrade-cta", "gh-cta", "post-upgrade-cta", "post-access-cta")
_ASIDE = (*_UPGRADE, "gh-comments", "kg-signup-card", "kg-audio-player-container")
# "/content/images/size/w600/2026/03/path.png", ".../size/w600h400/format/webp/..."
_SCALED = re.compile(r"/content/images/size/w\d{1,5}(?:h\d{1,5})?/(?:format/\w{1,5}/)?")
# "post-access-members" of `{{post_class}}`
_ACCESS_CLASS = re.compile(r"^post-access-(public|members|paid|tiers)$")


def address_of(post_id: str | None) -> str | None:
    """Return the address `ghost:<24 hex>` of a post's id; None for anything else."""
    return f"ghost:{post_id}" if post_id and _ID.fullmatch(post_id) else None


def read(exchange: Exchange) -> Iterator[Item]:
    """Yield the post of a page, and the site's language. A page that is meant to be none yields no post.

    Raises `NotAPost` for a post's page without a title.
    """
    body = utf8(exchange)
    encoding = encoding_of(exchange, body)
    tree = soup(body, encoding)
    head = read_head(tree, scripts(body, b"application/ld+json", encoding), exchange.url)
    yield Site(platform="ghost", language=head.language)
    if not _is_post(tree, head):
        return
    yield from head.problems
    yield _post(exchange, body, tree, head)


def _is_post(tree: BeautifulSoup, head: Head) -> bool:
    """Return whether the page is a post's: by the classes of the body, else by the head.

    A page with tags and an author is an article that its owner made as a page.
    """
    classes = set(_classes(tree.body))
    if "post-template" in classes:
        return True
    if "page-template" in classes:
        has_tags = any(name.startswith("tag-") and not name.startswith("tag-hash-") for name in classes)
        return has_tags and head.json_ld("author", "name") is not None
    is_other = any(name.endswith("-template") for name in classes) or "paged" in classes
    return not is_other and head.is_article and "article:published_time" in head.metas


def _post(exchange: Exchange, body: bytes, tree: BeautifulSoup, head: Head) -> Post:
    url = canonical_url(exchange.url)
    named = _named(tree)
    container = _container(named)
    around = container.parents if container is not None else ()
    article = next((each for each in around if each.name in ("article", "main")), None)
    stated_id = _POST_ID.search(body)
    post_id = stated_id[1].decode() if stated_id else None
    post = Post(platform="ghost", platform_post_id=post_id, url=url, slug=url.rstrip("/").rpartition("/")[2] or None)
    post.addresses = tuple(filter(None, (url, address_of(post_id))))
    post.comments_key = post_id
    post.title = _title(tree, article or container, head)
    if post.title is None:
        raise NotAPost("a post's page without a title")
    post.author = head.json_ld("author", "name")
    post.published_raw = head.json_ld("datePublished") or head.metas.get("article:published_time")
    post.published_at = iso_date(post.published_raw)
    post.modified_at = iso_date(head.json_ld("dateModified") or head.metas.get("article:modified_time"))
    post.language = head.language
    post.excerpt = clean(head.metas.get("description"))
    post.cover_image_url = head.json_ld("image", "url") or head.json_ld("image")
    post.tags = tuple(dict.fromkeys(head.labels))
    length = next((named[name] for name in _READING_TIMES if name in named), None)
    post.minutes_to_read = minutes(text_of(length[0] if length else None))
    stated = next((address for address in head.claimed_urls() if same_site(address, url)), None)
    post.stated_url = canonical_url(stated) if stated and canonical_url(stated) != url else None
    post.access = _access(named, article, container)
    if container is not None and post.access == "public":
        _read_text(post, container, exchange.url)
    fields = (
        "title",
        "author",
        "published_at",
        "published_raw",
        "modified_at",
        "language",
        "excerpt",
        "cover_image_url",
        "tags",
        "minutes_to_read",
        "access",
        "body_html",
        "body_text",
        "word_count",
        "links",
        "images",
    )
    source: Source = "html"
    post.sources = {name: source for name in fields if getattr(post, name)}
    return post


def _named(tree: BeautifulSoup) -> dict[str, list[Tag]]:
    """Return the elements by class and `itemprop`, in document order: a search of the tree for each takes longer."""
    named: dict[str, list[Tag]] = {}
    for tag in descendants(tree):
        for name in (*_classes(tag), *str(tag.get("itemprop") or "").split()):
            named.setdefault(name, []).append(tag)
    return named


def _container(named: Mapping[str, list[Tag]]) -> Tag | None:
    """Return the element of the text: the first of the first name, of `post-content` one inside the whole post."""
    for name in _TEXTS:
        tags = named.get(name, [])
        if name == "post-content":
            inside = (tag for tag in tags if any("post-full-content" in _classes(outer) for outer in ancestors(tag)))
            tags = [*islice(inside, 1), *tags]
        if tags:
            return tags[0]
    return None


def _title(tree: BeautifulSoup, article: Tag | None, head: Head) -> str | None:
    """Return the heading of the article, else what the head says: that may be another title, for search engines."""
    headings = [text for tag in descendants(tree, "h1") if (text := text_of(tag)) is not None]
    stated = [head.json_ld("headline"), clean(head.metas.get("og:title"))]
    own = [text_of(tag) for tag in descendants(article, "h1")] if article is not None else []
    return next((text for text in stated if text in headings), None) or next(filter(None, [*own[:1], *stated]), None)


def _access(named: Mapping[str, list[Tag]], article: Tag | None, container: Tag | None) -> Access | None:
    """Return who may read the text, by the box that Ghost puts in place of it, and by the classes of the article."""
    classes = [found[1] for name in _classes(article) if (found := _ACCESS_CLASS.match(name)) is not None]
    boxes = [tag for name in _UPGRADE for tag in named.get(name, ())[:1]]
    if not boxes:
        return "public" if container is not None else None
    text = " ".join(text_of(box) or "" for box in boxes).lower()
    is_paid = "paid" in classes or "tiers" in classes or "paying" in text or "tier" in text
    return "paid" if is_paid else "members"


def _read_text(post: Post, container: Tag, base: str) -> None:
    body = _Writer(resolver(base)).read(container.contents)
    post.body_html, post.body_text, post.links, post.images = body.html, body.text, body.links, body.images
    post.word_count = len(body.text.split()) if body.text else None


class _Writer(BodyWriter):
    """Leaves out what the site puts into every text: forms, offers to subscribe, the controls of players."""

    def __init__(self, resolve: Resolve) -> None:
        super().__init__(resolve)

    def read_whole(self, tag: Tag) -> bool:
        """Leave out forms, buttons and boxes that are no part of the text."""
        if tag.name in ("form", "button", "nav") or not set(_ASIDE).isdisjoint(_classes(tag)):
            return True
        return super().read_whole(tag)

    def image_of(self, tag: Tag) -> Image | None:
        """Return the picture by its original file, not by one that Ghost scaled."""
        image = super().image_of(tag)
        return None if image is None else replace(image, url=_SCALED.sub("/content/images/", image.url, count=1))


def read_html(post: Post, markup: str, base: str) -> None:
    """Set the post's text from markup, as an interface gives it."""
    _read_text(post, soup(markup.encode("utf-8", "replace"), "utf-8"), base)


def _classes(tag: Tag | None) -> list[str]:
    return str(tag.get("class") or "").split() if tag is not None else []
