"""The schema, as steps appended and never edited. Every `*_at` is ISO 8601 UTC; every text column holds text or NULL.

Facts live in tables with declared keys; whatever can be derived is a view (`archive/views/`). Rows name the capture
they came from, and the capture names its WARC record.
"""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database, Migrations

from archive.derived import tables as derived
from archive.lexicon import tables as lexicon
from archive.search import index, tables

migrations = Migrations("archive")

_KEYS = {
    "clinics": "clinic_id", "crawls": "crawl_id", "captures": "capture_id", "authors": "author_id",
    "posts": "post_id", "revisions": "revision_id", "comments": "comment_id",
    "categories": "category_id", "tags": "tag_id", "withdrawals": "takedown_id",
}  # fmt: skip


def _create(
    db: Database, name: str, columns: dict[str, type], pk: str | tuple[str, ...], required: str, **keys: str
) -> None:
    """One STRICT table; `required` names NOT NULL columns, `keys` maps a column to the table it refers to."""
    options: dict[str, Any] = {
        "pk": pk,
        "strict": True,
        "not_null": set(required.split()),
        "foreign_keys": [(column, table, _KEYS[table]) for column, table in keys.items()],
    }
    db.table(name).create(columns, **options)


@migrations()
def m001_initial(db: Database) -> None:
    """Clinics, runs and captures; posts with their addresses, texts, counters and edges; comments; problems."""
    _create(
        db,
        "clinics",
        {
            "clinic_id": str, "name": str, "url": str, "platform": str, "language": str, "timezone": str,
            "blog_status": str, "comments_policy": str, "privacy": str, "first_crawled_at": str,
        },
        "clinic_id",
        "name url blog_status",
    )  # fmt: skip
    _create(
        db,
        "clinic_attributes",
        {"clinic_id": str, "name": str, "value": str},
        ("clinic_id", "name"),
        "value",
        clinic_id="clinics",
    )
    _create(
        db,
        "crawls",
        {"crawl_id": str, "started_at": str, "ended_at": str, "software": str, "exit_code": int, "summary": str},
        "crawl_id",
        "started_at software",
    )
    _create(
        db,
        "clinic_runs",
        {
            "crawl_id": str, "clinic_id": str, "started_at": str, "ended_at": str, "status": str, "complete": int,
            "discovered": int, "fetched": int, "unchanged": int, "gone": int, "failed": int, "posts": int,
            "new_posts": int, "new_revisions": int, "readings": int, "comments": int, "wire_bytes": int,
            "found_in": str, "note": str,
        },
        ("crawl_id", "clinic_id"),
        "started_at status",
        crawl_id="crawls",
        clinic_id="clinics",
    )  # fmt: skip
    _create(
        db,
        "captures",
        {
            "capture_id": str, "crawl_id": str, "clinic_id": str, "url": str, "method": str, "request_sha256": str,
            "fetched_at": str, "http_status": int, "mime": str, "etag": str, "last_modified": str,
            "payload_sha256": str, "payload_length": int, "record_type": str, "refers_to": str,
            "warc_file": str, "warc_offset": int, "warc_length": int, "origin": str,
        },
        "capture_id",
        "clinic_id url method fetched_at record_type warc_file warc_offset warc_length origin",
        crawl_id="crawls",
        clinic_id="clinics",
        refers_to="captures",
    )  # fmt: skip
    _create(
        db,
        "authors",
        {"author_id": int, "clinic_id": str, "name": str, "person_key": str},
        "author_id",
        "clinic_id name",
        clinic_id="clinics",
    )
    _create(
        db,
        "posts",
        {
            "post_id": int, "clinic_id": str, "platform": str, "platform_post_id": str, "url": str, "slug": str,
            "title": str, "author": str, "author_id": int, "published_at": str, "published_on": str,
            "published_raw": str, "modified_at": str, "language": str, "excerpt": str, "minutes_to_read": int,
            "cover_image_url": str, "body_text": str, "body_html": str, "word_count": int, "revision_id": int,
            "sources": str, "first_seen_at": str, "last_seen_at": str, "removed_at": str,
        },
        "post_id",
        "clinic_id platform sources first_seen_at last_seen_at",
        clinic_id="clinics",
        author_id="authors",
    )  # fmt: skip
    _create(
        db,
        "post_addresses",
        {
            "clinic_id": str, "address": str, "kind": str, "entity_id": int, "post_id": int, "matched_by": str,
            "capture_id": str,
        },
        ("clinic_id", "address"),
        "kind entity_id matched_by capture_id",
        clinic_id="clinics",
        post_id="posts",
        capture_id="captures",
    )  # fmt: skip
    _create(
        db,
        "revisions",
        {
            "revision_id": int, "post_id": int, "capture_id": str, "kind": str, "source": str, "captured_at": str,
            "content_sha256": str, "title": str, "author": str, "body_text": str, "body_html": str,
            "word_count": int, "modified_at": str, "extractor_version": int,
        },
        "revision_id",
        "post_id capture_id kind source captured_at content_sha256 extractor_version",
        post_id="posts",
        capture_id="captures",
    )  # fmt: skip
    # The current text: posts and revisions refer to each other.
    db.table("posts").add_foreign_key("revision_id", "revisions", "revision_id")
    _create(
        db,
        "sightings",
        {
            "clinic_id": str, "url": str, "post_id": int, "capture_id": str, "revision_id": int, "source": str,
            "lastmod": str, "seen_at": str,
        },
        ("capture_id", "source", "url"),
        "clinic_id seen_at",
        clinic_id="clinics",
        post_id="posts",
        capture_id="captures",
        revision_id="revisions",
    )  # fmt: skip
    _create(
        db,
        "readings",
        {
            "post_id": int, "capture_id": str, "source": str, "read_at": str, "views": int, "likes": int,
            "comments_count": int, "views_raw": str, "likes_raw": str, "comments_count_raw": str, "evidence": str,
            "extractor_version": int,
        },
        ("post_id", "capture_id", "source"),
        "read_at evidence extractor_version",
        post_id="posts",
        capture_id="captures",
    )  # fmt: skip
    _create(
        db,
        "comments",
        {
            "comment_id": int, "clinic_id": str, "post_id": int, "platform_comment_id": str, "parent_id": int,
            "parent_platform_comment_id": str, "author": str, "author_kind": str, "body_text": str, "body_html": str,
            "posted_at": str, "posted_at_precision": str, "likes": int, "status": str, "edited": int,
            "source": str, "capture_id": str, "last_capture_id": str, "first_seen_at": str, "last_seen_at": str,
        },
        "comment_id",
        "clinic_id post_id platform_comment_id author_kind source capture_id last_capture_id first_seen_at "
        "last_seen_at",
        clinic_id="clinics",
        post_id="posts",
        parent_id="comments",
        capture_id="captures",
        last_capture_id="captures",
    )  # fmt: skip
    _create(
        db,
        "comment_revisions",
        {"comment_id": int, "capture_id": str, "captured_at": str, "body_text": str, "body_html": str, "status": str},
        ("comment_id", "capture_id"),
        "captured_at",
        comment_id="comments",
        capture_id="captures",
    )
    for kind in ("category", "tag"):
        plural = "categories" if kind == "category" else "tags"
        _create(
            db,
            plural,
            {f"{kind}_id": int, "clinic_id": str, "label": str},
            f"{kind}_id",
            "clinic_id label",
            clinic_id="clinics",
        )
        _create(
            db,
            f"post_{plural}",
            {"post_id": int, f"{kind}_id": int, "first_capture_id": str, "last_capture_id": str},
            ("post_id", f"{kind}_id"),
            "first_capture_id last_capture_id",
            post_id="posts",
            first_capture_id="captures",
            last_capture_id="captures",
            **{f"{kind}_id": plural},
        )
    _create(
        db,
        "links",
        {"revision_id": int, "position": int, "url": str, "text": str, "domain": str, "rel": str},
        ("revision_id", "position"),
        "url",
        revision_id="revisions",
    )
    _create(
        db,
        "images",
        {
            "post_id": int, "kind": str, "url": str, "revision_id": int, "position": int, "alt": str, "caption": str,
            "first_capture_id": str, "last_capture_id": str,
        },
        ("post_id", "kind", "url"),
        "position first_capture_id last_capture_id",
        post_id="posts",
        revision_id="revisions",
        first_capture_id="captures",
        last_capture_id="captures",
    )  # fmt: skip
    _create(
        db,
        "related_posts",
        {
            "post_id": int, "related_url": str, "position": int, "title": str, "excerpt": str,
            "first_capture_id": str, "last_capture_id": str,
        },
        ("post_id", "related_url"),
        "position first_capture_id last_capture_id",
        post_id="posts",
        first_capture_id="captures",
        last_capture_id="captures",
    )  # fmt: skip
    _create(
        db,
        "post_changes",
        {"post_id": int, "capture_id": str, "field": str, "old": str, "new": str},
        ("post_id", "capture_id", "field"),
        "",
        post_id="posts",
        capture_id="captures",
    )
    _create(
        db,
        "absences",
        {
            "absence_id": int, "clinic_id": str, "post_id": int, "comment_id": int, "capture_id": str, "seen_at": str,
            "answered": str,
        },
        "absence_id",
        "clinic_id capture_id seen_at answered",
        clinic_id="clinics",
        post_id="posts",
        comment_id="comments",
        capture_id="captures",
    )  # fmt: skip
    _create(
        db,
        "problems",
        {
            "problem_id": int, "clinic_id": str, "crawl_id": str, "capture_id": str, "url": str, "kind": str,
            "field": str, "message": str, "happened_at": str,
        },
        "problem_id",
        "clinic_id kind message happened_at",
        clinic_id="clinics",
        crawl_id="crawls",
        capture_id="captures",
    )  # fmt: skip
    _create(
        db,
        "unplaced",
        {
            "clinic_id": str, "address": str, "capture_id": str, "position": int, "kind": str, "item": str,
            "extractor_version": int,
        },
        ("capture_id", "position"),
        "clinic_id address kind item extractor_version",
        clinic_id="clinics",
        capture_id="captures",
    )  # fmt: skip
    for table, columns, unique in (
        ("captures", "clinic_id fetched_at", False),
        ("captures", "url clinic_id fetched_at", False),
        ("captures", "crawl_id", False),
        ("captures", "refers_to", False),
        ("captures", "warc_file warc_offset", True),
        ("authors", "clinic_id name", True),
        ("categories", "clinic_id label", True),
        ("tags", "clinic_id label", True),
        ("posts", "clinic_id published_at", False),
        ("posts", "author_id", False),
        ("post_addresses", "post_id", False),
        ("post_addresses", "clinic_id entity_id", False),
        ("revisions", "post_id source captured_at", False),
        ("revisions", "capture_id", False),
        ("sightings", "post_id seen_at", False),
        ("sightings", "clinic_id url", False),
        ("sightings", "revision_id", False),
        ("readings", "capture_id", False),
        ("readings", "post_id read_at source evidence extractor_version", False),  # the curves
        ("readings", "read_at", False),
        ("posts", "published_at", False),
        ("absences", "comment_id", False),
        ("comments", "clinic_id platform_comment_id", True),
        ("comments", "post_id posted_at", False),
        ("comments", "parent_id", False),
        ("comments", "clinic_id parent_platform_comment_id", False),
        ("links", "domain", False),
        ("images", "last_capture_id", False),
        ("related_posts", "last_capture_id", False),
        ("post_tags", "tag_id", False),
        ("post_categories", "category_id", False),
        ("absences", "post_id", False),
        ("problems", "clinic_id happened_at", False),
        ("problems", "capture_id", False),
        ("unplaced", "clinic_id address", False),
    ):
        db.table(table).create_index(columns.split(), unique=unique)
    _full_text(db, "posts", "post_id", ("title", "body_text"))
    _full_text(db, "comments", "comment_id", ("body_text",))


@migrations()
def m002_rendered_pages(db: Database) -> None:
    """Captures say how they were made: by a request of our own (NULL), or by a browser that rendered a page."""
    for column in ("via", "page_url"):
        db.table("captures").add_column(column, str)


@migrations()
def m003_captures_of_others(db: Database) -> None:
    """Imported and old captures: their source and date of import, what they hold; what an older parser read."""
    for column in ("retrieved_at", "retrieved_from"):
        db.table("captures").add_column(column, str)
    db.table("captures").add_column("holds_comments", int)
    db.table("crawls").add_column("kind", str)
    db.table("posts").add_column("first_seen_origin", str)
    for table, column in (("crawls", "kind"), ("posts", "first_seen_origin")):
        db.execute(f"UPDATE {table} SET {column} = 'crawl'")  # until this step there were no others
    _create(
        db,
        "superseded_readings",
        {
            "post_id": int, "capture_id": str, "source": str, "extractor_version": int, "read_at": str, "views": int,
            "likes": int, "comments_count": int, "views_raw": str, "likes_raw": str, "comments_count_raw": str,
        },
        ("post_id", "capture_id", "source", "extractor_version"),
        "read_at",
        post_id="posts",
        capture_id="captures",
    )  # fmt: skip
    db.table("superseded_readings").create_index(["capture_id"])


@migrations()
def m004_search(db: Database) -> None:
    """A full-text index over posts, their past revisions and comments, in the order of their dates; indexes for the
    queries of the site.
    """
    tables.create(db)
    db.table("posts").create_index(["clinic_id", "slug"])
    db.table("posts").create_index(["clinic_id", "published_on"])
    db.table("posts").create_index(["first_seen_at"])
    db.table("posts").create_index(["language"])
    db.execute("CREATE INDEX idx_posts_removed_at ON posts (removed_at) WHERE removed_at IS NOT NULL")
    db.execute("CREATE INDEX idx_revisions_edits ON revisions (captured_at) WHERE kind = 'content'")


@migrations()
def m005_years_of_runs(db: Database) -> None:
    """What runs record about themselves: the limits they met, the fields their pages gave, and confirmations."""
    for column in ("limited", "not_due", "waiting"):
        db.table("clinic_runs").add_column(column, int)
    _create(
        db,
        "run_fields",
        {"crawl_id": str, "clinic_id": str, "field": str, "expected": int, "told": int, "lost": int},
        ("crawl_id", "clinic_id", "field"),
        "expected told lost",
        crawl_id="crawls",
        clinic_id="clinics",
    )
    _create(
        db,
        "confirmations",
        {"clinic_id": str, "confirmed_at": str},
        ("clinic_id", "confirmed_at"),
        "confirmed_at",
        clinic_id="clinics",
    )
    db.table("clinic_runs").create_index(["clinic_id", "started_at"])
    db.table("run_fields").create_index(["clinic_id", "field"])
    db.table("absences").create_index(["capture_id"])
    db.table("problems").create_index(["clinic_id", "kind", "happened_at"])


@migrations()
def m006_closing_dates(db: Database) -> None:
    """The day a clinic closed; and what killed runs saw but did not record, as `save_killed_run` counts it."""
    db.table("clinics").add_column("closed_on", str)
    count = (
        "(SELECT count(DISTINCT post_id) FROM {0} JOIN captures USING (capture_id) WHERE {1} AND"
        " captures.crawl_id = clinic_runs.crawl_id AND captures.clinic_id = clinic_runs.clinic_id)"
    )
    read, gone = count.format("sightings", "source = 'post'"), count.format("absences", "comment_id IS NULL")
    db.execute(f"UPDATE clinic_runs SET fetched = {read}, gone = {gone} WHERE status = 'cut-short' AND fetched IS NULL")


@migrations()
def m007_run_platform(db: Database) -> None:
    """The platform by whose rules a run's captures are read: until now every clinic had one for ever."""
    db.table("clinic_runs").add_column("platform", str)
    db.execute(
        "UPDATE clinic_runs SET platform = (SELECT platform FROM clinics WHERE clinics.clinic_id ="
        " clinic_runs.clinic_id) WHERE coalesce((SELECT kind FROM crawls WHERE crawls.crawl_id ="
        " clinic_runs.crawl_id), 'crawl') = 'crawl'"
    )


@migrations()
def m008_folded_by(db: Database) -> None:
    """The program and version that made a clinic's rows from its captures; NULL where an older version did."""
    db.table("clinics").add_column("folded_by", str)


@migrations()
def m009_folded_search(db: Database) -> None:
    """The index of texts that are searched for otherwise than they are written: `archive.search.folding`."""
    tables.create_folded(db)
    index.index_all(db)


@migrations()
def m010_capture_quality(db: Database) -> None:
    """Why a page is doubtful: what stood in place of it. The problems of earlier versions name three kinds."""
    db.table("captures").add_column("quality", str)
    kind = "p.kind IN ('bot-challenge', 'consent-wall', 'unreadable')"
    db.execute(
        "UPDATE captures SET quality = (SELECT p.kind FROM problems AS p WHERE p.capture_id = captures.capture_id AND"
        f" {kind} ORDER BY p.problem_id LIMIT 1) WHERE capture_id IN (SELECT p.capture_id FROM problems AS p WHERE"
        f" {kind})"
    )
    db.execute("CREATE INDEX idx_captures_quality ON captures (clinic_id, crawl_id) WHERE quality IS NOT NULL")


@migrations()
def m011_every_platform(db: Database) -> None:
    """Who may read a post, its thread at a comment service, notices among comments, and what a site runs on.

    Until now `clinics.platform` was the maker of a site that nobody reads, too.
    """
    for column in ("access", "comment_service", "comment_thread"):
        db.table("posts").add_column(column, str)
    db.table("comments").add_column("type", str, not_null_default="comment")
    db.execute("CREATE INDEX idx_comments_notices ON comments (clinic_id, post_id) WHERE type <> 'comment'")
    db.table("clinics").add_column("maker", str)
    db.execute(
        "UPDATE clinics SET maker = platform WHERE blog_status = 'unsupported' OR EXISTS (SELECT 1 FROM clinic_runs"
        " AS r WHERE r.clinic_id = clinics.clinic_id AND r.platform IS NOT NULL AND first_crawled_at IS NOT NULL)"
    )
    db.execute("UPDATE clinics SET platform = NULL WHERE blog_status = 'unsupported'")


@migrations()
def m012_derived_texts(db: Database) -> None:
    """Sentences, edits, and what became of each sentence: `archive.derived`, filled by `clinic-archive derive`."""
    derived.create(db)


@migrations()
def m013_study(db: Database) -> None:
    """Samples, code books and codings of people: rows of the files in `study/`. No row of another table is named: the
    files may know posts that a rebuild from fewer WARC files does not.
    """
    _create(
        db,
        "codebooks",
        {
            "codebook": str, "name": str, "code": str, "position": int, "label": str, "description": str, "level": str,
            "words": int, "value": str, "value_position": int, "file": str,
        },
        ("codebook", "code", "value"),
        "name position level words value_position file",
    )  # fmt: skip
    _create(
        db,
        "samples",
        {
            "sample": str, "name": str, "position": int, "unit": str, "clinic_id": str, "address": str,
            "permalink": str, "title": str, "text_sha256": str, "content_sha256": str, "stratum": str,
            "stratum_frame": int, "stratum_drawn": int, "probability": float, "seed": int, "condition": str, "by": str,
            "as_of": str, "frame": int, "frame_sha256": str, "file": str,
        },
        ("sample", "unit"),
        "name position clinic_id address permalink text_sha256 content_sha256 stratum_frame stratum_drawn probability"
        " seed as_of frame frame_sha256 file",
    )  # fmt: skip
    _create(
        db,
        "codings",
        {
            "file": str, "position": int, "sample": str, "codebook": str, "unit": str, "clinic_id": str,
            "permalink": str, "text_sha256": str, "coder": str, "code": str, "value": str, "text_start": int,
            "text_end": int, "quote": str, "text_before": str, "text_after": str, "note": str, "replaced_by": str,
            "anchor": str, "anchor_permalink": str, "anchor_start": int, "anchor_end": int,
        },
        ("file", "position"),
        "sample codebook unit clinic_id permalink text_sha256 coder code value anchor",
    )  # fmt: skip
    db.table("codings").create_index(["sample", "code"])
    db.table("codings").create_index(["clinic_id", "permalink"])


@migrations()
def m014_withdrawals(db: Database) -> None:
    """Takedowns: how many of which kind hold, which captures they concern, which addresses of the site are gone."""
    db.execute("ALTER TABLE captures ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0")
    _create(
        db,
        "withdrawals",
        {"takedown_id": str, "clinic": str, "kind": str, "grade": str, "day": str, "due": str},
        "takedown_id",
        "clinic kind grade day",
    )
    _create(
        db,
        "withdrawn_permalinks",
        {"clinic": str, "path_sha256": str, "takedown_id": str},
        ("clinic", "path_sha256"),
        "takedown_id",
        takedown_id="withdrawals",
    )


@migrations()
def m015_claims(db: Database) -> None:
    """Rules of lexicons, and the sentences that match them: `archive.lexicon`, filled by `clinic-archive derive`."""
    lexicon.create(db)


@migrations()
def m016_purges(db: Database) -> None:
    """The day on which the recorded bytes of what a takedown of grade purge names were removed."""
    db.execute("ALTER TABLE withdrawals ADD COLUMN purged TEXT")


@migrations()
def m017_policy_record(db: Database) -> None:
    """What allowed a fetch, beside the captures of robots.txt: what answers say to robots; a visit's delay, User-Agent.

    Rows of before have NULL. They count as made by an older version, so that `reparse` fills them.
    """
    for column in ("x_robots_tag", "robots_meta"):
        db.table("captures").add_column(column, str)
    db.table("clinic_runs").add_column("user_agent", str)
    db.table("clinic_runs").add_column("delay", float)
    db.execute("UPDATE clinics SET folded_by = NULL WHERE clinic_id IN (SELECT clinic_id FROM captures)")


def _full_text(db: Database, table: str, key: str, columns: tuple[str, ...]) -> None:
    """FTS5 over `columns`, updated by triggers that fire only when the text changed.

    The triggers that sqlite-utils writes re-index a row at every update; here most updates leave the text alone.
    """
    db.table(table).enable_fts(list(columns), fts_version="FTS5", tokenize="unicode61 remove_diacritics 2")
    names = ", ".join(columns)
    new, old = (", ".join(f"{side}.{column}" for column in columns) for side in ("new", "old"))
    changed = " OR ".join(f"old.{column} IS NOT new.{column}" for column in columns)
    forget = f"INSERT INTO {table}_fts({table}_fts, rowid, {names}) VALUES ('delete', old.{key}, {old});"
    learn = f"INSERT INTO {table}_fts(rowid, {names}) VALUES (new.{key}, {new});"
    db.executescript(
        f"CREATE TRIGGER {table}_fts_insert AFTER INSERT ON {table} BEGIN {learn} END;"
        f"CREATE TRIGGER {table}_fts_delete AFTER DELETE ON {table} BEGIN {forget} END;"
        f"CREATE TRIGGER {table}_fts_update AFTER UPDATE ON {table} WHEN {changed} BEGIN {forget} {learn} END;"
    )
