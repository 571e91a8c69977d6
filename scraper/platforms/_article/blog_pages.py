"""What platforms share whose blogs are read from pages: addresses that may be posts' or lists', and the discovery."""

from __future__ import annotations

from scraper.platforms._article.address import is_listing_url, is_post_url
from scraper.platforms._article.discovery import discover_pages
from scraper.platforms._platform import Blog, Plan, Platform


class BlogPages(Platform):
    """Base class of these platforms: a blog may lie at any path."""

    def is_post_url(self, url: str, named_in: str | None = None) -> bool | None:
        """Return whether the address is a post's by its form: below a part called "blog", or with a date in it."""
        return is_post_url(url, named_in)

    def is_listing_url(self, url: str) -> bool:
        """Return whether this is the address of a blog's listing: "/blog", "/en/news"."""
        return is_listing_url(url)

    def discover(self, blog: Blog) -> Plan:
        """Request sitemaps, the feeds that heads name, and the listings."""
        return discover_pages(self, blog)
