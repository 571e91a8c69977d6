"""Comparison of archives: canonical rows, differences, and what an older parser read."""
