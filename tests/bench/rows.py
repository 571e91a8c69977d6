"""S: rows into SQLite, by the product's fold and by plain writers of the very rows that it leaves (see `_rows`)."""

from __future__ import annotations

from collections.abc import Sequence

from scraper.items import Extraction
from tests.bench import _rows
from tests.bench._figure import cpu, figure, ratio


@figure("S1", "of the speed of an executemany upsert of the same rows: posts, comments, readings", least=0.5)
def batch_write() -> float:
    """A first visit folded (1,000 posts with 5 comments and 20 readings each), against the same rows, ready made,
    written by `executemany`, a table after another, a thousand rows a transaction. The fold also finds out which post
    an address means, whether a text is new, and which edges it has.
    """
    visit = [*_rows.posts(), *_rows.comments(), *_rows.readings()]
    rows = _rows.ready((), visit)
    return ratio(lambda: _rows.writing((), rows, _rows.executemany), lambda: _rows.folding((), visit))


@figure("S2", "times the speed of sqlite-utils upserting row by row: posts, with all rows of their pages", least=8)
def posts_by_rows() -> float:
    """The batch writer, with the rows of a thousand post pages, against each of them upserted by itself."""
    return _by_rows((), _rows.posts())


@figure("S2", "times the speed of sqlite-utils upserting row by row: comments", least=25)
def comments_by_rows() -> float:
    """The same with the rows of a thread a post, the posts being there."""
    return _by_rows(_rows.posts(), _rows.comments())


@figure("S2", "times the speed of sqlite-utils upserting row by row: readings", least=25)
def readings_by_rows() -> float:
    """The same with the rows of answers with a hundred counters each, the posts being there."""
    return _by_rows(_rows.posts(), _rows.readings())


def _by_rows(given: Sequence[Extraction], more: Sequence[Extraction]) -> float:
    rows = _rows.ready(given, more)
    return ratio(
        lambda: _rows.writing(given, rows, _rows.row_by_row), lambda: _rows.writing(given, rows, _rows.by_batch)
    )


@figure("S3", "of the speed without full text search, of a second visit where only counts changed", least=0.8)
def counts_changed() -> float:
    """The same pages with other view counts, folded into an archive that holds them, with and without the triggers of
    the full text index.
    """
    first, again = _rows.posts(), _rows.posts(views=200, day=90)
    return ratio(lambda: _folding(first, again, full_text=False), lambda: _folding(first, again, full_text=True))


@figure("S3", "times the speed of the first visit, no full text search, of one that is told: not modified", least=2)
def not_modified() -> float:
    """Pages that the server calls unchanged (304, as the product asks each time), folded with full text search, against
    the same pages folded for the first time without it.
    """
    first = _rows.posts()
    again = [_rows.not_modified(extraction) for extraction in first]
    return ratio(lambda: _folding((), first, full_text=False), lambda: _folding(first, again, full_text=True))


@figure("S3", "times the speed of the first visit, no full text search, of one that is served the same", least=1.25)
def served_again() -> float:
    """The same pages served whole once more, with full text search, against their first fold without it. Nothing is
    new in them, and still each leaves a capture, a reading and four sightings, and moves the dates of its labels and
    cards: the archive keeps when it saw what. So the goal is lower than for pages that a server calls unchanged, of
    which nothing has to be compared.
    """
    first, again = _rows.posts(), _rows.posts(day=90)
    return ratio(lambda: _folding((), first, full_text=False), lambda: _folding(first, again, full_text=True))


def _folding(given: Sequence[Extraction], more: Sequence[Extraction], *, full_text: bool) -> float:
    with _rows.archive(full_text=full_text, given=given) as db:
        return cpu(lambda: _rows.fold(db, more))
