"""Purge: removes what a takedown names from the recorded bytes, all of it or nothing."""
