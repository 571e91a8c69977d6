"""Which errors end a verb, with which exit code, and how the line on stderr is worded.

    Locked              75  another process holds the lock
    ReadersBusy         75  a process reads archive.db all the time
    ConfigError          4  clinics.toml, or an option that names what it lacks
    BadSamplingFrame     4  a list of clinics with wrong rows
    BadKey               4  the key of the pseudonyms is lost or damaged
    ImportRefused        4  a WARC file that is not this archive's
    BackupRefused        4  a folder that is no place for this backup
    ReleaseRefused       4  a release of that name exists, or its key is another one
    NothingToRelease     4  no run of the archive has ended
    LakeError            4  archives that cannot share a lake, or a folder that is none
    UnknownSubject       4  what a takedown names is not in the archive, or is withdrawn already
    BackupDamaged        6  a file of a backup is damaged
    BadRecord            6  a record of a WARC file is damaged
    BadJournal           6  the journal of a purge or pack is damaged, or names files outside the archive
    BadStudyFile         1  a file of a study cannot be used
    Unknown              2  no table, view or question of that name
    TooManyRows          1  more rows than the format holds
    ImportError          1  an optional package is not installed
    WarcWriteError       1  a WARC file cannot be written
    ArchiveError         1  archive.db cannot be opened or written
    ├── DiskFull         1  the disk of archive.db is full
    ├── LostDatabase     4  archive.db is gone, its WARC files are not
    ├── NewerSchema      4  a later version of the program wrote archive.db
    ├── OlderSchema      4  an earlier version did, and this verb only reads
    ├── NotAnArchive     6  archive.db is another kind of file
    └── NotWhole         6  archive.db is damaged
    OSError              1  the file system refused
    sqlite3.Error        1  SQLite refused

Any other exception is a fault of the program, and ends it with a traceback and exit code 1.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from archive.backup.published import NotWhole
from archive.backup.snapshots import BackupDamaged, BackupRefused
from archive.db import ArchiveError, DiskFull, LostDatabase, NewerSchema, NotAnArchive, OlderSchema
from archive.export import TooManyRows, Unknown
from archive.lake import LakeError
from archive.release.builder import NothingToRelease
from archive.release.register import ReleaseRefused
from archive.space import FULL, by_full_disk
from archive.study.folder import BadStudyFile
from archive.warc import BadRecord, WarcWriteError
from pipelines.commands._output import fail
from pipelines.exit_codes import ExitCode
from pipelines.imports.adopt import ImportRefused
from pipelines.rewriting.journal import BadJournal
from pipelines.run.key import BadKey
from pipelines.run.locking import Locked
from pipelines.takedown.finding import UnknownSubject
from pipelines.takedown.purge.purge import ReadersBusy
from scraper.config.sampling_frame import BadSamplingFrame
from scraper.config.toml_file import ConfigError

Wording = Callable[[Exception, object, str], str]  # the error, what the verb works on, and what follows from it


def _complete(error: Exception, _subject: object, _outcome: str) -> str:
    """The message names its subject, and what to do."""
    return str(error)


def _with_outcome(error: Exception, _subject: object, outcome: str) -> str:
    """The message names its subject; what the verb did, or what to do, follows."""
    return "; ".join(filter(None, [str(error), outcome]))


def _of_system(error: Exception, subject: object, outcome: str) -> str:
    """The message is the reason alone: "var: No space left on device; nothing published; free some space"."""
    if isinstance(error, OSError) and error.errno is None:  # raised by this program, with a message of its own
        return _with_outcome(error, subject, outcome)
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or (
        isinstance(error, sqlite3.Error) and isinstance(subject, Path) and by_full_disk(error, subject)
    )
    reason = FULL if full else getattr(error, "strerror", None) or error
    return "; ".join(filter(None, [f"{subject}: {reason}", outcome, "free some space" if full else ""]))


ENDINGS: Mapping[type[Exception], tuple[ExitCode, Wording]] = {
    Locked: (ExitCode.LOCKED, _complete),
    ReadersBusy: (ExitCode.LOCKED, _complete),
    ConfigError: (ExitCode.BAD_CONFIG, _complete),
    BadSamplingFrame: (ExitCode.BAD_CONFIG, _complete),
    BadKey: (ExitCode.BAD_CONFIG, _complete),
    ImportRefused: (ExitCode.BAD_CONFIG, _complete),
    BackupRefused: (ExitCode.BAD_CONFIG, _complete),
    LakeError: (ExitCode.BAD_CONFIG, _complete),
    UnknownSubject: (ExitCode.BAD_CONFIG, _with_outcome),
    ReleaseRefused: (ExitCode.BAD_CONFIG, _complete),
    NothingToRelease: (ExitCode.BAD_CONFIG, _with_outcome),
    BackupDamaged: (ExitCode.INTEGRITY, _with_outcome),
    BadRecord: (ExitCode.INTEGRITY, _with_outcome),
    BadJournal: (ExitCode.INTEGRITY, _complete),
    BadStudyFile: (ExitCode.UNEXPECTED, _with_outcome),
    Unknown: (ExitCode.USAGE, _with_outcome),
    TooManyRows: (ExitCode.UNEXPECTED, _with_outcome),
    ImportError: (ExitCode.UNEXPECTED, _complete),
    WarcWriteError: (ExitCode.UNEXPECTED, _with_outcome),
    ArchiveError: (ExitCode.UNEXPECTED, _with_outcome),
    DiskFull: (ExitCode.UNEXPECTED, _complete),
    LostDatabase: (ExitCode.BAD_CONFIG, _complete),
    NewerSchema: (ExitCode.BAD_CONFIG, _complete),
    OlderSchema: (ExitCode.BAD_CONFIG, _complete),
    NotAnArchive: (ExitCode.INTEGRITY, _complete),
    NotWhole: (ExitCode.INTEGRITY, _complete),
    OSError: (ExitCode.UNEXPECTED, _of_system),
    sqlite3.Error: (ExitCode.UNEXPECTED, _of_system),
}


@contextmanager
def exit_on_error(
    subject: object, outcome: str = "", *, codes: Mapping[type[Exception], ExitCode] | None = None
) -> Iterator[None]:
    """End the process with one line on stderr when the block raises an error of `ENDINGS`.

    `subject`: what the verb works on, a path as a rule; it begins the line where the file system or SQLite refused.
    `outcome`: what follows from an error, e.g. "nothing published". `codes`: exit codes that differ in this verb.
    """
    try:
        yield
    except tuple(ENDINGS) as error:
        kind = next(kind for kind in type(error).__mro__ if kind in ENDINGS)
        code, wording = ENDINGS[kind]
        fail(wording(error, subject, outcome), (codes or {}).get(kind, code))
