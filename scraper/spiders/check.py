"""The spider of a check: a visit for the newest post only. "There is no blog" is a result of it, not a failure.

If the archive knows posts of the clinic, it is a failure to find none any more, as in a crawl.
"""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler

from scraper.crawl.visit import crawl_blog
from scraper.platforms._platform import Plan
from scraper.spiders.blog import BlogSpider

# Values of `blog_status` that are a result of a check.
ANSWERS = ("none_found", "unsupported")


class CheckSpider(BlogSpider):
    """Started by `clinic-archive clinics check`."""

    name = "check"

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """As `BlogSpider.from_crawler`, with a limit of one post."""
        return super().from_crawler(crawler, *args, **{**kwargs, "limit": 1})

    def plan(self) -> Plan:
        """Return the plan of a visit; at its end, the reason for having no blog becomes a note of the run."""
        visit = self.visit
        yield from crawl_blog(self.context, visit)
        if visit.blog_status in ANSWERS and visit.failure and not self.context.known:
            visit.notes.append(visit.failure)
            visit.failure = None
