"""Stored captures parsed again, as the events of a clinic's log."""
