"""Imports of captures made elsewhere: WARC files by other tools, saved pages, other archives of this project."""
