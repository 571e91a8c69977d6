"""Atom feeds (RFC 4287) of new posts and of edits, of one clinic or all. Addresses in it are the site's own."""

from __future__ import annotations

import sqlite3
from xml.etree import ElementTree as ET

from archive.site.pages._rows import Row, rows
from archive.site.pages.permalinks import post_path, stamp

MOST = 50
_ATOM = "http://www.w3.org/2005/Atom"
# What XML 1.0 has no place for: control characters other than tab and line ends, U+FFFE, U+FFFF.
_NO_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])


def new_posts(connection: sqlite3.Connection, clinic_id: str | None) -> list[Row]:
    """The newest posts by when this archive first saw them. Raises `sqlite3.Error`."""
    return rows(
        connection,
        "SELECT p.clinic_id, c.name AS clinic, p.slug, p.platform_post_id, p.title, p.excerpt, p.author,"
        " p.published_at, p.first_seen_at AS at, p.url, '' AS stamp FROM posts AS p JOIN clinics AS c USING (clinic_id)"
        " WHERE ? IS NULL OR p.clinic_id = ? ORDER BY p.first_seen_at DESC, p.published_at DESC LIMIT ?",
        (clinic_id, clinic_id, MOST),
    )


def edits(connection: sqlite3.Connection, clinic_id: str | None) -> list[Row]:
    """The newest edits: wordings that a clinic changed, by when they were first seen. Raises `sqlite3.Error`."""
    found = rows(
        connection,
        "SELECT p.clinic_id, c.name AS clinic, p.slug, p.platform_post_id, p.title, p.author, p.published_at, p.url,"
        " r.captured_at AS at, r.content_sha256, (SELECT max(s.seen_at) FROM sightings AS s JOIN revisions AS o ON"
        " o.revision_id = s.revision_id WHERE s.post_id = r.post_id AND o.source = r.source AND s.seen_at <"
        " r.captured_at) AS changed_after FROM revisions AS r JOIN"
        " posts AS p USING (post_id) JOIN clinics AS c USING (clinic_id) WHERE r.kind = 'content' AND (? IS NULL OR"
        " p.clinic_id = ?) ORDER BY r.captured_at DESC LIMIT ?",
        (clinic_id, clinic_id, MOST),
    )
    for one in found:
        one["stamp"] = stamp(one["at"], one["content_sha256"])
        one["excerpt"] = f"Changed between {one['changed_after'] or 'an unknown time'} and {one['at']}"
    return found


def atom(title: str, home: str, own: str, entries: list[Row]) -> bytes:
    """A feed as XML. `home` is the site's address without a slash at the end, `own` the feed's."""
    ET.register_namespace("", _ATOM)
    feed = ET.Element(f"{{{_ATOM}}}feed")
    _add(feed, "title", title)
    _add(feed, "id", own)
    _add(feed, "updated", max((one["at"] for one in entries), default="1970-01-01T00:00:00Z"))
    ET.SubElement(feed, f"{{{_ATOM}}}link", rel="self", href=own)
    ET.SubElement(feed, f"{{{_ATOM}}}link", href=f"{home}/")
    for one in entries:
        entry = ET.SubElement(feed, f"{{{_ATOM}}}entry")
        path = post_path(one["clinic_id"], one["slug"], one["platform_post_id"])
        place = f"{home}{path}/{one['stamp']}" if one["stamp"] else f"{home}{path}"
        _add(entry, "title", one["title"] or "(no title)")
        _add(entry, "id", place)
        _add(entry, "updated", one["at"])
        ET.SubElement(entry, f"{{{_ATOM}}}link", href=place)
        if one["url"]:
            ET.SubElement(entry, f"{{{_ATOM}}}link", rel="via", href=one["url"].translate(_NO_XML))
        author = ET.SubElement(entry, f"{{{_ATOM}}}author")
        _add(author, "name", one["author"] or one["clinic"])
        if one["excerpt"]:
            _add(entry, "summary", one["excerpt"])
    xml: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return xml


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}{name}").text = text.translate(_NO_XML)
