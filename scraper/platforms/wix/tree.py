"""BeautifulSoup trees of Wix markup that hold only what is read: small ones are built several times faster.

Building the tree is most of the cost of reading a page, and goes by elements and attributes. Left out: drawings, styles
and scripts with all that is in them; attributes that nobody asks for (hashed classes, inline styles); and, inside the
post's text, `span` elements, of which Wix puts two or three around every word and which carry style alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning
from bs4.builder._lxml import LXMLTreeBuilder

_LEFT_OUT = frozenset({"svg", "style", "script", "noscript", "template"})
_KEPT = frozenset({
    "data-hook", "data-id", "data-image-info", "data-pin-media", "data-src", "id", "type", "href", "rel", "src", "alt",
    "start", "colspan", "rowspan", "lang", "property", "name", "content", "class",
})  # fmt: skip
# Buttons: drawings and wrappers without a word. The counters beside them are read, the buttons are not.
_BUTTONS = ("share-button", "like-button", "image-expand-button", "imageExpandButton", "ExpandCollapseButton")
_COUNTED = "like-button-with-count"
# Kinds of blocks whose markers say nothing: what stands before them is complete.
_PLAIN = frozenset({"paragraph", "empty-line", "heading", "blockquote", "image", "divider"})
# The one class that is read: a name of its own, not a hashed one.
_CLASS = "post-content__body"


class _Lean(LXMLTreeBuilder):
    """lxml as BeautifulSoup drives it, less what is left out."""

    def __init__(self, without: str | None) -> None:
        super().__init__(multi_valued_attributes=None, attribute_dict_class=dict)
        self._without = without
        self._inside = 0  # depth below an element that is left out
        self._in_text = False  # between rcv-block-first and rcv-block-last

    def start(self, tag: Any, attrib: Mapping[Any, Any], nsmap: Any = None) -> None:
        if self._inside or tag in _LEFT_OUT:
            self._inside += 1
            return
        if self._in_text and tag == "span":
            return
        kept = {name: value for name, value in attrib.items() if name in _KEPT}
        if "class" in kept and _CLASS not in kept["class"]:
            del kept["class"]
        hook = kept.get("data-hook")
        if hook is not None:
            if hook == self._without or (hook.startswith(_BUTTONS) and not hook.startswith(_COUNTED)):
                self._inside = 1
                return
            if hook.startswith("rcv-block"):
                if hook in ("rcv-block-first", "rcv-block-last"):
                    self._in_text = hook == "rcv-block-first"
                elif kept.get("type") in _PLAIN:
                    self._inside = 1
                    return
        if self.soup is not None:
            self.soup.handle_starttag(tag, None, None, kept)

    def end(self, tag: Any) -> None:
        if self._inside:
            self._inside -= 1
        elif self.soup is not None and not (self._in_text and tag == "span"):
            self.soup.endData()
            self.soup.handle_endtag(tag)

    def data(self, data: Any) -> None:
        if not self._inside and self.soup is not None:
            self.soup.handle_data(data)

    def comment(self, text: Any) -> None:
        """Comments are no text and part none: "a<!-- -->b" is one word."""

    def pi(self, target: str, data: str) -> None:
        """Processing instructions are no text."""


def soup(markup: bytes, encoding: str, *, full: bool = False, without: str | None = None) -> BeautifulSoup:
    """A tree of the markup; bytes that the encoding does not know become U+FFFD, and so do NULs.

    `without` names a hook whose elements are left out too. `full` leaves nothing out, for comparison: every reader
    gives the same on it.
    """
    text = markup.decode(encoding, "replace").replace("\0", "\ufffd")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)  # an XHTML page is read as HTML on purpose
        return BeautifulSoup(text, "lxml") if full else BeautifulSoup(text, builder=_Lean(without))
