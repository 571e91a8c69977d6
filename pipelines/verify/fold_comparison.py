"""Folds the captures of an archive again, in a scratch archive, and compares every cell with the stored rows.

The scratch archive holds one clinic at a time. What an older version of the parser read, which no fold of today gives,
is copied from the stored rows, as a rebuild does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import groupby

from archive.compare.cells import RUNS, CellDifference, compared_tables, differences, differences_in
from archive.compare.superseded import restore_superseded, stash_from
from archive.db import open_scratch
from archive.rows import runs
from pipelines.events import Captured
from pipelines.fold.fold import Fold
from pipelines.log import locations
from pipelines.printing import printable
from pipelines.rebuild import newest_version
from pipelines.replay.as_of import LogAsOf, RowsAsOf
from pipelines.replay.parsing import ParserPool, parsed
from pipelines.replay.stored import reread_post
from pipelines.run.recorded_runs import RunFileContents, takedowns_in_force
from pipelines.takedown.summaries import SummaryRedactor
from pipelines.takedown.withheld import withheld_from

# Tables, and columns of `captures`, that no parser has a part in: no older version explains a difference.
_WITHOUT_PARSER = {RUNS, "clinic_attributes", "confirmations", "run_fields", "withdrawals", "withdrawn_permalinks"}
_OF_RECORD = {
    "",
    "capture_id",
    "crawl_id",
    "clinic_id",
    "url",
    "method",
    "request_sha256",
    "fetched_at",
    "http_status",
    "mime",
    "etag",
    "last_modified",
    "payload_sha256",
    "payload_length",
    "record_type",
    "refers_to",
    "warc_length",
    "origin",
    "via",
    "page_url",
    "retrieved_at",
    "retrieved_from",
}
FEW = 3  # rows of a kind that a line names
_LONGEST = 80  # characters of a value in a line


class FoldComparison:
    """A scratch archive, and the snapshot that it is compared with.

    `run_files`: the runs as a whole, as of the snapshot. `keyless`: the key of the pool is not the archive's own, so
    that pseudonyms are not compared.
    """

    def __init__(
        self, snapshot: RowsAsOf, pool: ParserPool, run_files: Iterable[RunFileContents], *, keyless: bool
    ) -> None:
        self._snapshot, self._pool, self._keyless = snapshot, pool, keyless
        self._run_files = list(run_files)
        self.made = open_scratch()
        self._tables = [table for table in compared_tables(self.made) if table != RUNS]
        for run_file in self._run_files:
            runs.save_crawl(self.made, run_file.crawl_id, run_file.started_at, run_file.software, run_file.kind)

    def fold(self, log: LogAsOf, seen: Callable[[Captured], object]) -> None:
        """Make a clinic's rows in the scratch archive, which forgets those of the clinic before.

        `seen`: called with each capture. Raises `BadRecord`, OSError, `sqlite3.Error`.
        """
        made, pool, clinic_id = self.made, self._pool, log.log.clinic_id
        with made.atomic():
            for table in self._tables:
                made.execute(f"DELETE FROM [{table}]")
        reread = partial(reread_post, pool.archive, made)
        withheld = withheld_from(log.log.withdrawn, clinic_id, pool.key)
        fold = Fold(made, clinic_id, reread, withheld=withheld)
        known = dict(locations(ref for run in log.log.runs for ref in run.captures))
        for event in parsed(log.events(), pool, known.get):
            if isinstance(event, Captured):
                seen(event)
            fold.apply(event)
        for run in log.running:
            # What is held here has rows, so that the run had released it, at the end of its thread.
            fold.finish(run, finished=True)
        with made.atomic():
            stash_from(self._snapshot.db, made, clinic_id, newest_version(made, clinic_id))
            restore_superseded(made, clinic_id, reread)
            if withheld is not None:
                withheld.scrub(made, clinic_id)

    def differences(self, clinic_id: str) -> list[CellDifference]:
        """Return how the stored rows of the clinic that was folded last differ. Raises `sqlite3.Error`."""
        return list(differences(self._snapshot.db, self.made, clinic_id, keyless=self._keyless))

    def differences_of_runs(self) -> list[CellDifference]:
        """Return how the stored rows of whole runs differ. To be called after the last clinic. Raises `sqlite3.Error`.

        The end of a run that recorded none is that of its last visit.
        """
        db = self._snapshot.db
        find = "SELECT crawl_id FROM crawls WHERE ended_at IS NOT NULL"
        ended = {row[0] for row in db.execute(find).fetchall()}
        running = {crawl_id for crawl_id, _ in runs.running(db)}
        summaries = SummaryRedactor.of_takedowns(takedowns_in_force(self._run_files))
        recorded = {run_file.crawl_id: run_file for run_file in self._run_files}
        for (crawl_id,) in self.made.execute("SELECT crawl_id FROM crawls").fetchall():
            run_file = recorded.get(crawl_id)
            is_closed = run_file is None or self._snapshot.is_closed(run_file)
            if run_file is not None and run_file.end is not None and (is_closed or crawl_id in ended):
                runs.save_crawl_end(self.made, crawl_id, summaries.left_of(run_file.end))
            elif is_closed and crawl_id not in running:
                last = "SELECT max(ended_at) FROM clinic_runs WHERE crawl_id = ?"
                (at,) = db.execute(last, [crawl_id]).fetchone()
                self.made.execute("UPDATE crawls SET ended_at = ? WHERE crawl_id = ?", [at, crawl_id])
        return list(differences_in(RUNS, db, self.made, ""))

    def close(self) -> None:
        """Remove the scratch archive."""
        self.made.close()


def is_of_parser(difference: CellDifference) -> bool:
    """Return whether an older version of the parser or of the fold may have made the row as it is stored."""
    if difference.table == "captures":
        return difference.column not in _OF_RECORD
    if difference.table == "clinics":
        return difference.kind == "value"
    return difference.table not in _WITHOUT_PARSER


def lines(found: Iterable[CellDifference], remedy: str) -> list[str]:
    """Return a line for each column that differs, and for the rows of a table that are missing or too many.

    `remedy`: the command that makes the rows again.
    """
    ordered = sorted(found, key=lambda each: each[:3])
    return [
        printable(f"{_words(list(group))}; `{remedy}` makes the rows again")
        for _, group in groupby(ordered, key=lambda each: each[:3])
    ]


def _words(group: list[CellDifference]) -> str:
    first, number = group[0], len(group)
    named = "; ".join(each.key for each in group[:FEW]) + (f"; and {number - FEW} more" if number > FEW else "")
    if first.kind == "value":
        rows = "of a row" if number == 1 else f"of {number} rows"
        is_what = f"is {_short(first.stored)}, the recorded bytes give {_short(first.made)}"
        return f"{first.table}: {first.column} {rows} differs: it {is_what} ({named})"
    rows = "a row is" if number == 1 else f"{number} rows are"
    what = "missing that the recorded bytes give" if first.kind == "missing" else "stored that no recorded bytes give"
    return f"{first.table}: {rows} {what} ({named})"


def _short(value: object) -> str:
    text = "NULL" if value is None else repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\u2026"
