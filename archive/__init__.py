"""The durable side: it knows SQLite and WARC, and no Scrapy."""
