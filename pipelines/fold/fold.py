"""The fold: makes rows of the events of a clinic's log, in their order, one transaction for a batch of whole captures.

Nothing but `Fold.apply` writes a clinic's rows. A live crawl, rebuild, reparse, import, backfill and recovery apply the
same events. The bytes are on the disk before the rows are committed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from archive.rows import clinics, runs, sightings
from archive.rows.cache import ClinicCache
from archive.rows.clinics import save_clinic, save_folded_by
from archive.rows.context import CaptureContext
from archive.rows.evidence import save_confirmation
from archive.rows.identity import placement
from archive.rows.identity.renames import save_renames
from archive.rows.posts import posts
from archive.rows.withdrawals import save_purge, save_withdrawal
from archive.search.index import index_due
from archive.times import utc
from archive.wal import WriteAheadLog
from archive.warc import Capture
from pipelines.events import (
    Captured,
    CapturesEnded,
    ClinicListed,
    ClinicVisit,
    Confirmed,
    Event,
    PolicySet,
    Purged,
    VisitEnded,
    VisitStarted,
    Withdrawn,
)
from pipelines.fold.sanitise import fields_of, storable
from pipelines.fold.threads import Threads
from pipelines.privacy.held import without_people
from pipelines.privacy.masking import MASKED_BY
from pipelines.replay.stored import missing_original
from pipelines.run.capture_row import Omissions, capture_row
from pipelines.takedown.withheld import Left, Withheld
from scraper.config.clinics import PRODUCT, VERSION
from scraper.items import (
    Alias,
    Author,
    Comment,
    EmbeddedThread,
    Extraction,
    Gone,
    Item,
    Post,
    Problem,
    Reading,
    Sighting,
    Site,
    Thread,
)

# A transaction holds at most BATCH captures; a capture waits at most PATIENCE seconds for its rows.
BATCH, PATIENCE = 128, 10.0
SOFTWARE = f"{PRODUCT}/{VERSION} {MASKED_BY}"  # the value of `clinics.folded_by`
# Items about the site and its people are saved before the posts of the same capture, in whatever order a parser gives.
ORDER: dict[type, int] = {Site: 0, Author: 1, Post: 2}
Reread = Callable[[str], Mapping[str, Any] | None]


def as_mapping(item: Item) -> Mapping[str, Any]:
    """Return the item's fields by name, one level deep: the form that `archive.rows` takes."""
    names, values = fields_of(type(item))
    return dict(zip(names, values(item), strict=True))


class Fold:
    """Makes the rows of one clinic from its events; the rows do not depend on when they are committed.

    `reread`: returns the post that today's parser reads from a stored capture; called where two versions of a parser
    are compared. `sync`: makes the recorded bytes durable; called before each commit. `withheld`: what takedowns leave
    out; None if none holds at the clinic.
    """

    def __init__(
        self,
        db: Database,
        clinic_id: str,
        reread: Reread,
        sync: Callable[[], None] = lambda: None,
        withheld: Withheld | None = None,
    ) -> None:
        self._db, self._clinic_id, self._reread, self._sync = db, clinic_id, reread, sync
        self._withheld = withheld
        self._is_withdrawn = withheld.is_withdrawn_address if withheld else lambda _: False
        self._cache = ClinicCache(db, clinic_id)
        self._log = WriteAheadLog(db)
        self._threads = Threads()
        self._pending: list[tuple[ClinicVisit, Extraction]] = []
        self._omissions: dict[str, Omissions] = {}  # of waiting captures of which something is left out
        self._since: float | None = None  # time.monotonic() when the oldest waiting capture was taken

    def apply(self, event: Event) -> None:
        """Apply the next event of the clinic's log. Call it with the events in their order.

        - Captured: the capture joins the current batch, or is held until its thread of comments is whole
          (`pipelines.fold.threads`). Its rows are committed with the batch, at the latest when the run ends.
        - CapturesEnded: held captures of the run join the batch.
        - every other event: the batch is committed, then the rows of the event itself.

        Raises `sqlite3.Error`, and what `sync` raises.
        """
        if self._withheld is not None and self._withheld.is_whole and not isinstance(event, Withdrawn | Purged):
            return
        match event:
            case Captured():
                self._take(event)
            case CapturesEnded():
                self._pending += self._threads.release(event.visit, ended=False)
            case ClinicListed():
                self.commit()
                self._save_stanza(event.stanza, event.at)
            case VisitStarted():
                self.commit()
                self._start(event.visit)
            case Confirmed():
                self.commit()
                with self._db.atomic():
                    save_confirmation(self._db, self._clinic_id, event.at)
            case PolicySet():
                self.commit()
                with self._db.atomic():
                    clinics.save_policy(self._db, self._clinic_id, event.policy.comments, event.policy.privacy)
            case Withdrawn():
                self.commit()
                with self._db.atomic():
                    save_withdrawal(self._db, event.row, event.permalinks)
            case Purged():
                self.commit()
                with self._db.atomic():
                    save_purge(self._db, event.takedowns, event.at[:10])
            case VisitEnded():
                self.finish(event.visit, finished=event.finished)
                self._end(event)

    @property
    def extended(self) -> list[Withdrawn]:
        """The takedowns of posts of which the captures gave further addresses."""
        return self._withheld.extended() if self._withheld else []

    def finish(self, visit: ClinicVisit, *, finished: bool) -> None:
        """Commit all captures of the run; `finished`: the visit was not cut short, so that no thread lacks names."""
        self._pending += self._threads.release(visit, ended=finished)
        self.commit()

    def _take(self, event: Captured) -> None:
        visit, stored = event.visit, storable(event.extraction)
        extraction, holds_withdrawn, is_cut = self._withheld.left_of(stored) if self._withheld else Left(stored)
        extraction, before = without_people(extraction, visit.policy), extraction
        if (holds_withdrawn or extraction is not before) and isinstance(extraction.capture, Capture):
            self._omissions[extraction.capture.capture_id] = Omissions(
                extraction is not before, holds_withdrawn, is_cut
            )
        if self._since is None:
            self._since = time.monotonic()
        self._pending += self._threads.take(visit, extraction)
        if len(self._pending) >= BATCH or (self._pending and time.monotonic() - self._since > PATIENCE):
            self.commit()

    def _save_stanza(self, stanza: Mapping[str, Any], at: str | None) -> None:
        """Save the clinic's row and attributes as in the stanza; with `at`, also whether it is closed then."""
        row = {name: stanza.get(name) for name in ("name", "url", "timezone", "comments", "privacy")}
        with self._db.atomic():
            save_clinic(self._db, {**row, "clinic_id": self._clinic_id}, dict(stanza.get("attributes") or {}))
            save_folded_by(self._db, self._clinic_id, SOFTWARE)
            if at is not None:
                runs.save_closing(self._db, self._clinic_id, stanza.get("closed"), at[:10])

    def _start(self, visit: ClinicVisit) -> None:
        if visit.crawl_id is None:
            return
        with self._db.atomic():
            runs.save_crawl(self._db, visit.crawl_id, visit.started_at, visit.software, visit.kind)
            # The stanza of an import or a backfill may be the stored one: it is no evidence that the clinic is closed.
            self._save_stanza(visit.stanza, visit.started_at if visit.kind == "crawl" else None)
            runs.save_run_start(self._db, visit.crawl_id, self._clinic_id, visit.started_at, visit.user_agent)
        self._cache = ClinicCache(self._db, self._clinic_id)

    def _end(self, event: VisitEnded) -> None:
        crawl_id, kind = event.visit.crawl_id, event.visit.kind
        if crawl_id is None:
            return
        if self._withheld and event.fields and event.fields.get("note"):
            event = replace(event, fields={**event.fields, "note": self._withheld.redacted(event.fields["note"])})
        with self._db.atomic():
            if event.fields is None:
                runs.save_killed_run(self._db, crawl_id, self._clinic_id)
            elif kind == "crawl":
                runs.save_clinic_run(self._db, crawl_id, self._clinic_id, event.fields)
            else:  # the clinic was not visited; the counts are those of the rows
                counts = runs.count_rows(self._db, crawl_id, self._clinic_id)
                counted = {name: counts[name] for name in runs.COUNTED}
                runs.save_run_end(self._db, crawl_id, self._clinic_id, {**event.fields, **counted})
            runs.save_platform(self._db, crawl_id, self._clinic_id, event.platform)

    def commit(self) -> None:
        """Commit the current batch; captures of a thread that is not whole yet stay held."""
        batch, self._pending = self._pending, []
        self._since = time.monotonic() if self._threads.are_held else None
        if not batch:
            return
        self._sync()
        cache = self._cache
        with self._db.atomic():
            self._db.execute("PRAGMA defer_foreign_keys = ON")
            items = (item for _, extraction in batch for item in extraction.items)
            cache.begin(item.addresses for item in items if isinstance(item, Post))
            captured = [extraction.capture for _, extraction in batch if isinstance(extraction.capture, Capture)]
            known = {capture.capture_id for capture in captured}
            without_row = self._without_row({capture.refers_to for capture in captured} - known)
            for visit, extraction in batch:
                cache.batch.put("captures", capture_row(visit, extraction, without_row, self._omissions))
            cache.batch.write()  # rows of other tables refer to them
            for visit, extraction in batch:
                self._save(visit, extraction, without_row)
            cache.write()
            index_due(self._db)
        for capture_id in known:
            self._omissions.pop(capture_id, None)
        self._log.checkpoint()

    def _without_row(self, capture_ids: set[str | None]) -> set[str]:
        """Return the ids without a row: a revisit of such a capture becomes a problem, and cannot refer to it."""
        find = "SELECT 1 FROM captures WHERE capture_id = ?"
        return {
            capture_id
            for capture_id in capture_ids
            if capture_id and not self._db.conn.execute(find, (capture_id,)).fetchone()
        }

    def _save(self, visit: ClinicVisit, extraction: Extraction, without_row: set[str]) -> None:
        """Save the rows of one capture's items."""
        capture, cache = extraction.capture, self._cache
        assert isinstance(capture, Capture)
        context = CaptureContext(
            cache=cache,
            crawl_id=visit.crawl_id,
            capture_id=capture.capture_id,
            at=utc(capture.fetched_at),
            url=capture.url,
            origin=capture.origin,
            extractor_version=extraction.extractor_version,
            from_dom=capture.via == "dom",
            sources=extraction.sources,
            reread=self._reread,
            is_withdrawn=self._is_withdrawn,
        )
        cache.captures.add(capture.capture_id)
        cache.identities.ranking = extraction.sources
        if capture.http_status == 304 and capture.refers_to:
            sightings.save_not_modified(context, capture.refers_to)
            if capture.refers_to in without_row:
                sightings.save_problem(context, as_mapping(missing_original(capture.url, "no row")))
            if extraction.items:
                cache.write()  # rows of the 304's own items, if any, come second
        cache.look_up_comments(item.platform_comment_id for item in extraction.items if isinstance(item, Comment))
        for item in sorted(extraction.items, key=lambda item: ORDER.get(type(item), 3)):
            SAVERS[type(item)](context, as_mapping(item))
        save_renames(context)


SAVERS: dict[type, Callable[[CaptureContext, Mapping[str, Any]], object]] = {
    Site: clinics.save_site,
    Author: clinics.save_author,
    Post: posts.save_post,
    EmbeddedThread: placement.save_embedded_thread,
    Reading: placement.place_reading,
    Comment: placement.place_comment,
    Thread: sightings.save_thread,
    Sighting: sightings.save_sighting,
    Alias: sightings.save_alias,
    Gone: sightings.save_gone,
    Problem: sightings.save_problem,
}
