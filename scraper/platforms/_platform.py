"""The contract of a platform: how its answers are recognised and read, and what a crawl requests from it.

A platform never fetches. `read` is a pure function of one exchange. `discover`, `counters` and `threads` are *plans*:
generators that yield an `Ask` and receive its `Answer`, so that the spider alone decides whether and when to fetch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from scraper.items import SOURCES, Exchange, Item, SightedIn, Source
from scraper.platforms._recognise import Marks, has_mark_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderTargets:
    """Where a platform's page shows what a visitor sees, as CSS selectors. An empty one is not waited for."""

    counters: str = ""  # ready when an element matches that holds some text
    comments: str = ""  # the root of the comments
    item: str = ""  # one comment or reply, anywhere: the list is ready when one is there, or no script asks any more
    expected: int | None = None  # how many comments the post says it has: with some expected, one is waited for
    # Buttons that bring more of them, in the order to press them; those that say so in words are pressed as well.
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request that a plan wants to be made."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""
    secret: bool = False  # the answer holds tokens: they are blanked before it is recorded
    # The answer is a list of posts of this kind; a post that no list names any more may be gone.
    lists: SightedIn | None = None
    conditional: bool = False  # send ETag and Last-Modified of the last capture
    wanted: RenderTargets | None = None  # have a browser render the page until this is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the exchange as it was served (tokens included, in memory only) and what it says."""

    ask: Ask
    exchange: Exchange | None  # None: nothing came (refused, timed out, too large)
    items: tuple[Item, ...] = ()
    reason: str | None = None  # why nothing came, or not all that was wanted, in words
    kind: str | None = None  # of what went wrong, where nothing came
    redirected_from: tuple[str, ...] = ()  # addresses that redirected here, in order
    new_posts: int = 0  # of a list: posts that no earlier list of its kind named

    @property
    def ok(self) -> bool:
        """A usable answer came."""
        return self.exchange is not None and 200 <= self.exchange.status < 300

    @property
    def unchanged(self) -> bool:
        """The server said "not modified"."""
        return self.exchange is not None and self.exchange.status == 304


Plan = Generator[Ask, Answer, None]


@dataclass(slots=True, kw_only=True)
class KnownPost:
    """What the archive (or this run) already knows of a post; the spider's memory, never a source of rows."""

    url: str
    listed_url: str | None = None  # as a list of this run spells it, to be requested
    addresses: tuple[str, ...] = ()
    etag: str | None = None
    last_modified: str | None = None
    published_at: str | None = None
    first_seen_at: str | None = None  # ISO 8601 UTC, like all of these
    last_seen_at: str | None = None  # read as a post, or told to be unchanged; None: never, so far as the archive knows
    missed_at: str | None = None  # answered that it is gone, and not as a post since
    tried_at: str | None = None  # last asked for without being read, and not read since
    removed: bool = False  # that was confirmed
    listed_at: str | None = None  # named by a sitemap, feed or listing of an earlier run
    named: bool = False  # the same in this run
    lastmod: str | None = None  # as a sitemap or feed of this run printed it
    due: bool = True  # its page is due, and so is whatever is asked for it alone
    counters_pending: bool = True  # the page's own bytes do not give the counters
    script_counters: bool = False  # the page was seen to leave them to a script
    counted: bool = False  # some answer of this run gave them
    counted_at: str | None = None  # when its counters were last read
    thread_read: bool = False  # its comments were read in this run
    thread_at: str | None = None  # when its comments were last read
    thread_count: int | None = None  # how many it said that it had, then
    comments_count: int | None = None
    comments_key: str | None = None
    media_pending: bool = False

    @property
    def request_url(self) -> str:
        """The address to request: as it was listed (slash and case included), else as it is stored."""
        return self.listed_url or self.url

    @property
    def thread_due(self) -> bool:
        """Its comments are to be read: its page is due, there are as many as never before, or they were never read."""
        return (
            self.due or self.comments_count != self.thread_count or (self.thread_at is None and bool(self.thread_count))
        )


@dataclass(slots=True, kw_only=True)
class Blog:
    """One clinic's blog as far as this run has seen it: a conversation reads it to know what to ask."""

    root: str  # base URL of the site, with no trailing slash: "https://example.com" or "https://user.wixsite.com/site"
    home: Exchange | None = None  # the answer of the site's home page
    private: bool = False  # the site is on a loopback or private address: no public service is asked for it
    posts: dict[str, KnownPost] = field(default_factory=dict)  # by canonical URL, in the order they are due
    read_comments: bool = True  # the stanza wants threads
    bulk: bool = True  # False under --limit: ask post by post where a bulk answer would cover others
    budget_spent: Callable[[], bool] = lambda: (
        False
    )  # the day's budget is used up: comments and browser wait for another day
    deferred: set[str] = field(default_factory=set)  # addresses of the posts that they wait for
    enough: Callable[[], bool] = lambda: False  # as many posts are named as this run wants
    notes: list[str] = field(default_factory=list)  # bounds that a plan met, a sentence each


class Reader(ABC):
    """What a platform and a comment service share: how their answers are recognised and read."""

    name: ClassVar[str] = ""
    # Raised by hand when a parser reads anything differently; a test fails when expected output changes without it.
    extractor_version: ClassVar[int] = 0

    @abstractmethod
    def claims(self, exchange: Exchange) -> bool:
        """Whether the exchange is this reader's: by generator tag, head, headers or an address that only it has.

        Words in a page's body are no evidence, and one asset of another host is none. It may be called with any
        exchange, including robots.txt, redirects and pages of other platforms.
        """

    @abstractmethod
    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Every item that the exchange gives. Pure; raises `NotAPost` alone, where a page cannot be used."""

    def is_api_url(self, url: str) -> bool:
        """Whether the address is a machine interface, whose error answers say nothing about a page. Never raises."""
        return False

    def holds_tokens(self, url: str, body: bytes) -> bool:
        """Whether the answer (decoded) hands out tokens: its texts are blanked before it is recorded."""
        return False


class Platform(Reader):
    """Base of all platforms. A subclass sets the data below and overrides what its platform gives."""

    # What its pages alone carry: generator tag, response headers, elements of the head (`_recognise.Marks`).
    marks: ClassVar[Marks] = Marks()
    # Best first: the archive shows a value of the best source that ever gave one.
    sources: ClassVar[Sequence[Source]] = SOURCES
    # Paths tried below the site's root, beside what robots.txt and the sitemap index name.
    sitemaps: ClassVar[Sequence[str]] = ()
    feeds: ClassVar[Sequence[str]] = ()
    listings: ClassVar[Sequence[str]] = ()
    # Posts that a feed holds at most; a feed of just so many says nothing of older posts. None: not known.
    feed_size: ClassVar[int | None] = None
    # How a browser tells that a post page shows everything; None: its pages need no browser.
    render: ClassVar[RenderTargets | None] = None

    def claims(self, exchange: Exchange) -> bool:
        """See `Reader`; by default, whether the answer carries one of the platform's `marks`."""
        return has_mark_of(self.marks, exchange)

    @abstractmethod
    def is_post_url(self, url: str, named_in: str | None = None) -> bool | None:
        """Whether the address is a post's, e.g. `/post/how-does-ketamine-work`; None where the address does not tell.

        `named_in`: the address of the sitemap or feed that names it (`/wp-sitemap-posts-post-1.xml` names posts
        alone). Never raises, whatever the address is ("http://[").
        """

    def is_listing_url(self, url: str) -> bool:
        """Whether the address has the shape of a listing's (page N of the blog, a category, a tag)."""
        return False

    def next_listing(self, url: str) -> str | None:
        """The address after this page of a listing: ".../blog" gives ".../blog/page/2"; None where it has no pages."""
        return None

    def guid_address(self, guid: str) -> str | None:
        """The post's address (`wordpress:123`) that the guid of a feed's item gives; None where it gives none."""
        return None

    def unknown_comment_endpoint(self, exchange: Exchange) -> str | None:
        """Where a page's script found comments, if no known address is meant, with names for what it asked.

        "/_srv/voices?contextId&cursor"; with the host where that is another than the page's. None for anything else.
        """
        return None

    def root(self, url: str) -> str:
        """Base URL of the site that `url` belongs to, no trailing slash: scheme and host, unless sites share a host."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}"

    def discover(self, blog: Blog) -> Plan:
        """Ask for the lists of posts: sitemaps, feeds, then listings. A platform with an API overrides it.

        Sightings in the answers name posts; a `Post` with its body in an answer counts as read, so that its page is
        not requested.
        """
        from scraper.platforms._discovery import discover_by_lists  # noqa: PLC0415 (it needs this module's classes)

        return discover_by_lists(self, blog)

    def counters(self, blog: Blog) -> Plan:
        """Ask for counts (and bodies, and media) that the pages did not give; nothing by default."""
        return
        yield

    def threads(self, blog: Blog) -> Plan:
        """Ask for the comments of the posts; nothing by default."""
        return
        yield
