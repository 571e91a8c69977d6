"""Results of queries, cached while the database does not change: a million rows are not counted for each visitor.

After a change, a result that was quick to compute is computed again at the next request. One that took longer is
returned as it was, with the time it was computed, while a thread computes it again.
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

from archive.backup.published import Identity, identity, open_published
from archive.site.visitors.limits import limited_connection

Version = tuple[Identity, int]
# Seconds within which a query counts as quick.
QUICK = 0.15
# Seconds that a query may take: while a read transaction is open, the write-ahead log cannot be emptied.
QUERY_LIMIT = 60.0
# Number of cached results: a few for each clinic.
MAX_RESULTS = 500


@dataclass(slots=True)
class _Result:
    value: Any
    version: Version
    seconds: float
    computed_at: datetime
    is_refreshing: bool = False


class QueryCache:
    """Cached results of queries on one database file, by name. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._results: dict[Any, _Result] = {}
        self._version_connection: tuple[sqlite3.Connection, Identity] | None = None

    def get(self, name: Any, query: Callable[[sqlite3.Connection], Any]) -> tuple[Any, datetime]:
        """Return the result of that name, computed by `query` if it is not cached, and the time it was computed.

        Raises what `query` raises, and `sqlite3.Error`, also if it takes longer than `QUERY_LIMIT`.
        """
        version = self._version()
        with self._lock:
            cached = self._results.get(name)
            if cached is not None and cached.version == version:
                return cached.value, cached.computed_at
            if cached is not None and cached.seconds > QUICK:
                if not cached.is_refreshing:
                    cached.is_refreshing = True
                    threading.Thread(target=self._refresh, args=(name, query, version), daemon=True).start()
                return cached.value, cached.computed_at
        result = self._compute(name, query, version)
        return result.value, result.computed_at

    def warm(self, name: Any, query: Callable[[sqlite3.Connection], Any]) -> None:
        """Compute a result before the first request. Ignores `sqlite3.Error`: the request will raise it again."""
        with suppress(sqlite3.Error):
            self.get(name, query)

    def _refresh(self, name: Any, query: Callable[[sqlite3.Connection], Any], version: Version) -> None:
        with suppress(sqlite3.Error):
            self._compute(name, query, version)

    def _compute(self, name: Any, query: Callable[[sqlite3.Connection], Any], version: Version) -> _Result:
        start = time.monotonic()
        connection = self._connect()
        connection.set_progress_handler(lambda: time.monotonic() - start > QUERY_LIMIT, 100_000)
        try:
            value = query(connection)
        except BaseException:
            with self._lock:
                self._results.pop(name, None)
            raise
        finally:
            connection.close()
        result = _Result(value, version, time.monotonic() - start, datetime.now(UTC))
        with self._lock:
            if len(self._results) >= MAX_RESULTS:
                self._results.pop(next(iter(self._results)))
            self._results[name] = result
        return result

    def _version(self) -> Version:
        """Return the file's identity and its `PRAGMA data_version`.

        Both together change when another connection commits or another file takes the name. The pragma counts for one
        connection, which therefore stays open as long as the file is the same.
        """
        with self._lock:
            if self._version_connection is not None and self._version_connection[1] != identity(self._path):
                self._version_connection[0].close()
                self._version_connection = None
            if self._version_connection is None:
                self._version_connection = open_published(self._path, self._connect)
            connection, file_identity = self._version_connection
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            return file_identity, int(version)

    def _connect(self) -> sqlite3.Connection:
        return limited_connection(self._path, timeout=10)
