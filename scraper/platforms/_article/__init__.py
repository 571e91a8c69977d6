"""Reading the page of one article on any platform: `read_article` with the `Shape` of the platform's pages.

A platform's file is its `Shape` and what its pages have besides: numbers, comments, an API.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml.html import HtmlElement

from scraper.addresses import canonical_url, post_key
from scraper.items import Exchange, Post
from scraper.platforms._article.dates import Dated, date_of, guessed_date
from scraper.platforms._article.dom import Tree
from scraper.platforms._article.fields import (
    ArticleScope,
    HeadFields,
    Shape,
    author_of,
    cover_of,
    labels,
    read_head,
    title_of,
)
from scraper.platforms._article.ld import LinkedData
from scraper.platforms._article.main_text import bodies_of, body_of, without_comments
from scraper.platforms._dates import iso_date
from scraper.platforms._values import clean

__all__ = ["FIELDS", "Article", "Page", "Shape", "read_article", "read_page"]


@dataclass(slots=True, kw_only=True)
class ArticlePage:
    """A page before its article is read: the tree still holds comments and numbers."""

    exchange: Exchange
    tree: Tree
    head: HeadFields
    ld: LinkedData
    post: Post  # with the page's address; `read_article` fills in the fields that are None


@dataclass(slots=True, kw_only=True)
class Article:
    """What the article of a page says of itself."""

    title: HtmlElement | None  # its visible heading
    is_dated: bool  # by the article itself or its metas, not by htmldate
    has_author: bool  # named by the article, not only by a meta of the site


def read_page(exchange: Exchange, platform: str) -> ArticlePage:
    """Parse a page. Raises `Unreadable` where it is no HTML."""
    tree = Tree(exchange)
    url = canonical_url(exchange.url)
    post = Post(platform=platform, url=url, addresses=(url,), slug=url.rpartition("/")[2] or None)
    return ArticlePage(
        exchange=exchange, tree=tree, head=read_head(tree), ld=LinkedData(tree.scripts, exchange.url), post=post
    )


def read_article(page: ArticlePage, shape: Shape = Shape()) -> Article:  # noqa: B008 (frozen)
    """Fill in the page's post: every field that the page gives but numbers and comments.

    Takes comments and widgets out of the page's tree: read those before.
    """
    tree, head, ld, post = page.tree, page.head, page.ld, page.post
    without_comments(tree, shape)
    bodies = bodies_of(tree, shape)
    title, element = title_of(tree, head, ld, shape)
    scope = ArticleScope(tree, element, bodies)
    author, has_author = author_of(tree, scope, head, ld, shape)
    date = date_of(tree, scope, head, ld, shape)
    is_dated = date.at is not None or post.published_at is not None
    date = date if is_dated else guessed_date(tree)
    post.title, post.author = post.title or title, post.author or author
    _set_dates(post, date, head, ld)
    post.language = head.language or clean(head.metas.get("og:locale") or ld.string("inLanguage"))
    post.excerpt = clean(head.metas.get("og:description") or head.metas.get("description"))
    post.cover_image_url = cover_of(head, ld, page.exchange.url)
    post.categories = labels(tree, shape.categories) or ld.strings("articleSection") or _section(head)
    post.tags = labels(tree, shape.tags) or tuple(head.labels) or ld.strings("keywords")
    body = body_of(tree, bodies, (title, date.raw), scope.element)
    post.body_html, post.body_text, post.links, post.images = body.html, body.text, body.links, body.images
    post.word_count = len(body.text.split()) if body.text else None
    post.stated_url = _stated(head, post.url or "")
    if post.published_at is not None:
        post.sources.setdefault("published_at", date.source)
    set_sources(post)
    return Article(title=element, is_dated=is_dated, has_author=has_author or post.author not in (None, author))


def set_sources(post: Post) -> None:
    """Note "html" as the source of every field that the post gives and that has none yet."""
    for name in FIELDS:
        if getattr(post, name) not in (None, ()):
            post.sources.setdefault(name, "html")


FIELDS = (
    "title",
    "author",
    "published_at",
    "modified_at",
    "language",
    "excerpt",
    "cover_image_url",
    "body_html",
    "body_text",
    "word_count",
    "categories",
    "tags",
    "links",
    "images",
    "views",
    "likes",
    "comments_count",
    "minutes_to_read",
    "access",
)


def _set_dates(post: Post, date: Dated, head: HeadFields, ld: LinkedData) -> None:
    if post.published_at is None:
        post.published_at, post.published_raw = date.at, date.raw
    modified = iso_date(ld.string("dateModified") or clean(head.metas.get("article:modified_time")))
    post.modified_at = modified if modified != post.published_at else None


def _section(head: HeadFields) -> tuple[str, ...]:
    section = clean(head.metas.get("article:section"))
    return (section,) if section else ()


def _stated(head: HeadFields, url: str) -> str | None:
    stated = canonical_url(head.canonical or head.metas.get("og:url") or url, url)
    return stated if post_key(stated) != post_key(url) else None
