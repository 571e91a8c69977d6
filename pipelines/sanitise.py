"""Validate: what may become rows. Values that SQLite cannot hold are mended, items without their essentials dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from operator import attrgetter, is_
from typing import Any
from urllib.parse import urlsplit

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
