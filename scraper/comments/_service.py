"""The contract of a comment service, which stores the comments of blogs on any platform (Disqus, Isso)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from scraper.items import Exchange
from scraper.platforms._platform import Blog, Plan, Reader


class CommentService(Reader):
    """Base class of all comment services.

    A clinic's blog has one platform, but its pages may embed any service. If the clinic's stanza says
    `comments = "threads"`, a crawl calls `thread_of` for each post's page that it reads, then `threads` once. `read`
    receives every answer whose address `is_api_url` accepts, in crawls and in rebuilds.
    """

    def claims(self, exchange: Exchange) -> bool:
        """Return whether `is_api_url` accepts the address, by which alone answers are recognised. Never raises."""
        return self.is_api_url(exchange.url)

    @abstractmethod
    def thread_of(self, page: Exchange) -> str | None:
        """Return the id of the thread that a post's page embeds, such as "disqus:shortname/identifier".

        Called for each post's page of any platform that a visit reads; not for one that is unchanged (304), whose body
        is empty. None where the page embeds no thread of this service. Pure; must not raise.
        """

    @abstractmethod
    def threads(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        """Yield the requests for the comments of these posts, and receive their answers.

        `threads`: canonical URL of each post -> id of its thread, only of posts whose comments are due; never empty.
        Called at most once a visit, after the platform's own `threads`, and not at all when the day's budget is used
        up. The plan must check `blog.budget_spent()` before each thread and add the URLs of posts that it leaves out to
        `blog.deferred`. It must set `thread_read` of `blog.posts[url]` once it has read a thread to its last page. If
        `blog.private` is true it must not send requests to a public host. An exception that it raises ends the visit as
        failed.
        """
