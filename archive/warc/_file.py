"""A WARC file that is being written: created with a sidecar beside it, cut back when a write fails."""

import contextlib
import os
from pathlib import Path

from archive.warc._types import WarcWriteError

OPEN_SUFFIX = ".open"


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class OpenFile:
    """A file that this process created. Its sidecar `NAME.open` exists from before its creation until a clean `close`.

    Raises FileExistsError, and leaves nothing behind, where `path` exists; any other failure is a WarcWriteError.
    `first` (the warcinfo) is written at once; when that fails no file remains.
    """

    def __init__(self, path: Path, first: bytes) -> None:
        self.path = path
        self.size = 0
        self.broken = False
        self._sidecar = path.with_name(path.name + OPEN_SUFFIX)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:  # among them FileExistsError: the folder's name belongs to a file
            raise self._failed("created", error) from error
        try:
            os.close(os.open(self._sidecar, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            raise
        except OSError as error:
            raise self._failed("created", error) from error
        try:
            # Readable by the owner alone: it holds what commenters wrote, with their names.
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            self._sidecar.unlink()
            raise
        except OSError as error:
            self._sidecar.unlink(missing_ok=True)
            raise self._failed("created", error) from error
        try:
            self.append(first)
            sync_folder(path.parent)
            sync_folder(path.parent.parent)
        except (OSError, WarcWriteError) as error:
            os.close(self._fd)
            path.unlink(missing_ok=True)
            self._sidecar.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise self._failed("created", error) from error
            raise

    def append(self, group: bytes) -> int:
        """Write a whole group and return its offset; on failure cut the file back and raise WarcWriteError."""
        if self.broken:
            raise WarcWriteError(
                f"{self.path}: not written, because an earlier write failed and its state is unknown. End the run:"
                " the next run recovers the file."
            )
        start, view = self.size, memoryview(group)
        try:
            while view:  # a full disk may take a part of the bytes before it refuses
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            try:
                os.ftruncate(self._fd, start)
                os.lseek(self._fd, start, os.SEEK_SET)
            except OSError as second:
                self.broken = True
                raise WarcWriteError(
                    f"{self.path}: could not be written ({error.strerror}), nor cut back to byte {start} "
                    f"({second.strerror}). End the run and repair the disk: the next run recovers the file."
                ) from error
            raise self._failed("written", error) from error
        self.size = start + len(group)
        return start

    def sync(self) -> None:
        """Return when everything written is on the disk. After a WarcWriteError from here all writes fail."""
        if self.broken:
            raise WarcWriteError(
                f"{self.path}: not safe on the disk, because an earlier write failed and its state is unknown. End the"
                " run: the next run recovers the file."
            )
        try:
            os.fsync(self._fd)
        except OSError as error:
            # The kernel may have dropped the pages and would report a second fsync as a success: never try it again.
            self.broken = True
            raise self._failed("made safe on the disk", error) from error

    def close(self) -> None:
        """Make the file durable, close it and remove the sidecar, which stays when the file's state is unknown."""
        try:
            self.sync()
        finally:
            with contextlib.suppress(OSError):  # after fsync, a close that fails loses nothing
                os.close(self._fd)
        try:
            self._sidecar.unlink()
            sync_folder(self.path.parent)
        except OSError as error:
            raise self._failed("closed", error) from error

    def _failed(self, what: str, error: OSError) -> WarcWriteError:
        return WarcWriteError(
            f"{self.path}: could not be {what}: {error.strerror or error}. What was acknowledged before is whole. "
            "Free space on this disk or repair it, then run again."
        )
