"""Replaces WARC files by others, with a journal: what a purge and a pack share."""
