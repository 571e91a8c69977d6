"""Rendered HTML of the REST API: the text of a post, and short fields such as titles and names."""

from __future__ import annotations

from bs4 import Tag

from scraper.platforms._body import Body
from scraper.platforms._html import text_of
from scraper.platforms._tree import ancestors, descendants, soup
from scraper.platforms._values import clean
from scraper.platforms.wordpress.body import own_text, read_nodes
from scraper.platforms.wordpress.html.markup import classes, parse

# Beginnings of classes of blocks in which WordPress lists posts, terms or months. A page shows such lists around a
# post, too, and they change without an edit; in the content of the API they stand where the author put them, and a text
# is read when it changed.
_LISTS = (
    "wp-block-archives",
    "wp-block-calendar",
    "wp-block-categories",
    "wp-block-latest-posts",
    "wp-block-query",
    "wp-block-rss",
    "wp-block-tag-cloud",
    "wp-block-post-navigation-link",
    "wp-calendar",
    "tag-cloud",
    "page-numbers",
)
_OF_LISTS = ("nav", "select")  # elements of them that elsewhere belong to the site


def read_content(html: str, url: str) -> Body:
    """Read the text of a post or comment as the API renders it. `url`: the address that relative ones refer to."""
    tree = parse(html)
    for tag in descendants(tree):
        if tag.name in _OF_LISTS and any(_is_list(around) for around in (tag, *ancestors(tag))):
            tag.name = "div"
    for tag in descendants(tree):
        if _is_list(tag):
            tag["class"] = ""
    return read_nodes([own_text(tree)], url)


def _is_list(tag: Tag) -> bool:
    return any(token.startswith(_LISTS) for token in classes(tag))


def plain(html: str) -> str | None:
    """Return the text of rendered HTML on one line: `R&#038;D <em>now</em>` gives "R&D now"; None for no text."""
    if "<" not in html and "&" not in html:
        return clean(html)
    return text_of(soup(f"<div>{html}</div>".encode("utf-8", "replace"), "utf-8"))
