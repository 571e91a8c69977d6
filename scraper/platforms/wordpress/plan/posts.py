"""The requests to a WordPress site: its posts and comments by the REST API, else by feeds, sitemaps and listings.

A first visit reads all posts and all comments, 100 an answer. A later visit asks for ids and dates of change, latest
first, and reads what is new or changed; once a week it reads all of them, so that what was removed is found.
`modified_after` is not used, because it compares with the site's local time.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any

from scraper.addresses import canonical_url, post_key
from scraper.crawl.merge import parse_time
from scraper.platforms._json import count, decode
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost
from scraper.platforms.wordpress.address import api_url
from scraper.platforms.wordpress.plan.root import api_roots
from scraper.platforms.wordpress.rest import MAX_ROWS, rows_of
from scraper.platforms.wordpress.rest.posts import id_of, is_entry, lacking_terms, modified_of
from scraper.platforms.wordpress.rest.types import blog_routes

PAGE_SIZES = (100, 20)  # the largest that the API allows; a server that fails at it may answer a smaller one
FEW = 10  # posts an answer under --limit
MAX_PAGES = 200  # of one list: 20,000 posts, far above any clinic's blog
MAX_TYPES = 10  # beside `post`; each costs a request a visit at least
MAX_TERMS = 20  # requests for the labels of one post; others have theirs from the pages
TERM_ROUTES = {"category": "wp/v2/categories", "tag": "wp/v2/tags"}
EMBED = "author,wp:term,wp:featuredmedia"
# What shows whether a post is new or changed, and the counter that WP-PostViews adds.
FIELDS = "id,type,status,link,guid,date,date_gmt,modified_gmt,views"
# After this time all posts and comments are listed again; daily runs do not start at the same minute.
WHOLE_AFTER = timedelta(days=7) - timedelta(hours=12)
LISTED = timedelta(days=9)  # a post that was not listed for longer is in none of the API's lists

Step = Generator[Ask, Answer, Any]


@dataclass(slots=True)
class PostList:
    """What the lists of one type of posts state, as far as they were read."""

    route: str
    pages_read: int = 0
    pages: int | None = None  # number of pages
    total: int | None = None  # number of posts
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    failed: bool = False  # a page could not be read

    @property
    def is_whole(self) -> bool:
        """Whether the list was read to its end."""
        return not self.failed and self.pages_read >= (self.pages or 1)


class Api:
    """The REST API of one site in one visit."""

    def __init__(self, blog: Blog) -> None:
        self.blog = blog
        self.root: str | None = None  # as the site states it, once it answers
        self.refusals: list[str] = []  # what it answered in place of posts
        self._size = PAGE_SIZES[0] if blog.bulk else FEW
        self._known = {key: post for post in blog.known for key in map(post_key, (post.url, *post.addresses))}

    def posts(self) -> Step:
        """Read the lists of posts; return whether the API gave any answer.

        Sets `blog.api`, `blog.partial` and `blog.pages_follow`.
        """
        blog = self.blog
        whole = not blog.bulk or blog.everything or self._is_whole_due()
        with_texts = not blog.bulk or blog.everything or not blog.known
        first = PostList("wp/v2/posts")
        for root in api_roots(blog):
            self.root = root
            yield from self._read_list(first, with_texts, whole)
            if not first.failed:
                break
            first = PostList(first.route)
        else:
            self.root = None
            return False
        blog.api, blog.pages_follow = self.root, True
        lists = [first]
        if whole:
            yield Ask(url=self._url("", _fields="name,url,timezone_string,gmt_offset"))
        if blog.bulk:
            types = yield Ask(url=self._url("wp/v2/types"))
            routes = list(islice(blog_routes(_value(types)), MAX_TYPES + 1))
            if len(routes) > MAX_TYPES:
                blog.notes.append(f"more than {MAX_TYPES} types of posts beside the blog's; the others were not read")
            for route in routes[:MAX_TYPES]:
                other = PostList(route)
                yield from self._read_list(other, with_texts, whole)
                lists.append(other)
        if not whole and self._expected(lists) != sum(part.total or 0 for part in lists):
            for part in lists:  # a post was removed: only a whole list shows which
                yield from self._read_list(part, with_texts, True)
        blog.partial = not blog.bulk or not all(part.is_whole for part in lists)
        for part in lists:
            yield from self._read_changed(part)
            listed = len({id_of(row) for row in part.rows})
            if part.is_whole and part.total not in (None, listed) and blog.bulk:
                blog.notes.append(f"{part.route}: the API states {part.total} posts and lists {listed}")
        return True

    def _is_whole_due(self) -> bool:
        """Return whether a known post was listed a week ago or longer, or none is known from the API's lists."""
        times = [at for post in self.blog.known if (at := self._listed(post)) is not None]
        return not times or self.blog.now - min(times) >= WHOLE_AFTER

    def _listed(self, post: KnownPost) -> Any:
        """Return when a list named the post; None where it is gone, or no list has named it lately."""
        at = parse_time(post.listed_at)
        is_there = not post.removed and post.missed_at is None and at is not None and self.blog.now - at < LISTED
        return at if is_there else None

    def _expected(self, lists: Iterable[PostList]) -> int:
        """Return how many posts the lists have if none was removed: those of earlier lists, and the new ones."""
        names = {f"wordpress:{id_of(row)}" for part in lists for row in part.rows}
        for post in self.blog.known:
            if self._listed(post) is not None:
                names.update(address for address in post.addresses if address.startswith("wordpress:"))
        return len(names)

    def _url(self, route: str, **parameters: object) -> str:
        assert self.root is not None
        return api_url(self.root, route, **parameters)

    def _read_list(self, part: PostList, with_texts: bool, whole: bool) -> Step:
        """Request pages of a list until its end; without `whole` until a page on which nothing is new or changed."""
        while part.pages_read < min(part.pages or 1, MAX_PAGES):
            if with_texts:
                parameters = {"orderby": "date", "order": "desc", "_embed": EMBED}
            else:
                parameters = {"orderby": "modified", "order": "desc", "_fields": FIELDS}
            answer = yield from self._page(part, parameters)
            rows = _entries(answer)
            if rows is None or answer.exchange is None:
                part.failed = True
                self.refusals.append(_refusal(answer))
                return
            part.pages_read += 1
            part.rows += rows
            part.total = count(answer.exchange.headers.get("x-wp-total", ""))
            part.pages = count(answer.exchange.headers.get("x-wp-totalpages", ""))
            if part.pages is None:  # a proxy removed the header: the page after the last one is empty or an error
                part.pages = part.pages_read + 1 if len(rows) >= self._size else part.pages_read
            if part.pages_read > 1 and not answer.new_posts:
                self.blog.notes.append(f"{part.route}: page {part.pages_read} lists no other posts; read no further")
                part.pages = part.pages_read
            if self.blog.enough() or (not whole and not any(map(self._is_news, rows))):
                return
        if (part.pages or 1) > MAX_PAGES:
            self.blog.notes.append(f"{part.route}: more than {MAX_PAGES} pages of posts; the others were not read")

    def _page(self, part: PostList, parameters: Mapping[str, str]) -> Generator[Ask, Answer, Answer]:
        """Request the next page of a list; a smaller one where the server fails at the first."""
        while True:
            url = self._url(part.route, per_page=self._size, page=part.pages_read + 1, **parameters)
            answer = yield Ask(url=url, lists="listing")
            status = answer.exchange.status if answer.exchange is not None else None
            is_overloaded = status in (500, 502, 504) or answer.kind in ("timeout", "too-large", "cut-short")
            is_overloaded = is_overloaded or (answer.ok and _entries(answer) is None)
            if part.pages_read or self._size == PAGE_SIZES[-1] or not is_overloaded or not self.blog.bulk:
                return answer
            self._size = PAGE_SIZES[-1]

    def _known_post(self, row: Mapping[str, Any]) -> KnownPost | None:
        found = self._known.get(f"wordpress:{id_of(row)}")
        return found or self._known.get(post_key(canonical_url(str(row.get("link")))))

    def _is_news(self, row: Mapping[str, Any]) -> bool:
        """Return whether the row's post is unknown, or was changed since its text was read."""
        known = self._known_post(row)
        modified = modified_of(row)
        return known is None or known.last_seen_at is None or (modified is not None and modified != known.modified_at)

    def _read_changed(self, part: PostList) -> Step:
        """Request the texts of the posts of a list that are new or changed, where the list did not give them."""
        news = [id_of(row) for row in part.rows if "content" not in row and self._is_news(row)]
        for start in range(0, len(news), self._size):
            names = ",".join(filter(None, news[start : start + self._size]))
            parameters = {"include": names, "per_page": self._size, "_embed": EMBED}
            answer = yield Ask(url=self._url(part.route, **parameters), lists="listing")
            part.rows += _entries(answer) or ()
        yield from self._read_terms(part)

    def _read_terms(self, part: PostList) -> Step:
        """Request the names of categories and tags of posts with more of them than an answer embeds."""
        lacking = [(id_of(row), kind) for row in part.rows if "content" in row for kind in lacking_terms(row)]
        for name, kind in lacking[:MAX_TERMS]:
            if not self.blog.budget_spent():
                parameters = {"post": name, "per_page": PAGE_SIZES[0], "_fields": "id,name,taxonomy"}
                yield Ask(url=self._url(TERM_ROUTES[kind], **parameters))


def _value(answer: Answer) -> object:
    """Return the JSON of a good answer; None for any other."""
    if answer.exchange is None or not answer.ok:
        return None
    try:
        return decode(answer.exchange.body)
    except ValueError:
        return None


def _entries(answer: Answer) -> list[Mapping[str, Any]] | None:
    """Return the posts of a list; None where the answer is no list."""
    value = _value(answer)
    if not isinstance(value, list) or len(value) > MAX_ROWS:
        return None
    return [row for row in rows_of(value) if is_entry(row)]


def _refusal(answer: Answer) -> str:
    if answer.exchange is None:
        return answer.reason or "no answer"
    return f"answered {answer.exchange.status}" + (", but no list of posts" if answer.ok else "")
