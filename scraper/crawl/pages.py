"""What a post's page brings with it: its threads at comment services, further pages of its comments, and evidence.

A post that an API gave with its text counts as read. Its page is requested all the same when the post is new or has
changed: it shows what a visitor saw, and counters and notices that the API leaves out.
"""

from __future__ import annotations

from collections.abc import Generator

from scraper.addresses import is_web_address, is_within
from scraper.crawl.merge import parse_time
from scraper.crawl.post_answer import is_gone
from scraper.crawl.schedule import changed_since
from scraper.crawl.state import VisitContext, VisitState
from scraper.crawl.threads import read_embedded_threads
from scraper.items import Comment, EmbeddedThread, PostPart, Problem, ThreadPage
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan

MAX_COMMENT_PAGES = 200  # of one post
MAX_PARTS = 50  # pages of one post
MAX_FAILURES = 5  # in a row, after which a site refuses pages
# Kinds of problems of a page that are none where an API gave the post: a part of the text, no title.
OF_PAGES = ("partial-text", "missing-field")


def collect_threads(blog: Blog, post: KnownPost, answer: Answer) -> None:
    """Note the threads at comment services that the post's page embeds."""
    for item in answer.items:
        if isinstance(item, EmbeddedThread) and blog.read_comments:
            blog.threads.setdefault(item.service, {})[post.url] = item.thread


def further_comments(blog: Blog, post: KnownPost, answer: Answer) -> Generator[Ask, Answer, None]:
    """Request the other pages of the comments that a post's page names, directly after it: they are one thread."""
    post.comments_shown = sum(isinstance(item, Comment) and item.type == "comment" for item in answer.items)
    if not blog.read_comments or not any(isinstance(item, ThreadPage) for item in answer.items):
        return
    waiting, seen = _comment_pages(answer), set[str]()
    while waiting and len(seen) < MAX_COMMENT_PAGES and not blog.budget_spent():
        url = waiting.pop(0)
        if url not in seen and is_within(url, blog.root):
            seen.add(url)
            waiting += _comment_pages((yield Ask(url=url)))
    post.thread_read = not waiting


def further_pages(blog: Blog, post: KnownPost, answer: Answer) -> Generator[Ask, Answer, None]:
    """Request the other pages of a post and of its comments that its page names."""
    yield from _further_parts(blog, answer)
    yield from further_comments(blog, post, answer)


def _further_parts(blog: Blog, answer: Answer) -> Generator[Ask, Answer, None]:
    """Request the other pages of a post whose text lies on several, directly after the first: they are one text."""
    waiting, seen = _other_parts(answer), {answer.ask.url}
    while waiting and not blog.budget_spent():
        url = waiting.pop(0)
        if url not in seen and is_within(url, blog.root) and len(seen) < MAX_PARTS:
            seen.add(url)
            waiting += _other_parts((yield Ask(url=url)))


def _other_parts(answer: Answer) -> list[str]:
    """Return the addresses of the later pages of the post that a page links to."""
    return [url for item in answer.items if isinstance(item, PostPart) for url in item.others]


def _comment_pages(answer: Answer) -> list[str]:
    """Return the addresses of the pages that continue the comments, in their order."""
    pages = [item for item in answer.items if isinstance(item, ThreadPage)]
    return [cursor for page in pages for cursor in page.following if is_web_address(cursor)]


def evidence_and_threads(blog: Blog, context: VisitContext, visit: VisitState) -> Plan:
    """Request the pages of posts that an API gave, then the threads at comment services that only they name."""
    before, blog.threads = blog.threads, {}
    yield from pages_as_evidence(blog, context, visit)
    for service, threads in blog.threads.items():  # those that were known before are read
        blog.threads[service] = {url: thread for url, thread in threads.items() if url not in before.get(service, ())}
        for url in blog.threads[service]:
            blog.posts[url].thread_read = False
    if blog.read_comments:
        yield from read_embedded_threads(blog)


def pages_as_evidence(blog: Blog, context: VisitContext, visit: VisitState) -> Plan:
    """Request the pages of posts that an API gave: of new posts, and of those that changed since their last request.

    They are no part of the visit's figures, because the posts are read already. What the day's budget or the site does
    not allow is requested by the next visit: `KnownPost.page_at` says when a page last answered.
    """
    if not blog.pages_follow or context.clinic.pages == "never":
        return
    commented = blog.commented or ()
    posts = [post for post in blog.posts.values() if _lacks_page(post, context) or post.url in commented]
    failures = 0  # in a row
    for number, post in enumerate(posts):
        if blog.budget_spent() or failures == MAX_FAILURES:
            why = "the day's budget is used up" if failures < MAX_FAILURES else f"{failures} failed in a row"
            visit.notes.append(f"{why}: {len(posts) - number} pages of posts are left to the next visit")
            return
        answer = yield Ask(url=post.request_url, conditional=True)
        failures = 0 if answer.ok or answer.unchanged or is_gone(answer) else failures + 1
        collect_threads(blog, post, answer)
        lacking = (item for item in answer.items if isinstance(item, Problem) and item.kind in OF_PAGES)
        visit.recovered_problems.update(problem.message for problem in lacking)
        if blog.commented is not None:
            yield from further_comments(blog, post, answer)


def _lacks_page(post: KnownPost, context: VisitContext) -> bool:
    """Return whether the post is there, and its page was not requested since it last changed."""
    if post.removed or post.missed_at is not None:
        return False
    page_at = parse_time(post.page_at)
    return page_at is None or context.all_posts or changed_since(post, page_at)
