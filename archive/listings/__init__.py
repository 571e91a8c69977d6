"""Rows that code makes of the archive, as pages and files show them; tables and questions are SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from archive.export import Listing
from archive.listings.concordance import Concordance
from archive.listings.difference import RevisionPair
from archive.listings.edits import Edits
from archive.listings.found import SearchResults
from archive.search.index import Query
from archive.search.matching import keyword


def listing(name: str, values: Mapping[str, Any]) -> Listing:
    """Return the listing of that name (difference, edits, kwic, search) with the values of its fields.

    Raises KeyError for an unknown name, and `archive.search.matching.BadKeyword`.
    """
    return _LISTINGS[name](**values)


def _kwic(*, word: str, prefix: bool, **values: Any) -> Concordance:
    return Concordance(keyword(word, prefix=prefix), **values)


def _search(*, base: str = "", **query: Any) -> SearchResults:
    return SearchResults(Query(**query), base)


_LISTINGS: Mapping[str, Callable[..., Listing]] = {
    "difference": RevisionPair,
    "edits": Edits,
    "kwic": _kwic,
    "search": _search,
}
