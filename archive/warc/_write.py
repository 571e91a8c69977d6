"""Writer: exchanges, failures and notes of one clinic in one crawl, as WARC/1.1."""

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from archive.times import file_stamp, in_utc, utc
from archive.warc import _build as build
from archive.warc._capture import DOM, capture_of, capture_of_failure, capture_of_page
from archive.warc._file import OpenFile
from archive.warc._types import Capture, Note, Original

PROFILE = "http://netpreserve.org/warc/1.1/revisit/"
FIELDS = "application/warc-fields"
HTML = "text/html; charset=utf-8"


def _now() -> datetime:
    return datetime.now(UTC)


class Writer:
    """Writes `FOLDER/warc/CLINIC/CLINIC-YYYYMMDDhhmmss-CRAWL8-00000.warc.gz`, each record its own gzip member.

    `folder` is the archive. `info` goes into each file's warcinfo as it is (name to one-line text; JSON for the
    clinic's stanza). A file is made at the first write and followed by another between two groups once it holds
    `max_bytes`. `last` is the date of the clinic's newest record, or None: every date written is later than it and than
    the one before, by a microsecond when the clock does not help. Only files this object made are written to. Not for
    use by two threads.

    Methods raise WarcWriteError when the disk refuses, ValueError for what cannot be recorded; neither leaves a part
    of a group behind.
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
        self._info_id = self._name = ""  # of the open file: its warcinfo, its place in the archive

    def write_exchange(
        self,
        *,
        url: str,
        method: str,
        request_headers: Iterable[tuple[bytes, bytes]],
        request_body: bytes,
        status: int,
        reason: str,
        protocol: str,
        response_headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        ip: str | None,
        fetched_at: datetime,
        refers_to: Original | None = None,
        redacted: tuple[str, ...] = (),
        truncated: str | None = None,
        via: str | None = None,
        page: str | None = None,
    ) -> Capture:
        """Write an exchange as a group: the response (or revisit), then its request, linked by WARC-Concurrent-To.

        `body` is the payload as served: still content-encoded, chunking undone (what that does to the headers:
        `_build.as_stored`). Values of Authorization, Proxy-Authorization, Cookie and Set-Cookie are blanked here before
        digests are taken; what the caller blanked itself it names in `redacted` ("body"). Both stand in
        X-Archive-Blanked. The status line is HTTP/1.0 or HTTP/1.1, the versions WARC tools read; another `protocol`
        ("h2") is kept in WARC-Protocol. `truncated` ("length", "time", "disconnect") says that the body is cut.

        What a browser received for a page that it rendered has `via`, how it got it ("document", "xhr", ...), and
        `page`, the URL of that page (X-Archive-Via, X-Archive-Page). A browser gives bodies decoded: so is `body` then.

        With `refers_to` the record is a revisit without a body (WARC 1.1, 6.7): `server-not-modified` for status 304,
        else `identical-payload-digest`. ValueError when the URL or a known digest of the original differs.
        """
        target = build.warc_url(url)
        sent, sent_blanked = build.clean(request_headers, "request")
        got, got_blanked = build.clean(response_headers, "response")
        if refers_to is not None and build.warc_url(refers_to.url) != target:
            raise ValueError(f"a revisit of {target} cannot refer to {refers_to.url}")
        bodiless = method.upper() == "HEAD" or status < 200 or status in (204, 304)
        got = build.as_stored(got, body, bodiless=bodiless, decoded=via is not None)
        sha256 = hashlib.sha256(body).hexdigest()

        not_modified = refers_to is not None and status == 304
        same = refers_to is not None and not not_modified
        if same and refers_to and refers_to.payload_sha256 not in (None, sha256):
            raise ValueError(f"{target}: not the payload of its original {refers_to.capture_id}")
        version = protocol.upper() if protocol.upper() in ("HTTP/1.0", "HTTP/1.1") else "HTTP/1.1"
        phrase = " ".join(reason.split()).encode("latin-1", "replace")
        head = build.http_head(b"%s %d %s" % (version.encode(), status, phrase), got)
        kept = b"" if same else body

        file = self._ready()
        at, capture_id = self._stamp(fetched_at), self._new_id()
        page = build.warc_url(page) if page is not None else None
        common = [*self._common(at, target), *_rendered(via, page)]
        if ip:
            common.append(("WARC-IP-Address", ip))
        if protocol and protocol.upper() != version:
            common.append(("WARC-Protocol", " ".join(protocol.split())))
        fields = [
            ("WARC-Type", "revisit" if refers_to else "response"),
            ("WARC-Record-ID", _urn(capture_id)),
            *common,
            ("Content-Type", "application/http;msgtype=response"),
        ]
        if refers_to:
            fields += [
                ("WARC-Profile", PROFILE + ("server-not-modified" if not_modified else "identical-payload-digest")),
                ("WARC-Refers-To", _urn(refers_to.capture_id)),
                ("WARC-Refers-To-Target-URI", target),
                ("WARC-Refers-To-Date", utc(refers_to.fetched_at)),
            ]
        if same:
            fields.append(("X-Archive-Payload-Length", str(len(body))))
        if not not_modified:  # the payload of a 304 is its original's (6.7.3), whose digest it cannot vouch for
            fields.append(("WARC-Payload-Digest", build.sha256_label(sha256)))
        elif refers_to and refers_to.payload_sha256:
            fields.append(("WARC-Payload-Digest", build.sha256_label(refers_to.payload_sha256)))
        if truncated:
            fields.append(("WARC-Truncated", truncated))
        blanked = tuple(dict.fromkeys((*sent_blanked, *got_blanked, *redacted)))
        if blanked:
            fields.append(("X-Archive-Blanked", ", ".join(blanked)))

        asked = [
            ("WARC-Type", "request"),
            ("WARC-Record-ID", _urn(self._new_id())),
            *common,
            ("WARC-Concurrent-To", _urn(capture_id)),
            ("Content-Type", "application/http;msgtype=request"),
            ("WARC-Payload-Digest", build.sha256_label(hashlib.sha256(request_body).hexdigest())),
        ]
        asked_blanked = [name for name in blanked if name.startswith("request.")]
        if asked_blanked:
            asked.append(("X-Archive-Blanked", ", ".join(asked_blanked)))
        ask_head = build.http_head(build.request_line(method, target), sent)

        mime_and_coding = build.header(got, b"content-type"), build.header(got, b"content-encoding")
        answer = build.record(fields, head, kept, stored=build.packed(*mime_and_coding))
        question = build.record(asked, ask_head, request_body, stored=False)
        offset = file.append(answer + question)
        self.last = at
        return capture_of(
            capture_id=capture_id,
            at=at,
            place=(self._name, offset, len(answer)),
            payload=(sha256, len(body)),
            record_type="revisit" if refers_to else "response",
            url=target,
            method=method,
            status=status,
            headers=got,
            refers_to=refers_to.capture_id if refers_to else None,
            request_body=request_body,
            ip=ip,
            via=via,
            page=page,
        )

    def write_dom(self, *, url: str, page: str, body: bytes, at: datetime, document: str | None = None) -> Capture:
        """Write what a browser shows of a rendered page in the end: a `resource` record (WARC 1.1, 6.4).

        `body` is the DOM as UTF-8 HTML, `url` the address it stands at, `page` the one that was rendered (as in
        `write_exchange`), `document` the capture_id of the answer it grew from (WARC-Concurrent-To).
        """
        target, page = build.warc_url(url), build.warc_url(page)
        fields = [
            *_rendered(DOM, page),
            *([("WARC-Concurrent-To", _urn(document))] if document else []),
            # No WARC-Payload-Digest: payload and block are the same here, and FastWARC 2 holds one against other bytes.
            ("Content-Type", HTML),
        ]
        record_id, date, place = self._lone("resource", fields, body, at, target)
        return capture_of_page(capture_id=record_id, at=date, place=place, url=target, body=body, mime=HTML, page=page)

    def write_failure(
        self, *, url: str, method: str, request_body: bytes, reason: str, message: str, at: datetime
    ) -> Capture:
        """Write that a fetch ended without an answer: a `metadata` record (WARC 1.1, 6.6) of the URL.

        `reason` is a short name ("timeout"), `message` what was said, any text.
        """
        target = build.warc_url(url)
        asked = hashlib.sha256(request_body).hexdigest() if request_body else None
        block = {"method": method, "reason": reason, "message": build.json_text(message)}
        if asked:
            block["request-sha256"] = asked
        fields = [("X-Archive-Kind", "failure"), ("Content-Type", FIELDS)]
        record_id, date, place = self._lone("metadata", fields, build.warc_fields(block), at, target)
        return capture_of_failure(
            capture_id=record_id, at=date, place=place, url=target, method=method, request_sha256=asked
        )

    def write_note(self, kind: str, fields: Mapping[str, str], at: datetime) -> Note:
        """Write a note of the clinic's run: `kind` "run-started" or "run-ended", `fields` name to JSON text."""
        kinds = [("X-Archive-Kind", kind), ("Content-Type", FIELDS)]
        record_id, date, (name, offset, length) = self._lone("metadata", kinds, build.warc_fields(fields), at, None)
        return Note(record_id, kind, date, name, offset, length, dict(fields))

    def sync(self) -> None:
        """Return when all that was written is on the disk: to be called before the rows about it are committed."""
        if self._file:
            self._file.sync()

    def close(self) -> None:
        """Make durable and take the sidecar away. A second call does nothing; a write after it makes a new file."""
        file, self._file = self._file, None
        if file:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _lone(
        self, kind: str, fields: list[tuple[str, str]], block: bytes, at: datetime, target: str | None
    ) -> tuple[str, datetime, tuple[str, int, int]]:
        """Write a record that stands alone; its id, date and place."""
        file = self._ready()
        date, record_id = self._stamp(at), self._new_id()
        first = [("WARC-Type", kind), ("WARC-Record-ID", _urn(record_id)), *self._common(date, target)]
        member = build.record([*first, *fields], b"", block, stored=False)
        offset = file.append(member)
        self.last = date
        return record_id, date, (self._name, offset, len(member))

    def _common(self, at: datetime, target: str | None) -> list[tuple[str, str]]:
        uri = [("WARC-Target-URI", target)] if target else []
        return [("WARC-Date", utc(at)), *uri, ("WARC-Warcinfo-ID", _urn(self._info_id))]

    def _stamp(self, at: datetime) -> datetime:
        at = in_utc(at)
        return at if self.last is None or at > self.last else self.last + timedelta(microseconds=1)

    def _ready(self) -> OpenFile:
        """The file to write the next group to."""
        if self._file and self._file.size >= self._max_bytes and not self._file.broken:
            self.close()
        while self._file is None:
            path = self._archive / "warc" / self._clinic / f"{self._stem}-{self._serial:05}.warc.gz"
            self._serial += 1
            try:
                self._file = OpenFile(path, self._warcinfo(path.name))
            except FileExistsError:
                continue  # the same crawl began in the same second before: never append to what it left
            self._name = path.relative_to(self._archive).as_posix()
        return self._file

    def _warcinfo(self, name: str) -> bytes:
        self._info_id = self._new_id()
        block = {
            "software": "clinic-blog-archive",
            **self._info,
            "format": "WARC File Format 1.1",
            "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            "isPartOf": self._crawl,
            "clinic": self._clinic,
        }
        fields = [
            ("WARC-Type", "warcinfo"),
            ("WARC-Record-ID", _urn(self._info_id)),
            ("WARC-Date", utc(self._clock())),
            ("WARC-Filename", name),
            ("Content-Type", FIELDS),
        ]
        return build.record(fields, b"", build.warc_fields(block), stored=False)


def _rendered(via: str | None, page: str | None) -> list[tuple[str, str]]:
    """The fields of a record that belongs to a rendered page."""
    return [(name, value) for name, value in (("X-Archive-Via", via), ("X-Archive-Page", page)) if value is not None]


def _urn(record_id: str) -> str:
    return f"<urn:uuid:{record_id}>"
