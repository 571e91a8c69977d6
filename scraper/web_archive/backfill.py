"""The plan of a backfill: list a web archive's captures of a clinic's posts, then request each text that differs.

Like the plan of a visit it yields an `Ask` and receives its `Answer`; `scraper.web_archive.memento` reads the answers.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from w3lib.url import safe_url_string

from scraper.addresses import is_within, post_key
from scraper.crawl.state import VisitState
from scraper.items import Problem
from scraper.platforms import may_be_post, recognise_alone, site_root
from scraper.platforms._platform import Answer, Ask, Plan, Platform
from scraper.web_archive.memento import CdxEntry, cdx_url, memento_target, read_cdx

PAGE = 5_000  # lines of one page of a CDX list
MAX_PAGES = 400
MAX_UNANSWERED = 3  # requests in a row without any answer, each repeated by the spider: then the backfill ends
# Status codes of captures that are requested: pages, removals, renames, and those that the list does not state.
WANTED = {"200", "301", "302", "303", "307", "308", "404", "410", "-"}


@dataclass(slots=True)
class Backfill:
    """The input of a backfill, and its counts."""

    base: str  # URL of the web archive, no trailing slash
    site: str  # the clinic's address
    first: str  # timestamp of 4 to 14 digits
    last: str | None = None  # likewise; None: until today
    limit: int | None = None
    platform: Platform | None = None  # the clinic's platform, as its last run recognised it
    requested_before: Collection[str] = field(default_factory=frozenset)  # addresses at the web archive
    listed: int = 0  # captures of posts that the lists name
    chosen: int = 0  # of these, those whose text differs from the previous one
    known: int = 0  # of these, those requested by an earlier backfill
    missing: int = 0  # requested captures that the web archive does not have
    blocked: int = 0  # requested captures that it does not show


def plan(backfill: Backfill, visit: VisitState) -> Plan:
    """Yield the requests of a whole backfill; `backfill` and `visit` are filled in meanwhile."""
    host = urlsplit(backfill.base).netloc
    entries = yield from _lists(backfill, visit)
    if visit.failure:
        return
    # Spelled as they are requested, to compare with earlier requests: lists contain letters beyond ASCII unescaped.
    chosen = [
        safe_url_string(f"{backfill.base}/web/{entry.timestamp}id_/{entry.url}") for entry in distinct_captures(entries)
    ]
    backfill.listed, backfill.chosen = len(entries), len(chosen)
    due = [url for url in chosen if url not in backfill.requested_before]
    backfill.known = len(chosen) - len(due)
    visit.discovered = len({post_key(entry.url) for entry in entries})
    if not entries:
        visit.failure = f"{host} lists no capture of a post of {backfill.site} in that time"
        return
    if backfill.limit is not None and len(due) > backfill.limit:
        visit.limited = True
        visit.notes.append(f"{len(due) - backfill.limit} more captures are listed; the next backfill requests them")
        due = due[: backfill.limit]
    yield from _request(backfill, visit, due)
    failures = {"missing": backfill.missing, "blocked": backfill.blocked}
    if any(failures.values()):
        counts = ", ".join(f"{number} {kind}" for kind, number in failures.items() if number)
        visit.unknown_line = f"{sum(failures.values())} captures that {host} lists could not be downloaded ({counts})"


def _request(backfill: Backfill, visit: VisitState, due: list[str]) -> Plan:
    """Request the captures, until all are requested or the web archive no longer answers."""
    unanswered = 0
    for done, url in enumerate(due, start=1):
        visit.attempted += 1
        answer = yield Ask(url=url)
        _count(backfill, visit, url, answer)
        # An answer whose body cannot be decoded has no exchange either, but an item that says so.
        unanswered = unanswered + 1 if answer.exchange is None and not answer.items else 0
        if unanswered == MAX_UNANSWERED:
            left = len(due) - done
            del visit.failure_lines[-unanswered:]
            visit.failure = (
                f"{answer.reason or f'{url}: no answer'}; the backfill ends after {unanswered} requests without an"
                f" answer, {left} captures are left; the next backfill requests them"
            )
            return


def _lists(backfill: Backfill, visit: VisitState) -> Generator[Ask, Answer, list[CdxEntry]]:
    """Request the lists page by page, and return the captures of posts that they name."""
    entries: list[CdxEntry] = []
    resume: str | None = None
    for _ in range(MAX_PAGES):
        url = cdx_url(
            backfill.base,
            site_root(backfill.site, backfill.platform),
            backfill.first,
            backfill.last,
            PAGE,
            resume,
        )
        answer = yield Ask(url=url)
        if answer.exchange is None or not answer.ok:
            messages = [item.message for item in answer.items if isinstance(item, Problem)]
            status = answer.exchange.status if answer.exchange else "nothing"
            visit.failure = answer.reason or (messages[0] if messages else f"{url}: answered {status}")
            return entries
        page, following = read_cdx(answer.exchange.body)
        entries += [entry for entry in page if _is_wanted(entry, backfill.site, backfill.platform)]
        if following is None or following == resume:
            return entries
        resume = following
    visit.notes.append(f"more than {MAX_PAGES} pages of captures: the others were not read")
    visit.limited = True
    return entries


def _is_wanted(entry: CdxEntry, site: str, platform: Platform | None) -> bool:
    return (
        entry.status in WANTED and is_within(entry.url, site_root(site, platform)) and may_be_post(entry.url, platform)
    )


def distinct_captures(entries: Iterable[CdxEntry]) -> list[CdxEntry]:
    """Return the captures whose digest differs from the previous one at the same address, oldest first.

    A text that was changed and changed back gives three captures.
    """
    last: dict[str, str] = {}
    chosen = []
    for entry in sorted(entries, key=lambda entry: (entry.timestamp, entry.url)):
        key = post_key(entry.url)
        if last.get(key) != entry.digest:
            chosen.append(entry)
            last[key] = entry.digest
    return chosen


def _count(backfill: Backfill, visit: VisitState, url: str, answer: Answer) -> None:
    """Count the outcome of one capture. A memento has the clinic's address, the archive's own answers have its own."""
    if answer.exchange is not None and memento_target(answer.exchange.url, backfill.base) is None:
        visit.fetched += 1
        if visit.platform is None:
            platform = recognise_alone(answer.exchange, backfill.platform)
            visit.platform = platform.name if platform else None
        return
    kinds = {item.kind for item in answer.items if isinstance(item, Problem)}
    if "blocked-capture" in kinds:
        backfill.blocked += 1
    elif "no-capture" in kinds:
        backfill.missing += 1
    else:
        visit.failed += 1
        messages = [item.message for item in answer.items if isinstance(item, Problem)]
        visit.failure_lines.append(answer.reason or (messages[-1] if messages else f"{url}: no capture was found"))
