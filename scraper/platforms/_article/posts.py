"""The items of a page that may be a post: the post with its comments, else the posts that the page lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from scraper.items import Comment, Item, Post, Site
from scraper.not_a_post import NotAPost
from scraper.platforms._article import Article, ArticlePage, Shape, read_article
from scraper.platforms._article.cards import read_cards
from scraper.platforms._article.dom import around, classes_of
from scraper.platforms._json import count, printed

IsPost = Callable[[ArticlePage, Article], bool]
_SINGLE = re.compile(
    r"[\s_-](?:single-post|post-template|blog-post|blog-item|blogpost|single-blog|article-page|postid-\d+)[\s_-]"
)


def post_items(
    page: ArticlePage,
    shape: Shape,
    is_post_url: bool | None,
    comments: Iterable[Comment] = (),
    *,
    is_post: bool = False,
) -> Iterator[Item]:
    """Yield the post of a page and its comments; of a page that is evidently none, the posts that it lists.

    `is_post_url`: what the platform says of the page's address; `is_post`: what it says of the page, without a doubt.
    Raises `NotAPost` for a page that lists none and whose address may be a post's.
    """
    if is_post_url is not False:
        article = read_article(page, shape)
        if page.post.title is not None and (is_post or is_evident(page, article, below_blog=is_post_url is True)):
            yield page.post
            yield Site(platform=page.post.platform, language=page.head.language)
            yield from comments
            yield from page.ld.problems
            return
    cards = read_cards(page.tree, page.ld)
    yield from cards
    if is_post_url is not False and not cards:
        raise NotAPost("it has neither a date and an author of its own nor other signs of a post")


def has_text(page: ArticlePage, shape: Shape) -> bool:
    """Return whether an element of the page holds a post's text. A "not found" page at a post's address has none."""
    return page.tree.first(*shape.body) is not None


def is_evident(page: ArticlePage, article: Article, *, below_blog: bool) -> bool:
    """Return whether a page is a post: two of a date of its own, an author of its own, and signs of an article.

    `below_blog`: its address is of a post's form, or in a list of posts.
    """
    signs = (article.is_dated, article.has_author, below_blog or _is_article(page, article))
    return sum(signs) >= 2 and page.post.body_html is not None


def _is_article(page: ArticlePage, article: Article) -> bool:
    """Return whether the markup shows one article: JSON-LD, microdata, microformats, or an `article` with its date."""
    if page.ld.is_posting:
        return True
    body = page.tree.root.find("body")
    if body is not None and _SINGLE.search(classes_of(body)):
        return True
    if page.head.metas.get("og:type", "").strip().lower() == "article" and "article:published_time" in page.head.metas:
        return True
    if article.title is None:
        return False
    for outer in around(article.title):
        kind = outer.get("itemtype") or ""
        if kind.endswith(("BlogPosting", "Article")) or re.search(r"\s(?:h-entry|hentry)\s", classes_of(outer)):
            return True
        if outer.tag == "article" and article.is_dated:
            return True
    return False


def set_number(post: Post, name: str, value: Any, *, zero: bool = True) -> None:
    """Set a counter and its raw string from a number as JSON or an attribute prints it; nothing where it is none.

    `name`: views, likes or comments_count. `zero`: whether a 0 states that there are none; a source that shows no
    comments states nothing by it.
    """
    raw = printed(value)
    if raw is None or getattr(post, name) is not None:
        return
    number = count(value)
    setattr(post, f"{name}_raw", raw)
    setattr(post, name, number if number or zero else None)


def set_interactions(post: Post, numbers: Mapping[str, Any], *, zero: bool = False) -> None:
    """Set the counters of an `interactionStatistic`: {"LikeAction": 5, "CommentAction": 2}."""
    for action, name in (
        ("LikeAction", "likes"),
        ("ReadAction", "views"),
        ("ViewAction", "views"),
        ("CommentAction", "comments_count"),
    ):
        if action in numbers:
            set_number(post, name, numbers[action], zero=zero or name != "comments_count")
