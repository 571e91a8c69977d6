"""Answers that are kept while the database stays as it is: totals over a million rows are not counted for each visitor.

What was quick to find is found anew at the first look after a change. What took longer is shown as it was, with its
age, while it is found anew aside.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from archive.backup.published import Identity, identity, opened

Version = tuple[Identity, int]
# Seconds within which an answer counts as quick.
QUICK = 0.15
# Seconds that finding one may take: a reader that stays holds up the write-ahead log of whoever writes.
LONGEST = 60.0
# So many answers are kept: of each clinic a few.
MOST = 500


@dataclass(slots=True)
class _Answer:
    value: Any
    version: Version
    took: float
    found_at: datetime
    being_found: bool = False


class QueryCache:
    """Answers about one database file, by name. Safe to be asked by several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._answers: dict[Any, _Answer] = {}
        self._watch: tuple[sqlite3.Connection, Identity] | None = None

    def get(self, name: Any, find: Callable[[sqlite3.Connection], Any]) -> tuple[Any, datetime]:
        """The answer of that name, found by `find` where it is not known yet, and when it was found.

        Raises what `find` raises, and `sqlite3.Error`, also where it takes too long (`LONGEST`).
        """
        version = self._version()
        with self._lock:
            known = self._answers.get(name)
            if known is not None and known.version == version:
                return known.value, known.found_at
            if known is not None and known.took > QUICK:
                if not known.being_found:
                    known.being_found = True
                    threading.Thread(target=self._again, args=(name, find, version), daemon=True).start()
                return known.value, known.found_at
        answer = self._find(name, find, version)
        return answer.value, answer.found_at

    def warm(self, name: Any, find: Callable[[sqlite3.Connection], Any]) -> None:
        """Find an answer before it is asked for; what goes wrong will go wrong for whoever asks."""
        with suppress(sqlite3.Error):
            self.get(name, find)

    def _again(self, name: Any, find: Callable[[sqlite3.Connection], Any], version: Version) -> None:
        with suppress(sqlite3.Error):
            self._find(name, find, version)

    def _find(self, name: Any, find: Callable[[sqlite3.Connection], Any], version: Version) -> _Answer:
        start = time.monotonic()
        connection = self._connect()
        connection.set_progress_handler(lambda: time.monotonic() - start > LONGEST, 100_000)
        try:
            value = find(connection)
        except BaseException:
            with self._lock:
                self._answers.pop(name, None)
            raise
        finally:
            connection.close()
        answer = _Answer(value, version, time.monotonic() - start, datetime.now(UTC))
        with self._lock:
            if len(self._answers) >= MOST:
                self._answers.pop(next(iter(self._answers)))
            self._answers[name] = answer
        return answer

    def _version(self) -> Version:
        """What differs once another connection has committed, or another file has the name: told by one connection,
        the same as long as the file is."""
        with self._lock:
            if self._watch is not None and self._watch[1] != identity(self._path):
                self._watch[0].close()
                self._watch = None
            if self._watch is None:
                self._watch = opened(self._path, self._connect)
            watch, which = self._watch
            (version,) = watch.execute("PRAGMA data_version").fetchone()
            return which, int(version)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{self._path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=10
        )
