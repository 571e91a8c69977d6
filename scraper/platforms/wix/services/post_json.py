"""A post as the services describe it: the object that post pages, the feed and both API generations share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any
from urllib.parse import urljoin

from scraper.addresses import canonical_url, is_web_address
from scraper.items import Post, Reading, Related
from scraper.platforms._dates import iso_date
from scraper.platforms._json import count, dig, mapping, printed, sequence, string
from scraper.platforms._values import clean
from scraper.platforms.wix.richtext.ricos import render
from scraper.platforms.wix.richtext.ricos_media import media_url
from scraper.platforms.wix.services import comments
from scraper.platforms.wix.warmup import INTERNAL_ID, UUID

# How each generation names the same three numbers.
COUNTS = {
    "views": ("viewCount", "views"),
    "likes": ("likeCount", "likes"),
    "comments_count": ("totalComments", "comments", "commentCount"),
}


def metrics(post: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object that holds a post's numbers: `metrics`, `postCountInfo`, or (legacy API) the post itself."""
    return mapping(post.get("metrics")) or mapping(post.get("postCountInfo")) or post


def _counts(numbers: object) -> dict[str, Any]:
    """Return the counters of an object by their names in `Reading`; a number out of bounds only in its raw form."""
    found: dict[str, Any] = {}
    for field, names in COUNTS.items():
        given = next((value for name in names if (value := mapping(numbers).get(name)) is not None), None)
        found[field], found[f"{field}_raw"] = count(given), printed(given)
    return found


def reading(numbers: object, addresses: tuple[str, ...]) -> Iterator[Reading]:
    """Yield a `Reading` of the numbers; none where the object holds none."""
    found = _counts(numbers)
    if any(value is not None for value in found.values()):
        yield Reading(post=addresses, **found)


def canonical(url: str) -> str | None:
    """Return the canonical spelling of a web address; None for anything else."""
    spelled = canonical_url(url)
    return spelled if is_web_address(spelled) else None


def platform_address(name: str) -> str | None:
    """Return `wix:<id>` for the two forms of ids that Wix gives posts; None for anything else."""
    return f"wix:{name.lower()}" if UUID.fullmatch(name) or INTERNAL_ID.fullmatch(name) else None


def addresses_of(post: Mapping[str, Any], root: str) -> tuple[str, ...]:
    """Return every address that a post object gives: URL, `wix:<uuid>`, `wix:<internalId>`. `root` is the site's."""
    base = string(dig(post, "url", "base")) or root
    path, slug = string(dig(post, "url", "path")), string(post.get("slug"))
    url = canonical(base.rstrip("/") + (path or f"/post/{slug}")) if path or slug else None
    ids = [platform_address(string(post.get(name))) for name in ("id", "_id", "internalId")]
    return tuple(dict.fromkeys(address for address in (url, *ids) if address))


def _labels(page: Mapping[str, Any], name: str, ids: object) -> tuple[str, ...]:
    """Return labels of categories or tags: of those that the post names by id, in its order; else of all."""
    entries = {string(dig(entry, "id")): mapping(entry) for entry in sequence(page.get(name))}
    wanted = [entries[key] for key in map(string, ids) if key in entries] if isinstance(ids, list) else entries.values()
    labels = (clean(string(entry.get("label") or entry.get("title"))) for entry in wanted)
    return tuple(dict.fromkeys(label for label in labels if label))


def _related(page: Mapping[str, Any], root: str) -> Iterator[Related]:
    for position, card in enumerate(map(mapping, sequence(page.get("relatedPosts"))), start=1):
        address = next((address for address in addresses_of(card, root) if not address.startswith("wix:")), None)
        title, excerpt = clean(string(card.get("title"))), clean(string(card.get("excerpt")))
        yield Related(position=position, title=title, url=address, excerpt=excerpt)


def owner(post: Mapping[str, Any]) -> str | None:
    """Return the platform's id of the author, as `Comment.person` has it."""
    name = string(dig(post, "owner", "siteMemberId"))
    return comments.member(name) if name else None


def _cover(post: Mapping[str, Any]) -> str | None:
    paths = (("media", "wixMedia", "image"), ("media", "embedMedia", "thumbnail"), ("coverMedia", "image"))
    return next(filter(None, (media_url(dig(post, *path)) for path in (*paths, ("coverImage", "src")))), None)


def post_of(page: Mapping[str, Any], root: str) -> Post:
    """Return the post of a `postPage` object: `post`, and beside it `categories`, `tags`, `relatedPosts`.

    `root`: of the site. Every value is of source "api". `body_*` are None where the answer has no content.
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
        body_html=body.html,
        body_text=body.text,
        word_count=len(body.text.split()) if body.text else None,
        categories=_labels(page, "categories", raw.get("categoryIds")),
        tags=_labels(page, "tags", raw.get("tagIds")),
        links=tuple(replace(link, url=_joined(root, link.url)) for link in body.links),
        images=body.images,
        related_posts=tuple(_related(page, root)),
        addresses=addresses,
        author_person=owner(raw),
        comments_key=internal,
        **_counts(metrics(raw)),
    )
    without_source = {"platform", "sources", "comments", "addresses", "author_person", "comments_key"}
    values = {field.name: getattr(post, field.name) for field in fields(post) if field.name not in without_source}
    given = (name for name, value in values.items() if value not in (None, ()) and value is not False)
    post.sources = dict.fromkeys(given, "api")
    return post


def _joined(root: str, address: str) -> str:
    try:
        return urljoin(f"{root}/", address)
    except ValueError:
        return address
