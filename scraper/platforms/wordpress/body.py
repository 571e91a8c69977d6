"""The text of a WordPress post: the same from a page, from the API's `content.rendered` and from a feed.

What a theme or plugin puts between the author's words is no text of the post: comments and commenters (the block
"Latest Comments"), blocks that change by themselves (calendar, archives, latest posts), share buttons, related posts,
author boxes, forms. It is taken out of every source alike, so that no source shows an edit that nobody made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from bs4 import Tag
from bs4.element import NavigableString

from scraper.items import Image
from scraper.platforms._body import Body, BodyWriter, Resolve, resolver
from scraper.platforms._html import BLOCKS, names_avatar, names_person
from scraper.platforms._tree import descendants
from scraper.platforms.wordpress.html.markup import (
    Markup,
    classes,
    identities,
    inherited,
    is_not_post_text,
    outermost,
    parse,
)
from scraper.platforms.wordpress.html.printed import is_view_line

# Players of films that a post embeds in a frame.
_PLAYERS = re.compile(
    r"(?:^|\.)(?:youtube(?:-nocookie)?\.com|youtu\.be|vimeo\.com|videopress\.com|wistia\.(?:com|net)|dailymotion\.com)$"
)


def own_text(tree: Tag) -> Tag:
    """Remove from a post's text what is not its author's, in place, and return it.

    Comments and avatars, blocks that change without an edit, share buttons, related posts, author boxes, forms,
    navigation, numbers of views; emoji that WordPress replaced by pictures become characters again. Links to avatars
    lose their address.
    """
    for tag in list(descendants(tree)):
        if tag.parent is None:
            continue
        if is_not_post_text(tag) or (tag.name == "img" and is_avatar(tag)):
            tag.extract()
        elif tag.name == "img" and classes(tag) & {"wp-smiley", "emoji"}:
            tag.replace_with(str(tag.get("alt") or ""))
        elif names_person(tag):
            del tag["href"]
        elif tag.name == "a" and "wp-login.php?" in str(tag.get("href") or ""):
            tag["href"] = str(tag["href"]).partition("?")[0]  # its query names the page it stands on
    for string in [node for node in tree.descendants if isinstance(node, NavigableString)]:
        if len(string) <= _LONGEST_LINE and is_view_line(string.strip()) and _is_line(string):
            string.extract()
    return tree


def _is_line(string: NavigableString) -> bool:
    """Return whether a text stands on a line of its own, in no heading and no link."""
    parent = string.parent
    if parent is None or parent.name not in ("p", "div", "section", "article", "body", "[document]"):
        return False
    beside = (string.previous_sibling, string.next_sibling)
    return all(
        node is None or (isinstance(node, Tag) and (node.name == "br" or node.name in BLOCKS)) for node in beside
    )


def is_avatar(tag: Tag) -> bool:
    """Return whether a picture is of a person at Gravatar, or of a commenter or author by its class."""
    if "avatar" in classes(tag):
        return True
    return any(names_avatar(str(tag.get(name) or "")) for name in ("src", "data-src", "data-lazy-src", "srcset"))


def read_html(html: str, url: str) -> Body:
    """Read the text of a post from the HTML of the API or of a feed. `url`: the address that relative ones refer to."""
    return read_nodes([own_text(parse(html))], url)


def read_nodes(nodes: Iterable[Tag], url: str) -> Body:
    """Read elements from which `own_text` has taken what is not the post's."""
    elements = list(nodes)
    body = BodyWriter(resolver(url)).read(elements)
    films = tuple(film for element in elements for film in _films(element, resolver(url)))
    return replace(body, images=(*body.images, *films)) if films else body


def _films(tree: Tag, resolve: Resolve) -> Iterable[Image]:
    for frame in descendants(tree, "iframe"):
        source = str(frame.get("src") or frame.get("data-src") or frame.get("data-lazy-src") or "").strip()
        address = resolve(source) if source and not source.startswith("about:") else ""
        try:
            host = urlsplit(address).hostname or ""
        except ValueError:
            continue
        if _PLAYERS.search(host):
            yield Image(url=address, kind="video")


# Classes of the element that holds a post's text, best first: those of core's block and of the builders, which nothing
# else has; then the conventions of themes, which may be on a part of it alone. "{id}" is the post's id.
_CERTAIN = (
    "elementor-widget-theme-post-content",
    "wp-block-post-content",
    "et_pb_post_content",
    "fusion-content-tb",
    "fl-post-content",
    "elementor-{id}",
    "fl-builder-content-{id}",
)
_USUAL = (
    "tdb_single_content",
    "td-post-content",
    "entry-content",
    "post-content",
    "single-content",
    "article-content",
    "the-content",
    "entry__content",
    "post__content",
    "post_content",
    "single-post-content",
    "post-entry",
    "post-body",
    "article-body",
    "entry-text",
    "blog-content",
    "post-text",
    "e-content",
    "wpb-content-wrapper",
    "entry",
)
_LONGEST_LINE = 60  # characters of a number of views, with the white space around it
_FEW = 60  # words of paragraphs in the area of a post that hardly has a text
_ENOUGH = 0.5  # share of the words in paragraphs of the post's area that a container must hold


def containers(page: Markup, area: Tag, foreign: Iterable[Tag], post_id: str | None) -> list[Tag]:
    """Return the elements that hold the post's text; empty where none holds most of the paragraphs in its area.

    `area`: the element around the post. `foreign`: elements of comments, which may have the same classes.
    """
    others, known = identities(foreign), dict[int, bool]()

    def verdict(tag: Tag) -> bool | None:
        if tag is area:
            return True
        return False if id(tag) in others or tag.name == "aside" or is_not_post_text(tag) else None

    def found(pattern: str) -> list[Tag]:
        if "{id}" in pattern and post_id is None:
            return []
        tags = page.classed.get(pattern.format(id=post_id), ())
        return outermost(tag for tag in tags if inherited(tag, verdict, known))

    for pattern in _CERTAIN:
        tags = found(pattern)
        if any(_holds_something(tag) for tag in tags):
            return tags
    mass = sum(_words(tag) for tag in descendants(area, "p") if inherited(tag, verdict, known))
    best: tuple[int, list[Tag]] = (0, [])
    for pattern in _USUAL:
        tags = found(pattern)
        words = sum(map(_words, tags))
        if words and words >= _ENOUGH * mass:
            return tags
        if pattern == "entry-content" and len(tags) == 1 and mass < _FEW:
            return tags  # a post of pictures, or of a line
        best = max(best, (words, tags), key=lambda pair: pair[0])
    return best[1] if best[0] and best[0] >= mass else []


def _holds_something(tag: Tag) -> bool:
    return _words(tag) > 0 or next(descendants(tag, "img", "video", "audio", "iframe"), None) is not None


def _words(tag: Tag) -> int:
    return len(tag.get_text(" ").split())
