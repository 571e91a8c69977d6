"""Which capture is which: references to captures, ids that several records have, and the originals of revisits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from archive.warc import derived_id


@dataclass(frozen=True, slots=True)
class ImportOrigin:
    """The origin of an imported capture."""

    origin: str  # the program that made it, as the file says
    retrieved_at: datetime  # when it was imported
    retrieved_from: str  # name of the imported file


@dataclass(frozen=True, slots=True)
class CaptureRef:
    """A reference to one capture: its id and its date, and the place of its record."""

    at: datetime
    capture_id: str
    payload_sha256: str
    file: str  # relative to the archive
    offset: int
    refers_to: str | None
    # Of an imported capture: its origin, its URL, and (URL, first and last date) of the original if it is a revisit.
    brought: ImportOrigin | None = None
    url: str = ""
    original: tuple[str, datetime, datetime] | None = None
    is_revisit: bool = False
    digests: tuple[str, ...] = ()  # of its payload, as a revisit may state one; of a revisit: the one that it states


def with_own_id(entry: CaptureRef, known: dict[str, CaptureRef]) -> CaptureRef:
    """Return the entry, with an id made of its place where another capture has its id already. `known`: by id.

    The same record a second time keeps its id. The entry is added to `known` if it is new.
    """
    other = known.setdefault(entry.capture_id, entry)
    if is_same(entry, other):
        return entry
    entry = replace(entry, capture_id=derived_id(entry.file, entry.offset))
    known.setdefault(entry.capture_id, entry)
    return entry


def is_same(entry: CaptureRef, other: CaptureRef) -> bool:
    """Return whether two entries of one id are one capture, which may be in two files."""
    urls = {entry.url, other.url} - {""}
    return (entry.at, entry.payload_sha256) == (other.at, other.payload_sha256) and len(urls) < 2


def first_of(ref: CaptureRef, known: dict[str, CaptureRef], problems: list[str]) -> CaptureRef | None:
    """Return the capture, or None where it is known already, from another file.

    Where another capture has its id, an imported one gets an id of its own; one of our own is reported and left out.
    """
    if ref.brought is not None:
        ref = with_own_id(ref, known)
        return ref if known[ref.capture_id] is ref else None
    other = known.setdefault(ref.capture_id, ref)
    if other is not ref and not is_same(ref, other):
        problems.append(
            f"{ref.file}: byte {ref.offset}: another record has the id {ref.capture_id} already"
            f" ({other.file}, byte {other.offset}); left out"
        )
    return ref if other is ref else None


def resolve_revisits(entries: Iterable[CaptureRef]) -> Iterator[CaptureRef]:
    """Yield the captures of one clinic, in order, with the originals of imported revisits.

    A revisit may name its original by its id, by URL and date, or by the digest of the payload alone: it gets the
    original's id and the digest of its payload.
    """
    listed = list(entries)
    originals = _Originals(listed)
    for entry in listed:
        named = originals.of(entry) if entry.brought is not None else None
        if named is None or named is entry:
            yield entry
        else:
            sha256 = entry.payload_sha256 or named.payload_sha256
            yield replace(entry, refers_to=named.capture_id, payload_sha256=sha256)


class _Originals:
    """The captures of one clinic that revisits may refer to."""

    def __init__(self, entries: Iterable[CaptureRef]) -> None:
        self._by_id: dict[str, CaptureRef] = {}
        self._by_url: dict[str, list[CaptureRef]] = {}
        self._by_digest: dict[str, list[CaptureRef]] = {}
        for entry in entries:
            self._by_id[entry.capture_id] = entry
            if entry.url and not entry.is_revisit:
                self._by_url.setdefault(entry.url, []).append(entry)
                for digest in entry.digests:
                    self._by_digest.setdefault(digest, []).append(entry)

    def of(self, revisit: CaptureRef) -> CaptureRef | None:
        """Return the original that an imported revisit names; None where there is none."""
        named = self._by_id.get(revisit.refers_to or "")
        if named is None and revisit.original is not None:
            url, first, last = revisit.original
            dated = [entry for entry in self._by_url.get(url, ()) if first <= entry.at <= last]
            named = min(dated, key=lambda entry: entry.at, default=None)
        if named is None and revisit.is_revisit:
            equal = [entry for digest in revisit.digests for entry in self._by_digest.get(digest, ())]
            # Of the same address if there is one, and the newest of those before the revisit.
            named = max(
                equal,
                key=lambda entry: (entry.url == revisit.url, entry.at <= revisit.at, entry.at, entry.capture_id),
                default=None,
            )
        return named
