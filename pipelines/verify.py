"""Stored rows against stored bytes: each capture's record is read and parsed again, and must say what its rows say.

A text or counter that an older version of the parser read is no fault where today's reads it differently: it is counted
for `clinic-archive reparse`. Texts of comments are masked with names that a whole thread tells, so of comments only it
is checked that they are there; a rebuild compares them too.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.rows.counters import COUNTER_COLUMNS
from archive.rows.fingerprint import content_sha256
from archive.rows.posts import counters
from archive.times import utc
from archive.warc import Capture, Info, records
from pipelines.fold import as_mapping
from pipelines.imports.foreign import CaptureRef, ImportOrigin
from pipelines.orphans import orphans
from pipelines.replay import Damaged, ParseJob, ParserPool
from pipelines.sanitise import storable
from scraper.items import Comment, Extraction, Post, Reading

COLUMNS = (
    "capture_id", "url", "method", "request_sha256", "fetched_at", "http_status", "mime", "etag", "last_modified",
    "payload_sha256", "payload_length", "record_type", "refers_to", "warc_length", "via", "page_url",
)  # fmt: skip
NO_KEY = bytes(32)  # pseudonyms are not compared


@dataclass(slots=True)
class Verification:
    """What came of it."""

    captures: int = 0
    stored_bytes: int = 0  # of their records
    faults: list[str] = field(default_factory=list)  # one line each, with the ids
    outdated: int = 0  # captures that today's parser reads otherwise than the older one that was asked
    notes: list[str] = field(default_factory=list)


def verify(
    archive: Path, db: Database, *, sample: int | None, seed: int, closed: frozenset[str], cores: int | None = None
) -> Verification:
    """Check every capture, or a random `sample` of them, of the snapshot that `db` reads. Raises `sqlite3.Error`.

    `closed`: the `closed_files`, as they were before the snapshot.
    """
    done = Verification()
    chosen = [
        row[0] for row in db.execute("SELECT capture_id FROM captures ORDER BY warc_file, warc_offset").fetchall()
    ]
    if sample is not None and sample < len(chosen):
        kept = set(random.Random(seed).sample(chosen, sample))  # noqa: S311  it hides nothing
        chosen = [one for one in chosen if one in kept]
    with ParserPool(archive, NO_KEY, cores) as readers:
        jobs = (_job(archive, db, _row(db, capture_id)) for capture_id in chosen)
        for capture_id, found in zip(chosen, readers.parse(jobs, len(chosen)), strict=True):
            row = _row(db, capture_id)
            done.captures += 1
            done.stored_bytes += row["warc_length"]
            if isinstance(found, Damaged):
                done.faults.append(_told(db, row, found.why))
                continue
            faults, outdated = _compare(db, row, storable(found))
            done.faults += [_told(db, row, why) for why in faults]
            done.outdated += outdated
    if sample is None:
        faults, notes = orphans(archive, db, closed, "\n".join(done.faults))
        done.faults += faults
        done.notes += notes
    return done


def _row(db: Database, capture_id: str) -> dict[str, Any]:
    cursor = db.conn.execute(
        "SELECT captures.*, coalesce(crawls.kind, 'crawl') AS kind, clinic_runs.platform AS run_platform,"
        " clinics.platform AS clinics_own FROM captures JOIN clinics USING (clinic_id)"
        " LEFT JOIN crawls USING (crawl_id)"
        " LEFT JOIN clinic_runs ON clinic_runs.crawl_id = captures.crawl_id AND clinic_runs.clinic_id ="
        " captures.clinic_id WHERE capture_id = ?",
        (capture_id,),
    )
    return dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))


def _job(archive: Path, db: Database, row: Mapping[str, Any]) -> ParseJob:
    """The capture as a job of `ParserPool`."""
    original = None
    if row["refers_to"]:
        original = db.conn.execute(
            "SELECT warc_file, warc_offset FROM captures WHERE capture_id = ?", (row["refers_to"],)
        ).fetchone()
    brought = None
    if row["kind"] == "import":
        brought = ImportOrigin(row["origin"], datetime.fromisoformat(row["retrieved_at"]), row["retrieved_from"])
    entry = CaptureRef(
        at=datetime.fromisoformat(row["fetched_at"]), capture_id=row["capture_id"],
        payload_sha256=row["payload_sha256"] or "", file=row["warc_file"], offset=row["warc_offset"],
        refers_to=row["refers_to"], brought=brought,
    )  # fmt: skip
    web_archive = _web_archive(archive / row["warc_file"]) if row["kind"] == "backfill" else None
    return ParseJob(
        entry, row["clinic_id"], row["kind"], row["run_platform"], row["clinics_own"], web_archive, original
    )


@cache
def _web_archive(path: Path) -> str | None:
    """Whose answers the file holds."""
    try:
        first = next(iter(records(path)), None)
    except OSError:
        return None
    return first.fields.get("web-archive") if isinstance(first, Info) else None


def _compare(db: Database, row: Mapping[str, Any], found: Extraction) -> tuple[list[str], bool]:
    """What the record says otherwise than its rows; and whether an older parser read them."""
    assert isinstance(found.capture, Capture)
    facts = _facts(found.capture)
    faults = [
        f"the record says {name} {told!r}, its row {row[name]!r}"
        for name, told in facts.items()
        if told != row[name] and not (name == "refers_to" and row[name] is None)
    ]
    texts, old_texts = _compare_texts(db, row["capture_id"], found)
    readings, old_readings = _compare_readings(db, row["capture_id"], found)
    return [*faults, *texts, *readings, *_compare_comments(db, row, found)], old_texts or old_readings


def _facts(capture: Capture) -> dict[str, Any]:
    """What a record says of itself, by the columns of `captures`."""
    values = (
        capture.capture_id, capture.url, capture.method, capture.request_sha256, utc(capture.fetched_at),
        capture.http_status, capture.mime, capture.etag, capture.last_modified, capture.payload_sha256 or None,
        capture.payload_length, capture.record_type, capture.refers_to, capture.warc_length, capture.via, capture.page,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def _compare_texts(db: Database, capture_id: str, found: Extraction) -> tuple[list[str], bool]:
    """Each text read now is a revision of its post; each revision of this capture is a text read now."""
    if isinstance(found.capture, Capture) and found.capture.http_status == 304:
        return [], False  # it has no text of its own; what it repeats is compared in the database
    read = Counter[tuple[str, str]]()
    for item in found.items:
        if isinstance(item, Post) and (item.body_text is not None or item.body_html):
            source = item.sources.get("body_text") or item.sources.get("title")
            if source is not None:
                read[source, content_sha256(item.title, item.body_text, [link.url for link in item.links])] += 1
    own = db.conn.execute(
        "SELECT source, content_sha256, revision_id, extractor_version FROM revisions WHERE capture_id = :id UNION"
        " SELECT r.source, r.content_sha256, r.revision_id, r.extractor_version FROM sightings AS s JOIN revisions AS r"
        " USING (revision_id) WHERE s.capture_id = :id AND s.source = 'post'",
        {"id": capture_id},
    ).fetchall()
    stored = {(source, sha256) for source, sha256, _, _ in own}
    faults, outdated = [], False
    for shown_by, sha256, revision_id, version in own:
        if (shown_by, sha256) in read:
            continue
        if version < found.extractor_version:
            # No news where today's reading stands beside it already.
            outdated = outdated or not set(read) & stored
        else:
            faults.append(f"is read as another text than revision {revision_id}")
    newest = max((version for *_, version in own), default=found.extractor_version)
    for told in set(read) - stored:
        known = db.conn.execute(
            "SELECT 1 FROM revisions WHERE source = ? AND content_sha256 = ? LIMIT 1", told
        ).fetchone()
        if known is None and newest >= found.extractor_version and not faults:
            faults.append("gives a text of which there is no revision")
    return faults, outdated


def _compare_readings(db: Database, capture_id: str, found: Extraction) -> tuple[list[str], bool]:
    """The counters read now are the readings of this capture, or wait for their post."""
    expected = Counter[tuple[Any, ...]]()
    rendered = isinstance(found.capture, Capture) and found.capture.via == "dom"
    for reading in _merged(found):
        if any(value is not None for value in reading[1:]):
            expected[reading] += 1
    stored = db.conn.execute(
        f"SELECT source, {', '.join(COUNTER_COLUMNS)}, post_id, extractor_version FROM readings WHERE capture_id = ?"
        " AND evidence = 'read'",
        (capture_id,),
    ).fetchall()
    faults, outdated = [], False
    for *values, post_id, version in stored:
        reading = tuple(values)
        if expected[reading]:
            expected[reading] -= 1
        elif rendered and any(_is_part(reading, one) for one in expected):
            continue  # what an answer of the page said already was left to the answer
        elif version < found.extractor_version:
            outdated = True
        else:
            faults.append(f"is read otherwise than the reading of post {post_id}: {_counts(reading)}")
    left = sum(expected.values())
    (waiting,) = db.conn.execute(
        "SELECT count(*) FROM unplaced WHERE capture_id = ? AND kind = 'Reading'", (capture_id,)
    ).fetchone()
    if left > waiting and not outdated and not faults and not rendered:
        faults.append(f"gives {left - waiting} readings more than there are")
    return faults, outdated


def _merged(found: Extraction) -> Iterator[tuple[Any, ...]]:
    """(source, values) of each post and source, as the store joins what one capture says in two places."""
    groups: list[tuple[set[str], str, dict[str, Any]]] = []
    for item in found.items:
        if isinstance(item, Reading):
            told: Iterable[tuple[set[str], Mapping[str, Any]]] = [(set(item.post), as_mapping(item))]
        elif isinstance(item, Post):
            told = [(set(item.addresses), one) for one in counters(as_mapping(item))]
        else:
            continue
        for addresses, one in told:
            same = next((g for g in groups if g[1] == one["source"] and not g[0].isdisjoint(addresses)), None)
            if same is None:
                groups.append((set(addresses), one["source"], {name: one[name] for name in COUNTER_COLUMNS}))
            else:
                same[0].update(addresses)
                for name in COUNTER_COLUMNS:
                    same[2][name] = one[name] if same[2][name] is None else same[2][name]
    for _, source, values in groups:
        yield (source, *values.values())


def _is_part(reading: tuple[Any, ...], whole: tuple[Any, ...]) -> bool:
    return all(value is None or value == other for value, other in zip(reading, whole, strict=True))


def _counts(reading: tuple[Any, ...]) -> str:
    told = [f"{name} {value}" for name, value in zip(COUNTER_COLUMNS, reading[1:], strict=True) if value is not None]
    return f"{', '.join(told)} ({reading[0]})"


def _compare_comments(db: Database, row: Mapping[str, Any], found: Extraction) -> list[str]:
    """Every comment whose text is of this capture is in it."""
    read = {item.platform_comment_id for item in found.items if isinstance(item, Comment)}
    stored = db.conn.execute(
        "SELECT comment_id, platform_comment_id FROM comments WHERE capture_id = ?", (row["capture_id"],)
    ).fetchall()
    missing = [str(comment_id) for comment_id, name in stored if name not in read]
    return [f"does not show comments {', '.join(missing)}, which stand on it"] if missing else []


def _told(db: Database, row: Mapping[str, Any], why: str) -> str:
    """One line: which capture, what is wrong, and what stands on it."""
    wanted = {"id": row["capture_id"]}
    on_it = "IN (SELECT capture_id FROM captures WHERE capture_id = :id OR refers_to = :id)"
    revisions = [str(one[0]) for one in db.execute(
        f"SELECT revision_id FROM revisions WHERE capture_id {on_it} ORDER BY 1", wanted).fetchall()]  # fmt: skip
    (readings,) = db.execute(f"SELECT count(*) FROM readings WHERE capture_id {on_it}", wanted).fetchone()
    stands = [f"revision {', '.join(revisions)}"] if revisions else []
    stands += [f"{readings} readings"] if readings else []
    return (
        f"{row['clinic_id']}: capture {row['capture_id']} of {row['url']} ({row['warc_file']}, byte"
        f" {row['warc_offset']}): {why}" + (f"; {' and '.join(stands)} stand on it" if stands else "")
    )
