"""Reader: the records of a WARC file as values, our own exactly, and those of others as far as they can be read."""

import re
from collections.abc import Iterator
from pathlib import Path

from archive.warc._build import header, json_untext
from archive.warc._capture import DOM, capture_of_failure, capture_of_page
from archive.warc._types import BadRecord, Failure, Info, Note, Other, Record, RecordGroup
from archive.warc.format._coding import MAX_DECODED, decode
from archive.warc.format._fields import Unusable, blanked_in, record_id, url_of, warc_date, warc_fields
from archive.warc.format._foreign import arc_frames, is_arc
from archive.warc.format._frame import RawRecord, frames
from archive.warc.format._http import group_of


def records(path: Path, *, archive: Path | None = None, start: int = 0) -> Iterator[Record | BadRecord]:
    """Yield the records of a WARC (or ARC) file, plain or gzipped by record, in file order, from byte `start` on.

    A response and its request come as one Group, whichever is first; a response without a request has method GET and
    no request headers. Captures name the file by its path below `archive`; without that, by its path from the last
    folder called `warc` on, else by its bare name. Damage is yielded as BadRecord, and reading continues with the next
    record that can be found. Records whose digests differ are yielded with `problems`. Raises OSError only.
    """
    name = _name(path, archive)
    source = arc_frames(path, name, start) if is_arc(path) else frames(path, name, start)
    previous: RawRecord | None = None  # a record whose partner may follow
    for frame in source:
        if isinstance(frame, BadRecord):
            if previous:
                yield _value(previous, None)
            previous = None
            yield frame
        elif previous and _concurrent(previous, frame):
            response, request = (frame, previous) if _kind(previous) == "request" else (previous, frame)
            yield _value(response, request)
            previous = None
        else:
            if previous:
                yield _value(previous, None)
            previous = frame
    if previous:
        yield _value(previous, None)


def read_record(archive: Path, warc_file: str, offset: int) -> Record:
    """Return the record at a place that a Capture names, with its request where that follows it.

    Raises BadRecord when there is no readable record at that place, OSError when the file cannot be read, ValueError
    for a `warc_file` that leads out of the archive.
    """
    path = archive / warc_file
    if not path.resolve().is_relative_to(archive.resolve()):
        raise ValueError(f"{warc_file!r} leads out of the archive")
    for record in records(path, archive=archive, start=offset):
        if isinstance(record, BadRecord):
            raise record
        return record
    raise BadRecord(warc_file, offset, "no record here: the file is shorter")


def payload(record: RecordGroup, max_decoded: int = MAX_DECODED) -> bytes:
    """Return the body of a response with its content coding undone (see `decode`, whose errors it raises).

    Raises ValueError for a revisit, which has no body of its own: read the record of its original.
    """
    if record.body is None:
        raise ValueError(
            f"{record.capture.capture_id} is a revisit: its bytes are in the record of {record.capture.refers_to}"
        )
    content_type = header(record.response_headers, b"content-type")
    return decode(record.body, record.capture.content_encoding, max_decoded, content_type)


def _kind(frame: RawRecord) -> str:
    return (frame.get("WARC-Type") or "").lower()


def _concurrent(first: RawRecord, second: RawRecord) -> bool:
    """Whether two neighbours are a response and its request.

    Either may name the other (WARC 1.1, 5.7); where neither names any, equal URL and date are enough.
    """
    if sorted((_kind(first), _kind(second))) not in (["request", "response"], ["request", "revisit"]):
        return False
    names = first.get("WARC-Concurrent-To"), second.get("WARC-Concurrent-To")
    if any(names):
        return names[0] == second.get("WARC-Record-ID") or names[1] == first.get("WARC-Record-ID")
    return all(first.get(field) == second.get(field) for field in ("WARC-Target-URI", "WARC-Date"))


def _value(frame: RawRecord, request: RawRecord | None) -> Record | BadRecord:
    try:
        return _record(frame, request)
    except Unusable as why:
        return BadRecord(frame.file, frame.offset, str(why))
    except Exception as error:  # of a record by anybody: it is left out, and reading goes on
        return BadRecord(frame.file, frame.offset, f"cannot be read ({type(error).__name__})")


def _record(frame: RawRecord, request: RawRecord | None) -> Record:
    kind = _kind(frame)
    url = url_of(frame.get("WARC-Target-URI"))
    content_type = (frame.get("Content-Type") or "").lower()
    http = url.lower().startswith(("http:", "https:")) and (not content_type or "application/http" in content_type)
    if http and kind in ("response", "revisit"):
        return group_of(frame, request, kind, url)
    place = frame.file, frame.offset, frame.length
    if kind in ("resource", "conversion"):
        rendered = kind == "resource" and frame.get("X-Archive-Via") == DOM
        saved = frame.get("X-Archive-Via") is None and url.lower().startswith(("http:", "https:"))
        if rendered or (saved and _PAGE.match(content_type)):
            return _page(frame, place, url, rendered=rendered)
    if kind == "warcinfo":
        at, filename = warc_date(frame.get("WARC-Date")), frame.get("WARC-Filename")
        return Info(record_id(frame), at, *place, warc_fields(frame), frame.problems, filename)
    archive_kind = frame.get("X-Archive-Kind") if kind == "metadata" else None
    if archive_kind == "failure":
        fields = warc_fields(frame)
        capture = capture_of_failure(
            capture_id=record_id(frame),
            at=warc_date(frame.get("WARC-Date")),
            place=place,
            url=url,
            method=fields.get("method", "GET"),
            request_sha256=fields.get("request-sha256"),
        )
        return Failure(capture, fields.get("reason", ""), json_untext(fields.get("message", "")), frame.problems)
    if archive_kind:
        return Note(
            record_id(frame),
            archive_kind,
            warc_date(frame.get("WARC-Date")),
            *place,
            warc_fields(frame),
            frame.problems,
        )
    if not kind:
        raise Unusable("no WARC-Type")
    return Other(kind, *place, frame.fields, frame.block, frame.problems)


# "text/html; charset=utf-8", "text/plain" (the text of a page, as Common Crawl's WET files have it)
_PAGE = re.compile(r"(text/(html|plain|xml)|application/(json|xml|(xhtml|rss|atom)\+xml))\s*(;|$)")


def _page(frame: RawRecord, place: tuple[str, int, int], url: str, *, rendered: bool) -> RecordGroup:
    """A page without an exchange: the DOM of a rendered page, a page that somebody saved, or the text of a page."""
    mime = frame.get("Content-Type") or ""
    capture = capture_of_page(
        capture_id=record_id(frame),
        at=warc_date(frame.get("WARC-Date")),
        place=place,
        url=url,
        body=frame.block,
        mime=mime,
        page=(frame.get("X-Archive-Page") or url) if rendered else None,
        record_type="conversion" if _kind(frame) == "conversion" else "resource",
    )
    headers = ((b"Content-Type", mime.encode("latin-1", "replace")),)
    blanked = tuple(blanked_in(frame))
    return RecordGroup(capture, "", "", headers, frame.block, (), b"", blanked=blanked, problems=frame.problems)


def _name(path: Path, archive: Path | None) -> str:
    if archive is not None:
        return path.relative_to(archive).as_posix()
    parts = path.parts
    at = max((index for index, part in enumerate(parts[:-1]) if part == "warc"), default=len(parts) - 1)
    return "/".join(parts[at:])
