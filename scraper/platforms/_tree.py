"""BeautifulSoup trees that hold only what a parser reads: a small tree is built several times faster than a full one.

Building the tree is most of the cost of reading a page, and the cost grows with elements and attributes. A lean tree
leaves out drawings, styles and scripts with their content, and the attributes that no parser reads. A platform whose
markup allows more omissions subclasses `LeanBuilder`.

No tree is larger than a machine of a study can hold: of markup with more than 200,000 tags the beginning alone is read
(`within_limit`), and the caller of `noting_cuts` learns of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from bs4.builder._lxml import LXMLTreeBuilder
from bs4.element import AttributeValueList, NavigableString

OMITTED_ELEMENTS = frozenset({"svg", "style", "script", "noscript", "template"})
ATTRIBUTES = frozenset(
    (
        "alt class colspan content data-lazy-src data-lazy-srcset data-src data-srcset datetime href id "
        "itemprop itemtype lang name poster property rel rowspan src srcset start type"
    ).split()
)
# Tags of one text of markup that are read: forty times those of the largest of sixty real pages. An element and its
# string take a kilobyte and 30 microseconds, so that a page of this size takes 200 MB and six seconds.
MAX_TAGS = 200_000
# `ancestors` stops this far out; a card's link lies about ten elements deep.
_MAX_ANCESTORS = 30


class _Element(Tag):
    """An element of a lean tree. What `Tag` sets on every instance to the same value is set once, on the class."""

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


def _string(text: str) -> NavigableString:
    """Return a string of a lean tree, without the set-up that `_append` does."""
    string = str.__new__(NavigableString, text)
    string.hidden = False
    string.next_element = string.previous_sibling = string.next_sibling = None
    return string


class LeanBuilder(LXMLTreeBuilder):
    """Drives lxml as BeautifulSoup does, and links elements and strings into the tree itself.

    lxml reports one end for every start, in order, so that the open elements need no search. An instance is made once
    and used again, because lxml inspects a parser's target each time a parser is made. It builds one tree at a time.
    """

    def __init__(self) -> None:
        super().__init__(multi_valued_attributes=None, attribute_dict_class=dict)
        self._parser = self.parser_for(None)

    def initialize_soup(self, soup: BeautifulSoup) -> None:
        """Begin a tree."""
        super().initialize_soup(soup)
        self.open_elements: list[Tag] = [soup]
        self.omitted_depth = 0  # elements open since the outermost omitted one, which counts as the first
        self._last: Tag | NavigableString = soup
        self._strings: list[str] = []  # since the last start or end

    def prepare_markup(self, markup: Any, *_: Any, **__: Any) -> Iterator[tuple[str | bytes, None, None, bool]]:
        """Yield the text unchanged: it is decoded already, and an XHTML page is read as HTML on purpose."""
        yield markup, None, None, False

    def start(self, tag: Any, attrib: Mapping[Any, Any], nsmap: Any = None) -> None:
        """Add an element, or omit it with all its content."""
        if self.omitted_depth or tag in OMITTED_ELEMENTS:
            self.omitted_depth += 1
            return
        attributes = self.read_attributes(attrib)
        if attributes is None:
            self.omitted_depth = 1
            return
        if self._strings:
            self._append(_string("".join(self._strings)))
            self._strings.clear()
        element = _Element(tag, attributes)
        self._append(element)
        self.open_elements.append(element)

    def read_attributes(self, attrib: Mapping[Any, Any]) -> dict[str, Any] | None:
        """Return the attributes of an element that parsers read; None where the element is left out."""
        return {name: value for name, value in attrib.items() if name in ATTRIBUTES}

    def end(self, tag: Any) -> None:
        """End the innermost open element."""
        if self.omitted_depth:
            self.omitted_depth -= 1
        else:
            if self._strings and self.open_elements[-1] is not self.open_elements[-2]:
                self._append(_string("".join(self._strings)))
                self._strings.clear()
            self.open_elements.pop()

    def _append(self, node: Tag | NavigableString) -> None:
        """Make the node the last child of the innermost open element."""
        parent = node.parent = self.open_elements[-1]
        siblings = parent.contents
        if siblings:
            before = node.previous_sibling = siblings[-1]
            before.next_sibling = node
        siblings.append(node)
        node.previous_element = self._last
        self._last.next_element = node
        self._last = node

    def feed(self, markup: Any) -> None:
        """Build the tree, and keep no reference to it."""
        try:
            self._parser.feed(markup)
            self._parser.close()
        finally:
            del self.open_elements, self._last

    def data(self, data: Any) -> None:
        """Collect a part of a string."""
        if not self.omitted_depth:
            self._strings.append(data)

    def comment(self, text: Any) -> None:
        """Ignore a comment. It does not end a string: "a<!-- -->b" is one word."""

    def pi(self, target: str, data: str) -> None:
        """Ignore a processing instruction."""

    def doctype(self, name: str, pubid: str, system: str) -> None:
        """Ignore a document type."""


_BUILDER = LeanBuilder()


def soup(markup: bytes, encoding: str, *, builder: LeanBuilder = _BUILDER) -> BeautifulSoup:
    """Return a lean tree of the markup. Bytes that the encoding does not know become U+FFFD, and so do NULs."""
    return BeautifulSoup(_decoded(markup, encoding), builder=builder)


def full_soup(markup: bytes, encoding: str) -> BeautifulSoup:
    """Return a tree of the markup with nothing left out, for comparison: every parser gives the same on it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)  # an XHTML page is read as HTML on purpose
        return BeautifulSoup(_decoded(markup, encoding), "lxml")


def _decoded(markup: bytes, encoding: str) -> str:
    return within_limit(markup.decode(encoding, "replace").replace("\0", "\ufffd").removeprefix("\ufeff"))


_CUTS: ContextVar[list[int] | None] = ContextVar("cuts", default=None)


@contextmanager
def noting_cuts() -> Iterator[list[int]]:
    """Collect, while the context is open, the number of tags of each text of markup that was cut."""
    cuts: list[int] = []
    before = _CUTS.set(cuts)
    try:
        yield cuts
    finally:
        _CUTS.reset(before)


def within_limit(markup: str) -> str:
    """Return the markup up to its 200,000th tag; all of it where it has no more. A cut is noted (`noting_cuts`)."""
    number = markup.count("<")
    if number <= MAX_TAGS:
        return markup
    cuts = _CUTS.get()
    if cuts is not None:
        cuts.append(number)
    low, high = 0, len(markup)  # the limit lies between them
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if markup.count("<", 0, middle) <= MAX_TAGS else (low, middle)
    return markup[:low]


def descendants(tag: Tag, *names: str) -> Iterator[Tag]:
    """Yield the elements inside `tag` in document order: those of these names, or all where no name is given."""
    return (node for node in tag.descendants if isinstance(node, Tag) and (not names or node.name in names))


def previous_sibling(tag: Tag) -> Tag | None:
    """Return the element before `tag` that has the same parent."""
    return next((node for node in tag.previous_siblings if isinstance(node, Tag)), None)


def ancestors(tag: Tag) -> Iterator[Tag]:
    """Yield the elements around `tag`, innermost first, 30 at most."""
    return islice(tag.parents, _MAX_ANCESTORS)
