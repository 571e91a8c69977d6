"""The queue of a shard: messages of Dramatiq in Redis, each of one clinic and the moment since which it is due."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

import redis
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import dq_name

from archive.rows.due import Due
from scraper.config.shard import Shard

NAMESPACE = "clinic-archive"  # begins the name of each key in Redis
ACTOR = "visit"
VERSION = 1  # of the messages; a worker puts a message of a later version back
HEARTBEAT_TIMEOUT = 15_000  # milliseconds without a sign of life after which a worker's messages are delivered again
MAINTENANCE = 300_000  # of a million commands so many look for workers that died: one within some seconds
ANSWER = 10.0  # seconds that Redis may take to answer
LOCKED = 120.0  # seconds after which the lock of an enqueue that was killed ends
FORGOTTEN = timedelta(days=7)  # after which a queue ends that nothing was put into: the frame was divided differently


def queue_of(shard: Shard) -> str:
    """Return the name of the shard's queue, "shard-3-of-8": another number of shards has other queues."""
    return f"shard-{shard.number}-of-{shard.total}"


def connect_broker(url: str) -> RedisBroker:
    """Return a broker that has answered. Raises `redis.RedisError`, and ValueError for what is no address."""
    client = redis.Redis.from_url(url, socket_timeout=ANSWER, socket_connect_timeout=ANSWER)
    client.ping()
    return RedisBroker(  # type: ignore[no-untyped-call]
        client=client,
        namespace=NAMESPACE,
        middleware=[],
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        maintenance_chance=MAINTENANCE,
    )


def message(queue: str, due: Due, attempt: int = 1) -> Message[None]:
    """Return the message; `attempt`: 2 after a visit that broke off, and so on."""
    fields = {"slug": due.slug, "due": due.since, "version": VERSION, "attempt": attempt}
    return Message(queue_name=queue, actor_name=ACTOR, args=(), kwargs=fields, options={})


def waiting(client: redis.Redis, queue: str) -> set[Due]:
    """Return what is in the queue, delayed, or delivered and not acknowledged. Raises `redis.RedisError`."""
    found = set()
    for name in (queue, dq_name(queue)):
        for data in cast(list[bytes], client.hvals(f"{NAMESPACE}:{name}.msgs")):
            with suppress(Exception):  # written by another program: it is no message for a clinic
                fields: dict[str, Any] = Message.decode(data).kwargs
                found.add(Due(fields["slug"], fields["due"]))
    return found


def enqueue(broker: RedisBroker, queue: str, due: Iterable[Due]) -> int | None:
    """Put what is due into the queue, unless it is there; return how many, None while another process does the same.

    Raises `redis.RedisError`.
    """
    client = broker.client
    lock = client.lock(f"{NAMESPACE}:enqueue:{queue}", timeout=LOCKED)
    if not lock.acquire(blocking=False):
        return None
    try:
        there = waiting(client, queue)
        added = [each for each in due if each not in there]
        for each in added:
            broker.enqueue(message(queue, each))
        for name in (queue, dq_name(queue)):
            client.expire(f"{NAMESPACE}:{name}", FORGOTTEN)
            client.expire(f"{NAMESPACE}:{name}.msgs", FORGOTTEN)
    finally:
        with suppress(redis.exceptions.LockError):  # it took longer than the lock lives, or Redis was emptied
            lock.release()
    return len(added)
