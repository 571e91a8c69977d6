"""What the address of a page says on platforms that leave the form of addresses to the site."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# A part of a path below which posts lie, and which alone is the address of their listing.
_SECTIONS = frozenset(
    (
        "blog blogs weblog post posts article articles news journal insights stories our-blog blog-posts "
        "health-blog blog-post actualites noticias artikel aktuelles neuigkeiten"
    ).split()
)
# "/2024/05/sleep", "/2024/05/07/sleep.html", "/2024-05-07-sleep"
_DATED = re.compile(
    r"/(?:19|20)\d\d/(?:0?[1-9]|1[0-2])/(?:[0-3]?\d/)?[^/]*[^\d/][^/]*$|/(?:19|20)\d\d-\d\d-\d\d[-/][^/]+$"
)
# Parts of paths of lists, and of pages that no blog has as posts.
_LISTS = frozenset(
    (
        "tag tags tagged category categories author authors page archive archives feed search label topic "
        "topics wp-json wp-admin rss"
    ).split()
)
_PAGES = frozenset(
    (
        "about about-us contact contact-us services service team our-team staff doctors products product "
        "shop store cart checkout account login privacy privacy-policy terms careers jobs locations location "
        "appointment appointments book booking faq faqs gallery pricing reviews testimonials home index.html "
        "impressum datenschutz events event treatments landing lp providers conditions collections"
    ).split()
)
_FILES = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|pdf|docx?|xlsx?|zip|mp[34]|xml|json|txt|css|js|ico)$", re.IGNORECASE)
# /post-sitemap.xml, /sitemap.blog.xml, /sitemap-posts.xml, /sitemap_blogs_1.xml, /blog-posts-sitemap.xml
_OF_POSTS = re.compile(r"(?<![a-z])(?:posts?|blogs?|articles?|news)(?![a-z])", re.IGNORECASE)
_OF_OTHERS = re.compile(
    r"(?<![a-z])(?:pages?|products?|categor\w+|tags?|authors?|images?|videos?|staff|team|services?|taxonom\w+|events?)"
    r"(?![a-z])",
    re.IGNORECASE,
)
# A further page of a listing: "/blog/page/2", "/blog?page=2", "/blog?offset=1700000000000".
LISTING_PAGE = re.compile(r"(?:/page/?|[?&](?:page|paged|p|offset|start)=)(\d{1,14})/?$")


def path_parts(url: str) -> list[str]:
    """Return the parts of an address's path in lower case; none for the home page and for what is no address."""
    try:
        return [word for word in urlsplit(url).path.lower().split("/") if word]
    except ValueError:  # "http://["
        return []


def is_post_url(url: str, named_in: str | None = None) -> bool | None:
    """Return whether an address is a post's: below a blog, with a date in it, or in a list of posts alone; else None.

    False: lists, files, the home page, and pages that no blog has as posts. `named_in`: the sitemap or feed that lists
    it. Never raises.
    """
    words = path_parts(url)
    if not words:
        return None if "?p=" in url else False
    path = "/" + "/".join(words)
    is_list = not _LISTS.isdisjoint(words[:-1]) or words[-1] in _LISTS or LISTING_PAGE.search(url)
    if is_list or _FILES.search(path) or words[-1].isdigit():
        return False
    if _DATED.search(path):
        return True
    if words[-1] in _SECTIONS or words[0] in _PAGES or words[-1] in _PAGES:
        return False
    if not _sections(words[:-1]).isdisjoint(_SECTIONS) or (len(words) > 1 and words[-2] == "f"):  # "/f/": GoDaddy
        return True
    return _is_named(named_in)


def _is_named(named_in: str | None) -> bool | None:
    where = path_parts(named_in or "")
    if not where:
        return None
    if not any("sitemap" in word for word in where):
        return True  # a feed
    if _OF_POSTS.search(where[-1]):
        return True
    return False if _OF_OTHERS.search(where[-1]) else None


def is_listing_url(url: str) -> bool:
    """Return whether this is the address of a blog's listing: "/blog", "/en/news". Never raises."""
    words = path_parts(url)
    return 0 < len(words) <= 3 and words[-1] in _SECTIONS and "?" not in url


def _sections(words: list[str]) -> set[str]:
    """Return the parts of a path; "sleep-blog" counts as "blog"."""
    return {*words, *("blog" for word in words if word.endswith("-blog") or word.startswith("blog-"))}
