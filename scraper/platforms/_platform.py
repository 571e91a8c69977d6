"""The contract of a platform: how its answers are recognised and read, and what a crawl requests from it.

A platform makes no requests itself. `read` is a pure function of one exchange. `discover`, `counters` and `threads` are
*plans*: generators that yield an `Ask` and receive its `Answer`, so that only the spider decides whether and when a
request is made (robots.txt, politeness delay, retries, redirects).

A crawl uses a platform in this order: `marks` and `claims` on the home page, `root`, `discover`; for every answer
`read` and `is_post_url`; after all posts `counters` and `threads`. Rebuilds parse only: they use no plans.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlsplit

from scraper.items import SOURCES, Exchange, Item, Problem, SightedIn, Source
from scraper.platforms._reader import Reader
from scraper.platforms._recognise import Marks, has_mark_of, maker_of

READS = ("by", "bodies", "dates", "views", "likes", "comments")  # the keys of `Platform.reads`


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderTargets:
    """CSS selectors of the parts of a rendered page that the browser waits for; it does not wait for an empty one."""

    counters: str = ""  # ready when a matching element contains text
    comments: str = ""  # the root of the comments
    item: str = ""  # one comment or reply: the list is ready when one exists, or when no request is pending
    expected: int | None = None  # number of comments that the post states; if above 0, the browser waits for one
    # Buttons that load more comments, in the order to press them; buttons whose text says so are pressed too.
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request that a plan yields."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""
    secret: bool = False  # the answer contains tokens, which are blanked before it is recorded
    # The answer is a list of posts of this kind; a post that no list names any more may be gone. None: not a list.
    lists: SightedIn | None = None
    conditional: bool = False  # send ETag and Last-Modified of the last capture
    wanted: RenderTargets | None = None  # render the page in a browser until these are ready; None: no browser


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to an `Ask`: the exchange as served (with tokens, in memory only) and its items."""

    ask: Ask
    exchange: Exchange | None  # the last one after redirects; None: no answer (refused, timed out, too large)
    items: tuple[Item, ...] = ()
    reason: str | None = None  # why there is no answer, or an incomplete one, in words
    kind: str | None = None  # `Problem.kind` of the failure, if there is no answer
    redirected_from: tuple[str, ...] = ()  # addresses that redirected to it, in order
    new_posts: int = 0  # of a list: number of posts that no earlier list of its kind named

    @property
    def ok(self) -> bool:
        """Whether a usable answer (2xx) came."""
        return self.exchange is not None and 200 <= self.exchange.status < 300

    @property
    def unchanged(self) -> bool:
        """Whether the server answered "not modified" (304)."""
        return self.exchange is not None and self.exchange.status == 304


Plan = Generator[Ask, Answer, None]


@dataclass(slots=True, kw_only=True)
class KnownPost:
    """What the archive and this run know about a post. It decides what is requested, and never becomes a row."""

    url: str  # canonical
    listed_url: str | None = None  # the address to request, as a list of this run spells it; None: as `url`
    addresses: tuple[str, ...] = ()  # all addresses, URLs and platform ids
    etag: str | None = None
    last_modified: str | None = None
    published_at: str | None = None
    first_seen_at: str | None = None  # ISO 8601 UTC, like all that end in `_at`
    last_seen_at: str | None = None  # read as a post, or unchanged (304); None: never
    missed_at: str | None = None  # answered that it is gone, and was not read since
    tried_at: str | None = None  # last requested without success, and not read since
    removed: bool = False  # its removal was confirmed
    listed_at: str | None = None  # last named by a sitemap, feed or listing of an earlier run
    named: bool = False  # named by one in this run
    lastmod: str | None = None  # as a sitemap or feed of this run printed it
    due: bool = True  # its page is due, and so are other requests for this post alone
    counters_pending: bool = True  # the page does not contain the counters
    script_counters: bool = False  # a script of the page fills in the counters
    counted: bool = False  # an answer of this run gave the counters; set by `counters`
    counted_at: str | None = None  # when its counters were last read
    thread_read: bool = False  # its comments were read in this run; set by `threads`
    thread_at: str | None = None  # when its comments were last read
    thread_count: int | None = None  # number of comments that the post stated at that time
    comments_count: int | None = None  # number of comments that the post states now; None: unknown
    comments_shown: int = 0  # comments that its page gave in this run
    comments_key: str | None = None  # as in `Post`
    media_pending: bool = False  # as in `Post`
    modified_at: str | None = None  # when its text was last changed, as the archive knows it
    page_at: str | None = None  # when its page last answered, with the post or that it is gone; None: never
    page_counters: bool = False  # the last counters of readers were printed by its page
    comment_ids: frozenset[str] = frozenset()  # platform_comment_ids of its comments that an API gave with their texts

    @property
    def request_url(self) -> str:
        """The address to request: as a list spells it (with its slash and case), else the canonical one."""
        return self.listed_url or self.url

    @property
    def thread_due(self) -> bool:
        """Whether its comments are due: its page is due, their number changed, or they were not read for long.

        An empty thread leaves no comment that would show when it was read: its number counts as 0.
        """
        is_other_number = self.comments_count is not None and self.comments_count != (self.thread_count or 0)
        return self.due or is_other_number or (self.thread_at is None and bool(self.thread_count))


@dataclass(slots=True, kw_only=True)
class Blog:
    """The state of a crawl of one clinic's blog, which plans read to decide what to request, and update."""

    root: str  # base URL of the site, no trailing slash: "https://example.com", "https://user.wixsite.com/site"
    home: Exchange | None = None  # the answer of the home page; None only in tests
    private: bool = False  # the site has a loopback or private address: no public host may be requested
    posts: dict[str, KnownPost] = field(default_factory=dict)  # by canonical URL, in the order in which they are due
    read_comments: bool = True  # the stanza says `comments = "threads"`
    bulk: bool = True  # False under --limit: request post by post where a bulk answer would include others
    known: Sequence[KnownPost] = ()  # the posts that the archive knows, for `discover`
    everything: bool = False  # every post is to be read again, due or not
    now: datetime = field(default_factory=lambda: datetime.now(UTC))  # the time at which lists are due or not
    # Set by `discover`: the address of an API that lists the posts and says which changed, so that no page is due
    # by its age. None: there is none.
    api: str | None = None
    partial: bool = False  # the lists of this visit leave out posts that did not change: these are not missing
    # The pages of posts that a list gave with their texts are requested too, if the posts are new or changed.
    pages_follow: bool = False
    # Set where that list has no comments with it: these are read on the pages, of posts with a new one again (URLs).
    commented: set[str] | None = None
    # Whether the day's budget is used up: further threads and rendered pages are deferred to another day.
    budget_spent: Callable[[], bool] = lambda: False
    deferred: set[str] = field(default_factory=set)  # canonical URLs of the posts whose threads or pages are deferred
    enough: Callable[[], bool] = lambda: False  # whether `discover` may stop: the run's limit of posts is reached
    # Threads of comment services that pages of posts embed: name of the service -> canonical URL of the post -> thread.
    threads: dict[str, dict[str, str]] = field(default_factory=dict)
    # Whether robots.txt allows an address, once it was read: what it forbids is not asked for, and is no problem then.
    allows: Callable[[str], bool] = lambda url: True
    evident: bool = False  # a list or feed shows that the site has a blog, whether its posts can be read or not
    notes: list[str] = field(default_factory=list)  # limits that a plan reached, a sentence each
    unreadable_lists: list[Problem] = field(
        default_factory=list
    )  # answers to requests for lists that no parser understands


class Platform(Reader):
    """Base class of all platforms. A subclass sets the data below and overrides the methods that its platform needs."""

    # What only its pages carry: generator tag, response headers, elements of the head (`_recognise.Marks`).
    marks: ClassVar[Marks] = Marks()
    # Best first: the archive shows the value of the best source that ever gave one.
    sources: ClassVar[Sequence[Source]] = SOURCES
    # Paths below the site's root that are requested, besides those that robots.txt and sitemap indexes name.
    sitemaps: ClassVar[Sequence[str]] = ()
    feeds: ClassVar[Sequence[str]] = ()
    listings: ClassVar[Sequence[str]] = ()
    # For people, how its blogs are read and what becomes known, one entry for each of `READS`: {"by": "API, pages",
    # "bodies": "all", "dates": "second", "views": "yes", "likes": "no", "comments": "threads"}. None: not declared.
    reads: ClassVar[Mapping[str, str] | None] = None
    # Largest number of posts in a feed; a feed of this length is no evidence about older posts. None: unknown.
    feed_size: ClassVar[int | None] = None
    # Whether it reads pages that carry no mark of a platform: it is recognised only where no other platform is.
    fallback: ClassVar[bool] = False
    # Whether one provider serves all its sites: requests to them are then paced together (`scraper.spiders._throttle`).
    hosted: ClassVar[bool] = False
    # What a browser waits for when it renders a post's page; None: its pages are not rendered.
    render: ClassVar[RenderTargets | None] = None

    def claims(self, exchange: Exchange) -> bool:
        """Return whether the answer carries one of the platform's `marks`; see `Reader.claims`."""
        return has_mark_of(self.marks, exchange) or (self.marks.maker != "" and maker_of(exchange) == self.marks.maker)

    @abstractmethod
    def is_post_url(self, url: str, named_in: str | None = None) -> bool | None:
        """Return whether the address is a post's, e.g. `/post/how-does-ketamine-work`; None if it does not show that.

        `named_in`: the address of the sitemap or feed that lists it (`/wp-sitemap-posts-post-1.xml` lists only posts),
        None for any other address, such as that of a 404 or a redirect. Called with any string ("http://["). Must not
        raise.
        """

    def is_listing_url(self, url: str) -> bool:
        """Return whether this is a listing's address: page N of the blog, a category, a tag. Called by `discover`."""
        return False

    def next_listing(self, url: str) -> str | None:
        """Return the address of a listing's next page, ".../blog/page/2" for ".../blog"; None if there is none.

        Called by `discover` for every listing; the next page is requested only while pages name new posts.
        """
        return None

    def guid_address(self, guid: str) -> str | None:
        """Return the post's address that the guid of a feed's item gives, such as `wordpress:123`, or None."""
        return None

    def read_feed(self, exchange: Exchange) -> Iterator[Item]:
        """Return what a feed gives beside the sightings of its items: posts with their texts; by default nothing.

        Called for each feed of posts, RSS or Atom, with its body decompressed. Must not raise.
        """
        return iter(())

    def unknown_comment_endpoint(self, exchange: Exchange) -> str | None:
        """Return the address from which a page's script loaded comments, if no plan requests it, for a report.

        The path with the names of its parameters, "/_srv/voices?contextId&cursor", after the host if that is not the
        page's. None for any other exchange. Called for each exchange of a rendered page. Must not raise.
        """
        return None

    def root(self, url: str) -> str:
        """Return the base URL of the site of `url`, no trailing slash: scheme and host, plus a path on shared hosts."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}"

    def discover(self, blog: Blog) -> Plan:
        """Yield the requests for the lists of posts: sitemaps, feeds, listings. A platform with an API overrides it.

        Called once a visit, after the home page. Each `Sighting` in an answer adds a post to the frontier; a `Post`
        with its text counts as read, so that its page is not requested. `Answer.new_posts` and `blog.enough()` show
        when to stop. An exception ends the visit as failed; this holds for all plans.
        """
        from scraper.platforms._discovery import discover_by_lists  # noqa: PLC0415 (it needs this module's classes)

        return discover_by_lists(self, blog)

    def counters(self, blog: Blog) -> Plan:
        """Yield the requests for counters (and bodies, and media) that the pages did not give; none by default.

        Called at most once a visit, after the posts were read. `blog.posts` holds the posts; the plan sets `counted`
        and `comments_count` of those whose counters an answer gives.
        """
        return
        yield

    def threads(self, blog: Blog) -> Plan:
        """Yield the requests for the comments of the posts; none by default.

        Called at most once a visit, if the stanza says `comments = "threads"`. The plan skips posts whose `thread_due`
        is false, sets `thread_read` of each post whose thread it has read to its last page, and when
        `blog.budget_spent()` adds the URLs of the remaining posts to `blog.deferred`.
        """
        return
        yield
