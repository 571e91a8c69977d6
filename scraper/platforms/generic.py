"""Generic: any blog whose maker has no reader of its own (Jekyll, GoDaddy, Weebly, Tumblr, Duda, agencies' own).

*Recognised by*  nothing: it claims every HTML page, and is the last that is asked (`Platform.fallback`).
*A post*         is a page with two of three: a date of its own, an author of its own, and signs of an article: an address
                 below the blog or with a date, or the markup of one (`_is_article`).
*Discovery*      sitemaps, the feeds that heads name, the blog's listings; fewer than 40 requests.
*Caveats*        texts come from trafilatura where a page names no container; dates that only htmldate finds have the
                 source "text". Counters are read only from JSON-LD of the article.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import urljoin, urlsplit

from scraper.addresses import canonical_url, is_within
from scraper.discover import read_links
from scraper.items import Exchange, Item, Post, Sighting, Site
from scraper.not_a_post import NotAPost
from scraper.platforms._article import Article, Page, read_article, read_page, set_sources
from scraper.platforms._article.cards import read_cards
from scraper.platforms._article.comments import read_comments
from scraper.platforms._article.dom import around, classes_of
from scraper.platforms._discovery import Step, request_sitemaps
from scraper.platforms._json import count, printed
from scraper.platforms._platform import Ask, Blog, Plan, Platform

_MOST_SITEMAPS, _MOST_FEEDS, _MOST_LISTINGS = 12, 4, 20  # requests of a visit beside those for posts
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
_SINGLE = re.compile(r"[\s_-](?:single-post|post-template|blog-post|blog-item|blogpost|single-blog|article-page|postid-\d+)[\s_-]")
_LISTING_PAGE = re.compile(r"(?:/page/?|[?&](?:page|paged|p|offset)=)(\d{1,4})/?$")


class Generic(Platform):
    """Reads pages of any site, and stores those that are evidently posts."""

    name: ClassVar[str] = "generic"
    extractor_version: ClassVar[int] = 1
    fallback: ClassVar[bool] = True

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
        if words[-1].isdigit() or _LISTING_PAGE.search(url):
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
        page = read_page(exchange)
        verdict = self.is_post_url(exchange.url)
        cards = read_cards(page.tree, page.ld)
        if verdict is not False:
            url = canonical_url(exchange.url)
            comments = read_comments(page.tree, (url,))
            article = read_article(page, self.name)
            if self._is_post(page, article, below_blog=verdict is True):
                yield from self._post(page, article.post)
                yield from comments
                return
        yield from cards
        if verdict is not False and not cards:
            raise NotAPost("it has neither a date and an author of its own nor other signs of a post")

    def _is_post(self, page: Page, article: Article, *, below_blog: bool) -> bool:
        signs = (article.is_dated, article.has_author, below_blog or _is_article(page, article))
        return sum(signs) >= 2 and article.post.title is not None and article.post.body_html is not None

    def _post(self, page: Page, post: Post) -> Iterator[Item]:
        numbers = page.ld.counts()
        for action, name in (("LikeAction", "likes"), ("ReadAction", "views"), ("ViewAction", "views")):
            if numbers.get(action) is not None:
                setattr(post, name, count(numbers[action]))
                setattr(post, f"{name}_raw", printed(numbers[action]))
        stated = page.ld.article.get("commentCount", numbers.get("CommentAction"))
        post.comments_count_raw = printed(stated)
        post.comments_count = count(stated) or None  # 0: a comment service that the page embeds may have some
        set_sources(post)
        yield post
        yield Site(platform=self.name, language=page.head.language)
        yield from page.ld.problems

    def discover(self, blog: Blog) -> Plan:
        """Request sitemaps, the feeds that heads name, and the blog's listings, page after page."""
        yield from request_sitemaps(self, blog, most=_MOST_SITEMAPS)
        feeds = feeds_in(blog.home)
        listings = [url for url in read_links(blog.home) if self.is_listing_url(url)] if blog.home else []
        asked: set[str] = set()
        yield from self._feeds(feeds, blog, asked)
        waiting, seen = list(dict.fromkeys([*listings, blog.root + "/blog"])), set[str]()
        if blog.home is not None:
            waiting += _following(blog.home)
        while waiting and len(seen) < _MOST_LISTINGS:
            url = waiting.pop(0)
            if canonical_url(url) in seen or not is_within(url, blog.root):
                continue
            seen.add(canonical_url(url))
            answer = yield Ask(url=url, conditional=True, lists="listing")
            if answer.ok and answer.exchange is not None:
                blog.evident = blog.evident or self.is_listing_url(answer.exchange.url)
                yield from self._feeds(feeds_in(answer.exchange), blog, asked)
                if answer.new_posts and blog.bulk:
                    waiting = [*_following(answer.exchange), *waiting]
            if blog.enough():
                return
        if waiting and len(seen) >= _MOST_LISTINGS:
            blog.notes.append(f"more than {_MOST_LISTINGS} pages of lists: the others were not read")

    def _feeds(self, feeds: list[str], blog: Blog, asked: set[str]) -> Step:
        for url in feeds:
            if url not in asked and len(asked) < _MOST_FEEDS and is_within(url, blog.root):
                asked.add(url)
                answer = yield Ask(url=url, lists="feed")
                blog.evident = blog.evident or any(isinstance(item, Sighting) for item in answer.items)


def _sections(words: list[str]) -> set[str]:
    """Return the parts of a path; "sleep-blog" counts as "blog"."""
    return {*words, *("blog" for word in words if word.endswith("-blog") or word.startswith("blog-"))}


def _is_article(page: Page, article: Article) -> bool:
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


# <link rel="alternate" type="application/rss+xml" href="/feed.xml">
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml")


def feeds_in(exchange: Exchange | None) -> list[str]:
    """Return the addresses of the feeds that a page's head names, those of comments left out."""
    if exchange is None:
        return []
    found = []
    for link in read_page(exchange).tree.root.iter("link"):
        rel, kind = (link.get("rel") or "").lower().split(), (link.get("type") or "").strip().lower()
        about = f"{link.get('title') or ''} {link.get('href') or ''}".lower()
        if "alternate" in rel and kind in _FEED_TYPES and "comment" not in about and link.get("href"):
            found.append(urljoin(exchange.url, link.get("href") or ""))
    return list(dict.fromkeys(found))


def _following(exchange: Exchange) -> list[str]:
    """Return the addresses of a listing's next page that it links to: `rel="next"`, "/page/2", "?page=2"."""
    tree = read_page(exchange).tree
    current = _LISTING_PAGE.search(exchange.url)
    number = int(current[1]) + 1 if current else 2
    found = []
    for link in tree.root.iter("a", "link"):
        href = urljoin(exchange.url, (link.get("href") or "").strip())
        page = _LISTING_PAGE.search(href)
        if "next" in (link.get("rel") or "").lower().split() or (page and int(page[1]) == number):
            found.append(href)
    return list(dict.fromkeys(found))[:1]
