"""Snapshots of an archive in another folder, and copies for publication."""
