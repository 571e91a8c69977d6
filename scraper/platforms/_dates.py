"""Dates of pages: as machines write them (ISO 8601), and as pages print them in some two dozen languages.

Pure functions of what a page prints and of when it was captured. A date that cannot be told is `None`, never a guess.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

from scraper.platforms._values import clean, western_digits

# The languages tried after the page's own, the ones Wix sites were seen in first.
_LANGUAGES = (
    "en",
    "es",
    "pt",
    "nl",
    "ar",
    "de",
    "cs",
    "fr",
    "it",
    "pl",
    "sv",
    "da",
    "nb",
    "fi",
    "he",
    "ja",
    "ko",
    "zh",
    "ru",
    "uk",
    "tr",
    "ro",
    "hu",
    "el",
)
_ZERO_DAY = "0001-01-01"
_ZEROS = ("1970-01-01T00:00:00Z", "1970-01-01")
# "2019", "2019年": a year is printed
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
# "03/04/2019", "3.4.2019": day and month, in an order that depends on the language
_NUMERIC = re.compile(r"(\d{1,2})[/.\-]\s?(\d{1,2})[/.\-]\s?\d{4}")


def utc(moment: datetime) -> str:
    """Return a moment as the archive writes it, "2024-03-01T10:00:00Z": UTC, whole seconds."""
    # Not `strftime`: its `%Y` writes the year 987 with three digits on some systems.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def iso_date(text: str | None) -> str | None:
    """Return an ISO 8601 date as the archive writes it: "2024-03-01T10:00:00.123Z" gives "2024-03-01T10:00:00Z".

    Fractions of a second are dropped. A time without a zone is not a moment, so that only its date is returned. `None`
    for anything that is not ISO 8601, and for the zero of a program: the first day of the year 1, and the beginning of
    1970, where Unix counts from.
    """
    printed = clean(text)
    if printed is None or len(printed) > 40 or not printed[:4].isdecimal():
        return None
    try:
        if len(printed) == len("2019-02-01"):
            found = date.fromisoformat(printed).isoformat()
        else:
            moment = datetime.fromisoformat(printed)
            found = moment.date().isoformat() if moment.tzinfo is None else utc(moment)
    except (ValueError, OverflowError):
        return None
    return _known(found)


def _known(found: str) -> str | None:
    """Return the date, or None for the zero of a program."""
    return None if found.startswith(_ZERO_DAY) or found in _ZEROS else found


# "10:00", "9:05:07.5", "10:00:00 PM"; then a zone: "GMT", "+0200", "CEST", "UTC+02:00", "GMT (Greenwich Mean Time)"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?P<zone>[A-Za-z]{0,5}\s?(?:[+-]\d{1,2}:?(?:\d\d)?)?)(?:\s*\([^()]{0,60}\))?"
_DATE_FORMATS = (
    # "Fri, 01 Mar 2024 10:00:00 GMT" (RFC 822), "1 March 24", "01-Mar-2024 10:00"
    re.compile(
        r"(?:[^\W\d]{2,10}\.?,?\s)?(?P<day>\d{1,2})[\s-](?P<month>[A-Za-z]{3})[a-z]{0,6}\.?[\s-](?P<year>\d{4}|\d\d)"
        rf"(?:\s{_TIME}\s?{_ZONE})?"
    ),
    # "Fri Mar 1 10:00:00 2024" of C, "Fri Mar 01 10:00:00 CEST 2024" of Unix and Java
    re.compile(
        rf"(?:[A-Za-z]{{3,9}},?\s)?(?P<month>[A-Za-z]{{3}})[a-z]{{0,6}}\s(?P<day>\d{{1,2}})\s{_TIME}\s{_ZONE}\s?(?P<year>\d{{4}})"
    ),
    # ISO 8601 with the name of a zone, as in 2024-03-01 10:00:00 CEST
    re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[T\s]{_TIME}\s?{_ZONE}"),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Hours from UTC. The first eight are those of RFC 822; a name of several zones (BST, IST, AST) is none here.
_ZONES = {
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
    "UT": 0,
    "GMT": 0,
    "UTC": 0,
    "Z": 0,
    "WET": 0,
    "WEST": 1,
    "CET": 1,
    "CEST": 2,
    "MEZ": 1,
    "MESZ": 2,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "SAST": 2,
    "HKT": 8,
    "SGT": 8,
    "AWST": 8,
    "JST": 9,
    "KST": 9,
    "ACST": 9.5,
    "ACDT": 10.5,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
    "AKST": -9,
    "AKDT": -8,
    "HST": -10,
    "NST": -3.5,
    "NDT": -2.5,
}
# An offset: "UTC+02:00", "+0200", "GMT+2"
_OFFSET = re.compile(r"(?:UTC?|GMT)?\s?(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d\d)?")
_LARGEST_OFFSET = timedelta(hours=14)
# How far the calendar of a site may be ahead of UTC: on September 11 UTC, "Sep 12" is today there, or of last year.
_AHEAD = timedelta(days=1)


def feed_date(text: str | None) -> str | None:
    """Return the date of a feed's item as the archive writes it: RFC 822, ISO 8601, or the forms of C and Java.

    A time without a zone is not a moment, so that only its date is returned. `None` for any other form, for a time
    whose zone is not known or has the name of several zones, and for the zero of a program.
    """
    printed = clean(text)
    exact = iso_date(printed)
    if exact is not None or printed is None or len(printed) > 100:
        return exact
    found = next(filter(None, (form.fullmatch(printed) for form in _DATE_FORMATS)), None)
    return None if found is None else _of_form(found)


def _of_form(found: re.Match[str]) -> str | None:
    month, year, zone = found["month"].lower(), int(found["year"]), (found["zone"] or "").strip()
    if not month.isdigit() and month not in _MONTHS:
        return None
    number = int(month) if month.isdigit() else _MONTHS.index(month) + 1
    if len(found["year"]) == 2:
        year += 2000 if year < 50 else 1900  # RFC 5322 4.3
    offset, hour = _offset(zone), _hour(found)
    if hour is None or (zone and offset is None):
        return None
    try:
        time = hour, int(found["minute"] or 0), int(found["second"] or 0)
        moment = datetime(year, number, int(found["day"]), *time, tzinfo=timezone(offset or timedelta()))
        return _known(moment.date().isoformat() if offset is None else utc(moment))
    except (ValueError, OverflowError):
        return None


def _hour(found: re.Match[str]) -> int | None:
    """Return the hour from 0 to 23 of a time that may be AM or PM; None where it contradicts that."""
    hour, half = int(found["hour"] or 0), (found["half"] or "").lower()
    if not half or (half == "p" and 12 < hour < 24):
        return hour
    return None if hour > 12 else hour % 12 + (12 if half == "p" else 0)


def _offset(zone: str) -> timedelta | None:
    """Return the offset from UTC of a zone as feeds write it; None where it is not known, or out of bounds."""
    if zone.upper() in _ZONES:
        return timedelta(hours=_ZONES[zone.upper()])
    found = _OFFSET.fullmatch(zone.upper())
    if found is None:
        return None
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    return None if offset > _LARGEST_OFFSET else -offset if found["sign"] == "-" else offset


class PrintedDate(NamedTuple):
    """The date of a printed text.

    `is_relative`: it also depends on the day of the capture, as "Sep 11" and "3 days ago" do. `counted_to`: of a text
    of the second kind, the moment that is so long before the capture, ISO 8601 UTC: in the site's zone it may lie on
    another day than `at`, which is its day in UTC.
    """

    at: str
    is_relative: bool = False
    counted_to: str | None = None


def read_date(text: str | None, captured_at: datetime | None = None, language: str | None = None) -> str | None:
    """Return the date of a printed text, with the precision of the text; `None` where it holds no date.

    ISO 8601 as in `iso_date`. "Feb 1, 2019", "9 sept 2021", "٦ مايو ٢٠٢١" give a bare date. "Sep 11" is of the year of
    `captured_at`, or of the year before if it would be in the future (`None` on the day before, which may be the day
    itself in the site's zone); "5 hours ago" is a bare date counted from `captured_at`. Without `captured_at` those two
    are `None`: a date is never guessed. `language` is the page's.
    """
    found = printed_date(text, captured_at, language)
    return None if found is None else found.at


def printed_date(
    text: str | None, captured_at: datetime | None = None, language: str | None = None
) -> PrintedDate | None:
    """Return the date of a printed text as `read_date` does, and whether it depends on the day of the capture."""
    exact = iso_date(text)
    if exact is not None:
        return PrintedDate(exact)
    printed = clean(text)
    if printed is None or len(printed) > 60:
        return None
    printed = western_digits(printed)
    if not any(char.isdigit() for char in printed) and captured_at is None:
        return None
    own = (language or "").lower().split("-")[0]
    numeric = _NUMERIC.fullmatch(printed)
    if numeric and own in ("", "en") and int(numeric[1]) <= 12 and int(numeric[2]) <= 12 and numeric[1] != numeric[2]:
        return None  # "03/04/2019": March or April, the page does not say
    base = None if captured_at is None else captured_at.astimezone(UTC).replace(tzinfo=None)
    for languages in _language_attempts(own):
        found = _parse_date(printed, base, languages)
        if found is not None:
            return found
    return None


def _language_attempts(own: str) -> list[tuple[str, ...]]:
    """Return the languages to try: the page's alone, then all. "6 mar" must be read in the page's language first."""
    rest = tuple(language for language in _LANGUAGES if language != own)
    return [(own,), rest] if own in _LANGUAGES else [rest]


@lru_cache(maxsize=256)
def _parse_date(printed: str, base: datetime | None, languages: tuple[str, ...]) -> PrintedDate | None:
    import dateparser  # noqa: PLC0415  slow to load, and needed only by pages without a machine-readable date

    def parse(parsers: list[str], parts: list[str]) -> datetime | None:
        settings = {"PARSERS": parsers, "RETURN_AS_TIMEZONE_AWARE": False, "PREFER_DATES_FROM": "current_period"}
        if parts:
            settings["REQUIRE_PARTS"] = parts
        if base is not None:
            settings["RELATIVE_BASE"] = base
        try:
            return dateparser.parse(printed, languages=list(languages), settings=settings)
        except (ValueError, OverflowError, RecursionError):
            return None

    if _YEAR.search(printed):
        found = parse(["absolute-time"], ["day", "month", "year"])
        return PrintedDate(found.date().isoformat()) if found else None
    if base is None or base.date() > date.max - _AHEAD:  # a capture that claims the last day of all
        return None
    found = parse(["absolute-time"], ["day", "month"])
    if found is not None:
        day, ahead = found.date(), base.date() + _AHEAD
        if (day.month, day.day) == (ahead.month, ahead.day):  # of whichever year: on December 31 it is in the next
            return None
        if day > base.date():
            try:
                day = day.replace(year=base.year - 1)
            except ValueError:  # 29 February
                return None
        return PrintedDate(day.isoformat(), is_relative=True)
    found = parse(["relative-time"], [])
    if found is None or found > base:
        return None
    return PrintedDate(found.date().isoformat(), is_relative=True, counted_to=utc(found.replace(tzinfo=UTC)))
