"""The only way to print or log a line: safe to read on a terminal, and harmless where it cannot be written."""

from __future__ import annotations

import logging
import os
import re
import sys

import click

# Control characters except tab and line feed ("\x1b[31m", "\x9b"), line separators, marks that reorder ("\u202e"), and
# halves of a character ("\ud800"), which no stream can write
_CONTROL = re.compile("[\ud800-\udfff\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# "http://user:secret@host/" as in "Redirecting (302) to <GET http://user:secret@host/>"
_USERINFO = re.compile(r"(?<=://)[^\s/?#<>\"']*@")


def printable(text: str) -> str:
    r"""Return the text with control characters as escapes ("\u001b", as in JSON) and addresses without their userinfo.

    Addresses and texts of pages are in many lines; a terminal would obey their escape sequences.
    """
    return _USERINFO.sub("", _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def echo(line: str, *, err: bool = False) -> None:
    """Print a line to stdout, or with `err` to stderr.

    A stream that is closed or cannot be written, such as a full disk, is left alone from then on: what a run did does
    not depend on who reads about it. A failure of stdout is reported on stderr, but not a reader that has read enough.
    """
    try:
        click.echo(printable(line), err=err)
    except OSError as error:
        _discard(err=err)
        if not err and not isinstance(error, BrokenPipeError):
            echo(f"stdout: {error.strerror}; the rest of the output is left out", err=True)


def is_terminal(*, err: bool = False) -> bool:
    """Return whether a person reads stdout, or stderr, as it is written."""
    stream = sys.stderr if err else sys.stdout
    return stream is not None and not stream.closed and stream.isatty()  # None: closed by the shell, as by `>&-`


def _discard(*, err: bool) -> None:
    """Connect the stream to nothing, so that Python does not try once more to write the rest at its end."""
    stream = sys.stderr if err else sys.stdout
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


class LineFormatter(logging.Formatter):
    """Formats a record as printable text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text that is safe to read on a terminal."""
        return printable(super().format(record))


class LogFile(logging.FileHandler):
    """A log file that reports once that it cannot be written, and no traceback for each record."""

    _failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 # the name is logging's
        """Report the first failure on stderr; the run continues without its log."""
        if not self._failed:
            self._failed = True
            error = sys.exc_info()[1]
            reason = getattr(error, "strerror", None) or error
            echo(f"{self.baseFilename}: {reason}; the run continues without its log", err=True)
