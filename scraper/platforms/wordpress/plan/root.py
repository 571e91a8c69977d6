"""Where a site's REST API lies: as its pages state it in a header and in a link, else at the usual addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin

from scraper.addresses import is_web_address, same_site
from scraper.items import Exchange
from scraper.platforms._platform import Blog

# Link: <https://a.example/wp-json/>; rel="https://api.w.org/"
_HEADER = re.compile(r"""<([^<>]{1,2000})>\s*;\s*rel=["']?https://api\.w\.org/""")
# <link rel="https://api.w.org/" href="https://a.example/wp-json/" />
_LINK = re.compile(rb"""<link\b[^<>]{0,200}\brel\s*=\s*["']?https://api\.w\.org/[^<>]{0,2000}>""", re.IGNORECASE)
_HREF = re.compile(rb"""\bhref\s*=\s*(?:"([^"<>]+)"|'([^'<>]+)'|([^\s"'<>]+))""", re.IGNORECASE)
_LARGEST_HEAD = 400_000  # bytes


def api_roots(blog: Blog) -> list[str]:
    """Return the addresses of the site's API to try, the stated one alone where the home page states one."""
    stated = [] if blog.home is None else [url for url in _stated(blog.home) if same_site(url, blog.root)]
    return stated[:1] or [f"{blog.root}/wp-json/", f"{blog.root}/?rest_route=/"]


def _stated(home: Exchange) -> Iterator[str]:
    header = _HEADER.search(home.headers.get("link", ""))
    if header:
        yield from _absolute(header[1], home.url)
    element = _LINK.search(home.body, 0, _LARGEST_HEAD)
    found = _HREF.search(element[0]) if element else None
    if found:
        href = next(group for group in found.groups() if group is not None)
        yield from _absolute(unescape(href.decode("utf-8", "replace")), home.url)


def _absolute(href: str, base: str) -> Iterator[str]:
    try:
        url = urljoin(base, href.strip())
    except ValueError:  # "http://[x"
        return
    if is_web_address(url):
        yield url
