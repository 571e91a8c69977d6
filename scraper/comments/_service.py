"""The contract of a comment service: it keeps the comments of blogs on any platform (Disqus, Isso)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from scraper.items import Exchange
from scraper.platforms._platform import Blog, Plan, Reader


class CommentService(Reader):
    """Base of all comment services. Its answers are recognised by their address alone (`is_api_url`)."""

    def claims(self, exchange: Exchange) -> bool:
        """See `Reader`."""
        return self.is_api_url(exchange.url)

    @abstractmethod
    def thread_of(self, page: Exchange) -> str | None:
        """The thread that a post's page embeds, e.g. "disqus:shortname/identifier"; None where it embeds none."""

    @abstractmethod
    def threads(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        """Ask for the comments. `threads`: the thread of each post by the post's canonical URL."""
