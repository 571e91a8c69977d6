"""Reports on an archive: status, coverage, the methods paragraph, integrity, and the content of a WARC record."""
