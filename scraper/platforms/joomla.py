"""Joomla: articles of its core, and items of K2.

*Recognised by*  the generator tag, scripts and assets of the head.
*Sources*        pages: microdata of the core's layouts (`.item-page`), `.itemView` of K2; feeds and sitemaps as lists.
*Caveats*        hits are printed only where the owner shows them (not seen live). JComments is drawn by a script where
                 the site caches its pages; modules list comments of other articles, which are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from scraper.items import Exchange, Item
from scraper.platforms._article import ArticlePage, Shape, read_page
from scraper.platforms._article.blog_pages import BlogPages
from scraper.platforms._article.comments import CommentShape, read_comments
from scraper.platforms._article.dom import text_of
from scraper.platforms._article.posts import post_items
from scraper.platforms._recognise import Marks
from scraper.platforms._values import count

_SHAPE = Shape(
    title=(".item-page .page-header [itemprop]", ".item-page h1", ".item-page h2", ".itemHeader .itemTitle"),
    author=(".item-page .createdby [itemprop~=name]", ".item-page .createdby", ".itemAuthor a"),
    date=(
        ".item-page time[itemprop~=datePublished]",
        ".item-page .published time",
        ".item-page .create time",
        ".itemDateCreated",
    ),
    body=('.item-page [itemprop~="articleBody"]', ".com-content-article__body", ".itemFullText", ".itemBody"),
    categories=(".item-page .category-name a", ".itemCategory a"),
    tags=(".item-page .tags a", ".itemTags a"),
    drop=("#jc", "#comments", ".itemComments", ".pagenavigation", ".relateditems"),
)
_COMMENTS = CommentShape(
    item=("#comments-list .comment-box[id]", '#comments-list [id^="comment-item-"]', ".itemComments li[id]"),
    author=(".comment-author", ".commentAuthorName"),
    date=(".comment-date", ".commentDate", "time[datetime]"),
    text=(".comment-body", ".commentBody", "p"),
)


class Joomla(BlogPages):
    """Reads Joomla's articles."""

    name: ClassVar[str] = "joomla"
    extractor_version: ClassVar[int] = 1
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "pages, feed",
        "bodies": "all",
        "dates": "as printed",
        "views": "where printed",
        "likes": "no",
        "comments": "of JComments and K2",
    }
    marks: ClassVar[Marks] = Marks(generators=("Joomla",), maker="Joomla")

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Yield the article of a page with its comments, or the posts of a listing."""
        page = read_page(exchange, self.name)
        comments = read_comments(page.tree, page.post.addresses, _COMMENTS)
        _read_hits(page)
        return post_items(page, _SHAPE, self.is_post_url(page.post.url or ""), comments)


def _read_hits(page: ArticlePage) -> None:
    """Read the hits: of microdata "UserPageVisits:12", else as "Hits: 12" prints them."""
    post = page.post
    meta = page.tree.first('.item-page meta[itemprop="interactionCount"]')
    printed = (
        (meta.get("content") or "") if meta is not None else text_of(page.tree.first(".item-page dd.hits", ".itemHits"))
    )
    if printed:
        post.views_raw = printed
        post.views = count(printed.rpartition(":")[2].strip() or printed)
