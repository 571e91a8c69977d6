"""The posts that a visit has discovered so far, by source, merged with those that the archive knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from scraper.addresses import is_within, post_key
from scraper.crawl.merge import LISTS, MergedSources, latest, merge
from scraper.items import Post, SightedIn, Sighting
from scraper.platforms._platform import KnownPost


def post_keys(post: KnownPost) -> set[str]:
    """Return the keys of all addresses of the post, by which any sighting of it is matched."""
    return {post_key(address) for address in (post.url, *post.addresses)}


@dataclass(slots=True)
class Discovered:
    """The posts that lists and pages have named so far, and those that the archive knows."""

    known: list[KnownPost]
    root: str  # of the site; addresses on other sites are not requested, whatever a page names
    sightings: list[Sighting] = field(default_factory=list)
    lists_fetched: set[SightedIn] = field(default_factory=set)  # kinds of lists that were read
    named: set[str] = field(default_factory=set)  # keys of all posts that were named
    by_source: dict[str, set[str]] = field(default_factory=dict)  # the same keys, by the source that named them
    elsewhere: list[KnownPost] = field(default_factory=list)  # known posts without an address on this site
    feed_size: int | None = None  # largest number of posts in a feed of the platform; None: unknown
    # Posts that a list's answer gave with their texts, by the keys of their addresses.
    posts_with_text: dict[str, Post] = field(default_factory=dict)
    # Whether an address is never to be requested: posts with such an address are not taken up.
    is_blocked: Callable[[str], bool] = lambda _: False

    def add(self, items: Iterable[object], source: SightedIn | None = None) -> int:
        """Add the sightings among the items; return how many posts are new to `source`.

        `source`: the kind of list that was read, which counts as read even if it names nothing; None: not a list. Other
        sources may have named the same posts before.
        """
        if source:
            self.lists_fetched.add(source)
        keys = self.by_source.setdefault(source or "", set())
        before = len(keys)
        for item in items:
            if isinstance(item, Post | Sighting) and any(map(self.is_blocked, (item.url or "", *item.addresses))):
                continue
            # A list that says who may read a post gives all that it has: the post may have no text, or be locked.
            if isinstance(item, Post) and (item.body_text is not None or item.access is not None):
                self.posts_with_text |= {post_key(address): item for address in item.addresses}
                if source and item.url:  # a post that a list gives with its text names itself
                    item = Sighting(
                        url=item.url,
                        source=source,
                        addresses=tuple(address for address in item.addresses if address != item.url),
                        lastmod=item.modified_at,
                        published_at=item.published_at,
                        title=item.title,
                    )
            # An address that may belong to any page is requested only if a list names it as a post's.
            if isinstance(item, Sighting) and item.certain and is_within(item.url, self.root):
                self.sightings.append(item)
                key = post_key(item.url)
                keys.add(key)
                self.named.add(key)
        return len(keys) - before

    def merged(self) -> MergedSources:
        """Return the posts that were named, newest first."""
        return merge(self.sightings, read=self.lists_fetched, feed_size=self.feed_size)

    @property
    def lists_read(self) -> bool:
        """Whether a list of posts was read and named at least one: only then is a missing post significant."""
        return any(self.by_source.get(source) for source in LISTS)

    def posts(self) -> list[KnownPost]:
        """Return all posts of the blog: the named ones, newest first, then those that no list names any more."""
        known = {post_key(address): post for post in self.known for address in (post.url, *post.addresses)}
        posts: dict[str, KnownPost] = {}
        for found in self.merged().posts:
            keys = [post_key(address) for address in (found.url, *found.addresses)]
            post = next((known[key] for key in keys if key in known), None) or KnownPost(url=found.url)
            post.addresses = tuple(dict.fromkeys((*post.addresses, found.url, *found.addresses)))
            post.listed_url = found.listed_url or post.listed_url
            # Two found posts, which no list joins, may have addresses of one known post: the later `lastmod` counts.
            post.lastmod = latest(post.lastmod, found.lastmod)
            listed = not found.sources.isdisjoint(LISTS)
            post.named = post.named or listed
            if listed and post_key(post.url) not in self.named and is_within(found.url, self.root):
                # Its page states a URL that nothing else names: a list is more likely to be right.
                post.addresses = tuple(dict.fromkeys((*post.addresses, post.url)))
                post.url, post.listed_url = found.url, found.listed_url
            self._file(posts, post, found.url)
        self.elsewhere = []
        for post in self.known:
            self._file(posts, post, *post.addresses)
        return list(posts.values())

    def _file(self, posts: dict[str, KnownPost], post: KnownPost, *others: str) -> None:
        """Add the post by an address on this site; one without such an address goes to `elsewhere`."""
        own = next((url for url in (post.url, *others) if is_within(url, self.root)), None)
        if own is not None:
            if own != post.url:
                post.addresses = tuple(dict.fromkeys((*post.addresses, post.url)))
                post.url, post.listed_url = own, None
            posts.setdefault(own, post)
        elif post not in self.elsewhere:
            self.elsewhere.append(post)
