"""The capture whose items are being saved: what every function that writes rows of a capture needs to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from archive.rows.cache import ClinicCache
from archive.rows.posts.stored_post import rank_among

# An item comes as a mapping with the fields of the crawl's vocabulary (a post has those that `clinic-archive parse`
# prints); this half of the program knows what they mean, not their classes. None means that the capture does not give
# the field, and never erases what another capture gave.
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureContext:
    """The capture whose items are being saved, and the clinic that it belongs to."""

    cache: ClinicCache
    crawl_id: str | None
    capture_id: str
    at: str  # the capture's date, ISO 8601 UTC with microseconds
    url: str
    origin: str  # "crawl", or the archive or tool that the capture was imported from
    extractor_version: int
    from_dom: bool  # read from the DOM of a rendered page, not from what a server sent
    sources: Sequence[str]  # the platform's ranking of sources, best first
    # Gives the post that today's parser reads from an older capture; None when its record can no longer be read.
    reread: Callable[[str], Item | None]
    # Whether an address is that of a withdrawn post, to which no row may lead.
    is_withdrawn: Callable[[str], bool] = lambda _: False

    @property
    def db(self) -> Database:
        """The archive's database, for queries that the cache does not answer."""
        return self.cache.db

    def rank(self, source: str) -> int:
        """The place of a source in the platform's ranking, 0 for the best (`rank_among`)."""
        return rank_among(self.sources, source)

    @property
    def clinic_id(self) -> str:
        """The clinic that the capture belongs to."""
        return self.cache.clinic_id
