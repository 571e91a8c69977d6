"""The two records of an HTTP exchange as our writer makes them: a response (or revisit), and its request."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from archive.times import utc
from archive.warc import _build as build
from archive.warc._capture import capture_of
from archive.warc._types import Capture, Headers, Original, Profile

Fields = list[tuple[str, str]]

PROFILE = "http://netpreserve.org/warc/1.1/revisit/"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpExchange:
    """A request and its answer, as `Writer.write_exchange` takes them.

    Values of Authorization, Proxy-Authorization, Cookie and Set-Cookie are blanked before digests are taken; so may be
    anything that the caller blanked itself and names in `redacted`. X-Archive-Blanked names both.
    """

    url: str
    method: str
    request_headers: Iterable[tuple[bytes, bytes]]
    request_body: bytes = field(repr=False)
    status: int
    reason: str
    protocol: str
    """The status line is HTTP/1.0 or HTTP/1.1, the versions that WARC tools read; another protocol ("h2") is stored in
    WARC-Protocol."""
    response_headers: Iterable[tuple[bytes, bytes]]
    body: bytes = field(repr=False)
    """The payload as served: still content-encoded, chunking undone (for its effect on headers see `_build.as_stored`);
    decoded too where `via` is given, because browsers give decoded bodies."""
    ip: str | None
    fetched_at: datetime
    refers_to: Original | None = None
    """Makes the record a revisit without a body (WARC 1.1, 6.7): `server-not-modified` for status 304, else
    `identical-payload-digest`."""
    redacted: tuple[str, ...] = ()
    """What the caller blanked: "body"."""
    truncated: str | None = None
    """Why the body is cut: "length", "time", "disconnect"; None when it is whole."""
    via: str | None = None
    """How a browser that rendered a page got it: "document", "xhr", ... (X-Archive-Via)."""
    page: str | None = None
    """The URL of that page (X-Archive-Page)."""


def urn(record_id: str) -> str:
    """Return a record's UUID as WARC-Record-ID has it."""
    return f"<urn:uuid:{record_id}>"


def rendering_fields(via: str | None, page: str | None) -> Fields:
    """Return the named fields of a record that belongs to a rendered page."""
    return [(name, value) for name, value in (("X-Archive-Via", via), ("X-Archive-Page", page)) if value is not None]


@dataclass(frozen=True, slots=True)
class ExchangeRecords:
    """An exchange, ready to be written: cleaned headers, digest and what was blanked."""

    exchange: HttpExchange
    url: str
    """WARC-Target-URI."""
    page: str | None
    """X-Archive-Page."""
    request_headers: Headers
    response_headers: Headers
    sha256: str
    """Hex digest of the body."""
    profile: Profile | None
    """Why a revisit is one; None for a response."""
    blanked: tuple[str, ...]

    @classmethod
    def of(cls, exchange: HttpExchange) -> Self:
        """Prepare an exchange. Raises ValueError for a revisit whose original has another URL or payload."""
        original, status = exchange.refers_to, exchange.status
        url = build.warc_url(exchange.url)
        sent, sent_blanked = build.clean_headers(exchange.request_headers, "request")
        got, got_blanked = build.clean_headers(exchange.response_headers, "response")
        if original is not None and build.warc_url(original.url) != url:
            raise ValueError(f"a revisit of {url} cannot refer to {original.url}")
        bodiless = exchange.method.upper() == "HEAD" or status < 200 or status in (204, 304)
        got = build.as_stored(got, exchange.body, bodiless=bodiless, decoded=exchange.via is not None)
        sha256 = hashlib.sha256(exchange.body).hexdigest()
        profile: Profile | None = None
        if original is not None:
            profile = "server-not-modified" if status == 304 else "identical-payload-digest"
            if profile == "identical-payload-digest" and original.payload_sha256 not in (None, sha256):
                raise ValueError(f"{url}: not the payload of its original {original.capture_id}")
        page = build.warc_url(exchange.page) if exchange.page is not None else None
        blanked = tuple(dict.fromkeys((*sent_blanked, *got_blanked, *exchange.redacted)))
        return cls(exchange, url, page, sent, got, sha256, profile, blanked)

    @property
    def version(self) -> str:
        """The version of the status line."""
        protocol = self.exchange.protocol.upper()
        return protocol if protocol in ("HTTP/1.0", "HTTP/1.1") else "HTTP/1.1"

    def common_fields(self) -> Fields:
        """Return the named fields that both records have, beside date, URL and warcinfo."""
        exchange = self.exchange
        fields = rendering_fields(exchange.via, self.page)
        if exchange.ip:
            fields.append(("WARC-IP-Address", exchange.ip))
        if exchange.protocol and exchange.protocol.upper() != self.version:
            fields.append(("WARC-Protocol", " ".join(exchange.protocol.split())))
        return fields

    def response(self, capture_id: str, common: Fields) -> bytes:
        """Return the record of the answer, a response or a revisit, as a gzip member."""
        exchange, headers = self.exchange, self.response_headers
        fields = [
            ("WARC-Type", "revisit" if self.profile else "response"),
            ("WARC-Record-ID", urn(capture_id)),
            *common,
            ("Content-Type", "application/http;msgtype=response"),
            *self._revisit_fields(),
            *self._digest_field(),
        ]
        if exchange.truncated:
            fields.append(("WARC-Truncated", exchange.truncated))
        if self.blanked:
            fields.append(("X-Archive-Blanked", ", ".join(self.blanked)))
        phrase = " ".join(exchange.reason.split()).encode("latin-1", "replace")
        head = build.http_head(b"%s %d %s" % (self.version.encode(), exchange.status, phrase), headers)
        body = b"" if self.profile == "identical-payload-digest" else exchange.body
        packed = build.packed(build.header(headers, b"content-type"), build.header(headers, b"content-encoding"))
        return build.record(fields, head, body, stored=packed)

    def _revisit_fields(self) -> Fields:
        original = self.exchange.refers_to
        if original is None or self.profile is None:
            return []
        fields = [
            ("WARC-Profile", PROFILE + self.profile),
            ("WARC-Refers-To", urn(original.capture_id)),
            ("WARC-Refers-To-Target-URI", self.url),
            ("WARC-Refers-To-Date", utc(original.fetched_at)),
        ]
        if self.profile == "identical-payload-digest":
            fields.append(("X-Archive-Payload-Length", str(len(self.exchange.body))))
        return fields

    def _digest_field(self) -> Fields:
        sha256: str | None = self.sha256
        if self.profile == "server-not-modified" and self.exchange.refers_to is not None:
            # The payload of a 304 is its original's (WARC 1.1, 6.7.3), which its own body cannot prove.
            sha256 = self.exchange.refers_to.payload_sha256
        return [("WARC-Payload-Digest", build.sha256_label(sha256))] if sha256 else []

    def request(self, record_id: str, capture_id: str, common: Fields) -> bytes:
        """Return the record of the request as a gzip member. Raises ValueError for what is no HTTP method."""
        exchange = self.exchange
        fields = [
            ("WARC-Type", "request"),
            ("WARC-Record-ID", urn(record_id)),
            *common,
            ("WARC-Concurrent-To", urn(capture_id)),
            ("Content-Type", "application/http;msgtype=request"),
            ("WARC-Payload-Digest", build.sha256_label(hashlib.sha256(exchange.request_body).hexdigest())),
        ]
        blanked = [name for name in self.blanked if name.startswith("request.")]
        if blanked:
            fields.append(("X-Archive-Blanked", ", ".join(blanked)))
        head = build.http_head(build.request_line(exchange.method, self.url), self.request_headers)
        return build.record(fields, head, exchange.request_body, stored=False)

    def capture(self, capture_id: str, at: datetime, place: tuple[str, int, int]) -> Capture:
        """Return the Capture of the exchange; `place` is the answer's file, offset and length."""
        exchange = self.exchange
        return capture_of(
            capture_id=capture_id,
            at=at,
            place=place,
            payload=(self.sha256, len(exchange.body)),
            record_type="revisit" if self.profile else "response",
            url=self.url,
            method=exchange.method,
            status=exchange.status,
            headers=self.response_headers,
            refers_to=exchange.refers_to.capture_id if exchange.refers_to else None,
            request_body=exchange.request_body,
            ip=exchange.ip,
            via=exchange.via,
            page=self.page,
        )
