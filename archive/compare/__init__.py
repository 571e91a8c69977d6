"""One archive beside another: canonical rows, differences, and what an older parser read."""
