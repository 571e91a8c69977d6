"""Squarespace: post pages of versions 7.0 and 7.1, and their JSON where robots.txt allows it.

*Recognised by*  the generator tag, the headers `Server` and `X-ServedBy`, scripts and assets of the head.
*Sources*        pages: JSON-LD, `.sqs-layout[data-type=item]`, counts in attributes (`data-public-comment-count`,
                 `data-like-count`); `?format=json` (not seen live: the field names are of saved answers and public
                 readers; most sites forbid the address in robots.txt, and then it is not requested).
*Caveats*        "0 Likes" is a placeholder that a script replaces: only attributes count. Texts of comments are drawn
                 by a script and are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scraper.addresses import canonical_url, is_within, same_site
from scraper.items import Exchange, Item, Post
from scraper.platforms._article import ArticlePage, Shape, read_page
from scraper.platforms._article.address import is_post_url
from scraper.platforms._article.api import fill_body, note_sources, plain
from scraper.platforms._article.blog_pages import BlogPages
from scraper.platforms._article.comments import of_epoch
from scraper.platforms._article.discovery import discover_pages, feeds_in
from scraper.platforms._article.posts import post_items, set_number
from scraper.platforms._body import resolver
from scraper.platforms._json import decode_rows, dig, mapping, sequence, string
from scraper.platforms._platform import Ask, Blog, Plan
from scraper.platforms._recognise import Marks
from scraper.platforms._values import clean

_SHAPE = Shape(
    title=("h1.entry-title", ".blog-item-title h1", "h1.BlogItem-title", '[itemprop="headline"]'),
    author=(".blog-item-author-name", ".Blog-meta-item--author", ".blog-meta-item--author", ".entry-author"),
    body=('.sqs-layout[data-type="item"]', ".blog-item-content", '.sqs-layout[id^="item-"]', ".entry-content"),
    tags=(".blog-item-tag", ".Blog-meta-item--tags a", ".entry-tags a", ".tags a"),
    categories=(".blog-item-category", ".Blog-meta-item--categories a", ".entry-category a", ".categories a"),
    drop=(
        ".squarespace-comments",
        ".BlogItem-pagination",
        ".blog-item-pagination",
        ".sqs-block-summary-v2",
        ".sqs-block-newsletter",
        ".sqs-block-archive",
        ".sqs-simple-like",
        ".blog-item-author-profile-wrapper",
    ),
)
_ID = re.compile(r"(?:item|comments)-([0-9a-f]{24})$")
_MAX_PAGES = 100  # of a list as JSON, 20 posts each


class Squarespace(BlogPages):
    """Reads Squarespace's post pages."""

    name: ClassVar[str] = "squarespace"
    hosted: ClassVar[bool] = True
    extractor_version: ClassVar[int] = 1
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "pages, feed; JSON where robots.txt allows it",
        "bodies": "all",
        "dates": "exact",
        "views": "no",
        "likes": "where printed",
        "comments": "number",
    }
    marks: ClassVar[Marks] = Marks(
        generators=("Squarespace",),
        headers=(("server", "^squarespace"), ("x-servedby", "^squarespace")),
        maker="Squarespace",
    )

    def claims(self, exchange: Exchange) -> bool:
        """Return whether the page carries a mark, or is the JSON of one."""
        return super().claims(exchange) or (self.is_api_url(exchange.url) and b'"websiteId"' in exchange.body)

    def is_post_url(self, url: str, named_in: str | None = None) -> bool | None:
        """A blog may lie at any path; addresses with a date in them, or below a part called "blog", are posts'."""
        return False if self.is_api_url(url) else is_post_url(url, named_in)

    def is_api_url(self, url: str) -> bool:
        """Return whether this is a page as JSON."""
        return "format=json" in url.partition("?")[2]

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Yield the post of a page, or the posts of a list as JSON."""
        if self.is_api_url(exchange.url):
            return self._read_json(exchange)
        page = read_page(exchange, self.name)
        _read_attributes(page)
        author = page.tree.first('meta[itemprop="author"]')
        if not page.ld.article and author is not None:
            page.post.author = clean(author.get("content"))
        return post_items(page, _SHAPE, self.is_post_url(page.post.url or ""))

    def _read_json(self, exchange: Exchange) -> Iterator[Item]:
        try:
            value = decode_rows(exchange.body)
        except ValueError:
            return
        for raw in map(mapping, (*sequence(dig(value, "items")), *filter(None, [dig(value, "item")]))):
            post = self._post(raw, exchange)
            if post is not None:
                yield post

    def _post(self, raw: Mapping[str, Any], exchange: Exchange) -> Post | None:
        path = string(raw.get("fullUrl"))
        url = canonical_url(path, exchange.url)
        if not path or raw.get("recordType") not in (1, None) or not same_site(url, exchange.url):
            return None
        number = string(raw.get("id"))
        post = Post(platform=self.name, url=url, slug=url.rpartition("/")[2], platform_post_id=number or None)
        post.addresses = (url, f"{self.name}:{number}") if number else (url,)
        post.title = plain(string(raw.get("title")))
        post.author = clean(string(dig(raw, "author", "displayName")))
        post.published_at = of_epoch(str(raw.get("publishOn") or raw.get("addedOn") or ""), unit=1000)
        post.modified_at = of_epoch(str(raw.get("updatedOn") or ""), unit=1000)
        post.cover_image_url = string(raw.get("assetUrl")) or None
        post.tags, post.categories = _labels(raw, "tags"), _labels(raw, "categories")
        set_number(post, "likes", raw.get("likeCount"))
        set_number(post, "comments_count", raw.get("publicCommentCount"), zero=False)
        fill_body(post, string(raw.get("body")), exchange.url)
        return note_sources(post, "api")

    def discover(self, blog: Blog) -> Plan:
        """Request the lists that any site has; then each blog as JSON, page after page, where robots.txt allows it."""
        yield from discover_pages(self, blog)
        for feed in feeds_in(blog.home):
            url: str | None = resolver(feed)(urlsplit(feed).path) + "?format=json"
            for _ in range(_MAX_PAGES):
                if url is None or not is_within(url, blog.root) or not blog.allows(url) or blog.enough():
                    break
                answer = yield Ask(url=url, lists="listing")
                url = _next_page(answer.exchange) if answer.ok and answer.new_posts else None


def _read_attributes(page: ArticlePage) -> None:
    """Read the id and the counts of the page's own item."""
    candidates = page.tree.all('body[id^="item-"]', '.sqs-layout[data-type="item"]', '[id^="comments-"]')
    found = next((match for node in candidates if (match := _ID.search(node.get("id") or ""))), None)
    if found is None:
        return
    number, post = found[1], page.post
    post.platform_post_id = number
    post.addresses = (*post.addresses, f"squarespace:{number}")
    for node in page.tree.all(f'.squarespace-comments[data-item-id="{number}"]'):
        set_number(post, "comments_count", node.get("data-public-comment-count"))
    likes = (f'[data-item-id="{number}"][data-like-count]', f'[data-item-identifier="{number}"][data-like-count]')
    for node in page.tree.all(*likes):
        set_number(post, "likes", node.get("data-like-count"))


def _labels(raw: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(label for entry in sequence(raw.get(name)) if (label := clean(string(entry))))


def _next_page(exchange: Exchange | None) -> str | None:
    try:
        path = string(dig(decode_rows(exchange.body), "pagination", "nextPageUrl")) if exchange else ""
    except ValueError:
        return None
    return resolver(exchange.url)(path) + "&format=json" if exchange and "?" in path else None
