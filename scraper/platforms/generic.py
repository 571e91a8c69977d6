"""Generic: any blog whose maker has no reader of its own (Jekyll, GoDaddy, Weebly, Tumblr, Duda, agencies' own).

*Recognised by*  nothing: it claims every HTML page without another platform's mark, and is the last that is asked.
*A post*         is a page with two of three: a date of its own, an author of its own, and signs of an article: an
                 address below the blog or with a date, or the markup of one (`_article/posts.py`).
*Discovery*      sitemaps, the feeds that heads name, the blog's listings; fewer than 40 requests.
*Caveats*        texts come from trafilatura where a page names no container; dates that only htmldate finds have the
                 source "text". Counters are read only from JSON-LD of the article.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from scraper.items import Comment, Exchange, Item
from scraper.platforms._article import Shape, read_page
from scraper.platforms._article.blog_pages import BlogPages
from scraper.platforms._article.comments import read_comments
from scraper.platforms._article.posts import post_items, set_interactions, set_number

_SMALL = 3  # digits of a comment's id that may be its place on the page


class Generic(BlogPages):
    """Reads pages of any site, and stores those that are evidently posts."""

    name: ClassVar[str] = "generic"
    extractor_version: ClassVar[int] = 2
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "pages, feed",
        "bodies": "all",
        "dates": "as printed",
        "views": "where printed",
        "likes": "where printed",
        "comments": "of common markup, and those of embedded services",
    }
    fallback: ClassVar[bool] = True
    listings: ClassVar[Sequence[str]] = ("/blog",)

    def claims(self, exchange: Exchange) -> bool:
        """Return whether this is an HTML page that carries the mark of no other platform."""
        from scraper.platforms import marked  # noqa: PLC0415 (it imports this module)

        mime = exchange.content_type.partition(";")[0].strip().lower()
        if exchange.method != "GET" or (mime and mime not in ("text/html", "application/xhtml+xml")):
            return False
        start = exchange.body[:4096].lstrip().lower()
        is_html = b"<html" in start or b"<!doctype html" in start
        return (is_html or (bool(mime) and start[:1] == b"<")) and marked(exchange) is None

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Yield the post of a page, else the posts that it lists.

        Raises `NotAPost` for a page that lists none and whose address may be a post's.
        """
        page = read_page(exchange, self.name)
        comments = _of_this_page(read_comments(page.tree, page.post.addresses), page.post.url or "")
        set_interactions(page.post, page.ld.counts())
        set_number(page.post, "comments_count", page.ld.article.get("commentCount"), zero=False)
        return post_items(page, Shape(), self.is_post_url(page.post.url or ""), comments)


def _of_this_page(comments: Iterable[Comment], url: str) -> tuple[Comment, ...]:
    """Put the page's path before small ids: many makers count the comments of each page from 1."""
    path = url.partition("://")[2].partition("/")[2]

    def named(number: str) -> str:
        return f"{path}:{number}" if len(number) <= _SMALL else number

    return tuple(
        replace(
            comment,
            platform_comment_id=named(comment.platform_comment_id),
            parent_id=None if comment.parent_id is None else named(comment.parent_id),
        )
        for comment in comments
    )
