"""What takedowns leave behind: that something is withdrawn, of which kind and when, but not what."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:  # a site's process for one file imports this, and no more than that needs
    from sqlite_utils import Database


def path_sha256(clinic_id: str, slug: str) -> str:
    """Return the hash of a post's address on the archive's site, "riverside/sleep", by which it is known as gone."""
    return hashlib.sha256(f"{clinic_id}/{unquote(slug)}".encode("utf-8", "surrogatepass")).hexdigest()


def save_withdrawal(db: Database, row: tuple[str, str, str, str, str, str | None], permalinks: Iterable[str]) -> None:
    """Write a takedown: (takedown_id, clinic, kind, grade, day, due), and the hashes of the addresses that are gone."""
    columns = "takedown_id, clinic, kind, grade, day, due"
    db.conn.execute(f"INSERT INTO withdrawals ({columns}) VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING", row)
    db.conn.executemany(
        "INSERT INTO withdrawn_permalinks (clinic, path_sha256, takedown_id) VALUES (?,?,?) ON CONFLICT DO NOTHING",
        [(row[1], sha256, row[0]) for sha256 in permalinks],
    )


def save_purge(db: Database, takedown_ids: Iterable[str], day: str) -> None:
    """Write the day on which takedowns were purged; of one that was purged before, the first."""
    save = "UPDATE withdrawals SET purged = ? WHERE takedown_id = ? AND purged IS NULL"
    db.conn.executemany(save, [(day, takedown_id) for takedown_id in takedown_ids])


def blocked_clinics(db: Database) -> set[str]:
    """Return the clinics that are withdrawn and never to be visited."""
    find = "SELECT clinic FROM withdrawals WHERE kind = 'clinic' AND grade <> 'hide'"
    return {row[0] for row in db.execute(find).fetchall()}


def withdrawn_here(db: Database, clinic_id: str) -> set[str]:
    """Return the ids of the takedowns that hold at a clinic, as far as its rows were made since."""
    find = "SELECT takedown_id FROM withdrawals WHERE clinic = ?"
    return {row[0] for row in db.execute(find, [clinic_id]).fetchall()}


def withdrawn_texts(db: Database) -> Callable[[str, str], bool]:
    """Return whether a text is of a withdrawn post, by its clinic and its permalink, as rows of studies name it.

    Raises `sqlite3.Error`.
    """
    gone = set(db.execute("SELECT clinic, path_sha256 FROM withdrawn_permalinks").fetchall())
    whole = {row[0] for row in db.execute("SELECT clinic FROM withdrawals WHERE kind = 'clinic'").fetchall()}

    def is_withdrawn(clinic_id: str, permalink: str) -> bool:
        parts = [part for part in urlsplit(permalink).path.split("/") if part] if gone else []
        return clinic_id in whole or any((clinic_id, path_sha256(clinic_id, part)) in gone for part in parts)

    return is_withdrawn
