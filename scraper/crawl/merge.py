"""Merge the sightings of all sources into one list of posts, newest first, and compare the sources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import permutations

from scraper.addresses import post_key
from scraper.items import SightedIn, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredPost:
    """A post as all its sightings together describe it."""

    url: str  # canonical, from the first of these sources: the post itself, sitemap, listing, feed, related
    listed_url: str | None = None  # as that source spells it, if that differs from `url`
    addresses: tuple[str, ...] = ()  # all other addresses, URLs and platform ids
    sources: frozenset[SightedIn] = frozenset()
    published_at: str | None = None
    lastmod: str | None = None  # the latest of all sources
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedSources:
    """All posts that were named, newest first, with the figures to compare the sources."""

    posts: tuple[DiscoveredPost, ...] = ()
    # Number of posts that each source names: {"sitemap": 77, "feed": 20}.
    counts: dict[SightedIn, int] = field(default_factory=dict)
    feed_size: int | None = None  # a feed of exactly this many posts contains only the newest ones

    def disagreements(self) -> list[str]:
        """Return a sentence for each pair of sources of which one names posts that the other does not.

        Only sources that were read are compared. A feed of its maximum length says nothing about posts that it omits.
        Where that length is unknown, a feed says something only about posts that are younger than its oldest one.
        """
        lists = [name for name in LISTS if name in self.counts]
        complete = {name for name in lists if name != "feed" or self.counts["feed"] != self.feed_size}
        oldest = min((post.published_at or "" for post in self.posts if "feed" in post.sources), default="")
        sentences = []
        for source, other in permutations(lists, 2):
            if other in complete:
                missing = [post for post in self.posts if source in post.sources and other not in post.sources]
                if other == "feed" and self.feed_size is None:
                    missing = [post for post in missing if oldest and (post.published_at or "") > oldest]
                sentences.append(_sentence(f"in the {source} but not in the {other}", missing))
        unlisted = [post for post in self.posts if post.sources == {"related"}]
        if lists:
            sentences.append(_sentence(f"named by other posts but in no {' or '.join(lists)}", unlisted))
        return [sentence for sentence in sentences if sentence]


def _sentence(difference: str, posts: list[DiscoveredPost]) -> str:
    if not posts:
        return ""
    examples = ", ".join(post.url for post in posts[:3]) + (", ..." if len(posts) > 3 else "")
    return f"{len(posts)} {'post is' if len(posts) == 1 else 'posts are'} {difference}: {examples}"


LISTS: tuple[SightedIn, ...] = ("sitemap", "feed", "listing")
# Order of preference of the sources, for the spelling of an address, and for dates and titles.
_SPELLING_RANK: tuple[SightedIn, ...] = ("post", "sitemap", "listing", "feed", "related")
_DATE_RANK: tuple[SightedIn, ...] = ("post", "feed", "listing", "sitemap", "related")


def merge(
    sightings: Iterable[Sighting], *, read: Iterable[SightedIn] = (), feed_size: int | None = None
) -> MergedSources:
    """Merge sightings into posts: two sightings belong to one post if they share an address. Newest first.

    Addresses are compared without scheme and `www.` (`post_key`), and by platform ids. The order is by published_at,
    else lastmod, else the position in the listing, feed or sitemap. `read`: the sources that were read, so that one
    which names nothing is counted as 0. `feed_size`: the largest number of items in the platform's feed (Wix: 20).
    """
    groups: list[list[tuple[int, Sighting]]] = []
    group_of: dict[str, list[tuple[int, Sighting]]] = {}
    for position, sighting in enumerate(sightings):
        keys = [post_key(sighting.url), *sighting.addresses]
        known = list({id(group_of[key]): group_of[key] for key in keys if key in group_of}.values())
        group = known[0] if known else []
        if not known:
            groups.append(group)
        group.append((position, sighting))
        for other in known[1:]:  # this sighting shows that two groups are of the same post
            group.extend(other)
            groups = [distinct for distinct in groups if distinct is not other]
        for _, member in group if len(known) > 1 else [(position, sighting)]:
            group_of.update(dict.fromkeys([post_key(member.url), *member.addresses], group))
    ordered = sorted(groups, key=_newest_first)
    posts = tuple(_merged([sighting for _, sighting in group]) for group in ordered)
    names = [name for name in _SPELLING_RANK if name in set(read) or any(name in post.sources for post in posts)]
    counts = {name: sum(name in post.sources for post in posts) for name in names}
    return MergedSources(posts=posts, counts=counts, feed_size=feed_size)


def _merged(group: list[Sighting]) -> DiscoveredPost:
    by_date = sorted(group, key=lambda sighting: _DATE_RANK.index(sighting.source))
    by_spelling = sorted(group, key=lambda sighting: _SPELLING_RANK.index(sighting.source))
    url = by_spelling[0].url
    urls = dict.fromkeys(sighting.url for sighting in by_spelling)
    ids = dict.fromkeys(address for sighting in group for address in sighting.addresses)
    spellings = (sighting.listed_url for sighting in by_spelling if sighting.url == url)
    return DiscoveredPost(
        url=url,
        listed_url=next(filter(None, spellings), None),
        addresses=tuple(address for address in [*urls, *ids] if address != url),
        sources=frozenset(sighting.source for sighting in group),
        published_at=next((sighting.published_at for sighting in by_date if sighting.published_at), None),
        lastmod=latest(*(sighting.lastmod for sighting in by_spelling)),
        title=next((sighting.title for sighting in by_date if sighting.title), None),
    )


def _newest_first(group: list[tuple[int, Sighting]]) -> tuple[float, int, int]:
    post = _merged([sighting for _, sighting in group])
    at = parse_time(post.published_at) or parse_time(post.lastmod)
    rank, position = min(
        (_DATE_RANK.index(sighting.source) if sighting.source != "sitemap" else 9, position)
        for position, sighting in group
    )
    return (-at.timestamp() if at else float("inf"), rank, position)


def latest(*printed: str | None) -> str | None:
    """Return the latest of some printed dates; None without any. A text that is not a date counts as the earliest."""
    return max(filter(None, printed), key=_last, default=None)


def _last(lastmod: str) -> float:
    at = parse_time(lastmod)
    return at.timestamp() if at else float("-inf")


def parse_time(printed: str | None) -> datetime | None:
    """Return a date or time in ISO 8601 as an aware datetime, without a zone as UTC; None where it is neither."""
    try:
        at = datetime.fromisoformat(printed) if printed else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
