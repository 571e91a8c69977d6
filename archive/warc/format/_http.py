"""A response or revisit record with its request, as a Group."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from archive.warc._build import header
from archive.warc._capture import NOTHING, capture_of
from archive.warc._types import Headers, Profile, RecordGroup
from archive.warc.format._fields import Unusable, blanked_in, dates_of, record_id, url_of, uuid_of, warc_date
from archive.warc.format._foreign import CUT_CHUNK, dechunk
from archive.warc.format._frame import RawRecord, digest_differs, digest_label


@dataclass(frozen=True, slots=True)
class _Response:
    protocol: str
    status: int
    reason: str
    headers: Headers
    body: bytes
    """Chunking undone."""
    body_as_sent: bytes
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Request:
    method: str = "GET"
    headers: Headers = ()
    body: bytes = b""
    problems: tuple[str, ...] = ()


def group_of(frame: RawRecord, request: RawRecord | None, kind: str, url: str) -> RecordGroup:
    """Return an exchange. `kind`: "response" or "revisit". Raises Unusable for what is no HTTP exchange."""
    is_revisit = kind == "revisit"
    answer = _response(frame, is_revisit)
    sent = _request(request)
    profile = _profile(frame) if is_revisit else None
    digest, length, digest_problems = _payload(frame, answer, profile, is_revisit)
    refers_to = frame.get("WARC-Refers-To") if is_revisit else None
    capture = capture_of(
        capture_id=record_id(frame),
        at=warc_date(frame.get("WARC-Date")),
        place=(frame.file, frame.offset, frame.length),
        payload=(digest, length),
        record_type="revisit" if is_revisit else "response",
        url=url,
        method=sent.method,
        status=answer.status,
        headers=answer.headers,
        refers_to=uuid_of(refers_to) if refers_to else None,
        request_body=sent.body,
        ip=frame.get("WARC-IP-Address"),
        via=frame.get("X-Archive-Via"),
        page=frame.get("X-Archive-Page"),
    )
    blanked = [*blanked_in(frame), *(blanked_in(request) if request else ())]
    return RecordGroup(
        capture,
        answer.protocol,
        answer.reason,
        answer.headers,
        None if is_revisit else answer.body,
        sent.headers,
        sent.body,
        profile,
        tuple(dict.fromkeys(blanked)),
        frame.get("WARC-Truncated") or ("disconnect" if CUT_CHUNK in answer.problems else None),
        (*frame.problems, *answer.problems, *sent.problems, *digest_problems),
        _original(frame) if is_revisit else None,
        digest_label(frame.get("WARC-Payload-Digest") or ""),
    )


def _response(frame: RawRecord, is_revisit: bool) -> _Response:
    if not frame.block:
        if is_revisit:  # a revisit may have no block at all (WARC 1.1, 6.7)
            return _Response("HTTP/1.1", 200, "", (), b"", b"", ())
        raise Unusable("an empty HTTP response, without even a status line")
    first_line, headers, body = _message(frame.block)
    protocol, status, reason = _status(first_line)
    transfer = (header(headers, b"transfer-encoding") or "").rpartition(",")[2].strip().lower()
    if transfer != "chunked":
        return _Response(protocol, status, reason, headers, body, body, ())
    dechunked, why = dechunk(body, header(headers, b"content-type"))
    return _Response(protocol, status, reason, headers, dechunked, body, (why,) if why else ())


def _request(frame: RawRecord | None) -> _Request:
    if frame is None:
        return _Request()
    first_line, headers, body = _message(frame.block)
    method = first_line.split(b" ")[0].decode("latin-1")
    return _Request(method, headers, body, tuple(f"request: {problem}" for problem in frame.problems))


def _payload(
    frame: RawRecord, answer: _Response, profile: Profile | None, is_revisit: bool
) -> tuple[str, int, tuple[str, ...]]:
    """The SHA-256 (hex) and length of the payload, and what is wrong with its stated digest."""
    stated = frame.get("WARC-Payload-Digest")
    if profile == "identical-payload-digest":  # the payload is the original's
        sha256 = stated.removeprefix("sha256:") if stated and re.fullmatch(r"sha256:[0-9a-f]{64}", stated) else ""
        length = frame.get("X-Archive-Payload-Length") or header(answer.headers, b"content-length") or "0"
        return sha256, int(length) if re.fullmatch(r"[0-9]{1,15}", length) else 0, ()
    body = answer.body
    sha256 = hashlib.sha256(body).hexdigest() if body else NOTHING
    # Some tools (wget) take the digest of a chunked body as it was sent.
    if not is_revisit and stated and digest_differs(stated, body) and digest_differs(stated, answer.body_as_sent):
        return sha256, len(body), ("the payload digest differs",)
    return sha256, len(body), ()


def _profile(frame: RawRecord) -> Profile:
    name = (frame.get("WARC-Profile") or "").rpartition("/")[2]
    if name == "server-not-modified":
        return "server-not-modified"
    if name.endswith("identical-payload-digest"):  # "uri-agnostic-..." is the name that some writers before 1.1 used
        return "identical-payload-digest"
    raise Unusable(f"a revisit of an unknown profile: {frame.get('WARC-Profile')!r}")


def _original(frame: RawRecord) -> tuple[str, datetime, datetime] | None:
    """The original of a revisit, by URL and dates (WARC 1.1, 6.7.2); None where the record does not give both."""
    url, date = frame.get("WARC-Refers-To-Target-URI"), frame.get("WARC-Refers-To-Date")
    try:
        return (url_of(url), *dates_of(date)) if url and date else None
    except Unusable:
        return None


def _message(block: bytes) -> tuple[bytes, Headers, bytes]:
    """An HTTP message: (first line, header lines, body). Bare line feeds count as line breaks, folds are undone."""
    end = re.search(rb"\r?\n\r?\n", block)
    head, body = (block[: end.start()], block[end.end() :]) if end else (block.rstrip(b"\r\n"), b"")
    first_line, *lines = re.split(rb"\r?\n(?![ \t])", head)
    headers = []
    for line in lines:
        name, _, value = re.sub(rb"\r?\n[ \t]+", b" ", line).partition(b":")
        headers.append((name.strip(), value.strip(b" \t")))
    return first_line, tuple(headers), body


def _status(line: bytes) -> tuple[str, int, str]:
    # b"HTTP/1.1 404 Not Found"
    match = re.match(rb"(HTTP/\d(?:\.\d)?)[ \t]+(\d{3})(?:[ \t]+(.*))?$", line.strip())
    if not match:
        raise Unusable(f"no HTTP status line: {line[:40]!r}")
    return match[1].decode(), int(match[2]), (match[3] or b"").decode("latin-1")
