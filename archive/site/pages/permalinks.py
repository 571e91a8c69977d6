"""Addresses of posts and of their wordings on the site, which stay true after import, rebuild and rename.

`/CLINIC/SLUG` is a post, `/CLINIC/SLUG/20260301093000-0123abcd` one of its wordings: the second in which it was
captured and the first digits of its text's hash. A slug is looked for among all addresses that a post ever had.
"""

from __future__ import annotations

import sqlite3
from urllib.parse import quote, unquote

from archive.site.pages._rows import Row, row, rows


def post_path(clinic_id: str, slug: str | None, platform_post_id: str | None = None) -> str:
    """The path of a post; one without a slug goes by the platform's id."""
    return f"/{quote(clinic_id, safe='')}/{quote(unquote(slug or platform_post_id or '-'), safe='')}"


def stamp(captured_at: str, content_sha256: str) -> str:
    """What names a wording: "2026-03-01T09:30:00.5Z" and "0123abcd..." give "20260301093000-0123abcd"."""
    return "".join(one for one in captured_at[:19] if one.isdigit()) + f"-{content_sha256[:8]}"


def find_posts(connection: sqlite3.Connection, clinic_id: str, slug: str) -> list[int]:
    """The posts that have this slug, or once had: present slugs first. Several, where a blog gave one to two posts.

    Raises `sqlite3.Error`.
    """
    wanted = tuple({slug, unquote(slug), quote(unquote(slug), safe="")})
    marks = ",".join("?" * len(wanted))
    found = rows(
        connection,
        f"SELECT post_id FROM posts WHERE clinic_id = ? AND slug IN ({marks}) ORDER BY removed_at IS NOT NULL, post_id",
        (clinic_id, *wanted),
    )
    if not found:
        # Once had: "https://site.example/post/old-name", with or without a slash at the end; or the platform's id.
        likes = " OR ".join(["rtrim(address, '/') LIKE ? ESCAPE '\\' OR address LIKE ? ESCAPE '\\'"] * len(wanted))
        ends = [end for one in wanted for end in (f"%/{_literal(one)}", f"%:{_literal(one)}")]
        found = rows(
            connection,
            "SELECT DISTINCT post_id FROM post_addresses WHERE clinic_id = ? AND post_id IS NOT NULL AND"
            f" ({likes}) ORDER BY post_id",
            (clinic_id, *ends),
        )
    return [one["post_id"] for one in found]


def find_revision(connection: sqlite3.Connection, posts: list[int], name: str) -> Row | None:
    """The revision of one of the posts that a stamp names. Raises `sqlite3.Error`."""
    day, _, sha = name.partition("-")
    # "20260301093000" as the beginning of "2026-03-01T09:30:00"
    at = f"{day[:4]}-{day[4:6]}-{day[6:8]}T{day[8:10]}:{day[10:12]}:{day[12:14]}"
    return row(
        connection,
        f"SELECT revision_id, post_id FROM revisions WHERE post_id IN ({','.join('?' * len(posts))}) AND captured_at"
        " >= ? AND captured_at < ? || '~' AND substr(content_sha256, 1, 8) = ? ORDER BY revision_id LIMIT 1",
        (*posts, at, at, sha),
    )


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
