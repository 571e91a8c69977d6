"""Blogger: post pages of old and new templates, and the JSON of its feeds (not seen live).

*Recognised by*  the generator tag.
*Sources*        feeds `/feeds/posts/default?alt=json` (texts, exact dates, number of comments) and
                 `/feeds/POSTID/comments/default?alt=json`, as Google's reference describes them; pages.
*Caveats*        the h1 may be the blog's name; comments print a day, and their link has the exact time in
                 `showComment=MILLISECONDS`. Labels with numbers ("Sleep (96)") are no counters of the post.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scraper.addresses import canonical_url, same_site
from scraper.items import Comment, Exchange, Item, Post, Sighting, ThreadPage
from scraper.platforms._article import ArticlePage, Shape, read_page
from scraper.platforms._article.api import fill_body, note_sources, plain
from scraper.platforms._article.comments import CommentShape, read_comments
from scraper.platforms._article.discovery import discover_pages
from scraper.platforms._article.dom import text_of
from scraper.platforms._article.posts import has_text, post_items, set_number
from scraper.platforms._dates import iso_date
from scraper.platforms._json import count, decode_rows, dig, mapping, sequence, string
from scraper.platforms._platform import Ask, Blog, Plan, Platform
from scraper.platforms._recognise import Marks
from scraper.platforms._values import clean
from scraper.platforms._values import count as printed_number

_SHAPE = Shape(
    title=(".post-title.entry-title", "h1.post-title", "h3.post-title", ".post-title", ".entry-title"),
    author=(".post-author .fn", ".post-author [itemprop~=name]", ".byline.post-author .fn", ".post-author a"),
    date=(
        ".post abbr.published",
        ".post [itemprop~=datePublished]",
        ".post time.published",
        "time.published",
        "abbr.published",
        ".post-timestamp",
        ".date-header",
    ),
    body=(".post-body.entry-content", ".post-body", '[id^="post-body-"]', ".entry-content"),
    tags=(".post-labels a[rel~=tag]", ".post-labels a", ".label-info a"),
    drop=("#comments", ".comments", ".post-footer .label-size", ".widget.Label", ".post-share-buttons"),
)
_COMMENTS = CommentShape(
    item=('li.comment[id^="c"]', 'dt[id^="c"]'),
    author=("cite.user", ".comment-author", "cite", ".user"),
    date=('[class~="datetime"]', ".comment-timestamp"),
    text=("p.comment-content", ".comment-content", ".comment-body"),
)
# /2024/05/sleep.html
_POST = re.compile(r"/(?:19|20)\d\d/\d\d/[^/]+\.html$")
_FEED = re.compile(r"^/feeds/(?:(?P<post>\d{5,20})/comments|posts|comments)/(?:default|summary)$")
# The number of a post or comment, as in tag:blogger.com,1999:blog-12.post-345
_ID = re.compile(r"(?:post-|post-body-|/feeds/)(\d{5,20})(?=$|/)")
_PAGE = 150  # posts of one answer
_MAX_PAGES = 60


class Blogger(Platform):
    """Reads Blogger's feeds and pages."""

    name: ClassVar[str] = "blogger"
    hosted: ClassVar[bool] = True
    extractor_version: ClassVar[int] = 1
    reads: ClassVar[Mapping[str, str] | None] = {
        "by": "feed, pages",
        "bodies": "all",
        "dates": "exact",
        "views": "no",
        "likes": "no",
        "comments": "threads",
    }
    marks: ClassVar[Marks] = Marks(generators=("blogger",), maker="Blogger")

    def claims(self, exchange: Exchange) -> bool:
        """Return whether the page carries a mark, or is the JSON of a feed of Blogger's."""
        return super().claims(exchange) or (self.is_api_url(exchange.url) and b"blogger.com" in exchange.body[:4096])

    def is_post_url(self, url: str, named_in: str | None = None) -> bool:
        """`/2024/05/sleep.html`; pages are `/p/about.html`."""
        return _POST.search(_path(url)) is not None

    def guid_address(self, guid: str) -> str | None:
        """Return "blogger:345" for "tag:blogger.com,1999:blog-12.post-345"."""
        found = _ID.search(guid) if guid.startswith("tag:blogger.com") else None
        return f"{self.name}:{found[1]}" if found else None

    def is_api_url(self, url: str) -> bool:
        """Return whether this is a feed as JSON."""
        return _FEED.match(_path(url)) is not None and "alt=json" in url

    def row_id(self, row: Mapping[str, Any]) -> str | None:
        """`{"id": {"$t": "tag:blogger.com,1999:blog-1.post-2"}, "content": {...}, ...}` of a feed of comments."""
        stated = string(dig(row, "id", "$t"))
        found = _ID.search(stated)
        return (found[1] if found else stated) or None if "content" in row else None

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Yield the posts or comments of a feed as JSON, or the post of a page."""
        if self.is_api_url(exchange.url):
            return self._read_feed(exchange)
        page = read_page(exchange, self.name)
        _read_id(page)
        comments = read_comments(page.tree, page.post.addresses, _COMMENTS)
        stated = page.tree.first("#comments h4", ".comments h4", "#comments h3", ".comments .title")
        post = page.post
        post.comments_count_raw = text_of(stated)
        post.comments_count = printed_number(post.comments_count_raw) if stated is not None else None
        is_post = self.is_post_url(page.post.url or "")
        return post_items(page, _SHAPE, is_post, comments, is_post=is_post and has_text(page, _SHAPE))

    def _read_feed(self, exchange: Exchange) -> Iterator[Item]:
        found = _FEED.match(_path(exchange.url))
        try:
            feed = mapping(dig(decode_rows(exchange.body), "feed"))
        except ValueError:
            return
        entries = [mapping(raw) for raw in sequence(feed.get("entry"))]
        if found is None or found["post"] is None:
            if "/posts/" in exchange.url:
                yield from (item for raw in entries if (item := self._post(raw, exchange)))
            return
        address = (f"{self.name}:{found['post']}",)
        for raw in entries:
            yield _comment(raw, address)
        total = count(dig(feed, "openSearch$totalResults", "$t"))
        whole = total is not None and total <= len(entries)
        yield ThreadPage(post=address, cursor=None, following=() if whole else ("(more)",))

    def _post(self, raw: Mapping[str, Any], exchange: Exchange) -> Post | Sighting | None:
        links = [mapping(link) for link in sequence(raw.get("link"))]
        href = next((string(link.get("href")) for link in links if link.get("rel") == "alternate"), "")
        found = _ID.search(string(dig(raw, "id", "$t")))
        url = canonical_url(href, exchange.url)
        if not href or found is None or not same_site(url, exchange.url):
            return None
        published, title = iso_date(string(dig(raw, "published", "$t"))), plain(string(dig(raw, "title", "$t")))
        body, addresses = string(dig(raw, "content", "$t")), (url, f"{self.name}:{found[1]}")
        if not body:  # the owner gives summaries only
            return Sighting(url=url, source="feed", addresses=addresses[1:], title=title, published_at=published)
        post = Post(platform=self.name, url=url, addresses=addresses, platform_post_id=found[1], title=title)
        post.slug, post.published_at = url.rpartition("/")[2], published
        post.published_raw = clean(string(dig(raw, "published", "$t")))
        post.modified_at = iso_date(string(dig(raw, "updated", "$t")))
        post.author = clean(string(dig(next(iter(sequence(raw.get("author"))), None), "name", "$t")))
        terms = (clean(string(dig(term, "term"))) for term in sequence(raw.get("category")))
        post.tags = tuple(dict.fromkeys(term for term in terms if term))
        set_number(post, "comments_count", dig(raw, "thr$total", "$t"), zero=False)
        fill_body(post, body, url)
        return note_sources(post, "feed")

    def discover(self, blog: Blog) -> Plan:
        """Request the posts' feed, page after page; then the lists that any site has."""
        start = 1
        for _ in range(_MAX_PAGES):
            url = f"{blog.root}/feeds/posts/default?alt=json&max-results={_PAGE}&start-index={start}"
            answer = yield Ask(url=url, lists="feed")
            number = sum(isinstance(item, Post | Sighting) for item in answer.items)
            start += number
            if not number or not answer.new_posts or blog.enough() or not blog.bulk:
                break
        yield from discover_pages(self, blog)

    def threads(self, blog: Blog) -> Plan:
        """Request the comments of the posts that are due and have any."""
        for post in blog.posts.values():
            number = next((part for part in post.addresses if part.startswith(f"{self.name}:")), None)
            if number is None or not post.thread_due or not (post.comments_count or post.thread_count):
                continue
            if blog.budget_spent():
                blog.deferred.add(post.url)
                continue
            feed = f"{blog.root}/feeds/{number.partition(':')[2]}/comments/default?alt=json&max-results=500"
            answer = yield Ask(url=feed)
            post.thread_read = answer.ok


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # "http://["
        return ""


def _read_id(page: ArticlePage) -> None:
    """Read the id of the page's post: of a meta, the body's element, or the feed of its comments."""
    nodes = page.tree.all('meta[itemprop="postId"]', '[id^="post-body-"]', 'link[href*="/comments/default"]')
    values = (node.get("content") or node.get("id") or node.get("href") or "" for node in nodes)
    found = next(
        (match for value in values if (match := re.fullmatch(r"(\d{5,20})", value) or _ID.search(value))), None
    )
    if found is not None:
        page.post.platform_post_id = found[1]
        page.post.addresses = (*page.post.addresses, f"blogger:{found[1]}")


def _comment(raw: Mapping[str, Any], post: tuple[str, ...]) -> Comment:
    found = _ID.search(string(dig(raw, "id", "$t")))
    answered = _ID.search(string(dig(raw, "thr$in-reply-to", "ref")))
    links = (mapping(link) for link in sequence(raw.get("link")))
    related = next((string(link.get("href")) for link in links if link.get("rel") == "related"), "")
    parent = related.rstrip("/").rpartition("/")[2] if related else answered[1] if answered else ""
    author = mapping(next(iter(sequence(raw.get("author"))), None))
    body = Post(platform="blogger")
    fill_body(body, string(dig(raw, "content", "$t")), "https://www.blogger.com/")
    posted = iso_date(string(dig(raw, "published", "$t")))
    return Comment(
        post=post,
        platform_comment_id=found[1] if found else string(dig(raw, "id", "$t")),
        parent_id=parent if parent.isdigit() and f"blogger:{parent}" not in post else None,
        author=clean(string(dig(author, "name", "$t"))),
        person=string(dig(author, "uri", "$t")) or None,
        posted_at=posted,
        posted_at_precision="second" if posted else None,
        body_text=body.body_text,
        body_html=body.body_html,
    )
