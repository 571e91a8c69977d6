"""What the head of a WordPress page says of its post: JSON-LD of SEO plugins, metas, and the links of core.

Yoast, Rank Math, AIOSEO, SEOPress and others write one graph of objects that refer to each other by `@id`. Only an
object of a type of article is of the post; a `WebPage` is there for pages, too, and recipe plugins write local time as
if it were UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from scraper.items import Problem
from scraper.platforms._page import Head, read_head, scripts
from scraper.platforms._values import clean
from scraper.platforms.wordpress.html.markup import Markup

_LARGEST = 4_000_000  # characters of one script
_MAX_OBJECTS = 200  # objects of one page
_ARTICLE = re.compile(r"Article|Posting|Report")
# ".../wp-json/wp/v2/posts/123", "...?rest_route=/wp/v2/posts/123": the API's address of the page itself
_ROUTE = re.compile(r"/wp/v2/(?P<base>[A-Za-z0-9_-]{1,60})/(?P<id>\d{1,18})$")


@dataclass(slots=True)
class PageHead:
    """The head of a page; what it does not say is None or empty."""

    metas: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None
    canonical: str | None = None
    title: str | None = None  # of the window
    objects: Sequence[Mapping[str, Any]] = ()  # of JSON-LD
    article: Mapping[str, Any] = field(default_factory=dict)  # the object of the post
    web_page: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    labels: Sequence[str] = ()  # of `article:tag`
    route: str | None = None  # the API's word for the kind of the page: "posts", "pages"
    route_id: str | None = None
    shortlink_id: str | None = None
    problems: Sequence[Problem] = ()

    def author(self) -> str | None:
        """Return the name of the author of the article."""
        return self.person(self.article.get("author")) or self.person(self.web_page.get("author"))

    def person(self, value: Any) -> str | None:
        """Return the name of a person of JSON-LD, whom an object may only refer to."""
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, str) and "/" not in entry:
                return text(entry)
            if isinstance(entry, dict):
                name = text(entry.get("name")) or text(self._referred(entry).get("name"))
                if name is not None:
                    return name
        return None

    def _referred(self, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        wanted = entry.get("@id")
        named = (other for other in self.objects if wanted and other.get("@id") == wanted and other is not entry)
        return next((other for other in named if other.get("name")), {})


def text(value: Any) -> str | None:
    """Return a string of JSON-LD, HTML escapes undone; None for anything else."""
    return clean(unescape(value)) if isinstance(value, str) else None


def read(page: Markup, url: str) -> PageHead:
    """Read the head of a page. JSON-LD that cannot be read is a problem, not an error."""
    base: Head = read_head(page.tree, (), url)
    objects: list[Mapping[str, Any]] = []
    problems: list[Problem] = []
    for script in scripts(page.body, b"application/ld+json", page.encoding):
        try:
            objects.extend(_objects(script))
        except (ValueError, RecursionError) as error:
            problems.append(Problem(kind="malformed-json", message=f"JSON-LD cannot be read: {error}", url=url))
    route, route_id, shortlink_id = _links(page)
    title = next(page.elements("title"), None)
    return PageHead(
        metas=base.metas,
        language=base.language,
        canonical=base.canonical,
        title=clean(title.get_text()) if title is not None else None,
        objects=objects,
        article=_first(objects, _ARTICLE),
        web_page=_first(objects, re.compile("WebPage")),
        recipe=_first(objects, re.compile("Recipe")),
        labels=base.labels,
        route=route,
        route_id=route_id,
        shortlink_id=shortlink_id,
        problems=problems,
    )


def _objects(script: str) -> Iterator[Mapping[str, Any]]:
    if len(script) > _LARGEST:
        raise ValueError(f"more than {_LARGEST} characters")
    # Plugins wrap it in a comment or CDATA: "<!-- {...} -->"
    trimmed = re.sub(r"^\s*(?:<!--|//<!\[CDATA\[)|(?:-->|//\]\]>)\s*$", "", script)
    queue: list[Any] = [json.loads(trimmed, strict=False)]
    for entry in queue[:]:
        queue.extend(entry if isinstance(entry, list) else ())
    found = 0
    for entry in queue:
        if not isinstance(entry, dict) or found > _MAX_OBJECTS:
            continue
        yield entry
        found += 1
        graph = entry.get("@graph")
        queue.extend(graph[:_MAX_OBJECTS] if isinstance(graph, list) else ())


def _first(objects: Sequence[Mapping[str, Any]], kind: re.Pattern[str]) -> Mapping[str, Any]:
    return next((entry for entry in objects if kind.search(str(entry.get("@type")))), {})


def _links(page: Markup) -> tuple[str | None, str | None, str | None]:
    """Return kind and id of the page in the API (`rel=alternate`, since 5.5), and the id in its short link."""
    route = route_id = shortlink = None
    for link in page.elements("link"):
        address = str(link.get("href") or "")
        relations = str(link.get("rel") or "").lower().split()
        if "alternate" in relations and link.get("type") == "application/json" and route is None:
            found = _ROUTE.search(unquote(address).partition("&")[0].rstrip("/"))
            if found is not None:
                route, route_id = found["base"], found["id"]
        elif "shortlink" in relations and shortlink is None:
            shortlink = post_number(address)
    return route, route_id, shortlink


def post_number(address: str) -> str | None:
    """Return the id in a plain permalink, `https://a.example/?p=123`; None for any other address."""
    try:
        values = parse_qs(urlsplit(address).query).get("p", [])
    except ValueError:
        return None
    return values[0] if len(values) == 1 and values[0].isascii() and values[0].isdigit() else None
