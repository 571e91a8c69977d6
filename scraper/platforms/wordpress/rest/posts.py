"""Posts as the REST API gives them: with their whole text, or in a list of addresses and dates of change alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from scraper.addresses import as_listed, canonical_url, is_web_address, same_site
from scraper.items import Access, Exchange, Item, Post, Reading, Sighting
from scraper.platforms._dates import iso_date
from scraper.platforms._json import count, dig, mapping, printed, sequence, string
from scraper.platforms._values import clean
from scraper.platforms.wordpress.address import id_of_guid, query_of
from scraper.platforms.wordpress.rest.dates import LocalTimes
from scraper.platforms.wordpress.rest.text import plain, read_content

# Types of WordPress and of builders and shops that are no posts, though the API lists them with an address.
NO_POSTS = frozenset(
    (
        "page attachment nav_menu_item revision product product_variation elementor_library e-landing-page "
        "e-floating-buttons fl-builder-template et_pb_layout ct_template oxy_user_library"
    ).split()
)
_FIELDS = (
    "title",
    "author",
    "published_at",
    "published_raw",
    "modified_at",
    "slug",
    "url",
    "excerpt",
    "cover_image_url",
    "access",
    "body_html",
    "body_text",
    "word_count",
    "categories",
    "tags",
    "links",
    "images",
    "views",
    "views_raw",
)


def is_entry(row: Mapping[str, Any]) -> bool:
    """Return whether a row describes a published post of some type, with its number and address.

    Users and terms have number and address too, and no type.
    """
    kind, status = string(row.get("type")), string(row.get("status"))
    is_type = kind not in ("", *NO_POSTS) and not kind.startswith("wp_")
    return is_type and status in ("", "publish") and id_of(row) is not None and is_web_address(string(row.get("link")))


def id_of(row: Mapping[str, Any]) -> str | None:
    """Return the row's number as text; None where it has none."""
    number = count(row.get("id"))
    return str(number) if number else None


def read_posts(exchange: Exchange, rows: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    """Yield a `Sighting` for each row, and its `Post` where the row holds a text; else a `Reading` of its counters."""
    times = LocalTimes(rows)
    for row in rows:
        link = string(row["link"])
        addresses = addresses_of(row, exchange.url)
        published = times.moment(row, "date")
        yield Sighting(
            url=addresses[0],
            source="listing",
            listed_url=as_listed(link),
            addresses=addresses[1:],
            lastmod=modified_of(row),
            title=plain(_rendered(row, "title")),
            published_at=published,
        )
        if isinstance(dig(row, "content", "rendered"), str):
            yield _post(row, addresses, link, published)
        elif "views" in row:
            yield Reading(post=addresses, views=count(row["views"]), views_raw=printed(row["views"]))


def addresses_of(row: Mapping[str, Any], base: str) -> tuple[str, ...]:
    """Return the post's addresses: its link, `wordpress:ID`, and its short link where the guid is one of this site."""
    url, guid = canonical_url(string(row["link"])), canonical_url(_rendered(row, "guid"))
    is_short = id_of_guid(guid) == id_of(row) and same_site(guid, base)
    return tuple(dict.fromkeys((url, f"wordpress:{id_of(row)}", *((guid,) if is_short else ()))))


def modified_of(row: Mapping[str, Any]) -> str | None:
    """Return when the post was last changed, in UTC: `modified_gmt` has no zone; None where the row has none."""
    return _utc(string(row.get("modified_gmt")))


def _utc(text: str) -> str | None:
    return iso_date(f"{text}Z") if text and text[-1].isdigit() else iso_date(text)


def _rendered(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return string(value if isinstance(value, str) else dig(value, "rendered"))


def _post(row: Mapping[str, Any], addresses: tuple[str, ...], link: str, published: str | None) -> Post:
    locked = dig(row, "content", "protected") is True
    access: Access = "password" if locked else "public"
    body = None if locked else read_content(_rendered(row, "content"), link)
    post = Post(
        platform="wordpress",
        platform_post_id=id_of(row),
        url=addresses[0],
        slug=clean(unquote(string(row.get("slug")), errors="replace")),
        title=plain(_rendered(row, "title")),
        author=_author(row),
        published_at=published,
        modified_at=modified_of(row),
        published_raw=string(row.get("date")) or None,
        access=access,
        excerpt=None if locked else plain(_rendered(row, "excerpt")),
        cover_image_url=_cover(row),
        categories=_labels(row, "category"),
        tags=_labels(row, "tag"),
        views=count(row.get("views")),
        views_raw=printed(row.get("views")),
        addresses=addresses,
        author_person=_person(row),
    )
    if body is not None:
        post.body_html, post.body_text, post.links, post.images = body.html, body.text, body.links, body.images
        post.word_count = len((body.text or "").split())
    post.sources = {name: "api" for name in _FIELDS if getattr(post, name) not in (None, ())}
    return post


def _embedded(row: Mapping[str, Any], name: str) -> Sequence[Any]:
    return sequence(dig(row, "_embedded", name))


def _author(row: Mapping[str, Any]) -> str | None:
    """Return the author's display name; a site that hides its users gives an error in its place."""
    for user in map(mapping, _embedded(row, "author")):
        if "code" not in user:
            return plain(string(user.get("name")))
    return None


def _person(row: Mapping[str, Any]) -> str | None:
    number = count(row.get("author"))
    return f"user:{number}" if number else None


def _cover(row: Mapping[str, Any]) -> str | None:
    """Return the address of the featured picture; a post may name one that no longer exists."""
    for media in map(mapping, _embedded(row, "wp:featuredmedia")):
        if is_web_address(string(media.get("source_url"))):
            return canonical_url(string(media["source_url"]))
    jetpack = string(row.get("jetpack_featured_media_url"))
    return canonical_url(jetpack) if is_web_address(jetpack) else None


def _labels(row: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """Return the names of a post's terms: of the taxonomies "category" or "post_tag", and of others named so."""
    labels: dict[str, None] = {}
    for terms in _embedded(row, "wp:term"):
        for term in map(mapping, sequence(terms)):
            taxonomy, name = string(term.get("taxonomy")), plain(string(term.get("name")))
            if name and kind == taxonomy_kind(taxonomy):
                labels[name] = None
    return () if kind in lacking_terms(row) else tuple(labels)


def lacking_terms(row: Mapping[str, Any]) -> Sequence[str]:
    """Return "category" or "tag" where a post has more of them than are embedded: WordPress embeds the first ten."""
    embedded = Counter(
        taxonomy_kind(string(dig(term, "taxonomy"))) for terms in _embedded(row, "wp:term") for term in sequence(terms)
    )
    numbers = {"category": len(sequence(row.get("categories"))), "tag": len(sequence(row.get("tags")))}
    return [kind for kind, number in numbers.items() if embedded[kind] < number]


def read_terms(exchange: Exchange, rows: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    """Yield the categories or tags of the one post for which they were requested: a `Post` with these alone."""
    number = query_of(exchange.url).get("post", "")
    kinds = {taxonomy_kind(string(row.get("taxonomy"))) for row in rows}
    labels = tuple(dict.fromkeys(filter(None, (plain(string(row.get("name"))) for row in rows))))
    if not number.isdigit() or not labels or len(kinds) != 1:
        return
    post = Post(platform="wordpress", platform_post_id=number, addresses=(f"wordpress:{number}",))
    if kinds == {"category"}:
        post.categories, post.sources = labels, {"categories": "api"}
        yield post
    elif kinds == {"tag"}:
        post.tags, post.sources = labels, {"tags": "api"}
        yield post


# Taxonomies of other post types: "news_category", "article-categories", "topic"; "news_tag", "blog-tags"
_CATEGORY_ENDS = ("category", "categories", "cat", "topic", "topics")
_TAG_ENDS = ("tag", "tags")


def taxonomy_kind(taxonomy: str) -> str | None:
    """Return "category" or "tag" for a taxonomy of that meaning; None for any other, such as "post_format"."""
    last = taxonomy.replace("-", "_").rpartition("_")[2]
    return "category" if last in _CATEGORY_ENDS else "tag" if last in _TAG_ENDS else None
