"""Which posts of a blog a visit asks for, and what it learns of each: those that are due, within the day's budget."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from scraper.addresses import is_within, post_key, same_site
from scraper.crawl.discovered import Discovered
from scraper.crawl.schedule import SAMPLE, DueReason, RevisitPolicy
from scraper.crawl.state import VisitContext, VisitResult
from scraper.crawl.tee import tee
from scraper.items import Gone, Post, Problem, Sighting
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan

MAX_POSTS = 20_000  # far above any clinic's blog
MAX_CARDS = 500  # posts that nothing but "Recent Posts" of other posts names
RESERVE = 4  # requests that a day's budget keeps for the calls that count all posts

Step = Generator[Ask, Answer, None]


class Frontier:
    """The posts of one visit: chosen by the clinic's schedule; under `--limit` the newest, with `--all` every one."""

    def __init__(self, blog: Blog, finds: Discovered, start: VisitContext, visit: VisitResult) -> None:
        self._blog, self._discovered, self._context, self._result = blog, finds, start, visit
        self._policy = RevisitPolicy(start.now, start.clinic.schedule, finds.lists_read)
        self._known = {id(post) for post in start.known}
        self._queued: set[str] = set()  # keys of all addresses of posts that were or will be asked for
        self._done: set[str] = set()
        self._cards = 0
        self._announced: set[str] = set()  # keys of posts that services named
        self._not_due: list[KnownPost] = []  # known posts that are not due
        self._deferred: list[KnownPost] = []  # due, and left for another day by the budget
        self._skipped_keys: set[str] = set()  # keys of all addresses of both
        # Pages that failed the last time may fail for ever, and say nothing of the blog: unless most of it fails.
        there = [post for post in start.known if not post.removed]
        self._some_fail = sum(post.tried_at is not None and post.missed_at is None for post in there) * 2 <= len(there)
        self._expected = self._gone = 0  # posts that were there the last time; of these, those that answer as gone

    def posts(self) -> Step:
        """Every post that is due, the most urgent first; posts that only "Recent Posts" name come last.

        Where over a third of those that were there the last time answer that they are gone, all others are asked for as
        well.
        """
        found = self._discovered.posts()
        self._result.discovered = len(found)
        # The newest, whether an answer of the discovery or a page gives them.
        newest = found[: self._context.limit]
        self._take_read([post for post in newest if self._page_read(post) is not None])
        found = [post for post in found if self._page_read(post) is None]
        if self._context.limit is not None:
            waiting = found
        elif self._context.all_posts:
            waiting = sorted(found, key=self._urgency)
        else:
            waiting, self._not_due = self._policy.select(found)
        self._skipped_keys = {key for post in self._not_due for key in _keys(post)}
        yield from self._fetch(self._within_budget(waiting))
        if self._gone >= min(SAMPLE, len(found)) and self._gone * 3 > self._expected and self._not_due:
            again, self._not_due = self._not_due, []
            self._skipped_keys.difference_update(key for post in again for key in _keys(post))
            yield from self._fetch(self._within_budget(again))
        for post in [*self._not_due, *(post for post in self._deferred if post.last_seen_at)]:
            self._blog.posts.setdefault(post.url, post)

    def _page_read(self, post: KnownPost) -> Post | None:
        """The post as an answer of the discovery gave it with its text; None where its page has to be requested."""
        return next(
            (self._discovered.read_posts[key] for key in _keys(post) if key in self._discovered.read_posts), None
        )

    def _take_read(self, posts: Iterable[KnownPost]) -> None:
        """Posts that an API or a feed gave whole count as fetched."""
        result = self._result
        for post in posts:
            page = self._page_read(post)
            assert page is not None
            keys = _keys(post)
            self._queued |= keys
            self._done |= keys
            result.attempted += 1
            result.fetched += 1
            was_there = id(post) in self._known and not post.removed
            self._expected += was_there
            result.expected += was_there
            self._learn(post, page, post.url)
            result.counting.add(post.url)
            self._blog.posts[post.url] = post

    def _urgency(self, post: KnownPost) -> int:
        """New before changed before any other."""
        why = self._policy.due_reason(post)
        return why if why in (DueReason.NEW, DueReason.CHANGED) else DueReason.OVERDUE

    def _within_budget(self, posts: list[KnownPost]) -> list[KnownPost]:
        """As many as the day's budget allows; the others wait for the next run."""
        allowed = self._context.budget_left(self._result.requests)
        if allowed is None:
            return posts
        left = max(allowed - RESERVE, 0)
        # Dead addresses that a list names are new every day: a quarter is kept for posts that were read once.
        kept = {id(post) for post in [post for post in posts if post.last_seen_at is not None][: left // 4]}
        kept |= {id(post) for post in [post for post in posts if id(post) not in kept][: left - len(kept)]}
        self._defer([post for post in posts if id(post) not in kept])
        return [post for post in posts if id(post) in kept]

    def _defer(self, posts: list[KnownPost]) -> None:
        """They wait for another day."""
        for post in posts:
            post.due = False
        self._deferred += posts
        self._skipped_keys.update(key for post in posts for key in _keys(post))

    def observing(self, plan: Plan) -> Plan:
        """The same plan; the posts that its answers name are noted, with the dates of their last change."""

        def note(_: Ask, answer: Answer) -> Answer:
            named = [item for item in answer.items if isinstance(item, Sighting) and item.certain]
            if self._context.limit is None and named:
                self._discovered.add(named)
                self._announced |= {post_key(item.url) for item in named}
            return answer

        return tee(plan, note)

    def fetch_announced(self) -> Step:
        """Posts that services alone call new or changed."""
        if self._context.limit is not None:
            return
        put_off = {key for post in self._deferred for key in _keys(post)}
        told = [post for post in self._discovered.posts() if not _keys(post).isdisjoint(self._announced)]
        unmet = [post for post in told if _keys(post).isdisjoint(self._queued | put_off)]
        due = [post for post in unmet if self._policy.due_reason(post) in (DueReason.NEW, DueReason.CHANGED)]
        yield from self._fetch(self._within_budget(due))

    def probe_old_addresses(self) -> Step:
        """Posts that are known by addresses of another site alone, where the clinic was before: each is asked for
        there, until one does not lead here. A redirect proves which post here it is."""
        if self._context.limit is not None:
            return
        for post in self._discovered.elsewhere:
            if post.removed or post.missed_at is not None:
                continue
            answer = yield Ask(url=post.url)
            if answer.exchange is None or not is_within(answer.exchange.url, self._blog.root):
                return

    def summarise(self) -> None:
        """What the visit tells of the posts that it did not ask for: how many they are, and whose counters it sought.

        Where no call counts all posts those that rest were not counted, and no service counts a post that is gone.
        """
        for post in (*self._not_due, *self._deferred):
            if post.script_counters and post.missed_at is None and (post.due or post.counted):
                self._result.counting.add(post.url)
        self._result.counting -= self._blog.deferred
        self._result.not_due = sum(_keys(post).isdisjoint(self._queued) for post in self._not_due)
        self._result.deferred = len({post.url for post in self._deferred} | self._blog.deferred)
        self._result.skipped_keys = self._skipped_keys - self._queued | {post_key(url) for url in self._blog.deferred}

    def _fetch(self, posts: Iterable[KnownPost]) -> Step:
        """Ask for the posts one after another, and for those that they alone name."""
        start, visit = self._context, self._result
        waiting = list(posts)
        self._queued |= {key for post in waiting for key in _keys(post)}
        while waiting and (start.limit is None or visit.attempted < start.limit):
            if visit.attempted >= MAX_POSTS:
                visit.limited = True
                visit.notes.append(f"more than {MAX_POSTS} posts: the others were not asked for")
                return
            post = waiting.pop(0)
            if post_key(post.url) in self._done:
                continue
            if self._blog.budget_spent():  # other addresses of posts before took what was left
                self._defer([post, *waiting])
                return
            visit.attempted += 1
            was_known = id(post) in self._known
            was_there = was_known and not post.removed
            was_readable = was_there and (post.tried_at is None or not self._some_fail)
            self._expected += was_there
            answer = yield from self._ask(post)
            if was_known and _is_elsewhere(answer):
                answer = (yield from self._under_another_address(post)) or answer
            gone, failed = visit.gone, visit.failed
            if not self._record_outcome(post, answer, was_known):
                self._gone += was_there and visit.gone > gone
                visit.missing += was_readable and visit.failed > failed
                visit.expected += was_readable
                continue
            visit.expected += was_there
            visit.fetched += 1
            self._done.add(post_key(post.url))
            self._blog.posts[post.url] = post
            if start.limit is None:
                self._discovered.add(answer.items)
                waiting += self._linked_posts(answer)

    def _ask(self, post: KnownPost) -> Generator[Ask, Answer, Answer]:
        answer = yield Ask(url=post.request_url, conditional=True)
        self._done.update(post_key(url) for url in (post.url, *answer.redirected_from))
        return answer

    def _under_another_address(self, post: KnownPost) -> Generator[Ask, Answer, Answer | None]:
        """The post, where another of its addresses on this site leads to it; what a page calls itself may be wrong."""
        before, listed, own = post.url, post.listed_url, _keys(post)
        others = [url for url in post.addresses if is_within(url, self._blog.root) and post_key(url) not in self._done]
        for url in others:
            if self._blog.budget_spent():
                self._result.limited = True  # no evidence that it is gone
                self._result.notes.append(f"{before}: the day's budget ended before its other addresses were tried")
                break
            post.url, post.listed_url = url, None
            answer = yield from self._ask(post)
            page = next((item for item in answer.items if isinstance(item, Post)), None)
            if answer.unchanged or (
                page is not None and not own.isdisjoint(map(post_key, (page.url, *page.addresses)))
            ):
                return answer
        post.url, post.listed_url = before, listed
        return None

    def _record_outcome(self, post: KnownPost, answer: Answer, was_known: bool) -> bool:
        """The post was there. Else it is told why not."""
        visit = self._result
        page = next((item for item in answer.items if isinstance(item, Post)), None)
        if page is not None:
            self._learn(post, page, answer.exchange.url if answer.exchange is not None else post.url)
            visit.counting.add(post.url)
        elif answer.unchanged and was_known:
            visit.unchanged += 1
            if post.script_counters:  # else the page tells them, and it has not changed
                visit.counting.add(post.url)
        elif any(isinstance(item, Gone) for item in answer.items):
            visit.gone += 1  # an answer, and the evidence of a removal: such a visit is whole all the same
            return False
        elif any(isinstance(item, Problem) and item.kind == "paywall" for item in answer.items):
            visit.members_only += 1
            visit.notes.append(f"1 post is for members only: {post.url}")
            return False
        else:
            visit.failed += 1
            visit.failure_lines.append(_unread(post, answer))
            return False
        return True

    def _learn(self, post: KnownPost, page: Post, answered: str) -> None:
        """What the page says that decides the next requests; `answered`: the address that gave it."""
        before = post.url
        post.addresses = tuple(dict.fromkeys((*page.addresses, post.url, *post.addresses)))
        if page.url and same_site(page.url, post.url):
            # What a page calls itself may lead nowhere; it is gone by where it answered, or where a list has the post.
            sure = post_key(page.url) == post_key(answered) or post_key(page.url) in self._discovered.named
            post.url = page.url if sure or not is_within(answered, self._blog.root) else answered
        if post.url != before:
            post.listed_url = None
        post.counters_pending = post.script_counters = page.counters_pending
        post.comments_count = page.comments_count
        post.comments_key = page.comments_key or post.comments_key
        post.media_pending = page.media_pending

    def _linked_posts(self, answer: Answer) -> list[KnownPost]:
        """Posts that this page is the first to name."""
        found = []
        for item in answer.items:
            if not isinstance(item, Sighting) or not item.certain or not is_within(item.url, self._blog.root):
                continue
            key = post_key(item.url)
            if key in self._queued or key in self._skipped_keys:
                continue
            if self._cards == MAX_CARDS:
                self._result.limited = True
                self._result.notes.append(
                    f"more than {MAX_CARDS} posts that only other posts name: no more are followed"
                )
            self._cards += 1
            if self._cards <= MAX_CARDS:
                self._queued.add(key)
                found.append(KnownPost(url=item.url, listed_url=item.listed_url, addresses=item.addresses))
                self._result.discovered += 1
        return found


def _keys(post: KnownPost) -> set[str]:
    """By which a post is known again, whatever address names it."""
    return {post_key(address) for address in (post.url, *post.addresses)}


def _is_elsewhere(answer: Answer) -> bool:
    """The address leads to no post any more, and that is the server's word, not a fault on the way."""
    if answer.exchange is None or answer.unchanged or answer.exchange.status >= 500:
        return False
    return not any(
        isinstance(item, Post) or (isinstance(item, Problem) and item.kind == "paywall") for item in answer.items
    )


def _unread(post: KnownPost, answer: Answer) -> str:
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
