"""Takedowns: what is withdrawn from an archive, and how the fold, the crawl and the files leave it out."""
