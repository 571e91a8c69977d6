"""What a release says of itself: datasheet, data dictionary, citation, licence note, changes."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archive.export import describe_column, purpose, type_of
from archive.export._columns import archive_description
from archive.export._source import Source
from archive.release.natural import MEANING, Table
from archive.release.register import Change
from archive.reports.coverage import read_coverage
from archive.reports.methods import paragraph


@dataclass(frozen=True, slots=True)
class About:
    """What the documents name: the release, the end of its last run, its software, who made it, what it gives."""

    name: str
    date: str  # ISO 8601 UTC
    software: str
    maker: str
    contact: str
    comments: str
    approval: str | None


def citation_cff(about: About) -> str:
    """Return CITATION.cff (Citation File Format 1.2.0). JSON texts are YAML texts."""
    title = f"{archive_description()[0]}: release {about.name}"
    lines = {
        "cff-version": "1.2.0",
        "title": title,
        "type": "dataset",
        "version": about.name,
        "date-released": about.date[:10],
        "message": "If you use this data set, please cite it.",
    }
    head = "".join(f"{name}: {_text(value)}\n" for name, value in lines.items())
    return f"{head}authors:\n  - name: {_text(about.maker)}\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def licence() -> str:
    """Return the note on rights."""
    return (
        "Texts and comments belong to their authors. This release gives no licence to republish them.\n"
        "What the makers of the release added (structure, descriptions, counts) may be used with citation.\n"
        "Do not try to identify anyone who comments. Quote with care: a search engine finds a literal quote.\n"
    )


def dictionary(tables: Iterable[Table]) -> str:
    """Return the data dictionary: every table and column with type, key and meaning."""
    parts = ["# Data dictionary\n\nAn empty cell (NULL) means that no page gave the value. All times are UTC.\n"]
    for table in tables:
        source = Source(table.name, "")
        parts += [f"\n## {table.name}\n\n{purpose(table.name)}\n"]
        parts += [f"\nKey: {', '.join(table.key)}.\n"] if table.key else ["\nThe table has no key.\n"]
        parts += [f"Refers to: {table_} by {', '.join(columns)}.\n" for columns, table_, _ in table.parents if columns]
        parts += ["\n| column | type | meaning |\n|---|---|---|\n"]
        parts += [
            f"| {name} | {type_of(source, name) or 'text'} | {meaning(source, name).replace('|', '/')} |\n"
            for name in table.columns
        ]
    return "".join(parts)


def meaning(source: Source, column: str) -> str:
    """Return what a column of a release means."""
    return describe_column(source, column) or MEANING.get(column, "")


def changes_text(found: Iterable[Change] | None, before: str | None) -> str:
    """Return CHANGES.md; `found` and `before` are None for the first release."""
    if found is None or before is None:
        return "# Changes\n\nThis is the first release.\n"
    lines = [f"| {c.table} | {c.rows:,} | {c.added:,} | {c.removed:,} | {c.changed:,} |\n" for c in found]
    head = f"# Changes since release {before}\n\nRows by their keys; a table without a key has no changed rows.\n\n"
    return f"{head}| table | rows | added | removed | changed |\n|---|---|---|---|---|\n{''.join(lines)}"


def datasheet(connection: sqlite3.Connection, about: About, rows: Mapping[str, int]) -> str:
    """Return the datasheet: what the data are, how they were made, gaps and limits. `connection`: the public copy."""
    coverage = read_coverage([connection])
    days = Counter(
        dict(connection.execute("SELECT state, count(*) FROM coverage GROUP BY state ORDER BY state").fetchall())
    )
    gaps = [f"- {gap.clinic_id}: {gap.first} to {gap.last}\n" for gap in coverage.gaps[:10]]
    title, description = archive_description()
    with_comments = (
        f"Texts of comments are part of the release. Approval: {about.approval}. Pseudonyms differ from thread to"
        " thread, so that nobody is followed across posts. Names known in a thread, e-mail addresses and phone numbers"
        " are masked; other hints at a person are not."
        if about.comments == "text"
        else "Comments are rows without author, text and thread: only their number, kind, status and day are given."
    )
    return "".join(
        (
            f"# {title}: release {about.name}\n\n{description}\n\n",
            f"Data up to {about.date}. Made by {about.maker} with {about.software}.\n",
            f"Questions, and requests for removal: {about.contact or 'the makers'}.\n\n",
            "## What\n\n| table | rows |\n|---|---|\n",
            *(f"| {name} | {number:,} |\n" for name, number in rows.items()),
            "\nThe same rows are in release.db (SQLite), csv/ and parquet/. DICTIONARY.md explains every column.\n",
            f"\n## How\n\n{paragraph(coverage)}\n\n",
            "## Gaps\n\nClinic-days by what was observed:\n\n",
            *(f"- {state}: {number:,}\n" for state, number in sorted(days.items())),
            *(["\nThe longest gaps:\n\n", *gaps] if gaps else ["\nThere is no gap.\n"]),
            f"\n## Comments\n\n{with_comments}\n\n",
            "## Limits\n\n",
            "- Nothing is known of the time before the first visit, except what a web archive had.\n",
            "- An edit lies between two visits; its moment is not known more exactly.\n",
            "- Of captures that may hold comments the address is cut to its host.\n",
            "- Of texts that several versions of a parser read, the newest is given.\n",
            "- A withdrawal after this release is not in it: `clinic-archive release verify` counts them.\n",
        )
    )
