"""What an operator means by a URL, a comment's id, a pseudonym or a clinic's slug, and which rows belong to it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from sqlite_utils import Database

from archive.site.pages.permalinks import find_posts
from pipelines.takedown.marks import address_values, post_values
from scraper.addresses import post_key


class UnknownSubject(Exception):
    """The archive has nothing of that name, or several things; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A post, a comment, a person or a clinic of the archive."""

    clinic_id: str
    kind: str  # clinic, comments, post, comment, person
    values: frozenset[str] = frozenset()  # as `pipelines.takedown.marks` takes them
    slugs: tuple[str, ...] = ()  # of a post
    rows: dict[str, int] = field(default_factory=dict)  # numbers of the rows that go, by table
    names: tuple[str, ...] = ()  # the addresses of a post; the platform's ids of a comment, or of a person's comments


def find_subject(db: Database, text: str, clinic_id: str | None = None) -> Subject:
    """Return what the text names; `clinic_id`: where to look. Raises `UnknownSubject`, `sqlite3.Error`."""
    known = {row[0]: row[1] for row in db.execute("SELECT clinic_id, url FROM clinics").fetchall()}
    if clinic_id is not None and clinic_id not in known:
        raise UnknownSubject(f"no clinic {clinic_id} in this archive; it has {', '.join(sorted(known)) or 'none'}")
    if text in known:
        return Subject(text, "clinic", rows=_of_clinic(db, text))
    if "://" in text or text.startswith("/"):
        return _post(db, text, known, clinic_id)
    if text.startswith("reader-"):
        return _person(db, text, clinic_id)
    return _comment(db, text, clinic_id)


def comments_of(db: Database, clinic_id: str) -> Subject:
    """Return all comments of a clinic. Raises `UnknownSubject`, `sqlite3.Error`."""
    if db.execute("SELECT 1 FROM clinics WHERE clinic_id = ?", [clinic_id]).fetchone() is None:
        raise UnknownSubject(f"{clinic_id}: no clinic of this archive; --comments wants a clinic's slug")
    number = _count(db.conn, "comments", "clinic_id", clinic_id)
    return Subject(clinic_id, "comments", rows=_nonzero({"comments": number}))


def _post(db: Database, url: str, known: dict[str, str], clinic_id: str | None) -> Subject:
    front = [name for name, home in known.items() if post_key(home) == post_key(url)]
    if front:
        raise UnknownSubject(f"{url} is a front page; to withdraw the whole clinic, name it: {front[0]}")
    key, posts = post_key(url), set[tuple[str, int]]()
    find_all = "SELECT clinic_id, post_id, address FROM post_addresses WHERE kind = 'url' AND post_id IS NOT NULL"
    for name, post_id, address in db.execute(find_all).fetchall():
        if post_key(address) == key:
            posts.add((name, post_id))
    parts = [unquote(part) for part in urlsplit(url).path.split("/") if part]
    if not posts and len(parts) in (2, 3) and parts[0] in known:  # an address of the archive's own site
        posts = {(parts[0], post_id) for post_id in find_posts(db.conn, parts[0], parts[1])}
    posts = {each for each in posts if clinic_id in (None, each[0])}
    if not posts:
        raise UnknownSubject(f"no post of this archive has the address {url}; copy it from the post's page on the site")
    if len(posts) > 1:
        names = ", ".join(sorted({name for name, _ in posts}))
        raise UnknownSubject(f"{url} is an address of several posts ({names}); name one by its permalink or --clinic")
    ((name, post_id),) = posts
    rows = db.execute("SELECT address FROM post_addresses WHERE post_id = ?", [post_id]).fetchall()
    addresses = [address for (address,) in rows]
    slug, own, thread = db.execute(
        "SELECT slug, url, comment_thread FROM posts WHERE post_id = ?", [post_id]
    ).fetchone()
    addresses += [each for each in (own, thread) if each]
    last = (address_values(each)[:1] if "://" in each else [each.partition(":")[2]] for each in addresses)
    slugs = dict.fromkeys(filter(None, [slug, *(name for names in last for name in names)]))
    return Subject(
        name, "post", frozenset(post_values(addresses)), tuple(slugs), _of_post(db, post_id), tuple(addresses)
    )


def _person(db: Database, pseudonym: str, clinic_id: str | None) -> Subject:
    find_all = "SELECT clinic_id, count(*) FROM comments WHERE author = ? GROUP BY clinic_id"
    found = [row for row in db.execute(find_all, [pseudonym]).fetchall() if clinic_id in (None, row[0])]
    if not found:
        raise UnknownSubject(f"no comment of this archive is by {pseudonym}")
    ((name, number),) = found
    # By their ids, too: a page prints the comments that a service gives, with less of who wrote them.
    theirs = "SELECT platform_comment_id FROM comments WHERE clinic_id = ? AND author = ?"
    comments = tuple(comment for (comment,) in db.execute(theirs, [name, pseudonym]).fetchall())
    values = {f"person {pseudonym}", *(f"comment {comment}" for comment in comments)}
    return Subject(name, "person", frozenset(values), rows={"comments": number}, names=comments)


def _comment(db: Database, text: str, clinic_id: str | None) -> Subject:
    find_all = "SELECT clinic_id, platform_comment_id FROM comments WHERE platform_comment_id = ?"
    found = db.execute(find_all, [text]).fetchall()
    if not found and text.isascii() and text.isdigit() and len(text) < 19:
        found = db.execute(find_all.replace("platform_comment_id = ?", "comment_id = ?"), [int(text)]).fetchall()
    found = [row for row in found if clinic_id in (None, row[0])]
    if not found:
        raise UnknownSubject(
            f"{text}: no clinic, post, comment or pseudonym of this archive; give a post's URL, a comment's id, a"
            " pseudonym such as reader-k3v5m7q2x4ab, or a clinic's slug"
        )
    if len(found) > 1:
        raise UnknownSubject(f"{text}: a comment at {', '.join(row[0] for row in found)}; choose one with --clinic")
    ((name, comment),) = found
    find_revisions = (
        "SELECT count(*) FROM comment_revisions JOIN comments USING (comment_id) WHERE clinic_id = ? AND"
        " platform_comment_id = ?"
    )
    (revisions,) = db.execute(find_revisions, [name, comment]).fetchone()
    rows = {"comments": 1, "comment_revisions": revisions}
    return Subject(name, "comment", frozenset({f"comment {comment}"}), rows=_nonzero(rows), names=(comment,))


def _of_post(db: Database, post_id: int) -> dict[str, int]:
    tables = ("revisions", "readings", "sightings", "comments", "absences", "post_changes")
    return _nonzero({"posts": 1, **{table: _count(db.conn, table, "post_id", post_id) for table in tables}})


def _of_clinic(db: Database, clinic_id: str) -> dict[str, int]:
    tables = ("posts", "comments", "captures", "clinic_runs")
    return _nonzero({"clinics": 1, **{table: _count(db.conn, table, "clinic_id", clinic_id) for table in tables}})


def _count(connection: sqlite3.Connection, table: str, column: str, value: object) -> int:
    (number,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", (value,)).fetchone()
    return int(number)


def _nonzero(rows: dict[str, int]) -> dict[str, int]:
    return {table: number for table, number in rows.items() if number}
