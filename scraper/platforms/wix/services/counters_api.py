"""Requests to a Wix site for what its pages omit since 2025: counters, comment keys, and bodies with their media.

All posts at once: `post-feed-page` lists them with both ids, `post-feed-page-metadata` counts them, 100 a request. One
by one, under `--limit` or where those do not cover a post: `post-page-metadata/<slug>`. A site's own server was
captured (2024) sending the latter as POST with `skipViewCountIncrement`, because the same call counts a visit when a
browser makes it. The archive must not raise the numbers that it measures, so that both forms carry it here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from urllib.parse import quote, unquote, urlencode, urlsplit

from scraper.addresses import canonical_url, post_key, same_site
from scraper.items import Item, Post, Problem, Reading, Sighting
from scraper.platforms._json import count, decode, dig, mapping
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan
from scraper.platforms.wix.services.session import Call, Session

ADAPTER = "/_api/blog-frontend-adapter-public/v2/"
PAGE_SIZE = 100  # other readers use 20 to 100; a server may give fewer
MAX_PAGES = 200
SLUG_MARK = "/post/"


def feed_url(root: str, page: int) -> str:
    """Return the address of one page of all posts, newest first, without their contents. `page` counts from 1."""
    query = {"includeContent": "false", "page": page, "pageSize": PAGE_SIZE, "type": "ALL_POSTS"}
    return f"{root}{ADAPTER}post-feed-page?{urlencode(query)}"


def feed_metadata_url(root: str, page: int) -> str:
    """Return the address of the counters of one page of posts, the same posts as `feed_url` lists on that page."""
    query = {"page": page, "pageSize": PAGE_SIZE, "type": "ALL_POSTS"}
    return f"{root}{ADAPTER}post-feed-page-metadata?{urlencode(query)}"


def post_page_url(root: str, slug: str) -> str:
    """Return the address of one post with its content. `slug` is unescaped; "2019/06/06/x" is one path part."""
    return f"{root}{ADAPTER}post-page/{quote(slug, safe='')}"


def post_metadata_url(root: str, slug: str) -> str:
    """Return the address of one post's counters, for POST or, with `skipViewCountIncrement=true`, for GET."""
    return f"{root}{ADAPTER}post-page-metadata/{quote(slug, safe='')}"


def slug_of(url: str) -> str | None:
    """Return the slug below `/post/`, unescaped; None where the address has none.

    "https://user.wixsite.com/site/post/2019/06/06/x" gives "2019/06/06/x".
    """
    _, mark, slug = urlsplit(url).path.partition(SLUG_MARK)
    return unquote(slug.rstrip("/")) or None if mark else None


def counters(blog: Blog) -> Plan:
    """Request the counters that pages lack, comment keys, and bodies with pending media.

    The answers update `blog.posts`. An address that fails for the first two posts is not requested again.
    """
    memory = _LearnedPosts(blog)
    session = Session(blog.root)
    if blog.bulk and any(memory.lacks_data(known) for known in blog.posts.values()):
        pages = yield from _listed(session, blog, memory)
        yield from _counted(session, blog, memory, pages or MAX_PAGES)
    metadata, contents = _Endpoint(session), _Endpoint(session)
    for known in list(blog.posts.values()):
        root, slug = _location(blog, known)
        if slug is None or not known.due:
            continue
        if known.counters_pending and not memory.counted(known) and metadata.open:
            memory.learn((yield from metadata.counters_of(root, slug)).items)
        if (known.media_pending or memory.lacks_comments_key(known)) and contents.open:
            memory.learn((yield from contents.ask(post_page_url(root, slug))).items)


def _location(blog: Blog, known: KnownPost) -> tuple[str, str | None]:
    """Return root and slug of a post, with root + "/post/" + slug as its address; no slug where that is impossible.

    The root is spelled as in the post's own address (`www.` or not). For a post in another language (`/es/post/x`,
    `?lang=es`) the address of the service is not known.
    """
    slug = slug_of(known.url)
    root = known.url.partition(SLUG_MARK)[0]
    same_path = urlsplit(root).path.rstrip("/") == urlsplit(blog.root).path.rstrip("/")
    return root, slug if same_path and same_site(root, blog.root) and not urlsplit(known.url).query else None


def _listed(session: Session, blog: Blog, memory: _LearnedPosts) -> Generator[Ask, Answer, int]:
    """Request pages of the feed until all posts are listed or a page lists no new one; return how many listed some."""
    for page in range(1, MAX_PAGES + 1):
        answer = yield from session.ask(feed_url(blog.root, page))
        named = memory.learn(item for item in answer.items if isinstance(item, Sighting))
        if not named or _is_last(answer):
            return page if named else page - 1
    return MAX_PAGES


def _is_last(answer: Answer) -> bool:
    """Return whether the feed ends with this page: offset and number of its posts add up to the total."""
    try:
        value = decode(answer.exchange.body) if answer.exchange else None
    except ValueError:
        return True
    paging = mapping(dig(value, "postFeedPage", "posts", "pagingMetaData"))
    present, offset, total = (count(paging.get(name)) for name in ("count", "offset", "total"))
    return total is not None and (offset or 0) + (present or 0) >= total > 0


def _counted(session: Session, blog: Blog, memory: _LearnedPosts, pages: int) -> Plan:
    """Request pages of counters, as many as the feed had, until all posts have theirs or a page has no new ones."""
    for page in range(1, pages + 1):
        if not memory.uncounted():
            return
        answer = yield from session.ask(feed_metadata_url(blog.root, page))
        if not memory.learn(answer.items):
            return


class _LearnedPosts:
    """What the answers of this run say about the blog's posts."""

    def __init__(self, blog: Blog) -> None:
        self._blog = blog
        self._seen: set[str] = set()  # names of all posts that some answer was about
        self._by_name: dict[str, KnownPost] = {}
        for known in blog.posts.values():
            for address in (known.url, *known.addresses):
                self._by_name.setdefault(_name(address), known)
            known.comments_key = known.comments_key or _comments_key_of(known.addresses)

    def learn(self, items: Iterable[Item]) -> int:
        """Store ids and comment counts; return how many posts the items are about for the first time."""
        fresh = 0
        for item in items:
            addresses = tuple(_addresses(item))
            kind = type(item).__name__
            names = {f"{kind} {_name(address)}" for address in addresses}
            fresh += bool(names) and not names & self._seen
            self._seen |= names
            known = next((self._by_name[_name(url)] for url in addresses if _name(url) in self._by_name), None)
            if known is not None:
                self._update(known, addresses, item)
        return fresh

    def _update(self, known: KnownPost, addresses: tuple[str, ...], item: Item) -> None:
        known.addresses = tuple(dict.fromkeys((*known.addresses, *map(_spelling, addresses))))
        for address in addresses:
            self._by_name.setdefault(_name(address), known)
        known.comments_key = known.comments_key or _comments_key_of(addresses)
        if isinstance(item, (Reading, Post)) and (item.views, item.likes, item.comments_count) != (None, None, None):
            known.counted = True
            if item.comments_count is not None:
                known.comments_count = item.comments_count

    def counted(self, known: KnownPost) -> bool:
        """Return whether an answer of this run gave the post's counters."""
        return known.counted

    def uncounted(self) -> bool:
        """Return whether some post still lacks its counters."""
        return any(known.counters_pending and not self.counted(known) for known in self._blog.posts.values())

    def lacks_comments_key(self, known: KnownPost) -> bool:
        """Return whether its comments are wanted and it may have some, but their key is not known."""
        return self._blog.read_comments and not known.comments_key and known.comments_count != 0

    def lacks_data(self, known: KnownPost) -> bool:
        """Return whether the post lacks its counters or its comment key."""
        return known.counters_pending or self.lacks_comments_key(known)


def _comments_key_of(addresses: Iterable[str]) -> str | None:
    """Return the key of a post's comments: the 24 digits of "wix:64ddbf6a1737d98af033206f"."""
    ids = (address.removeprefix("wix:") for address in addresses if address.startswith("wix:"))
    return next((name for name in ids if len(name) == 24), None)


def _addresses(item: Item) -> Iterator[str]:
    if isinstance(item, Sighting):
        yield from (item.url, *item.addresses)
    elif isinstance(item, Reading):
        yield from item.post
    elif isinstance(item, Post):
        yield from item.addresses


def _name(address: str) -> str:
    return address if address.startswith("wix:") else post_key(address)


def _spelling(address: str) -> str:
    return address if address.startswith("wix:") else canonical_url(address)


class _Endpoint:
    """One kind of request, made for each post until it has failed too often."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._failed = 0  # times in a row
        self._worked = False
        self._posting: bool | None = None  # the service wants POST; None: not known yet

    @property
    def open(self) -> bool:
        """It has not failed for the first two posts, nor five times in a row after a success."""
        return self._failed < (5 if self._worked else 2)

    def ask(self, url: str, body: dict[str, object] | None = None) -> Call:
        """Make one request and count whether it failed."""
        answer = yield from self._session.ask(url, body)
        worked = answer.ok and any(not isinstance(item, Problem) for item in answer.items)
        self._worked, self._failed = self._worked or worked, 0 if worked else self._failed + 1
        return answer

    def counters_of(self, root: str, slug: str) -> Call:
        """Request one post's counters by GET, or by POST where GET is not served; the first answer decides which."""
        url = post_metadata_url(root, slug)
        if not self._posting:
            answer = yield from self.ask(f"{url}?skipViewCountIncrement=true")
            status = answer.exchange.status if answer.exchange else None
            if self._posting is not None or status not in (404, 405, 501):
                self._posting = False if answer.ok else self._posting
                return answer
            self._failed -= 1
        answer = yield from self.ask(url, {"postId": slug, "skipViewCountIncrement": True})
        self._posting = answer.ok
        return answer
