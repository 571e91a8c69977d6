"""The answers of a web archive: lists of its captures (CDX), and the captures themselves as served (mementos).

The address of a capture is `BASE/web/YYYYMMDDhhmmssid_/URL`; `id_` requests the original bytes without rewriting. The
answer is a memento (RFC 7089) only if it has a Memento-Datetime: the archive's own pages, redirects and refusals have
none. Everything here is a pure function of recorded answers, so that a rebuild gives the same result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

from scraper.items import Exchange, Item, Problem

INTERNET_ARCHIVE = "https://web.archive.org"
# The header with the reason for a refusal, e.g. "...AdministrativeAccessControlException: Blocked Site Error"
RUNTIME_ERROR = "X-Archive-Wayback-Runtime-Error"
# "/web/20171124151315id_/https://www.example.com/", also without "id_" or with another flag
_MEMENTO_PATH = re.compile(r"/web/(\d{4,14})(?:[a-z]{2}_)?/(.+)", re.DOTALL)
# A link such as <https://www.example.com/post/a>; rel="original"
_ORIGINAL = re.compile(r"<([^>]*)>\s*;\s*rel=\"?original\"?", re.IGNORECASE)

Header = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Memento:
    """A capture of a web archive, as the site itself answered at that time."""

    url: str
    at: datetime  # aware, UTC
    exchange: Exchange


def memento_of(exchange: Exchange, header: Header, base: str) -> Memento | None:
    """Return the memento that an answer of the web archive at `base` contains; None for any other answer.

    `header` returns the value of a response header, or None.
    """
    date = header("Memento-Datetime")
    stamp_and_url = memento_target(exchange.url, base)
    if date is None or stamp_and_url is None:
        return None
    stamp, url = stamp_and_url
    original = _ORIGINAL.search(header("Link") or "")
    url = original[1] if original else url
    at = _date(date) or _stamped(stamp)
    if at is None:
        return None
    location = header("Location")
    target = memento_target(exchange.location or "", base) if location else None
    return Memento(
        url=url,
        at=at,
        exchange=replace(exchange, url=url, fetched_at=at, location=target[1] if target else exchange.location),
    )


def memento_target(url: str, base: str) -> tuple[str, str] | None:
    """Return (timestamp, URL) of a capture's address at the web archive; None for any other address."""
    if not url.startswith(base + "/"):
        return None
    match = _MEMENTO_PATH.match(url[len(base) :])
    return (match[1], match[2]) if match else None


def own_answer(exchange: Exchange, header: Header) -> tuple[Item, ...]:
    """Return the problem of an answer by the archive itself; none for lists, robots.txt and redirects."""
    match = _MEMENTO_PATH.search(urlsplit(exchange.url).path)
    blocked = header(RUNTIME_ERROR)
    if blocked and exchange.status in (403, 404) and "AccessControl" in blocked:
        kind, why = "blocked-capture", "the web archive does not show this capture (its owner asked for that)"
    elif match is None or 300 <= exchange.status < 400:
        return ()
    elif exchange.status == 404:
        kind, why = "no-capture", "the web archive has no such capture"
    elif exchange.status >= 400:
        kind, why = f"http-{exchange.status}", f"the web archive answered {exchange.status}"
    else:
        kind, why = "no-capture", "the web archive answered with a page of its own"
    return (Problem(kind=kind, message=f"{exchange.url}: {why}", url=exchange.url),)


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):  # "Fri, 31 Dec 9999 23:59:59 -0500" lies beyond the last year
        return None


def _stamped(text: str) -> datetime | None:
    """Return the time of "20171124151315"; None for a shorter stamp, whose rest would be a guess."""
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class CdxEntry:
    """A line of a CDX list: one capture."""

    timestamp: str  # 14 digits
    url: str
    status: str  # "200"; "-" where the archive does not state it
    digest: str


def cdx_url(base: str, site: str, first: str, last: str | None, limit: int, resume: str | None) -> str:
    """Return the address of a list of the captures of a site and everything below it, in the CDX server API.

    `first`, `last`: timestamps of 1 to 14 digits. `resume`: the key at the end of the previous page, unchanged.
    """
    parts = urlsplit(site)
    below = parts.path.strip("/")
    prefix = f"{parts.netloc}/{below}/" if below else parts.netloc
    query = f"url={quote(prefix, safe='')}&matchType={'prefix' if below else 'host'}&from={first}"
    query += f"&to={last}" if last else ""
    query += f"&limit={limit}&showResumeKey=true"
    return f"{base}/cdx/search/cdx?{query}" + (f"&resumeKey={quote(resume, safe='')}" if resume else "")


def read_cdx(body: bytes) -> tuple[list[CdxEntry], str | None]:
    """Return the captures of a list, and the key of its next page, which is the last line, after an empty one."""
    lines = body.decode("utf-8", "replace").splitlines()
    resume = None
    if len(lines) > 1 and not lines[-2].strip() and lines[-1].strip():
        resume, lines = lines[-1].strip(), lines[:-2]
    return list(_entries(lines)), resume


def _entries(lines: list[str]) -> Iterator[CdxEntry]:
    # A line such as: com,example)/post/a 20171124151315 https://www.example.com/post/a text/html 200 YTEQQR 12942
    for line in lines:
        fields = line.split(" ")
        if len(fields) >= 6 and len(fields[1]) == 14 and fields[1].isdigit():
            yield CdxEntry(timestamp=fields[1], url=fields[2], status=fields[4], digest=fields[5])
