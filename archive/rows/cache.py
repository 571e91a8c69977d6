"""What the archive knows of one clinic, kept at hand while its captures are folded, and the rows waiting to be written.

A fold asks the same few questions of every capture: which post is this address, which row is this label. The answers
are read once and kept true by whoever changes them; nothing else writes to a clinic's rows while it is folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlite_utils import Database

from archive.rows.batch import Batch
from archive.rows.identity import Identities
from archive.rows.stored_post import LABELS, StoredPost, read_stored

COMMENT_COLUMNS = (
    "comment_id", "parent_platform_comment_id", "first_seen_at", "last_seen_at", "author", "author_kind", "body_text",
    "body_html", "posted_at", "posted_at_precision", "likes", "status", "edited", "source", "capture_id",
)  # fmt: skip
_KEYS = {
    "posts": "post_id", "revisions": "revision_id", "authors": "author_id", "categories": "category_id",
    "tags": "tag_id",
}  # fmt: skip
# SQLite takes at most 32,766 values a statement, older ones 999.
_AT_ONCE = 500


class ClinicCache:
    """One clinic's addresses, labels, people and site, and its batch.

    `begin` opens a transaction's worth of rows, `write` puts down what waits. A number given by `new_id` is the next
    one of its table: valid until the transaction ends, since one clinic at a time writes.
    """

    def __init__(self, db: Database, clinic_id: str) -> None:
        self.db, self.clinic_id, self.batch = db, clinic_id, Batch(db)
        self.addresses = Identities(db, clinic_id, self.batch, self.write)
        self.labels: dict[str, dict[str, int]] = {
            table: dict(self._rows(f"SELECT label, {_KEYS[table]} FROM {table} WHERE clinic_id = ?"))
            for table in LABELS
        }
        self.authors: dict[str, int] = {}
        self.staff: dict[str, str] = {}  # name of each of the clinic's own people by their key
        self.keyed: set[str] = set()  # names of those whose key is known
        for author_id, name, key in self._rows("SELECT author_id, name, person_key FROM authors WHERE clinic_id = ?"):
            self.authors[name] = author_id
            if key is not None:
                self.name_staff(key, name)
        site = self._rows("SELECT platform, timezone, language FROM clinics WHERE clinic_id = ?")
        told: tuple[str | None, ...] = site[0] if site else (None, None, None)
        self.platform, self.timezone, self.language = told
        # Addresses that items wait under, and parents that replies may lack: most captures need not ask for either.
        self.waiting = {row[0] for row in self._rows("SELECT DISTINCT address FROM unplaced WHERE clinic_id = ?")}
        self.parents = {
            row[0]
            for row in self._rows(
                "SELECT DISTINCT parent_platform_comment_id FROM comments WHERE clinic_id = ? AND parent_id IS NULL"
                " AND parent_platform_comment_id IS NOT NULL"
            )
        }
        # Posts and captures of the transaction, some of whose rows may wait.
        self.touched: set[int] = set()
        self.captures: set[str] = set()
        self._next: dict[str, int] = {}
        self._posts: dict[int, StoredPost] = {}  # those of the batch at hand, as they are stored
        self._comments: dict[str, dict[str, Any] | None] = {}  # those of the capture at hand, as they are stored
        self._commented: set[str] = set()  # new comments that wait

    def _rows(self, sql: str) -> list[Any]:
        return self.db.conn.execute(sql, (self.clinic_id,)).fetchall()

    def begin(self, addresses: Iterable[Sequence[str]]) -> None:
        """A new transaction: other clinics may have written since the last one. Its posts have these addresses."""
        self._next.clear()
        self._comments.clear()
        self.touched.clear()
        self.captures.clear()
        known = {post_id for one in addresses if (post_id := self.addresses.find(one)) is not None}
        self._posts = read_stored(self.db, known) if known else {}

    def write(self) -> None:
        """Everything that waits becomes visible to queries. Raises `sqlite3.Error`."""
        self.addresses.flush()
        self.batch.write()
        self._posts.clear()
        self._comments.clear()
        self._commented.clear()

    def name_staff(self, key: str, name: str) -> None:
        """The clinic's own person of that key; one who writes under two names has the first by the alphabet."""
        self.staff[key] = min(name, self.staff.get(key, name))
        self.keyed.add(name)

    def new_id(self, table: str) -> int:
        """The key of the next row of a table."""
        if table not in self._next:
            (last,) = self.db.conn.execute(f"SELECT coalesce(max({_KEYS[table]}), 0) FROM {table}").fetchone()
            self._next[table] = int(last)
        self._next[table] += 1
        return self._next[table]

    def label_id(self, table: str, label: str) -> int:
        """The key of a category or tag, made where it is new."""
        known = self.labels[table]
        if label not in known:
            known[label] = self.new_id(table)
            self.batch.put(table, (known[label], self.clinic_id, label))
        return known[label]

    def post(self, post_id: int) -> StoredPost:
        """A stored post as it is now."""
        if post_id in self.touched:
            self.write()
        return self._posts.pop(post_id, None) or read_stored(self.db, [post_id])[post_id]

    def look_up_comments(self, names: Iterable[str]) -> None:
        """Read the stored rows of the comments that a capture is about to name, all at once."""
        wanted = [name for name in dict.fromkeys(names) if name not in self._commented]
        for first in range(0, len(wanted), _AT_ONCE):
            self._fetch(wanted[first : first + _AT_ONCE])

    def comment(self, name: str) -> dict[str, Any] | None:
        """The stored row of a comment by its platform's id, `COMMENT_COLUMNS`; None for one never seen."""
        if name in self._commented:
            self.write()
            self._fetch([name])
        elif name not in self._comments:
            self._fetch([name])
        return self._comments.pop(name)

    def new_comment(self, name: str) -> None:
        """A comment was put into the batch: its row is there only after the next `write`."""
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
