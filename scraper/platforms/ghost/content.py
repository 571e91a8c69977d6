"""The Content API of Ghost, where robots.txt allows it: by default it does not.

`GET API/posts/?key=KEY&include=tags,authors&limit=100&page=N`; pages name address and key in the script of the portal.
A post that is not for everybody has no text there. [reference: platforms, "Ghost"]
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from scraper.addresses import as_listed, canonical_url, is_web_address, same_site
from scraper.items import Access, Exchange, Item, Post, Problem, Sighting
from scraper.not_a_post import Unreadable
from scraper.platforms._dates import iso_date
from scraper.platforms._json import count, decode, decode_rows, dig, mapping, sequence, string
from scraper.platforms._platform import Answer, Ask, Blog
from scraper.platforms._values import clean
from scraper.platforms.ghost import page
from scraper.robots.politeness import read_robots

_PATH = "/ghost/api/content/posts/"
_MAX_PAGES = 200
# data-key="b7bc9708bc9c35a120f0bf7369", data-api="https://clinic.example/ghost/api/content/"
_KEY = re.compile(rb"\bdata-key=[\"']([0-9a-f]{20,64})[\"']")
_API = re.compile(rb"\bdata-(?:api|content-api)=[\"'](https?://[^\"'<>\s]{1,300}/ghost/api/content)/?[\"']")
_ACCESS: Mapping[str, Access] = {"public": "public", "members": "members", "paid": "paid", "tiers": "paid"}

Step = Generator[Ask, Answer, bool]


def is_answer(url: str) -> bool:
    """Return whether the address is that of the list of posts."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.path.endswith(_PATH) and "key=" in parts.query


def may_ask(blog: Blog, url: str) -> Generator[Ask, Answer, bool]:
    """Return whether robots.txt of the address allows it; the driver has that file, or requests it now.

    A refusal is the rule, so that it is looked for beforehand and is no problem.
    """
    if not same_site(url, blog.root) and blog.private:
        return False
    robots = yield Ask(url=urljoin(url, "/robots.txt"))
    return read_robots(robots.exchange, robots.reason).allowed(url)


def posts(blog: Blog) -> Step:
    """Request all posts page by page; return whether the list was read to its end."""
    body = blog.home.body if blog.home is not None else b""
    key, api = _KEY.search(body), _API.search(body)
    if key is None or api is None:
        return False
    size = 100 if blog.bulk else 15
    query = {"key": key[1].decode(), "include": "tags,authors", "limit": size, "order": "published_at desc"}
    first = f"{api[1].decode()}/posts/?{urlencode(query)}"
    if not (yield from may_ask(blog, first)):
        return False
    for number in range(1, _MAX_PAGES + 1):
        answer = yield Ask(url=f"{first}&page={number}", lists="listing")
        if not answer.ok or answer.exchange is None:
            return False
        try:
            following = count(dig(decode(answer.exchange.body), "meta", "pagination", "next"))
        except ValueError:
            return False
        if following is None or blog.enough() or not answer.new_posts:
            return True
    blog.notes.append(f"more than {_MAX_PAGES} pages of the Content API: the others were not read")
    return True


def read(exchange: Exchange) -> Iterator[Item]:
    """Yield the posts of an answer; a refusal is a problem. Raises `Unreadable` where the answer is no list."""
    if not 200 <= exchange.status < 300:
        message = f"{exchange.url.partition('?')[0]}: answered {exchange.status}; pages and feed are read instead"
        yield Problem(kind="api-refused", message=message, url=exchange.url)
        return
    try:
        rows = mapping(decode_rows(exchange.body)).get("posts")
    except ValueError as error:
        raise Unreadable("the list of posts is no JSON; pages and feed are read instead") from error
    if not isinstance(rows, list):
        raise Unreadable("the answer holds no list of posts; pages and feed are read instead")
    for row in map(mapping, rows):
        link = string(row.get("url"))
        address = page.address_of(string(row.get("id")))
        if not is_web_address(link) or address is None:
            continue
        post = _post(row, canonical_url(link), address)
        yield Sighting(
            url=canonical_url(link),
            listed_url=as_listed(link),
            source="listing",
            addresses=(address,),
            lastmod=string(row.get("updated_at")) or None,
            title=post.title,
            published_at=post.published_at,
        )
        yield post


def _post(row: Mapping[str, Any], url: str, address: str) -> Post:
    post_id = address.partition(":")[2]
    post = Post(platform="ghost", platform_post_id=post_id, url=url, slug=string(row.get("slug")) or None)
    post.addresses, post.comments_key = (url, address), post_id
    post.title = clean(string(row.get("title")))
    authors, tags = (list(map(mapping, sequence(row.get(name)))) for name in ("authors", "tags"))
    post.author = next((clean(string(author.get("name"))) for author in authors), None)
    post.published_raw = string(row.get("published_at")) or None
    post.published_at, post.modified_at = iso_date(post.published_raw), iso_date(string(row.get("updated_at")))
    post.excerpt = clean(string(row.get("custom_excerpt")))
    post.cover_image_url = string(row.get("feature_image")) or None
    post.minutes_to_read = count(row.get("reading_time")) or None
    names = (clean(string(tag.get("name"))) for tag in tags if tag.get("visibility") != "internal")
    post.tags = tuple(dict.fromkeys(name for name in names if name and not name.startswith("#")))
    post.access = _ACCESS.get(string(row.get("visibility")))
    if row.get("access") is not False and string(row.get("html")):
        page.read_html(post, string(row.get("html")), url)
    fields = (
        "title",
        "author",
        "published_at",
        "published_raw",
        "modified_at",
        "excerpt",
        "cover_image_url",
        "minutes_to_read",
        "tags",
        "access",
        "body_html",
        "body_text",
        "word_count",
        "links",
        "images",
    )
    post.sources = {name: "api" for name in fields if getattr(post, name)}
    return post
