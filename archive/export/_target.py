"""The file that an export writes: it appears complete, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which replaces it at the end, or is removed after an error.

    A symbolic link stays, and the file that it names is replaced. Raises OSError, also where `path` is a pipe, a device
    or a folder: a file would take its place.
    """
    target = path.resolve() if path.is_symlink() else path
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "not a regular file; name another file, or - for stdout", str(path))
    draft = target.with_name(f".{target.name}.part")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
