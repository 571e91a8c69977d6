"""Answers of the services behind a Wix blog -> items. (The asking is done in `conversation` and `comments`.)

*Recognised by* the address alone: `/_api/blog-frontend-adapter-public/...` (before autumn 2024 also without `/_api`),
`/_api/communities-blog-node-api/...` (its predecessor, also `v3/posts/query`), comments, members, access tokens, each
below the site's root (free sites: `https://user.wixsite.com/site`) or on `www.wixapis.com`.

*Sources* answers embedded in pages captured from 2022 to 2026. `metrics` and `postCountInfo` stand in posts up to
2024 and are gone since; `post-page-metadata` and `post-feed-page-metadata` give the same numbers apart.

*Caveats* a zero is a zero only where the number is printed; an empty `postMetrics` says nothing. Answers that are
refused or unreadable give one `Problem`; nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from scraper.addresses import canonical_url, is_web_address
from scraper.items import Author, Exchange, Item, Post, Problem, Reading, Related, Sighting
from scraper.platforms._readers import clean, iso_date
from scraper.platforms.wix import comments
from scraper.platforms.wix.conversation import counters
from scraper.platforms.wix.ricos import media_url, render
from scraper.platforms.wix.shapes import count, decode, dig, mapping, printed, sequence, string
from scraper.platforms.wix.warmup import INTERNAL_ID, UUID

__all__ = ["addresses_of", "claims", "counters", "post_of", "read"]

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

# How each generation names the same three numbers.
COUNTS = {
    "views": ("viewCount", "views"),
    "likes": ("likeCount", "likes"),
    "comments_count": ("totalComments", "comments", "commentCount"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Called:
    """What an address asks of which service, and the root of the site that it stands below."""

    root: str
    service: str
    call: str


def _called(url: str) -> _Called | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    public = parts.hostname in PUBLIC_HOSTS
    for pattern in (SERVICE, COMMUNITY, TOKENS):
        match = pattern.match(parts.path)
        if match and (pattern is not COMMUNITY or public or match["api"]):
            root = f"{parts.scheme}://{parts.netloc.lower()}{match['site']}"
            return _Called(root=root, service=match["service"], call=unquote(match["call"]))
    return _Called(root="", service="", call=parts.path) if public else None


def claims(url: str) -> bool:
    """The address is one of Wix's services, whatever the site."""
    return _called(url) is not None


def read(exchange: Exchange) -> Iterator[Item]:
    """The items of one answer; of one that is refused, cut or no JSON, a `Problem`. Never raises."""
    called = _called(exchange.url)
    if called is None or 300 <= exchange.status < 400:
        return
    name = called.call or called.service
    if not 200 <= exchange.status < 300:
        if exchange.status == 404 and called.call.startswith("post-page-metadata/"):
            # The answer for a post whose owner hides its counters.
            yield Problem(kind="no-counters", message=f"{name}: no counters are told", url=exchange.url)
        elif called.service != "v2/dynamicmodel":  # asked only where access-tokens was refused, which is told already
            message = f"{name}: answered {exchange.status}; what it would have told stays unknown"
            yield Problem(kind="api-refused", message=message, url=exchange.url)
        return
    reader = _reader(called)
    if reader is None:
        return
    try:
        value = decode(exchange.body)
    except ValueError:
        page = exchange.body.lstrip()[:1] == b"<"
        message = f"{name}: {'an HTML page' if page else 'a document that cannot be read'} instead of JSON"
        yield Problem(kind="malformed-json", message=message, url=exchange.url)
        return
    yield from reader(value, called, exchange)


Reader = Callable[[Any, _Called, Exchange], Iterator[Item]]


def _reader(called: _Called) -> Reader | None:
    """Who reads the answer; None for answers that hold nothing for the archive (tokens, categories, settings)."""
    family, call = called.service.split("/")[0], called.call.split("/")[0]
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
        }.get(call)
    if family == "communities-blog-node-api" and call == "posts":
        return _legacy
    return None


def _missing(field: str, exchange: Exchange) -> Problem:
    message = f"the answer has no {field}: another shape than was ever seen"
    return Problem(kind="missing-field", message=message, url=exchange.url, field=field)


def _post_page(value: Any, called: _Called, exchange: Exchange) -> Iterator[Item]:
    page = mapping(dig(value, "postPage"))
    if mapping(page.get("post")):
        yield post_of(page, called.root)
    else:
        yield _missing("postPage.post", exchange)


def _post_metadata(value: Any, called: _Called, exchange: Exchange) -> Iterator[Item]:
    about = mapping(dig(value, "postPageMetadata"))
    if not mapping(about.get("postMetadata")):
        yield _missing("postPageMetadata.postMetadata", exchange)
    slug = called.call.partition("/")[2] or string(about.get("id"))
    name = _platform_address(slug) or _canonical(f"{called.root}/post/{slug}")
    if slug and name:
        yield from _reading(about.get("postMetadata"), (name,))
    # relatedPostsMetadata holds numbers of other posts, older than those posts' own answers: they are never read.


def _feed_page(value: Any, called: _Called, exchange: Exchange) -> Iterator[Item]:
    posts = dig(value, "postFeedPage", "posts", "posts")
    if not isinstance(posts, list):
        yield _missing("postFeedPage.posts", exchange)
    for post in sequence(posts):
        yield from _listed(mapping(post), called.root)


def _feed_metadata(value: Any, called: _Called, exchange: Exchange) -> Iterator[Item]:
    metrics = dig(value, "postFeedMetadataPage", "postMetrics")
    if not isinstance(metrics, dict):
        yield _missing("postFeedMetadataPage.postMetrics", exchange)
    for name, numbers in mapping(metrics).items():
        address = _platform_address(name)
        if address:
            yield from _reading(numbers, (address,))


def _legacy(value: Any, called: _Called, exchange: Exchange) -> Iterator[Item]:
    """communities-blog-node-api: one post (bare or below `post`), or many (an array, or below `posts`)."""
    many = value if isinstance(value, list) else dig(value, "posts")
    if isinstance(many, list):
        for post in many:
            yield from _listed(mapping(post), called.root)
        return
    post = mapping(dig(value, "post")) or mapping(value)
    if string(post.get("slug")) or string(post.get("title")):
        yield post_of({"post": post, "categories": post.get("categories"), "tags": post.get("tags")}, called.root)
    else:
        yield _missing("post", exchange)


def _listed(post: Mapping[str, Any], root: str) -> Iterator[Item]:
    """A post in a list: it was there, who wrote it, and (up to 2024) its numbers."""
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
        yield from _reading(_metrics(post), addresses)
    author, person = clean(string(dig(post, "owner", "name"))), _owner(post)
    if author and person:
        yield Author(name=author, person=person)


def _metrics(post: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object that holds a post's numbers: `metrics`, its older twin, or (legacy API) the post itself."""
    return mapping(post.get("metrics")) or mapping(post.get("postCountInfo")) or post


def _counts(numbers: object) -> dict[str, Any]:
    """The counters of an object under their names in `Reading`; a number too large to be one only in its raw form."""
    found: dict[str, Any] = {}
    for field, names in COUNTS.items():
        given = next((value for name in names if (value := mapping(numbers).get(name)) is not None), None)
        found[field], found[f"{field}_raw"] = count(given), printed(given)
    return found


def _reading(numbers: object, addresses: tuple[str, ...]) -> Iterator[Reading]:
    found = _counts(numbers)
    if any(value is not None for value in found.values()):
        yield Reading(post=addresses, **found)


def _canonical(url: str) -> str | None:
    spelled = canonical_url(url)
    return spelled if is_web_address(spelled) else None


def _platform_address(name: str) -> str | None:
    """`wix:<id>` for the two forms of ids that Wix gives posts, None for anything else."""
    return f"wix:{name.lower()}" if UUID.fullmatch(name) or INTERNAL_ID.fullmatch(name) else None


def addresses_of(post: Mapping[str, Any], root: str) -> tuple[str, ...]:
    """Every address a post object gives: URL first, then `wix:<uuid>`, `wix:<internalId>`. `root` is the site's."""
    base = string(dig(post, "url", "base")) or root
    path, slug = string(dig(post, "url", "path")), string(post.get("slug"))
    url = _canonical(base.rstrip("/") + (path or f"/post/{slug}")) if path or slug else None
    ids = [_platform_address(string(post.get(name))) for name in ("id", "_id", "internalId")]
    return tuple(dict.fromkeys(address for address in (url, *ids) if address))


def _labels(page: Mapping[str, Any], name: str, ids: object) -> tuple[str, ...]:
    """Labels of categories or tags: of those whose ids the post names, in its order; of all where it names none."""
    entries = {string(dig(entry, "id")): mapping(entry) for entry in sequence(page.get(name))}
    wanted = [entries[key] for key in map(string, ids) if key in entries] if isinstance(ids, list) else entries.values()
    labels = (clean(string(entry.get("label") or entry.get("title"))) for entry in wanted)
    return tuple(dict.fromkeys(label for label in labels if label))


def _related(page: Mapping[str, Any], root: str) -> Iterator[Related]:
    for position, card in enumerate(map(mapping, sequence(page.get("relatedPosts"))), start=1):
        address = next((address for address in addresses_of(card, root) if not address.startswith("wix:")), None)
        title, excerpt = clean(string(card.get("title"))), clean(string(card.get("excerpt")))
        yield Related(position=position, title=title, url=address, excerpt=excerpt)


def _owner(post: Mapping[str, Any]) -> str | None:
    name = string(dig(post, "owner", "siteMemberId"))
    return comments.member(name) if name else None


def _cover(post: Mapping[str, Any]) -> str | None:
    places = (("media", "wixMedia", "image"), ("media", "embedMedia", "thumbnail"), ("coverMedia", "image"))
    return next(filter(None, (media_url(dig(post, *place)) for place in (*places, ("coverImage", "src")))), None)


def post_of(page: Mapping[str, Any], root: str) -> Post:
    """The post of a `postPage` object: `post`, and beside it `categories`, `tags`, `relatedPosts`. `root`: the site's.

    Every value is of source "api". `body_*` are None where the answer carries no content.
    """
    raw = mapping(page.get("post"))
    body = render(raw.get("richContent") or raw.get("content"))
    addresses = addresses_of(raw, root)
    url = next((address for address in addresses if not address.startswith("wix:")), None)
    ids = [address.removeprefix("wix:") for address in addresses if address.startswith("wix:")]
    internal = next((name for name in ids if INTERNAL_ID.fullmatch(name)), None)
    minutes = raw.get("minutesToRead")
    post = Post(
        platform="wix",
        platform_post_id=internal or (ids[0] if ids else None),
        url=url,
        slug=clean(string(raw.get("slug"))),
        title=clean(string(raw.get("title"))),
        author=clean(string(dig(raw, "owner", "name"))),
        published_at=iso_date(string(raw.get("firstPublishedDate"))),
        modified_at=iso_date(string(raw.get("lastPublishedDate"))),
        published_raw=string(raw.get("firstPublishedDate")) or None,
        language=clean(string(raw.get("language"))),
        excerpt=clean(string(raw.get("excerpt"))),
        minutes_to_read=minutes if isinstance(minutes, int) and not isinstance(minutes, bool) else None,
        cover_image_url=_cover(raw),
        body_html=body.html or None,
        body_text=body.text or None,
        word_count=len(body.text.split()) if body.text else None,
        categories=_labels(page, "categories", raw.get("categoryIds")),
        tags=_labels(page, "tags", raw.get("tagIds")),
        links=tuple(replace(link, url=_joined(root, link.url)) for link in body.links),
        images=body.images,
        related_posts=tuple(_related(page, root)),
        addresses=addresses,
        author_person=_owner(raw),
        comments_key=internal,
        **_counts(_metrics(raw)),
    )
    beside = {"platform", "sources", "comments", "addresses", "author_person", "comments_key"}
    values = {field.name: getattr(post, field.name) for field in fields(post) if field.name not in beside}
    given = (name for name, value in values.items() if value not in (None, ()) and value is not False)
    post.sources = dict.fromkeys(given, "api")
    return post


def _joined(root: str, address: str) -> str:
    try:
        return urljoin(f"{root}/", address)
    except ValueError:
        return address
