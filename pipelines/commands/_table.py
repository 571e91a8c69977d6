"""Rows as aligned columns of plain text, one line per row."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.printing import is_terminal

NARROWEST, WIDEST = 80, 120  # characters a line; without a terminal the widest
UNBOUNDED = 1_000_000


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, narrowed: str | None = None, numbers: Sequence[str] = ()
) -> str:
    """Return the header and the rows as lines, without a line end after the last one.

    `narrowed`: the column that is cut, with an ellipsis, where lines would be too long; without one no line is cut.
    `numbers`: columns aligned to the right.
    """
    width = max(shutil.get_terminal_size().columns, NARROWEST) if is_terminal() else WIDEST
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    for name in header:
        grid.add_column(no_wrap=name != narrowed, justify="right" if name in numbers else "left")
    for row in (header, *rows):
        grid.add_row(*(Text(_plain(cell), no_wrap=True, overflow="ellipsis") for cell in row))
    buffer = io.StringIO()
    Console(file=buffer, width=width if narrowed else UNBOUNDED, color_system=None).print(grid)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines())


def _plain(text: str) -> str:
    """The text in one line, without control characters of a terminal."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
