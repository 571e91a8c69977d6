"""The durable side: it knows SQLite and WARC, but not Scrapy."""
