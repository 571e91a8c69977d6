"""What survives a restart: the moment of the first start, every number served, every change made by a test.

One JSON line for each event, appended and flushed, so that a process killed at any moment loses at most a torn last
line, which the next start ignores and cuts off.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class State:
    """The event log of one clinic."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "events.jsonl"
        self.events = self._read()
        self._file = self._path.open("a", encoding="utf-8")
        if not self.events:
            self.append({"event": "first-start", "at": datetime.now(UTC).isoformat()})
        self.first_start = datetime.fromisoformat(self.events[0]["at"])

    def _read(self) -> list[Event]:
        if not self._path.exists():
            return []
        whole = self._path.read_bytes()
        complete = whole[: whole.rfind(b"\n") + 1]
        if len(complete) < len(whole):
            self._path.write_bytes(complete)
        return [json.loads(line) for line in complete.splitlines()]

    def append(self, event: Event) -> None:
        """Keep an event."""
        self._file.write(json.dumps(event, ensure_ascii=False) + "\n")
        self._file.flush()
        self.events.append(event)

    def close(self) -> None:
        """Close the log."""
        self._file.close()
