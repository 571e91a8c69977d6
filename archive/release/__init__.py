"""Releases: the public part of an archive as a folder that is frozen, described, checked by others, and citable.

The same archive gives the same bytes: keys and order come from what was recorded, no clock and no path is read.
"""

from archive.release.bag import verify
from archive.release.builder import Content, NothingToRelease, Released, build
from archive.release.register import Entry, Register, ReleaseRefused

__all__ = ["Content", "Entry", "NothingToRelease", "Register", "ReleaseRefused", "Released", "build", "verify"]
