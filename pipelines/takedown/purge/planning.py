"""Which records of a clinic hold what takedowns of grade purge name, and what is left of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.warc import BadRecord, Info, Other, RecordGroup, read_record, records
from archive.warc.joining import heads_in, overlapping
from pipelines.events import Withdrawn
from pipelines.log import log_of
from pipelines.replay.mementos import header_of
from pipelines.replay.stored import choose_stored, stored_exchange
from pipelines.run.recorded_runs import replaced_files, runs_of, takedowns_in_force
from pipelines.run.run import Run
from pipelines.takedown.marks import mark, name_values
from pipelines.takedown.phrases import Phrases
from pipelines.takedown.purge.blanking import NOTHING, Blanked, Blanking, decodable_part, is_at_api, is_json
from pipelines.takedown.withheld import PURGE, Withheld
from scraper.addresses import is_within
from scraper.extract import extract
from scraper.items import Exchange
from scraper.platforms import recognise_alone
from scraper.platforms._platform import Platform
from scraper.web_archive.memento import memento_of


@dataclass(slots=True)
class ClinicPlan:
    """What a purge does at a clinic."""

    clinic_id: str
    takedowns: tuple[str, ...]  # ids of those that are performed
    extended: list[Withdrawn] = field(default_factory=list)  # those that get marks of names now
    bodies: dict[str, dict[int, bytes]] = field(default_factory=dict)  # by file and offset
    is_exact: bool = True  # no row of what stays depends on a removed byte
    withheld: Withheld | None = None  # all that is purged at the clinic
    phrases: Phrases = field(default_factory=Phrases)
    unreadable: list[str] = field(default_factory=list)  # a line for each record that could not be read

    def put(self, file: str, offset: int, blanked: Blanked) -> None:
        """Add what is left of a record."""
        self.bodies.setdefault(file, {})[offset] = blanked.body
        self.is_exact = self.is_exact and blanked.is_exact

    @property
    def records(self) -> int:
        """The number of records that get another body."""
        return sum(map(len, self.bodies.values()))

    @property
    def emptied(self) -> int:
        """The number of records of which nothing is left."""
        return sum(body == NOTHING for bodies in self.bodies.values() for body in bodies.values())


def due(archive: Path, db: Database) -> list[Withdrawn]:
    """Return the takedowns of grade purge that were not performed yet. Raises OSError, `sqlite3.Error`."""
    find = "SELECT takedown_id FROM withdrawals WHERE purged IS NOT NULL"
    done = {row[0] for row in db.execute(find).fetchall()}
    return [
        each for each in takedowns_in_force(runs_of(archive)) if each.grade == PURGE and each.takedown_id not in done
    ]


def plan_purge(run: Run, clinic_id: str) -> ClinicPlan:
    """Return what a purge does at a clinic; nothing is changed.

    Raises `BadKey`, `BadRecord`, OSError, `sqlite3.Error`.
    """
    in_force = [
        each for each in takedowns_in_force(runs_of(run.archive)) if (each.clinic_id, each.grade) == (clinic_id, PURGE)
    ]
    mine = [each for each in due(run.archive, run.db) if each.clinic_id == clinic_id]
    made = ClinicPlan(clinic_id, tuple(each.takedown_id for each in mine))
    whole = next((each for each in in_force if each.kind == "clinic"), None)
    if whole is not None:
        made.withheld = Withheld(clinic_id, in_force, run.key)
        _plan_whole(run.archive, clinic_id, made)
        return made
    people = any(each.kind == "person" for each in in_force)
    rows = list(_candidates(run.db, clinic_id, in_force))
    withheld = Withheld(clinic_id, in_force, run.key)
    affected = [row for row in rows if row["is_affected"]]
    names, made.phrases = _words(run, affected, Blanking(clinic_id, run.key, withheld), made)
    made.extended = _extended(run, in_force, names if people else set(), made)
    more = {each.takedown_id: each for each in made.extended}
    made.withheld = Withheld(clinic_id, [more.get(each.takedown_id, each) for each in in_force], run.key)
    blanking = Blanking(clinic_id, run.key, made.withheld)
    found: dict[str, Blanked] = {}
    for row in rows:
        record = _record(run.archive, row, made)
        blanked = _blanked(run.archive, blanking, record, row, made.phrases) if record is not None else None
        if blanked is not None:
            made.put(row["warc_file"], row["warc_offset"], blanked)
            found[row["capture_id"]] = blanked
    _plan_others(run.archive, found, made)
    for file in _imports(run.archive, clinic_id):
        _plan_import(run.archive, file, blanking, made)
    return made


def _extended(run: Run, in_force: list[Withdrawn], names: set[str], made: ClinicPlan) -> list[Withdrawn]:
    """Return the takedown that gets the marks of names and phrases; none where it has them."""
    first = next((each for kind in ("person", "comment", "post") for each in in_force if each.kind == kind), None)
    if first is None:
        return []
    of_names = {mark(run.key, made.clinic_id, value) for value in names}
    new = of_names | {mark(run.key, made.clinic_id, value) for value in made.phrases.values}
    if not of_names <= set(first.subjects):
        made.is_exact = False  # texts of others get other words
    if new <= set(first.subjects):
        return []
    return [replace(first, subjects=tuple(sorted({*first.subjects, *new})))]


def _candidates(db: Database, clinic_id: str, in_force: Iterable[Withdrawn]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of captures with a body: `is_affected` those that hold something withdrawn, or may name a person.

    The others may have its words. `is_doubtful`: perhaps not read. Of a post only those, and answers of APIs.
    """
    kinds = {each.kind for each in in_force}
    wanted = "captures.withdrawn = 1" + (" OR captures.holds_comments = 1" if kinds - {"post"} else "")
    cursor = db.conn.execute(
        f"SELECT captures.capture_id, captures.url, warc_file, warc_offset, coalesce({wanted}, 0) AS is_affected,"
        " coalesce(http_status NOT BETWEEN 200 AND 299, 0) OR EXISTS (SELECT 1 FROM problems WHERE problems.capture_id"
        " = captures.capture_id) AS is_doubtful, coalesce(crawls.kind, 'crawl') AS kind,"
        " clinic_runs.platform AS run_platform, clinics.platform AS clinics_own FROM captures JOIN clinics USING"
        " (clinic_id) LEFT JOIN crawls USING (crawl_id) LEFT JOIN clinic_runs ON clinic_runs.crawl_id ="
        " captures.crawl_id AND clinic_runs.clinic_id = captures.clinic_id WHERE captures.clinic_id = ? AND"
        " record_type NOT IN ('revisit', 'failure') AND payload_length > 0 AND warc_file LIKE 'warc/%'"
        " ORDER BY warc_file, warc_offset",
        (clinic_id,),
    )
    names = [column[0] for column in cursor.description]
    for values in cursor:
        row = dict(zip(names, values, strict=True))
        if row["is_affected"] or row["is_doubtful"] or kinds - {"post", "comments"} or is_at_api(row["url"]):
            yield row


def _record(archive: Path, row: Mapping[str, Any], made: ClinicPlan) -> RecordGroup | None:
    """Return the record of a capture. One that cannot be read is emptied with the damaged region that it is.

    Raises `BadRecord` for one outside the archive.
    """
    try:
        found = read_record(archive, row["warc_file"], row["warc_offset"])
    except ValueError as error:  # behind a link: what is there is not the archive's to change
        raise BadRecord(row["warc_file"], row["warc_offset"], str(error)) from error
    except BadRecord as error:
        made.bodies.setdefault(row["warc_file"], {})
        made.unreadable.append(str(error))
        return None
    return found if isinstance(found, RecordGroup) and found.body else None


def _blanked(
    archive: Path, blanking: Blanking, record: RecordGroup, row: Mapping[str, Any], phrases: Phrases
) -> Blanked | None:
    exchange, platform = _exchange(archive, record, row)
    part = decodable_part(record.body or b"", header_of(record)("Content-Encoding")) if not exchange.body else b""
    if not row["is_affected"]:
        is_read = not row["is_doubtful"] and exchange.fault is None
        if is_read and (is_at_api(row["url"]) or not phrases.quotes) and is_json(exchange.body):
            return None  # its parser read it, and found nothing of what is purged
        is_open = is_at_api(row["url"]) or part is None or blanking.empties_unread
        if not is_open and not phrases.may_be_in(exchange.body or part or b""):
            return None
    return blanking.blanked(exchange, platform, record.capture, part)


def _exchange(archive: Path, record: RecordGroup, row: Mapping[str, Any]) -> tuple[Exchange, Platform | None]:
    """Return a stored answer as its parser sees it, and the platform of that parser."""
    exchange = stored_exchange(record, record.body or b"")
    base = _web_archive(archive / row["warc_file"]) if row["kind"] == "backfill" else None
    memento = memento_of(exchange, header_of(record), base) if base is not None else None
    exchange = memento.exchange if memento is not None else exchange
    return exchange, choose_stored(row["kind"], row["run_platform"], row["clinics_own"])(exchange)


@lru_cache(maxsize=16)
def _web_archive(path: Path) -> str | None:
    """Return the address of the web archive whose answers the file holds, from its warcinfo."""
    first = next(iter(records(path)), None)
    return first.fields.get("web-archive") if isinstance(first, Info) else None


def _words(
    run: Run, named: Iterable[Mapping[str, Any]], blanking: Blanking, made: ClinicPlan
) -> tuple[set[str], Phrases]:
    """Return the values of the names of purged people on the posts on which they commented, and the phrases."""
    names, threads, texts, posts = set[str](), set[tuple[str, ...]](), set[str](), set[str]()
    for row in named:
        record = _record(run.archive, row, made)
        if record is not None and blanking.may_have_words(record.capture.url):
            exchange, platform = _exchange(run.archive, record, row)
            purged = blanking.purged_in(extract(exchange, platform))
            names |= purged.names
            threads |= purged.threads
            texts |= set() if blanking.empties_unread else purged.texts
            posts |= purged.posts
    values = {value for post in threads for name in names for value in name_values(post, name)}
    return values, Phrases.of(texts, posts, names).without(_remaining(run.db, made.clinic_id))


def _remaining(db: Database, clinic_id: str) -> Iterator[str]:
    """Yield the texts of a clinic that stay: what is withdrawn has no row."""
    of_posts = "SELECT revisions.body_text FROM revisions JOIN posts USING (post_id) WHERE clinic_id = ?"
    of_comments = "SELECT body_text FROM comments WHERE clinic_id = ?"
    for text in db.execute(f"{of_posts} UNION ALL {of_comments}", [clinic_id, clinic_id]):
        yield text[0] or ""


def _imports(archive: Path, clinic_id: str) -> list[str]:
    """Return the imported files that hold captures of the clinic, by their paths in the archive."""
    run_files = runs_of(archive)
    replaced = replaced_files(run_files)
    log = log_of(archive, clinic_id, run_files)
    files = [note["file"] for each in log.runs for note in each.imports]
    names = dict.fromkeys(replaced.get(file, file) for file in files)
    return [name for name in names if (archive / name).exists()]


def _plan_others(archive: Path, found: Mapping[str, Blanked], made: ClinicPlan) -> None:
    """Plan for the same records in other packed files, as after a merge of archives that were packed apart.

    Rows name each record once. `found`: what is left of records, by the ids of their captures.
    """
    pairs = overlapping(heads_in(archive / "warc" / made.clinic_id))
    for path in dict.fromkeys(path for pair in pairs for path in pair):
        name = path.relative_to(archive).as_posix()
        for record in records(path, archive=archive):
            if isinstance(record, RecordGroup) and record.body and record.capture.capture_id in found:
                made.put(name, record.capture.warc_offset, found[record.capture.capture_id])


def _plan_import(archive: Path, file: str, blanking: Blanking, made: ClinicPlan) -> None:
    """Plan for a file by another program; every record of it is read, since some have no row."""
    for offset, blanked in blanked_in_foreign(archive / file, blanking):
        made.put(file, offset, blanked)
        made.is_exact = False  # the id of a record may be made of its place


def blanked_in_foreign(path: Path, blanking: Blanking, site: str | None = None) -> Iterator[tuple[int, Blanked]]:
    """Yield each record of a file by another program of which something is purged: its offset, and what is left.

    A record without a known form (a screenshot, the text of a page) goes with the page whose address it names. `site`:
    only records of pages there.
    """
    gone: set[str] = set()
    others: list[tuple[int, str]] = []
    for record in records(path):
        if isinstance(record, Other):
            target = next((value for name, value in record.headers if name.lower() == "warc-target-uri"), "")
            others.append((record.warc_offset, target.strip("<>")))
        elif isinstance(record, RecordGroup) and record.body and (site is None or is_within(record.capture.url, site)):
            exchange = stored_exchange(record, record.body)
            part = decodable_part(record.body, header_of(record)("Content-Encoding")) if not exchange.body else b""
            blanked = blanking.blanked(exchange, recognise_alone(exchange, None), record.capture, part)
            if blanked is not None:
                # By another program: its body may have a coding, or a form, that only that program knows.
                gone.add(record.capture.url)
                yield record.capture.warc_offset, Blanked(NOTHING, blanked.is_exact and blanked.body == NOTHING)
    for offset, target in others:
        if any(target.endswith(url) for url in gone) and not target.startswith("http"):
            yield offset, Blanked(NOTHING, is_exact=True)


def _plan_whole(archive: Path, clinic_id: str, made: ClinicPlan) -> None:
    """Plan to empty every record of a clinic that is purged as a whole."""
    for path in sorted((archive / "warc" / clinic_id).glob("*.warc.gz")):
        name = path.relative_to(archive).as_posix()
        for record in records(path, archive=archive):
            if isinstance(record, RecordGroup) and record.body:
                made.put(name, record.capture.warc_offset, Blanked(NOTHING, is_exact=True))
    run_files = runs_of(archive)
    for run in log_of(archive, clinic_id, run_files).runs:
        for ref in run.captures:
            if ref.brought is not None and not ref.is_revisit:
                made.put(ref.file, ref.offset, Blanked(NOTHING, is_exact=False))
