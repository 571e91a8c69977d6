"""Hand-made items and captures, folded into a real archive: what the tests of the storing half are written with."""

from __future__ import annotations

import functools
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.db import DATABASE, open_archive
from archive.rows import clinics
from archive.warc import Capture
from pipelines.events import Captured, ClinicVisit
from pipelines.fold.fold import Fold
from scraper.extract import extract as extract_by
from scraper.items import Comment, Exchange, Extraction, Item, Post, Reading, Sighting
from scraper.platforms import platform_named

CLINIC = "riverside"
SITE = "https://riverside.example"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
HEX, UUID = "wix:64ddbf6a1737d98af033206f", "wix:0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d4e5f"
OTHER_HEX, OTHER_UUID = "wix:64ddbf6a1737d98af0332070", "wix:0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d4e60"


def url(slug: str) -> str:
    return f"{SITE}/post/{slug}"


def capture(number: int, **changes: Any) -> Capture:
    """The capture of that number: a minute after the one before, in a WARC file that nobody reads."""
    values: dict[str, Any] = {
        "capture_id": f"00000000-0000-4000-8000-{number:012}", "fetched_at": START + timedelta(minutes=number),
        "warc_file": f"warc/{CLINIC}/hand-made.warc.gz", "warc_offset": number * 100, "warc_length": 100,
        "payload_sha256": hashlib.sha256(b"%d" % number).hexdigest(), "payload_length": 5, "record_type": "response",
        "url": f"{SITE}/capture/{number}", "method": "GET", "http_status": 200, "mime": "text/html",
        "content_encoding": None, "etag": None, "last_modified": None, "refers_to": None, "request_sha256": None,
        "ip": None,
    }  # fmt: skip
    return Capture(**(values | changes))


def extraction(number: int, *items: Item, version: int = 1, **changes: Any) -> Extraction:
    """What the capture of that number says."""
    return Extraction(
        clinic_id=CLINIC, capture=capture(number, **changes), items=tuple(items), extractor_version=version
    )


def post(slug: str = "sleep", text: str | None = "Sleep well.", **changes: Any) -> Post:
    """A post whose values all came by `source` (html)."""
    source = changes.pop("source", "html")
    values: dict[str, Any] = {
        "platform": "wix", "url": url(slug), "slug": slug, "title": "On sleep", "body_text": text,
        "body_html": None if text is None else f"<p>{text}</p>", "addresses": (url(slug), HEX),
    }  # fmt: skip
    values |= changes
    sources = {name: source for name, value in values.items() if value not in (None, ())}
    return Post(**values, sources=sources)


def reading(*addresses: str, **counts: Any) -> Reading:
    return Reading(post=addresses or (HEX,), **counts)


def comment(name: str = "c1", text: str | None = "Thank you.", **changes: Any) -> Comment:
    return Comment(
        **({"post": (HEX,), "platform_comment_id": name, "body_text": text, "status": "published"} | changes)
    )


def sighting(slug: str = "sleep", **changes: Any) -> Sighting:
    return Sighting(**({"url": url(slug), "source": "listing"} | changes))


WIX = platform_named("wix")


def extract(exchange: Exchange) -> tuple[Item, ...]:
    """What the exchange says in a run that recognised Wix."""
    return extract_by(exchange, WIX)


def run_of(crawl_id: str | None = None, privacy: str = "pseudonymous") -> ClinicVisit:
    """A run at the clinic, as events name it."""
    return ClinicVisit(clinic_id=CLINIC, crawl_id=crawl_id, stanza={"privacy": privacy})


class Folding:
    """A fold of what one run says."""

    def __init__(self, fold: Fold, run: ClinicVisit) -> None:
        self.fold, self._run = fold, run
        self.commit = fold.commit

    def add(self, extraction: Extraction) -> None:
        self.fold.apply(Captured(self._run, extraction))

    def finish(self, *, ended: bool) -> None:
        self.fold.finish(self._run, finished=ended)


class Made:
    """An archive of one clinic in a folder, and the means to fold into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db: Database = open_archive(folder, "write")
        self.db.execute("PRAGMA synchronous = OFF")
        with self.db.atomic():
            row = {"clinic_id": CLINIC, "name": "Riverside", "url": SITE, "timezone": None, "comments": "threads"}
            clinics.save_clinic(self.db, {**row, "privacy": "pseudonymous"}, {})

    def crawl(self, crawl_id: str) -> None:
        """The rows of a run that has begun."""
        self.db.execute("INSERT INTO crawls (crawl_id, started_at, software) VALUES (?, '2026', 'test')", [crawl_id])
        self.db.execute(
            "INSERT INTO clinic_runs (crawl_id, clinic_id, started_at, status) VALUES (?,?,'2026','running')",
            [crawl_id, CLINIC],
        )

    def folder_of(
        self,
        *,
        privacy: str = "pseudonymous",
        crawl_id: str | None = None,
        reread: Callable[[str], Mapping[str, Any] | None] = lambda _: None,
    ) -> Folding:
        """A fold into this archive."""
        return Folding(Fold(self.db, CLINIC, reread), run_of(crawl_id, privacy))

    def fold(self, *extractions: Extraction, ended: bool = True, **options: Any) -> None:
        """Fold them in, as one visit."""
        fold = self.folder_of(**options)
        for item in extractions:
            fold.add(item)
        fold.finish(ended=ended)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.db.execute(sql, list(values)).fetchall()

    def one(self, sql: str, *values: Any) -> Any:
        ((value,),) = self.rows(sql, *values)
        return value

    def close(self) -> None:
        self.db.close()


@functools.cache
def without_rows() -> bytes:
    """The database of an archive that holds nothing: making one takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        with closing(open_archive(Path(folder), "write")) as db:
            db.execute("PRAGMA journal_mode = DELETE")  # one file holds it all
        return (Path(folder) / DATABASE).read_bytes()


def begun(folder: Path) -> Path:
    """The folder, with such a database where nothing is in it yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        (folder / DATABASE).write_bytes(without_rows())
    return folder


@contextmanager
def made(folder: Path, template: Path | None = None) -> Iterator[Made]:
    """An archive that is closed at the end; `template`: a database to start from, which is quicker."""
    if template is not None:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(template / DATABASE, folder / DATABASE)
    archive = Made(folder)
    try:
        yield archive
    finally:
        archive.close()


def natural(db: Database, *, but: Iterable[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every table's rows with local integer keys replaced by what they stand for, sorted: equal where archives are."""
    names = {
        "post_id": "(SELECT group_concat(address, ' ') FROM (SELECT address FROM post_addresses AS a WHERE a.post_id ="
        " {0} ORDER BY address))",
        "comment_id": "(SELECT platform_comment_id FROM comments AS c WHERE c.comment_id = {0})",
        "parent_id": "(SELECT platform_comment_id FROM comments AS c WHERE c.comment_id = {0})",
        "author_id": "(SELECT name FROM authors AS n WHERE n.author_id = {0})",
        "tag_id": "(SELECT label FROM tags AS t WHERE t.tag_id = {0})",
        "category_id": "(SELECT label FROM categories AS k WHERE k.category_id = {0})",
        "revision_id": "(SELECT capture_id || source || content_sha256 FROM revisions AS r WHERE r.revision_id = {0})",
        "absence_id": "NULL", "problem_id": "NULL", "entity_id": "NULL",
    }  # fmt: skip
    found = {}
    for table in db.table_names():
        if table.startswith("_") or "_fts" in table or table in but:
            continue
        columns = [column.name for column in db.table(table).columns]
        chosen = ", ".join(names[item].format(f"{table}.{item}") if item in names else f"[{item}]" for item in columns)
        found[table] = sorted(db.execute(f"SELECT {chosen} FROM [{table}]").fetchall(), key=repr)
    return found


def faults(db: Database) -> list[object]:
    """What must never be: broken references, a full-text index that disagrees, an empty text."""
    found: list[object] = list(db.execute("PRAGMA foreign_key_check").fetchall())
    found += [row for row in db.execute("PRAGMA integrity_check").fetchall() if row[0] != "ok"]
    for table in ("posts", "comments"):
        # Raises where the index does not hold what the table does.
        db.execute(f"INSERT INTO {table}_fts({table}_fts, rank) VALUES ('integrity-check', 1)")
    for table in db.table_names():
        if not table.startswith("_") and "_fts" not in table:
            for column in db.table(table).columns:
                if db.execute(f"SELECT count(*) FROM [{table}] WHERE [{column.name}] = ''").fetchone()[0]:
                    found.append(f"{table}.{column.name} holds ''")
    return found
