"""What the HTML of any blog says beside the post's text: encoding, metas, language, canonical link, JSON-LD, scripts.

`og:` and `article:` metas and JSON-LD `BlogPosting`, `NewsArticle` or `Article` give title, dates, author and picture
of a post on most platforms. What they are worth differs by platform, so that the platform's parser chooses among them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from typing import Any

from bs4 import Tag
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom

from scraper.addresses import is_web_address
from scraper.items import Exchange, Problem
from scraper.platforms._tree import descendants
from scraper.platforms._values import clean

_LARGEST_SCRIPT = 4_000_000  # characters; small objects take thirty times their text in memory
_MAX_SCRIPTS = 20
_MAX_GRAPH_NODES = 50  # objects of one JSON-LD array that are looked at
# What no element of the page is in: "<!-- ... -->", "<SCRIPT async>...</SCRIPT >", "<title>...</title>", a drawing
_OPENED = re.compile(rb"<(?:!--|(?:script|style|svg|title|textarea)\b)", re.IGNORECASE)
_SVG = re.compile(rb"<svg\b", re.IGNORECASE)
_CLOSED = {
    b"<!--": re.compile(rb"-->"),
    **{
        b"<" + name: re.compile(b"</" + name, re.IGNORECASE)
        for name in (b"script", b"style", b"svg", b"title", b"textarea")
    },
}


@dataclass(slots=True)
class Head:
    """The head of a page; what it does not have is None or empty."""

    metas: dict[str, str] = field(default_factory=dict)  # property or name in lower case -> content, the first of each
    labels: list[str] = field(default_factory=list)  # contents of every `article:tag`
    language: str | None = None  # `<html lang>` as printed
    canonical: str | None = None  # as written; in copies made by mirror programs a local file
    posting: Mapping[str, Any] = field(default_factory=dict)  # the JSON-LD object of the post
    problems: list[Problem] = field(default_factory=list)

    @property
    def generator(self) -> str | None:
        """The program that made the page, e.g. "WordPress 6.5.5"."""
        return clean(self.metas.get("generator"))

    @property
    def is_article(self) -> bool:
        """The metas describe a post; pages of other kinds say `og:type` website and describe the site."""
        kind = self.metas.get("og:type")
        return kind == "article" or (kind is None and "article:published_time" in self.metas)

    def json_ld(self, *path: str) -> str | None:
        """Return a string inside the JSON-LD object, HTML escapes undone; None where there is none.

        Some platforms escape these strings as if they were HTML. Of an array on the way the first value is taken.
        """
        value: Any = self.posting
        for key in path:
            value = value[0] if isinstance(value, list) and value else value
            value = value.get(key) if isinstance(value, dict) else None
        return clean(unescape(value)) if isinstance(value, str) else None

    def claimed_urls(self) -> list[str]:
        """Return the addresses that the page claims for itself: `og:url`, the canonical link, those of JSON-LD."""
        claims = (
            self.metas.get("og:url"),
            self.canonical,
            self.json_ld("mainEntityOfPage", "@id"),
            self.json_ld("url"),
        )
        return [url for url in claims if url and is_web_address(url)]


def read_head(tree: Tag, scripts: Iterable[str], url: str) -> Head:
    """Read the metas, canonical link and language in `tree`, and the texts of the page's JSON-LD scripts.

    `url` is what problems name. JSON that cannot be read is a problem, not an error.
    """
    head = Head()
    root = link = None  # the first of each
    for tag in descendants(tree, "meta", "html", "link"):
        if tag.name == "meta":
            _read_meta(head, tag)
        elif tag.name == "html":
            root = root or tag
        elif "canonical" in tag.get_attribute_list("rel"):
            link = link or tag
    if root is not None:
        head.language = clean(str(root.get("lang") or ""))
    if link is not None:
        head.canonical = str(link.get("href") or "").strip() or None
    for text in scripts:
        try:
            if len(text) > _LARGEST_SCRIPT:
                raise ValueError(f"more than {_LARGEST_SCRIPT} characters")
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError) as error:
            head.problems.append(Problem(kind="malformed-json", message=f"JSON-LD cannot be read: {error}", url=url))
            continue
        posting = next(postings(value), None)
        if posting is not None and not head.posting:
            head.posting = posting
    return head


def _read_meta(head: Head, tag: Tag) -> None:
    name, content = tag.get("property") or tag.get("name"), tag.get("content")
    if isinstance(name, str) and isinstance(content, str) and content.strip():
        name = name.strip().lower()
        head.metas.setdefault(name, content)
        label = clean(content) if name == "article:tag" else None
        if label is not None:
            head.labels.append(label)


def postings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a JSON-LD value that describe an article (`BlogPosting`, `Article`, `NewsArticle`)."""
    queue = [value]
    for entry in queue:
        if isinstance(entry, list):
            queue.extend(entry[:_MAX_GRAPH_NODES])
        elif isinstance(entry, dict):
            kind = str(entry.get("@type"))
            if "Posting" in kind or "Article" in kind or "datePublished" in entry:
                yield entry
            elif isinstance(entry.get("@graph"), list):
                queue.extend(entry["@graph"][:_MAX_GRAPH_NODES])


def scripts(body: bytes, mark: bytes, encoding: str, *, after: int = 0) -> Iterator[str]:
    """Yield the texts of the scripts whose opening tag contains `mark`, e.g. `application/ld+json`.

    The search begins at the byte `after` and ends after 20 scripts.
    """
    position = after
    for _ in range(_MAX_SCRIPTS):
        position = body.find(mark, position)
        if position < 0:
            return
        opened = body.find(b">", position)
        closed = body.find(b"</script", opened)
        tag = body.rfind(b"<", 0, position)
        position += len(mark)
        if opened < 0 or closed < 0 or not body.startswith(b"<script", tag):
            continue
        yield body[opened + 1 : closed].decode(encoding, "replace")
        position = closed


@lru_cache(maxsize=4)  # several readers look at the same page, most of which is scripts
def markup_of(body: bytes) -> tuple[bytes, bytes]:
    """Return the page without comments and the contents of `_CLOSED`, and the same in lower case."""
    parts, position = list[bytes](), 0
    for _, begin, end in contents(body):
        parts.append(body[position:begin])
        position = end
    markup = b"".join((*parts, body[position:]))
    return markup, markup.lower()


def contents(body: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each content that markup is without ("<script"), and where it begins and ends.

    A comment ("<!--") is content as a whole. One that does not end is the last.
    """
    end = 0
    while (opened := _OPENED.search(body, end)) is not None:
        name = opened[0].lower()
        is_comment = name == b"<!--"
        begin = opened.start() if is_comment else body.find(b">", opened.end()) + 1 or len(body)
        closed = _CLOSED[name].search(body, begin)
        if name == b"<svg" and (
            closed is None or body.startswith(b"/>", begin - 2) or _SVG.search(body, begin, closed.start())
        ):
            end = begin  # "<svg/>", "<svg><p>", "<svg><p><svg></svg>": what follows is the page's
            continue
        end = len(body) if closed is None else closed.end() if is_comment else closed.start()
        yield name, begin, end


def utf8(exchange: Exchange) -> bytes:
    """Return the body in an encoding that byte searches work on: UTF-16 and UTF-32 are converted to UTF-8."""
    name, _ = read_bom(exchange.body[:4])
    if name is not None and name.startswith(("utf-16", "utf-32")):
        return exchange.body.decode(name, "replace").encode()
    return exchange.body


def encoding_of(exchange: Exchange, sample: bytes) -> str:
    """Return the encoding a page is really in: UTF-8 where `sample` is valid UTF-8, whatever the page declares.

    Otherwise it is the declared one (HTTP header, then meta), except that a page that declares UTF-8, or nothing, and
    is broken in many places is Windows-1252.
    """
    if sample.isascii():
        return "utf-8"
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    declared = known_charset(http_content_type_encoding(exchange.content_type)) or known_charset(
        html_body_declared_encoding(exchange.body[:4096])
    )
    if declared is None or declared == "utf-8":
        high = sum(1 for byte in sample[:200_000] if byte >= 0x80)
        broken = sample[:200_000].decode("utf-8", "replace").count("\ufffd")
        return "utf-8" if broken * 4 <= high else "cp1252"
    return declared


# Codecs of Python that are no charset of a page: "charset=undefined", "charset=idna"
_NO_CHARSETS = {"idna", "mbcs", "oem", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf_7"}


def known_charset(name: str | None) -> str | None:
    """Return the name of a declared charset; None where text cannot be in it, so that the bytes decide."""
    if name is None or name.replace("-", "_") in _NO_CHARSETS:
        return None
    try:
        b"a".decode(name)
    except (LookupError, ValueError):  # "charset=base64" names a codec, but none of text
        return None
    return name
