"""BeautifulSoup trees of Wix markup that hold only what is read: small ones are built several times faster.

Building the tree is most of the cost of reading a page, and goes by elements and attributes. Left out: drawings, styles
and scripts with all that is in them; attributes that nobody asks for (hashed classes, inline styles); and, inside the
post's text, `span` elements, of which Wix puts two or three around every word and which carry style alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from bs4.builder._lxml import LXMLTreeBuilder
from bs4.element import AttributeValueList, NavigableString

_LEFT_OUT = frozenset({"svg", "style", "script", "noscript", "template"})
_KEPT = frozenset({
    "data-hook", "data-id", "data-image-info", "data-pin-media", "data-src", "id", "type", "href", "rel", "src", "alt",
    "start", "colspan", "rowspan", "lang", "property", "name", "content",
})  # fmt: skip
# Buttons: drawings and wrappers without a word. The counters beside them are read, the buttons are not.
_BUTTONS = ("share-button", "like-button", "image-expand-button", "imageExpandButton", "ExpandCollapseButton")
_COUNTED = "like-button-with-count"
# Kinds of blocks whose markers say nothing: what stands before them is complete.
_PLAIN = frozenset({"paragraph", "empty-line", "heading", "blockquote", "image", "divider"})
# The one class that is kept: a name of its own, not a hashed one.
_CLASS = "post-content__body"


class _Element(Tag):
    """An element of the tree. What `Tag` sets on each, though it be the same for all, is set once here."""

    parser_class = BeautifulSoup
    namespace = prefix = sourceline = sourcepos = None
    known_xml = hidden = can_be_empty_element = False
    attribute_value_list_class = AttributeValueList
    cdata_list_attributes = preserve_whitespace_tags = None
    interesting_string_types = Tag.MAIN_CONTENT_STRING_TYPES
    next_element = previous_sibling = next_sibling = None

    def __init__(self, name: str, attributes: dict[str, Any]) -> None:
        self.name = name
        self.attrs = attributes
        self.contents = []


class _Lean(LXMLTreeBuilder):
    """lxml as BeautifulSoup drives it, less what is left out; it puts elements and strings into the tree itself.

    lxml tells of an end for every start, in order, so that nothing has to be looked for among the open elements.
    """

    def __init__(self) -> None:
        super().__init__(multi_valued_attributes=None, attribute_dict_class=dict)
        self._parser = self.parser_for(None)
        self.without: str | None = None

    def initialize_soup(self, soup: BeautifulSoup) -> None:
        """Begin a tree."""
        super().initialize_soup(soup)
        self._open: list[Tag] = [soup]
        self._last: Tag | NavigableString = soup
        self._strings: list[str] = []  # since the last start or end
        self._inside = 0  # depth below an element that is left out
        self._in_text = False  # between rcv-block-first and rcv-block-last

    def prepare_markup(self, markup: Any, *_: Any, **__: Any) -> Iterator[tuple[str | bytes, None, None, bool]]:
        """The text as it is: it was decoded by us, and an XHTML page is read as HTML on purpose."""
        yield markup, None, None, False

    def start(self, tag: Any, attrib: Mapping[Any, Any], nsmap: Any = None) -> None:
        if self._inside or tag in _LEFT_OUT:
            self._inside += 1
            return
        if self._in_text and tag == "span":
            self._open.append(self._open[-1])  # what is in it stands in the element around it
            return
        kept = {}
        for name, value in attrib.items():
            if name in _KEPT or (name == "class" and _CLASS in value):
                kept[name] = value
        hook = kept.get("data-hook")
        if hook is not None:
            if hook == self.without or (hook.startswith(_BUTTONS) and not hook.startswith(_COUNTED)):
                self._inside = 1
                return
            if hook.startswith("rcv-block"):
                if hook in ("rcv-block-first", "rcv-block-last"):
                    self._in_text = hook == "rcv-block-first"
                elif kept.get("type") in _PLAIN:
                    self._inside = 1
                    return
        if self._strings:
            self._put(NavigableString("".join(self._strings)))
            self._strings.clear()
        element = _Element(tag, kept)
        self._put(element)
        self._open.append(element)

    def end(self, tag: Any) -> None:
        if self._inside:
            self._inside -= 1
        else:
            if self._strings and self._open[-1] is not self._open[-2]:
                self._put(NavigableString("".join(self._strings)))
                self._strings.clear()
            self._open.pop()

    def _put(self, node: Tag | NavigableString) -> None:
        """Make it the last child of the element that is open."""
        parent = node.parent = self._open[-1]
        siblings = parent.contents
        if siblings:
            before = node.previous_sibling = siblings[-1]
            before.next_sibling = node
        siblings.append(node)
        node.previous_element = self._last
        self._last.next_element = node
        self._last = node

    def feed(self, markup: Any) -> None:
        """Build the tree, and keep nothing of it."""
        try:
            self._parser.feed(markup)
            self._parser.close()
        finally:
            del self._open, self._last

    def data(self, data: Any) -> None:
        if not self._inside:
            self._strings.append(data)

    def comment(self, text: Any) -> None:
        """Comments are no text and part none: "a<!-- -->b" is one word."""

    def pi(self, target: str, data: str) -> None:
        """Processing instructions are no text."""

    def doctype(self, name: str, pubid: str, system: str) -> None:
        """A document type is no text."""


# Made once: lxml looks at what a parser calls each time one is made. One tree is built at a time.
_LEAN = _Lean()


def soup(markup: bytes, encoding: str, *, full: bool = False, without: str | None = None) -> BeautifulSoup:
    """A tree of the markup; bytes that the encoding does not know become U+FFFD, and so do NULs.

    `without` names a hook whose elements are left out too. `full` leaves nothing out, for comparison: every reader
    gives the same on it.
    """
    text = markup.decode(encoding, "replace").replace("\0", "\ufffd").removeprefix("\ufeff")
    if full:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)  # an XHTML page is read as HTML on purpose
            return BeautifulSoup(text, "lxml")
    _LEAN.without = without
    return BeautifulSoup(text, builder=_LEAN)
