"""Ghost (https://ghost.org), versions 4 to 5.130: pages, the feed, the sitemap of posts, and the members' comments.

By default the robots.txt of a Ghost site forbids the Content API and the numbers of comments. Where its owner allows
them, they are asked first. [reference: platforms, "Ghost"]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scraper.items import Exchange, Item, Source
from scraper.platforms._json import string
from scraper.platforms._platform import Blog, Plan, Platform
from scraper.platforms._recognise import Marks
from scraper.platforms.ghost import comments, content, page

# First parts of paths that are no posts, as Ghost's router reserves them or its routes are by default
_NO_POSTS = {
    "amp",
    "assets",
    "author",
    "content",
    "email",
    "ghost",
    "members",
    "p",
    "page",
    "public",
    "r",
    "rss",
    "tag",
    "unsubscribe",
    "webmentions",
}
# Lists of what is no post: "/sitemap-pages.xml"
_NO_POSTS_LISTS = ("/sitemap-pages.xml", "/sitemap-authors.xml", "/sitemap-tags.xml", "/sitemap-users.xml")


class Ghost(Platform):
    """Reads Ghost sites."""

    name: ClassVar[str] = "ghost"
    extractor_version: ClassVar[int] = 1
    marks: ClassVar[Marks] = Marks(
        generators=("Ghost",),
        maker="Ghost",
        # The script of the portal or the search: <script defer src="..." data-ghost="https://clinic.example/" ...>
        head=(rb"<script\b[^<>]{0,600}\bdata-(?:sodo-search|ghost)=",),
    )
    sources: ClassVar[Sequence[Source]] = ("api", "html", "warmup", "rendered", "feed", "text")
    sitemaps: ClassVar[Sequence[str]] = ("/sitemap-posts.xml",)
    feeds: ClassVar[Sequence[str]] = ("/rss/",)
    feed_size: ClassVar[int | None] = 15
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "pages, feed; API where robots.txt allows it",
        "bodies": "all but locked ones",
        "dates": "exact",
        "views": "no",
        "likes": "of comments",
        "comments": "threads",
    }

    def claims(self, exchange: Exchange) -> bool:
        """Return whether this is a page with a mark of Ghost, or an answer of its interfaces."""
        return self.is_api_url(exchange.url) or super().claims(exchange)

    def is_api_url(self, url: str) -> bool:
        """`/members/api/comments/...` and `/ghost/api/content/posts/...`."""
        return comments.is_answer(url) or content.is_answer(url)

    def is_post_url(self, url: str, named_in: str | None = None) -> bool | None:
        """What the sitemap of posts or the feed names; addresses of posts and of pages look alike (`/slug/`)."""
        try:
            parts, list_path = urlsplit(url), urlsplit(named_in or "").path
        except ValueError:
            return False
        first, _, rest = parts.path.lstrip("/").partition("/")
        if not first or first in _NO_POSTS or first.startswith("sitemap") or rest.strip("/").startswith("page/"):
            return False
        if list_path.endswith(_NO_POSTS_LISTS):
            return False
        is_list_of_posts = "/sitemap-posts" in list_path or list_path.rstrip("/").endswith("/rss")
        return True if is_list_of_posts else None

    def guid_address(self, guid: str) -> str | None:
        """`ghost:<24 hex>`: the feed's guid is the post's id."""
        return page.address_of(guid)

    def discover(self, blog: Blog) -> Plan:
        """The Content API where robots.txt allows it, else the usual lists."""
        is_read = yield from content.posts(blog)
        if not is_read:
            yield from super().discover(blog)

    def counters(self, blog: Blog) -> Plan:
        """The numbers of comments, where robots.txt allows it."""
        return comments.counts(blog)

    def row_id(self, row: Mapping[str, Any]) -> str | None:
        """`{"id": "6944...", "html": "...", "member": {...}, ...}`."""
        return string(row.get("id")) or None if {"html", "member"} <= row.keys() else None

    def threads(self, blog: Blog) -> Plan:
        """The comments of each post that is due."""
        return comments.threads(blog)

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """The post of a page, the comments of an answer, the posts of the Content API."""
        if comments.is_answer(exchange.url):
            return comments.read(exchange)
        if content.is_answer(exchange.url):
            return content.read(exchange)
        return page.read(exchange)
