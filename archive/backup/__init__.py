"""Snapshots of an archive in a folder elsewhere, and copies for publication."""
