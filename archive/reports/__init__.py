"""What an archive says of itself: status, coverage, methods, integrity, the record of a capture."""
