"""`scrapy crawl blog -O posts.jsonl`: exports whole posts, one for each line, in any of Scrapy's formats."""

from __future__ import annotations

from typing import Any

from scrapy.extensions.feedexport import FeedExporter

from archive.rows import runs
from pipelines.run.visits import Visits
from scraper.spiders.blog import BlogSpider


class PostFeeds(FeedExporter):
    """Scrapy's feed exporter with the posts that this run saw, from the archive, instead of each capture's items."""

    def item_scraped(self, item: Any, spider: Any) -> None:
        """Skip the extraction: it holds only what one capture says about a post."""
        if not isinstance(spider, BlogSpider):
            super().item_scraped(item, spider)

    async def close_spider(self, spider: Any) -> None:
        """Export the posts of the visit, which is over and stored."""
        if isinstance(spider, BlogSpider):
            run = Visits.of(self.settings)
            for document in runs.post_documents(run.db, run.crawl_id, spider.clinic.slug):
                super().item_scraped(document, spider)
        await super().close_spider(spider)
