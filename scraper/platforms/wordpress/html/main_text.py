"""The text of a post on a page that marks no element for it, found by trafilatura.

Comments, widgets, share buttons, other posts and the lines around the heading are taken out first: trafilatura would
have to guess what they are.
"""

from __future__ import annotations

from collections.abc import Iterable

import trafilatura
from bs4 import Tag

from scraper.platforms._article.main_text import MAX_ELEMENTS
from scraper.platforms._body import Body
from scraper.platforms._tree import descendants
from scraper.platforms.wordpress.body import own_text, read_nodes
from scraper.platforms.wordpress.html.markup import Markup, identities, is_inside, parse

_FEW = 15  # words of paragraphs: less is no text, but the line of an author or a date


def main_text(page: Markup, area: Tag, beside: Iterable[Tag], url: str) -> Body:
    """Return the main text of the page; changes its tree.

    `area`: the element around the post; `beside`: elements that are no text: comments, the heading, the line below it.
    """
    own_text(area)  # first, because the comments tell the element around the page from a widget
    for tag in [*beside, *page.elements("aside"), *page.elements("header")]:
        if tag.parent is not None and not is_inside(area, identities([tag])):
            tag.extract()
    if sum(len(tag.get_text(" ").split()) for tag in descendants(area, "p")) < _FEW:
        return Body()
    if sum(1 for _ in descendants(area)) > MAX_ELEMENTS:
        return read_nodes([area], url)
    found = trafilatura.extract(
        f"<html><body>{area}</body></html>",
        url=url,
        output_format="html",
        include_comments=False,
        include_formatting=True,
        include_links=True,
        include_images=True,
    )
    return read_nodes([own_text(parse(found))], url) if found else Body()
