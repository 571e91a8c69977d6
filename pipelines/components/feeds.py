"""`scrapy crawl blog -O posts.jsonl`: whole posts, one a line, in any of Scrapy's formats."""

from __future__ import annotations

from typing import Any

from scrapy.extensions.feedexport import FeedExporter

from archive.rows import runs
from pipelines.run.run import Run
from scraper.spiders.blog import BlogSpider


class PostFeeds(FeedExporter):
    """Scrapy's feed exporter, fed with the posts of the archive that this run saw instead of one item a capture."""

    def item_scraped(self, item: Any, spider: Any) -> None:
        """An extraction is one capture's word about a post; it is not exported."""
        if not isinstance(spider, BlogSpider):
            super().item_scraped(item, spider)

    async def close_spider(self, spider: Any) -> None:
        """The visit is over and stored: export its posts."""
        if isinstance(spider, BlogSpider):
            run = Run.of(self.settings)
            for document in runs.documents(run.db, run.crawl_id, spider.clinic.slug):
                super().item_scraped(document, spider)
        await super().close_spider(spider)
