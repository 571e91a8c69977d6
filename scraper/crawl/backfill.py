"""The order of a backfill: which captures of a clinic's posts a web archive has, and then each text that differs.

Like the plan of a visit it yields an `Ask` and is sent its `Answer`; `scraper.crawl.memento` reads what an answer says.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from w3lib.url import safe_url_string

from scraper.addresses import is_within, post_key
from scraper.crawl.memento import Listed, address_of, cdx_url, read_cdx
from scraper.crawl.state import VisitResult
from scraper.items import Problem
from scraper.platforms import may_be_post, recognise_alone, site_root
from scraper.platforms._platform import Answer, Ask, Plan, Platform

PAGE = 5_000  # lines of a CDX list that are asked for at a time
MOST_PAGES = 400
# What is worth asking for: a page, a removal, a rename, and what the archive's list does not tell.
WANTED = {"200", "301", "302", "303", "307", "308", "404", "410", "-"}


@dataclass(slots=True)
class Backfill:
    """What a backfill asks for, and what came of it."""

    base: str  # of the web archive, no trailing slash
    site: str  # the clinic's address
    first: str  # timestamps of 4 to 14 digits
    last: str | None = None
    limit: int | None = None
    platform: Platform | None = None  # the clinic's, as its last run recognised it
    asked_before: Collection[str] = field(default_factory=frozenset)  # addresses at the web archive
    listed: int = 0  # captures of posts in the lists
    chosen: int = 0  # of these, those that differ from the one before
    known: int = 0  # of these, those asked for in an earlier backfill
    missing: int = 0
    blocked: int = 0


def plan(wanted: Backfill, visit: VisitResult) -> Plan:
    """The whole backfill; `wanted` and `visit` are filled as it goes."""
    host = urlsplit(wanted.base).netloc
    found = yield from _lists(wanted, visit)
    if visit.failure:
        return
    # Spelled as they are asked for, so that they are known again: lists have letters beyond ASCII as they are.
    chosen = [safe_url_string(f"{wanted.base}/web/{one.timestamp}id_/{one.url}") for one in distinct(found)]
    wanted.listed, wanted.chosen = len(found), len(chosen)
    due = [url for url in chosen if url not in wanted.asked_before]
    wanted.known = len(chosen) - len(due)
    visit.discovered = len({post_key(one.url) for one in found})
    if not found:
        visit.failure = f"{host} lists no capture of a post of {wanted.site} in that time"
        return
    if wanted.limit is not None and len(due) > wanted.limit:
        visit.limited = True
        visit.notes.append(f"{len(due) - wanted.limit} captures more are listed; the next backfill takes them")
        due = due[: wanted.limit]
    for url in due:
        visit.attempted += 1
        answer = yield Ask(url=url)
        _count(wanted, visit, url, answer)
    lost = [f"{number} {what}" for number, what in ((wanted.missing, "missing"), (wanted.blocked, "blocked")) if number]
    if lost:
        number = wanted.missing + wanted.blocked
        visit.unknown_line = f"{number} captures that {host} lists could not be had ({', '.join(lost)})"


def _lists(wanted: Backfill, visit: VisitResult) -> Generator[Ask, Answer, list[Listed]]:
    """The captures of posts that the archive's lists name, page by page."""
    found: list[Listed] = []
    resume: str | None = None
    for _ in range(MOST_PAGES):
        url = cdx_url(wanted.base, site_root(wanted.site, wanted.platform), wanted.first, wanted.last, PAGE, resume)
        answer = yield Ask(url=url)
        if answer.exchange is None or not answer.ok:
            said = [item.message for item in answer.items if isinstance(item, Problem)]
            status = answer.exchange.status if answer.exchange else "nothing"
            visit.failure = answer.reason or (said[0] if said else f"{url}: answered {status}")
            return found
        listed, following = read_cdx(answer.exchange.body)
        found += [one for one in listed if _is_wanted(one, wanted.site, wanted.platform)]
        if following is None or following == resume:
            return found
        resume = following
    visit.notes.append(f"more than {MOST_PAGES} pages of captures: the others were not looked at")
    visit.limited = True
    return found


def _is_wanted(one: Listed, site: str, own: Platform | None) -> bool:
    return one.status in WANTED and is_within(one.url, site_root(site, own)) and may_be_post(one.url, own)


def distinct(listed: Iterable[Listed]) -> list[Listed]:
    """The captures whose digest is another than that of the one before at the same address, oldest first.

    A text that was changed and changed back is told three times.
    """
    last: dict[str, str] = {}
    kept = []
    for one in sorted(listed, key=lambda one: (one.timestamp, one.url)):
        key = post_key(one.url)
        if last.get(key) != one.digest:
            kept.append(one)
            last[key] = one.digest
    return kept


def _count(wanted: Backfill, visit: VisitResult, url: str, answer: Answer) -> None:
    """What became of one capture. The archive's own answers stand at its own address, mementos at the clinic's."""
    if answer.exchange is not None and address_of(answer.exchange.url, wanted.base) is None:
        visit.fetched += 1
        if visit.platform is None:
            platform = recognise_alone(answer.exchange, wanted.platform)
            visit.platform = platform.name if platform else None
        return
    kinds = {item.kind for item in answer.items if isinstance(item, Problem)}
    if "blocked-capture" in kinds:
        wanted.blocked += 1
    elif "no-capture" in kinds:
        wanted.missing += 1
    else:
        visit.failed += 1
        said = [item.message for item in answer.items if isinstance(item, Problem)]
        visit.failure_lines.append(answer.reason or (said[-1] if said else f"{url}: led nowhere"))
