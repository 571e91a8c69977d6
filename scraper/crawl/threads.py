"""The requests for comments: to the clinic's platform, then to the comment services that its posts embed."""

from __future__ import annotations

from scraper.comments import services
from scraper.platforms._platform import Blog, Plan, Platform


def read_threads(platform: Platform, blog: Blog) -> Plan:
    """Request the comments of the posts that are due, from the platform and from every service with a thread there.

    Threads that the day's budget does not allow are left to another day (`blog.deferred`).
    """
    yield from platform.threads(blog)
    yield from read_embedded_threads(blog)


def read_embedded_threads(blog: Blog) -> Plan:
    """Request the comments of the posts that are due from every comment service with a thread there."""
    for service in services():
        embedded = {url: thread for url, thread in blog.threads.get(service.name, {}).items() if url in blog.posts}
        if embedded and not blog.budget_spent():
            yield from service.counts(blog, embedded)
        threads = {
            url: thread
            for url, thread in embedded.items()
            if blog.posts[url].thread_due and not blog.posts[url].thread_read
        }
        if threads and blog.budget_spent():
            blog.deferred.update(threads)
        elif threads:
            yield from service.threads(blog, threads)
