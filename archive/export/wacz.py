"""WACZ: captures of an archive as one file that replays in a browser (https://specs.webrecorder.net/wacz/1.1.1/).

The file contains records, copied byte for byte from the archive's WARC files, an index of them, and a list of pages
with their texts. The same archive gives the same file again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tempfile
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from cdxj_indexer.main import CDXJIndexer  # type: ignore[import-untyped]
from sqlite_utils import Database
from warcio.bufferedreaders import BufferedReader  # type: ignore[import-untyped]

from archive.export._target import replacing
from archive.warc import Info, members, records
from archive.warc.format._foreign import is_arc
from archive.warc.joining import head_of

LARGEST_WARC = 1_000_000_000  # bytes of a WARC file inside, after which another is started
GZIP = b"\x1f\x8b"
LINES_PER_BLOCK = 1_024  # lines of the index that are compressed together
MODIFIED = (1980, 1, 1, 0, 0, 0)  # the date of every file inside: the earliest that ZIP can hold

# warcio's Brotli reader works with another binding than the one that Scrapy and FastWARC need, and ends in an error. No
# body is decoded for the index.
BufferedReader.DECOMPRESSORS.pop("br", None)


@dataclass(frozen=True, slots=True)
class WaczContent:
    """The content of a WACZ file that was written."""

    captures: int
    pages: int
    left_out: int  # captures that contain, or may contain, comments
    size: int  # bytes


def write_wacz(
    target: Path, folder: Path, db: Database, *, clinic_id: str | None, with_comments: bool, software: str
) -> WaczContent:
    """Write the captures of one clinic (None: of all) and the list of their pages to `target`, complete or not at all.

    Captures with comments (`captures.holds_comments`) and captures that refer to them are left out unless
    `with_comments`. Raises OSError, `sqlite3.Error`, and `archive.warc.BadRecord` if a record cannot be read.
    """
    of_clinic = "(:clinic IS NULL OR c.clinic_id = :clinic)"
    included = f"{of_clinic} AND {_SHOWN}" + ("" if with_comments else f" AND {_WITHOUT_COMMENTS}")
    values = {"clinic": clinic_id}
    with (
        replacing(target) as draft,
        tempfile.TemporaryDirectory(dir=draft.parent) as scratch,
        zipfile.ZipFile(draft, "w") as package,
    ):
        rows = db.conn.execute(
            f"SELECT warc_file, warc_offset FROM captures AS c WHERE {included} AND c.record_type != 'failure'"
            " ORDER BY c.clinic_id, c.fetched_at, c.capture_id",
            values,
        )
        warcs, captures = _copy_records(folder, rows, Path(scratch))
        resources = [_store(package, f"archive/{path.name}", path) for path in warcs]
        resources += _index(package, warcs)
        pages = list(_pages(db, included, values))
        header = {"format": "json-pages-1.0", "id": "pages", "title": "Posts", "hasText": True}
        text = "".join(json.dumps(page, ensure_ascii=False) + "\n" for page in [header, *pages])
        resources.append(_store(package, "pages/pages.jsonl", text.encode()))
        _describe(package, resources, pages, db, clinic_id, software)
    ((number,),) = db.conn.execute(
        f"SELECT count(*) FROM captures AS c WHERE {of_clinic} AND NOT {_WITHOUT_COMMENTS}", values
    )
    return WaczContent(captures, len(pages), 0 if with_comments else number, target.stat().st_size)


# Neither the capture nor the one it refers to holds something that is withdrawn.
_SHOWN = (
    "(c.withdrawn = 0 AND NOT EXISTS (SELECT 1 FROM captures AS o WHERE o.capture_id = c.refers_to AND"
    " o.withdrawn = 1))"
)
# Neither the capture nor the one it refers to has comments. NULL, from before the column existed, counts as comments.
_WITHOUT_COMMENTS = (
    "(coalesce(c.holds_comments, 1) = 0 AND NOT EXISTS (SELECT 1 FROM captures AS o WHERE o.capture_id = c.refers_to"
    " AND coalesce(o.holds_comments, 1) = 1))"
)


def _copy_records(folder: Path, rows: Iterable[tuple[str, int]], scratch: Path) -> tuple[list[Path], int]:
    """Copy the records with their requests, unchanged, to new files; return these files and the number of captures.

    The warcinfo record of each run is copied before the first of its records. Records of ARC files are left out, since
    a WACZ file cannot contain ARC.
    """
    paths: list[Path] = []
    out: IO[bytes] | None = None
    is_arc_file: dict[str, bool] = {}
    begins: dict[str, list[int]] = {}  # by source file: where its warcinfo records are
    with_warcinfo: set[tuple[Path, str, int]] = set()
    number = 0
    try:
        for name, offset in rows:
            if out is None or out.tell() > LARGEST_WARC:
                if out is not None:
                    out.close()
                paths.append(scratch / f"data-{len(paths):05}.warc.gz")
                out = paths[-1].open("wb")
            if name not in is_arc_file:
                is_arc_file[name] = is_arc(folder / name)
            if is_arc_file[name]:
                continue
            if name not in begins:
                begins[name] = _infos(folder / name)
            last = bisect_right(begins[name], offset)
            info = begins[name][last - 1 : last]
            if info and (paths[-1], name, info[0]) in with_warcinfo:
                info = []
            with_warcinfo.update((paths[-1], name, each) for each in info)
            for record_offset in (*info, offset):
                for member in members(folder, name, record_offset):
                    out.write(member if member.startswith(GZIP) else gzip.compress(member, mtime=0))
            number += 1
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error.filename}: gone, as by a pack that runs; run this again") from error
    finally:
        if out is not None:
            out.close()
    return paths, number


def _infos(path: Path) -> list[int]:
    """Return the offsets of the warcinfo records: of each run in a packed file, of the first record in any other."""
    found = records(path) if head_of(path) is not None else islice(records(path), 1)
    return [record.warc_offset for record in found if isinstance(record, Info)]


def _store(package: zipfile.ZipFile, name: str, data: Path | bytes) -> dict[str, Any]:
    """Add a file, uncompressed so that a player can read parts of it; return its entry for datapackage.json."""
    sha256, size = hashlib.sha256(), 0
    # Without ZIP64 fields, which no file here needs: ReplayWeb.page computes the position of a file as if there were
    # none.
    source: IO[bytes] = data.open("rb") if isinstance(data, Path) else io.BytesIO(data)
    with source, package.open(zipfile.ZipInfo(name, MODIFIED), "w") as target:
        while chunk := source.read(1 << 20):
            sha256.update(chunk)
            size += len(chunk)
            target.write(chunk)
    return {"name": name.rpartition("/")[2], "path": name, "hash": f"sha256:{sha256.hexdigest()}", "bytes": size}


def _index(package: zipfile.ZipFile, warcs: list[Path]) -> list[dict[str, Any]]:
    """Add the index of all records (CDXJ, in compressed blocks) and the index of its blocks; return their entries."""
    blocks, index = io.BytesIO(), io.StringIO()
    CDXJIndexer(
        index,
        [str(path) for path in warcs],
        sort=True,
        post_append=True,
        compress=blocks,
        lines=LINES_PER_BLOCK,
        data_out_name="index.cdx.gz",
        digest_records=True,
        fields="referrer",
    ).process_all()
    return [
        _store(package, "indexes/index.cdx.gz", blocks.getvalue()),
        _store(package, "indexes/index.idx", index.getvalue().encode()),
    ]


def _pages(db: Database, where: str, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each revision of each post as a page: its first capture, newest first."""
    # The record of a page from a web archive has the web archive's URL and the time of that request.
    recorded = "CASE WHEN k.kind = 'backfill' THEN c.retrieved_{0} ELSE c.{1} END"
    url, time = recorded.format("from", "url"), recorded.format("at", "fetched_at")
    rows = db.conn.execute(
        f"SELECT c.capture_id, {url}, {time}, r.title, r.body_text"
        " FROM revisions AS r JOIN captures AS c USING (capture_id) LEFT JOIN crawls AS k USING (crawl_id) WHERE"
        f" {where} AND c.method = 'GET' AND c.mime = 'text/html' AND c.via IS NULL ORDER BY c.fetched_at DESC, c.url",
        values,
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
    """Add datapackage.json, which describes the content, and the file with its digest."""
    (name,) = db.conn.execute(
        "SELECT group_concat(name, ', ') FROM clinics WHERE ? IS NULL OR clinic_id = ?", (clinic_id, clinic_id)
    ).fetchone()
    (newest,) = db.conn.execute(
        "SELECT max(fetched_at) FROM captures WHERE ? IS NULL OR clinic_id = ?", (clinic_id, clinic_id)
    ).fetchone()
    description: dict[str, Any] = {
        "profile": "data-package",
        "wacz_version": "1.1.1",
        "software": software,
        "title": f"Blog of {name}",
        "created": f"{(newest or '1970-01-01T00:00:00')[:19]}Z",
    }
    if pages:
        description |= {"mainPageUrl": pages[0]["url"], "mainPageDate": pages[0]["ts"]}
    text = json.dumps({**description, "resources": resources}, indent=2, ensure_ascii=False).encode()
    _store(package, "datapackage.json", text)
    digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(text).hexdigest()}"}
    _store(package, "datapackage-digest.json", json.dumps(digest, indent=2).encode())
