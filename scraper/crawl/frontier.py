"""The crawl frontier of a visit: which posts are requested, in which order, within the day's budget of requests."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from scraper.addresses import is_within, post_key, same_site
from scraper.crawl.discovered import Discovered, post_keys
from scraper.crawl.pages import collect_threads, further_pages
from scraper.crawl.post_answer import failure_line, is_gone, is_members_only, leads_elsewhere, post_of
from scraper.crawl.schedule import SAMPLE, DueReason, RevisitPolicy
from scraper.crawl.state import VisitContext, VisitState
from scraper.crawl.tee import tee
from scraper.items import Post, Sighting
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan

MAX_POSTS = 20_000  # far above any clinic's blog
MAX_CARDS = 500  # posts that only "Recent Posts" of other posts name
RESERVE = 4  # requests of a day's budget that are reserved for services that return the counters of all posts

Step = Generator[Ask, Answer, None]


class Frontier:
    """The posts of one visit: those due by the revisit policy; with `--limit` the newest, with `--all` every post."""

    def __init__(self, blog: Blog, discovered: Discovered, context: VisitContext, visit: VisitState) -> None:
        self._blog, self._discovered, self._context, self._result = blog, discovered, context, visit
        # Pages of posts that an API gave are requested after its comments; those of other lists are all that has them.
        self._pages_first = blog.pages_follow and blog.api is None and context.clinic.pages != "never"
        self._policy = RevisitPolicy(
            context.now,
            context.clinic.schedule,
            discovered.lists_read and not blog.partial,
            by_api=blog.api is not None,
            pages_follow=self._pages_first,
        )
        self._known = {id(post) for post in context.known}
        self._queued: set[str] = set()  # keys of all addresses of posts that were or will be requested
        self._done: set[str] = set()  # keys of addresses that were requested
        self._cards = 0  # posts that only other posts name
        self._announced: set[str] = set()  # keys of posts that services name
        self._not_due: list[KnownPost] = []  # known posts that are not due
        self._deferred: list[KnownPost] = []  # due, but beyond the budget: left to another day
        self._skipped_keys: set[str] = set()  # keys of all addresses of the not due and the deferred
        # A page that failed the last time may always fail. It counts as a failure of the blog only if most pages fail.
        present = [post for post in context.known if not post.removed]
        failing = [post for post in present if post.tried_at is not None and post.missed_at is None]
        self._ignore_failing = len(failing) * 2 <= len(present)
        self._expected = self._gone = 0  # requested posts that existed before; of these, those that are gone

    def fetch_due(self) -> Step:
        """Request every due post, the most urgent first; posts that only "Recent Posts" name come last.

        If more than a third of the requested posts that existed before are gone, request those that are not due too.
        """
        posts = self._discovered.posts()
        self._result.discovered = len(posts)
        # The newest, whether an answer of the discovery or a page gives them.
        newest = posts[: self._context.limit]
        self._take_read([post for post in newest if self._whole_post(post) is not None])
        unread = [post for post in posts if self._whole_post(post) is None]
        if self._context.limit is not None:
            due = unread
        elif self._context.all_posts:
            due = sorted(unread, key=self._urgency)
        else:
            due, self._not_due = self._policy.select(unread)
        self._skipped_keys = {key for post in self._not_due for key in post_keys(post)}
        yield from self._fetch(self._within_budget(due))
        if self._gone >= min(SAMPLE, len(unread)) and self._gone * 3 > self._expected and self._not_due:
            rest, self._not_due = self._not_due, []
            self._skipped_keys.difference_update(key for post in rest for key in post_keys(post))
            yield from self._fetch(self._within_budget(rest))
        for post in [*self._not_due, *(post for post in self._deferred if post.last_seen_at)]:
            self._blog.posts.setdefault(post.url, post)

    def _whole_post(self, post: KnownPost) -> Post | None:
        """Return the post if an answer of the discovery gave it with its text; None if its page must be requested."""
        whole = {} if self._pages_first else self._discovered.posts_with_text
        return next((whole[key] for key in post_keys(post) if key in whole), None)

    def _take_read(self, posts: Iterable[KnownPost]) -> None:
        """Count posts that an API or a feed gave with their texts as fetched."""
        result = self._result
        for post in posts:
            page = self._whole_post(post)
            assert page is not None
            keys = post_keys(post)
            self._queued |= keys
            self._done |= keys
            result.attempted += 1
            result.fetched += 1
            existed = id(post) in self._known and not post.removed
            self._expected += existed
            result.expected += existed
            post.due = self._policy.due_reason(post) is not None
            self._learn(post, page, post.url)
            result.counters_expected.add(post.url)
            self._blog.posts[post.url] = post

    def _urgency(self, post: KnownPost) -> int:
        """Return a sort key: new posts before changed ones before all others."""
        reason = self._policy.due_reason(post)
        return reason if reason in (DueReason.NEW, DueReason.CHANGED) else DueReason.OVERDUE

    def _within_budget(self, posts: list[KnownPost]) -> list[KnownPost]:
        """Return the posts that the day's budget allows, in order, and defer the others to the next run."""
        allowed = self._context.budget_left(self._result.requests)
        if allowed is None:
            return posts
        left = max(allowed - RESERVE, 0)
        # Dead addresses that a list names are due as new posts every day: a quarter is reserved for posts read before.
        selected = {id(post) for post in [post for post in posts if post.last_seen_at is not None][: left // 4]}
        selected |= {id(post) for post in [post for post in posts if id(post) not in selected][: left - len(selected)]}
        self._defer([post for post in posts if id(post) not in selected])
        return [post for post in posts if id(post) in selected]

    def _defer(self, posts: list[KnownPost]) -> None:
        """Leave the posts to another day."""
        for post in posts:
            post.due = False
        self._deferred += posts
        self._skipped_keys.update(key for post in posts for key in post_keys(post))

    def observing(self, plan: Plan) -> Plan:
        """Return the same plan; the posts that its answers name are added to the discovered ones."""

        def note(_: Ask, answer: Answer) -> Answer:
            sightings = [item for item in answer.items if isinstance(item, Sighting) and item.certain]
            if self._context.limit is None and sightings:
                self._discovered.add(sightings)
                self._announced |= {post_key(sighting.url) for sighting in sightings}
            return answer

        return tee(plan, note)

    def fetch_announced(self) -> Step:
        """Request the posts that only services (not lists) call new or changed."""
        if self._context.limit is not None:
            return
        handled = self._queued | {key for post in self._deferred for key in post_keys(post)}
        announced = [post for post in self._discovered.posts() if not post_keys(post).isdisjoint(self._announced)]
        pending = [post for post in announced if post_keys(post).isdisjoint(handled)]
        due = [post for post in pending if self._policy.due_reason(post) in (DueReason.NEW, DueReason.CHANGED)]
        yield from self._fetch(self._within_budget(due))

    def probe_old_addresses(self) -> Step:
        """Request posts that have only addresses on another site, where the clinic was before.

        A redirect proves which post of this site it is. Stops at the first address that does not redirect to this site.
        """
        if self._context.limit is not None:
            return
        for post in self._discovered.elsewhere:
            if post.removed or post.missed_at is not None:
                continue
            answer = yield Ask(url=post.url)
            if answer.exchange is None or not is_within(answer.exchange.url, self._blog.root):
                return

    def summarise(self) -> None:
        """Set the figures of the posts that were not requested, and which posts' counters were expected.

        Counters of posts that are not due are expected only where a service returned or was due to return them; those
        of a post that is gone never are.
        """
        for post in (*self._not_due, *self._deferred):
            if post.script_counters and post.missed_at is None and (post.due or post.counted):
                self._result.counters_expected.add(post.url)
        self._result.counters_expected -= self._blog.deferred
        self._result.not_due = sum(post_keys(post).isdisjoint(self._queued) for post in self._not_due)
        self._result.deferred = len({post.url for post in self._deferred} | self._blog.deferred)
        self._result.skipped_keys = self._skipped_keys - self._queued | {post_key(url) for url in self._blog.deferred}

    def _fetch(self, posts: Iterable[KnownPost]) -> Step:
        """Request the posts one after another, then those that only they name."""
        start, visit = self._context, self._result
        waiting = list(posts)
        self._queued |= {key for post in waiting for key in post_keys(post)}
        while waiting and (start.limit is None or visit.attempted < start.limit):
            if visit.attempted >= MAX_POSTS:
                visit.limited = True
                visit.notes.append(f"more than {MAX_POSTS} posts: the others were not requested")
                return
            post = waiting.pop(0)
            if post_key(post.url) in self._done:
                continue
            if self._blog.budget_spent():  # other addresses of earlier posts used it up
                self._defer([post, *waiting])
                return
            visit.attempted += 1
            was_known = id(post) in self._known
            existed = was_known and not post.removed
            was_readable = existed and (post.tried_at is None or not self._ignore_failing)
            self._expected += existed
            answer = yield from self._ask(post)
            if leads_elsewhere(answer):
                answer = (yield from self._under_another_address(post)) or answer
            gone, failed = visit.gone, visit.failed
            if not self._record_outcome(post, answer, was_known):
                self._gone += existed and visit.gone > gone
                visit.never_there += post.named and post.last_seen_at is None and visit.gone > gone
                visit.unreadable += was_readable and visit.failed > failed
                visit.expected += was_readable
                continue
            visit.expected += existed
            visit.fetched += 1
            yield from further_pages(self._blog, post, answer)
            self._done.add(post_key(post.url))
            self._blog.posts[post.url] = post
            if start.limit is None:
                self._discovered.add(answer.items)
                waiting += self._linked_posts(answer)

    def _ask(self, post: KnownPost) -> Generator[Ask, Answer, Answer]:
        post.page_at = self._context.now.isoformat()
        answer = yield Ask(url=post.request_url, conditional=True)
        self._done.update(post_key(url) for url in (post.url, *answer.redirected_from))
        return answer

    def _under_another_address(self, post: KnownPost) -> Generator[Ask, Answer, Answer | None]:
        """Request the post's other addresses on this site until one gives it: lists and pages may state a wrong URL."""
        before, listed, keys = post.url, post.listed_url, post_keys(post)
        others = [url for url in post.addresses if is_within(url, self._blog.root) and post_key(url) not in self._done]
        for url in others:
            if self._blog.budget_spent():
                self._result.limited = True  # no evidence that it is gone
                self._result.notes.append(
                    f"{before}: the day's budget was used up before its other addresses were requested"
                )
                break
            post.url, post.listed_url = url, None
            answer = yield from self._ask(post)
            page = post_of(answer)
            if answer.unchanged or (page and not keys.isdisjoint(map(post_key, (page.url or "", *page.addresses)))):
                return answer
        post.url, post.listed_url = before, listed
        return None

    def _record_outcome(self, post: KnownPost, answer: Answer, was_known: bool) -> bool:
        """Return whether the answer gives the post, or says that it is unchanged; count it, or why it does not."""
        visit = self._result
        page = post_of(answer)
        if page is not None:
            self._learn(post, page, answer.exchange.url if answer.exchange is not None else post.url)
            visit.counters_expected.add(post.url)
            collect_threads(self._blog, post, answer)
        elif answer.unchanged and was_known:
            visit.unchanged += 1
            if post.script_counters:  # otherwise the page prints them, and it has not changed
                visit.counters_expected.add(post.url)
        elif is_gone(answer):
            visit.gone += 1  # evidence of a removal, not a failure: the visit may still be complete
            return False
        elif is_members_only(answer):
            visit.members_only += 1
            visit.notes.append(f"1 post is for members only: {post.url}")
            return False
        else:
            visit.failed += 1
            visit.failure_lines.append(failure_line(post, answer))
            return False
        return True

    def _learn(self, post: KnownPost, page: Post, answer_url: str) -> None:
        """Update the post from its page, as far as the next requests need it; `answer_url`: where it came from."""
        before = post.url
        post.addresses = tuple(dict.fromkeys((*page.addresses, post.url, *post.addresses)))
        if page.url and same_site(page.url, post.url):
            # The URL that a page states may not exist: it is used only if it is the one that answered, or is on a list.
            is_confirmed = post_key(page.url) == post_key(answer_url) or post_key(page.url) in self._discovered.named
            post.url = page.url if is_confirmed or not is_within(answer_url, self._blog.root) else answer_url
        if post.url != before:
            post.listed_url = None
        post.counters_pending = post.script_counters = page.counters_pending
        post.comments_count = page.comments_count
        post.comments_key = page.comments_key or post.comments_key
        post.media_pending = page.media_pending

    def _linked_posts(self, answer: Answer) -> list[KnownPost]:
        """Return the posts that this page is the first to name."""
        posts = []
        for item in answer.items:
            if not isinstance(item, Sighting) or not item.certain or not is_within(item.url, self._blog.root):
                continue
            key = post_key(item.url)
            if key in self._queued or key in self._skipped_keys or self._context.is_blocked(item.url):
                continue
            if self._cards == MAX_CARDS:
                self._result.limited = True
                self._result.notes.append(
                    f"more than {MAX_CARDS} posts that only other posts name: the others were not requested"
                )
            self._cards += 1
            if self._cards <= MAX_CARDS:
                self._queued.add(key)
                posts.append(KnownPost(url=item.url, listed_url=item.listed_url, addresses=item.addresses))
                self._result.discovered += 1
        return posts
