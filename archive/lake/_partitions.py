"""Writing the partitions of one table: rows of any order in bounded memory, each file aside first, then renamed."""

from __future__ import annotations

import hashlib
import marshal
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import archive.export._parquet as parquet
from archive.export._parquet import Typed

FILE = "part-0.parquet"
_CONTENT = b"content"  # the key in a file's metadata under which the digest of its rows is
_FORM = b"1"  # of the digests; another one makes every partition be written again
_BLOCKS = 16  # of `archive.export.read`, of at most 4 MB and 1,000 rows, that wait as Python values
_MAX_BYTES = 64_000_000  # of Arrow data that wait in all partitions


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of the lake: its folder below the table's, rows, bytes, the digest of its rows."""

    key: str
    rows: int
    size: int
    content: str
    written: bool


@dataclass(slots=True)
class _Draft:
    """A partition that is being written."""

    digest: Any
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    batches: list[Any] = field(default_factory=list)
    size: int = 0
    number: int = 0
    path: Path | None = None
    writer: Any = None


class Partitions:
    """The partitions of a table, collected from rows in any order; `finish` puts them into the lake.

    At most about 130 MB of rows wait in memory, however many partitions there are; beyond that the largest one is
    written as a row group. Raises OSError.
    """

    def __init__(self, lake: Path, stage: Path, name: str, typed: Typed) -> None:
        """`stage`: an empty folder for drafts, on the file system of the lake."""
        self._table, self._stage, self._typed = lake / name, stage, typed
        said = [(column.name, str(column.type), column.metadata) for column in typed.schema]
        self._schema = repr((_FORM, said)).encode()
        self._drafts: dict[str, _Draft] = {}
        self._blocks = self._files = 0

    def add(self, pairs: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        """Take a block of rows, each with the folder of its partition."""
        drafts = self._drafts
        for key, row in pairs:
            draft = drafts.get(key)
            if draft is None:
                draft = drafts[key] = _Draft(hashlib.blake2b(self._schema, digest_size=16))
            draft.rows.append(row)
        self._blocks += 1
        if self._blocks >= _BLOCKS:
            self._settle()

    def _settle(self) -> None:
        """Turn waiting rows into Arrow data, and write what is enough for a row group or more than may wait."""
        for draft in self._drafts.values():
            if draft.rows:
                self._convert(draft)
        waiting = sum(draft.size for draft in self._drafts.values())
        for draft in sorted(self._drafts.values(), key=lambda draft: -draft.size):
            full = draft.size > parquet.BYTES_PER_GROUP or sum(map(len, draft.batches)) >= parquet.ROWS_PER_GROUP
            if full or waiting > _MAX_BYTES:
                waiting -= draft.size
                self._write(draft)
        self._blocks = 0

    def _convert(self, draft: _Draft) -> None:
        # Version 2 of marshal writes equal values as equal bytes, however the objects came about.
        draft.digest.update(b"".join([marshal.dumps(row, 2) for row in draft.rows]))
        batch = self._typed.batch(draft.rows)
        draft.batches.append(batch)
        draft.size += batch.nbytes
        draft.number += len(draft.rows)
        draft.rows = []

    def _write(self, draft: _Draft) -> None:
        """Write what waits of a partition as a row group of its draft."""
        if draft.writer is None:
            self._stage.mkdir(parents=True, exist_ok=True)
            draft.path = self._stage / f"{self._files}.parquet"
            self._files += 1
            draft.writer = self._typed.writer(draft.path)
        if draft.batches:
            draft.writer.write_table(self._typed.table(draft.batches))
        draft.batches, draft.size = [], 0

    def finish(self, empty: str) -> Iterator[Partition]:
        """Put the partitions into the lake, remove those that have no rows any more, and yield what is there now.

        A partition whose rows are those of the lake's file stays as it is. Without a row the table has one partition
        without rows, in the folder `empty`.
        """
        if not self._drafts:
            self._drafts[empty] = _Draft(hashlib.blake2b(self._schema, digest_size=16))
        made = [self._placed(key, draft) for key, draft in sorted(self._drafts.items())]
        remove_others(self._table, {self._table / partition.key / FILE for partition in made})
        self._drafts = {}
        yield from made

    def _placed(self, key: str, draft: _Draft) -> Partition:
        if draft.rows:
            self._convert(draft)
        content, target = draft.digest.hexdigest(), self._table / key / FILE
        if content == _content(target):
            self._drop(draft)
            return Partition(key, draft.number, target.stat().st_size, content, written=False)
        self._write(draft)
        assert draft.path is not None
        draft.writer.add_key_value_metadata({_CONTENT: content})
        draft.writer.close()
        with draft.path.open("rb") as file:
            os.fsync(file.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.path.replace(target)
        draft.batches, draft.writer = [], None
        return Partition(key, draft.number, target.stat().st_size, content, written=True)

    def close(self) -> None:
        """Drop the drafts that are left after an error."""
        for draft in self._drafts.values():
            self._drop(draft)
        self._drafts = {}

    def _drop(self, draft: _Draft) -> None:
        if draft.writer is not None:
            draft.writer.close()
        draft.writer, draft.batches = None, []


def _content(path: Path) -> str | None:
    """Return the digest of the rows of a partition of the lake; None for no file, or one that cannot be read."""
    import pyarrow as pa  # type: ignore[import-untyped] # noqa: PLC0415
    import pyarrow.parquet as pq  # type: ignore[import-untyped] # noqa: PLC0415

    try:
        said = (pq.read_metadata(path).metadata or {}).get(_CONTENT)
    except (OSError, pa.ArrowException):
        return None
    return said.decode("ascii", "replace") if said else None


def remove_others(table: Path, placed: set[Path]) -> None:
    """Remove the partitions of a table's folder that are not among those paths, and folders left empty.

    Symbolic links are left as they are: they lead out of the lake.
    """
    if table.is_symlink():
        return
    for path in sorted(table.rglob(FILE)):
        if path not in placed and not path.is_symlink():
            path.unlink()
            for folder in path.relative_to(table).parents:
                with suppress(OSError):  # other files are in it
                    (table / folder).rmdir()


def emptied(stage: Path) -> Path:
    """Return the folder for drafts, without what an export that was killed left there."""
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    return stage
