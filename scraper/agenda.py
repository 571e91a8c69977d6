"""Which posts of a blog a visit asks for, and what it learns of each: those that are due, within the day's budget."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import suppress

from scraper.addresses import post_key, same_site
from scraper.due import SAMPLE, Clock, Why
from scraper.finds import Finds, below
from scraper.items import Gone, Post, Problem, Sighting
from scraper.platforms._platform import Answer, Ask, Blog, Known, Plan
from scraper.visit import Surroundings, Visit

MAX_POSTS = 20_000  # far above any clinic's blog
MAX_CARDS = 500  # posts that nothing but "Recent Posts" of other posts names
RESERVE = 4  # requests that a day's budget keeps for the calls that count all posts

Step = Generator[Ask, Answer, None]


class Agenda:
    """The posts of one visit: chosen by the clinic's schedule; under `--limit` the newest, with `--all` every one."""

    def __init__(self, blog: Blog, finds: Finds, start: Surroundings, visit: Visit) -> None:
        self._blog, self._finds, self._start, self._visit = blog, finds, start, visit
        self._clock = Clock(start.now, start.clinic.schedule, finds.lists_read)
        self._known = {id(post) for post in start.known}
        self._queued: set[str] = set()  # keys of all addresses of posts that were or will be asked for
        self._done: set[str] = set()
        self._cards = 0
        self._told: set[str] = set()  # keys of posts that services named
        self._others: list[Known] = []  # known posts that are not due
        self._put_off: list[Known] = []  # due, and left for another day by the budget
        self._resting: set[str] = set()  # keys of all addresses of both
        # Pages that failed the last time may fail for ever, and say nothing of the blog: unless most of it fails.
        there = [post for post in start.known if not post.removed]
        self._some_fail = sum(post.tried_at is not None and post.missed_at is None for post in there) * 2 <= len(there)
        self._sought = self._vanished = 0  # posts that were there the last time; of these, those that answer as gone

    def posts(self) -> Step:
        """Every post that is due, the most urgent first; posts that only "Recent Posts" name come last.

        Where over a third of those that were there the last time answer that they are gone, all others are asked for as
        well.
        """
        found = self._finds.posts()
        self._visit.discovered = len(found)
        if self._start.limit is not None:
            waiting = found
        elif self._start.everything:
            waiting = sorted(found, key=self._urgency)
        else:
            waiting, self._others = self._clock.choose(found)
        self._resting = {key for post in self._others for key in _keys(post)}
        yield from self._read(self._within_budget(waiting))
        if self._vanished >= min(SAMPLE, len(found)) and self._vanished * 3 > self._sought and self._others:
            again, self._others = self._others, []
            self._resting.difference_update(key for post in again for key in _keys(post))
            yield from self._read(self._within_budget(again))
        for post in [*self._others, *(post for post in self._put_off if post.last_seen_at)]:
            self._blog.posts.setdefault(post.url, post)

    def _urgency(self, post: Known) -> int:
        """New before changed before any other."""
        why = self._clock.why(post)
        return why if why in (Why.NEW, Why.CHANGED) else Why.TIME

    def _within_budget(self, posts: list[Known]) -> list[Known]:
        """As many as the day's budget allows; the others wait for the next run."""
        allowed = self._start.left(self._visit.requests)
        if allowed is None:
            return posts
        left = max(allowed - RESERVE, 0)
        # Dead addresses that a list names are new every day: a quarter is kept for posts that were read once.
        kept = {id(post) for post in [post for post in posts if post.last_seen_at is not None][: left // 4]}
        kept |= {id(post) for post in [post for post in posts if id(post) not in kept][: left - len(kept)]}
        self._leave([post for post in posts if id(post) not in kept])
        return [post for post in posts if id(post) in kept]

    def _leave(self, posts: list[Known]) -> None:
        """They wait for another day."""
        for post in posts:
            post.alone = False
        self._put_off += posts
        self._resting.update(key for post in posts for key in _keys(post))

    def listening(self, plan: Plan) -> Step:
        """The same plan; the posts that its answers name are noted, with the dates of their last change."""
        answer: Answer | None = None
        with suppress(StopIteration):
            while True:
                answer = yield (next(plan) if answer is None else plan.send(answer))
                named = [item for item in answer.items if isinstance(item, Sighting)]
                if self._start.limit is None and named:
                    self._finds.add(named)
                    self._told |= {post_key(item.url) for item in named}

    def news(self) -> Step:
        """Posts that services alone call new or changed."""
        if self._start.limit is not None:
            return
        put_off = {key for post in self._put_off for key in _keys(post)}
        told = [post for post in self._finds.posts() if not _keys(post).isdisjoint(self._told)]
        unmet = [post for post in told if _keys(post).isdisjoint(self._queued | put_off)]
        due = [post for post in unmet if self._clock.why(post) in (Why.NEW, Why.CHANGED)]
        yield from self._read(self._within_budget(due))

    def elsewhere(self) -> Step:
        """Posts that are known by addresses of another site alone, where the clinic was before: each is asked for
        there, until one does not lead here. A redirect proves which post here it is."""
        if self._start.limit is not None:
            return
        for post in self._finds.elsewhere:
            if post.removed or post.missed_at is not None:
                continue
            answer = yield Ask(url=post.url)
            if answer.exchange is None or not below(answer.exchange.url, self._blog.root):
                return

    def close(self) -> None:
        """What the visit tells of the posts that it did not ask for: how many they are, and whose counters it sought.

        Where no call counts all posts those that rest were not counted, and no service counts a post that is gone.
        """
        for post in (*self._others, *self._put_off):
            if post.scripted and post.missed_at is None and (post.alone or post.counted):
                self._visit.counting.add(post.url)
        self._visit.counting -= self._blog.put_off
        self._visit.not_due = sum(_keys(post).isdisjoint(self._queued) for post in self._others)
        self._visit.waiting = len({post.url for post in self._put_off} | self._blog.put_off)
        self._visit.resting = self._resting - self._queued | {post_key(url) for url in self._blog.put_off}

    def _read(self, posts: Iterable[Known]) -> Step:
        """Ask for the posts one after another, and for those that they alone name."""
        start, visit = self._start, self._visit
        waiting = list(posts)
        self._queued |= {key for post in waiting for key in _keys(post)}
        while waiting and (start.limit is None or visit.asked < start.limit):
            if visit.asked >= MAX_POSTS:
                visit.limited = True
                visit.notes.append(f"more than {MAX_POSTS} posts: the others were not asked for")
                return
            post = waiting.pop(0)
            if post_key(post.url) in self._done:
                continue
            if self._blog.spent():  # other addresses of posts before took what was left
                self._leave([post, *waiting])
                return
            visit.asked += 1
            was_known = id(post) in self._known
            was_there = was_known and not post.removed
            was_readable = was_there and (post.tried_at is None or not self._some_fail)
            self._sought += was_there
            answer = yield from self._ask(post)
            if was_known and _is_elsewhere(answer):
                answer = (yield from self._under_another_address(post)) or answer
            gone, failed = visit.gone, visit.failed
            if not self._take(post, answer, was_known):
                self._vanished += was_there and visit.gone > gone
                visit.missing += was_readable and visit.failed > failed
                visit.expected += was_readable
                continue
            visit.expected += was_there
            visit.fetched += 1
            self._done.add(post_key(post.url))
            self._blog.posts[post.url] = post
            if start.limit is None:
                self._finds.add(answer.items)
                waiting += self._neighbours(answer)

    def _ask(self, post: Known) -> Generator[Ask, Answer, Answer]:
        answer = yield Ask(url=post.url, conditional=True)
        self._done.update(post_key(url) for url in (post.url, *answer.redirected_from))
        return answer

    def _under_another_address(self, post: Known) -> Generator[Ask, Answer, Answer | None]:
        """The post, where another of its addresses on this site leads to it; what a page calls itself may be wrong."""
        before, own = post.url, _keys(post)
        others = [url for url in post.addresses if below(url, self._blog.root) and post_key(url) not in self._done]
        for url in others:
            if self._blog.spent():
                self._visit.limited = True  # no evidence that it is gone
                self._visit.notes.append(f"{before}: the day's budget ended before its other addresses were tried")
                break
            post.url = url
            answer = yield from self._ask(post)
            page = next((item for item in answer.items if isinstance(item, Post)), None)
            if answer.unchanged or (
                page is not None and not own.isdisjoint(map(post_key, (page.url, *page.addresses)))
            ):
                return answer
        post.url = before
        return None

    def _take(self, post: Known, answer: Answer, was_known: bool) -> bool:
        """The post was there. Else it is told why not."""
        visit = self._visit
        page = next((item for item in answer.items if isinstance(item, Post)), None)
        if page is not None:
            self._learn(post, page, answer)
            visit.counting.add(post.url)
        elif answer.unchanged and was_known:
            visit.unchanged += 1
            if post.scripted:  # else the page tells them, and it has not changed
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
            visit.unread.append(_unread(post, answer))
            return False
        return True

    def _learn(self, post: Known, page: Post, answer: Answer) -> None:
        """What the page says that decides the next questions."""
        answered = answer.exchange.url if answer.exchange is not None else post.url
        post.addresses = tuple(dict.fromkeys((*page.addresses, post.url, *post.addresses)))
        if page.url and same_site(page.url, post.url):
            # What a page calls itself may lead nowhere; it is gone by where it answered, or where a list has the post.
            sure = post_key(page.url) == post_key(answered) or post_key(page.url) in self._finds.named
            post.url = page.url if sure or not below(answered, self._blog.root) else answered
        post.counters_pending = post.scripted = page.counters_pending
        post.comments_count = page.comments_count
        post.comments_key = page.comments_key or post.comments_key
        post.media_pending = page.media_pending

    def _neighbours(self, answer: Answer) -> list[Known]:
        """Posts that this page is the first to name."""
        found = []
        for item in answer.items:
            if not isinstance(item, Sighting) or not below(item.url, self._blog.root):
                continue
            key = post_key(item.url)
            if key in self._queued or key in self._resting:
                continue
            if self._cards == MAX_CARDS:
                self._visit.limited = True
                self._visit.notes.append(
                    f"more than {MAX_CARDS} posts that only other posts name: no more are followed"
                )
            self._cards += 1
            if self._cards <= MAX_CARDS:
                self._queued.add(key)
                found.append(Known(url=item.url, addresses=item.addresses))
                self._visit.discovered += 1
        return found


def _keys(post: Known) -> set[str]:
    """By which a post is known again, whatever address names it."""
    return {post_key(address) for address in (post.url, *post.addresses)}


def _is_elsewhere(answer: Answer) -> bool:
    """The address leads to no post any more, and that is the server's word, not a fault on the way."""
    if answer.exchange is None or answer.unchanged or answer.exchange.status >= 500:
        return False
    return not any(
        isinstance(item, Post) or (isinstance(item, Problem) and item.kind == "paywall") for item in answer.items
    )


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
