"""Answers to the scripts of a rendered Wix page, recognised by the shape of the JSON at any address.

*Recognised by* keys that only these services use, with what is below them: `postPageMetadata.postMetadata`,
`postFeedMetadataPage.postMetrics`, `postPage.post`, `postFeedPage.posts`, lists of comments and of members.

*Caveats* a site may call undocumented addresses, so that only the answer shows what it is. Where neither the answer
nor its request names a post, it is the post of the page. Any other shape gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from courlan import extract_domain

from scraper.addresses import same_site
from scraper.items import Exchange, Item
from scraper.platforms._json import decode, dig, mapping, sequence, string
from scraper.platforms.wix import address
from scraper.platforms.wix.services import api
from scraper.platforms.wix.services.comment_request import rendered_post
from scraper.platforms.wix.services.counters_api import SLUG_MARK, slug_of
from scraper.platforms.wix.services.post_json import addresses_of
from scraper.platforms.wix.warmup import INTERNAL_ID, UUID

_ADAPTER = "blog-frontend-adapter-public/v2"
_STATUSES = {"PUBLISHED", "DELETED", "PENDING", "HIDDEN"}
# Every answer that is read here contains one of these words; others are not decoded.
_WORDS = (b'"postPage', b'"postFeed', b'"comments"', b'"comment"', b'"members"')
# Hosts of Wix's own services; sites of its customers are elsewhere.
_SERVICES = (".wix.com", ".wixapis.com", ".wixapps.net")
# "/voices/64ddbf6a1737d98af033206f/list": an id in a path belongs to the post, not to the endpoint
_ID = re.compile(f"{UUID.pattern}|{INTERNAL_ID.pattern}", re.I)


def is_of_site(exchange: Exchange) -> bool:
    """Return whether the answer comes from the page's site, a host of the same domain, or one of Wix's services.

    An answer to an advertisement or a chat from its own host may have any shape, and is not about this blog.
    """
    page = exchange.page or exchange.url
    if same_site(exchange.url, page):
        return True
    try:
        host, own = f".{urlsplit(exchange.url).hostname}", f".{(urlsplit(page).hostname or '').removeprefix('www.')}"
    except ValueError:
        return False
    if host.endswith(address.FREE_HOSTS):
        return False
    domain = extract_domain(page)  # None where the ending is not a public suffix
    return host.endswith((*_SERVICES, own, f".{domain or own[1:]}"))


def claims(exchange: Exchange) -> bool:
    """Return whether the answer has one of the shapes."""
    return _service_call(exchange) is not None


def read(exchange: Exchange) -> Iterator[Item]:
    """Yield the items of an answer of one of the shapes; none for any other. Never raises."""
    call = _service_call(exchange)
    return api.read(exchange, call) if call is not None else iter(())


def unknown_comment_endpoint(exchange: Exchange) -> str | None:
    """Return the endpoint of comments that only their shape identified; see `Platform.unknown_comment_endpoint`."""
    call = None if api.reads(exchange.url) else _service_call(exchange)
    if call is None or call.service != "comments":
        return None
    parts = urlsplit(exchange.url)
    names = "&".join(dict.fromkeys(name for name, _ in parse_qsl(parts.query, keep_blank_values=True)))
    is_elsewhere = not same_site(exchange.url, exchange.page or exchange.url)
    path = _ID.sub("{id}", parts.path)
    return (f"{parts.scheme}://{parts.netloc}" if is_elsewhere else "") + path + (f"?{names}" if names else "")


def is_token_answer(body: bytes) -> bool:
    """Return whether this is the JSON that issues a visitor's tokens: `{"apps": {"<id>": {"instance": "..."}}}`."""
    if b'"apps"' not in body or not (b'"instance"' in body or b'"accessToken"' in body):
        return False
    try:
        apps = mapping(dig(decode(body), "apps")).values()
    except ValueError:
        return False
    return any(mapping(app).keys() & {"instance", "accessToken"} for app in apps)


def _service_call(exchange: Exchange) -> api.ServiceCall | None:
    """Return the call that the answer belongs to, by its shape."""
    if exchange.body.lstrip()[:1] != b"{" or not any(word in exchange.body for word in _WORDS):
        return None
    try:
        value = decode(exchange.body)
    except ValueError:
        return None
    service, path = next(((service, path) for service, path, has_shape in _SHAPES if has_shape(value)), ("", ""))
    if not service:
        return None
    page = exchange.page or exchange.url
    # The root as the page spells it, so that root + "/post/" + slug is the page's own address: "https://a.example/es"
    root = page.partition(SLUG_MARK)[0] if address.is_post(page) and SLUG_MARK in page else address.root(page)
    return api.ServiceCall(root=root, service=service, path=path, post=_own_post(value, exchange))


def _own_post(value: object, exchange: Exchange) -> str:
    """Return the address of the page's post, where the answer about one post names the same slug, or no slug."""
    (page,) = rendered_post(exchange) or ("",)
    post = mapping(dig(value, "postPage", "post"))
    named = string(dig(value, "postPageMetadata", "id")) or string(post.get("slug"))
    if page and not named:
        return "" if any(url.startswith("http") for url in addresses_of(post, "")) else page
    return page if named and named in (slug_of(page) if page else None, address.slug(page)) else ""


def _is_comments(value: Any) -> bool:
    """Return whether it is a list of comments with its paging, or one thread.

    Each comment of Wix has one of its statuses or a Ricos body.
    """
    listed = [*sequence(dig(value, "comments")), *sequence(dig(value, "replies"))]
    listed += [dig(value, "comment")] if mapping(dig(value, "comment")) else []
    if not listed:
        return isinstance(dig(value, "comments"), list) and bool(value.keys() & {"commentReplies", "pagingMetadata"})
    return all(
        string(dig(raw, "id")) and (dig(raw, "status") in _STATUSES or mapping(dig(raw, "content", "richContent")))
        for raw in listed
    )


def _is_members(value: Any) -> bool:
    listed = sequence(dig(value, "members"))
    return bool(listed) and all(string(dig(raw, "id")) and mapping(dig(raw, "profile")) for raw in listed)


# Service and path, as in the known addresses, and a test of the shape.
_SHAPES: tuple[tuple[str, str, Callable[[Any], object]], ...] = (
    (_ADAPTER, "post-page-metadata", lambda value: mapping(dig(value, "postPageMetadata", "postMetadata"))),
    (_ADAPTER, "post-feed-page-metadata", lambda value: mapping(dig(value, "postFeedMetadataPage", "postMetrics"))),
    (_ADAPTER, "post-page", lambda value: mapping(dig(value, "postPage", "post"))),
    (_ADAPTER, "post-feed-page", lambda value: sequence(dig(value, "postFeedPage", "posts", "posts"))),
    ("comments", "comments", _is_comments),
    ("members", "members", _is_members),
)
