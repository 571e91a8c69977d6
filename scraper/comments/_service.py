"""The contract of a comment service, which stores the comments of blogs on any platform (Disqus, Isso)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlsplit

from scraper.addresses import is_private_host
from scraper.items import Exchange
from scraper.platforms._platform import Blog, Plan
from scraper.platforms._reader import Reader


class CommentService(Reader):
    """Base class of all comment services.

    A clinic's blog has one platform, but its pages may embed any service. `thread_of` is called for each post's page;
    the archive keeps the thread with the post. If the clinic's stanza says `comments = "threads"`, a crawl then calls
    `counts` and `threads` once each. `read` receives every answer whose address `is_api_url` accepts, in crawls and in
    rebuilds; its items name their post by the thread alone, as `thread_of` gives it.
    """

    is_read: ClassVar[bool] = True  # False: only its mark is known; what is written there stays unknown

    def claims(self, exchange: Exchange) -> bool:
        """Return whether `is_api_url` accepts the address, by which alone answers are recognised. Never raises."""
        return self.is_api_url(exchange.url)

    @abstractmethod
    def thread_of(self, page: Exchange) -> str | None:
        """Return the id of the thread that a post's page embeds, such as "disqus:shortname/identifier".

        It begins with the service's name and a colon, so that no two services give the same.
        Called for each post's page of any platform that a visit reads; not for one that is unchanged (304), whose body
        is empty. None where the page embeds no thread of this service. Pure; must not raise.
        """

    def counts(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        """Yield the requests for the number of comments of many threads at once; none by default.

        `threads`: those of all posts, due or not, as in `threads`. The plan sets `comments_count` of the posts whose
        number an answer gives: that of a post whose page is unchanged shows that its thread is due.
        """
        return
        yield

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


def may_request(blog: Blog, url: str) -> bool:
    """Return whether the visit may send a request there: a private site's crawl requests no public host."""
    return not blog.private or is_private_host(urlsplit(url).hostname or "")
