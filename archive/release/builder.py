"""Builds a release: the public copy, its tables with natural keys, three formats, documents, hashes."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from archive.db import DATABASE, ArchiveError, damage
from archive.export import FORMATS, Written, write
from archive.export._package import PACKAGE, package
from archive.export._source import Source
from archive.public import Comments, fill_public
from archive.release import documents
from archive.release.bag import DATA, seal
from archive.release.documents import About
from archive.release.natural import MEANING, Table, name_rows, tables
from archive.release.register import Entry, Register, ReleaseRefused, changes, hashes
from archive.times import utc
from archive.warc._file import sync_folder

RELEASE_DB = "release.db"


class NothingToRelease(ArchiveError):
    """The archive has no post of an ended run."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is released: its name, what it gives of comments and who approved that, the key, its software and makers."""

    name: str
    comments: Comments
    approval: str | None
    key: bytes = field(repr=False)
    key_id: str
    software: str
    maker: str
    contact: str


@dataclass(frozen=True, slots=True)
class Released:
    """A release that was made: its folder, digest and date, the rows of each table, and the release before it."""

    folder: Path
    digest: str
    date: str
    rows: dict[str, int]
    before: str | None


def build(archive: Path, target: Path, content: Content, *, to: str | None = None) -> Released:
    """Build a release of the archive as it is now in `target`, complete or not at all, and enter it in the register.

    A release of the register may be built again elsewhere, with the same bytes. Raises `ReleaseRefused`,
    `NothingToRelease`, `ArchiveError`, ImportError without pyarrow, `sqlite3.Error`, OSError.
    """
    register = Register(archive)
    known, before = register.entry(content.name), register.before(content.name)
    if target.exists() or target.is_symlink():
        raise ReleaseRefused(f"{target}: exists; a release is never replaced: choose another name or folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of a call that was killed
    try:
        (part / DATA).mkdir(parents=True)
        scratch = part / "scratch.db"
        fill_public(archive / DATABASE, scratch, comments=content.comments, key=content.key, searchable=False)
        made = _fill_tables(scratch, part / DATA / RELEASE_DB, content)
        with closing(sqlite3.connect(part / DATA / RELEASE_DB)) as connection:
            rows = hashes(connection, made)
            with closing(sqlite3.connect(scratch)) as copy:
                about, counts = _about(copy, content), _counts(connection, made)
                sheet = documents.datasheet(copy, about, counts)
            _write_files(connection, made, part / DATA, about)
        found = None if before is None else list(changes(register.rows(before), rows))
        _write(part / DATA / "DATASHEET.md", sheet)
        _write(part / DATA / "DICTIONARY.md", documents.dictionary(made))
        _write(part / DATA / "CITATION.cff", documents.citation_cff(about))
        _write(part / DATA / "LICENCE.txt", documents.licence())
        _write(part / DATA / "CHANGES.md", documents.changes_text(found, before.name if before else None))
        scratch.unlink()
        digest = seal(part, _info(about))
        if known is not None and known.digest != digest:
            raise ReleaseRefused(
                f"{content.name}: released before with other content; choose another name; nothing written"
            )
        part.rename(target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    if known is None:
        made_at = utc(datetime.now(UTC))
        entry = Entry(content.name, digest, about.date, made_at, to, content.comments, content.key_id)
        try:
            register.add(entry, rows)
        except OSError:
            shutil.rmtree(target, ignore_errors=True)
            raise
    return Released(target, digest, about.date, counts, before.name if before else None)


def _fill_tables(scratch: Path, target: Path, content: Content) -> list[Table]:
    """Fill the release's database from the public copy and return its tables."""
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE", "cache_size = -32000"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("ATTACH ? AS copy", [str(scratch)])
        if not connection.execute("SELECT 1 FROM copy.posts LIMIT 1").fetchone():
            raise NothingToRelease("the archive has no post; crawl first, then release")
        name_rows(connection, content.key)
        made = list(tables(connection, with_texts=content.comments == "text"))
        connection.execute("BEGIN")
        for table in made:
            connection.execute(table.ddl)
            connection.execute(f"INSERT INTO main.[{table.name}] {table.select}")
        connection.execute("COMMIT")
        fault = next(damage(connection, 1), None)
    if fault:
        raise ArchiveError(f"{fault}; nothing released; see `clinic-archive verify`")
    return made


def _about(copy: sqlite3.Connection, content: Content) -> About:
    (date,) = copy.execute("SELECT max(ended_at) FROM crawls").fetchone()
    if date is None:
        raise NothingToRelease("no run of the archive has ended; release after a crawl")
    return About(
        content.name, date, content.software, content.maker, content.contact, content.comments, content.approval
    )


def _counts(connection: sqlite3.Connection, made: Sequence[Table]) -> dict[str, int]:
    return {t.name: connection.execute(f"SELECT count(*) FROM [{t.name}]").fetchone()[0] for t in made}


def _write_files(connection: sqlite3.Connection, made: Sequence[Table], folder: Path, about: About) -> None:
    """Write every table as CSV and Parquet, and datapackage.json of the CSV files."""
    pairs: list[tuple[Source, Written]] = []
    for name in ("csv", "parquet"):
        (folder / name).mkdir()
        for table in made:
            source = _source(table)
            written = write(folder / name / f"{table.name}{FORMATS[name].suffix}", connection, source, FORMATS[name])
            pairs += [(source, written)] if name == "csv" else []
    described = package(connection, pairs, about.date)
    described |= {"name": f"clinic-blog-archive-{about.name}", "version": about.name}
    for (source, _), resource in zip(pairs, described["resources"], strict=True):
        resource["path"] = f"csv/{resource['path']}"
        _explain(source, resource["schema"]["fields"])
    _write(folder / PACKAGE, json.dumps(described, ensure_ascii=False, indent=1) + "\n")


def _source(table: Table) -> Source:
    new = {column: "text" for column in MEANING if column in table.columns}
    return Source(table.name, f"SELECT * FROM [{table.name}] ORDER BY rowid", types=new)


def _explain(source: Source, fields: list[dict[str, Any]]) -> None:
    for entry in fields:
        if "description" not in entry and (meaning := documents.meaning(source, entry["name"])):
            entry["description"] = meaning


def _info(about: About) -> dict[str, str]:
    """Return what bag-info.txt says; the same libraries give the same bytes, so that they are named."""
    installed = sorted({f"{each.name.lower()}=={each.version}" for each in metadata.distributions()})
    return {
        "External-Identifier": about.name,
        "Bagging-Date": about.date[:10],
        "Bag-Software-Agent": about.software,
        "SQLite-Version": sqlite3.sqlite_version,
        "Dependencies-SHA256": hashlib.sha256("\n".join(installed).encode()).hexdigest(),
    }


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
