"""The hinge: the only code that touches both the crawl and the archive."""
