"""Which releases hold what a takedown names: their register has hashes of the keys of all rows."""

from __future__ import annotations

from pathlib import Path

from archive.release import KEY_FILE, Entry, Register, ReleaseRefused, comment_key, has_row
from pipelines.run.key import BadKey, key_in
from pipelines.takedown.finding import Subject


def releases_with(archive: Path, found: Subject) -> tuple[str, ...]:
    """Return the names of the releases that hold what was found, in the order in which they were made.

    Where the key of the releases is gone, those that hold the clinic; where the hashes of one are gone, that one, too.
    Raises `ReleaseRefused` for a damaged register, OSError.
    """
    register = Register(archive)
    table, keys = _keys(archive, found)

    def holds(entry: Entry) -> bool:
        try:
            return has_row(register.rows(entry), table, keys)
        except ReleaseRefused:
            return True

    return tuple(entry.name for entry in register.entries() if holds(entry))


def _keys(archive: Path, found: Subject) -> tuple[str, list[tuple[str, ...]]]:
    """The table of a release that has it, and the keys that it may have there."""
    if found.kind == "post":
        return "posts", [(found.clinic_id, address) for address in found.names]
    if found.kind in ("comment", "person"):
        try:
            key = key_in(archive / KEY_FILE)
            return "comments", [(comment_key(key, found.clinic_id, name),) for name in found.names]
        except BadKey:
            pass
    return "clinics", [(found.clinic_id,)]
