"""The posts that a listing names: cards with a link and a date, microformats, microdata, JSON-LD.

A page that names others is not thereby a listing: a post has cards of others, too. Its platform decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from lxml.html import HtmlElement

from scraper.addresses import as_listed, canonical_url, post_key, same_site
from scraper.items import Sighting
from scraper.platforms._article.dates import printed_date
from scraper.platforms._article.dom import Tree, around, matching, text_of
from scraper.platforms._article.ld import LinkedData, type_of
from scraper.platforms._dates import iso_date

_ENTRIES = (".h-entry", ".hentry", '[itemtype$="/BlogPosting"]', '[itemtype$="/Article"]', '[itemtype$="/NewsArticle"]')
_DATES = (
    "time",
    ".date",
    ".post-date",
    ".published",
    ".post-meta",
    ".entry-date",
    ".entry-meta",
    '[class*="date"]',
    '[class*="meta"]',
)
_LINKS = (".u-url", "h1 a[href]", "h2 a[href]", "h3 a[href]", "h4 a[href]", "h5 a[href]", "a[href]")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5"})
_HIGHEST = 6  # elements between a date and its card
_MAX_CARDS = 400  # cards of a page
_MORE = re.compile(r"^(?:read|more|continue|learn|view|weiter|leer|lire)\b", re.IGNORECASE)


def read_cards(tree: Tree, ld: LinkedData) -> list[Sighting]:
    """Return the pages of the own site that the page shows as dated entries, in its order, each once."""
    found: dict[str, Sighting] = {}
    for url, title, at in chain(_of_ld(ld), _of_entries(tree), _of_dates(tree)):
        address = canonical_url(url, tree.url)
        if not same_site(address, tree.url) or post_key(address) == post_key(tree.url):
            continue
        if len(found) >= _MAX_CARDS:
            break
        listed = as_listed(url, tree.url)
        found.setdefault(
            address,
            Sighting(
                url=address,
                source="listing",
                listed_url=listed if listed != address else None,
                title=title,
                published_at=at,
            ),
        )
    return list(found.values())


_Card = tuple[str, str | None, str | None]  # address as written, title, date


def _of_ld(ld: LinkedData) -> Iterator[_Card]:
    for entry in ld.objects:
        if not any(kind in type_of(entry) for kind in ("Blog", "ItemList", "CollectionPage")):
            continue
        if "Posting" in type_of(entry):
            continue
        for key in ("blogPost", "blogPosts", "itemListElement", "hasPart"):
            values: Any = entry.get(key)
            for value in values if isinstance(values, list) else ():
                value = value.get("item", value) if isinstance(value, dict) else value
                if isinstance(value, dict) and ("Posting" in type_of(value) or "Article" in type_of(value)):
                    url = value.get("url") or value.get("@id")
                    if isinstance(url, str):
                        title, date = value.get("headline"), value.get("datePublished")
                        yield (
                            url,
                            title if isinstance(title, str) else None,
                            iso_date(date if isinstance(date, str) else None),
                        )


def _of_entries(tree: Tree) -> Iterator[_Card]:
    entries = tree.all(*_ENTRIES)[:_MAX_CARDS]
    if len(entries) < 2:
        return
    for entry in entries:
        link = _link_of(entry)
        if link is not None:
            date = next((at for node in tree.within(entry, *_DATES)[:4] if (at := printed_date(node, None).at)), None)
            yield link.get("href") or "", text_of(link), date


def _of_dates(tree: Tree) -> Iterator[_Card]:
    """Yield the entries of a list that has no markup of its own: each holds one date and one link with a title."""
    cards = dict[HtmlElement, tuple[HtmlElement, str]]()
    language = tree.root.get("lang")
    for node in tree.all(*_DATES)[: _MAX_CARDS * 2]:
        at = printed_date(node, language).at
        if at is None:
            continue
        for depth, outer in enumerate(around(node)):
            if depth >= _HIGHEST or outer.tag in ("body", "main", "html"):
                break
            link = _link_of(outer)
            if link is not None:
                cards.setdefault(link, (outer, at))
                break
    if len(cards) < 2:
        return
    for link, (_, at) in cards.items():
        yield link.get("href") or "", text_of(link), at


def _link_of(card: HtmlElement) -> HtmlElement | None:
    """Return the link of a card to its post: the one in a heading, or around it, else the only one with words."""
    links = [link for link in matching(card, *_LINKS) if _leads_on(link.get("href") or "")]
    if card.tag == "a" and _leads_on(card.get("href") or ""):
        return card
    titled = [link for link in links if _has_heading(link)]
    if titled:
        return titled[0]
    worded = [link for link in links if len(text_of(link) or "") > 12 and not _MORE.match(text_of(link) or "")]
    targets = {post_key(canonical_url(link.get("href") or "", "http://x/")) for link in worded}
    return worded[0] if len(targets) == 1 else None


def _has_heading(link: HtmlElement) -> bool:
    inside: Iterable[HtmlElement] = (*link.iter(), *list(around(link))[:2])
    return any(node.tag in _HEADINGS for node in inside) and bool(text_of(link))


def _leads_on(href: str) -> bool:
    return bool(href.strip()) and not href.strip().lower().startswith(("#", "mailto:", "tel:", "javascript:"))
