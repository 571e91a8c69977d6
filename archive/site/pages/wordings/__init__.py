"""What the pages of edits and comparisons show of two wordings of a post."""
