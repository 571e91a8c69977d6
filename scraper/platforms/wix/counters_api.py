"""Asking a Wix site for what its pages leave out since 2025: counters, comment keys, and bodies with their media.

All posts at once: `post-feed-page` names them with both ids, `post-feed-page-metadata` counts them, 100 a request. One
by one, under `--limit` or where those do not cover a post: `post-page-metadata/<slug>`. A site's own server was
captured (2024) sending the latter as POST with `skipViewCountIncrement`, since the same call counts a visit when a
browser makes it; the archive must not raise the numbers that it measures, so that both forms carry it here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from urllib.parse import quote, unquote, urlencode, urlsplit

from scraper.addresses import canonical_url, post_key, same_site
from scraper.items import Item, Post, Problem, Reading, Sighting
from scraper.platforms._json import count, decode, dig, mapping
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan
from scraper.platforms.wix.session import Call, Session

ADAPTER = "/_api/blog-frontend-adapter-public/v2/"
PAGE_SIZE = 100  # 20 to 100 are used by working readers; a server that gives fewer is read all the same
MOST_PAGES = 200
SLUG_MARK = "/post/"


def feed_url(root: str, page: int) -> str:
    """Address of one page of all posts, newest first, without their contents. `page` counts from 1."""
    query = {"includeContent": "false", "page": page, "pageSize": PAGE_SIZE, "type": "ALL_POSTS"}
    return f"{root}{ADAPTER}post-feed-page?{urlencode(query)}"


def feed_metadata_url(root: str, page: int) -> str:
    """Address of the counters of one page of posts, the same posts as `feed_url` gives for that page."""
    query = {"page": page, "pageSize": PAGE_SIZE, "type": "ALL_POSTS"}
    return f"{root}{ADAPTER}post-feed-page-metadata?{urlencode(query)}"


def post_page_url(root: str, slug: str) -> str:
    """Address of one post with its content. `slug` unescaped; one with folders ("2019/06/06/x") is one path part."""
    return f"{root}{ADAPTER}post-page/{quote(slug, safe='')}"


def post_metadata_url(root: str, slug: str) -> str:
    """Address of one post's counters, to be POSTed to or, with `skipViewCountIncrement=true`, to GET."""
    return f"{root}{ADAPTER}post-page-metadata/{quote(slug, safe='')}"


def slug_of(url: str) -> str | None:
    """The slug below `/post/`, unescaped, None where the address has none.

    "https://user.wixsite.com/site/post/2019/06/06/x" gives "2019/06/06/x".
    """
    _, mark, slug = urlsplit(url).path.partition(SLUG_MARK)
    return unquote(slug.rstrip("/")) or None if mark else None


def counters(blog: Blog) -> Plan:
    """Ask for the counters of the posts whose pages lack them, for comment keys, and for bodies with pending media.

    What the answers tell is added to `blog.posts`. An address that fails for the first two posts is not asked again.
    """
    memory = _Memory(blog)
    session = Session(blog.root)
    if blog.bulk and any(memory.lacks(known) for known in blog.posts.values()):
        pages = yield from _listed(session, blog, memory)
        yield from _counted(session, blog, memory, pages or MOST_PAGES)
    metadata, contents = _Endpoint(session), _Endpoint(session)
    for known in list(blog.posts.values()):
        root, slug = _place(blog, known)
        if slug is None or not known.due:
            continue
        if known.counters_pending and not memory.counted(known) and metadata.open:
            memory.learn((yield from metadata.counters_of(root, slug)).items)
        if (known.media_pending or memory.lacks_key(known)) and contents.open:
            memory.learn((yield from contents.ask(post_page_url(root, slug))).items)


def _place(blog: Blog, known: KnownPost) -> tuple[str, str | None]:
    """Root and slug of a post such that root + "/post/" + slug is its address again; no slug where there is no such.

    The root is spelled as in the post's own address (`www.` or not); in a language of its own (`/es/post/x`,
    `?lang=es`) the service is not known.
    """
    slug = slug_of(known.url)
    root = known.url.partition(SLUG_MARK)[0]
    same_path = urlsplit(root).path.rstrip("/") == urlsplit(blog.root).path.rstrip("/")
    return root, slug if same_path and same_site(root, blog.root) and not urlsplit(known.url).query else None


def _listed(session: Session, blog: Blog, memory: _Memory) -> Generator[Ask, Answer, int]:
    """Pages of the feed until all posts were named, or a page names none that was not named before; how many did."""
    for page in range(1, MOST_PAGES + 1):
        answer = yield from session.ask(feed_url(blog.root, page))
        named = memory.learn(item for item in answer.items if isinstance(item, Sighting))
        if not named or _is_last(answer):
            return page if named else page - 1
    return MOST_PAGES


def _is_last(answer: Answer) -> bool:
    """The feed says that this page reaches its end: offset and number of posts here make up the total."""
    try:
        value = decode(answer.exchange.body) if answer.exchange else None
    except ValueError:
        return True
    paging = mapping(dig(value, "postFeedPage", "posts", "pagingMetaData"))
    here, before, total = (count(paging.get(name)) for name in ("count", "offset", "total"))
    return total is not None and (before or 0) + (here or 0) >= total > 0


def _counted(session: Session, blog: Blog, memory: _Memory, pages: int) -> Plan:
    """Pages of counters, as many as the feed had, until the posts at hand are counted or a page counts no further."""
    for page in range(1, pages + 1):
        if not memory.uncounted():
            return
        answer = yield from session.ask(feed_metadata_url(blog.root, page))
        if not memory.learn(answer.items):
            return


class _Memory:
    """What the answers of this run said of the posts at hand."""

    def __init__(self, blog: Blog) -> None:
        self._blog = blog
        self._met: set[str] = set()  # names of all posts that some answer spoke of
        self._by_name: dict[str, KnownPost] = {}
        for known in blog.posts.values():
            for address in (known.url, *known.addresses):
                self._by_name.setdefault(_name(address), known)
            known.comments_key = known.comments_key or _internal(known.addresses)

    def learn(self, items: Iterable[Item]) -> int:
        """Take over ids and comment counts; returns how many posts the items speak of for the first time."""
        fresh = 0
        for item in items:
            addresses = tuple(_addresses(item))
            kind = type(item).__name__
            names = {f"{kind} {_name(address)}" for address in addresses}
            fresh += bool(names) and not names & self._met
            self._met |= names
            known = next((self._by_name[_name(one)] for one in addresses if _name(one) in self._by_name), None)
            if known is not None:
                self._update(known, addresses, item)
        return fresh

    def _update(self, known: KnownPost, addresses: tuple[str, ...], item: Item) -> None:
        known.addresses = tuple(dict.fromkeys((*known.addresses, *map(_spelling, addresses))))
        for address in addresses:
            self._by_name.setdefault(_name(address), known)
        known.comments_key = known.comments_key or _internal(addresses)
        if isinstance(item, (Reading, Post)) and (item.views, item.likes, item.comments_count) != (None, None, None):
            known.counted = True
            if item.comments_count is not None:
                known.comments_count = item.comments_count

    def counted(self, known: KnownPost) -> bool:
        return known.counted

    def uncounted(self) -> bool:
        """Some post lacks its counters still."""
        return any(known.counters_pending and not self.counted(known) for known in self._blog.posts.values())

    def lacks_key(self, known: KnownPost) -> bool:
        """Its comments are wanted and it may have some, but what they are filed under is not known."""
        return self._blog.read_comments and not known.comments_key and known.comments_count != 0

    def lacks(self, known: KnownPost) -> bool:
        return known.counters_pending or self.lacks_key(known)


def _internal(addresses: Iterable[str]) -> str | None:
    """What a post's comments are filed under: the 24 digits of "wix:64ddbf6a1737d98af033206f"."""
    return next((one[4:] for one in addresses if one.startswith("wix:") and len(one) == len("wix:") + 24), None)


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
    """One kind of request made for post after post, until it has failed too often."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._failed = 0  # times in a row
        self._worked = False
        self._posting: bool | None = None  # counters are POSTed for; None: not known yet

    @property
    def open(self) -> bool:
        """Worth asking: not failed for the first two posts, nor five times in a row after a success."""
        return self._failed < (5 if self._worked else 2)

    def ask(self, url: str, body: dict[str, object] | None = None) -> Call:
        answer = yield from self._session.ask(url, body)
        worked = answer.ok and any(not isinstance(item, Problem) for item in answer.items)
        self._worked, self._failed = self._worked or worked, 0 if worked else self._failed + 1
        return answer

    def counters_of(self, root: str, slug: str) -> Call:
        """One post's counters, by GET, or by POST where GET is not served; which it is, is found out once."""
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
