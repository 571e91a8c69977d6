"""Any other page of a Wix site -> the posts that it names, and facts about the site.

The blog page, its further pages, categories, tags and hashtags, and any page with a list of posts on it. Two sources
name posts and give different facts: the links of the cards (address, title, the UUID of the card's menu
button), and the warm-up data of the feed (`postFeedPage`: both ids, dates; the counters, up to 2024).
[reference: sections 1.3 "Feed page", 2.1]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bs4 import Tag

from scraper.addresses import canonical_url, same_site
from scraper.items import Exchange, Item, Reading, Sighting, Site
from scraper.platforms._dates import iso_date, read_date
from scraper.platforms._html import text_of
from scraper.platforms._json import dig, mapping, sequence, string
from scraper.platforms._page import Head, encoding_of, read_head, scripts, utf8
from scraper.platforms._tree import ancestors
from scraper.platforms._values import clean
from scraper.platforms.wix import address
from scraper.platforms.wix.footer import numbers
from scraper.platforms.wix.head import own_url, timezone
from scraper.platforms.wix.hooks import Hooks
from scraper.platforms.wix.services import api
from scraper.platforms.wix.tree import soup
from scraper.platforms.wix.warmup import UUID, Warmup, read_warmup

_TITLES = ("post-list-item__title", "recent-post__title", "post-title")
# Hooks of the card around a link: list item, item of a gallery, whole post in the "full post" layout, "recent" card.
_CARDS = {"post-list-item", "item-container", "item-link-wrapper", "post", "recent-post-list-item"}
_MAX_POSTS = 1000
_LARGEST_CARD = 3000


def read_listing(exchange: Exchange) -> Iterator[Item]:
    """Yield a `Sighting` for each post, a `Reading` for each that the warm-up data counts, a `Site`. Never raises."""
    body = utf8(exchange)
    encoding = encoding_of(exchange, body)
    tree = soup(body, encoding)
    json_ld = scripts(body, b"application/ld+json", encoding)
    head = read_head(tree, json_ld, exchange.url)
    warmup = read_warmup(body, encoding, exchange.url, None)
    sightings = _of_warmup(warmup, exchange.url)
    for card in _of_cards(tree, head, exchange):
        known = sightings.get(card.url)
        sightings[card.url] = card if known is None else _joined(known, card)
    yield from sightings.values()
    for uuid, counts in warmup.feed_metrics.items():
        found = numbers(counts)
        if found and UUID.fullmatch(uuid):
            yield Reading(
                post=(f"wix:{uuid.lower()}",),
                views=found.get("views"),
                likes=found.get("likes"),
                comments_count=found.get("comments_count"),
                source="warmup",
            )
    yield Site(platform="wix", timezone=timezone(body), language=head.language)
    yield from head.problems
    yield from warmup.problems


def _of_warmup(warmup: Warmup, url: str) -> dict[str, Sighting]:
    """Return the posts of the feed's warm-up data, by canonical address."""
    root = address.root(url)
    found: dict[str, Sighting] = {}
    for feed in warmup.feeds:
        for post in map(mapping, sequence(dig(feed, "posts", "posts"))):
            first, *others = api.addresses_of(post, root) or ("",)
            if not first or first.startswith("wix:"):
                continue
            url = canonical_url(first)
            found[url] = Sighting(
                url=url,
                source="listing",
                addresses=tuple(others),
                lastmod=string(post.get("lastPublishedDate")) or None,
                title=clean(string(post.get("title"))),
                published_at=iso_date(string(post.get("firstPublishedDate"))),
            )
    return found


def _of_cards(tree: Tag, head: Head, exchange: Exchange) -> Iterator[Sighting]:
    """Yield the posts of this site that the page links to, with what their cards say; each once."""
    page = canonical_url(own_url(head, exchange.url))
    resolve = address.resolver(page, head.canonical)
    found: dict[str, Sighting] = {}
    examined = 0
    for link in tree.find_all("a", href=True):
        url = canonical_url(resolve(str(link["href"])))
        if not address.is_post(url) or not same_site(url, page) or len(found) > _MAX_POSTS:
            continue
        if url in found and found[url].title is not None:
            continue
        examined += 1  # a picture, a title and a button link to each post; a page with more is no page of a blog
        if examined > 4 * _MAX_POSTS:
            break
        card = next((parent for parent in ancestors(link) if str(parent.get("data-hook")) in _CARDS), None)
        hooks = Hooks(link if card is None else card, most=_LARGEST_CARD)
        sighting = Sighting(
            url=url,
            source="listing",
            addresses=_uuid(link, hooks),
            title=text_of(next(iter(hooks.all(*_TITLES)), None)),
            published_at=read_date(text_of(hooks.get("time-ago")), exchange.fetched_at, head.language),
        )
        known = found.get(url)
        found[url] = sighting if known is None else _joined(known, sighting)
    yield from found.values()


def _uuid(link: Tag, hooks: Hooks) -> tuple[str, ...]:
    """Return `wix:<uuid>` of a card: of `id="more-button-<uuid>"` in it, or `data-id` of the gallery item around it."""
    marked = [name for name, _ in hooks.ids if name.startswith("more-button-")]
    parents = (parent for parent in ancestors(link) if str(parent.get("data-hook")).startswith("item-"))
    items = [str(parent.get("data-id")) for parent in parents]
    found = next(filter(None, map(UUID.search, (*marked, *items))), None)
    return (f"wix:{found[0].lower()}",) if found else ()


def _joined(first: Sighting, second: Sighting) -> Sighting:
    """Return what two sightings of one post say; the first is trusted more."""
    return replace(
        first,
        addresses=tuple(dict.fromkeys(first.addresses + second.addresses)),
        title=first.title or second.title,
        published_at=first.published_at or second.published_at,
    )
