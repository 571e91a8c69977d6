"""Scrapy looks here for spiders."""
