"""Writer: exchanges, failures and notes of one clinic in one crawl, as WARC/1.1."""

import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from archive.times import file_stamp, in_utc, utc
from archive.warc import _build as build
from archive.warc._capture import DOM, capture_of_failure, capture_of_page
from archive.warc._exchange import ExchangeRecords, HttpExchange, rendering_fields, urn
from archive.warc._file import OpenFile
from archive.warc._types import Capture, Note

FIELDS = "application/warc-fields"
HTML = "text/html; charset=utf-8"


def _now() -> datetime:
    return datetime.now(UTC)


class Writer:
    """Writes `FOLDER/warc/CLINIC/CLINIC-YYYYMMDDhhmmss-CRAWL8-00000.warc.gz`, each record as its own gzip member.

    `folder` is the archive. `info` goes into the warcinfo of each file as it is (name to one-line text; JSON for the
    clinic's stanza). A file is created at the first write. Once it holds `max_bytes`, the next group goes to a new
    file. `last` is the date of the clinic's newest record, or None: every date written is later than `last` and than
    the date before, by a microsecond where the clock is not. A Writer writes only to files that it created. It is not
    for use by two threads.

    Methods raise WarcWriteError when a write to the disk fails, ValueError for what cannot be recorded; neither leaves
    a part of a group in the file.
    """

    def __init__(
        self,
        folder: Path,
        clinic_id: str,
        crawl_id: str,
        info: Mapping[str, str],
        *,
        max_bytes: int = 1_000_000_000,
        last: datetime | None,
        clock: Callable[[], datetime] = _now,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        for what, value in (("clinic", clinic_id), ("crawl", crawl_id)):
            if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", value):
                raise ValueError(f"the {what} id {value!r} cannot be part of a file name")
        self.last = None if last is None else in_utc(last)
        self._archive, self._clinic, self._crawl = folder, clinic_id, crawl_id
        self._info, self._max_bytes = dict(info), max_bytes
        self._clock, self._new_id = clock, new_id
        self._stem = f"{clinic_id}-{file_stamp(in_utc(clock()))}-{crawl_id[:8]}"
        self._serial = 0
        self._file: OpenFile | None = None
        self._info_id = self._name = ""  # of the open file: the id of its warcinfo, its path in the archive

    def write_exchange(self, exchange: HttpExchange) -> Capture:
        """Write an exchange as a group: the response (or revisit), then its request, linked by WARC-Concurrent-To.

        Raises ValueError also for a revisit whose original has another URL or, where it is known, another payload.
        """
        records = ExchangeRecords.of(exchange)
        file = self._open_file()
        at, capture_id = self._next_date(exchange.fetched_at), self._new_id()
        common = [*self._common(at, records.url), *records.common_fields()]
        response = records.response(capture_id, common)
        request = records.request(self._new_id(), capture_id, common)
        offset = file.append(response + request)
        self.last = at
        return records.capture(capture_id, at, (self._name, offset, len(response)))

    def write_dom(
        self,
        *,
        url: str,
        page: str,
        body: bytes,
        at: datetime,
        document: str | None = None,
        redacted: tuple[str, ...] = (),
    ) -> Capture:
        """Write the DOM that a browser shows once a page is rendered: a `resource` record (WARC 1.1, 6.4).

        `body` is the DOM as UTF-8 HTML, `url` the address that it ended at, `page` the address that was rendered (as in
        `HttpExchange`), `document` the capture_id of the answer that it was made from (WARC-Concurrent-To), `redacted`
        what was removed from it.
        """
        target, page = build.warc_url(url), build.warc_url(page)
        fields = [
            *rendering_fields(DOM, page),
            *([("WARC-Concurrent-To", urn(document))] if document else []),
            # No WARC-Payload-Digest: payload and block are equal here, and FastWARC 2 checks it against other bytes.
            *([("X-Archive-Blanked", ", ".join(redacted))] if redacted else []),
            ("Content-Type", HTML),
        ]
        record_id, date, place = self._write_single("resource", fields, body, at, target)
        return capture_of_page(capture_id=record_id, at=date, place=place, url=target, body=body, mime=HTML, page=page)

    def write_failure(
        self, *, url: str, method: str, request_body: bytes, reason: str, message: str, at: datetime
    ) -> Capture:
        """Write that a fetch ended without an answer: a `metadata` record (WARC 1.1, 6.6) of the URL.

        `reason` is a short name ("timeout"), `message` the error message, any text.
        """
        target = build.warc_url(url)
        request_sha256 = hashlib.sha256(request_body).hexdigest() if request_body else None
        block = {"method": method, "reason": reason, "message": build.json_text(message)}
        if request_sha256:
            block["request-sha256"] = request_sha256
        fields = [("X-Archive-Kind", "failure"), ("Content-Type", FIELDS)]
        record_id, date, place = self._write_single("metadata", fields, build.warc_fields(block), at, target)
        return capture_of_failure(
            capture_id=record_id, at=date, place=place, url=target, method=method, request_sha256=request_sha256
        )

    def write_note(self, kind: str, fields: Mapping[str, str], at: datetime) -> Note:
        """Write a note of the clinic's run: `kind` "run-started" or "run-ended", `fields` name to JSON text."""
        kinds, block = [("X-Archive-Kind", kind), ("Content-Type", FIELDS)], build.warc_fields(fields)
        record_id, date, place = self._write_single("metadata", kinds, block, at, None)
        return Note(record_id, kind, date, *place, dict(fields))

    def sync(self) -> None:
        """Return when all that was written is on the disk. To be called before the rows about it are committed."""
        if self._file:
            self._file.sync()

    def close(self) -> None:
        """Make the file durable and remove its sidecar. A second call does nothing; a later write creates a file."""
        file, self._file = self._file, None
        if file:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _write_single(
        self, kind: str, fields: list[tuple[str, str]], block: bytes, at: datetime, target: str | None
    ) -> tuple[str, datetime, tuple[str, int, int]]:
        """Write a record that is a group of its own; its id, date and place."""
        file = self._open_file()
        date, record_id = self._next_date(at), self._new_id()
        common = [("WARC-Type", kind), ("WARC-Record-ID", urn(record_id)), *self._common(date, target)]
        member = build.record([*common, *fields], b"", block, stored=False)
        offset = file.append(member)
        self.last = date
        return record_id, date, (self._name, offset, len(member))

    def _common(self, at: datetime, target: str | None) -> list[tuple[str, str]]:
        uri = [("WARC-Target-URI", target)] if target else []
        return [("WARC-Date", utc(at)), *uri, ("WARC-Warcinfo-ID", urn(self._info_id))]

    def _next_date(self, at: datetime) -> datetime:
        at = in_utc(at)
        return at if self.last is None or at > self.last else self.last + timedelta(microseconds=1)

    def _open_file(self) -> OpenFile:
        """The file that the next group goes to; a new one where there is none, or where it is full."""
        if self._file and self._file.size >= self._max_bytes and not self._file.broken:
            self.close()
        while self._file is None:
            path = self._archive / "warc" / self._clinic / f"{self._stem}-{self._serial:05}.warc.gz"
            self._serial += 1
            try:
                self._file = OpenFile(path, self._warcinfo(path.name))
            except FileExistsError:
                continue  # of an earlier start of the same crawl in the same second: never append to its file
            self._name = path.relative_to(self._archive).as_posix()
        return self._file

    def _warcinfo(self, name: str) -> bytes:
        self._info_id = self._new_id()
        return warcinfo(self._info_id, self._clock(), name, self._info, crawl_id=self._crawl, clinic_id=self._clinic)


def warcinfo(
    record_id: str, at: datetime, name: str, info: Mapping[str, str], *, crawl_id: str, clinic_id: str
) -> bytes:
    """Return the record that begins a file of that name; `info`: further fields of its block."""
    block = {
        "software": "clinic-blog-archive",
        **info,
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "isPartOf": crawl_id,
        "clinic": clinic_id,
    }
    fields = [
        ("WARC-Type", "warcinfo"),
        ("WARC-Record-ID", urn(record_id)),
        ("WARC-Date", utc(at)),
        ("WARC-Filename", name),
        ("Content-Type", FIELDS),
    ]
    return build.record(fields, b"", build.warc_fields(block), stored=False)
