"""WordPress: posts and comments by its REST API; where that is closed, by feeds, sitemaps and pages of any theme.

*Recognised by*  the generator tag, the link or header that names the REST API, or its own assets in the head.
*Sources*        `rest` (answers of the API), `page` (pages), `feed` (feeds with whole texts).
*Caveats*        permalinks have any form; the feed has the first page of a post of several pages alone, and its
                 pages are requested one by one (`parts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from scraper.items import Exchange, Item, Post, Source
from scraper.platforms._platform import Blog, Plan, Platform
from scraper.platforms._recognise import Marks, has_mark_of, maker_of
from scraper.platforms.wordpress import address, rest
from scraper.platforms.wordpress.feed import read_posts
from scraper.platforms.wordpress.page import read_page
from scraper.platforms.wordpress.plan import comments, lists
from scraper.platforms.wordpress.plan.posts import Api


class WordPress(Platform):
    """Reads WordPress sites: REST first, then feeds, sitemaps and pages."""

    name: ClassVar[str] = "wordpress"
    extractor_version: ClassVar[int] = 3
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "API; feeds and pages where it is closed",
        "bodies": "all but those with a password",
        "dates": "exact",
        "views": "where a plugin or theme prints them",
        "likes": "where a plugin prints them",
        "comments": "threads",
    }
    marks: ClassVar[Marks] = Marks(
        maker="WordPress",
        generators=("WordPress",),
        headers=(("link", r"rel=.?https://api\.w\.org/"),),
        # <link rel="https://api.w.org/" href="https://a.example/wp-json/" />
        head=(rb"(?i)<link\b[^<>]{0,400}\brel\s*=\s*[\"']?https://api\.w\.org/",),
    )
    # The API has all pages of a post of several pages in one answer; "text" is the first page alone.
    sources: ClassVar[Sequence[Source]] = ("api", "html", "rendered", "feed", "warmup", "text")
    sitemaps: ClassVar[Sequence[str]] = ("/wp-sitemap.xml", "/sitemap_index.xml")

    def claims(self, exchange: Exchange) -> bool:
        """Return whether this is an answer of the API, or a page with a mark or with the assets of WordPress."""
        if self.is_api_url(exchange.url) or has_mark_of(self.marks, exchange):
            return True
        return maker_of(exchange) == "WordPress"

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Return the items of an answer of the API, or of a page; raises as `page.read_page`."""
        return rest.read(exchange) if self.is_api_url(exchange.url) else read_page(exchange)

    def read_feed(self, exchange: Exchange) -> Iterator[Item]:
        """Return the posts of a feed, with their texts where it has them."""
        return (item for item in read_posts(exchange) if isinstance(item, Post))

    def row_id(self, row: Mapping[str, Any]) -> str | None:
        """`{"id": 12, "post": 3, "author_name": "...", ...}`."""
        return str(row["id"]) if {"id", "post", "author_name"} <= row.keys() else None

    def is_post_url(self, url: str, named_in: str | None = None) -> bool | None:
        """Return whether the address is a post's: by a sitemap of posts or the feed that names it, or by `?p=12`."""
        return address.is_post(url, named_in)

    def guid_address(self, guid: str) -> str | None:
        """Return `wordpress:12` for `https://a.example/?p=12`."""
        number = address.id_of_guid(guid)
        return None if number is None else f"{self.name}:{number}"

    def is_api_url(self, url: str) -> bool:
        """Return whether this is the address of the REST API, by path or by `rest_route`."""
        return address.route_of(url) is not None

    def discover(self, blog: Blog) -> Plan:
        """Request the posts from the REST API; where it is closed, feeds, sitemaps and listings."""
        api = Api(blog)
        if not (yield from api.posts()):
            yield from lists.discover(self, blog, api.refusals)

    def threads(self, blog: Blog) -> Plan:
        """Request the comments from the REST API, where it gave the posts; else they come with the pages."""
        if blog.api is not None:
            yield from comments.threads(blog, blog.api)
            return
        comments.mark_read(blog, blog.posts.values())
