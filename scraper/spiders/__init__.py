"""The spiders, which Scrapy finds in this package."""
