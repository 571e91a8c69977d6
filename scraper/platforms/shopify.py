"""Shopify: the blogs of shops, at `/blogs/HANDLE/SLUG`.

*Recognised by*  headers, scripts and assets of the head.
*Sources*        pages (JSON-LD, containers that themes share); `/blogs/HANDLE.atom`, which heads name, as a list.
*Caveats*        Liquid prints at most 50 comments a page; which elements hold them depends on the theme. There are no
                 views and likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from scraper.items import Exchange, Item
from scraper.platforms._article import Shape, read_page
from scraper.platforms._article.address import path_parts
from scraper.platforms._article.blog_pages import BlogPages
from scraper.platforms._article.comments import CommentShape, read_comments
from scraper.platforms._article.dom import text_of
from scraper.platforms._article.posts import has_text, post_items, set_interactions
from scraper.platforms._recognise import Marks
from scraper.platforms._values import count

_SHAPE = Shape(
    title=("h1.article-template__title", "h1.article-title", "h1.article__title"),
    body=(".article-template__content", '[itemprop~="articleBody"]', ".article__content .rte", "article .rte", ".rte"),
    tags=(".article-tags a", ".article__tags a", 'a[href*="/tagged/"]'),
    drop=(".article-template__comment-wrapper", ".share-button", ".article-template__social-sharing"),
)
_COMMENTS = CommentShape(
    item=(".article-template__comments-comment", '.comment[id^="comment-"]', '[id^="comment-"]', ".comment[id]"),
    author=(".comment__author", ".comment-author", "footer span", "strong"),
    date=("time[datetime]", ".comment__date", ".comment-date"),
    text=(".comment__content", ".comment-content", ".rte", "p"),
)
_COUNTS = (
    ".article-template__comment-wrapper h2",
    "#comments h2",
    "#comments h3",
    ".comments__heading",
    "#blog-post-comments",
)


class Shopify(BlogPages):
    """Reads the articles of Shopify's blogs."""

    name: ClassVar[str] = "shopify"
    hosted: ClassVar[bool] = True
    extractor_version: ClassVar[int] = 1
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "feed, pages",
        "bodies": "all",
        "dates": "exact",
        "views": "no",
        "likes": "no",
        "comments": "where the theme prints them",
    }
    marks: ClassVar[Marks] = Marks(
        generators=("Shopify",), headers=(("x-shopid", "."), ("powered-by", "^shopify")), maker="Shopify"
    )

    def is_post_url(self, url: str, named_in: str | None = None) -> bool:
        """`/blogs/HANDLE/SLUG`, below a language or not; `/blogs/HANDLE/tagged/TAG` is a list."""
        words = _below_blogs(url)
        return len(words) == 2 and not url.endswith(".atom")

    def is_listing_url(self, url: str) -> bool:
        """`/blogs/HANDLE`."""
        return len(_below_blogs(url)) == 1 and not url.endswith(".atom") and "?" not in url

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Yield the post of a page, or the posts of a listing."""
        page = read_page(exchange, self.name)
        comments = read_comments(page.tree, page.post.addresses, _COMMENTS)
        page.post.comments_count_raw = text_of(page.tree.first(*_COUNTS))
        page.post.comments_count = count(page.post.comments_count_raw)
        set_interactions(page.post, page.ld.counts())
        is_post = self.is_post_url(page.post.url or "")
        return post_items(page, _SHAPE, is_post, comments, is_post=is_post and has_text(page, _SHAPE))


def _below_blogs(url: str) -> list[str]:
    words = path_parts(url)
    if words and re.fullmatch(r"[a-z]{2}(?:-[a-z]{2})?", words[0]):
        words = words[1:]
    return words[1:] if words[:1] == ["blogs"] else []
