"""The register of releases: a file each in `study/releases/`, with the hashes of its rows for the list of changes."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from archive.export._target import replacing
from archive.release.natural import Table
from archive.study.folder import STUDY

FOLDER = f"{STUDY}/releases"  # inside the archive's folder
KEY_FILE = f"{STUDY}/release.key"
_SIZE = 8  # bytes of a hash


class ReleaseRefused(Exception):
    """The release cannot be made under this name or with this key; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A release: its name, its digest, the date of its data, when it was made, for whom, and the name of its key."""

    name: str
    digest: str
    date: str
    made_at: str
    to: str | None
    comments: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """How the rows of a table differ from those of the release before."""

    table: str
    rows: int
    added: int
    removed: int
    changed: int


class Register:
    """The releases of an archive, in the order in which they were made."""

    def __init__(self, archive: Path) -> None:
        self._folder = archive / FOLDER

    def entries(self) -> list[Entry]:
        """Return all entries. Raises OSError, and `ReleaseRefused` for a damaged one."""
        found = []
        for path in self._folder.glob("*.json"):
            try:
                found.append(Entry(**json.loads(path.read_text("utf-8"))))
            except (ValueError, TypeError) as error:
                raise ReleaseRefused(f"{path}: not an entry of the register; restore it from your backup") from error
        return sorted(found, key=lambda entry: (entry.made_at, entry.name))

    def entry(self, name: str) -> Entry | None:
        """Return the release of that name."""
        return next((entry for entry in self.entries() if entry.name == name), None)

    def before(self, name: str) -> Entry | None:
        """Return the release before the one of that name; the last one if there is none of that name."""
        earlier: Entry | None = None
        for entry in self.entries():
            if entry.name == name:
                break
            earlier = entry
        return earlier

    def add(self, entry: Entry, rows: bytes) -> None:
        """Add a release and the hashes of its rows. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for suffix, content in ((".rows", rows), (".json", _json(entry))):
            with replacing(self._folder / f"{entry.name}{suffix}") as draft:
                draft.write_bytes(content)

    def rows(self, entry: Entry) -> bytes:
        """Return the hashes of a release's rows. Raises `ReleaseRefused` where they are gone, OSError."""
        try:
            return (self._folder / f"{entry.name}.rows").read_bytes()
        except FileNotFoundError as error:
            raise ReleaseRefused(
                f"{error.filename}: gone; restore it from your backup, or nobody knows what changed"
            ) from error


def _json(entry: Entry) -> bytes:
    return (json.dumps(asdict(entry), ensure_ascii=False, indent=1) + "\n").encode()


def hashes(connection: sqlite3.Connection, tables: Iterable[Table]) -> bytes:
    """Return the hashes of all rows: for each table a line with its name and number, then key and row of each.

    Raises `sqlite3.Error`.
    """
    parts = []
    for table in tables:
        rows = connection.execute(f"SELECT * FROM [{table.name}]")
        width = len(table.key) or len(table.columns)
        pairs = sorted(_hash(row[:width]) + _hash(row) for row in rows)
        parts += [f"{table.name} {len(pairs)}\n".encode(), *pairs]
    return b"".join(parts)


def _hash(values: tuple[object, ...]) -> bytes:
    return hashlib.blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()


def changes(before: bytes, now: bytes) -> Iterator[Change]:
    """Yield how each table changed between the hashes of two releases."""
    old, new = _by_table(before), _by_table(now)
    for table in sorted(old.keys() | new.keys()):
        was, is_ = old.get(table, {}), new.get(table, {})
        both = was.keys() & is_.keys()
        changed = sum(was[key] != is_[key] for key in both)
        yield Change(table, len(is_), len(is_) - len(both), len(was) - len(both), changed)


def has_row(content: bytes, table: str, keys: Iterable[tuple[str, ...]]) -> bool:
    """Return whether a release, by the hashes of its rows, has a row with one of the keys in a table."""
    wanted = {_hash(key) for key in keys}
    places = next((places for name, places in _tables_in(content) if name == table), range(0))
    return any(content[place : place + _SIZE] in wanted for place in places)


def _by_table(content: bytes) -> dict[str, dict[bytes, bytes]]:
    return {
        name: {content[place : place + _SIZE]: content[place + _SIZE : place + 2 * _SIZE] for place in places}
        for name, places in _tables_in(content)
    }


def _tables_in(content: bytes) -> Iterator[tuple[str, range]]:
    """Yield each table, and where the pairs of hashes of its rows begin."""
    at = 0
    while at < len(content):
        end = content.index(b"\n", at)
        name, number = content[at:end].decode().split()
        start, at = end + 1, end + 1 + int(number) * 2 * _SIZE
        yield name, range(start, at, 2 * _SIZE)
