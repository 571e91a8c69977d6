"""One run: its lock, database, key and WARC writers; its outcome at each clinic; what it reports."""
