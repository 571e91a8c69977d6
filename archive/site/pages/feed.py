"""Atom feeds (RFC 4287) of new posts and of edits, of one clinic or all. Entries link to pages of this site."""

from __future__ import annotations

import sqlite3
from xml.etree import ElementTree as ET

from archive.listings.edits import Edits
from archive.site.pages._rows import Row, rows
from archive.site.pages.permalinks import post_path, stamp

MAX_ENTRIES = 50
MAX_CHARACTERS = 1_000  # of the words that an edit removed, or added
_ATOM = "http://www.w3.org/2005/Atom"
# Characters that XML 1.0 does not allow: control characters other than tab and line ends, U+FFFE, U+FFFF.
_NO_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])


def new_posts(connection: sqlite3.Connection, clinic_id: str | None) -> list[Row]:
    """Return the posts that this archive saw last for the first time, newest first. Raises `sqlite3.Error`."""
    return rows(
        connection,
        "SELECT p.clinic_id, c.name AS clinic, p.slug, p.platform_post_id, p.title, p.excerpt, p.author,"
        " p.published_at, p.first_seen_at AS at, p.url, '' AS stamp FROM posts AS p JOIN clinics AS c USING (clinic_id)"
        " WHERE ? IS NULL OR p.clinic_id = ? ORDER BY p.first_seen_at DESC, p.published_at DESC LIMIT ?",
        (clinic_id, clinic_id, MAX_ENTRIES),
    )


def edits(connection: sqlite3.Connection, clinic_id: str | None) -> list[Row]:
    """Return the newest edits (revisions of kind `content`) by when they were first seen. Raises `sqlite3.Error`."""
    found = rows(
        connection,
        "SELECT p.clinic_id, c.name AS clinic, p.slug, p.platform_post_id, p.title, p.author, p.published_at, p.url,"
        " r.captured_at AS at, r.content_sha256, w.removed, w.added, w.kind AS changed,"
        " (SELECT max(s.seen_at) FROM sightings AS s JOIN revisions AS o ON"
        " o.revision_id = s.revision_id WHERE s.post_id = r.post_id AND o.source = r.source AND s.seen_at <"
        " r.captured_at) AS changed_after FROM revisions AS r JOIN"
        " posts AS p USING (post_id) JOIN clinics AS c USING (clinic_id) LEFT JOIN cache_edits AS w ON w.revision_id ="
        " r.revision_id WHERE r.kind = 'content' AND (? IS NULL OR"
        " p.clinic_id = ?) ORDER BY r.captured_at DESC LIMIT ?",
        (clinic_id, clinic_id, MAX_ENTRIES),
    )
    for edit in found:
        edit["stamp"] = stamp(edit["at"], edit["content_sha256"])
        edit["excerpt"] = f"Changed between {edit['changed_after'] or 'an unknown time'} and {edit['at']}{_words(edit)}"
    return found


def edits_about(connection: sqlite3.Connection, wanted: Edits) -> list[Row]:
    """Return the newest of the edits that a listing selects. Raises `sqlite3.Error`."""
    found, _ = wanted.page(connection, MAX_ENTRIES)
    for edit in found:
        after = edit["old_last_seen_at"] or "an unknown time"
        edit |= {
            "at": edit["new_first_seen_at"],
            "stamp": stamp(edit["new_at"], edit["new_sha256"]),
            "author": None,
            "excerpt": f"Changed between {after} and {edit['new_first_seen_at']}{_words(edit)}",
        }
    return found


def _words(edit: Row) -> str:
    """Return what an edit removed and added as sentences; "" where `derive` has not found it yet, or there is none."""
    parts = [(label, edit[name]) for label, name in (("Removed", "removed"), ("Added", "added")) if edit[name]]
    if not parts:
        return f". No word went or came ({edit['changed']})." if edit["changed"] else ""
    return "." + "".join(f" {label}: {_shortened(text)}." for label, text in parts)


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"


def atom_feed(title: str, home: str, feed_url: str, entries: list[Row]) -> bytes:
    """Return a feed as XML. `home` is the site's URL without a slash at the end, `feed_url` that of the feed."""
    ET.register_namespace("", _ATOM)
    feed = ET.Element(f"{{{_ATOM}}}feed")
    _add(feed, "title", title)
    _add(feed, "id", feed_url)
    _add(feed, "updated", max((entry["at"] for entry in entries), default="1970-01-01T00:00:00Z"))
    ET.SubElement(feed, f"{{{_ATOM}}}link", rel="self", href=feed_url)
    ET.SubElement(feed, f"{{{_ATOM}}}link", href=f"{home}/")
    for entry in entries:
        element = ET.SubElement(feed, f"{{{_ATOM}}}entry")
        path = post_path(entry["clinic_id"], entry["slug"], entry["platform_post_id"])
        url = f"{home}{path}/{entry['stamp']}" if entry["stamp"] else f"{home}{path}"
        _add(element, "title", entry["title"] or "(no title)")
        _add(element, "id", url)
        _add(element, "updated", entry["at"])
        ET.SubElement(element, f"{{{_ATOM}}}link", href=url)
        if entry["url"]:
            ET.SubElement(element, f"{{{_ATOM}}}link", rel="via", href=entry["url"].translate(_NO_XML))
        author = ET.SubElement(element, f"{{{_ATOM}}}author")
        _add(author, "name", entry["author"] or entry["clinic"])
        if entry["excerpt"]:
            _add(element, "summary", entry["excerpt"])
    xml: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return xml


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}{name}").text = text.translate(_NO_XML)
