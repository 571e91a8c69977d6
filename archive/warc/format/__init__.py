"""The bytes of WARC, ARC and HTTP: frames, members, header fields, content codings."""
