"""The summaries of runs name the addresses of posts in words; those of withdrawn posts are left out of the rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.rows import runs
from pipelines.run.headers import RunHeader, holding, runs_of
from pipelines.takedown.withheld import Withheld, withheld_from


class Summaries:
    """The summaries of the runs of an archive, without what takedowns name."""

    def __init__(self, headers: Iterable[RunHeader], key: bytes | None) -> None:
        """Raises `BadKey`."""
        takedowns = holding(headers)
        clinics = sorted({each.clinic_id for each in takedowns})
        found = (withheld_from(takedowns, clinic_id, key) for clinic_id in clinics)
        self._withheld: list[Withheld] = [each for each in found if each is not None]
        self._whole = {each.clinic_id for each in takedowns if each.kind == "clinic"}

    def left_of(self, end: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the fields of a run's end, its summary without what is withdrawn."""
        if not self._withheld or not end["summary"]:
            return end
        summary = self._left(json.loads(end["summary"]))
        return {**end, "summary": json.dumps(summary, ensure_ascii=False)}

    def _left(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._left(each) for name, each in value.items() if name not in self._whole}
        if isinstance(value, list):
            return [self._left(each) for each in value]
        if isinstance(value, str):
            for each in self._withheld:
                value = each.redacted(value)
        return value


def save_ends(db: Database, archive: Path, key: bytes | None) -> None:
    """Write the ends of all runs again, without what takedowns name. Raises `BadKey`, OSError, `sqlite3.Error`."""
    headers = runs_of(archive)
    summaries = Summaries(headers, key)
    with db.atomic():
        for header in headers:
            if header.end is not None:
                runs.save_crawl_end(db, header.crawl_id, summaries.left_of(header.end))


def redacted_ends(db: Database, archive: Path, key: bytes | None) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Return a function that leaves out of the fields of a run's end what is withdrawn. Raises `BadKey`, OSError."""
    if db.execute("SELECT 1 FROM withdrawals LIMIT 1").fetchone() is None:
        return lambda end: end
    return Summaries(runs_of(archive), key).left_of
