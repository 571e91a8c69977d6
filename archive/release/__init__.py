"""Releases: the public part of an archive as a folder that is frozen, described, checked by others, and citable.

The same archive gives the same bytes: keys and order come from what was recorded, no clock and no path is read.
"""

from archive.release.bag import verify
from archive.release.builder import Content, NothingToRelease, Released, build
from archive.release.natural import comment_key
from archive.release.register import KEY_FILE, Entry, Register, ReleaseRefused, has_row

__all__ = [
    "KEY_FILE",
    "Content",
    "Entry",
    "NothingToRelease",
    "Register",
    "ReleaseRefused",
    "Released",
    "build",
    "comment_key",
    "has_row",
    "verify",
]
