"""Webflow: pages of items of its collections.

*Recognised by*  the generator tag, the header `x-wf-region`, `<html data-wf-page>`.
*Sources*        pages: JSON-LD where the owner added it, `.w-richtext`; sitemap; RSS where heads name it.
*Caveats*        classes are the owner's own words, so that author and date are found by their form. There are no
                 comments and no counts but those of embedded services.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from scraper.items import Exchange, Item
from scraper.platforms._article import Shape, read_page
from scraper.platforms._article.blog_pages import BlogPages
from scraper.platforms._article.posts import post_items
from scraper.platforms._recognise import Marks

_SHAPE = Shape(body=(".w-richtext",), drop=(".w-nav", ".w-form", ".w-slider"))


class Webflow(BlogPages):
    """Reads the posts of Webflow's collections."""

    name: ClassVar[str] = "webflow"
    hosted: ClassVar[bool] = True
    extractor_version: ClassVar[int] = 1
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "pages, feed",
        "bodies": "all",
        "dates": "as printed",
        "views": "no",
        "likes": "no",
        "comments": "those of embedded services",
    }
    marks: ClassVar[Marks] = Marks(
        generators=("Webflow",),
        headers=(("x-wf-region", "."),),
        # <html data-wf-domain="a.example" data-wf-page="..." data-wf-site="...">
        head=(rb"(?i)<html\b[^<>]{0,400}\bdata-wf-(?:site|page|domain)=",),
        maker="Webflow",
    )

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Yield the post of a page, or the posts of a listing."""
        page = read_page(exchange, self.name)
        return post_items(page, _SHAPE, self.is_post_url(page.post.url or ""))
