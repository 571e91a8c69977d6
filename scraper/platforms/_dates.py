"""Dates of pages: as machines write them (ISO 8601), and as pages print them in some two dozen languages.

Pure functions of what a page prints and of when it was captured. A date that cannot be told is `None`, never a guess.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

from scraper.platforms._values import clean, western_digits

# The languages tried after the page's own, the ones Wix sites were seen in first.
_LANGUAGES = (
    "en", "es", "pt", "nl", "ar", "de", "cs", "fr", "it", "pl", "sv", "da", "nb", "fi", "he", "ja", "ko", "zh", "ru",
    "uk", "tr", "ro", "hu", "el",
)  # fmt: skip
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
    return None if found.startswith(_ZERO_DAY) or found in _ZEROS else found


def read_date(text: str | None, captured_at: datetime | None = None, language: str | None = None) -> str | None:
    """Return the date of a printed text, with the precision of the text; `None` where it holds no date.

    ISO 8601 as in `iso_date`. "Feb 1, 2019", "9 sept 2021", "٦ مايو ٢٠٢١" give a bare date. "Sep 11" is of the year of
    `captured_at`, or of the year before if it would be in the future; "5 hours ago" is a bare date counted from
    `captured_at`. Without `captured_at` those two are `None`: a date is never guessed. `language` is the page's.
    """
    exact = iso_date(text)
    printed = clean(text)
    if exact is not None or printed is None or len(printed) > 60:
        return exact
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
def _parse_date(printed: str, base: datetime | None, languages: tuple[str, ...]) -> str | None:
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
        return found.date().isoformat() if found else None
    if base is None:
        return None
    found = parse(["absolute-time"], ["day", "month"])
    if found is not None:
        day = found.date()
        if day > base.date():
            try:
                day = day.replace(year=base.year - 1)
            except ValueError:  # 29 February
                return None
        return day.isoformat()
    found = parse(["relative-time"], [])
    return found.date().isoformat() if found is not None and found <= base else None
