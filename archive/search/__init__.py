"""The full-text index and the order of its hits."""
