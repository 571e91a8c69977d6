"""Captures that others made: WARC files by other tools, saved pages, other archives of this project."""
