"""What a page shows: its text, its headline, its links, and the marks of a post, read in one pass over its tree."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import lxml.html
from lxml import etree

from scraper.items import Exchange
from scraper.platforms._page import encoding_of
from scraper.platforms._tree import within_limit

# Elements whose text nobody sees.
_SILENT = frozenset("script style template svg iframe object select textarea title noscript".split())
_HEADINGS = frozenset({"h1", "h2", "h3"})
_MEDIA = frozenset({"img", "picture", "video", "audio", "iframe", "object", "embed", "frame", "frameset", "canvas"})
_BLOCKS = frozenset({"p", "li", "td", "dd", "blockquote", "div", "section", "pre"})
# Scripts that write a word in few characters, without spaces between words: a character counts as two or three.
_DENSE = re.compile(r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_LONG = 80  # characters of a block that is a sentence or more
_SHORTEST = 20  # characters of an article
_HEADINGS_READ = 5
# Bytes of text, with the markup taken off: three times what any kind of doubtful page shows.
_MUCH = 8_000
# {"@type": "BlogPosting"}, <meta property="og:type" content="article">, itemtype="https://schema.org/BlogPosting"
_POSTING = re.compile(r"""["'/](?:Blog|News|Medical|Social\w*)?(?:Article|Posting|WebPage Article)["']""")
# "/impressum", "/privacy-policy": links of walls, too
_OF_LAW = re.compile(
    r"privac|cookie|datenschutz|impressum|legal|\bagb\b|terms|conditions|mentions|confidential|aviso|politi[ck]|gizlilik"
    r"|login|signin|sign-in|anmeld|wp-admin|wp-login|/ghost\b|imprint|gdpr|rgpd|subscribe|register|\bpur\b|/abo\b",
    re.IGNORECASE,
)
_APP_ROOT = re.compile(r"^(?:root|app|main-app|app-root|__next|__nuxt|___gatsby|svelte|page|content|wrapper|main)$")
# class="entry-date", class="posted"
_DATED = re.compile(r"\b(?:date|posted|published|pubdate|byline)\b")
# "12. November 2025", "Feb 3, 2026", "2026-01-08", "26.02.2026", "2026年1月8日"
_DATE = re.compile(
    r"\b\d{1,2}\.? \w{3,12}\.?,? 20\d\d\b|\b\w{3,9}\.? \d{1,2}, 20\d\d\b"
    r"|\b20\d\d-\d\d-\d\d\b|\b\d\d?[./]\d\d?[./]20\d\d\b|\b20\d\d年"
)


@dataclass(slots=True)
class ShownPage:
    """What one page shows. Lengths are in characters; those of Chinese, Japanese, Korean and Thai count as two."""

    title: str = ""
    headings: list[str] = field(default_factory=list)  # h1 to h3, in their order
    text: str = ""  # all that is visible, one space between words
    length: int = 0  # of `text`
    unscripted: str = ""  # text for browsers without JavaScript
    blocks: int = 0  # blocks of a sentence or more
    links: int = 0  # different pages of the site that it links to, without legal ones
    media: int = 0  # pictures, frames, videos
    scripts: int = 0
    buttons: int = 0  # buttons, check boxes and radio buttons
    has_password: bool = False
    has_fields: bool = False  # text fields besides those for a name and a password
    has_root: bool = False  # an empty element that a script fills: <div id="root">
    has_countdown: bool = False
    has_test: bool = False  # markup of a captcha or of a cookie test
    is_dated: bool = False  # it prints a date, as posts do
    is_post: bool = False  # it carries the marks of a post, and text

    @property
    def headline(self) -> str:
        """The title and the first two headings; where they only repeat the title, also the text's beginning."""
        parts = [self.title, *self.headings[:2]]
        says_more = any(heading not in self.title for heading in self.headings[:2])
        return "\n".join(parts if says_more else [*parts, self.text[:160]])


def folded(text: str) -> str:
    """Return the text without case, accents and vowel marks, with one space between words."""
    marks = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in marks if not unicodedata.combining(char)).split())


def measure(text: str) -> int:
    """Return the length of a text in characters, those of dense scripts counted twice."""
    return len(text) + len(_DENSE.findall(text))


def shown_page(exchange: Exchange) -> ShownPage | None:
    """Read the page; None where it is no HTML and no plain text, or shows so much that it is a site's own."""
    mime = exchange.content_type.partition(";")[0].strip().lower()
    if mime and mime not in ("text/html", "application/xhtml+xml", "text/plain"):
        return None
    if _shows_much(exchange.body):
        return None
    text = exchange.body.decode(encoding_of(exchange, exchange.body), "replace").replace("\0", "")
    if mime == "text/plain" and "<" not in text:
        text = f"<p>{text}</p>"
    try:
        root = lxml.html.document_fromstring(_DECLARED.sub("", within_limit(text), count=1))
    except (etree.LxmlError, ValueError):
        return None
    return _Reader(exchange.url).read(root)


# <?xml version="1.0" encoding="utf-8"?>: lxml refuses decoded text with it
_DECLARED = re.compile(r"\A\s*<\?xml[^>]{0,200}\?>")


def _shows_much(body: bytes) -> bool:
    """Return whether the page shows more than `_MUCH` bytes of text, roughly: a look at the bytes, without a tree."""
    visible = place = 0
    while visible <= _MUCH:
        tag = body.find(b"<", place)
        visible += len(body[place : tag if tag >= 0 else len(body)].strip())
        if tag < 0:
            break
        closing = next((end for begin, end in _UNSEEN if body[tag : tag + 9].lower().startswith(begin)), b">")
        end = body.find(closing, tag)
        if end < 0:
            break
        place = end + len(closing)
    return visible > _MUCH


# Elements whose content nobody sees, with what ends them.
_UNSEEN = ((b"<script", b"</script>"), (b"<style", b"</style>"), (b"<!--", b"-->"), (b"<svg", b"</svg>"))


class _Reader:
    """Fills a `ShownPage` from a tree in one walk, whose time is linear in the tree."""

    def __init__(self, url: str) -> None:
        self.page = ShownPage()
        self._host = _host(url)
        self._targets = set[str]()
        self._texts: list[str] = []  # visible, in their order; none is blank
        self._unscripted: list[str] = []
        self._open: list[tuple[str, int]] = []  # elements that are open, each with the number of texts before it
        self._block = 0  # number of texts before the block that is open
        self._silent = 0  # how many of the open elements hide their text
        self._noscript = 0
        self._dated = self._posting = self._article = False

    def read(self, root: lxml.html.HtmlElement) -> ShownPage:
        """Return the page of the tree."""
        for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
            if event == "start":
                self._start(node)
            elif event == "end":
                self._end(node)
            else:
                self._text(node.tail)
        page = self.page
        page.text, page.unscripted = " ".join(self._texts), " ".join(self._unscripted)
        page.length, page.links = measure(page.text), len(self._targets)
        page.is_dated = self._dated or _DATE.search(page.text) is not None
        is_article = self._article and (self._dated or page.links > 1)
        is_site = page.blocks > 1 and page.links > 2
        page.is_post = page.length >= 40 and (self._posting or is_article or is_site)
        return page

    def _start(self, node: lxml.html.HtmlElement) -> None:
        if node.tag in _BLOCKS or node.tag in _HEADINGS:
            self._end_block()
        self._open.append((node.tag, len(self._texts)))
        self._silent += _is_silent(node)
        self._noscript += node.tag == "noscript"
        self._element(node)
        self._text(node.text)

    def _end(self, node: lxml.html.HtmlElement) -> None:
        _, before = self._open.pop()
        tag, page = node.tag, self.page
        self._silent -= _is_silent(node)
        self._noscript -= tag == "noscript"
        is_filled = len(self._texts) > before
        if tag in _HEADINGS and is_filled and len(page.headings) < _HEADINGS_READ:
            page.headings.append(" ".join(self._texts[before:]))
        elif tag == "article" and not self._article:
            self._article = sum(map(measure, self._texts[before:])) >= _SHORTEST
        is_root = "-" in tag or (tag == "div" and _APP_ROOT.match(node.get("id", "")) is not None)
        page.has_root |= is_root and not is_filled
        if tag in _BLOCKS:
            self._end_block()
        self._text(node.tail)

    def _end_block(self) -> None:
        """Count the texts since the last end of a block, if they are a sentence or more."""
        self.page.blocks += sum(map(measure, self._texts[self._block :])) >= _LONG
        self._block = len(self._texts)

    def _text(self, text: str | None) -> None:
        line = " ".join(text.split()) if text else ""
        if line and not self._silent:
            self._texts.append(line)
        elif line and self._noscript and "<" not in line:
            self._unscripted.append(line)

    def _element(self, node: lxml.html.HtmlElement) -> None:
        page, tag = self.page, node.tag
        if tag == "title" and not page.title:
            page.title = " ".join((node.text or "").split())
        elif tag in _MEDIA:
            page.media += not self._noscript
        elif tag == "script":
            page.scripts += 1
            self._posting |= "ld+json" in node.get("type", "") and bool(_POSTING.search(node.text or ""))
        elif tag == "a":
            self._link(node.get("href", ""))
        elif tag == "meta":
            self._posting |= node.get("property", "") == "og:type" and node.get("content", "") == "article"
        elif tag in ("input", "button"):
            self._field(node)
        marks = f"{node.get('class', '')} {node.get('id', '')}".lower()
        self._dated |= tag == "time" or (tag in _BLOCKS and bool(_DATED.search(marks)))
        self._posting |= node.get("itemtype", "").endswith(("Posting", "Article"))
        page.has_countdown |= "countdown" in marks

    def _link(self, href: str) -> None:
        try:
            parts = urlsplit(href.strip())
        except ValueError:  # "http://[x"
            return
        of_site = parts.scheme in ("", "http", "https") and _host(href.strip()) in ("", self._host)
        if of_site and parts.path.strip("/") and not _OF_LAW.search(href):
            self._targets.add(parts.path)

    def _field(self, node: lxml.html.HtmlElement) -> None:
        page, kind = self.page, node.get("type", "text").lower()
        page.has_password |= kind == "password"
        if node.tag == "button" or kind in ("submit", "button", "checkbox", "radio"):
            page.buttons += 1
        else:
            page.has_fields |= kind in ("email", "tel", "text", "number", "search", "url")


def _host(url: str) -> str:
    """Return the host of an address without `www.`; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # "http://[x"
        return ""


def _is_silent(node: lxml.html.HtmlElement) -> bool:
    return node.tag in _SILENT or "hidden" in node.attrib
