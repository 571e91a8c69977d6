"""What a visit has found so far: the posts that are named, by whom, together with those that are known from before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from scraper.addresses import is_within, post_key
from scraper.crawl.merge import LISTS, MergedSources, latest, merge
from scraper.items import Post, SightedIn, Sighting
from scraper.platforms._platform import KnownPost


@dataclass(slots=True)
class Discovered:
    """The posts named so far, by whom, and those that the archive knows from before."""

    known: list[KnownPost]
    root: str  # of the site: whatever a page calls itself or its neighbours, no other site is asked
    sightings: list[Sighting] = field(default_factory=list)
    read: set[SightedIn] = field(default_factory=set)
    named: set[str] = field(default_factory=set)  # post keys
    by_source: dict[str, set[str]] = field(default_factory=dict)  # the same, each source's own
    elsewhere: list[KnownPost] = field(default_factory=list)  # known posts without an address on this site
    feed_size: int | None = None  # posts that a feed of the platform holds at most
    read_posts: dict[str, Post] = field(
        default_factory=dict
    )  # read whole in a list's answer, by keys of their addresses

    def add(self, items: Iterable[object], source: SightedIn | None = None) -> int:
        """Take the sightings among the items; `source` was read, even where it named nothing.

        Number of posts that are new to this source: others may have named them before.
        """
        if source:
            self.read.add(source)
        mine = self.by_source.setdefault(source or "", set())
        before = len(mine)
        for item in items:
            if isinstance(item, Post) and item.body_text is not None:
                self.read_posts |= {post_key(address): item for address in item.addresses}
            # An address that may be any page's is requested only where something names it as a post's.
            if isinstance(item, Sighting) and item.certain and is_within(item.url, self.root):
                self.sightings.append(item)
                key = post_key(item.url)
                mine.add(key)
                self.named.add(key)
        return len(mine) - before

    def merged(self) -> MergedSources:
        """What was named, as posts, newest first."""
        return merge(self.sightings, read=self.read, feed_size=self.feed_size)

    @property
    def lists_read(self) -> bool:
        """Some list of posts was read, and named some: one that a post is missing from is news."""
        return any(self.by_source.get(source) for source in LISTS)

    def posts(self) -> list[KnownPost]:
        """All posts of the blog: newest first as the listings have them, then those that no listing names any more."""
        known = {post_key(address): post for post in self.known for address in (post.url, *post.addresses)}
        due: dict[str, KnownPost] = {}
        for found in self.merged().posts:
            keys = [post_key(found.url), *(post_key(one) for one in found.addresses)]
            post = next((known[key] for key in keys if key in known), None) or KnownPost(url=found.url)
            post.addresses = tuple(dict.fromkeys((*post.addresses, found.url, *found.addresses)))
            post.listed_url = found.listed_url or post.listed_url
            # Two addresses that no list joins may be of one known post: what any of them is told of counts.
            post.lastmod = latest(post.lastmod, found.lastmod)
            listed = not found.sources.isdisjoint(LISTS)
            post.named = post.named or listed
            if listed and post_key(post.url) not in self.named and is_within(found.url, self.root):
                # Its page calls itself by an address that nobody else has: a list is more likely to be right.
                post.addresses = tuple(dict.fromkeys((*post.addresses, post.url)))
                post.url, post.listed_url = found.url, found.listed_url
            self._place(due, post, found.url)
        self.elsewhere = []
        for post in self.known:
            self._place(due, post, *post.addresses)
        return list(due.values())

    def _place(self, due: dict[str, KnownPost], post: KnownPost, *others: str) -> None:
        """The post under an address on this site; one that has none any more is not asked for."""
        own = next((url for url in (post.url, *others) if is_within(url, self.root)), None)
        if own is not None:
            if own != post.url:
                post.addresses = tuple(dict.fromkeys((*post.addresses, post.url)))
                post.url, post.listed_url = own, None
            due.setdefault(own, post)
        elif post not in self.elsewhere:
            self.elsewhere.append(post)
