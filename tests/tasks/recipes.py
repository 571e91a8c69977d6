"""The recipes of docs/tasks.md, and how a test follows one."""

from __future__ import annotations

import csv
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from pipelines.commands import main
from tests.docs.markdown import ROOT

PAGE = ROOT / "docs" / "tasks.md"
# A row of a table, as in: | 1. Edits about a topic | `clinic-archive edits ...` | [edits](edits.md) |
_ROW = re.compile(r"^\| (?P<number>\d+)\. (?P<task>[^|]+) \| (?P<recipe>[^|]+) \| (?P<more>[^|]+) \|$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A task, and what is to be typed for it."""

    number: int
    task: str
    typed: tuple[str, ...]


def recipes() -> dict[int, Recipe]:
    """Return the recipes by their numbers."""
    return {
        int(row["number"]): Recipe(int(row["number"]), row["task"], tuple(_CODE.findall(row["recipe"])))
        for row in _ROW.finditer(PAGE.read_text("utf-8"))
    }


def follow(number: int) -> str:
    """Run the command of a recipe in the current folder, whose archive is `var/`; return what it printed."""
    (command, *_) = recipes()[number].typed
    return run(command)


def run(command: str) -> str:
    """Run a command line of `clinic-archive`."""
    program, *arguments = shlex.split(command)
    assert program == "clinic-archive", command
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, f"{command}: {done.output}"
    return done.output


def lines(name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file in the current folder."""
    with Path(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
