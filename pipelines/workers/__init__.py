"""Visits in several processes: workers fetch, parse and write WARC files; the holder of the lock writes the rows."""
