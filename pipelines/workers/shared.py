"""What the workers of a run share: that each is alive, and when the next request to a server may be made.

A file in the archive holds it. The kernel frees the locks of a process that is killed, so that no other waits for it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from pipelines.run.locking import WORKERS_FILE

_ALIVE, _TURN = 0, 1  # bytes of the file that are locked: shared while a worker lives; by one for a moment
SERVERS = 1 << 20  # places for moments. Of 2,000 servers one in 500 shares its place, and so its pace, with another.
_MOMENT = struct.Struct("d")  # monotonic seconds, the same for all processes of a machine


def make_shared(archive: Path) -> None:
    """Make the file for the workers of a new run; on most file systems it takes what is used of its 8 MB.

    Raises OSError.
    """
    descriptor = os.open(archive / WORKERS_FILE, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.ftruncate(descriptor, SERVERS * _MOMENT.size)
    finally:
        os.close(descriptor)


def remove_shared(archive: Path) -> None:
    """Remove the file, when no worker of the run is alive any more. Raises OSError."""
    (archive / WORKERS_FILE).unlink(missing_ok=True)


class Shared:
    """The file as one worker uses it, from its start to its end: the `Moments` of all workers' requests."""

    def __init__(self, archive: Path) -> None:
        """Mark this process as alive. Raises OSError."""
        self._descriptor = os.open(archive / WORKERS_FILE, os.O_RDWR)  # closed by the end of the process alone
        fcntl.lockf(self._descriptor, fcntl.LOCK_SH, 1, _ALIVE)
        self._moments = mmap.mmap(self._descriptor, SERVERS * _MOMENT.size)

    def get(self, server: str, default: float) -> float:
        """Return when the next request to the server may be made; `default` where none was."""
        (at,) = _MOMENT.unpack_from(self._moments, _place(server))
        return at or default

    def __setitem__(self, server: str, at: float) -> None:
        _MOMENT.pack_into(self._moments, _place(server), at)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other worker read or write moments meanwhile."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, _TURN)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _TURN)


def _place(server: str) -> int:
    digest = blake2b(server.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % SERVERS * _MOMENT.size
