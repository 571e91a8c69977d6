"""Validate: what may become rows. Values that SQLite cannot hold are mended, items without their essentials dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter, is_
from typing import Any, Self
from urllib.parse import urlsplit

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from archive.warc import Capture, WarcWriteError
from pipelines.run.run import Run
from scraper.addresses import same_site
from scraper.items import (
    Alias,
    Author,
    Comment,
    Extraction,
    Gone,
    Image,
    Item,
    Link,
    Post,
    Problem,
    Reading,
    Related,
    Sighting,
)

LARGEST = 2**63 - 1  # what a SQLite integer holds
# Without these an item is about nothing, or a row about it impossible.
ESSENTIAL: dict[type, tuple[str, ...]] = {
    Post: ("addresses",), Comment: ("post", "platform_comment_id"), Reading: ("post",), Sighting: ("url",),
    Alias: ("addresses",), Gone: ("url", "answered"), Author: ("name",), Problem: ("kind", "message"),
    Link: ("url",), Image: ("url",), Related: ("position",),
}  # fmt: skip
# Kept in the table, and no reason to write to anybody: an owner hides a post's counters, or shows it to members only;
# or told in one line for all.
NO_NEWS = {
    "no-counters", "paywall", "no-browser", "not-rendered", "learned-address", "sub-request", "no-capture",
    "blocked-capture",
}  # fmt: skip


def storable(extraction: Extraction) -> Extraction:
    """The extraction as the tables can hold it; a pure function, so that every fold does the same.

    Empty text becomes None, halves of surrogate pairs and NUL become U+FFFD, integers beyond 64 bits None. An item that
    lacks its essentials is replaced by a `Problem` that says so.
    """
    items = tuple(map(_sound_item, extraction.items))
    return extraction if all(map(is_, items, extraction.items)) else replace(extraction, items=items)


def _sound_item(item: Item) -> Item:
    if isinstance(item, Post) and not item.addresses and item.url:
        item = replace(item, addresses=(item.url,))
    texts: list[str] = []
    if _collect((item,), texts) and "" not in texts and _is_sound_text("".join(texts) or "-"):
        return item  # as nearly always
    whole: Item | None = _mended(item)
    if whole is not None:
        return whole
    url = getattr(item, "url", None)
    lacking = " or ".join(ESSENTIAL[type(item)])
    message = f"{url or 'an answer'}: a {type(item).__name__.lower()} without {lacking}; left out, please report it"
    return Problem(kind="invalid-item", message=message, url=_mended(url))


def _collect(values: Iterable[Any], texts: list[str]) -> bool:
    """Gather all texts among the values and inside them; False where anything else has to be looked at more closely."""
    for value in values:
        kind = type(value)
        if kind is str:
            texts.append(value)
        elif value is None or kind is bool or (kind is int and -LARGEST <= value <= LARGEST):
            continue
        elif kind is tuple:
            if value and (None in value or not _collect(value, texts)):
                return False
        elif kind is dict:
            if not _collect(value.values(), texts):
                return False
        else:
            names, parts = fields_of(kind)
            if not names:
                return False
            held = parts(value)
            if not all(held[names.index(name)] for name in ESSENTIAL.get(kind, ())) or not _collect(held, texts):
                return False
    return True


def _mended(value: Any) -> Any:
    """The value as SQLite can hold it; None for one that has no such form, or lacks its essentials."""
    kind = type(value)
    if kind is str:
        return value if _is_sound_text(value) else _mended_text(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if abs(value) <= LARGEST else None
    if kind is tuple:
        kept = tuple(whole for one in value if (whole := _mended(one)) is not None)
        return value if len(kept) == len(value) and all(map(is_, kept, value)) else kept
    if isinstance(value, Mapping):
        return {name: whole for name, one in value.items() if (whole := _mended(one)) is not None}
    changed = {}
    for name in fields_of(kind)[0]:
        old = getattr(value, name)
        new = _mended(old)
        if new is not old and new != old:
            changed[name] = new
        if not new and name in ESSENTIAL.get(kind, ()):
            return None
    return replace(value, **changed) if changed else value


def _is_sound_text(text: str) -> bool:
    """Text that can be stored as it is: some, no NUL, no half of a surrogate pair."""
    if not text or "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _mended_text(text: str) -> str | None:
    # JSON allows "\ud83d" alone, a half of an emoji that a script cut in two
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", "\ufffd") or None


def fields_of(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """Names of a dataclass's fields, and what gives their values; no names for what is no dataclass."""
    found = _FIELDS.get(kind)
    if found is None:
        found = _FIELDS[kind] = _fields_of(kind)
    return found


# Asked for every item.
_FIELDS: dict[type, tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]] = {}


def _fields_of(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
    one = attrgetter(*names) if names else tuple
    return names, (lambda value: (one(value),)) if len(names) == 1 else one


def is_news(problem: Problem, site: str) -> bool:
    """Somebody should be told of it. What a rendered page's trackers say to robots is no business of a reader's."""
    foreign_robots = urlsplit(problem.url or "").path == "/robots.txt" and not same_site(problem.url or "", site)
    return problem.kind not in NO_NEWS and not foreign_robots


class Validate:
    """Sees to it that every extraction names its bytes, and counts what posts lack."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_item(self, extraction: Extraction) -> Extraction:
        """The extraction, sure to name its capture.

        A problem that no exchange tells (robots.txt forbade the address) is recorded as a fetch that was not made.
        Raises `DropItem` for anything else without a capture, and ends the run: no capture, no row.
        """
        run = Run.of(self._crawler.settings)
        if (
            extraction.capture is None
            and not run.broken
            and extraction.items
            and all(isinstance(one, Problem) for one in extraction.items)
        ):
            extraction = _recorded(run, extraction)
        if not isinstance(extraction.capture, Capture):
            run.halt("an answer was read that was never recorded; the run is stopped, please report it")
            raise DropItem("an extraction without a capture")
        outcome = run.outcomes[extraction.clinic_id]
        outcome.coverage.take(extraction)
        outcome.problems += [
            item.message for item in extraction.items if isinstance(item, Problem) and is_news(item, outcome.clinic.url)
        ]
        return extraction


def _recorded(run: Run, extraction: Extraction) -> Extraction:
    """The same, standing on a record of its own from which a fold reads it again."""
    problem = next(one for one in extraction.items if isinstance(one, Problem))
    try:
        capture = run.writer(extraction.clinic_id).write_failure(
            url=problem.url or run.outcomes[extraction.clinic_id].clinic.url, method="GET", request_body=b"",
            reason=problem.kind, message=problem.message, at=datetime.now(UTC),
        )  # fmt: skip
    except WarcWriteError as error:
        run.halt(str(error))
        raise DropItem("a problem that could not be recorded") from error
    run.outcomes[extraction.clinic_id].recorded += 1
    told = Problem(kind=problem.kind, message=problem.message, url=capture.url)
    return replace(extraction, capture=capture, items=(told,))
