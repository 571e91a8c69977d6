"""Texts as files of their own, for programs that read a folder: NVivo, ATLAS.ti, AntConc, quanteda."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from archive.export._formats import FORMATS, Written, write
from archive.export._source import Source

SHEET = "documents.csv"
# What is a document, by the name of the table; each has a clinic, a day, a slug, a stamp and a text.
_TEXTS = {
    "posts": """
SELECT p.clinic_id, p.slug, p.published_on, p.title, p.author, p.language, p.url, p.word_count, p.first_seen_at,
  p.last_seen_at, p.removed_at, r.captured_at, r.content_sha256, p.body_text
FROM posts AS p LEFT JOIN revisions AS r ON r.revision_id = p.revision_id
WHERE p.post_id IN (SELECT post_id FROM posts WHERE {where})
ORDER BY p.clinic_id, p.published_at, p.post_id""",
    "revisions": """
SELECT p.clinic_id, p.slug, p.published_on, r.title, r.author, p.language, p.url, r.word_count, r.kind, r.source,
  r.captured_at, r.content_sha256, r.body_text
FROM revisions AS r JOIN posts AS p ON p.post_id = r.post_id
WHERE r.revision_id IN (SELECT revision_id FROM revisions WHERE {where})
ORDER BY p.clinic_id, p.published_at, p.post_id, r.captured_at, r.revision_id""",
}
KINDS = tuple(_TEXTS)


def export_documents(folder: Path, connection: sqlite3.Connection, kind: str, where: str) -> list[Written]:
    """Write the text of each post or revision to a UTF-8 .txt file in `folder`, with a sheet about all of them.

    `kind`: one of `KINDS`; `where`: a condition in SQL on the columns of that table. The sheet, documents.csv, has the
    name of each file, its SHA-256 and what the archive knows of the text; a row without a text names no file. The
    folder appears complete or not at all. Raises FileExistsError where it has files already, `sqlite3.Error`, OSError.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder}: has files already; name a new folder")
    stage = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(stage, ignore_errors=True)
    try:
        stage.mkdir(parents=True)
        sheet = _write_texts(stage, connection, _TEXTS[kind].format(where=where))
        if folder.exists():
            folder.rmdir()
        stage.rename(folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return [Written(folder / SHEET, sheet.rows, sheet.sha256, sheet.size, sheet.columns)]


def _write_texts(stage: Path, connection: sqlite3.Connection, sql: str) -> Written:
    with closing(sqlite3.connect("")) as sheet:
        cursor = connection.execute(sql)
        columns = [column[0] for column in cursor.description][:-1]
        names = ", ".join(f"[{name}]" for name in ("document", "sha256", *columns))
        sheet.execute(f"CREATE TABLE documents ({names})")
        insert = f"INSERT INTO documents VALUES ({', '.join('?' * (len(columns) + 2))})"
        for number, (*values, text) in enumerate(cursor, 1):
            fields = dict(zip(columns, values, strict=True))
            name = _name(number, fields["clinic_id"], fields["published_on"], fields["slug"]) if text else None
            data = (text or "").encode("utf-8", "replace")
            if name is not None:
                (stage / name).write_bytes(data)
            sheet.execute(insert, (name, hashlib.sha256(data).hexdigest() if name else None, *values))
        return write(stage / SHEET, sheet, Source("documents", "SELECT * FROM documents"), FORMATS["csv"])


def _name(number: int, clinic_id: str, day: str | None, slug: str | None) -> str:
    """Return the name of a file: "riverside_2026-03-01_how-it-works_000012.txt". The number makes it unique."""
    words = re.sub(r"[^\w-]+", "-", slug or "", flags=re.ASCII).strip("-")[:60]
    return "_".join(filter(None, (clinic_id, day, words, f"{number:06}"))) + ".txt"
