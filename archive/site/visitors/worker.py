"""A process that answers the queries of one request, and can use no more memory than it is given.

`python -m archive.site.visitors.worker DATABASE KIND PARENT` (typed or own, the server's process id) reads a JSON
object a line from stdin, and answers each with frames on stdout: four bytes that give the length, most significant
first, then that many bytes. The first frame of an answer is a JSON object: the rows, or an error. For a file the first
frame says that its first row has been read, the second that its bytes follow, each or an error; an empty frame ends it.
The process ends when stdin ends, and during a query when the server ends, whatever ended that.

SQLite's length limit holds for each value. `hard_heap_limit` bounds what SQLite allocates in all, which it can do only
for a whole process. The limits of the operating system bound what Python holds, and the size of temporary files.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sqlite3
import stat
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from archive.site.visitors.limits import LONGEST_STORED, LONGEST_TYPED, TOO_LONG, AnswerTooLarge, limited_connection

# Bytes that SQLite may allocate, and bytes of all addresses; most of these are mapped files and never resident. SQL
# that a visitor typed has little. The site's own makes no more than the archive holds: a line of a CSV file with a
# page of 32 MB (`DOWNLOAD_MAXSIZE`) as text and as HTML takes several times its length.
SQLITE_HEAP = {"typed": 32_000_000, "own": 600_000_000}
ADDRESS_SPACE = {"typed": 400_000_000, "own": 1_500_000_000}
LONGEST = {"typed": LONGEST_TYPED, "own": LONGEST_STORED}
TEMPORARY_FILES = 1_000_000_000  # bytes of all together, and so the most of each
MAX_FILES = 32  # descriptors that are looked at; SQLite uses the lowest free ones
# Bytes of a page's rows. A cell counts for more than its text: a page makes an element of it.
MAX_BYTES, BYTES_OF_A_CELL = 6_000_000, 200
LENGTH = struct.Struct(">I")
_TOO_LARGE = (
    f"the rows are larger than {MAX_BYTES // 1_000_000} MB: select fewer rows or columns, or download the file"
    " (.csv), which has no such limit"
)
_NO_DISK = "the query needs more temporary disk space than a visitor's query may use: select or sort fewer rows"
_NO_MEMORY = "the query needs more memory than a visitor's query may use: select fewer or shorter values"


class _Rows:
    """The rows of a query, fetched until they exceed `MAX_BYTES`."""

    def __init__(self) -> None:
        self._bytes = 0

    def fetch(self, connection: sqlite3.Connection, sql: str, values: Any, most: int | None) -> dict[str, Any]:
        """Return column names, rows, and whether more than `most` came. Raises `AnswerTooLarge`, `sqlite3.Error`."""
        connection.text_factory = self._text
        try:
            return self._fetch(connection.execute(sql, values), most)
        finally:  # the next request of this process may be for a file, whose texts nobody counts
            connection.text_factory = str

    def _fetch(self, cursor: sqlite3.Cursor, most: int | None) -> dict[str, Any]:
        columns = [column[0] for column in cursor.description or ()]
        found: list[tuple[Any, ...]] = []
        for row in cursor:
            if most is not None and len(found) == most:
                return {"columns": columns, "rows": found, "truncated": True}
            self._count(BYTES_OF_A_CELL * len(row))
            found.append(tuple(self._cell(value) if isinstance(value, bytes) else value for value in row))
        return {"columns": columns, "rows": found, "truncated": False}

    def _count(self, number: int) -> None:
        self._bytes += number
        if self._bytes > MAX_BYTES:
            raise AnswerTooLarge(_TOO_LARGE)

    def _text(self, value: bytes) -> str:
        self._count(len(value))
        return value.decode("utf-8", "replace")

    def _cell(self, value: bytes) -> dict[str, str]:
        self._count(2 * len(value))
        return {"base64": base64.b64encode(value).decode()}


def main() -> None:
    """Answer the queries from stdin."""
    path, kind, server = sys.argv[1:]
    end_with(int(server))
    limit_process(ADDRESS_SPACE[kind])
    connection = limited_connection(Path(path), longest=LONGEST[kind])
    connection.create_function("escape_fts", 1, _escape_fts)
    connection.execute(f"PRAGMA hard_heap_limit = {SQLITE_HEAP[kind]}").fetchall()
    for line in sys.stdin.buffer:
        _answer(connection, json.loads(line))


def _escape_fts(words: str) -> str:
    """Quote the words of a search; Datasette uses this function in the SQL of a search in a table."""
    from datasette.utils import escape_fts  # type: ignore[import-untyped] # noqa: PLC0415 # slow to import

    return str(escape_fts(words))


def end_with(server: int) -> None:
    """End this process when the server ends, also during a query. Elsewhere than on Linux `_Limit` does that."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 # only Linux has prctl

        # prctl(2): PR_SET_PDEATHSIG, the signal that this process gets when its parent ends.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if hasattr(os, "getppid") and os.getppid() != server:  # it ended before
        sys.exit(1)


def limit_process(address_space: int) -> None:
    """Limit memory and temporary files, as far as the system can, and leave the processor to other pages."""
    # A file that grows too large is an error of the query instead of the end of the process.
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 # Windows has no such module

        for limit, most in ((resource.RLIMIT_AS, address_space), (resource.RLIMIT_FSIZE, TEMPORARY_FILES)):
            resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))
    if hasattr(os, "nice"):
        os.nice(10)


def _answer(connection: sqlite3.Connection, request: Mapping[str, Any]) -> None:
    limit = _Limit(connection, request["seconds"])
    try:
        if request["form"] == "rows":
            answer = _Rows().fetch(connection, request["sql"], request["values"], request["most"])
            _send(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))
        else:
            _send_file(_file(connection, request, limit))
    except (MemoryError, OverflowError):
        _refuse("memory", _NO_MEMORY)
    except AnswerTooLarge as error:
        _refuse("large", str(error))
    except OSError:
        _refuse("large", _NO_DISK)
    except sqlite3.DataError:
        _refuse("sql", TOO_LONG)
    except (sqlite3.Error, sqlite3.Warning) as error:
        if limit.is_full:
            _refuse("large", _NO_DISK)
        else:
            _refuse("interrupted" if str(error) == "interrupted" else "sql", str(error))


class _Limit:
    """Interrupts what a connection runs: at its deadline, when the server has ended, or for large temporary files."""

    def __init__(self, connection: sqlite3.Connection, seconds: float) -> None:
        self.deadline, self.is_full = time.monotonic() + seconds, False
        self._server, self._next_look = os.getppid(), 0.0
        connection.set_progress_handler(self._is_over, 10_000)

    def _is_over(self) -> bool:
        now = time.monotonic()
        if now > self._next_look:
            self._next_look = now + 0.05
            self.is_full = temporary_bytes() > TEMPORARY_FILES
        return now > self.deadline or self.is_full or os.getppid() != self._server


def temporary_bytes() -> int:
    """Return the bytes of this process's open files that have no name any more, as SQLite's temporary files have none.

    The system's own limit is for each file, and a query may sort into several.
    """
    total = 0
    for descriptor in range(3, MAX_FILES):
        with suppress(OSError):
            state = os.fstat(descriptor)
            total += state.st_size if stat.S_ISREG(state.st_mode) and state.st_nlink == 0 else 0
    return total


def _refuse(kind: str, why: str) -> None:
    _send(json.dumps({"error": kind, "why": why}).encode())


def _send(block: bytes) -> None:
    sys.stdout.buffer.write(LENGTH.pack(len(block)) + block)
    sys.stdout.buffer.flush()


def _send_file(blocks: Iterator[bytes]) -> None:
    """Send a file. Raises the first block's errors; after that, an error ends the process in the middle of the file."""
    block = next(blocks, b"")
    _send(b"{}")
    try:
        while block:
            _send(block)
            block = next(blocks, b"")
    except Exception:  # whatever it is, the reader must see a broken file
        sys.exit(1)
    _send(b"")


def _file(connection: sqlite3.Connection, request: Mapping[str, Any], limit: _Limit) -> Iterator[bytes]:
    # Its libraries take longer to import than most queries run.
    from archive.export import Source  # noqa: PLC0415
    from archive.listings import listing  # noqa: PLC0415
    from archive.site.visitors.files import blocks  # noqa: PLC0415

    def begun() -> None:
        _send(b"{}")
        limit.deadline = time.monotonic() + request["file_seconds"]

    name, values = request["name"], request["values"]
    made = None if request["sql"] else listing(name, values)
    source = Source(name, request["sql"], values, request["types"], made)
    return blocks(connection, request["form"], source, begun)


if __name__ == "__main__":
    main()
