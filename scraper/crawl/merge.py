"""All sources that name posts, merged into one list: newest first, and how far the sources agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import permutations

from scraper.addresses import post_key
from scraper.items import SightedIn, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredPost:
    """A post as all listings together name it."""

    url: str  # canonical, as the best source spells it: the post itself, sitemap, listing, feed, related
    listed_url: str | None = None  # as that source spells it, where that differs from `url`
    addresses: tuple[str, ...] = ()  # all others, URLs and platform ids
    sources: frozenset[SightedIn] = frozenset()
    published_at: str | None = None
    lastmod: str | None = None  # the latest that any source tells
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedSources:
    """All posts that were named, newest first, and how far the sources agree."""

    posts: tuple[DiscoveredPost, ...] = ()
    counts: dict[SightedIn, int] = field(
        default_factory=dict
    )  # posts that each source named: {"sitemap": 77, "feed": 20}
    feed_size: int | None = None  # a feed of just so many posts shows the newest alone

    def disagreements(self) -> list[str]:
        """What one source names and another does not, a sentence each; none where all agree.

        Only sources that were read are compared. A feed as long as its cap is no witness of what it leaves out.
        """
        lists = [name for name in LISTS if name in self.counts]
        full = {name for name in lists if name != "feed" or self.counts["feed"] != self.feed_size}
        sentences = []
        for one, other in permutations(lists, 2):
            if other in full:
                missing = [post for post in self.posts if one in post.sources and other not in post.sources]
                sentences.append(_sentence(f"in the {one} but not in the {other}", missing))
        alone = [post for post in self.posts if post.sources == {"related"}]
        if lists:
            sentences.append(_sentence(f"named by other posts but in no {' or '.join(lists)}", alone))
        return [sentence for sentence in sentences if sentence]


def _sentence(what: str, posts: list[DiscoveredPost]) -> str:
    if not posts:
        return ""
    named = ", ".join(post.url for post in posts[:3]) + (", ..." if len(posts) > 3 else "")
    return f"{len(posts)} {'post is' if len(posts) == 1 else 'posts are'} {what}: {named}"


LISTS: tuple[SightedIn, ...] = ("sitemap", "feed", "listing")
# Whose word counts first, for the spelling of an address, and for dates and titles.
_SPELLING_RANK: tuple[SightedIn, ...] = ("post", "sitemap", "listing", "feed", "related")
_DATE_RANK: tuple[SightedIn, ...] = ("post", "feed", "listing", "sitemap", "related")


def merge(
    sightings: Iterable[Sighting], *, read: Iterable[SightedIn] = (), feed_size: int | None = None
) -> MergedSources:
    """One list of posts from all that named them: two sightings are of one post if they share an address.

    Addresses are compared without scheme and `www.` (`post_key`), and by platform ids. Newest first: by published_at,
    else lastmod, else the place in the listing, feed or sitemap. `read`: sources that were read, so that one which
    named nothing counts as 0 and not as unread. `feed_size`: how many items the platform's feed holds at most (Wix 20).
    """
    groups: list[list[tuple[int, Sighting]]] = []
    group_of: dict[str, list[tuple[int, Sighting]]] = {}
    for place, sighting in enumerate(sightings):
        keys = [post_key(sighting.url), *sighting.addresses]
        known = list({id(group_of[key]): group_of[key] for key in keys if key in group_of}.values())
        group = known[0] if known else []
        if not known:
            groups.append(group)
        group.append((place, sighting))
        for other in known[1:]:  # this sighting shows that two posts are one
            group.extend(other)
            groups = [one for one in groups if one is not other]
        for _, member in group if len(known) > 1 else [(place, sighting)]:
            group_of.update(dict.fromkeys([post_key(member.url), *member.addresses], group))
    ordered = sorted(groups, key=_newest_first)
    posts = tuple(_found([sighting for _, sighting in group]) for group in ordered)
    names = [name for name in _SPELLING_RANK if name in set(read) or any(name in post.sources for post in posts)]
    counts = {name: sum(name in post.sources for post in posts) for name in names}
    return MergedSources(posts=posts, counts=counts, feed_size=feed_size)


def _found(group: list[Sighting]) -> DiscoveredPost:
    told = sorted(group, key=lambda one: _DATE_RANK.index(one.source))
    spelt = sorted(group, key=lambda one: _SPELLING_RANK.index(one.source))
    urls = dict.fromkeys(one.url for one in spelt)
    ids = dict.fromkeys(address for one in group for address in one.addresses)
    return DiscoveredPost(
        url=spelt[0].url,
        listed_url=next((seen.listed_url for seen in spelt if seen.url == spelt[0].url and seen.listed_url), None),
        addresses=tuple(address for address in [*urls, *ids] if address != spelt[0].url),
        sources=frozenset(one.source for one in group),
        published_at=next((one.published_at for one in told if one.published_at), None),
        lastmod=latest(*(one.lastmod for one in spelt)),
        title=next((one.title for one in told if one.title), None),
    )


def _newest_first(group: list[tuple[int, Sighting]]) -> tuple[float, int, int]:
    found = _found([sighting for _, sighting in group])
    at = parse_time(found.published_at) or parse_time(found.lastmod)
    rank, place = min((_DATE_RANK.index(one.source) if one.source != "sitemap" else 9, place) for place, one in group)
    return (-at.timestamp() if at else float("inf"), rank, place)


def latest(*printed: str | None) -> str | None:
    """The latest of some dates as they are printed; what is no date comes before all others."""
    return max(filter(None, printed), key=_last, default=None)


def _last(lastmod: str) -> float:
    at = parse_time(lastmod)
    return at.timestamp() if at else float("-inf")


def parse_time(printed: str | None) -> datetime | None:
    """A date or moment in ISO 8601, to compare by; one without a zone is taken as UTC."""
    try:
        at = datetime.fromisoformat(printed) if printed else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
