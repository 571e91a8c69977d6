"""Posts that a WordPress page lists: cards of a blog page, of an archive, of related posts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import Tag

from scraper.addresses import canonical_url, same_site
from scraper.items import Sighting
from scraper.platforms._dates import iso_date
from scraper.platforms._html import text_of
from scraper.platforms._tree import descendants
from scraper.platforms.wordpress.html.markup import Markup, classes
from scraper.xml_lists import listed_spelling

_POST_ID = re.compile(r"post-(\d{1,18})")
_TITLES = frozenset({"entry-title", "wp-block-post-title", "post-title", "elementor-post__title"})
_MAX_CARDS = 500  # cards of one page


def sightings(page: Markup, url: str) -> Iterator[Sighting]:
    """Yield the posts that the page lists, each once. `url`: the address of the page.

    A card with the classes of `post_class` is certainly a post (`type-post`); of other types and of cards without
    these classes the address does not tell.
    """
    seen: set[str] = set()
    for card in page.elements("article", "li", "div"):
        tokens = classes(card)
        if (
            "hentry" not in tokens
            and not any(token.startswith("type-") for token in tokens)
            and "elementor-post" not in tokens
        ):
            continue
        link = _link(card)
        address = canonical_url(str(link.get("href")), url) if link is not None else ""
        if (
            link is None
            or address in seen
            or not same_site(address, url)
            or len(seen) >= _MAX_CARDS
            or "type-page" in tokens
        ):
            continue
        seen.add(address)
        number = next((found[1] for token in tokens if (found := _POST_ID.fullmatch(token))), None)
        yield Sighting(
            url=address,
            source="listing",
            listed_url=listed_spelling(str(link.get("href")), url, address),
            certain="type-post" in tokens,
            addresses=(f"wordpress:{number}",) if number and "type-post" in tokens else (),
            title=text_of(link),
            published_at=_date(card),
        )


def _link(card: Tag) -> Tag | None:
    """Return the link of a card's title, else the one that says `rel=bookmark`."""
    for part in descendants(card):
        if classes(part) & _TITLES or part.name in ("h2", "h3"):
            own = part if part.name == "a" else next(descendants(part, "a"), None)
            around = next((parent for parent in part.parents if parent.name == "a"), None)
            found = own or around
            if found is not None and found.get("href"):
                return found
    marked = (link for link in descendants(card, "a") if "bookmark" in str(link.get("rel") or "").split())
    return next((link for link in marked if link.get("href")), None)


def _date(card: Tag) -> str | None:
    times = (
        time for time in descendants(card, "time") if "updated" not in classes(time) or "published" in classes(time)
    )
    return next(filter(None, (iso_date(str(time.get("datetime") or "")) for time in times)), None)
