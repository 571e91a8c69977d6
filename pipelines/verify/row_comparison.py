"""Compare the items that today's parser reads from a stored capture with the rows made of that capture.

Each comparison returns faults, a line each, and whether an older parser explains a difference: such a difference is no
fault, but `clinic-archive reparse` is due. Texts of comments are masked with names from the whole thread, so only the
presence of comments is compared here. `pipelines.verify.fold_comparison` compares all tables with a new fold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlite_utils import Database

from archive.rows.posts.counters import COUNTER_COLUMNS
from archive.rows.posts.fingerprint import content_sha256
from archive.rows.posts.posts import readings_by_source
from archive.warc import Capture
from pipelines.fold.fold import as_mapping
from pipelines.reparse import is_older
from scraper.items import Comment, Extraction, Item, Post, PostPart, Reading, Sighting

CounterRow = tuple[Any, ...]  # the source, then `COUNTER_COLUMNS`


class Compared(NamedTuple):
    """The result of a comparison."""

    faults: list[str]  # a line each
    outdated: bool  # an older parser read rows that today's parser reads differently


def compare_rows(db: Database, row: Mapping[str, Any], found: Extraction) -> Compared:
    """Compare all rows of a capture with the items read from it now.

    `row`: its row of `captures` with `run_status` of its run. Raises `sqlite3.Error`.
    """
    parts = (
        _compare_texts(db, row["capture_id"], found),
        _compare_readings(db, row["capture_id"], found),
        _compare_sightings(db, row, found),
        _compare_comments(db, row["capture_id"], found),
    )
    return Compared([fault for part in parts for fault in part.faults], any(part.outdated for part in parts))


def _compare_texts(db: Database, capture_id: str, found: Extraction) -> Compared:
    """Each text read now must be a revision of its post, and each revision of this capture a text read now."""
    if isinstance(found.capture, Capture) and found.capture.http_status == 304:
        return Compared([], False)  # it has no text of its own; the rows that it repeats are compared in the database
    if any(isinstance(item, PostPart) for item in found.items):
        return Compared([], False)  # its text is made of several captures: only a fold of the whole clinic compares it
    read = _texts(found)
    own = db.conn.execute(
        "SELECT source, content_sha256, revision_id, extractor_version FROM revisions WHERE capture_id = :id UNION"
        " SELECT r.source, r.content_sha256, r.revision_id, r.extractor_version FROM sightings AS s JOIN revisions AS r"
        " USING (revision_id) WHERE s.capture_id = :id AND s.source = 'post'",
        {"id": capture_id},
    ).fetchall()
    stored = {(source, sha256) for source, sha256, _, _ in own}
    faults, outdated = [], False
    for source, sha256, revision_id, version in own:
        if (source, sha256) in read:
            continue
        if version < found.extractor_version:
            # Not outdated any more if today's reading is already stored beside it.
            outdated = outdated or not read & stored
        else:
            faults.append(f"is read as another text than revision {revision_id}")
    newest = max((version for *_, version in own), default=found.extractor_version)
    for text in read - stored:
        known = db.conn.execute(
            "SELECT 1 FROM revisions WHERE source = ? AND content_sha256 = ? LIMIT 1", text
        ).fetchone()
        if known is None and newest >= found.extractor_version and not faults:
            faults.append("gives a text of which there is no revision")
    return Compared(faults, outdated)


def _texts(found: Extraction) -> set[tuple[str, str]]:
    """Return (source, content_sha256) of each text among the items."""
    texts = set[tuple[str, str]]()
    for item in found.items:
        if isinstance(item, Post) and (item.body_text is not None or item.body_html):
            source = item.sources.get("body_text") or item.sources.get("title")
            if source is not None:
                texts.add((source, content_sha256(item.title, item.body_text, [link.url for link in item.links])))
    return texts


def _compare_readings(db: Database, capture_id: str, found: Extraction) -> Compared:
    """The counters read now must be the readings of this capture, or wait for their post in `unplaced`."""
    rendered = isinstance(found.capture, Capture) and found.capture.via == "dom"
    expected = Counter(reading for reading in _readings(found) if any(value is not None for value in reading[1:]))
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
        elif rendered and any(_is_part(reading, whole) for whole in expected):
            continue  # counters that an answer of the page gives are stored for the answer alone
        elif version < found.extractor_version:
            outdated = True
        else:
            faults.append(f"is read otherwise than the reading of post {post_id}: {_as_text(reading)}")
    left = expected.total()
    (waiting,) = db.conn.execute(
        "SELECT count(*) FROM unplaced WHERE capture_id = ? AND kind = 'Reading'", (capture_id,)
    ).fetchone()
    if left > waiting and not outdated and not faults and not rendered:
        more = "1 reading" if left - waiting == 1 else f"{left - waiting} readings"
        faults.append(f"gives {more} more than there are")
    return Compared(faults, outdated)


def _readings(found: Extraction) -> list[CounterRow]:
    """Return the counters of each post and source, joined as the fold joins what one capture gives in two places."""
    groups: list[tuple[set[str], str, dict[str, Any]]] = []
    for addresses, given in (pair for item in found.items for pair in _counters_of(item)):
        same = next((group for group in groups if group[1] == given["source"] and group[0] & addresses), None)
        if same is None:
            groups.append((set(addresses), given["source"], {name: given[name] for name in COUNTER_COLUMNS}))
            continue
        same[0].update(addresses)
        for name in COUNTER_COLUMNS:
            same[2][name] = given[name] if same[2][name] is None else same[2][name]
    return [(source, *values.values()) for _, source, values in groups]


def _counters_of(item: Item) -> Iterable[tuple[set[str], Mapping[str, Any]]]:
    """Return (addresses of the post, counters) for each reading that the item gives."""
    if isinstance(item, Reading):
        return [(set(item.post), as_mapping(item))]
    if isinstance(item, Post):
        return [(set(item.addresses), given) for given in readings_by_source(as_mapping(item))]
    return []


def _is_part(reading: CounterRow, whole: CounterRow) -> bool:
    return all(value is None or value == other for value, other in zip(reading, whole, strict=True))


def _as_text(reading: CounterRow) -> str:
    given = [f"{name} {value}" for name, value in zip(COUNTER_COLUMNS, reading[1:], strict=True) if value is not None]
    return f"{', '.join(given)} ({reading[0]})"


def _compare_sightings(db: Database, row: Mapping[str, Any], found: Extraction) -> Compared:
    """The sightings of a capture must be those of its items; of a 304 also those of the capture that it refers to.

    A sighting that is not `certain` is stored only if its post was known then: it may be missing. A capture of a run
    that has not ended is not compared, because its platform may not be recognised yet.
    """
    if row["run_status"] == "running":
        return Compared([], False)
    stored = _stored_sightings(db, row["capture_id"])
    expected, possible = set[tuple[str, str]](), set[tuple[str, str]]()
    for item in found.items:
        if isinstance(item, Post):
            expected.add(("post", item.url or row["url"]))
        elif isinstance(item, Sighting):
            (expected if item.certain else possible).add((item.source, item.url))
    if row["http_status"] == 304 and row["refers_to"]:
        expected |= _stored_sightings(db, row["refers_to"])
    faults = [f"gives a sighting that is not stored: {url} ({source})" for source, url in sorted(expected - stored)]
    faults += [
        f"does not give a sighting that is stored: {url} ({source})"
        for source, url in sorted(stored - expected - possible)
    ]
    if not faults:
        return Compared([], False)
    older = is_older(db, row["clinic_id"])
    return Compared([] if older else faults, older)


def _stored_sightings(db: Database, capture_id: str) -> set[tuple[str, str]]:
    """Return (source, url) of each sighting of the capture."""
    return set(db.conn.execute("SELECT source, url FROM sightings WHERE capture_id = ?", (capture_id,)).fetchall())


def _compare_comments(db: Database, capture_id: str, found: Extraction) -> Compared:
    """Every comment whose text is of this capture must be among the items."""
    read = {item.platform_comment_id for item in found.items if isinstance(item, Comment)}
    stored = db.conn.execute(
        "SELECT comment_id, platform_comment_id FROM comments WHERE capture_id = ?", (capture_id,)
    ).fetchall()
    missing = [str(comment_id) for comment_id, name in stored if name not in read]
    return Compared([f"does not show comments {', '.join(missing)}, which refer to it"] if missing else [], False)
