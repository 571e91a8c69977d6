"""Lean trees of Wix markup, with what only Wix's markup allows to leave out.

Left out beside scripts, styles and drawings: hashed classes and inline styles; buttons; the markers of blocks that say
nothing; and, inside the post's text, `span` elements, of which Wix puts two or three around every word and which carry
style alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bs4 import BeautifulSoup

from scraper.platforms import _tree

_ATTRIBUTES = frozenset(
    (
        "data-hook data-id data-image-info data-pin-media data-src id type href rel src alt start colspan "
        "rowspan lang property name content"
    ).split()
)
# Buttons: drawings and wrappers without a word. The counters beside them are read, the buttons are not.
_BUTTONS = ("share-button", "like-button", "image-expand-button", "imageExpandButton", "ExpandCollapseButton")
_COUNTED_BUTTON = "like-button-with-count"
# Kinds of blocks whose markers say nothing: what precedes them is complete.
_PLAIN_BLOCKS = frozenset({"paragraph", "empty-line", "heading", "blockquote", "image", "divider"})
# The one class that is read: it has a name, not a hash.
_CLASS = "post-content__body"


class _WixBuilder(_tree.LeanBuilder):
    """Builds trees of Wix markup."""

    omitted_hook: str | None = None  # elements of this `data-hook` are left out too

    def initialize_soup(self, soup: BeautifulSoup) -> None:
        """Begin a tree."""
        super().initialize_soup(soup)
        self._in_text = False  # between rcv-block-first and rcv-block-last

    def start(self, tag: Any, attrib: Mapping[Any, Any], nsmap: Any = None) -> None:
        """Add an element; the content of a `span` of the text goes to the element around it."""
        if self.omitted_depth:
            self.omitted_depth += 1
        elif self._in_text and tag == "span":
            self.open_elements.append(self.open_elements[-1])
        else:
            super().start(tag, attrib)

    def read_attributes(self, attrib: Mapping[Any, Any]) -> dict[str, Any] | None:
        """Return the attributes that the readers of Wix pages ask for; None for buttons and empty markers."""
        attributes = {}
        for name, value in attrib.items():
            if name in _ATTRIBUTES or (name == "class" and _CLASS in value):
                attributes[name] = value
        hook = attributes.get("data-hook")
        return None if hook is not None and self._omits(hook, attributes) else attributes

    def _omits(self, hook: str, attributes: Mapping[str, Any]) -> bool:
        if hook == self.omitted_hook or (hook.startswith(_BUTTONS) and not hook.startswith(_COUNTED_BUTTON)):
            return True
        if hook in ("rcv-block-first", "rcv-block-last"):
            self._in_text = hook == "rcv-block-first"
            return False
        return hook.startswith("rcv-block") and attributes.get("type") in _PLAIN_BLOCKS


_BUILDER = _WixBuilder()


def soup(markup: bytes, encoding: str, *, full: bool = False, without: str | None = None) -> BeautifulSoup:
    """Return a lean tree of Wix markup; `without` names a hook whose elements are left out too.

    `full` leaves nothing out, for comparison: every reader gives the same on it.
    """
    if full:
        return _tree.full_soup(markup, encoding)
    _BUILDER.omitted_hook = without
    return _tree.soup(markup, encoding, builder=_BUILDER)
