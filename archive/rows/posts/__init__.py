"""The rows of a post: its texts, its counters, and what is stored of it."""
