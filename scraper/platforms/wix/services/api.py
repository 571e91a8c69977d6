"""Answers of the services behind a Wix blog -> items. (`counters_api` and `comments` make the requests.)

*Recognised by* the address alone: `/_api/blog-frontend-adapter-public/...` (before autumn 2024 also without `/_api`),
`/_api/communities-blog-node-api/...` (its predecessor, also `v3/posts/query`), comments, members, access tokens, each
below the site's root (free sites: `https://user.wixsite.com/site`) or on `www.wixapis.com`.

*Sources* answers embedded in pages captured from 2022 to 2026. Posts up to 2024 hold `metrics` and `postCountInfo`,
later ones do not; `post-page-metadata` and `post-feed-page-metadata` give the same numbers separately.

*Caveats* a zero counts only where the number is printed; an empty `postMetrics` gives no numbers. Answers that are
refused or unreadable give one `Problem`; nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from scraper.addresses import is_web_address
from scraper.items import Author, Exchange, Item, Problem, Sighting
from scraper.platforms._dates import iso_date
from scraper.platforms._json import decode, dig, mapping, sequence, string
from scraper.platforms._values import clean
from scraper.platforms.wix.services import comments
from scraper.platforms.wix.services.counters_api import counters
from scraper.platforms.wix.services.post_json import (
    addresses_of,
    canonical,
    metrics,
    owner,
    platform_address,
    post_of,
    reading,
)

__all__ = ["addresses_of", "counters", "is_api_url", "post_of", "read", "reads"]

# "/mysite/_api/blog-frontend-adapter-public/v2/post-page/my-slug": site "/mysite", service, call "post-page/my-slug"
SERVICE = re.compile(
    r"(?P<site>.*?)(?:/_api)?/(?P<service>blog-frontend-adapter-public/v\d+|communities-blog-node-api/(?:_api|v\d+))"
    r"/(?P<call>.+)"
)
# "/_api/comments/v1/comments/list-by-resource", "/_api/members/v1/members/query"; on www.wixapis.com without "/_api"
COMMUNITY = re.compile(
    r"(?P<site>.*?)(?P<api>/_api)?/(?P<service>comments|members)/v\d+/(?P<call>(?:comments|members)\b.*)"
)
# "/_api/v1/access-tokens", "/mysite/_api/v2/dynamicmodel"
TOKENS = re.compile(r"(?P<site>.*?)/_api/(?P<service>v1/access-tokens|v2/dynamicmodel)(?P<call>)/?$")
PUBLIC_HOSTS = ("www.wixapis.com", "wixapis.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCall:
    """A call of a service: which service, which call, and the root of the site below which its address is."""

    root: str
    service: str
    path: str  # below the service, unescaped: "post-page/my-slug"
    post: str = ""  # address of the post that the call is about, where something else than the address names it


@lru_cache(maxsize=256)  # several functions parse the address of each answer
def _service_call(url: str) -> ServiceCall | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    public = parts.hostname in PUBLIC_HOSTS
    for pattern in (SERVICE, COMMUNITY, TOKENS):
        match = pattern.match(parts.path)
        if match and (pattern is not COMMUNITY or public or match["api"]):
            root = f"{parts.scheme}://{parts.netloc.lower()}{match['site']}"
            return ServiceCall(root=root, service=match["service"], path=unquote(match["call"]))
    return ServiceCall(root="", service="", path=parts.path) if public else None


def is_api_url(url: str) -> bool:
    """Return whether the address is one of Wix's services, on any site."""
    return _service_call(url) is not None


def reads(url: str) -> bool:
    """Return whether the address alone determines how its answer is read."""
    call = _service_call(url)
    return call is not None and _reader(call) is not None


def gives_tokens(url: str) -> bool:
    """Return whether the address is the one that issues a visitor's tokens."""
    return TOKENS.match(urlsplit(url).path) is not None


# How the answer about one post begins, served alone or as stored in the page.
POST_ANSWER = (b'{"postPage":', b'{"postPageResponse":')


def is_post_answer(body: bytes) -> bool:
    """Return whether the body is a saved answer about one post, by its first key."""
    return b"".join(body[:200].split()).startswith(POST_ANSWER)


def read_post_answer(exchange: Exchange) -> Iterator[Item]:
    """Yield the items of a saved answer about one post whose address is not known. Never raises."""
    try:
        value = decode(exchange.body)
    except ValueError:
        yield Problem(kind="malformed-json", message="an unreadable document", url=exchange.url or None)
        return
    yield from _post_page(
        dig(value, "postPageResponse", "data") or value, ServiceCall(root="", service="", path=""), exchange
    )


def read(exchange: Exchange, call: ServiceCall | None = None) -> Iterator[Item]:
    """Yield the items of one answer; a `Problem` for one that is refused, cut or not JSON. Never raises.

    `call`: what it answers, where that is known from something else than its address.
    """
    call = call or _service_call(exchange.url)
    if call is None or 300 <= exchange.status < 400:
        return
    name = call.path or call.service
    if not 200 <= exchange.status < 300:
        if exchange.status == 404 and call.path.startswith("post-page-metadata/"):
            # This is the answer for a post whose owner hides its counters.
            yield Problem(
                kind="no-counters", message=f"{name}: the site gives no counters for this post", url=exchange.url
            )
        elif (
            call.service != "v2/dynamicmodel"
        ):  # requested only after access-tokens was refused, which is a problem already
            message = f"{name}: answered {exchange.status}; the values it gives stay unknown"
            yield Problem(kind="api-refused", message=message, url=exchange.url)
        return
    reader = _reader(call)
    if reader is None:
        return
    try:
        value = decode(exchange.body)
    except ValueError:
        page = exchange.body.lstrip()[:1] == b"<"
        message = f"{name}: {'an HTML page' if page else 'an unreadable document'} instead of JSON"
        yield Problem(kind="malformed-json", message=message, url=exchange.url)
        return
    yield from reader(value, call, exchange)


Reader = Callable[[Any, ServiceCall, Exchange], Iterator[Item]]


def _reader(call: ServiceCall) -> Reader | None:
    """Return the function that reads the answer; None for answers of no use here (tokens, categories, settings)."""
    family, name = call.service.split("/")[0], call.path.split("/")[0]
    if family == "comments":
        return lambda value, _, exchange: comments.read_comments(value, exchange)
    if family == "members":
        return lambda value, _, __: comments.read_members(value)
    if family == "blog-frontend-adapter-public":
        return {
            "post-page": _post_page,
            "post-page-metadata": _post_metadata,
            "post-feed-page": _feed_page,
            "post-feed-page-metadata": _feed_metadata,
        }.get(name)
    if family == "communities-blog-node-api" and name == "posts":
        return _legacy
    return None


def _missing(field: str, exchange: Exchange) -> Problem:
    message = f"the answer has no {field}: its shape is not known"
    return Problem(kind="missing-field", message=message, url=exchange.url, field=field)


def _post_page(value: Any, call: ServiceCall, exchange: Exchange) -> Iterator[Item]:
    page = mapping(dig(value, "postPage"))
    if mapping(page.get("post")):
        post = post_of(page, call.root)
        if call.post and not any(map(is_web_address, post.addresses)):
            post.addresses = (call.post, *post.addresses)
        yield post
    else:
        yield _missing("postPage.post", exchange)


def _post_metadata(value: Any, call: ServiceCall, exchange: Exchange) -> Iterator[Item]:
    about = mapping(dig(value, "postPageMetadata"))
    if not mapping(about.get("postMetadata")):
        yield _missing("postPageMetadata.postMetadata", exchange)
    slug = call.path.partition("/")[2] or string(about.get("id"))
    name = call.post or platform_address(slug) or (canonical(f"{call.root}/post/{slug}") if slug else None)
    if name:
        yield from reading(about.get("postMetadata"), (name,))
    # relatedPostsMetadata holds numbers of other posts, older than those posts' own answers: they are never read.


def _feed_page(value: Any, call: ServiceCall, exchange: Exchange) -> Iterator[Item]:
    posts = dig(value, "postFeedPage", "posts", "posts")
    if not isinstance(posts, list):
        yield _missing("postFeedPage.posts", exchange)
    for post in sequence(posts):
        yield from _listed(mapping(post), call.root)


def _feed_metadata(value: Any, call: ServiceCall, exchange: Exchange) -> Iterator[Item]:
    metrics = dig(value, "postFeedMetadataPage", "postMetrics")
    if not isinstance(metrics, dict):
        yield _missing("postFeedMetadataPage.postMetrics", exchange)
    for name, numbers in mapping(metrics).items():
        address = platform_address(name)
        if address:
            yield from reading(numbers, (address,))


def _legacy(value: Any, call: ServiceCall, exchange: Exchange) -> Iterator[Item]:
    """communities-blog-node-api: one post (bare or below `post`), or many (an array, or below `posts`)."""
    many = value if isinstance(value, list) else dig(value, "posts")
    if isinstance(many, list):
        for post in many:
            yield from _listed(mapping(post), call.root)
        return
    post = mapping(dig(value, "post")) or mapping(value)
    if string(post.get("slug")) or string(post.get("title")):
        yield post_of({"post": post, "categories": post.get("categories"), "tags": post.get("tags")}, call.root)
    else:
        yield _missing("post", exchange)


def _listed(post: Mapping[str, Any], root: str) -> Iterator[Item]:
    """Yield what a list says of a post: its address and title, its author, and (up to 2024) its numbers."""
    addresses = addresses_of(post, root)
    if addresses and not addresses[0].startswith("wix:"):
        yield Sighting(
            url=addresses[0],
            source="listing",
            addresses=addresses[1:],
            lastmod=string(post.get("lastPublishedDate")) or None,
            title=clean(string(post.get("title"))),
            published_at=iso_date(string(post.get("firstPublishedDate"))),
        )
    if addresses:
        yield from reading(metrics(post), addresses)
    author, person = clean(string(dig(post, "owner", "name"))), owner(post)
    if author and person:
        yield Author(name=author, person=person)
