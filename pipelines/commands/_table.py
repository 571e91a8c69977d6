"""Rows for a person to read: aligned columns of plain text, one line a row."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

NARROWEST, WIDEST = 80, 120  # columns; without a terminal it is the widest
UNBOUNDED = 1_000_000


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, narrowed: str | None = None, numbers: Sequence[str] = ()
) -> str:
    """The rows below their header, each on one line that ends without a line end.

    `narrowed`: the column that gives way, with an ellipsis, where lines would be too long, all others stay whole;
    without one lines are as long as they must be.
    `numbers`: columns aligned to the right.
    """
    width = max(shutil.get_terminal_size().columns, NARROWEST) if sys.stdout.isatty() else WIDEST
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    for name in header:
        grid.add_column(no_wrap=name != narrowed, justify="right" if name in numbers else "left")
    for row in (header, *rows):
        grid.add_row(*(Text(_plain(cell), no_wrap=True, overflow="ellipsis") for cell in row))
    paper = io.StringIO()
    Console(file=paper, width=width if narrowed else UNBOUNDED, color_system=None).print(grid)
    return "\n".join(line.rstrip() for line in paper.getvalue().splitlines())


def _plain(text: str) -> str:
    """One line, without what a terminal would obey."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
