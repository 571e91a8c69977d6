"""The tree of a page as lxml parses it, which finds elements by CSS much faster than a tree of BeautifulSoup.

Only the part of a page that becomes its body is made a tree of BeautifulSoup (`nodes_of`), which `_body` reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

import lxml.html
from bs4.element import PageElement
from lxml import etree
from lxml.cssselect import CSSSelector
from lxml.html import HtmlElement

from scraper.items import Exchange
from scraper.not_a_post import Unreadable
from scraper.platforms._html import BLOCKS
from scraper.platforms._page import encoding_of, utf8
from scraper.platforms._tree import soup, within_limit
from scraper.platforms._values import clean

# <?xml version="1.0" encoding="utf-8"?>: lxml refuses decoded text with it
_DECLARED = re.compile(r"\A\s*<\?xml[^>]{0,200}\?>")
_SILENT = ("script", "style", "noscript", "template", "svg", "iframe", "object", "select", "textarea")
_BREAKS = BLOCKS | {"br", "option"}
# Characters that lxml reads from a page ("&#1;") and refuses to write back.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MAX_TEXT = 2_000  # characters of an element that is read on one line


def _make_writable(root: HtmlElement) -> None:
    """Replace the characters of texts that lxml does not write; elements can then be taken out between them."""
    for element in root.iter():
        if element.text and _UNWRITABLE.search(element.text):
            element.text = _UNWRITABLE.sub("\ufffd", element.text)
        if element.tail and _UNWRITABLE.search(element.tail):
            element.tail = _UNWRITABLE.sub("\ufffd", element.tail)


class Tree:
    """A page without scripts and styles, and the texts of its JSON-LD scripts."""

    def __init__(self, exchange: Exchange) -> None:
        """Parse the page. Raises `Unreadable` where it holds no element."""
        body = utf8(exchange)
        text = body.decode(encoding_of(exchange, body), "replace").replace("\0", "\ufffd").removeprefix("\ufeff")
        text = within_limit(text)
        parser = lxml.html.HTMLParser(remove_comments=True, remove_pis=True)
        try:
            self.root: HtmlElement = lxml.html.document_fromstring(_DECLARED.sub("", text, count=1), parser=parser)
        except (etree.LxmlError, ValueError) as error:
            raise Unreadable("it contains no HTML") from error
        if "&#" in text or _UNWRITABLE.search(text):
            _make_writable(self.root)
        self.url = exchange.url
        self._markup = text
        self.scripts: list[str] = []  # the texts of all scripts with data
        for element in list(self.root.iter(*_SILENT)):
            kind = (element.get("type") or "").strip().lower()
            if element.tag == "script" and ("json" in kind or not element.get("src")) and element.text:
                self.scripts.append(element.text)
            drop(element)

    def all(self, *selectors: str) -> list[HtmlElement]:
        """Return the elements that match, those of the first selector first, each once."""
        return self.within(self.root, *selectors)

    def within(self, element: HtmlElement, *selectors: str) -> list[HtmlElement]:
        """Return the elements inside `element` that match, as `all`.

        A selector whose words do not occur in the page is not searched for: most of them do not.
        """
        return matching(element, *(selector for selector in selectors if self._may_match(selector)))

    def _may_match(self, selector: str) -> bool:
        return all(word in self._markup for word in _words_in(selector))

    def first(self, *selectors: str) -> HtmlElement | None:
        """Return the first element of the first selector that matches any."""
        return next(iter(self.all(*selectors)), None)


@cache
def _selector(selector: str) -> CSSSelector:
    return CSSSelector(selector, translator="html")


# The words of a selector: `.name`, `#name`, `[name]`, `[name~="value"]`; those of `:not(...)` need not occur.
_NOT = re.compile(r":not\([^)]*\)")
_WORDS = re.compile(r"[.#]([\w-]+)|\[([\w-]+)\]|\[[\w-]+[~^$*|]?=[\"']?([^\"'\]]+)[\"']?\]")


@cache
def _words_in(selector: str) -> tuple[str, ...]:
    """Return the classes, ids and values that a page must contain for the selector to match anything."""
    found = (next(filter(None, groups)) for groups in _WORDS.findall(_NOT.sub("", selector)))
    return tuple(word for word in found if word not in ("href", "id"))


def matching(element: HtmlElement, *selectors: str) -> list[HtmlElement]:
    """Return the elements inside `element` that match, those of the first selector first, each once."""
    found: dict[HtmlElement, None] = {}
    for selector in selectors:
        for node in _selector(selector)(element):  # type: ignore[union-attr]
            found[node] = None
    return list(found)


def drop(element: HtmlElement) -> None:
    """Take an element out of its tree; the text behind it stays."""
    parent = element.getparent()
    if parent is not None:
        element.drop_tree()


def text_of(element: HtmlElement | None) -> str | None:
    """Return the text of an element on one line, cut after 2,000 characters; None for none."""
    if element is None:
        return None
    parts: list[str] = []
    length = 0
    for event, node in etree.iterwalk(element, events=("start", "end")):
        is_break = node.tag in _BREAKS
        piece = node.text if event == "start" else (node.tail if node is not element else None)
        if is_break:
            parts.append(" ")
        if piece:
            parts.append(piece)
            length += len(piece)
        if length > _MAX_TEXT:
            break
    return clean("".join(parts))


def length_of(element: HtmlElement) -> int:
    """Return the number of characters of the element's text, white space at the ends of its strings left out."""
    return sum(len(piece.strip()) for piece in element.itertext() if isinstance(piece, str))


def nodes_of(elements: Iterable[HtmlElement]) -> list[PageElement]:
    """Return the elements as nodes of a lean tree of BeautifulSoup."""
    nodes: list[PageElement] = []
    for element in elements:
        markup = lxml.html.tostring(element, encoding="utf-8", with_tail=False)
        tree = soup(markup if isinstance(markup, bytes) else markup.encode(), "utf-8")
        nodes += (tree.body or tree).contents
    return nodes


def around(element: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements around `element`, innermost first."""
    yield from element.iterancestors()


def classes_of(element: HtmlElement) -> str:
    """Return class and id of an element, in lower case, with a space at both ends."""
    return f" {element.get('class') or ''} {element.get('id') or ''} ".lower()
