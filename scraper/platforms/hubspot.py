"""HubSpot: post pages of its blogs.

*Recognised by*  the generator tag, headers, scripts and assets of the head.
*Sources*        pages: JSON-LD, `#hs_cos_wrapper_post_body`; the feed that heads name, as a list.
*Caveats*        comments are never in the page: a script fills an empty element. No views and likes are public.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from scraper.items import Exchange, Item
from scraper.platforms._article import Shape, read_page
from scraper.platforms._article.blog_pages import BlogPages
from scraper.platforms._article.posts import post_items
from scraper.platforms._recognise import Marks

_SHAPE = Shape(
    author=(".blog-post__author-name", ".hs-author-name", ".blog-post__author a", ".author-link"),
    date=(".blog-post__timestamp", ".blog-post__date", ".hs-blog-post-date"),
    body=("#hs_cos_wrapper_post_body", ".post-body", ".blog-post__body", ".hs-blog-post-body"),
    tags=(".blog-post__tag-link", ".blog-post__tags a", "#hubspot-topic_data a", ".topic-link"),
    drop=(".hs_cos_wrapper_type_blog_comments", "#comments-listing", ".blog-related-posts", ".hs-cta-wrapper"),
)


class HubSpot(BlogPages):
    """Reads the posts of HubSpot's blogs."""

    name: ClassVar[str] = "hubspot"
    hosted: ClassVar[bool] = True
    extractor_version: ClassVar[int] = 1
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "pages, feed",
        "bodies": "all",
        "dates": "as printed",
        "views": "no",
        "likes": "no",
        "comments": "threads of HubSpot's own service",
    }
    marks: ClassVar[Marks] = Marks(
        generators=("HubSpot",), headers=(("x-hs-hub-id", "."), ("x-hs-content-id", ".")), maker="HubSpot"
    )

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Yield the post of a page, or the posts of a listing."""
        page = read_page(exchange, self.name)
        # Only templates of posts have these two elements.
        is_post = page.tree.first("body.hs-blog-post", "#hs_cos_wrapper_post_body") is not None
        verdict = self.is_post_url(page.post.url or "")
        return post_items(page, _SHAPE, is_post or verdict, is_post=is_post)
