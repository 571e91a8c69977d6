"""The texts of a post as the archive holds them, each with its hash and permanent address."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from archive.site.pages.permalinks import post_path, stamp


@dataclass(frozen=True, slots=True)
class Text:
    """A revision of a post."""

    permalink: str
    title: str | None
    body: str
    text_sha256: str
    """Of `body_text` as it is exported, in UTF-8, hex."""
    content_sha256: str


def text_sha256(body: str) -> str:
    """Return the SHA-256 (hex) of a text in UTF-8, exactly as it is exported."""
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def texts_of(db: Database, clinic_id: str, address: str) -> Sequence[Text]:
    """Return the texts of the post that ever had the address, oldest first; none where no post had it.

    Raises `sqlite3.Error`.
    """
    found = db.execute(
        "SELECT p.slug, p.platform_post_id, r.captured_at, r.title, r.body_text, r.content_sha256 FROM post_addresses"
        " AS a JOIN posts AS p ON p.post_id = a.post_id JOIN revisions AS r ON r.post_id = p.post_id WHERE"
        " a.clinic_id = ? AND a.address = ? AND r.body_text IS NOT NULL ORDER BY r.captured_at, r.revision_id",
        [clinic_id, address],
    ).fetchall()
    return [
        Text(f"{post_path(clinic_id, slug, post)}/{stamp(at, content)}", title, body, text_sha256(body), content)
        for slug, post, at, title, body, content in found
    ]


class Texts:
    """The texts of an archive's posts; those of the post that was asked for last are held."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._last: tuple[tuple[str, str], Sequence[Text]] | None = None

    def of(self, clinic_id: str, address: str) -> Sequence[Text]:
        """Return what `texts_of` does."""
        key = (clinic_id, address)
        if self._last is None or self._last[0] != key:
            self._last = (key, texts_of(self._db, clinic_id, address))
        return self._last[1]

    def exact(self, clinic_id: str, address: str, sha256: str) -> Text | None:
        """Return the text of that hash; None where the post has none."""
        return next((text for text in self.of(clinic_id, address) if text.text_sha256 == sha256), None)
