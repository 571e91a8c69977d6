"""The summaries of runs name the addresses of posts in words; those of withdrawn posts are left out of the rows.

What is withdrawn is known from the rows: a run that ends reads no file of an earlier one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.rows import runs
from archive.rows.withdrawals import path_sha256
from pipelines.events import Withdrawn
from pipelines.run.recorded_runs import runs_of
from pipelines.takedown.marks import SHORTEST_WORD, address_values, redacted


class SummaryRedactor:
    """The summaries of the runs of an archive, without what takedowns name."""

    def __init__(self, gone: Iterable[tuple[str, str]], whole: Iterable[str]) -> None:
        """`gone`: (clinic, `path_sha256`) of each address that is withdrawn. `whole`: clinics that are."""
        self._gone, self._whole = set(gone), set(whole)
        self._clinics = sorted({clinic_id for clinic_id, _ in self._gone})

    @classmethod
    def of_takedowns(cls, takedowns: Iterable[Withdrawn]) -> SummaryRedactor:
        """Return the summaries without what these takedowns name."""
        held = list(takedowns)
        gone = ((each.clinic_id, sha256) for each in held for sha256 in each.permalinks)
        return cls(gone, (each.clinic_id for each in held if each.kind == "clinic"))

    @classmethod
    def of_rows(cls, db: Database) -> SummaryRedactor:
        """Return the summaries without what the rows of an archive say is withdrawn. Raises `sqlite3.Error`."""
        gone = db.execute("SELECT clinic, path_sha256 FROM withdrawn_permalinks").fetchall()
        whole = db.execute("SELECT clinic FROM withdrawals WHERE kind = 'clinic'").fetchall()
        return cls(gone, (clinic_id for (clinic_id,) in whole))

    def left_of(self, end: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the fields of a run's end, its summary without what is withdrawn."""
        if not (self._gone or self._whole) or not end["summary"]:
            return end
        summary = self._left(json.loads(end["summary"]))
        return {**end, "summary": json.dumps(summary, ensure_ascii=False)}

    def _left(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._left(each) for name, each in value.items() if name not in self._whole}
        if isinstance(value, list):
            return [self._left(each) for each in value]
        return redacted(value, self._is_gone) if isinstance(value, str) and self._gone else value

    def _is_gone(self, url: str) -> bool:
        """Return whether the last part of an address's path is that of a withdrawn post, or a value its name or id."""
        last, *values = [*address_values(url), ""]
        words = [last, *(value for value in values if len(value) >= SHORTEST_WORD)]
        return any(
            (clinic_id, path_sha256(clinic_id, word)) in self._gone for word in words for clinic_id in self._clinics
        )


def save_ends(db: Database, archive: Path) -> None:
    """Write the ends of all runs again, without what takedowns name. Raises OSError, `sqlite3.Error`."""
    summaries = SummaryRedactor.of_rows(db)
    with db.atomic():
        for run_file in runs_of(archive):
            if run_file.end is not None:
                runs.save_crawl_end(db, run_file.crawl_id, summaries.left_of(run_file.end))


def end_redactor(db: Database) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Return a function that leaves out of the fields of a run's end what is withdrawn. Raises `sqlite3.Error`."""
    return SummaryRedactor.of_rows(db).left_of
