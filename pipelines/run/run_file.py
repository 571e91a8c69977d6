"""The WARC file of a run as a whole: its start, the clinics that it lists, the operator's confirmations, its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.rows import runs
from archive.times import utc
from archive.warc import Writer
from pipelines.events import Fields, as_json
from pipelines.run.recorded_runs import RUNS, RunFileContents

Redaction = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class RunFile:
    """Records what belongs to a run and to no single clinic; `pipelines.run.recorded_runs.runs_of` reads it back."""

    def __init__(self, archive: Path, db: Database, contents: RunFileContents) -> None:
        """Open the file. Raises `WarcWriteError`, OSError."""
        self._db, self._contents = db, contents
        about = {"software": contents.software, "kind": contents.kind}
        self._writer = Writer(archive, RUNS, contents.crawl_id, about, last=None)

    def start(self) -> None:
        """Record the start of the run and the clinics that it lists, and save its row.

        Raises `WarcWriteError`, `sqlite3.Error`.
        """
        contents = self._contents
        fields = as_json(
            {
                "crawl": contents.crawl_id,
                "started_at": contents.started_at,
                "software": contents.software,
                "kind": contents.kind,
            }
        )
        for name, stanzas in (("closed", contents.closed), ("listed", contents.new_clinics)):
            fields[name] = json.dumps(stanzas, sort_keys=True, default=str)
        self.write_note("crawl-started", fields, datetime.fromisoformat(contents.started_at))
        runs.save_crawl(self._db, contents.crawl_id, contents.started_at, contents.software, contents.kind)

    def write_note(self, kind: str, fields: Fields, at: datetime) -> None:
        """Write a note durably. Raises `WarcWriteError`."""
        self._writer.write_note(kind, fields, at)
        self._writer.sync()

    def end(
        self, exit_code: int, summary: dict[str, Any], now: datetime, redacted: Redaction, *, closing: bool
    ) -> None:
        """Record the end of the run, in the file and then in its row, which has what `redacted` leaves of the fields.

        `closing`: no visit is left to the next start, which looks for unclosed files only if a run's own file is one.
        Raises `WarcWriteError`, `sqlite3.Error`.
        """
        # The summary is given to others with the archive; the folder on this machine does not concern them.
        text = json.dumps({**summary, "archive": None}, ensure_ascii=False)
        fields = {"ended_at": utc(now), "exit_code": exit_code, "summary": text}
        self.write_note("crawl-ended", as_json(fields), now)
        runs.save_crawl_end(self._db, self._contents.crawl_id, redacted(fields))
        if closing:
            self._writer.close()
