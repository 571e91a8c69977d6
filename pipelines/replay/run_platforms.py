"""By which platform's rules the captures of a clinic's stored runs are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from archive.warc import BadRecord, RecordGroup, read_record
from pipelines.events import Event, VisitEnded
from pipelines.imports.identity import CaptureRef
from pipelines.log import LoggedCapture, VisitLog
from pipelines.replay.stored import Locate, stored_body, stored_exchange
from scraper.items import Exchange
from scraper.platforms import is_home_answer, marked, platform_named, recognise

UNKNOWN = "?"  # not determined yet; no platform has this name
UNREAD = "unsupported"  # the `blog_status` of a site that the version of that run could not read


def _noted(end: Mapping[str, Any]) -> str | None:
    """Return the name of the platform by whose rules a run's captures were read, as its run-ended note gives it.

    None where nobody read them; `UNKNOWN` where a note of an older version does not say that. Such a note names the
    maker of a site that nobody read, which a newer version may read.
    """
    if "reader" in end or end.get("blog_status") == UNREAD:
        named = platform_named(end.get("reader"))
        return named.name if named is not None else None
    named = platform_named(end.get("platform"))
    return named.name if named is not None else UNKNOWN


class RunPlatforms:
    """The platform of each run of a clinic: from its note, else recognised again from its own captures."""

    def __init__(self, archive: Path, events: Iterable[Event | LoggedCapture], locate: Locate) -> None:
        self._archive, self._locate = archive, locate
        refs: dict[int, tuple[VisitLog, list[CaptureRef]]] = {}
        for event in events:
            if isinstance(event, LoggedCapture):
                refs.setdefault(id(event.log), (event.log, []))[1].append(event.ref)
        self.logs = [log for log, _ in refs.values()]
        self._refs = {key: found for key, (_, found) in refs.items()}
        self._names: dict[int, str | None] = {}
        self._own: str | None = UNKNOWN

    def of(self, log: VisitLog) -> str | None:
        """Return the name of the run's platform; None where it recognised none."""
        if log.kind != "crawl":
            return None
        if id(log) not in self._names:
            noted = _noted(log.end or {})
            self._names[id(log)] = self._recognised(log) if noted is UNKNOWN else noted
        return self._names[id(log)]

    def of_run(self, event: VisitEnded) -> str | None:
        """Return the name of the platform of the run that ends."""
        log = next((log for log in self.logs if log.visit == event.visit), None)
        if log is not None:
            return self.of(log)
        noted = _noted(event.fields or {}) if event.visit.kind == "crawl" else None
        return None if noted is UNKNOWN else noted

    @property
    def clinics_own(self) -> str | None:
        """The platform of the clinic's last crawl; without one, of the first capture that carries a mark."""
        if self._own is UNKNOWN:
            crawls = [log for log in self.logs if log.kind == "crawl"]
            named = (self.of(log) for log in reversed(crawls))
            self._own = next((name for name in named if name is not None), None) or self._first_marked()
        return self._own

    def _first_marked(self) -> str | None:
        exchanges = (exchange for log in self.logs for exchange in self._exchanges(log))
        return next((platform.name for exchange in exchanges if (platform := marked(exchange)) is not None), None)

    def _recognised(self, log: VisitLog) -> str | None:
        for exchange in self._exchanges(log):
            platform = recognise(exchange) if is_home_answer(exchange) else None
            if platform is not None:
                return platform.name
        return None

    def _exchanges(self, log: VisitLog) -> Iterator[Exchange]:
        for ref in self._refs.get(id(log), ()):
            try:
                record = read_record(self._archive, ref.file, ref.offset)
                if isinstance(record, RecordGroup) and record.capture.via is None:
                    yield stored_exchange(record, stored_body(self._archive, record, self._locate))
            except (BadRecord, OSError, ValueError):
                continue
