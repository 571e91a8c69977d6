"""Elements by `data-hook`, the only names in Wix's markup that do not change from build to build.

One walk collects them all. The author's text (what follows `rcv-block-first`) is not walked, so that nothing in it is
taken for a title, date or counter of the post.
"""

from __future__ import annotations

from collections.abc import Iterator

from bs4 import Tag
from bs4.element import NavigableString, PageElement

from scraper.platforms._tree import ancestors, descendants

# The element of the text before blocks had markers: <div class="post-content__body"> (to 2020).
_OLD_BODY = "post-content__body"


class Hooks:
    """The elements of a tree by hook, in document order, and the tree's links, ids and strings."""

    def __init__(self, tree: Tag, *, most: int = 200_000) -> None:
        """Walk at most `most` nodes of the tree: real posts and cards have hundreds."""
        self._most = most
        self.first_block: Tag | None = None  # the marker before the text
        self.old_body: Tag | None = None  # the element of the text, where there are no markers
        self.links: list[Tag] = []
        self.ids: list[tuple[str, Tag]] = []
        self.strings: list[str] = []
        self._named: dict[str, list[Tag]] = {}
        self._walk(tree)
        if self.first_block is None and self.old_body is not None:
            self.links, self.ids, self.strings, self._named = [], [], [], {}
            self._walk(tree, without=self.old_body)

    def get(self, name: str) -> Tag | None:
        """Return the first element of that hook."""
        return next(iter(self._named.get(name, ())), None)

    def all(self, *names: str) -> list[Tag]:
        """Return every element of these hooks, those of the first name first."""
        return [tag for name in names for tag in self._named.get(name, ())]

    def like(self, part: str) -> list[Tag]:
        """Return every element whose hook contains `part`."""
        return [tag for name, tags in self._named.items() if part in name for tag in tags]

    def _walk(self, tree: Tag, without: Tag | None = None) -> None:
        node: PageElement | None = tree
        end = _after(tree)
        for _ in range(self._most):
            if node is None or node is end:
                break
            if not isinstance(node, Tag):
                if isinstance(node, NavigableString):
                    self.strings.append(node)
                node = node.next_element
            elif self._record(node):
                # Its following siblings are the text.
                node = _after(node.parent) if node is not tree and node.parent is not None else end
            else:
                node = _after(node) if node is without else node.next_element

    def _record(self, tag: Tag) -> bool:
        """Record the element; return True for the marker that precedes the text."""
        if tag.name == "a":
            self.links.append(tag)
        attributes = tag.attrs
        if not attributes:
            return False
        hook = attributes.get("data-hook")
        if isinstance(hook, str):
            self._named.setdefault(hook, []).append(tag)
            if hook == "rcv-block-first" and self.first_block is None:
                self.first_block = tag
                return True
        name = attributes.get("id")
        if isinstance(name, str):
            self.ids.append((name, tag))
        if self.old_body is None and (
            attributes.get("data-id") == "content-viewer" or _OLD_BODY in (attributes.get("class") or ())
        ):
            self.old_body = tag
        return False


def _after(tag: Tag) -> PageElement | None:
    """Return the node after the element and all its content."""
    element: Tag | None = tag
    while element is not None:
        if element.next_sibling is not None:
            return element.next_sibling
        element = element.parent
    return None


def find_hook(tree: Tag, name: str) -> Tag | None:
    """Return the first element of that hook anywhere in the tree, the text included."""
    return next(find_hooks(tree, name), None)


def find_hooks(tree: Tag, name: str) -> Iterator[Tag]:
    """Yield the elements of that hook anywhere in the tree, the text included."""
    return (tag for tag in descendants(tree) if tag.attrs.get("data-hook") == name)


def within(tag: Tag, name: str) -> bool:
    """Return whether the element is inside one of that hook."""
    return any(parent.attrs.get("data-hook") == name for parent in ancestors(tag))
