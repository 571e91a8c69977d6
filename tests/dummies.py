"""Platforms that only tests have: one that claims too much, one whose addresses tell nothing, one with an API of posts.

`registered` adds them to the platforms of this process until its block ends; `register` adds them for good, to a
process that ends soon.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scraper.addresses import canonical_url
from scraper.discover import read_links
from scraper.items import Exchange, Item, Post, Reading, Sighting, Source
from scraper.not_a_post import NotAPost
from scraper.platforms import platforms
from scraper.platforms._platform import Ask, Blog, Plan, Platform
from scraper.platforms._recognise import Marks, is_anothers

DUMMY_ROOT = "/a/folder/that/no/other/platform/knows"


class Greedy(Platform):
    """Claims what carries no other maker's generator tag, calls every address a post's, counts 999 views anywhere.

    `failing`: the method that raises instead.
    """

    name: ClassVar[str] = "aaa"  # sorts before every platform of the product
    extractor_version: ClassVar[int] = 7
    failing: ClassVar[str] = ""

    def _fail_in(self, method: str) -> None:
        if method == self.failing:
            raise ZeroDivisionError(method)

    def claims(self, exchange: Exchange) -> bool:
        self._fail_in("claims")
        return not is_anothers(self.marks, exchange)

    def read(self, exchange: Exchange) -> Iterator[Item]:
        self._fail_in("read")
        yield Reading(post=(canonical_url(exchange.url),), views=999, source="html")
        for link in read_links(exchange):
            yield Sighting(url=link, source="listing")

    def is_post_url(self, url: str, named_in: str | None = None) -> bool | None:
        self._fail_in("is_post_url")
        return True

    def is_api_url(self, url: str) -> bool:
        self._fail_in("is_api_url")
        return True

    def holds_tokens(self, url: str, body: bytes) -> bool:
        self._fail_in("holds_tokens")
        return True

    def root(self, url: str) -> str:
        self._fail_in("root")
        return url.rstrip("/") + DUMMY_ROOT

    def guid_address(self, guid: str) -> str | None:
        self._fail_in("guid_address")
        return f"aaa:{guid}"

    def unknown_comment_endpoint(self, exchange: Exchange) -> str | None:
        self._fail_in("unknown_comment_endpoint")
        return "/comments"


FAILING = (
    "read",
    "is_post_url",
    "is_api_url",
    "holds_tokens",
    "root",
    "claims",
    "unknown_comment_endpoint",
    "guid_address",
)
_ARTICLE = re.compile(r"<article><h1>(?P<title>[^<]*)</h1><p>(?P<text>[^<]*)</p></article>")


class Postname(Platform):
    """Addresses of posts and of pages look alike; the sitemap of posts alone tells them apart."""

    name: ClassVar[str] = "postname"
    extractor_version: ClassVar[int] = 1
    marks: ClassVar[Marks] = Marks(generators=("Postname",))
    sitemaps = ("/wp-sitemap-posts-post-1.xml", "/wp-sitemap-posts-page-1.xml")

    def is_post_url(self, url: str, named_in: str | None = None) -> bool | None:
        named = named_in is not None and urlsplit(named_in).path == "/wp-sitemap-posts-post-1.xml"
        return True if named else None

    def read(self, exchange: Exchange) -> Iterator[Item]:
        body = exchange.body.decode()
        url = canonical_url(exchange.url)
        found = _ARTICLE.search(body)
        if found is not None:
            fields: dict[str, Any] = {"title": found["title"], "body_text": found["text"]}
            yield Post(
                platform=self.name, url=url, **fields, sources=dict.fromkeys(fields, "html"), addresses=(url,)
            )  # fmt: skip
        elif urlsplit(url).path not in ("", "/"):
            raise NotAPost("a page")
        for link in read_links(exchange):
            yield Sighting(url=link, source="listing", certain=self.is_post_url(link) or False)


class Api(Platform):
    """An API lists the posts, most of them with their text; a post without one has a page."""

    name: ClassVar[str] = "api"
    extractor_version: ClassVar[int] = 1
    marks: ClassVar[Marks] = Marks(generators=("Api",))

    def claims(self, exchange: Exchange) -> bool:
        return self.is_api_url(exchange.url) or super().claims(exchange)

    def is_api_url(self, url: str) -> bool:
        return urlsplit(url).path == "/api/posts"

    def is_post_url(self, url: str, named_in: str | None = None) -> bool:
        return urlsplit(url).path.startswith("/news/")

    def discover(self, blog: Blog) -> Plan:
        yield Ask(url=f"{blog.root}/api/posts", lists="listing")

    def read(self, exchange: Exchange) -> Iterator[Item]:
        if not self.is_api_url(exchange.url):
            found = _ARTICLE.search(exchange.body.decode())
            if found is not None:
                yield self._post(canonical_url(exchange.url), found.groupdict(), "html")
            return
        for post in json.loads(exchange.body):
            url = canonical_url(post["url"], exchange.url)
            yield Sighting(url=url, source="listing", published_at=post["published_at"])
            if "text" in post:
                yield self._post(url, post, "api")

    def _post(self, url: str, given: dict[str, Any], source: Source) -> Post:
        fields = {"title": given["title"], "body_text": given["text"], "published_at": given.get("published_at")}
        return Post(platform=self.name, url=url, **fields, sources=dict.fromkeys(fields, source), addresses=(url,))


class Early(Platform):
    """Its name sorts before others, and every page carries its weakest mark."""

    name: ClassVar[str] = "aab"
    marks: ClassVar[Marks] = Marks(generators=("Early",), headers=(("server", "^Early"),), head=(rb"<html",))

    def is_post_url(self, url: str, named_in: str | None = None) -> bool | None:
        return None

    def read(self, exchange: Exchange) -> Iterator[Item]:
        yield from ()


_DUMMIES: dict[str, type[Platform]] = {"greedy": Greedy, "early": Early, "postname": Postname, "api": Api}
_registered: list[type[Platform]] = []


def _found(cls: type[Platform]) -> list[type[Platform]]:
    """Classes that the product finds: its own, and those of this module that are registered."""
    own = [each for each in type.__subclasses__(cls) if each.__module__ != __name__]
    return [*own, *_registered] if cls is Platform else own


Platform.__subclasses__ = classmethod(_found)  # type: ignore[assignment,method-assign]


def register(name: str) -> None:
    """Add a platform to those of this process: `postname`, or `greedy:read` for a greedy one that fails in `read`."""
    kind, _, failing = name.partition(":")
    made = _DUMMIES[kind]
    if failing:
        made = type(f"Greedy_{failing}", (made,), {"failing": failing, "name": f"a-{failing}"})
    _registered.append(made)
    platforms.cache_clear()


@contextmanager
def registered(*names: str) -> Iterator[None]:
    """Add platforms to those of this process until the block ends."""
    try:
        for name in names:
            register(name)
        yield
    finally:
        _registered.clear()
        platforms.cache_clear()
