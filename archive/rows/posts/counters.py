"""The counters that a post shows, as columns of `readings`."""

COUNTERS = ("views", "likes", "comments_count")
# The counters as they were printed, before they were parsed.
RAW_COUNTERS = tuple(f"{name}_raw" for name in COUNTERS)
COUNTER_COLUMNS = COUNTERS + RAW_COUNTERS
