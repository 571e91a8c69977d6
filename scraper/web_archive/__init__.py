"""Backfill: past texts of a clinic's posts from a web archive."""
