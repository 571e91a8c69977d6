"""A web archive on loopback that answers as the Internet Archive does, in what a backfill meets of it."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, quote_plus, unquote_plus, urlsplit

SOFT = b"<!DOCTYPE html><html><head><title>Web archive</title></head><body>Loading ...</body></html>"
BLOCKED = "org.archive.util.io.RuntimeIOException: org.archive.wayback.exception.AdministrativeAccessControlException"


@dataclass(frozen=True)
class Captured:
    """What a page answered once."""

    stamp: str
    url: str
    body: bytes = b""
    status: int = 200
    location: str = ""  # of an archived redirect
    mime: str = "text/html; charset=utf-8"
    coding: str = ""  # Content-Encoding


@dataclass
class WebArchive:
    """The captures that are served, and how the server behaves."""

    captures: list[Captured] = field(default_factory=list)
    url: str = ""
    page: int = 1000  # lines of a list at most
    unlisted: set[str] = field(default_factory=set)  # stamps that are there and in no list
    missing: set[str] = field(default_factory=set)  # stamps that are listed and not there
    blocked: set[str] = field(default_factory=set)
    soft: set[str] = field(default_factory=set)  # an own page, with status 200
    moved: dict[str, str] = field(default_factory=dict)  # stamps that are shown at another
    busy: int = 0  # requests that are answered 429 before the next is served
    block_lists: bool = False
    asked: list[str] = field(default_factory=list)

    def mementos(self) -> list[str]:
        """Addresses of captures that were asked for."""
        return [path for path in self.asked if path.startswith("/web/")]


@contextmanager
def serving(archive: WebArchive, port: int = 0) -> Iterator[WebArchive]:
    """Serve it until the block ends; port 0 takes any free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            archive.asked.append(self.path)
            if self.path == "/robots.txt":
                self._send(200, b"User-agent: *\nDisallow: /account/\n", {"Content-Type": "text/plain"})
            elif archive.busy > 0:
                archive.busy -= 1
                self._send(429, b"slow down", {"Retry-After": "0"})
            elif self.path.startswith("/cdx/search/cdx?"):
                self._list(parse_qs(urlsplit(self.path).query))
            elif found := re.fullmatch(r"/web/(\d+)id_/(.+)", self.path):
                self._capture(found[1], found[2])
            else:
                self._send(404, b"no such page", {})

        def _list(self, query: dict[str, list[str]]) -> None:
            if archive.block_lists:
                self._send(403, BLOCKED.encode(), {"X-Archive-Wayback-Runtime-Error": BLOCKED})
                return
            first, last = query["from"][0], query.get("to", ["9"])[0]
            host = query["url"][0].split("/")[0]
            lines = [
                f"key {one.stamp} {one.url} text/html {one.status} {digest(one)} {len(one.body)}"
                for one in sorted(archive.captures, key=lambda one: (one.url, one.stamp))
                if first <= one.stamp <= last.ljust(14, "9") and host == urlsplit(one.url).netloc
                if one.stamp not in archive.unlisted
            ]
            start = int(unquote_plus(query["resumeKey"][0]).partition("!")[2]) if "resumeKey" in query else 0
            number = min(archive.page, int(query["limit"][0]))
            visible, left = lines[start : start + number], lines[start + number :]
            text = "".join(f"{line}\n" for line in visible)
            if left:
                text += f"\n{quote_plus(f'com,host)/ +key!{start + number}')}\n"
            self._send(200, text.encode(), {"Content-Type": "text/plain;charset=UTF-8"})

        def _capture(self, stamp: str, url: str) -> None:
            spelled = ((quote(one.url, safe="/:?=&%"), one) for one in archive.captures if one.stamp == stamp)
            one = next((one for spelling, one in spelled if spelling == url), None)
            if stamp in archive.blocked:
                self._send(403, b"blocked", {"X-Archive-Wayback-Runtime-Error": BLOCKED})
            elif stamp in archive.soft:
                self._send(200, SOFT, {"Content-Type": "text/html"})
            elif stamp in archive.moved:
                place = f"{archive.url}/web/{archive.moved[stamp]}id_/{url}"
                reason = f"found capture at {archive.moved[stamp]}"
                self._send(302, b"", {"Location": place, "X-Archive-Redirect-Reason": reason})
            elif stamp in archive.missing or one is None:
                self._send(404, b"<html>not archived</html>", {"Content-Type": "text/html"})
            else:
                at = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
                headers = {
                    "Content-Type": one.mime, "Memento-Datetime": format_datetime(at, usegmt=True),
                    "Link": f'<{url}>; rel="original", <{archive.url}/web/timemap/link/{url}>; rel="timemap"',
                    "x-archive-orig-server": "Pepyaka", "x-archive-src": "some.warc.gz",
                }  # fmt: skip
                if one.coding:
                    headers["Content-Encoding"] = one.coding
                if one.location:
                    headers["Location"] = f"{archive.url}/web/{stamp}id_/{one.location}"
                self._send(one.status, one.body, headers)

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        archive.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield archive
        finally:
            server.shutdown()
            thread.join()


def digest(one: Captured) -> str:
    """As a CDX list tells it."""
    return hashlib.sha1(one.body + one.location.encode()).hexdigest()[:32].upper()
