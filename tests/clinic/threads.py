"""Builds a post's comment threads from the texts.

A written thread lists its comments one by one; `fill` adds comments of the bank until the thread has that many top
comments, and `fill_replies` adds replies under one of them, so that both kinds of cursor are needed (reference 3.5).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from .markup import choose
from .model import Comment, Person, Post, number, stable_uuid


class _Writer:
    def __init__(self, post: Post, people: Mapping[str, Person], anchor: datetime) -> None:
        self.post = post
        self.people = people
        self.rng = random.Random("comments" + post.slug)
        self.made: list[Comment] = []
        span = anchor - post.published
        self._span = min(span, timedelta(days=90)) * 0.9
        self._expected = 1

    def expect(self, count: int) -> None:
        self._expected = max(1, count)

    def _next_moment(self) -> datetime:
        """Comments follow one another within the weeks after publication, never in the future."""
        share = (len(self.made) + self.rng.random() * 0.9) / self._expected
        return self.post.published + self._span * min(share, 0.999)

    def add(self, entry: Mapping[str, Any], parent: Comment | None = None) -> Comment:
        key = stable_uuid("comment", self.post.birth_slug, len(self.made))
        comment = Comment(
            id=key,
            person=self.people[entry["by"]],
            posted=self._next_moment(),
            text=choose(entry["text"], self.rng),
            status=entry.get("status", "PUBLISHED"),
            parent=parent.id if parent else "",
            top=(parent.top or parent.id) if parent else "",
            likes=entry.get("likes", number("reactions", key) % 3),
            edited=entry.get("edited", False),
            marked=entry.get("marked", False),
        )
        self.made.append(comment)
        return comment


def _count(entries: Sequence[Mapping[str, Any]]) -> int:
    return sum(1 + _count(entry.get("reply", [])) for entry in entries)


def _write(writer: _Writer, entries: Sequence[Mapping[str, Any]], parent: Comment | None = None) -> None:
    for entry in entries:
        comment = writer.add(entry, parent)
        _write(writer, entry.get("reply", []), comment)


def threads(
    thread: Mapping[str, Any],
    bank: Mapping[str, Sequence[str]],
    post: Post,
    people: Mapping[str, Person],
    anchor: datetime,
) -> list[Comment]:
    """The comments of one post, in the order they were written."""
    writer = _Writer(post, people, anchor)
    entries: list[Mapping[str, Any]] = thread.get("comment", [])
    fill: int = thread.get("fill", 0)
    fill_replies: int = thread.get("fill_replies", 0)
    writer.expect(_count(entries) + fill + fill_replies)
    members = [key for key, person in people.items() if person.kind != "staff"]
    start = number("start", post.slug)
    _write(writer, entries)
    for index in range(fill):
        text = bank["top"][(start + index) % len(bank["top"])]
        writer.add({"by": members[(start + index * 5) % len(members)], "text": text})
    if fill_replies:
        busiest = next(comment for comment in writer.made if not comment.top)
        parent = busiest
        for index in range(fill_replies):
            text = bank["reply"][(start + index) % len(bank["reply"])]
            reply = writer.add({"by": members[(start + index * 3) % len(members)], "text": text}, parent)
            parent = reply if index % 4 == 2 else busiest
    return writer.made
