"""The list of all clinics: filtered and paged, since an archive may have thousands."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive.site.pages._rows import Row, rows

PER_PAGE = 50
SORTS = ("name", "posts", "last published", "last visit")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a visitor looks for: words in name, address or attributes, a platform, a state; '' for any."""

    words: str = ""
    platform: str = ""
    state: str = ""
    sort: str = "name"


def overview(connection: sqlite3.Connection) -> list[Row]:
    """Return the row of `clinics_overview` of each clinic, by name, with its attributes. Raises `sqlite3.Error`."""
    return rows(connection, "SELECT * FROM clinics_overview ORDER BY name COLLATE NOCASE, clinic_id")


def found(clinics: Sequence[Row], states: Mapping[str, str], wanted: Filter) -> list[Row]:
    """Return the clinics that a filter lets through, in its order, each with its state."""
    listed = [{**clinic, "state": states.get(clinic["clinic_id"], "not visited")} for clinic in clinics]
    words = wanted.words.casefold().split()
    listed = [
        clinic
        for clinic in listed
        if all(word in _text(clinic) for word in words)
        and wanted.platform in ("", platform(clinic))
        and wanted.state in ("", clinic["state"])
    ]
    keys = {"posts": "posts", "last published": "last_published_on", "last visit": "last_run_at"}
    key = keys.get(wanted.sort)
    return (
        sorted(listed, key=lambda clinic: clinic[key] or "" if key != "posts" else clinic["posts"], reverse=True)
        if key
        else listed
    )


def platform(clinic: Mapping[str, Any]) -> str:
    """Return what a clinic's site runs on; '' if that is not known."""
    return clinic["maker"] or clinic["platform"] or ""


def _text(clinic: Mapping[str, Any]) -> str:
    names = ("clinic_id", "name", "url", "attributes", "language")
    return " ".join(str(clinic[name] or "") for name in names).casefold()
