"""Moments of the REST API: local times and UTC, both without a zone, of which WordPress sometimes prints one wrong.

WordPress formats `date_gmt` as if it were a local time. Where the clocks of the site's zone go forward, an hour of
local times does not exist, so that a UTC time of that hour is printed an hour late. `date`, the local time, is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from scraper.platforms._dates import iso_date
from scraper.platforms._json import string

_HOUR = timedelta(hours=1)
# The clocks go forward at night: times from 1:00 to 3:59 may be those that do not exist, moved by an hour.
_MOVED = range(1, 4)
_MONTHS = (3, 9, 10)  # in which clocks go forward, north and south of the equator


class LocalTimes:
    """The offsets from UTC that the rows of one answer have, by which a time that is an hour off is recognised."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._offsets = Counter(offset for row in rows if (offset := _offset(row, "date")) is not None)

    def moment(self, row: Mapping[str, Any], name: str) -> str | None:
        """Return `date` of a row in UTC; a bare date where the row has the local time alone; None without any.

        A time is an hour off where its offset occurs in no other row, the one an hour larger does, and the time lies
        in an hour of a Sunday in which clocks go forward.
        """
        gmt = _naive(row, f"{name}_gmt")
        if gmt is None:
            return iso_date(string(row.get(name))[:10])
        offset = _offset(row, name)
        is_odd = offset is not None and self._offsets[offset] == 1 and self._offsets[offset + _HOUR] > 1
        if is_odd and gmt.weekday() == 6 and gmt.hour in _MOVED and gmt.month in _MONTHS:
            gmt -= _HOUR
        return iso_date(gmt.replace(tzinfo=UTC).isoformat())


def _offset(row: Mapping[str, Any], name: str) -> timedelta | None:
    local, gmt = _naive(row, name), _naive(row, f"{name}_gmt")
    return None if local is None or gmt is None else local - gmt


def _naive(row: Mapping[str, Any], name: str) -> datetime | None:
    """Return a time without a zone; None for none, and for the zero of MySQL ("0000-00-00T00:00:00")."""
    try:
        return datetime.fromisoformat(string(row.get(name))).replace(tzinfo=None)
    except ValueError:
        return None
