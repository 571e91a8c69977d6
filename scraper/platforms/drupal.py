"""Drupal: nodes of the types article, blog and news, with their comments.

*Recognised by*  the generator tag, the header `X-Generator`, assets of the head.
*Sources*        pages of Drupal 7 (RDFa, `.submitted`) and later (`article[id^=comment-]`,
                 `mark[data-comment-timestamp]`); sitemaps and feeds as lists.
*Caveats*        `.views-*` are lists of the module Views, no counters. Replies lie in `.indented` behind the comment
                 that they answer. Further comments of a post lie at `?page=1`, `?page=2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from scraper.addresses import as_listed, canonical_url
from scraper.items import Exchange, Item, ThreadPage
from scraper.platforms._article import ArticlePage, Shape, read_page
from scraper.platforms._article.address import is_post_url
from scraper.platforms._article.blog_pages import BlogPages
from scraper.platforms._article.comments import CommentShape, read_comments
from scraper.platforms._article.dom import classes_of, text_of
from scraper.platforms._article.posts import post_items
from scraper.platforms._body import resolver
from scraper.platforms._recognise import Marks
from scraper.platforms._values import count

_SHAPE = Shape(
    title=("h1.page-title", "h1.node-title", "h1#page-title", "h1.node__title", ".node-title", "h1.page__title"),
    author=(
        ".node__submitted .username",
        ".node .submitted .username",
        ".field--name-field-author",
        ".field-name-field-author",
        ".author-name",
        ".byline__author",
        ".node__author",
    ),
    body=(
        ".node .field--name-body",
        ".field--name-body",
        ".field-name-body",
        ".node__content",
        ".node .content",
    ),
    tags=(".field--name-field-tags a", ".field-name-field-tags a", ".field--name-field-tags .field__item"),
    drop=("#comments", ".comment-wrapper", ".view-related", ".links.inline"),
)
_COMMENTS = CommentShape(
    item=(
        'article[id^="comment-"]',
        'div.comment[id^="comment-"]',
        '[typeof~="schema:Comment"]',
        '[typeof~="sioct:Comment"]',
        'div[itemprop="comment"][id]',
    ),
    author=(".username", '[rel~="schema:author"]', ".comment__author", ".comment__submitted a", ".submitted a"),
    date=(
        "time[datetime]",
        '[property~="dc:created"]',
        '[property~="schema:dateCreated"]',
        ".comment__time",
        ".submitted",
    ),
    text=(
        ".field--name-comment-body",
        ".field-name-comment-body",
        '[property~="schema:text"]',
        ".comment__content",
        ".content",
    ),
)
_COUNTS = (".comment-count", ".comments__count h2", "#comments > h2.title", ".comments__title", ".comment-wrapper > h2")
# body class="page-node-type-blog", "node-type-article", "node-type-blog-post"
_TYPE = re.compile(r"\s(?:page-)?node-type-{1,2}(?:article|blog|news|post|story)[\w-]*\s")
# "?page=1", "?page=0%2C1" of the comments of a post
_PAGE = re.compile(r"\?page=(?:\d+(?:,|%2C))*(\d{1,3})$", re.IGNORECASE)


class Drupal(BlogPages):
    """Reads Drupal's articles and their comments."""

    name: ClassVar[str] = "drupal"
    extractor_version: ClassVar[int] = 2
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "pages, feed",
        "bodies": "all",
        "dates": "as printed",
        "views": "no",
        "likes": "no",
        "comments": "threads",
    }
    marks: ClassVar[Marks] = Marks(generators=("Drupal",), headers=(("x-generator", "^drupal"),), maker="Drupal")
    feeds: ClassVar[Sequence[str]] = ("/rss.xml",)

    def is_post_url(self, url: str, named_in: str | None = None) -> bool | None:
        """A node may have any address; one below a part called "blog" is a post's, `?page=1` are comments."""
        return False if _PAGE.search(url) else is_post_url(url, named_in)

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Yield the post of a page with its comments, or the comments of a further page, or the posts of a listing."""
        page = read_page(exchange, self.name)
        paged = _PAGE.search(exchange.url)
        address = canonical_url(exchange.url[: paged.start()] if paged else exchange.url)
        comments = read_comments(page.tree, (address,), _COMMENTS)
        # A page of comments is requested directly after the page that names it: together they name who wrote.
        following = _following(page, paged[1] if paged else None)
        cursor = as_listed(exchange.url) if paged else None
        thread = ThreadPage(post=(address,), cursor=cursor, following=following)
        if paged and comments:
            return iter((*comments, thread))
        body = page.tree.root.find("body")
        is_post = body is not None and _TYPE.search(classes_of(body)) is not None
        page.post.comments_count_raw = text_of(page.tree.first(*_COUNTS))
        page.post.comments_count = count(page.post.comments_count_raw)
        verdict = True if is_post else self.is_post_url(page.post.url or "")
        thread_of = (thread,) if comments else ()
        return post_items(page, _SHAPE, verdict, (*comments, *thread_of), is_post=is_post)


def _following(page: ArticlePage, current: str | None) -> tuple[str, ...]:
    """Return the address of the next page of comments that the pager below the comments links to."""
    number = int(current or 0) + 1
    for link in page.tree.all("#comments .pager a[href]", ".comment-wrapper .pager a[href]", ".pager a[href]"):
        url = resolver(page.exchange.url)(link.get("href") or "")
        found = _PAGE.search(url)
        if found and int(found[1]) == number:
            return (as_listed(url),)
    return ()
