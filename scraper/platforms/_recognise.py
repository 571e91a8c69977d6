"""Whose page it is: marks of platforms that are read, and names of makers that are not.

A generator tag outweighs response headers, these outweigh the elements of the head. Words in the body are no evidence,
and neither is one asset: pages of every maker embed pictures and scripts of others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from scraper.items import Exchange, Item, Problem
from scraper.not_a_post import UnsupportedPlatform
from scraper.platforms._page import markup_of

LARGEST_HEAD = 400_000  # bytes; heads with all style sheets inline have some 300,000
# <meta name="generator" content="WordPress 6.4.2">, attributes in any order, quotes or none
_META = re.compile(rb"<meta\b[^>]{0,400}>", re.IGNORECASE)
_IS_GENERATOR = re.compile(rb"""\bname\s*=\s*["']?generator\b""", re.IGNORECASE)
_CONTENT = re.compile(rb"""\bcontent\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
# "</head>" and the body tag where it follows at once, else the body tag alone: its classes may be a mark.
_HEAD_END = re.compile(rb"</head\s*>(?:\s*<body\b[^>]{0,4000}>)?|<body\b[^>]{0,4000}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What the pages of one platform alone carry."""

    # Beginnings of the generator tag's text, in any case: "Wix.com Website Builder", "WordPress".
    generators: Sequence[str] = ()
    # Response headers, lower case, with a pattern of the value: ("server", r"^Pepyaka").
    headers: Sequence[tuple[str, str]] = ()
    # Patterns of elements of the head, each enough by itself: rb'<meta[^<>]* http-equiv="X-Wix-Meta-Site-Id"'. Comments
    # and the contents of scripts, styles and titles are left out before.
    head: Sequence[bytes] = ()
    # Its name in `MAKERS`, whose weaker marks (scripts and assets of the head) count where no platform's own are found.
    maker: str = ""


class _Maker(NamedTuple):
    """A maker of websites whose blogs are not read: its marks, and hosts of which assets come in numbers."""

    name: str
    generator: str = ""
    headers: Sequence[tuple[str, str]] = ()  # one is enough
    head: bytes = b""  # likewise; matched up to the end of the body tag
    assets: bytes = b""  # two in the head are enough


# A platform that gets a file of its own in this folder is recognised before these.
MAKERS = (
    _Maker(
        "Squarespace",
        "squarespace",
        (("server", "squarespace"), ("x-servedby", "squarespace")),
        rb"Static\.SQUARESPACE_CONTEXT|Squarespace\.afterBodyLoad",
        rb"static1?\.squarespace\.com|squarespace-cdn\.com",
    ),
    _Maker(
        "WordPress",
        "wordpress",
        (("link", r"rel=.?https://api\.w\.org"),),
        rb"rel=.?https://api\.w\.org",
        rb"/wp-content/|/wp-includes/",
    ),
    _Maker("Ghost", "ghost", (), rb"data-ghost=", rb"/ghost/"),
    _Maker(
        "Webflow",
        "webflow",
        (("x-wf-region", "."),),
        rb"<html[^>]{0,400}\bdata-wf-(?:site|page|domain)=",
        rb"website-files\.com",
    ),
    _Maker(
        "Shopify",
        "shopify",
        (("x-shopid", "."), ("powered-by", "shopify")),
        rb"Shopify\.(?:shop|theme)\s*=",
        rb"cdn\.shopify\.com",
    ),
    _Maker("Weebly", "weebly", (("x-host", r"weebly\.net"),), rb"\bwsite-(?:menu|theme|page)", rb"editmysite\.com"),
    _Maker(
        "HubSpot",
        "hubspot",
        (("x-hs-hub-id", "."), ("x-hs-content-id", ".")),
        rb"<body[^>]{0,400}\bhs-blog-post\b|\bhs_cos_wrapper",
        rb"hs-scripts\.com|hubspotusercontent|/hs-fs/|/hs/hsstatic/",
    ),
    _Maker(
        "GoDaddy Websites",
        "starfield|go ?daddy",
        (("x-siteid", "."),),
        rb"window\._BLOG_DATA\s*=",
        rb"img1\.wsimg\.com",
    ),
    _Maker("Blogger", "blogger", (), rb"rel=.service\.post", rb"blogger\.com/static"),
    _Maker(
        "Drupal",
        "drupal",
        (("x-generator", "drupal"),),
        rb"data-drupal-selector",
        rb"/sites/default/files/|/core/misc/",
    ),
    _Maker("Joomla", "joomla", (), rb"joomla-script-options", rb"/media/jui/|/media/system/js/"),
    _Maker("Substack", "substack", (("x-served-by", "substack"),), rb"window\._preloads\s*=", rb"substackcdn\.com"),
    _Maker("Medium", "medium", (("x-powered-by", "medium"),), b"", rb"cdn-client\.medium\.com|miro\.medium\.com"),
    _Maker("Showit", "showit", (), b"", rb"static\.showit\.co"),
    _Maker("Duda", "duda", (), rb"\bdmBody\b", rb"cdn-website\.com|multiscreensite\.com|dudaone"),
    _Maker("Hostinger", "hostinger", (), b"", rb"zyrosite\.com"),
)


@lru_cache(maxsize=4)  # every platform asks about the same page
def generators_of(body: bytes) -> tuple[str, ...]:
    """The texts of the page's generator tags, in their order: ("WordPress 6.4.2", "Elementor 3.18")."""
    elements, found = _elements(body), []
    if b"enerator" not in elements and b"ENERATOR" not in elements:
        return ()
    for meta in _META.finditer(elements):
        content = _CONTENT.search(meta[0]) if _IS_GENERATOR.search(meta[0]) else None
        if content is not None:
            text = next(group for group in content.groups() if group is not None)
            found.append(text.decode("utf-8", "replace").strip())
    return tuple(found)


class Strength(IntEnum):
    """What kind of mark a page carries, the weakest first."""

    NONE = 0
    HEAD = 1
    HEADER = 2
    GENERATOR = 3


def has_mark_of(marks: Marks, exchange: Exchange) -> bool:
    """Whether the page is of the platform: by its generator tag; without another maker's tag, by headers or head."""
    return strength_of(marks, exchange) is not Strength.NONE


def strength_of(marks: Marks, exchange: Exchange) -> Strength:
    """The strongest of the platform's marks that the page carries; none where it carries another maker's tag."""
    generators = generators_of(exchange.body)
    if _names_generator(marks, generators):
        return Strength.GENERATOR
    if _maker_by_generator(generators) is not None:
        return Strength.NONE
    if _has_header(marks.headers, exchange):
        return Strength.HEADER
    return Strength.HEAD if _has_in_head(marks.head, exchange.body) else Strength.NONE


@lru_cache(maxsize=4)  # asked once for the page's items, once for their version
def _has_in_head(patterns: Sequence[bytes], body: bytes) -> bool:
    elements = _elements(body)
    return any(re.search(pattern, elements) for pattern in patterns)


def _names_generator(marks: Marks, generators: Sequence[str]) -> bool:
    names = tuple(name.lower() for name in marks.generators)
    return any(generator.lower().startswith(names) for generator in generators)


def _has_header(headers: Sequence[tuple[str, str]], exchange: Exchange) -> bool:
    return any(re.search(value, exchange.headers.get(name, ""), re.IGNORECASE) for name, value in headers)


def is_anothers(marks: Marks, exchange: Exchange) -> bool:
    """Whether the page carries a generator tag of a known maker that is not the platform's."""
    generators = generators_of(exchange.body)
    return not _names_generator(marks, generators) and _maker_by_generator(generators) is not None


def unsupported(exchange: Exchange) -> Iterator[Item]:
    """Name the page's maker. Raises `UnsupportedPlatform` for a page; other documents that nobody reads give nothing.

    JSON gives a `Problem`.
    """
    start = exchange.body[:2048].lstrip().lower()
    if b"<html" not in start and b"<!doctype html" not in start and "html" not in exchange.content_type:
        if exchange.body.lstrip()[:1] in (b"{", b"["):
            yield Problem(kind="unknown-document", message=f"{exchange.url}: JSON of no known kind", url=exchange.url)
        return
    raise UnsupportedPlatform(f"{maker_sentence(exchange)}; nothing stored")


def maker_sentence(exchange: Exchange) -> str:
    """ "example.com runs Squarespace, which is not supported yet" or that no known platform was recognised."""
    host = urlsplit(exchange.url).hostname or "the page"
    maker = maker_of(exchange)
    if maker is None:
        return f"{host} shows no sign of a blog platform that is supported"
    return f"{host} runs {maker}, which is not supported yet"


def maker_of(exchange: Exchange) -> str | None:
    """Return the name of the page's maker as it writes itself; None where none is recognised."""
    by_generator = _maker_by_generator(generators_of(exchange.body))
    if by_generator is not None:
        return by_generator
    for maker in MAKERS:
        if _has_header(maker.headers, exchange):
            return maker.name
    head = _head(exchange.body)
    by_head = next((maker.name for maker in MAKERS if maker.head and re.search(maker.head, head)), None)
    if by_head is not None:
        return by_head
    counts = {maker.name: len(re.findall(maker.assets, head)) for maker in MAKERS if maker.assets}
    name, count = max(counts.items(), key=lambda pair: pair[1])
    return name if count > 1 else None


def _maker_by_generator(generators: Sequence[str]) -> str | None:
    for generator in generators:
        for maker in MAKERS:
            if re.match(maker.generator, generator, re.IGNORECASE):
                return maker.name
    return None


@lru_cache(maxsize=4)
def _head(body: bytes) -> bytes:
    """The page up to the end of its head and its body tag, or `LARGEST_HEAD` bytes of it."""
    end = _HEAD_END.search(body, 0, LARGEST_HEAD)
    return body[: end.end() if end else LARGEST_HEAD]


def _elements(body: bytes) -> bytes:
    """The head and body tag without comments and the contents of scripts, styles and titles."""
    return markup_of(_head(body))[0]


def in_a_tag(body: bytes, attribute: bytes) -> bool:
    """Return whether an element of the page has the attribute, `data-hook="post-page"`, as it is written.

    In a text or a comment it is no evidence. Looks at its first 20 occurrences.
    """
    position = -1
    for _ in range(20):
        position = body.find(attribute, position + 1)
        if position < 0:
            return False
        tag = body.rfind(b"<", max(0, position - 4000), position)
        inside = tag >= 0 and body[tag + 1 : tag + 2].isalpha() and b">" not in body[tag:position]
        if inside and body.rfind(b"<!--", 0, tag) <= body.rfind(b"-->", 0, tag):
            return True
    return False
