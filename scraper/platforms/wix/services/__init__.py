"""The services behind a Wix blog: which requests a crawl makes, and how their answers are read."""
