"""The order of a visit to one clinic's blog: recognise, discover, fetch the posts, then counters, then comments.

A plan yields an `Ask` and is sent its `Answer`; whether and when a request is made (robots, delay, retries, redirects)
is the spider's business, what an answer says is `scraper.read`'s. What is gathered here is the visit's own memory of
what to ask next, and never becomes a row.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from scraper import discover
from scraper.addresses import canonical_url, post_key, same_site
from scraper.items import Exchange, Gone, Post, Problem, SightedIn, Sighting, UnsupportedPlatform
from scraper.manners import read_robots
from scraper.merge import Discovery, merge, moment
from scraper.platforms._platform import Answer, Ask, Blog, Known, Plan, Platform
from scraper.read import is_post_url, platform_of
from scraper.rendering import complete
from scraper.visit import Surroundings, Visit

# Bounds of a visit, far above any clinic's blog: what lies beyond is a trap or a fault, and is told.
MAX_SITEMAPS, MAX_LISTINGS, MAX_POSTS = 50, 400, 20_000
MAX_CARDS = 500  # posts that nothing but "Recent Posts" of other posts names


Step = Generator[Ask, Answer, None]


def below(url: str, root: str) -> bool:
    """The address is of this site: on its host, and where sites share one, below its own path."""
    path = urlsplit(root).path
    return same_site(url, root) and f"{urlsplit(url).path}/".startswith(f"{path}/")


@dataclass(slots=True)
class Finds:
    """The posts named so far, by whom, and those that the archive knows from before."""

    known: list[Known]
    root: str  # of the site: whatever a page calls itself or its neighbours, no other site is asked
    sightings: list[Sighting] = field(default_factory=list)
    read: set[SightedIn] = field(default_factory=set)
    named: set[str] = field(default_factory=set)  # post keys
    by_source: dict[str, set[str]] = field(default_factory=dict)  # the same, each source's own

    def add(self, items: Iterable[object], source: SightedIn | None = None) -> int:
        """Take the sightings among the items; `source` was read, even where it named nothing.

        Number of posts that are new to this source: others may have named them before.
        """
        if source:
            self.read.add(source)
        mine = self.by_source.setdefault(source or "", set())
        before = len(mine)
        for item in items:
            if isinstance(item, Sighting) and below(item.url, self.root):
                self.sightings.append(item)
                key = post_key(item.url)
                mine.add(key)
                self.named.add(key)
        return len(mine) - before

    def merged(self) -> Discovery:
        """What was named, as posts, newest first."""
        return merge(self.sightings, read=self.read)

    def due(self) -> list[Known]:
        """All posts to ask for: newest first as the listings have them, then those that no listing names any more."""
        known = {post_key(address): post for post in self.known for address in (post.url, *post.addresses)}
        due: dict[str, Known] = {}
        for found in self.merged().posts:
            keys = [post_key(found.url), *(post_key(one) for one in found.addresses)]
            post = next((known[key] for key in keys if key in known), None) or Known(url=found.url)
            post.addresses = tuple(dict.fromkeys((*post.addresses, found.url, *found.addresses)))
            post.lastmod = found.lastmod
            self._place(due, post, found.url)
        for post in self.known:
            self._place(due, post, *post.addresses)
        return list(due.values())

    def _place(self, due: dict[str, Known], post: Known, *others: str) -> None:
        """The post under an address on this site; one that has none any more is not asked for."""
        own = next((url for url in (post.url, *others) if below(url, self.root)), None)
        if own is not None:
            if own != post.url:
                post.addresses = tuple(dict.fromkeys((*post.addresses, post.url)))
                post.url = own
            due.setdefault(own, post)


def urgency(post: Known) -> int:
    """What is fetched first: 0 never seen, 1 changed since it was seen, as a sitemap or feed says, 2 any other.

    A bare date ("2026-11-25") may be any moment of that day.
    """
    if post.last_seen_at is None:
        return 0
    changed, bare = moment(post.lastmod), len(post.lastmod or "") == len("2026-11-25")
    seen = moment(post.last_seen_at[:10] if bare else post.last_seen_at)
    return 1 if changed and seen and changed >= seen else 2


def visit_blog(start: Surroundings, visit: Visit) -> Plan:
    """The whole visit; `visit` is filled as it goes."""
    clinic = start.clinic
    visit.limited = start.limit is not None
    home = yield Ask(url=clinic.url)
    problems = [item for item in home.items if isinstance(item, Problem)]
    if home.exchange is None or not home.ok:
        visit.blog_status = "unreachable"
        status = home.exchange.status if home.exchange else "nothing"
        visit.failure = home.reason or (problems[0].message if problems else f"{clinic.url}: answered {status}")
        return
    if start.known and not same_site(home.exchange.url, clinic.url):
        visit.moved, visit.blog_status = home.exchange.url, "unknown"
        return
    platform = platform_of(home.exchange)
    if platform is None:
        # A wall, or an empty page on a bad day, says nothing about the site's platform.
        known = not problems or problems[0].kind == UnsupportedPlatform.kind
        visit.blog_status = "unsupported" if known else "unreachable"
        visit.failure = problems[0].message.removeprefix(f"{home.exchange.url}: ") if problems else "not a blog"
        return
    visit.platform = platform.name
    blog = Blog(
        root=platform.root(home.exchange.url),
        private=start.private,
        read_comments=clinic.comments == "threads",
        everything=start.limit is None,
    )
    finds = Finds(start.known, blog.root)
    finds.add(home.items)
    yield from _sitemaps(platform, blog, finds)
    yield from _feeds(platform, blog, finds)
    yield from _listings(platform, blog, finds, home.exchange, start)
    if not finds.due():
        visit.blog_status = "none_found"
        visit.failure = f"{blog.root} runs {platform.name}, but no blog post was found in sitemap, feed or listing"
        return
    visit.blog_status = "blog"
    visit.discovered = len(finds.due())
    yield from _posts(blog, finds, start, visit)
    merged = finds.merged()
    visit.found_in = {str(source): number for source, number in merged.counts.items()}
    visit.discovered = len(finds.due())
    if start.limit is None:
        visit.notes += merged.disagreements()
    yield from complete(platform, blog, start, visit)


def _sitemaps(platform: Platform, blog: Blog, finds: Finds) -> Step:
    """robots.txt names sitemaps, sitemaps name more; those that a platform is known to hide are tried anyway."""
    robots = yield Ask(url=f"{urlsplit(blog.root).scheme}://{urlsplit(blog.root).netloc}/robots.txt")
    waiting = [
        *read_robots(robots.exchange, robots.reason).sitemaps,
        f"{blog.root}/sitemap.xml",
        *(blog.root + path for path in platform.sitemaps),
    ]
    seen: set[str] = set()
    while waiting and len(seen) < MAX_SITEMAPS:
        url = waiting.pop(0)
        if canonical_url(url) in seen or not same_site(url, blog.root):
            continue
        seen.add(canonical_url(url))
        answer = yield Ask(url=url)
        if answer.ok and answer.exchange is not None:
            waiting += [sub for sub, _ in discover.read_sitemap(answer.exchange, is_post_url).sub_sitemaps]
            finds.add(answer.items, "sitemap")


def _feeds(platform: Platform, blog: Blog, finds: Finds) -> Step:
    for path in platform.feeds:
        answer = yield Ask(url=blog.root + path)
        finds.add(answer.items, "feed" if answer.ok else None)


def _listings(platform: Platform, blog: Blog, finds: Finds, home: Exchange, start: Surroundings) -> Step:
    """The blog's pages one after another while they name posts, and the categories they link to."""
    waiting = [blog.root + path for path in platform.listings]
    waiting += [url for url in discover.read_links(home) if platform.is_listing_url(url)]
    seen: set[str] = set()
    while waiting and len(seen) < MAX_LISTINGS:
        url = canonical_url(waiting.pop(0))
        if url in seen or not below(url, blog.root):
            continue
        seen.add(url)
        answer = yield Ask(url=url, conditional=True)
        sightings = [item for item in answer.items if isinstance(item, Sighting)]
        news = finds.add(sightings, "listing" if answer.ok or answer.unchanged else None)
        if answer.ok and answer.exchange is not None:
            waiting += [url for url in discover.read_links(answer.exchange) if platform.is_listing_url(url)]
        following = platform.next_listing(url)
        # A page that names nothing new is the last: blogs answer page 999 with page 1, or with an empty one.
        if following and sightings and (news or answer.unchanged) and start.limit is None:
            waiting.insert(0, following)
        if start.limit is not None and len(finds.named) >= start.limit:
            break


def _posts(blog: Blog, finds: Finds, start: Surroundings, visit: Visit) -> Step:
    """Every post, the most urgent first, or under a limit the newest; posts that only "Recent Posts" name come last."""
    waiting = finds.due() if start.limit is not None else sorted(finds.due(), key=urgency)
    queued = {post_key(address) for post in waiting for address in (post.url, *post.addresses)}
    done: set[str] = set()
    cards = 0
    while waiting and (start.limit is None or visit.asked < start.limit):
        if visit.asked >= MAX_POSTS:
            visit.limited = True
            visit.notes.append(f"more than {MAX_POSTS} posts: the others were not asked for")
            return
        post = waiting.pop(0)
        if post_key(post.url) in done:
            continue
        visit.asked += 1
        was_known = post in start.known
        answer = yield Ask(url=post.url, conditional=True)
        done.update(post_key(url) for url in (post.url, *answer.redirected_from))
        page = next((item for item in answer.items if isinstance(item, Post)), None)
        if page is not None:
            _learn(post, page)
            visit.counting.add(post.url)
        elif answer.unchanged and was_known:
            visit.unchanged += 1
            if post.scripted:  # else the page tells them, and it has not changed
                visit.counting.add(post.url)
        elif any(isinstance(item, Gone) for item in answer.items):
            visit.gone += 1  # an answer, and the evidence of a removal: such a visit is whole all the same
            continue
        else:
            if any(isinstance(item, Problem) and item.kind == "paywall" for item in answer.items):
                visit.members_only += 1
                visit.notes.append(f"1 post is for members only: {post.url}")
                continue
            visit.failed += 1
            visit.unread.append(_unread(post, answer))
            continue
        visit.fetched += 1
        done.add(post_key(post.url))
        blog.posts[post.url] = post
        if start.limit is None:
            finds.add(answer.items)
            for item in answer.items:
                new = isinstance(item, Sighting) and below(item.url, blog.root) and post_key(item.url) not in queued
                if new and cards == MAX_CARDS:
                    visit.limited = True
                    visit.notes.append(f"more than {MAX_CARDS} posts that only other posts name: no more are followed")
                if isinstance(item, Sighting) and new:
                    cards += 1
                    if cards > MAX_CARDS:
                        continue
                    queued.add(post_key(item.url))
                    waiting.append(Known(url=item.url, addresses=item.addresses))
                    visit.discovered += 1


def _unread(post: Known, answer: Answer) -> str:
    """What came in place of the post, in one line that names it."""
    said = [item.message for item in answer.items if isinstance(item, Problem)]
    if answer.reason or said:
        why = answer.reason or said[-1]
    elif answer.unchanged:
        why = "not modified since it was last asked for, and no post then"
    elif answer.redirected_from and answer.exchange is not None:
        why = f"leads to {answer.exchange.url}, which is no post"
    else:
        why = "answered, but not as a post"
    return why if post.url in why else f"{post.url}: {why}"


def _learn(post: Known, page: Post) -> None:
    """What the page says that decides the next questions."""
    if page.url and same_site(page.url, post.url):
        post.url = page.url
    post.addresses = tuple(dict.fromkeys((*page.addresses, *post.addresses)))
    post.counters_pending = post.scripted = page.counters_pending
    post.comments_count = page.comments_count
    post.comments_key = page.comments_key or post.comments_key
    post.media_pending = page.media_pending
