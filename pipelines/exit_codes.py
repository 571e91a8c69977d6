"""The exit codes of `clinic-archive` (docs/exit-codes.md)."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How the process ended; where several codes apply, the first of 6, 4, 3, 5, 130 is used."""

    DONE = 0
    """Done, including nothing new."""
    UNEXPECTED = 1
    """Unexpected, such as a full disk; `parse` and `import`: a file could not be used."""
    USAGE = 2
    """The command line is wrong."""
    CLINICS_FAILED = 3
    """Some clinics failed, moved or are gone."""
    BAD_CONFIG = 4
    """Bad configuration: clinics.toml, the key of the pseudonyms, an archive of another version."""
    DEGRADED = 5
    """Posts no longer give a field that they used to give."""
    INTEGRITY = 6
    """The archive, a record or a file of a backup is damaged."""
    STALE = 7
    """A clinic was not observed recently."""
    LOCKED = 75
    """Another process holds the lock (EX_TEMPFAIL of sysexits.h)."""
    STOPPED = 130
    """Ended early by Ctrl-C, SIGTERM or the time limit."""
