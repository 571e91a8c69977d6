"""What the lake's captures have beside their own columns: the columns of Common Crawl's index, by their names.

Source of the names: the table of https://github.com/commoncrawl/cc-index-table. Differences: `content_digest` is of
SHA-256 and says so; `crawl` is the run of this archive; columns that no capture of ours gives are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from courlan import extract_domain

TYPES = {
    "url_surtkey": "text",
    "url_host_name": "text",
    "url_host_tld": "text",
    "url_host_private_domain": "text",
    "url_protocol": "text",
    "url_port": "integer",
    "url_path": "text",
    "url_query": "text",
    "fetch_time": "timestamp",
    "fetch_status": "integer",
    "content_digest": "text",
    "content_mime_type": "text",
    "warc_filename": "text",
    "warc_record_offset": "integer",
    "warc_record_length": "integer",
    "crawl": "text",
    "subset": "text",
}
MEANINGS = {
    "url_surtkey": "URL with its host reversed, to sort by (SURT): com,example)/path",
    "url_host_name": "Host of the URL",
    "url_host_tld": "Last part of the host; NULL for an IP address",
    "url_host_private_domain": "Host below its public or private suffix: myblog.blogspot.com; NULL for others",
    "url_protocol": "Scheme of the URL: https or http",
    "url_port": "Port of the URL; NULL if the URL names none",
    "url_path": "Path of the URL",
    "url_query": "Query of the URL; NULL without one",
    "fetch_time": "Date of the capture, as fetched_at",
    "fetch_status": "HTTP status code, as http_status",
    "content_digest": "Digest of the response body: sha256: and 64 hexadecimal digits; NULL without a body",
    "content_mime_type": "Media type of the response, as mime",
    "warc_filename": "Path of the WARC file, as warc_file",
    "warc_record_offset": "Position of the record, as warc_offset",
    "warc_record_length": "Length of the compressed record, as warc_length",
    "crawl": "Run that made the capture, as crawl_id",
    "subset": "warc (a page: status 200), robotstxt (robots.txt) or crawldiagnostics (anything else)",
}
_SAME = {
    "fetch_time": "fetched_at",
    "fetch_status": "http_status",
    "content_mime_type": "mime",
    "warc_filename": "warc_file",
    "warc_record_offset": "warc_offset",
    "warc_record_length": "warc_length",
    "crawl": "crawl_id",
}
_PORTS = {"http": 80, "https": 443}


def index_values(columns: Sequence[str]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Return the function that gives the values of `TYPES`, in its order, of a row of captures with those columns."""
    url, digest, status = (columns.index(name) for name in ("url", "payload_sha256", "http_status"))
    place = {name: columns.index(same) for name, same in _SAME.items()}

    def values(row: tuple[Any, ...]) -> tuple[Any, ...]:
        parts = _parts(row[url] or "")
        subset = "robotstxt" if parts[6] == "/robots.txt" else "warc" if row[status] == 200 else "crawldiagnostics"
        return (
            *parts,
            row[place["fetch_time"]],
            row[status],
            None if row[digest] is None else f"sha256:{row[digest]}",
            *(row[place[name]] for name in list(_SAME)[2:]),
            subset,
        )

    return values


def _parts(url: str) -> tuple[Any, ...]:
    """Return key, host, its last part and domain, scheme, port, path and query; NULL for what is no URL."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:  # "http://[half"
        return (None,) * 8
    key, last, domain = _host(host or "")
    written = "" if port is None or _PORTS.get(parts.scheme) == port else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    surt = f"{key}{written}){parts.path or '/'}{query}".lower() if host else None
    return surt, host, last, domain, parts.scheme or None, port, parts.path or "/", parts.query or None


@lru_cache(maxsize=10_000)
def _host(host: str) -> tuple[str, str | None, str | None]:
    """Return a host reversed for sorting, its last part, and its domain; NULL for an IP address."""
    labels = host.split(".")
    if not host or ":" in host or labels[-1].isdigit():
        return host, None, None
    return ",".join(reversed(host.removeprefix("www.").split("."))), labels[-1], extract_domain(f"https://{host}/")
