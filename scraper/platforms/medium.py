"""Medium: stories of publications and of authors, on Medium's hosts or their own.

*Recognised by*  metas of its app, headers.
*Sources*        pages; the feed `/feed`, as a list (not seen live).
*Caveats*        `article:published_time` may be the day of an import: the printed date is taken. "--" in place of the
                 claps states nothing. Responses are drawn by a script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from scraper.items import Exchange, Item
from scraper.platforms._article import ArticlePage, Shape, read_page
from scraper.platforms._article.address import path_parts
from scraper.platforms._article.discovery import discover_pages
from scraper.platforms._article.dom import text_of
from scraper.platforms._article.fields import name_in
from scraper.platforms._article.posts import has_text, post_items
from scraper.platforms._dates import read_date
from scraper.platforms._platform import Blog, Plan, Platform
from scraper.platforms._recognise import Marks
from scraper.platforms._values import count

_SHAPE = Shape(
    title=("h1.pw-post-title", '[data-testid="storyTitle"]', "article h1"),
    author=('[data-testid="authorName"]',),
    date=('[data-testid="storyPublishDate"]',),
    drop=(".pw-post-meta", ".speechify-ignore", '[data-testid="headerSocialShareButton"]'),
)
# "Dec 30, 2013", "Mar 3"
_DAY = re.compile(r"^[A-Z][a-z]{2,8} \d{1,2}(?:, (?:19|20)\d\d)$")
# The heading of the responses: No responses yet; Responses (12)
_RESPONSES = re.compile(r"^(?:(?P<none>No) responses yet|Responses \((?P<some>[\d.,]{1,9}K?)\))$", re.IGNORECASE)
# /a-story-ceb9a4f656d7
_POST = re.compile(r"(?:^|-)[0-9a-f]{9,12}$")


class Medium(Platform):
    """Reads Medium's stories."""

    name: ClassVar[str] = "medium"
    hosted: ClassVar[bool] = True
    extractor_version: ClassVar[int] = 1
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "pages, feed",
        "bodies": "all",
        "dates": "exact",
        "views": "no",
        "likes": "no",
        "comments": "number",
    }
    marks: ClassVar[Marks] = Marks(
        generators=("Medium",),
        headers=(("x-powered-by", "^medium"),),
        # <meta property="al:android:package" content="com.medium.reader"/>
        head=(rb"(?i)<meta\b[^<>]{0,200}\bcontent=[\"']com\.medium\.reader[\"']",),
        maker="Medium",
    )
    feeds: ClassVar[Sequence[str]] = ("/feed",)

    def is_post_url(self, url: str, named_in: str | None = None) -> bool:
        """The last part of the path ends with the story's id: `/a-story-ceb9a4f656d7`."""
        words = path_parts(url)
        return bool(words) and _POST.search(words[-1]) is not None and words[0] not in ("m", "tag", "search")

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Yield the story of a page."""
        page = read_page(exchange, self.name)
        post = page.post
        found = _POST.search(post.slug or "")
        if found is not None:
            post.platform_post_id = found[0].lstrip("-")
            post.addresses = (*post.addresses, f"{self.name}:{post.platform_post_id}")
        if page.tree.first(*_SHAPE.author) is None:
            post.author = name_in(page.head.metas.get("author"))
        _read_printed(page)
        is_post = self.is_post_url(post.url or "")
        return post_items(page, _SHAPE, is_post, is_post=is_post and has_text(page, _SHAPE))

    def discover(self, blog: Blog) -> Plan:
        """Request sitemaps and feeds."""
        return discover_pages(self, blog)


def _read_printed(page: ArticlePage) -> None:
    """Read the printed date, the first one after the title, and the number of responses."""
    post = page.post
    for element in page.tree.root.iter("span", "h2", "p"):
        text = text_of(element) if len(element) < 3 else None
        if text is None:
            continue
        if post.published_at is None and _DAY.match(text):
            post.published_at, post.published_raw = read_date(text, language="en"), text
        responses = _RESPONSES.match(text)
        if responses is not None and post.comments_count_raw is None:
            post.comments_count_raw = text
            post.comments_count = 0 if responses["none"] else count(responses["some"])
