"""Whether the published copy that a site serves was made before something was withdrawn."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from archive.backup.published import FOLDER, lacking

EVERY = 30.0  # seconds between two looks at the archive


class PublishedCopy:
    """The folder that a site serves: the archive's own, or that of its published copy."""

    def __init__(self, folder: Path) -> None:
        self._archive = folder.parent if folder.name == FOLDER else None
        self._looked = -EVERY
        self._is_behind = False

    def is_behind(self) -> bool:
        """Return whether a takedown was recorded after the copy was made; at most `EVERY` seconds late."""
        if self._archive is None:
            return False
        if time.monotonic() - self._looked >= EVERY:
            self._looked = time.monotonic()
            with suppress(sqlite3.Error):  # the archive is being replaced; the next look finds out
                self._is_behind = bool(lacking(self._archive))
        return self._is_behind
