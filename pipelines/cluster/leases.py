"""What a worker holds in Redis: its shard, and each clinic that it visits. A lease ends soon after its worker died."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, cast
from uuid import uuid4

import redis

from archive.reports.shards import ShardSeen, write_shards
from pipelines.cluster.queue import NAMESPACE, queue_of
from pipelines.printing import echo
from scraper.config.shard import Shard

logger = logging.getLogger(__name__)

RENEWED, LEASE = 5.0, 20.0  # seconds
_SHARDS = f"{NAMESPACE}:shards"  # a hash: by queue, the `ShardHolder` of its last worker
# Set KEYS[1] to ARGV[1] for ARGV[2] milliseconds; return the value of another holder, unless it begins with ARGV[3].
_TAKE = """
local holder = redis.call("get", KEYS[1])
if holder and holder ~= ARGV[1] and string.sub(holder, 1, #ARGV[3]) ~= ARGV[3] then return holder end
redis.call("set", KEYS[1], ARGV[1], "px", ARGV[2])
return false
"""
_DROP = 'if redis.call("get", KEYS[1]) == ARGV[1] then redis.call("del", KEYS[1]) end'


class ShardHolder(NamedTuple):
    """Where the archive of a shard is, and when its worker was last seen (ISO 8601)."""

    host: str
    archive: str
    seen_at: str


class OtherCopy(Exception):
    """Another archive has the shard: this one is a copy of it, or its host was replaced."""


class Leases:
    """The leases of one worker; a thread renews them from `start` to `stop`."""

    def __init__(self, client: redis.Redis, shard: Shard, archive: Path) -> None:
        self._client, self._shard, self._queue = client, shard, queue_of(shard)
        self._place = (socket.gethostname(), str(archive.resolve()))
        self._id = uuid4().hex
        self._take, self._drop = client.register_script(_TAKE), client.register_script(_DROP)
        self._held: dict[str, tuple[str, str]] = {}  # by key: the value, and how a value that may be replaced begins
        self._lock, self._over = threading.Lock(), threading.Event()
        self._silent = False
        self.lost: str | None = None  # which lease another worker has

    def refuse_other_copy(self) -> None:
        """Raise `OtherCopy` where the shard belongs to an archive on another host or in another folder."""
        known = _records(self._client).get(self._queue)
        if known is not None and (known.host, known.archive) != self._place:
            raise OtherCopy(
                f"shard {self._shard} has its archive at {known.host}:{known.archive}, where its worker was last seen"
                f" at {known.seen_at}; if that one is lost, give --take-over here, and never start it there again"
            )

    def take_shard(self) -> str | None:
        """Take the shard; return who holds it, if another does: a worker that is alive, on another copy."""
        # The caller has the lock of the archive: an earlier worker of the same folder is dead.
        start = " ".join([*self._place, ""])
        holder = self._taken(f"{NAMESPACE}:holder:{self._queue}", start)
        if holder is None:
            self._say_alive()
        return holder

    def take(self, slug: str) -> str | None:
        """Take a clinic; return the queue of the shard that visits it already, if one does."""
        key = f"{NAMESPACE}:clinic:{slug}"
        if key in self._held:
            return self._queue
        holder = self._taken(key, f"{self._queue} ")
        return holder and holder.partition(" ")[0]

    def drop(self, slug: str) -> None:
        """Give a clinic up."""
        self._dropped(f"{NAMESPACE}:clinic:{slug}")

    def start(self, end: Callable[[], object]) -> None:
        """Renew all leases from now on, in a thread that calls `end` when another worker has one of them."""
        threading.Thread(target=self._renew_all, args=[end], daemon=True).start()

    def stop(self) -> None:
        """Give all up. Where Redis does not answer, they end by themselves."""
        self._over.set()
        try:
            for key in list(self._held):
                self._dropped(key)
        except redis.RedisError as error:
            logger.warning("%s: leases not given up: %s", self._queue, error)

    def _taken(self, key: str, start: str) -> str | None:
        value = start + self._id
        holder = cast(bytes | None, self._take(keys=[key], args=[value, int(LEASE * 1000), start]))
        if holder is not None:
            return holder.decode("utf-8", "replace")
        with self._lock:
            self._held[key] = (value, start)
        return None

    def _dropped(self, key: str) -> None:
        with self._lock:
            value, _ = self._held.pop(key, (None, None))
        if value is not None:
            self._drop(keys=[key], args=[value])

    def _renew_all(self, end: Callable[[], object]) -> None:
        while not self._over.wait(RENEWED):
            try:
                with self._lock:
                    held = dict(self._held)
                for key, (value, _) in held.items():
                    # No other value may be replaced now: after Redis was emptied, another worker may be the first.
                    holder = self._take(keys=[key], args=[value, int(LEASE * 1000), value])
                    if holder and key in self._held and not self._over.is_set():
                        self.lost = f"{key} is held by {holder.decode('utf-8', 'replace')}"
                        end()
                self._say_alive()
            except redis.RedisError as error:
                if not self._silent:
                    echo(f"{self._queue}: Redis: {error}; visits go on, no other is begun until it answers", err=True)
                self._silent = True
            else:
                if self._silent:
                    echo(f"{self._queue}: Redis answers again", err=True)
                self._silent = False

    def _say_alive(self) -> None:
        record = ShardHolder(*self._place, datetime.now(UTC).isoformat(timespec="seconds"))
        self._client.hset(_SHARDS, self._queue, json.dumps(record))


def _records(client: redis.Redis) -> dict[str, ShardHolder]:
    found = {}
    for queue, text in cast(dict[bytes, bytes], client.hgetall(_SHARDS)).items():
        try:
            host, archive, seen_at = json.loads(text)
            datetime.fromisoformat(seen_at)
            found[queue.decode()] = ShardHolder(str(host), str(archive), seen_at)
        except (ValueError, TypeError):
            logger.warning("%s: %s is no record of a shard", _SHARDS, queue)
    return found


def save_shards(client: redis.Redis, archive: Path, total: int, now: datetime) -> list[str]:
    """Write into the archive when a worker of each shard was last seen; return a line for each of another division.

    Raises `redis.RedisError`, OSError.
    """
    shards = {queue_of(shard): str(shard) for shard in (Shard(number, total) for number in range(1, total + 1))}
    seen: dict[str, ShardSeen | None] = dict.fromkeys(shards.values())
    others = []
    for queue, (host, _, seen_at) in _records(client).items():
        found = ShardSeen(shards.get(queue, queue), host, datetime.fromisoformat(seen_at))
        if queue in shards:
            seen[found.shard] = found
        elif not found.is_silent(now):
            others.append(f"{queue}: its worker on {host} was seen at {seen_at}, but the frame has {total} shards")
    write_shards(archive, seen, now)
    return others
