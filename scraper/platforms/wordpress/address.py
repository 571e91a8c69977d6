"""Addresses of a WordPress site: its REST API, and which addresses can be a post's.

Permalinks have the form that the site's owner likes (`/2024/05/sleep/`, `/blog/sleep/`, `/sleep/`, `/?p=12`), so that
an address seldom shows whether it is a post's. Sitemaps of posts and the API do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import parse_qs, urlencode, urlsplit

from scraper.addresses import is_web_address

# "/wp-json/", "/blog/wp-json/wp/v2/posts"
_JSON_PATH = re.compile(r"/wp-json(?:/|$)(?P<route>.*)")
# "/api/wp/v2/posts": a site may give the API another name than wp-json
_RENAMED = re.compile(r"/(?P<route>wp/v2/(?:posts|comments|types|users|categories|tags|media)\b.*)")
# Sitemaps that list posts alone: of WordPress "/wp-sitemap-posts-post-1.xml", of Yoast and Rank Math
# "/post-sitemap.xml", "/post-sitemap2.xml"
_POST_SITEMAP = re.compile(r"/(?:wp-sitemap-posts-post-\d+|post-sitemap\d*)\.xml(?:\.gz)?$")
# Other sitemaps of the same makers: "/wp-sitemap-taxonomies-category-1.xml", "/page-sitemap.xml", "/author-sitemap.xml"
_OTHER_SITEMAP = re.compile(
    r"/(?:wp-sitemap-(?:posts-page|taxonomies|users)\b[^/]*"
    r"|(?:page|category|post_tag|tag|author|product|product_cat|attachment|local)-sitemap\d*)\.xml(?:\.gz)?$"
)
# Addresses of other things than posts: "/wp-admin/", "/wp-content/a.css", "/category/sleep/", "/author/anna/",
# "/sleep/feed/", "/page/2/", "/comments/feed/"
_NO_POST = re.compile(
    r"/(?:wp-admin|wp-content|wp-includes|wp-json)(?:/|$)|/(?:wp-login|wp-cron|xmlrpc|wp-comments-post|wp-signup)\.php$"
    r"|/(?:category|tag|author)/[^/]+|/feed(?:/(?:atom|rss2?|rdf))?/?$|/page/\d+/?$|/wp-sitemap[^/]*\.(?:xml|xsl)$"
    r"|/(?:robots\.txt|favicon\.ico)$"
)
# Queries of pages that are no posts: "?page_id=2", "?cat=3", "?s=sleep", "?feed=rss2"
_NO_POST_QUERY = frozenset("page_id cat tag author s feed paged m attachment_id rest_route sitemap".split())


@lru_cache(maxsize=256)
def route_of(url: str) -> str | None:
    """Return the route of a request to the API without slashes around it ("wp/v2/posts", "" for its root), or None.

    `https://a.example/wp-json/wp/v2/posts?page=2` and `https://a.example/?rest_route=/wp/v2/posts` give "wp/v2/posts".
    """
    if not is_web_address(url):
        return None
    parts = urlsplit(url)
    if "rest_route=" in parts.query:
        return next(iter(parse_qs(parts.query).get("rest_route", ())), "").strip("/")
    found = _JSON_PATH.search(parts.path) or _RENAMED.search(parts.path)
    return found["route"].strip("/") if found else None


@lru_cache(maxsize=256)
def query_of(url: str) -> Mapping[str, str]:
    """Return the parameters of a request to the API, each once, without the route."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items() if name != "rest_route"}


def api_url(root: str, route: str, **parameters: object) -> str:
    """Return the address of a route below the API's root, with parameters in their order.

    `root`: as the site states it, `https://a.example/wp-json/` or `https://a.example/index.php?rest_route=/`.
    """
    query = urlencode(parameters, safe=",:")
    url = root + route if root.endswith("/") else f"{root}/{route}"
    return url + (("&" if "?" in root else "?") + query if query else "")


def is_post(url: str, named_in: str | None = None) -> bool | None:
    """Return whether the address is a post's; None where neither it nor the list that names it shows that."""
    if not is_web_address(url):
        return False
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if any(value.isdigit() for value in query.get("p", ())):
        return True
    if _NO_POST.search(parts.path) or not _NO_POST_QUERY.isdisjoint(query):
        return False
    return _by_list(named_in) if named_in else (None if parts.path.strip("/") or query else False)


def _by_list(named_in: str) -> bool | None:
    """Return whether a sitemap or feed lists posts; None for a list of any addresses."""
    parts = urlsplit(named_in)
    query = parse_qs(parts.query)
    if "sitemap" in query:  # plain permalinks: /?sitemap=posts&sitemap-subtype=post&paged=1
        return query["sitemap"] == ["posts"] and query.get("sitemap-subtype", ["post"]) == ["post"]
    if _POST_SITEMAP.search(parts.path):
        return True
    if _OTHER_SITEMAP.search(parts.path):
        return False
    # The site's own feed lists posts; that of a category may list other types too, but those are dated entries.
    return True if "feed" in query or re.search(r"/feed(?:/|$)", parts.path) else None


# A guid: https://a.example/?p=12, https://a.example/?post_type=news&p=12
_GUID = re.compile(r"[?&]p=(\d+)(?:&|$)")


def id_of_guid(guid: str) -> str | None:
    """Return the post's number in a guid or short link, `https://a.example/?p=12`; None for any other text."""
    found = _GUID.search(guid)
    return found[1] if found else None
