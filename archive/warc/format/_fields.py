"""The named fields of a record as values: its id, its date, what was blanked, a block of application/warc-fields."""

import re
import uuid
from datetime import UTC, datetime, timedelta

from archive.warc.format._frame import RawRecord


class Unusable(Exception):
    """Why a record that can be read cannot be a capture."""


def record_id(frame: RawRecord) -> str:
    """Return the UUID of WARC-Record-ID (`uuid_of`). Raises Unusable where there is none."""
    text = frame.get("WARC-Record-ID")
    if not text:
        raise Unusable("no WARC-Record-ID")
    return uuid_of(text)


def uuid_of(text: str) -> str:
    """Return the UUID of a record id; for an id that is none, a UUID derived from it."""
    text = text.strip().removeprefix("<").removesuffix(">")
    try:
        return str(uuid.UUID(text.lower().removeprefix("urn:uuid:")))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def url_of(text: str | None) -> str:
    """Return the URL of a field; wget 1.19 wrote it in angle brackets."""
    return (text or "").removeprefix("<").removesuffix(">")


def derived_id(file: str, offset: int) -> str:
    """Return the id of a record whose own id another record has already: a UUID of its place.

    `file`: relative to the archive. It is the same in an import and in each rebuild.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{file}:{offset}"))


def warc_date(text: str | None) -> datetime:
    """Return a WARC date in UTC (WARC 1.1, 5.4: from a year alone to nanoseconds), cut to microseconds.

    Raises Unusable for any other text.
    """
    return dates_of(text)[0]


# "2019-03-01T09:30:00.123456Z": each part after the year may be absent
_DATE = re.compile(r"\d{4}(-\d\d)?(-\d\d)?([T ]\d\d:\d\d)?(:\d\d)?([.,]\d+)?")


def dates_of(text: str | None) -> tuple[datetime, datetime]:
    """Return the first and the last moment (UTC) that a WARC date may mean: "2019-03" is a month.

    Raises Unusable for a text that is none.
    """
    text = (text or "").strip()
    given = _DATE.match(text)
    month, day, minute, second, fraction = given.groups() if given else (None,) * 5
    try:
        at = datetime.fromisoformat(f"{text}-01-01"[:10] if re.fullmatch(r"\d{4}(-\d\d)?", text) else text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        if fraction:
            return at, at
        longest = 1 if second else 60 if minute else 86_400 if day else 31 * 86_400 if month else 366 * 86_400
        return at, at + timedelta(seconds=longest, microseconds=-1)
    except (ValueError, OverflowError) as error:
        raise Unusable(f"no readable WARC-Date: {text[:60]!r}") from error


def blanked_in(frame: RawRecord) -> list[str]:
    """Return the names that X-Archive-Blanked lists."""
    return [name for part in (frame.get("X-Archive-Blanked") or "").split(",") if (name := part.strip())]


def warc_fields(frame: RawRecord) -> dict[str, str]:
    """Return the block of a record as application/warc-fields, name to value."""
    fields = {}
    for line in frame.block.decode("utf-8", "replace").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip()] = value.strip()
    return fields
