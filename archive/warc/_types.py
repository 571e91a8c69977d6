"""The records of a WARC file as values: captures, groups, notes, failures; and the errors of this package."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Headers = tuple[tuple[bytes, bytes], ...]
"""HTTP header lines in their order with repeats, each (name, value) as bytes without the line break."""

RecordType = Literal["response", "revisit", "resource", "conversion", "failure"]
Profile = Literal["identical-payload-digest", "server-not-modified"]
TAKEDOWN = "takedown"
"""In `Group.blanked`: a takedown removed something from the body; where the body is empty, all of it."""


class WarcWriteError(Exception):
    """A record could not be made durable. The file ends with its last whole group unless the message says otherwise."""


class TooLarge(Exception):
    """A body decodes to more bytes than the caller allows (a decompression bomb, or a limit that is too low)."""


class Undecodable(Exception):
    """A body is not what its Content-Encoding says, or nothing here decodes that encoding."""


class CutShort(Exception):
    """A compressed body ends before its stream does. `part` holds the bytes that could be decoded."""

    def __init__(self, message: str, part: bytes) -> None:
        super().__init__(message)
        self.part = part


class BadRecord(Exception):
    """Bytes that are no readable record: `file` (as captures would name it), `offset` in bytes, `why`.

    `records` yields it, so that reading can continue after it; `read_record` raises it.
    """

    def __init__(self, file: str, offset: int, why: str) -> None:
        super().__init__(f"{file}: byte {offset}: {why}")
        self.file, self.offset, self.why = file, offset, why


@dataclass(frozen=True, slots=True)
class Original:
    """The earlier capture that a revisit refers to.

    The caller makes sure that clinic, URL, method and request body are the same.
    """

    capture_id: str
    url: str
    fetched_at: datetime
    payload_sha256: str | None = None
    """Hex. When given, `write_exchange` refuses an `identical-payload-digest` revisit with another payload."""


@dataclass(frozen=True, slots=True)
class Capture:
    """An HTTP exchange, the DOM of a rendered page, or a fetch that got no answer, and where its bytes are.

    The writer returns it, and the reader returns an equal Capture from the same bytes.
    """

    capture_id: str
    """The UUID (36 characters) of WARC-Record-ID; for a foreign id that is no UUID, a UUID derived from it."""
    fetched_at: datetime
    """WARC-Date: UTC, microseconds."""
    warc_file: str
    """POSIX path relative to the archive: warc/CLINIC/NAME."""
    warc_offset: int
    """Bytes from the start of the file to the gzip member (or bare record)."""
    warc_length: int
    """Bytes of that member, compressed."""
    payload_sha256: str
    """Hex digest of the body that the server sent: content-encoded, chunking undone, after blanking; decoded too where
    it came through a browser. For an equal-payload revisit it is the original's, which is equal (empty where a foreign
    record has a digest of another kind only); for a failure that of no bytes."""
    payload_length: int
    """Bytes of that body."""
    record_type: RecordType
    url: str
    """WARC-Target-URI: the URL with non-ASCII and blanks percent-encoded."""
    method: str
    http_status: int | None
    mime: str | None
    """Content-Type, lower case, without parameters."""
    content_encoding: str | None
    """Content-Encoding, lower case; several joined by ", " in the order they were applied."""
    etag: str | None
    last_modified: str | None
    refers_to: str | None
    """capture_id of the original of a revisit."""
    request_sha256: str | None
    """Hex digest of the request body; None when it was empty."""
    ip: str | None
    via: str | None = None
    """How a browser that rendered a page got it ("document", "xhr", "script", ...; "dom": the final DOM of the page);
    None for a request of our own."""
    page: str | None = None
    """The URL of that page, spelled as `url` is; None for a request of our own."""
    origin: str = "crawl"
    """Who made it: "crawl" (a request of our own), or the archive or tool that it was imported from."""
    retrieved_at: datetime | None = None
    """When it was imported; None for a capture that was not imported."""
    retrieved_from: str | None = None
    """What it was imported from: the address at a web archive, the name of a file; None for a crawl."""


@dataclass(frozen=True, slots=True)
class RecordGroup:
    """An exchange as recorded: a response or revisit with its request; or a page without an exchange.

    A page without an exchange has no header but Content-Type: it is the DOM of a rendered page, a page that somebody
    saved (`resource`), or the text of a page (`conversion`).
    """

    capture: Capture
    protocol: str
    """As on the recorded status line: HTTP/1.0 or HTTP/1.1 in files that we wrote."""
    reason: str
    response_headers: Headers
    body: bytes | None = field(repr=False)
    """The payload as recorded (see Capture.payload_sha256); None for a revisit, whose original has the bytes."""
    request_headers: Headers
    request_body: bytes = field(repr=False)
    profile: Profile | None = None
    """Why the record is a revisit (WARC 1.1, 6.7); None for a response."""
    blanked: tuple[str, ...] = ()
    """What was blanked before the digests were taken: "request.cookie", "response.set-cookie", "body", ..."""
    truncated: str | None = None
    """WARC-Truncated (length, time, disconnect or unspecified) when the body is known to be cut."""
    problems: tuple[str, ...] = ()
    """What is wrong with bytes that can be read: a digest that differs, bad chunking."""
    original: tuple[str, datetime, datetime] | None = None
    """URL, and the first and last moment that its date may mean, of the original that a revisit names in this way."""
    payload_digest: str | None = None
    """WARC-Payload-Digest as `sha1:BASE32`, however it is written; None where there is none."""

    @property
    def is_emptied(self) -> bool:
        """Whether a takedown removed the whole body: nothing can be read from the record."""
        return TAKEDOWN in self.blanked and self.body == b""


@dataclass(frozen=True, slots=True)
class Info:
    """A warcinfo record: the software, crawl and clinic of the records after it."""

    record_id: str
    at: datetime
    warc_file: str
    warc_offset: int
    warc_length: int
    fields: Mapping[str, str]
    problems: tuple[str, ...] = ()
    filename: str | None = None
    """WARC-Filename: the name of the file that the record was written to; a pack joins it to others as it is."""


@dataclass(frozen=True, slots=True)
class Note:
    """A metadata record of our own that belongs to no URL: the start or end of a visit to the clinic, an import."""

    record_id: str
    kind: str
    """"run-started", "run-ended", "import", "crawl-started" or "crawl-ended"; "joined" names the files of a pack."""
    at: datetime
    """As written: later than the date of every record before it."""
    warc_file: str
    warc_offset: int
    warc_length: int
    fields: Mapping[str, str]
    """Name to JSON text."""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A fetch that ended without an answer."""

    capture: Capture
    reason: str
    """A short name: "timeout", "dns", ..."""
    message: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Other:
    """A record by another program that is no page and no HTTP exchange (dns, a single request, a screenshot, ...)."""

    record_type: str
    warc_file: str
    warc_offset: int
    warc_length: int
    headers: tuple[tuple[str, str], ...]
    block: bytes = field(repr=False)
    problems: tuple[str, ...] = ()


Record = RecordGroup | Failure | Note | Info | Other
