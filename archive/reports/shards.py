"""The shards of a cluster, as this archive last heard of them (`log/cluster.json`): `status` names a lost one.

Where the file is missing or damaged, the archive is in no cluster.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

SEEN_FILE = Path("log") / "cluster.json"
SILENCE = timedelta(hours=1)  # after which a shard without a worker is reported


class ShardSeen(NamedTuple):
    """A shard, and when a worker of it was last seen; `host` is None where there never was one."""

    shard: str  # "3/8"
    host: str | None
    seen_at: datetime  # or when it was first missed

    def is_silent(self, now: datetime) -> bool:
        """Return whether no worker was seen for an hour."""
        return now - self.seen_at > SILENCE


def read_shards(archive: Path) -> list[ShardSeen]:
    """Return the shards in the order of the file."""
    try:
        document = json.loads((archive / SEEN_FILE).read_text("utf-8"))
        return [
            ShardSeen(str(shard), None if host is None else str(host), datetime.fromisoformat(at))
            for shard, host, at in document
            if datetime.fromisoformat(at).tzinfo is not None
        ]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def write_shards(archive: Path, seen: Mapping[str, ShardSeen | None], now: datetime) -> None:
    """Write when a worker of each shard of the frame was last seen, None where that is not known. Raises OSError.

    What the archive knows already stays, as after the broker was emptied. Shards that are not named are forgotten.
    """
    known = {each.shard: each for each in read_shards(archive)}
    rows = []
    for shard, found in seen.items():
        last = known.get(shard, ShardSeen(shard, None, now))
        if found is not None:
            # The clock of the other host may be wrong: a moment in the future counts as now.
            found = found._replace(seen_at=min(found.seen_at.astimezone(UTC), now))
            last = max(found, last, key=lambda each: (each.host is not None, each.seen_at))
        rows.append([shard, last.host, last.seen_at.isoformat()])
    file = archive / SEEN_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_text(json.dumps(rows), "utf-8")
        part.replace(file)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
