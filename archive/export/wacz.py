"""WACZ: captures of an archive as one file that replays in a browser (https://specs.webrecorder.net/wacz/1.1.1/).

Records are copied byte for byte from the archive's WARC files; a page list with their texts and an index stand beside
them. The same archive gives the same file again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cdxj_indexer.main import CDXJIndexer  # type: ignore[import-untyped]
from sqlite_utils import Database

from archive.warc import Info, members, records
from archive.warc._foreign import is_arc

LARGEST_WARC = 1_000_000_000  # bytes of a file inside, after which another is begun
GZIP = b"\x1f\x8b"
LINES = 1_024  # of the index that are compressed together
WHEN = (1980, 1, 1, 0, 0, 0)  # of every file inside: the earliest that ZIP knows


@dataclass(frozen=True, slots=True)
class Packed:
    """What went into a WACZ."""

    captures: int
    pages: int
    left_out: int  # captures that hold comments, or may
    size: int  # bytes


def write_wacz(
    target: Path, folder: Path, db: Database, *, clinic_id: str | None, with_comments: bool, software: str
) -> Packed:
    """Write the captures of a clinic, or of all, and the list of their pages to `target`, whole or not at all.

    Captures that hold comments (`captures.holds_comments`) are left out unless `with_comments`, and with them whatever
    refers to them. Raises OSError, `archive.warc.BadRecord` where a record cannot be read, `sqlite3.Error`.
    """
    part = target.with_name(target.name + ".part")
    wanted = "(:clinic IS NULL OR c.clinic_id = :clinic)"
    told = "" if with_comments else f" AND {_SHARED}"
    chosen = {"clinic": clinic_id}
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch, zipfile.ZipFile(part, "w") as package:
            rows = db.conn.execute(
                f"SELECT warc_file, warc_offset FROM captures AS c WHERE {wanted}{told} AND c.record_type != 'failure'"
                " ORDER BY c.clinic_id, c.fetched_at, c.capture_id",
                chosen,
            )
            warcs, captures = _copy_records(folder, rows, Path(scratch))
            resources = [_store(package, f"archive/{path.name}", path) for path in warcs]
            resources += _index(package, warcs)
            pages = list(_pages(db, f"{wanted}{told}", chosen))
            header = {"format": "json-pages-1.0", "id": "pages", "title": "Posts", "hasText": True}
            text = "".join(json.dumps(page, ensure_ascii=False) + "\n" for page in [header, *pages])
            resources.append(_store(package, "pages/pages.jsonl", text.encode()))
            _describe(package, resources, pages, db, clinic_id, software)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    ((number,),) = db.conn.execute(f"SELECT count(*) FROM captures AS c WHERE {wanted} AND NOT {_SHARED}", chosen)
    return Packed(captures, len(pages), 0 if with_comments else number, target.stat().st_size)


# Neither it, nor what it stands on, holds comments; one recorded before that was asked may.
_SHARED = (
    "(coalesce(c.holds_comments, 1) = 0 AND NOT EXISTS (SELECT 1 FROM captures AS o WHERE o.capture_id = c.refers_to"
    " AND coalesce(o.holds_comments, 1) = 1))"
)


def _copy_records(folder: Path, rows: Iterable[tuple[str, int]], scratch: Path) -> tuple[list[Path], int]:
    """The records with their requests, as they lie there, in new files; the number of captures."""
    paths: list[Path] = []
    out: IO[bytes] | None = None
    is_old: dict[str, bool] = {}
    introduced: set[tuple[Path, str]] = set()
    number = 0
    try:
        for name, offset in rows:
            if out is None or out.tell() > LARGEST_WARC:
                if out is not None:
                    out.close()
                paths.append(scratch / f"data-{len(paths):05}.warc.gz")
                out = paths[-1].open("wb")
            if name not in is_old:
                is_old[name] = is_arc(folder / name)
            if is_old[name]:  # ARC has no place in a WACZ
                continue
            wanted = [offset]
            if (paths[-1], name) not in introduced:  # whose records follow, as their file says in its first one
                introduced.add((paths[-1], name))
                wanted = [0, offset] if _begins_with_warcinfo(folder / name) else wanted
            for place in wanted:
                for member in members(folder, name, place):
                    out.write(member if member.startswith(GZIP) else gzip.compress(member, mtime=0))
            number += 1
    finally:
        if out is not None:
            out.close()
    return paths, number


def _begins_with_warcinfo(path: Path) -> bool:
    return isinstance(next(iter(records(path)), None), Info)


def _store(package: zipfile.ZipFile, name: str, data: Path | bytes) -> dict[str, Any]:
    """Put a file in, uncompressed so that a player can read parts of it; what datapackage.json says of it."""
    said, size = hashlib.sha256(), 0
    # No ZIP64 fields, which no file here needs: ReplayWeb.page looks for a file's bytes as if there were none.
    source: IO[bytes] = data.open("rb") if isinstance(data, Path) else io.BytesIO(data)
    with source, package.open(zipfile.ZipInfo(name, WHEN), "w") as target:
        while block := source.read(1 << 20):
            said.update(block)
            size += len(block)
            target.write(block)
    return {"name": name.rpartition("/")[2], "path": name, "hash": f"sha256:{said.hexdigest()}", "bytes": size}


def _index(package: zipfile.ZipFile, warcs: list[Path]) -> list[dict[str, Any]]:
    """The index of all records (CDXJ, in compressed blocks), and the index of its blocks."""
    blocks, index = io.BytesIO(), io.StringIO()
    CDXJIndexer(
        index, [str(path) for path in warcs], sort=True, post_append=True, compress=blocks, lines=LINES,
        data_out_name="index.cdx.gz", digest_records=True, fields="referrer",
    ).process_all()  # fmt: skip
    return [
        _store(package, "indexes/index.cdx.gz", blocks.getvalue()),
        _store(package, "indexes/index.idx", index.getvalue().encode()),
    ]


def _pages(db: Database, where: str, chosen: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each text of each post as a page: the capture that first showed it, newest first."""
    # What a web archive answered stands in its record under the address that was asked.
    asked = "CASE WHEN k.kind = 'backfill' THEN c.retrieved_{0} ELSE c.{1} END"
    rows = db.conn.execute(
        f"SELECT c.capture_id, {asked.format('from', 'url')}, {asked.format('at', 'fetched_at')}, r.title, r.body_text"
        " FROM revisions AS r JOIN captures AS c USING (capture_id) LEFT JOIN crawls AS k USING (crawl_id) WHERE"
        f" {where} AND c.method = 'GET' AND c.mime = 'text/html' AND c.via IS NULL ORDER BY c.fetched_at DESC, c.url",
        chosen,
    )
    for capture_id, url, at, title, text in rows:
        yield {"id": capture_id, "url": url, "ts": f"{at[:19]}Z", "title": title or url, "text": text or ""}


def _describe(
    package: zipfile.ZipFile,
    resources: list[dict[str, Any]],
    pages: list[dict[str, Any]],
    db: Database,
    clinic_id: str | None,
    software: str,
) -> None:
    """datapackage.json, and the digest of it."""
    (name,) = db.conn.execute("SELECT group_concat(name, ', ') FROM clinics WHERE ? IS NULL OR clinic_id = ?",
                              (clinic_id, clinic_id)).fetchone()  # fmt: skip
    (newest,) = db.conn.execute(
        "SELECT max(fetched_at) FROM captures WHERE ? IS NULL OR clinic_id = ?", (clinic_id, clinic_id)
    ).fetchone()
    described: dict[str, Any] = {
        "profile": "data-package", "wacz_version": "1.1.1", "software": software, "title": f"Blog of {name}",
        "created": f"{(newest or '1970-01-01T00:00:00')[:19]}Z",
    }  # fmt: skip
    if pages:
        described |= {"mainPageUrl": pages[0]["url"], "mainPageDate": pages[0]["ts"]}
    text = json.dumps({**described, "resources": resources}, indent=2, ensure_ascii=False).encode()
    _store(package, "datapackage.json", text)
    digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(text).hexdigest()}"}
    _store(package, "datapackage-digest.json", json.dumps(digest, indent=2).encode())
