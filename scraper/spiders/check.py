"""The spider of a check: a visit for the newest post alone, to which "there is no blog" is an answer, not a failure.

But where posts of the clinic are known, that none is found any more is a failure, as it is to a crawl.
"""

from __future__ import annotations

from typing import Any, Self

from scrapy.crawler import Crawler

from scraper.crawl.visit import crawl_blog
from scraper.platforms._platform import Plan
from scraper.spiders.blog import BlogSpider

# What a site says of itself; a visit that ends so has answered what it was made for.
ANSWERS = ("none_found", "unsupported")


class CheckSpider(BlogSpider):
    """Started by `clinic-archive clinics check`."""

    name = "check"

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """As of any blog, with one post to ask for."""
        return super().from_crawler(crawler, *args, **{**kwargs, "limit": 1})

    def plan(self) -> Plan:
        """The order of a visit; at its end, why there is no blog becomes the run's note."""
        visit = self.visit
        yield from crawl_blog(self.surroundings, visit)
        if visit.blog_status in ANSWERS and visit.failure and not self.surroundings.known:
            visit.notes.append(visit.failure)
            visit.failure = None
