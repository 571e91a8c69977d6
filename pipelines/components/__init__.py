"""Scrapy components of a live crawl: middlewares, item pipelines, feeds."""
