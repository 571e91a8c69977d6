"""Which elements of a page are the post's own: those around its text and heading, and in no widget or other post."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from bs4 import Tag
from bs4.element import NavigableString

from scraper.platforms._tree import descendants
from scraper.platforms.wordpress.html.markup import Markup, identities, inherited, is_inside, is_not_of_the_post

_CARD_WORDS = 60
_CARD_DEPTH = 6  # elements around a number in a card


def _is_linked(heading: Tag) -> bool:
    parent = heading.parent
    return next(descendants(heading, "a"), None) is not None or (parent is not None and parent.name == "a")


class PostScope:
    """The post's own parts of a page.

    `area`: the element around its text. A heading outside of it is in a banner above: what stands there is the post's,
    too. `others`: elements of comments.
    """

    def __init__(self, page: Markup, area: Tag, heading: Tag | None, others: Sequence[Tag]) -> None:
        self.page = page
        self.area = area
        self.areas = [area]
        if heading is not None and not is_inside(heading, identities([area])):
            around = {id(parent) for parent in (area, *area.parents)}
            banner = heading
            for parent in heading.parents:
                if id(parent) in around or parent.name == "body":
                    break
                banner = parent
            self.areas.append(banner)
        self._areas, self._others = identities(self.areas), identities(others)
        self._known: dict[int, bool] = {}

    def own(self, *tokens: str) -> Iterator[Tag]:
        """Yield the post's elements with these classes."""
        return (tag for tag in self.page.with_class(*tokens) if self.is_own(tag))

    def named(self, *names: str) -> Iterator[Tag]:
        """Yield the post's elements of these names."""
        return (tag for tag in self.page.elements(*names) if self.is_own(tag))

    def is_own(self, tag: Tag) -> bool:
        """Return whether the element lies in the post's areas, and in no comment, widget or other post there."""
        return inherited(tag, self._verdict, self._known)

    def is_in_card(self, tag: Tag) -> bool:
        """Return whether the element lies in a card of another post: a few words with a heading that is a link."""
        for parent in islice(tag.parents, _CARD_DEPTH):
            if id(parent) in self._areas or parent.name == "body":
                return False
            if any(part.name == "h1" for part in descendants(parent)):
                return False
            if any(_is_linked(part) for part in descendants(parent, "h2", "h3", "h4", "h5", "h6")):
                return len(parent.get_text(" ").split()) <= _CARD_WORDS
        return False

    def _verdict(self, tag: Tag) -> bool | None:
        if id(tag) in self._others:
            return False
        if id(tag) in self._areas:
            return True
        return False if tag.name == "aside" or is_not_of_the_post(tag) else None

    def short_strings(self, longest: int) -> Iterator[tuple[str, Tag]]:
        """Yield texts of at most `longest` characters in the post's areas, others' too, with the elements they lie in.

        Those of a banner above come first.
        """
        for area in reversed(self.areas):
            for node in area.descendants:
                if isinstance(node, NavigableString) and node.parent is not None and len(node) <= 4 * longest:
                    text = node.strip()
                    if text and len(text) <= longest:
                        yield text, node.parent
