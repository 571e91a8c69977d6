"""The text of a post on a page that marks no element for it, found by trafilatura.

Comments, widgets, share buttons and other posts are taken out first: trafilatura would have to guess what they are.
"""

from __future__ import annotations

from collections.abc import Iterable

import trafilatura
from bs4 import Tag

from scraper.platforms._body import Body
from scraper.platforms.wordpress.body import own_text, read_nodes
from scraper.platforms.wordpress.html.markup import Markup, parse


def main_text(page: Markup, area: Tag, others: Iterable[Tag], url: str) -> Body:
    """Return the main text of the page. `area`: the element around the post; `others`: elements of comments."""
    for tag in others:
        tag.extract()
    own_text(area)
    for tag in [*page.elements("aside"), *page.elements("header")]:
        if tag is not area and next(tag.parents, None) is not None and tag.find("h1") is None:
            tag.extract()
    found = trafilatura.extract(
        f"<html><body>{area}</body></html>",
        url=url,
        output_format="html",
        include_comments=False,
        include_formatting=True,
        include_links=True,
        include_images=True,
    )
    if not found:
        return Body()
    return read_nodes([own_text(parse(found))], url)
