"""Generic: any blog whose maker has no reader of its own (Jekyll, GoDaddy, Weebly, Tumblr, Duda, agencies' own).

*Recognised by*  nothing: it claims every HTML page, and is the last that is asked (`Platform.fallback`).
*A post*         is a page with two of three: a date of its own, an author of its own, and signs of an article: an address
                 below the blog or with a date, or the markup of one (`_article/posts.py`).
*Discovery*      sitemaps, the feeds that heads name, the blog's listings; fewer than 40 requests.
*Caveats*        texts come from trafilatura where a page names no container; dates that only htmldate finds have the
                 source "text". Counters are read only from JSON-LD of the article.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from scraper.items import Exchange, Item
from scraper.platforms._article import Shape, read_page
from scraper.platforms._article.comments import read_comments
from scraper.platforms._article.discovery import LISTING_PAGE, discover_pages
from scraper.platforms._article.posts import post_items, set_interactions, set_number
from scraper.platforms._platform import Blog, Plan, Platform

# A part of a path below which posts lie, and which alone is the address of their listing.
_SECTIONS = (
    "blog", "blogs", "weblog", "post", "posts", "article", "articles", "news", "journal", "insights", "stories",
    "our-blog", "blog-posts", "health-blog", "blog-post", "actualites", "noticias", "artikel", "aktuelles", "neuigkeiten",
)  # fmt: skip
# "/2024/05/sleep", "/2024/05/07/sleep.html", "/2024-05-07-sleep"
_DATED = re.compile(r"/(?:19|20)\d\d/(?:0?[1-9]|1[0-2])/(?:[0-3]?\d/)?[^/]+$|/(?:19|20)\d\d-\d\d-\d\d[-/][^/]+$")
# Parts of paths of lists, and of pages that no blog has as posts.
_LISTS = frozenset({
    "tag", "tags", "tagged", "category", "categories", "author", "authors", "page", "archive", "archives", "feed", "search",
    "label", "topic", "topics", "wp-json", "wp-admin", "rss",
})  # fmt: skip
_PAGES = frozenset({
    "about", "about-us", "contact", "contact-us", "services", "service", "team", "our-team", "staff", "doctors",
    "products", "product", "shop", "store", "cart", "checkout", "account", "login", "privacy", "privacy-policy", "terms",
    "careers", "jobs", "locations", "location", "appointment", "appointments", "book", "booking", "faq", "faqs", "gallery",
    "pricing", "reviews", "testimonials", "home", "index.html", "impressum", "datenschutz", "events", "event", "treatments",
    "landing", "lp", "providers", "conditions", "collections",
})  # fmt: skip
_FILES = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|pdf|docx?|xlsx?|zip|mp[34]|xml|json|txt|css|js|ico)$", re.IGNORECASE)
# /post-sitemap.xml, /sitemap.blog.xml, /sitemap-posts.xml, /sitemap_blogs_1.xml, /blog-posts-sitemap.xml
_OF_POSTS = re.compile(r"(?<![a-z])(?:posts?|blogs?|articles?|news)(?![a-z])", re.IGNORECASE)
_OF_OTHERS = re.compile(
    r"(?<![a-z])(?:pages?|products?|categor\w+|tags?|authors?|images?|videos?|staff|team|services?|taxonom\w+|events?)(?![a-z])",
    re.IGNORECASE,
)


class Generic(Platform):
    """Reads pages of any site, and stores those that are evidently posts."""

    name: ClassVar[str] = "generic"
    extractor_version: ClassVar[int] = 1
    fallback: ClassVar[bool] = True
    listings: ClassVar[Sequence[str]] = ("/blog",)

    def claims(self, exchange: Exchange) -> bool:
        """Return whether this is an HTML page that carries the mark of no other platform."""
        from scraper.platforms import marked  # noqa: PLC0415 (it imports this module)

        mime = exchange.content_type.partition(";")[0].strip().lower()
        if exchange.method != "GET" or (mime and mime not in ("text/html", "application/xhtml+xml")):
            return False
        start = exchange.body[:4096].lstrip()
        is_html = b"<html" in start.lower() or b"<!doctype html" in start.lower()
        return (is_html or (bool(mime) and start[:1] == b"<")) and marked(exchange) is None

    def is_post_url(self, url: str, named_in: str | None = None) -> bool | None:
        """Return True for an address below a blog, with a date in it, or in a list of posts alone; else None or False.

        False: lists, files, and pages that no blog has as posts.
        """
        try:
            parts = urlsplit(url)
            where = urlsplit(named_in).path if named_in else ""
        except ValueError:  # "http://["
            return False
        path = parts.path.lower().rstrip("/")
        words = [word for word in path.split("/") if word]
        if not words or _FILES.search(path) or not _LISTS.isdisjoint(words[:-1]) or words[-1] in _LISTS:
            return None if not words and parts.query else False
        if words[-1].isdigit() or LISTING_PAGE.search(url):
            return False
        if _DATED.search(path):
            return True
        if words[-1] in _SECTIONS or words[0] in _PAGES:
            return False
        if not _sections(words[:-1]).isdisjoint(_SECTIONS) or (len(words) > 1 and words[-2] == "f"):  # "/f/": GoDaddy
            return True
        if not where or words[-1] in _PAGES:
            return None if words[-1] not in _PAGES else False
        if "sitemap" not in where.lower():
            return True  # a feed
        name = where.rpartition("/")[2]
        return False if _OF_OTHERS.search(name) and not _OF_POSTS.search(name) else bool(_OF_POSTS.search(name)) or None

    def is_listing_url(self, url: str) -> bool:
        """Return whether this is the address of a blog's listing: "/blog", "/en/news"."""
        words = [word for word in urlsplit(url).path.lower().split("/") if word]
        return 0 < len(words) <= 3 and words[-1] in _SECTIONS and not urlsplit(url).query

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Yield the post of a page, else the posts that it lists.

        Raises `NotAPost` for a page that lists none and whose address may be a post's.
        """
        page = read_page(exchange, self.name)
        comments = read_comments(page.tree, page.post.addresses)
        set_interactions(page.post, page.ld.counts())
        set_number(page.post, "comments_count", page.ld.article.get("commentCount"), zero=False)
        return post_items(page, Shape(), self.is_post_url(exchange.url), comments)

    def discover(self, blog: Blog) -> Plan:
        """Request sitemaps, the feeds that heads name, and the blog's listings, page after page."""
        return discover_pages(self, blog)


def _sections(words: list[str]) -> set[str]:
    """Return the parts of a path; "sleep-blog" counts as "blog"."""
    return {*words, *("blog" for word in words if word.endswith("-blog") or word.startswith("blog-"))}
