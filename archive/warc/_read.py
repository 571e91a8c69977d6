"""Reader: the records of a WARC file as values, ours exactly and those of others as far as they go."""

import hashlib
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from archive.warc._build import header, json_untext
from archive.warc._capture import DOM, NOTHING, capture_of, capture_of_failure, capture_of_page
from archive.warc._coding import MAX_DECODED, decode
from archive.warc._foreign import arc_frames, dechunk, is_arc
from archive.warc._frame import Frame, digest_differs, frames
from archive.warc._types import BadRecord, Failure, Group, Headers, Info, Note, Other, Record

Profile = Literal["identical-payload-digest", "server-not-modified"]


def records(path: Path, *, archive: Path | None = None, start: int = 0) -> Iterator[Record | BadRecord]:
    """The records of a WARC (or ARC) file, plain or gzipped by record, in file order, from byte `start` on.

    A response and its request come as one Group, whichever stands first; a response without one has method GET and no
    request headers. Captures name the file by its path below `archive`; without that, by what follows the last
    folder called `warc`, else by its bare name. Damage is yielded as BadRecord, and reading goes on behind it where a
    record can be found. Records whose digests differ are yielded with `problems`. Raises OSError only.
    """
    name = _name(path, archive)
    source = arc_frames(path, name, start) if is_arc(path) else frames(path, name, start)
    held: Frame | None = None
    for frame in source:
        if isinstance(frame, BadRecord):
            if held:
                yield _value(held, None)
            held = None
            yield frame
        elif held and _concurrent(held, frame):
            response, request = (frame, held) if _kind(held) == "request" else (held, frame)
            yield _value(response, request)
            held = None
        else:
            if held:
                yield _value(held, None)
            held = frame
    if held:
        yield _value(held, None)


def read_record(archive: Path, warc_file: str, offset: int) -> Record:
    """The record at a place that a Capture names, with its request where that follows it.

    Raises BadRecord when no readable record lies there, OSError when the file cannot be read, ValueError for a
    `warc_file` that leads out of the archive.
    """
    path = archive / warc_file
    if not path.resolve().is_relative_to(archive.resolve()):
        raise ValueError(f"{warc_file!r} leads out of the archive")
    for record in records(path, archive=archive, start=offset):
        if isinstance(record, BadRecord):
            raise record
        return record
    raise BadRecord(warc_file, offset, "nothing lies here: the file is shorter")


def payload(record: Group, max_decoded: int = MAX_DECODED) -> bytes:
    """The body of a response with its content coding undone (see `decode`, whose errors it raises).

    A revisit has none of its own: ValueError; read the record of its original.
    """
    if record.body is None:
        raise ValueError(f"{record.capture.capture_id} is a revisit: its bytes lie with {record.capture.refers_to}")
    return decode(record.body, record.capture.content_encoding, max_decoded)


def _kind(frame: Frame) -> str:
    return (frame.get("WARC-Type") or "").lower()


def _concurrent(first: Frame, second: Frame) -> bool:
    """Whether two neighbours are a response and its request (WARC 1.1, 5.7: either may name the other; where neither
    names any, equal URL and date will do)."""
    if sorted((_kind(first), _kind(second))) not in (["request", "response"], ["request", "revisit"]):
        return False
    names = first.get("WARC-Concurrent-To"), second.get("WARC-Concurrent-To")
    if any(names):
        return names[0] == second.get("WARC-Record-ID") or names[1] == first.get("WARC-Record-ID")
    return all(first.get(field) == second.get(field) for field in ("WARC-Target-URI", "WARC-Date"))


def _value(frame: Frame, request: Frame | None) -> Record | BadRecord:
    try:
        return _record(frame, request)
    except _Unusable as why:
        return BadRecord(frame.file, frame.offset, str(why))


class _Unusable(Exception):
    """Why a whole record cannot be a capture."""


def _record(frame: Frame, request: Frame | None) -> Record:
    kind = _kind(frame)
    url = (frame.get("WARC-Target-URI") or "").removeprefix("<").removesuffix(">")  # wget 1.19 wrote brackets
    content_type = (frame.get("Content-Type") or "").lower()
    http = url.lower().startswith(("http:", "https:")) and (not content_type or "application/http" in content_type)
    if http and kind in ("response", "revisit"):
        return _group(frame, request, kind, url)
    place = frame.file, frame.offset, frame.length
    if kind in ("resource", "conversion"):
        rendered = kind == "resource" and frame.get("X-Archive-Via") == DOM
        saved = frame.get("X-Archive-Via") is None and url.lower().startswith(("http:", "https:"))
        if rendered or (saved and _PAGE.match(content_type)):
            return _page(frame, place, url, rendered=rendered)
    if kind == "warcinfo":
        return Info(_record_id(frame), _date(frame.get("WARC-Date")), *place, _warc_fields(frame), frame.problems)
    ours = frame.get("X-Archive-Kind") if kind == "metadata" else None
    if ours == "failure":
        fields = _warc_fields(frame)
        capture = capture_of_failure(
            capture_id=_record_id(frame),
            at=_date(frame.get("WARC-Date")),
            place=place,
            url=url,
            method=fields.get("method", "GET"),
            request_sha256=fields.get("request-sha256"),
        )
        return Failure(capture, fields.get("reason", ""), json_untext(fields.get("message", "")), frame.problems)
    if ours:
        return Note(_record_id(frame), ours, _date(frame.get("WARC-Date")), *place, _warc_fields(frame), frame.problems)
    if not kind:
        raise _Unusable("no WARC-Type")
    return Other(kind, *place, frame.fields, frame.block, frame.problems)


# "text/html; charset=utf-8", "text/plain" (the text of a page, as Common Crawl's WET files have it)
_PAGE = re.compile(r"(text/(html|plain|xml)|application/(json|xml|(xhtml|rss|atom)\+xml))\s*(;|$)")


def _page(frame: Frame, place: tuple[str, int, int], url: str, *, rendered: bool) -> Group:
    """A page without an exchange: a rendered page's DOM, or one that somebody saved, or its text."""
    mime = frame.get("Content-Type") or ""
    capture = capture_of_page(
        capture_id=_record_id(frame),
        at=_date(frame.get("WARC-Date")),
        place=place,
        url=url,
        body=frame.block,
        mime=mime,
        page=(frame.get("X-Archive-Page") or url) if rendered else None,
        record_type="conversion" if _kind(frame) == "conversion" else "resource",
    )
    headers = ((b"Content-Type", mime.encode("latin-1", "replace")),)
    return Group(capture, "", "", headers, frame.block, (), b"", problems=frame.problems)


def _group(frame: Frame, request: Frame | None, kind: str, url: str) -> Group:
    problems = list(frame.problems)
    if frame.block:
        first, headers, body = _message(frame.block)
        protocol, status, reason = _status(first)
    elif kind == "revisit":  # a revisit may have no block at all (WARC 1.1, 6.7)
        protocol, status, reason, headers, body = "HTTP/1.1", 200, "", (), b""
    else:
        raise _Unusable("an empty HTTP response, without even a status line")
    as_sent = body
    if (header(headers, b"transfer-encoding") or "").lower() == "chunked":
        body, whole = dechunk(body)
        if not whole:
            problems.append("the body is not chunked as its header says")
    method, asked = "GET", b""
    asked_headers: Headers = ()
    if request:
        first, asked_headers, asked = _message(request.block)
        method = first.split(b" ")[0].decode("latin-1")
        problems += [f"request: {problem}" for problem in request.problems]

    profile = _profile(frame) if kind == "revisit" else None
    stated = frame.get("WARC-Payload-Digest")
    if profile == "identical-payload-digest":
        sha256 = stated.removeprefix("sha256:") if stated and re.fullmatch(r"sha256:[0-9a-f]{64}", stated) else ""
        length = frame.get("X-Archive-Payload-Length") or header(headers, b"content-length") or "0"
        content = sha256, int(length) if length.isascii() and length.isdigit() else 0
    else:
        content = hashlib.sha256(body).hexdigest() if body else NOTHING, len(body)
        # Some tools (wget) take the digest of a chunked body as it was sent.
        if kind == "response" and stated and digest_differs(stated, body) and digest_differs(stated, as_sent):
            problems.append("the payload digest differs")
    refers_to = frame.get("WARC-Refers-To") if kind == "revisit" else None
    capture = capture_of(
        capture_id=_record_id(frame),
        at=_date(frame.get("WARC-Date")),
        place=(frame.file, frame.offset, frame.length),
        payload=content,
        record_type="revisit" if kind == "revisit" else "response",
        url=url,
        method=method,
        status=status,
        headers=headers,
        refers_to=_uuid(refers_to) if refers_to else None,
        request_body=asked,
        ip=frame.get("WARC-IP-Address"),
        via=frame.get("X-Archive-Via"),
        page=frame.get("X-Archive-Page"),
    )
    blanked = [*_names(frame), *(_names(request) if request else ())]
    return Group(
        capture,
        protocol,
        reason,
        headers,
        None if kind == "revisit" else body,
        asked_headers,
        asked,
        profile,
        tuple(dict.fromkeys(blanked)),
        frame.get("WARC-Truncated"),
        tuple(problems),
        _original(frame) if kind == "revisit" and not refers_to else None,
    )


def _original(frame: Frame) -> tuple[str, datetime] | None:
    """What a revisit stands on, by URL and date (WARC 1.1, 6.7.2); None where it does not tell both."""
    url, date = frame.get("WARC-Refers-To-Target-URI"), frame.get("WARC-Refers-To-Date")
    return (url.removeprefix("<").removesuffix(">"), _date(date)) if url and date else None


def _profile(frame: Frame) -> Profile:
    last = (frame.get("WARC-Profile") or "").rpartition("/")[2]
    if last == "server-not-modified":
        return "server-not-modified"
    if last.endswith("identical-payload-digest"):  # "uri-agnostic-..." is what some writers before 1.1 called it
        return "identical-payload-digest"
    raise _Unusable(f"a revisit of an unknown profile: {frame.get('WARC-Profile')!r}")


def _message(block: bytes) -> tuple[bytes, Headers, bytes]:
    """An HTTP message: (first line, header lines, body). Bare line feeds are taken as line breaks, folds undone."""
    end = re.search(rb"\r?\n\r?\n", block)
    head, body = (block[: end.start()], block[end.end() :]) if end else (block.rstrip(b"\r\n"), b"")
    first, *lines = re.split(rb"\r?\n(?![ \t])", head)
    headers = []
    for line in lines:
        name, _, value = re.sub(rb"\r?\n[ \t]+", b" ", line).partition(b":")
        headers.append((name.strip(), value.strip(b" \t")))
    return first, tuple(headers), body


def _status(line: bytes) -> tuple[str, int, str]:
    match = re.match(rb"(HTTP/\d(?:\.\d)?)[ \t]+(\d{3})(?:[ \t]+(.*))?$", line.strip())
    if not match:
        raise _Unusable(f"no HTTP status line: {line[:40]!r}")
    return match[1].decode(), int(match[2]), (match[3] or b"").decode("latin-1")


def _warc_fields(frame: Frame) -> dict[str, str]:
    fields = {}
    for line in frame.block.decode("utf-8", "replace").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip()] = value.strip()
    return fields


def _names(frame: Frame) -> list[str]:
    return [name for part in (frame.get("X-Archive-Blanked") or "").split(",") if (name := part.strip())]


def _record_id(frame: Frame) -> str:
    text = frame.get("WARC-Record-ID")
    if not text:
        raise _Unusable("no WARC-Record-ID")
    return _uuid(text)


def _uuid(record_id: str) -> str:
    text = record_id.strip().removeprefix("<").removesuffix(">")
    try:
        return str(uuid.UUID(text.lower().removeprefix("urn:uuid:")))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def _date(text: str | None) -> datetime:
    """WARC 1.1, 5.4: from a year alone to nanoseconds, of which microseconds are kept."""
    text = (text or "").strip()
    if re.fullmatch(r"\d{4}(-\d\d)?", text):
        text = f"{text}-01-01"[:10]
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise _Unusable(f"no readable WARC-Date: {text!r}") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _name(path: Path, archive: Path | None) -> str:
    if archive is not None:
        return path.relative_to(archive).as_posix()
    parts = path.parts
    at = max((index for index, part in enumerate(parts[:-1]) if part == "warc"), default=len(parts) - 1)
    return "/".join(parts[at:])
