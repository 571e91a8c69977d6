"""Addresses of posts and of their revisions on the site; they stay valid after import, rebuild and rename.

`/CLINIC/SLUG` is a post, `/CLINIC/SLUG/20260301093000-0123abcd` one of its revisions: the second of its capture (UTC)
and the first 8 digits of the hash of its text. A slug is looked up among all addresses that a post ever had.
"""

from __future__ import annotations

import sqlite3
from urllib.parse import quote, unquote

from archive.rows.withdrawals import path_sha256
from archive.site.pages._rows import Row, row, rows


def post_path(clinic_id: str, slug: str | None, platform_post_id: str | None = None) -> str:
    """Return the path of a post's page; a post without a slug is addressed by the platform's id."""
    return f"/{quote(clinic_id, safe='')}/{quote(unquote(slug or platform_post_id or '-'), safe='')}"


def stamp(captured_at: str, content_sha256: str) -> str:
    """Return the name of a revision: "2026-03-01T09:30:00.5Z" and "0123abcd..." give "20260301093000-0123abcd"."""
    return "".join(character for character in captured_at[:19] if character.isdigit()) + f"-{content_sha256[:8]}"


def find_posts(connection: sqlite3.Connection, clinic_id: str, slug: str) -> list[int]:
    """Return the ids of the posts that have this slug; if none has it now, of those that once had it.

    A blog may give one slug to several posts: posts that are not removed come first. Raises `sqlite3.Error`.
    """
    spellings = tuple({slug, unquote(slug), quote(unquote(slug), safe="")})
    marks = ",".join("?" * len(spellings))
    found = rows(
        connection,
        f"SELECT post_id FROM posts WHERE clinic_id = ? AND slug IN ({marks}) ORDER BY removed_at IS NOT NULL, post_id",
        (clinic_id, *spellings),
    )
    if not found:
        # Earlier addresses: "https://site.example/post/old-name", with or without a slash at the end, or a platform's
        # id such as "wix:6b04".
        likes = " OR ".join(["rtrim(address, '/') LIKE ? ESCAPE '\\' OR address LIKE ? ESCAPE '\\'"] * len(spellings))
        ends = [end for spelling in spellings for end in (f"%/{_literal(spelling)}", f"%:{_literal(spelling)}")]
        found = rows(
            connection,
            "SELECT DISTINCT post_id FROM post_addresses WHERE clinic_id = ? AND post_id IS NOT NULL AND"
            f" ({likes}) ORDER BY post_id",
            (clinic_id, *ends),
        )
    return [post["post_id"] for post in found]


def find_revision(connection: sqlite3.Connection, posts: list[int], name: str) -> Row | None:
    """Return ids of the revision of one of these posts that a stamp names; None if there is none.

    Raises `sqlite3.Error`.
    """
    day, _, sha = name.partition("-")
    # "20260301093000" becomes "2026-03-01T09:30:00", the beginning of `captured_at`.
    at = f"{day[:4]}-{day[4:6]}-{day[6:8]}T{day[8:10]}:{day[10:12]}:{day[12:14]}"
    return row(
        connection,
        f"SELECT revision_id, post_id FROM revisions WHERE post_id IN ({','.join('?' * len(posts))}) AND captured_at"
        " >= ? AND captured_at < ? || '~' AND substr(content_sha256, 1, 8) = ? ORDER BY revision_id LIMIT 1",
        (*posts, at, at, sha),
    )


def is_withdrawn(connection: sqlite3.Connection, clinic_id: str, slug: str) -> bool:
    """Return whether the address is that of a post that was withdrawn: its hash is stored. Raises `sqlite3.Error`."""
    find = "SELECT 1 AS found FROM withdrawn_permalinks WHERE clinic = ? AND path_sha256 = ?"
    return row(connection, find, (clinic_id, path_sha256(clinic_id, slug))) is not None


def _literal(text: str) -> str:
    """Escape the wildcards of LIKE."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
