"""What takedowns leave behind: that something is withdrawn, of which kind and when, but not what."""

from __future__ import annotations

from collections.abc import Iterable

from sqlite_utils import Database


def save_withdrawal(db: Database, row: tuple[str, str, str, str, str, str | None], permalinks: Iterable[str]) -> None:
    """Write a takedown: (takedown_id, clinic, kind, grade, day, due), and the hashes of the addresses that are gone."""
    columns = "takedown_id, clinic, kind, grade, day, due"
    db.conn.execute(f"INSERT INTO withdrawals ({columns}) VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING", row)
    db.conn.executemany(
        "INSERT INTO withdrawn_permalinks (clinic, path_sha256, takedown_id) VALUES (?,?,?) ON CONFLICT DO NOTHING",
        [(row[1], sha256, row[0]) for sha256 in permalinks],
    )


def blocked_clinics(db: Database) -> set[str]:
    """Return the clinics that are withdrawn and never to be visited."""
    find = "SELECT clinic FROM withdrawals WHERE kind = 'clinic' AND grade <> 'hide'"
    return {row[0] for row in db.execute(find).fetchall()}


def withdrawn_here(db: Database, clinic_id: str) -> set[str]:
    """Return the ids of the takedowns that hold at a clinic, as far as its rows were made since."""
    find = "SELECT takedown_id FROM withdrawals WHERE clinic = ?"
    return {row[0] for row in db.execute(find, [clinic_id]).fetchall()}
