"""What a verb prints: problems to stderr; the result to stdout, as one JSON object or as text for a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from pipelines.exit_codes import ExitCode
from pipelines.printing import echo, is_terminal

MAX_LINES = 20  # problems printed one by one; --json lists all


def fail(message: str, code: ExitCode) -> NoReturn:
    """Print the reason to stderr and end the process; the message is a note of the SystemExit."""
    echo(message, err=True)
    ending = SystemExit(code)
    ending.add_note(message)
    raise ending


def finish(
    summary: Mapping[str, Any],
    lines: Iterable[str],
    *,
    as_json: bool,
    code: ExitCode = ExitCode.DONE,
    always: bool = False,
) -> NoReturn:
    """Print a verb's result to stdout and end the process with its exit code.

    With `as_json` that is the summary and its exit code as one object; else the lines, which are only read then, and
    only printed on a terminal: cron mails whatever is printed. `always`: also without a terminal, which holds for every
    verb that no schedule runs.
    """
    if as_json:
        echo(json.dumps({**summary, "exit_code": code}, ensure_ascii=False))
    elif always or is_terminal():
        for line in lines:
            echo(line)
    sys.exit(code)


def print_problems(lines: Sequence[str], *, about: object = None, noun: str = "problem", most: int = MAX_LINES) -> None:
    """Print the first problems to stderr, and how many more there are.

    `about`: what that last line begins with, a path or a clinic. `noun`: what a problem is.
    """
    for line in lines[:most]:
        echo(line, err=True)
    if len(lines) > most:
        prefix = "" if about is None else f"{about}: "
        rest = counted(len(lines) - most, f"more {noun}")
        echo(f"{prefix}and {rest}; --json lists them all", err=True)


def counted(number: int, noun: str) -> str:
    """ "1 clinic", "2 clinics", "1,200 clinics"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
