"""A write-behind cache of one clinic's rows, used while its captures are folded.

A fold asks the same few questions for every capture: which post has this address, which row is this label. The cache
reads the answers once, and the code that changes them updates it; nothing else writes to a clinic's rows during a fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlite_utils import Database

from archive.rows.batch import Batch
from archive.rows.identity.identities import Identities
from archive.rows.posts.stored_post import LABELS, StoredPost, read_stored

COMMENT_COLUMNS = (
    "comment_id",
    "parent_platform_comment_id",
    "first_seen_at",
    "last_seen_at",
    "author",
    "author_kind",
    "body_text",
    "body_html",
    "posted_at",
    "posted_at_precision",
    "likes",
    "status",
    "edited",
    "type",
    "source",
    "capture_id",
    "post_id",
)
_KEYS = {
    "posts": "post_id",
    "revisions": "revision_id",
    "authors": "author_id",
    "categories": "category_id",
    "tags": "tag_id",
}
# SQLite takes at most 32,766 values a statement, older ones 999.
_AT_ONCE = 500


class ClinicCache:
    """A clinic's addresses, labels, authors and site, and the batch of its rows that wait to be written.

    `begin` starts the rows of a transaction, `write` writes those that wait. A key from `new_id` is the next of its
    table; it is valid until the transaction ends, because only one clinic at a time writes.
    """

    def __init__(self, db: Database, clinic_id: str) -> None:
        self.db, self.clinic_id, self.batch = db, clinic_id, Batch(db)
        self.identities = Identities(db, clinic_id, self.batch, self.write)
        self.labels: dict[str, dict[str, int]] = {
            table: dict(self._rows(f"SELECT label, {_KEYS[table]} FROM {table} WHERE clinic_id = ?"))
            for table in LABELS
        }
        self.authors: dict[str, int] = {}
        self.staff: dict[str, str] = {}  # names of the clinic's own staff by their key
        self.keyed: set[str] = set()  # names of authors whose key is known
        for author_id, name, key in self._rows("SELECT author_id, name, person_key FROM authors WHERE clinic_id = ?"):
            self.authors[name] = author_id
            if key is not None:
                self.name_staff(key, name)
        site = self._rows("SELECT platform, timezone, language FROM clinics WHERE clinic_id = ?")
        values: tuple[str | None, ...] = site[0] if site else (None, None, None)
        self.platform, self.timezone, self.language = values
        # Threads at comment services -> URL of the post whose page embeds it, of several posts the oldest.
        self.threads: dict[str, str] = {}
        for thread, url in self._rows(
            "SELECT comment_thread, url FROM posts WHERE clinic_id = ? AND comment_thread IS NOT NULL AND url IS NOT"
            " NULL ORDER BY post_id"
        ):
            self.threads.setdefault(thread, url)
        # Addresses of unplaced items, and parents that replies may lack: most captures need no query for either.
        self.unplaced = {row[0] for row in self._rows("SELECT DISTINCT address FROM unplaced WHERE clinic_id = ?")}
        self.parents = {
            row[0]
            for row in self._rows(
                "SELECT DISTINCT parent_platform_comment_id FROM comments WHERE clinic_id = ? AND parent_id IS NULL"
                " AND parent_platform_comment_id IS NOT NULL"
            )
        }
        # Posts and captures of the transaction; some of their rows may wait in the batch.
        self.touched: set[int] = set()
        self.captures: set[str] = set()
        # Of the current capture: the new addresses of known posts that its lists name, and the source of each list.
        self.named: list[tuple[str, str]] = []
        self._next: dict[str, int] = {}
        self._posts: dict[int, StoredPost] = {}  # the posts of the current transaction, as stored
        self._comments: dict[str, dict[str, Any] | None] = {}  # the comments of the current capture, as stored
        self._commented: set[str] = set()  # new comments that wait in the batch

    def _rows(self, sql: str) -> list[Any]:
        return self.db.conn.execute(sql, (self.clinic_id,)).fetchall()

    def begin(self, addresses: Iterable[Sequence[str]]) -> None:
        """Start a transaction whose posts have these addresses; other clinics may have written since the last."""
        self._next.clear()
        self._comments.clear()
        self.touched.clear()
        self.captures.clear()
        known = {post_id for names in addresses if (post_id := self.identities.find(names)) is not None}
        self._posts = read_stored(self.db, known) if known else {}

    def write(self) -> None:
        """Write all rows that wait, so that queries see them. Raises `sqlite3.Error`."""
        self.identities.flush()
        self.batch.write()
        self._posts.clear()
        self._comments.clear()
        self._commented.clear()

    def post_of(self, addresses: Sequence[str]) -> int | None:
        """Return the post that has one of the addresses, or whose page embeds the thread that they name."""
        post_id = self.identities.find(addresses)
        if post_id is None and addresses and addresses[0] in self.threads:
            post_id = self.identities.find((self.threads[addresses[0]],))
        return post_id

    def name_staff(self, key: str, name: str) -> None:
        """Add an author to the clinic's own staff; under two names a person has the alphabetically first."""
        self.staff[key] = min(name, self.staff.get(key, name))
        self.keyed.add(name)

    def new_id(self, table: str) -> int:
        """Return the key of the next row of a table."""
        if table not in self._next:
            (last,) = self.db.conn.execute(f"SELECT coalesce(max({_KEYS[table]}), 0) FROM {table}").fetchone()
            self._next[table] = int(last)
        self._next[table] += 1
        return self._next[table]

    def label_id(self, table: str, label: str) -> int:
        """Return the key of a category or tag; a new label gets a row."""
        known = self.labels[table]
        if label not in known:
            known[label] = self.new_id(table)
            self.batch.put(table, (known[label], self.clinic_id, label))
        return known[label]

    def post(self, post_id: int) -> StoredPost:
        """Return a stored post as it is now, rows that wait included."""
        if post_id in self.touched:
            self.write()
        return self._posts.pop(post_id, None) or read_stored(self.db, [post_id])[post_id]

    def look_up_comments(self, names: Iterable[str]) -> None:
        """Read the stored rows of all comments that a capture is about to name, in few queries."""
        wanted = [name for name in dict.fromkeys(names) if name not in self._commented]
        for first in range(0, len(wanted), _AT_ONCE):
            self._fetch(wanted[first : first + _AT_ONCE])

    def comment(self, name: str) -> dict[str, Any] | None:
        """Return the stored row of a comment by its platform's id (`COMMENT_COLUMNS`); None for a new comment."""
        if name in self._commented:
            self.write()
            self._fetch([name])
        elif name not in self._comments:
            self._fetch([name])
        return self._comments.pop(name)

    def new_comment(self, name: str) -> None:
        """Note that a comment was put into the batch: queries find its row only after the next `write`."""
        self._commented.add(name)

    def _fetch(self, names: list[str]) -> None:
        self._comments.update(dict.fromkeys(names))
        rows = self.db.conn.execute(
            f"SELECT platform_comment_id, {', '.join(COMMENT_COLUMNS)} FROM comments WHERE clinic_id = ? AND"
            f" platform_comment_id IN ({','.join('?' * len(names))})",
            (self.clinic_id, *names),
        )
        for name, *values in rows:
            self._comments[name] = dict(zip(COMMENT_COLUMNS, values, strict=True))
