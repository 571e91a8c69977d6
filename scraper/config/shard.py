"""Shards of a sampling frame: which of N machines visits a clinic is told by its slug alone."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

_SPELLING = re.compile(r"([1-9][0-9]{0,4})/([1-9][0-9]{0,4})")  # 3/8


class Shard(NamedTuple):
    """One of `total` parts of a frame; the first has the number 1."""

    number: int
    total: int

    def has(self, slug: str) -> bool:
        """Return whether the clinic of that slug belongs to this shard: by a hash that is the same on every machine."""
        digest = hashlib.sha256(slug.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.total == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"


def shard_from(text: str) -> Shard:
    """Return the shard that a text such as "3/8" names. Raises ValueError, with what is allowed."""
    found = _SPELLING.fullmatch(text.strip())
    shard = Shard(int(found[1]), int(found[2])) if found else None
    if shard is None or shard.number > shard.total:
        raise ValueError(f"{text!r} is no shard; write its number and the number of all, as in 1/8 to 8/8")
    return shard
