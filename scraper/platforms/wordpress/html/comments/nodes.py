"""Comments in the HTML of a WordPress page: of core's walker, of its themes, of the comment blocks and of wpDiscuz.

*Recognised by*  `id="comment-N"`, `li-comment-N`, `div-comment-N`; wpDiscuz: `wpd-comm-N_PARENT`, `wc-comm-N_PARENT`.
*Caveats*        Threads deeper than `thread_comments_depth` are flattened: the parent that a page shows is then the
                 comment of the last level, not the one replied to. Replies to what is not public are left out by core.
                 Pingbacks and trackbacks stand among the comments, by class.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bs4 import Tag

from scraper.platforms._tree import ancestors, descendants
from scraper.platforms.wordpress.html.markup import Markup, classes

# "comment-12", "li-comment-12", "div-comment-12"
_NODE = re.compile(r"(?:[a-z]{2,12}-)?comment-(?P<id>\d{1,18})")
# "wpd-comm-12_7", of wpDiscuz: comment 12, a reply to 7; "_0" for none
DISCUZ_NODE = re.compile(r"w(?:pd|c)-comm-(?P<id>\d{1,18})_(?P<parent>\d{1,18})")
_NODE_NAMES = ("li", "article", "div", "section")
MAX_NODES = 10_000  # comments of one page, read in seven seconds
_DEEPEST = 200  # list items one inside the other


@dataclass(slots=True)
class Node:
    """The element of one comment, and the comment it replies to."""

    number: str
    tag: Tag
    parent: str | None = None
    parts: list[Tag] = field(default_factory=list)  # elements in it that lie in no other comment

    def part(self, *tokens: str) -> Tag | None:
        """Return the first element with the first of these classes that any element has."""
        return next((tag for token in tokens for tag in self.parts if token in classes(tag)), None)


def comment_nodes(page: Markup) -> list[Node]:
    """Return the comments of the page in document order, each once, with their parents."""
    tags: dict[str, Tag] = {}
    stated: dict[str, str] = {}
    for tag in page.elements(*_NODE_NAMES):
        identifier = str(tag.attrs.get("id") or "")
        found = DISCUZ_NODE.fullmatch(identifier) or _NODE.fullmatch(identifier)
        if found is None or len(tags) >= MAX_NODES:
            continue
        number = found["id"]
        if "parent" in found.groupdict():
            stated[number] = found["parent"]
        earlier = tags.get(number)
        if earlier is None or any(parent is tag for parent in earlier.parents):
            tags[number] = tag
    stated |= _nested_in_source(page)
    taken = {id(tag) for tag in tags.values()}
    nodes = [Node(number, _whole(tag, taken)) for number, tag in tags.items()]
    owners = {id(node.tag): node.number for node in nodes}
    for node in nodes:
        node.parent = _parent(node, owners, stated.get(node.number))
        node.parts = list(_own_parts(node.tag, owners))
    order = {id(tag): position for position, tag in enumerate(descendants(page.tree))}
    return sorted(nodes, key=lambda node: order.get(id(node.tag), 0))


# <li id="comment-12" class="comment">, <li>, </li>
_ITEM = re.compile(r"""<(?P<end>/?)li\b(?:[^<>]{0,400}?\bid=["']comment-(?P<id>\d{1,18})["'])?""", re.IGNORECASE)


def _nested_in_source(page: Markup) -> dict[str, str]:
    """Return the parents of comments of core's block "Comment Template" -> by the nesting of list items as written.

    Deeper than `thread_comments_depth` the block writes `<li>` directly inside `<li>`, which parsers take apart.
    """
    start = page.body.find(b"wp-block-comment-template")
    if start < 0:
        return {}
    parents: dict[str, str] = {}
    stack: list[str | None] = []
    for found in _ITEM.finditer(page.body[start:].decode(page.encoding, "replace")):
        if found["end"]:
            del stack[-1:]
            continue
        if found["id"]:
            around = next((number for number in reversed(stack) if number is not None), None)
            parents.setdefault(found["id"], around or "0")
        if len(stack) < _DEEPEST:
            stack.append(found["id"])
    return parents


def _whole(tag: Tag, taken: set[int]) -> Tag:
    """Return the list item of a comment whose id is on an element inside it."""
    if tag.name == "li":
        return tag
    item = next((parent for parent in ancestors(tag) if parent.name == "li"), None)
    if (
        item is None
        or id(item) in taken
        or (not classes(item) & {"comment", "pingback", "trackback"} and item.get("class"))
    ):
        return tag
    return item


def _parent(node: Node, owners: dict[int, str], stated: str | None) -> str | None:
    if stated is not None:
        return None if stated in {"0", node.number} else stated
    for parent in node.tag.parents:
        owner = owners.get(id(parent))
        if owner is not None and owner != node.number:
            return owner
        if "children" in classes(parent):  # `<li>...</li><ul class="children">`: the list follows its comment
            before = next((tag for tag in parent.previous_siblings if isinstance(tag, Tag)), None)
            owner = owners.get(id(before)) if before is not None else None
            if owner is not None:
                return owner
    return None


def _own_parts(tag: Tag, owners: dict[int, str]) -> Iterator[Tag]:
    stack = [iter(tag.children)]
    while stack:
        child = next(stack[-1], None)
        if child is None:
            stack.pop()
        elif (
            isinstance(child, Tag)
            and id(child) not in owners
            and "children" not in classes(child)
            and child.name != "form"
        ):
            yield child
            stack.append(iter(child.children))


def parts_of(nodes: Iterable[Node]) -> set[int]:
    """Return the identities (`id`) of all elements of the comments."""
    return {id(part) for node in nodes for part in (node.tag, *node.parts)}


def holds_post(tag: Tag, inside: set[int]) -> bool:
    """Return whether an element around comments holds the post, too: its heading or its text. `inside`: `parts_of`."""
    return tag.name in ("body", "main") or any(
        part.name == "h1" or "entry-content" in classes(part) for part in descendants(tag) if id(part) not in inside
    )
