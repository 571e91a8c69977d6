"""The secret key of the archive's pseudonyms: a file in the archive's folder, beside the WARC files."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from sqlite_utils import Database

from archive.warc._file import sync_folder

KEY_FILE = "pseudonym.key"


class BadKey(Exception):
    """The key of the archive's pseudonyms is lost or damaged; the message says what to do."""


def read_key(folder: Path, *, wanted: bool = False) -> bytes:
    """Return the archive's key, 32 bytes; at first use make a new one, readable by its owner alone.

    Raises `BadKey` where the file holds anything else, or is gone although pseudonyms were made with it (`wanted`): a
    new key would give every person a second pseudonym.
    """
    path = folder / KEY_FILE
    if not path.exists():
        if wanted:
            raise BadKey(f"{path}: gone, but the archive holds pseudonyms made with it; restore it from your backup")
        new_key(path)
    return key_in(path)


def new_key(path: Path) -> None:
    """Write a new random key; as `make_key`."""
    make_key(path, secrets.token_hex(32))


def key_in(path: Path) -> bytes:
    """Return the key in a file. Raises `BadKey`."""
    try:
        key = bytes.fromhex(path.read_text("ascii", "replace").strip())
    except (ValueError, OSError):
        key = b""
    if len(key) != 32:
        raise BadKey(f"{path}: not a key (64 hex digits); restore it from your backup")
    return key


def key_id(key: bytes) -> str:
    """Return the name of a key, 16 hexadecimal digits, from which the key cannot be found."""
    return hmac.new(key, b"key id", "sha256").hexdigest()[:16]


def make_key(path: Path, text: str) -> None:
    """Write the key durably; the file gets its name only when it is complete, so that a kill leaves no empty key."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    sync_folder(path.parent)


def has_pseudonyms(db: Database) -> bool:
    """Some row holds a pseudonym, or the key of a person, or something is withdrawn, which only the key recognises."""
    (found,) = db.execute(
        "SELECT EXISTS (SELECT 1 FROM comments WHERE author LIKE 'reader-%')"
        " OR EXISTS (SELECT 1 FROM authors WHERE person_key IS NOT NULL) OR EXISTS (SELECT 1 FROM withdrawals)"
    ).fetchone()
    return bool(found)
