"""Turns the text files into posts, people and comments, the same ones each time.

Posts are written in `texts/posts*.toml`; where a text says `@bank TOPIC N` or `@list TOPIC N` it borrows paragraphs
of `texts/bank.md`, least used first, so that posts share a voice but not their sentences.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from .markup import blocks, choose, picture
from .model import Person, Post, number
from .threads import threads

TEXTS = Path(__file__).parent / "texts"
_AGO = re.compile(r"(\d+)([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@cache
def people() -> Mapping[str, Person]:
    """Everybody who writes, by key."""
    entries = tomllib.loads((TEXTS / "people.toml").read_text("utf-8"))["person"]
    return {entry["key"]: Person(**entry) for entry in entries}


def commenters() -> list[str]:
    """Every name, e-mail and phone of somebody who comments, also first names where a text calls somebody by it."""
    talk = (TEXTS / "comments.toml").read_text("utf-8")
    found: list[str] = []
    for person in people().values():
        if person.kind == "staff" or not person.name:
            continue
        first = person.name.split()[0]
        called = re.search(rf"\b{re.escape(first)}\b", talk) is not None
        found += [person.name, first if called else "", person.email, person.phone]
    return list(dict.fromkeys(value for value in found if value))


class Bank:
    """Paragraphs by topic, handed out least used first."""

    def __init__(self) -> None:
        self._topics: dict[str, list[str]] = {}
        self._used: dict[str, int] = defaultdict(int)
        text = (TEXTS / "bank.md").read_text("utf-8")
        for part in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
            name, _, body = part.partition("\n")
            separator = r"\n" if name.startswith("list-") else r"\n\s*\n"
            self._topics[name.strip()] = [item.strip() for item in re.split(separator, body) if item.strip()]

    def take(self, topic: str, count: int) -> list[str]:
        """The least used paragraphs of a topic, in the order of the bank."""
        known = self._topics[topic]
        ranked = sorted(range(len(known)), key=lambda index: (self._used[known[index]], index))[:count]
        for index in ranked:
            self._used[known[index]] += 1
        return [known[index] for index in sorted(ranked)]

    def everything(self) -> str:
        """All topics under headings of their own: the very long post."""
        parts = []
        for name, known in self._topics.items():
            joint = "\n" if name.startswith("list-") else "\n\n"
            heading = name.removeprefix("list-").replace("-", " ").capitalize()
            parts.append(f"## {heading}\n\n{joint.join(known)}")
        return "\n\n".join(parts)


def _fill(text: str, bank: Bank, rng: random.Random, slug: str) -> str:
    """Replace the borrowing lines of a text and resolve its choices. Some posts borrow more generously than others."""
    extra = number("extra", slug) % 3

    def borrow(match: re.Match[str]) -> str:
        how, topic, count = match[1], match[2], int(match[3])
        if how == "list":
            return "\n".join(bank.take("list-" + topic, count))
        return "\n\n".join(bank.take(topic, count + extra))

    text = re.sub(r"^@(bank|list) (\S+) (\d+)$", borrow, text, flags=re.MULTILINE)
    text = re.sub(r"^@everything$", lambda _: bank.everything(), text, flags=re.MULTILINE)
    return choose(text, rng)


def _moment(entry: Mapping[str, Any], anchor: datetime) -> datetime:
    """`date` is fixed; `ago` counts back from the first start of the clinic."""
    if "ago" in entry:
        parts: dict[str, int] = {_UNITS[unit]: int(amount) for amount, unit in _AGO.findall(entry["ago"])}
        return anchor - timedelta(**parts)
    moment: datetime = entry["date"]
    return moment + timedelta(milliseconds=number("ms", entry["slug"]) % 1000)


def _views(entry: Mapping[str, Any]) -> tuple[int, int]:
    slug = entry["slug"]
    base = entry.get("views", 12 + number("views", slug) % (1900 if "date" in entry else 140))
    return base, entry.get("step", 1 + number("step", slug) % 3)


def _post(entry: Mapping[str, Any], anchor: datetime, bank: Bank) -> Post:
    slug: str = entry["slug"]
    rng = random.Random(slug)
    published = _moment(entry, anchor)
    modified = published
    if "updated" in entry:
        modified = min(published + timedelta(days=entry["updated"], minutes=37), anchor - timedelta(hours=1))
    base, step = _views(entry)
    body = _fill(entry["body"], bank, rng, slug)
    return Post(
        slug=slug,
        title=entry["title"],
        language=entry.get("lang", "en"),
        variant=entry["variant"],
        author=people()[entry.get("author", "team")],
        published=published,
        modified=modified,
        categories=entry.get("categories", []),
        tags=entry.get("tags", []),
        blocks=blocks(body, slug, spaced=number("spaced", slug) % 3 > 0),
        cover=picture(slug, "cover", alt=entry["title"]) if entry.get("cover", True) else None,
        flags=frozenset(entry.get("flags", [])),
        base_views=base,
        step=step,
        likes=entry.get("likes", number("likes", slug) % 9),
        old_slugs=entry.get("old", []),
        birth_slug=slug,
    )


def posts(anchor: datetime) -> list[Post]:
    """Every post, newest first. `anchor` is the moment of the clinic's first start."""
    anchor = anchor.astimezone(UTC)
    bank = Bank()
    made = [
        _post(entry, anchor, bank)
        for path in sorted(TEXTS.glob("posts*.toml"))
        for entry in tomllib.loads(path.read_text("utf-8"))["post"]
    ]
    by_slug = {post.slug: post for post in made}
    talk = tomllib.loads((TEXTS / "comments.toml").read_text("utf-8"))
    for thread in talk["thread"]:
        post = by_slug[thread["post"]]
        post.comments = threads(thread, talk["bank"], post, people(), anchor)
    return sorted(made, key=lambda post: post.published, reverse=True)
