"""Which requests the site answers: only GET and HEAD, under its own names, and no data for the pages of other sites.

A page of another site can make a browser send requests to this one, and by DNS rebinding even under a name of that
site. So the Host header must name this machine or the public address. Browsers say in the headers of Fetch Metadata
(https://www.w3.org/TR/fetch-metadata/) and in Origin whether another site's page is the cause of a request: then only
opening a page of this site is allowed, whose content the other site cannot read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# Set by `clinic-archive serve --base-url`.
BASE_URL = "CLINIC_ARCHIVE_BASE_URL"
METHODS = ("GET", "HEAD")
LOCAL_NAMES = {"127.0.0.1", "localhost", "::1"}
# 127.0.0.1, archive.example:8001, [::1]:8001
_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>\d{1,5}))?")
# Arguments that hold SQL, or ask for a page of up to a thousand rows or values of a facet.
SQL = {"sql", "_where"}
HEAVY = {*SQL, "_size", "_facet_size"}
# Characters of SQL in one address, and blanks in a row: the time that Datasette needs to look at it, while no other
# request is answered, grows with the square of their number.
LONGEST_SQL, MAX_BLANKS = 10_000, 200
_BLANKS = re.compile(r"\s+")
# "/archive/posts.csv", "/-/kwic.json", "/riverside/sleep/compare.json"
_FILE = re.compile(r"\.(?:csv|xlsx)$|^/-/(?:edits|kwic|search)\.json$|^/[^/]+/[^/]+/compare\.json$")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused: the status of the answer, its text, and a header that belongs to the status."""

    status: int
    why: str
    header: tuple[str, str] | None = None


def base_url() -> str | None:
    """Return the public address without a slash at its end, such as https://archive.example; None without one."""
    return os.environ.get(BASE_URL) or None


def refusal(scope: Mapping[str, Any]) -> Refusal | None:
    """Return why a request (an ASGI scope of type http) is refused; None if it is answered."""
    if scope["method"] not in METHODS:
        return Refusal(405, f"This site answers only {' and '.join(METHODS)}.", ("Allow", ", ".join(METHODS)))
    hosts = headers(scope, b"host")
    if len(hosts) != 1 or not _is_own(hosts[0]):
        known = ", ".join(sorted(LOCAL_NAMES)) + (f" and {urlsplit(base).netloc}" if (base := base_url()) else "")
        return Refusal(
            400,
            f"This site does not answer under that name, only as {known}. `clinic-archive serve --base-url URL` names"
            " its public address.",
        )
    if not (scope.get("raw_path") or b"").isascii():
        return Refusal(400, "The address has characters that must be percent-encoded.")
    if _is_foreign(scope, hosts[0]):
        return Refusal(403, "This is an answer to a page of another site, and no such page may use this one's data.")
    typed = [value for name, value in arguments(scope) if name in SQL]
    if sum(map(len, typed)) > LONGEST_SQL:
        return Refusal(400, f"SQL of more than {LONGEST_SQL:,} characters is not run here. Write a shorter query.")
    for value in typed:
        if max(map(len, _BLANKS.findall(value)), default=0) > MAX_BLANKS:
            return Refusal(400, f"SQL with more than {MAX_BLANKS} blanks in a row is not run here. Leave them out.")
        # pragma_database_list() gives the path of the file, others change what a connection does.
        if "pragma" in value.lower():
            return Refusal(400, "SQL with the word pragma is not run here. /archive lists tables and columns.")
    return None


def is_heavy(scope: Mapping[str, Any]) -> bool:
    """Whether a request brings its own SQL, or asks for a file or a very long page."""
    return is_file(scope) or any(name in HEAVY for name, _ in arguments(scope))


def brings_sql(scope: Mapping[str, Any]) -> bool:
    """Whether a request brings its own SQL."""
    return any(name in SQL for name, _ in arguments(scope))


def is_file(scope: Mapping[str, Any]) -> bool:
    """Whether a request asks for a file."""
    return bool(_FILE.search(scope["path"]))


def scheme(scope: Mapping[str, Any]) -> str:
    """Return the scheme of the site's address: under its public name the one of that, whatever a proxy uses."""
    base = urlsplit(base_url() or "")
    hosts = headers(scope, b"host")
    return base.scheme if base.netloc and hosts[:1] == [base.netloc] else str(scope["scheme"])


def headers(scope: Mapping[str, Any], name: bytes) -> list[str]:
    """Return the values of a header."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


def arguments(scope: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values of the query, as Datasette reads them."""
    return parse_qsl((scope.get("query_string") or b"").decode("latin-1"), keep_blank_values=True)


def _is_own(host: str) -> bool:
    """Whether a Host header names this machine, with any port, or the public address."""
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match["name"].strip("[]").lower()
    base = urlsplit(base_url() or "")
    return name in LOCAL_NAMES or (bool(base.hostname) and name == base.hostname)


def _is_foreign(scope: Mapping[str, Any], host: str) -> bool:
    """Whether another site's page is the cause of a request, and does not just open a page of this site.

    "same-site" is foreign, too: other ports of localhost are other programs.
    """
    (site, mode, target) = (
        next(iter(headers(scope, name)), "") for name in (b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest")
    )
    if site in ("cross-site", "same-site") and (mode, target) != ("navigate", "document"):
        return True
    origins = headers(scope, b"origin")
    allowed = {f"http://{host}", f"https://{host}", base_url()}
    return any(origin not in allowed for origin in origins)
