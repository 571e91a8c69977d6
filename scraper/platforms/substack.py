"""Substack: post pages, and its public JSON (not seen live; several public clients agree on it).

*Recognised by*  headers, scripts and assets of the head; its API by the address.
*Sources*        `/api/v1/archive` (addresses, dates, counts), `/api/v1/post/ID/comments` (the tree of comments), both
                 where robots.txt allows them; pages: JSON-LD, `interactionStatistic`, the data of `window._preloads`.
*Caveats*        a page draws two of its comments; the third number in its header counts restacks. The text of a paid
                 post is cut: it is not stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scraper.addresses import canonical_url, same_site
from scraper.items import Access, Comment, Exchange, Item, Post, Reading, Sighting, ThreadPage
from scraper.platforms._article import ArticlePage, Shape, read_page
from scraper.platforms._article.api import fill_body
from scraper.platforms._article.comments import CommentShape, read_comments
from scraper.platforms._article.discovery import discover_pages
from scraper.platforms._article.ld import interactions
from scraper.platforms._article.posts import has_text, post_items, set_interactions, set_number
from scraper.platforms._dates import iso_date
from scraper.platforms._json import count, decode, decode_rows, dig, mapping, printed, sequence, string
from scraper.platforms._platform import Ask, Blog, Plan, Platform
from scraper.platforms._recognise import Marks
from scraper.platforms._values import clean

_SHAPE = Shape(
    title=("h1.post-title",),
    body=(".available-content .body.markup", ".available-content", ".body.markup"),
    drop=(
        ".subscription-widget-wrap",
        ".subscription-widget-wrap-editor",
        ".comments-page",
        ".comment",
        ".post-ufi",
        ".button-wrapper",
        ".captioned-button-wrap",
        ".install-substack-app-embed",
        ".image-link-expand",
        ".poll-embed",
    ),
)
_COMMENTS = CommentShape(
    item=("div.comment",),
    author=('a[href*="/profile/"]:not([aria-label])',),
    date=('a[href*="/comment/"][title]', "time[datetime]"),
    text=(".comment-body",),
)
_ACCESS: dict[str, Access] = {"everyone": "public", "only_paid": "paid", "only_free": "members", "founding": "paid"}
# /api/v1/archive, /api/v1/post/123/comments
_API = re.compile(r"^/api/v1/(?:archive|post/(?P<post>\d{1,15})/comments)$")
# The data of the page, a string of JSON as JSON: window._preloads = JSON.parse("...")
_PRELOADS = re.compile(r"window\._preloads\s*=\s*JSON\.parse\(\s*(?=\")")
_PAGE, _MAX_PAGES = 50, 100


class Substack(Platform):
    """Reads Substack's pages, archive and comments."""

    name: ClassVar[str] = "substack"
    hosted: ClassVar[bool] = True
    extractor_version: ClassVar[int] = 1
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "pages; API where robots.txt allows it",
        "bodies": "all but paid ones",
        "dates": "exact",
        "views": "no",
        "likes": "yes",
        "comments": "threads by the API, else the number",
    }
    marks: ClassVar[Marks] = Marks(generators=("Substack",), headers=(("x-served-by", "^substack"),), maker="Substack")

    def claims(self, exchange: Exchange) -> bool:
        """Return whether the page carries a mark, or the address is of the API."""
        return self.is_api_url(exchange.url) or super().claims(exchange)

    def is_post_url(self, url: str, named_in: str | None = None) -> bool:
        """`/p/SLUG`."""
        return re.fullmatch(r"/p/[^/]+", _path(url)) is not None

    def is_api_url(self, url: str) -> bool:
        """Return whether this is an answer of the API that is read."""
        return _API.match(_path(url)) is not None

    def row_id(self, row: Mapping[str, Any]) -> str | None:
        """`{"id": 12, "body": "...", "children": [...], ...}`."""
        return None if row.keys().isdisjoint({"body", "children"}) else printed(row.get("id"))

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Yield what the archive or a thread gives, or the post of a page."""
        if self.is_api_url(exchange.url):
            return self._read_api(exchange)
        page = read_page(exchange, self.name)
        comments = read_comments(page.tree, page.post.addresses, _COMMENTS)
        _read_numbers(page)
        is_post = self.is_post_url(page.post.url or "")
        return _without_preview(
            page, post_items(page, _SHAPE, is_post, comments, is_post=is_post and has_text(page, _SHAPE))
        )

    def _read_api(self, exchange: Exchange) -> Iterator[Item]:
        found = _API.match(_path(exchange.url))
        try:
            value = decode_rows(exchange.body) if 200 <= exchange.status < 300 else None
        except ValueError:
            return
        if found is not None and found["post"]:
            address, comments = (f"{self.name}:{found['post']}",), dig(value, "comments")
            if isinstance(comments, list):  # else it is a refusal, which shows no thread
                yield from _tree(comments, address, None)
                yield ThreadPage(post=address, cursor=None)
            return
        for raw in map(mapping, sequence(value)):
            url, number = canonical_url(string(raw.get("canonical_url"))), printed(raw.get("id"))
            if number is None or not self.is_post_url(url) or not same_site(url, exchange.url):
                continue
            date, title = iso_date(string(raw.get("post_date"))), clean(string(raw.get("title")))
            identity = f"{self.name}:{number}"
            yield Sighting(url=url, source="listing", addresses=(identity,), title=title, published_at=date)
            likes, comments = raw.get("reaction_count"), raw.get("comment_count")
            yield Reading(
                post=(url, identity),
                likes=count(likes),
                likes_raw=printed(likes),
                comments_count=count(comments),
                comments_count_raw=printed(comments),
            )

    def discover(self, blog: Blog) -> Plan:
        """Request the archive, page after page, where robots.txt allows it, and the lists that any site has."""
        yield from discover_pages(self, blog)
        for number in range(_MAX_PAGES):
            url = f"{blog.root}/api/v1/archive?sort=new&offset={number * _PAGE}&limit={_PAGE}"
            if blog.enough() or not blog.allows(url):
                return
            answer = yield Ask(url=url, lists="listing")
            if not answer.ok or not answer.new_posts or not blog.bulk:
                return

    def threads(self, blog: Blog) -> Plan:
        """Request the comments of the posts that are due and have any, where robots.txt allows it."""
        for post in blog.posts.values():
            number = next((part for part in post.addresses if part.startswith(f"{self.name}:")), None)
            if number is None or not post.thread_due or not (post.comments_count or post.thread_count):
                continue
            identity = number.partition(":")[2]
            url = f"{blog.root}/api/v1/post/{identity}/comments?all_comments=true&sort=oldest_first"
            if blog.budget_spent():
                blog.deferred.add(post.url)
            elif blog.allows(url):
                answer = yield Ask(url=url)
                post.thread_read = answer.ok


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:  # "http://["
        return ""


def _read_numbers(page: ArticlePage) -> None:
    """Read id, counts and access of the page's post: from the data of its script, the meta, JSON-LD."""
    post, raw = page.post, _preloaded(page.tree.scripts)
    if number := printed(raw.get("id")):
        post.platform_post_id = number
        post.addresses = (*post.addresses, f"substack:{number}")
    post.access = _ACCESS.get(string(raw.get("audience")))
    set_number(post, "likes", raw.get("reaction_count"))
    set_number(post, "comments_count", raw.get("comment_count"))
    with suppress(ValueError, RecursionError):
        set_interactions(post, interactions(json.loads(page.head.metas.get("interactionstatistic", "[]"))), zero=True)
    set_interactions(post, page.ld.counts(), zero=True)
    if page.tree.first(".paywall") is not None:
        post.access = post.access or "paid"


def _preloaded(scripts: list[str]) -> Mapping[str, Any]:
    for script in scripts:
        found = _PRELOADS.search(script)
        if found:
            try:
                text, _ = json.JSONDecoder().raw_decode(script, found.end())
                return mapping(dig(decode(string(text).encode()), "post"))
            except (ValueError, RecursionError):
                return {}
    return {}


def _without_preview(page: ArticlePage, items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items; of a post that is cut for visitors without its text."""
    cut = page.tree.first(".paywall") is not None
    for item in items:
        if isinstance(item, Post) and cut:
            item.body_html = item.body_text = item.word_count = None
            item.links, item.images = (), ()
            for name in ("body_html", "body_text", "word_count", "links", "images"):
                item.sources.pop(name, None)
        yield item


def _tree(comments: object, post: tuple[str, ...], parent: str | None) -> Iterator[Comment]:
    waiting = [(mapping(raw), parent) for raw in sequence(comments)]
    for raw, above in waiting:
        number = printed(raw.get("id"))
        if number is None:
            continue
        body, posted = Post(platform="substack"), iso_date(string(raw.get("date")))
        fill_body(body, string(raw.get("body")), "https://substack.com/")
        person = printed(raw.get("user_id"))
        yield Comment(
            post=post,
            platform_comment_id=number,
            parent_id=above,
            author=clean(string(raw.get("name"))),
            person=f"user:{person}" if person else None,
            author_kind="member" if person else "unknown",
            posted_at=posted,
            posted_at_precision="second" if posted else None,
            body_text=body.body_text,
            body_html=body.body_html,
            likes=count(raw.get("reaction_count")),
            status="deleted" if raw.get("deleted") is True else None,
        )
        waiting += [(mapping(reply), number) for reply in sequence(raw.get("children"))]
