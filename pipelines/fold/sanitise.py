"""Sanitise items: values that SQLite cannot store are repaired, items without their essential fields are replaced."""

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
    EmbeddedThread,
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

LARGEST = 2**63 - 1  # the largest integer that SQLite stores
# The fields without which no row can be made of an item.
ESSENTIAL: dict[type, tuple[str, ...]] = {
    Post: ("addresses",),
    Comment: ("post", "platform_comment_id"),
    EmbeddedThread: ("post", "service", "thread"),
    Reading: ("post",),
    Sighting: ("url",),
    Alias: ("addresses",),
    Gone: ("url", "answered"),
    Author: ("name",),
    Problem: ("kind", "message"),
    Link: ("url",),
    Image: ("url",),
    Related: ("position",),
}
# Kinds of problems that are stored but not reported one by one: the owner decided so (no counters, members only), or
# one line reports them all.
NO_NEWS = {
    "no-counters",
    "paywall",
    "no-browser",
    "not-rendered",
    "learned-address",
    "sub-request",
    "no-capture",
    "blocked-capture",
}


def storable(extraction: Extraction) -> Extraction:
    """Return the extraction with values that the tables can store; a pure function, so that every fold gives the same.

    Empty text becomes None, halves of surrogate pairs and NUL become U+FFFD, integers beyond 64 bits None. An item that
    lacks an essential field is replaced by a `Problem` that says so.
    """
    items = tuple(map(_sound_item, extraction.items))
    return extraction if all(map(is_, items, extraction.items)) else replace(extraction, items=items)


def _sound_item(item: Item) -> Item:
    if isinstance(item, Post) and not item.addresses and item.url:
        item = replace(item, addresses=(item.url,))
    texts: list[str] = []
    if _collect((item,), texts) and "" not in texts and _is_sound_text("".join(texts) or "-"):
        return item  # as nearly always
    repaired: Item | None = _repaired(item)
    if repaired is not None:
        return repaired
    url = getattr(item, "url", None)
    lacking = " or ".join(ESSENTIAL[type(item)])
    message = f"{url or 'an answer'}: a {type(item).__name__.lower()} without {lacking}; left out, please report it"
    return Problem(kind="invalid-item", message=message, url=_repaired(url))


def _collect(values: Iterable[Any], texts: list[str]) -> bool:
    """Collect all texts in the values, at any depth; return False if another value may need a repair."""
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
            inner = parts(value)
            if not all(inner[names.index(name)] for name in ESSENTIAL.get(kind, ())) or not _collect(inner, texts):
                return False
    return True


def _repaired(value: Any) -> Any:
    """Return the value as SQLite can store it; None if it has no such form, or lacks an essential field."""
    kind = type(value)
    if kind is str:
        return value if _is_sound_text(value) else _repaired_text(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if abs(value) <= LARGEST else None
    if kind is tuple:
        parts = tuple(repaired for part in value if (repaired := _repaired(part)) is not None)
        return value if len(parts) == len(value) and all(map(is_, parts, value)) else parts
    if isinstance(value, Mapping):
        return {name: repaired for name, part in value.items() if (repaired := _repaired(part)) is not None}
    return _repaired_fields(value, kind)


def _repaired_fields(value: Any, kind: type) -> Any:
    """Return the dataclass with its fields repaired; None if it lacks an essential one."""
    changed = {}
    for name in fields_of(kind)[0]:
        old = getattr(value, name)
        new = _repaired(old)
        if new is not old and new != old:
            changed[name] = new
        if not new and name in ESSENTIAL.get(kind, ()):
            return None
    return replace(value, **changed) if changed else value


def _is_sound_text(text: str) -> bool:
    """Return whether the text can be stored as it is: not empty, no NUL, no half of a surrogate pair."""
    if not text or "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _repaired_text(text: str) -> str | None:
    # JSON allows a lone "\ud83d": half of an emoji that a script cut in two
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", "\ufffd") or None


def fields_of(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """Return the names of a dataclass's fields, and a function that gives their values; no names for other types."""
    found = _FIELDS.get(kind)
    if found is None:
        found = _FIELDS[kind] = _fields_of(kind)
    return found


# A cache, because `fields_of` is called for every item.
_FIELDS: dict[type, tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]] = {}


def _fields_of(kind: type) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
    getter = attrgetter(*names) if names else tuple
    return names, (lambda value: (getter(value),)) if len(names) == 1 else getter


def is_news(problem: Problem, site: str) -> bool:
    """Return whether the problem is reported. The robots.txt of another site (a page's tracker) is not."""
    foreign_robots = urlsplit(problem.url or "").path == "/robots.txt" and not same_site(problem.url or "", site)
    return problem.kind not in NO_NEWS and not foreign_robots
