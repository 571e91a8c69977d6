"""Any other page of a Wix site -> the posts it names, and what it says of the site.

The blog page, its further pages, categories, tags and hashtags, and any page with a list of posts on it. Posts come
from two places that know different things: the links of the cards (address, title, the UUID of the card's menu
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
from scraper.platforms.wix import address, api
from scraper.platforms.wix.footer import numbers
from scraper.platforms.wix.head import own_url, timezone
from scraper.platforms.wix.hooks import Hooks
from scraper.platforms.wix.tree import soup
from scraper.platforms.wix.warmup import UUID, Warmup, read_warmup

_TITLES = ("post-list-item__title", "recent-post__title", "post-title")
# The card around a link: a list item, a gallery's item, a whole post in the "full post" layout, a "recent" card.
_CARDS = {"post-list-item", "item-container", "item-link-wrapper", "post", "recent-post-list-item"}
_MOST_POSTS = 1000
_LARGEST_CARD = 3000


def read_listing(exchange: Exchange) -> Iterator[Item]:
    """A `Sighting` a post that the page names, a `Reading` where the warm-up data counts, a `Site`. Never raises."""
    body = utf8(exchange)
    encoding = encoding_of(exchange, body)
    tree = soup(body, encoding)
    linked = scripts(body, b"application/ld+json", encoding)
    head = read_head(tree, linked, exchange.url)
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
    """The posts of the feed's warm-up data, by canonical address."""
    root = address.root(url)
    found: dict[str, Sighting] = {}
    for feed in warmup.feeds:
        for post in map(mapping, sequence(dig(feed, "posts", "posts"))):
            first, *others = api.addresses_of(post, root) or ("",)
            if not first or first.startswith("wix:"):
                continue
            place = canonical_url(first)
            found[place] = Sighting(
                url=place,
                source="listing",
                addresses=tuple(others),
                lastmod=string(post.get("lastPublishedDate")) or None,
                title=clean(string(post.get("title"))),
                published_at=iso_date(string(post.get("firstPublishedDate"))),
            )
    return found


def _of_cards(tree: Tag, head: Head, exchange: Exchange) -> Iterator[Sighting]:
    """The posts of this site that links of the page lead to, with what their cards say; each once."""
    page = canonical_url(own_url(head, exchange.url))
    resolve = address.resolver(page, head.canonical)
    found: dict[str, Sighting] = {}
    looked = 0
    for link in tree.find_all("a", href=True):
        place = canonical_url(resolve(str(link["href"])))
        if not address.is_post(place) or not same_site(place, page) or len(found) > _MOST_POSTS:
            continue
        if place in found and found[place].title is not None:
            continue
        looked += 1  # a picture, a title and a button link to each post; more than that is no page of a blog
        if looked > 4 * _MOST_POSTS:
            break
        card = next((each for each in ancestors(link) if str(each.get("data-hook")) in _CARDS), None)
        hooks = Hooks(link if card is None else card, most=_LARGEST_CARD)
        sighting = Sighting(
            url=place,
            source="listing",
            addresses=_uuid(link, hooks),
            title=text_of(next(iter(hooks.all(*_TITLES)), None)),
            published_at=read_date(text_of(hooks.get("time-ago")), exchange.fetched_at, head.language),
        )
        known = found.get(place)
        found[place] = sighting if known is None else _joined(known, sighting)
    yield from found.values()


def _uuid(link: Tag, hooks: Hooks) -> tuple[str, ...]:
    """`wix:<uuid>` of a card: `id="more-button-<uuid>"` in it, or the `data-id` of the gallery's item around it."""
    marked = [name for name, _ in hooks.ids if name.startswith("more-button-")]
    items = [str(each.get("data-id")) for each in ancestors(link) if str(each.get("data-hook")).startswith("item-")]
    found = next(filter(None, map(UUID.search, (*marked, *items))), None)
    return (f"wix:{found[0].lower()}",) if found else ()


def _joined(one: Sighting, other: Sighting) -> Sighting:
    """What both say of one post; the first is trusted more."""
    return replace(
        one,
        addresses=tuple(dict.fromkeys(one.addresses + other.addresses)),
        title=one.title or other.title,
        published_at=one.published_at or other.published_at,
    )
