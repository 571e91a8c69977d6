"""Verify: compares the rows of an archive with the recorded bytes."""
