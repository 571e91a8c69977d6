"""Speed in CPU seconds: `python -m tests.bench [--only ID]... [--large]` prints `ID value goal ok|short what it is`.

Exit 1 when a figure is short of its goal.
"""

from __future__ import annotations

import argparse
import math
import os
import pkgutil
import platform
import sqlite3
import sys
import time
from importlib import import_module

from tests import bench
from tests.bench._figure import FIGURES
from tests.bench._pages import real


def main() -> int:
    """Measure what was asked for. Returns the exit code."""
    for module in pkgutil.iter_modules(bench.__path__):
        if not module.name.startswith("_"):
            import_module(f"{bench.__name__}.{module.name}")
    names = sorted({item.name for item in FIGURES})
    parser = argparse.ArgumentParser(prog="tests.bench", description="Speed, as ratios in CPU seconds within one run.")
    parser.add_argument("--only", action="append", choices=names, metavar="ID", help=f"one of {', '.join(names)}")
    parser.add_argument("--large", action="store_true", help="the figures that take half an hour, and these alone")
    requests = parser.parse_args()
    only = requests.only or names
    for line in (
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Python {platform.python_version()};"
        f" SQLite {sqlite3.sqlite_version}; {platform.system()} {platform.machine()}",
        f"pages: {real()[1]}; made ones are the sample clinic's, cut or padded to 405 KB and 1.1 MB",
    ):
        sys.stdout.write(f"# {line}\n")
    short = 0
    start = time.monotonic()
    for item in FIGURES:
        if item.name not in only or item.large != requests.large:
            continue
        try:
            value, what = item.measure(), item.what
        except AssertionError as error:  # the two sides did not do the same: no number would mean anything
            value, what = math.nan, f"{item.what}; not measured: {error}"
        short += not item.reached(value)
        found = "ok" if item.reached(value) else "short"
        sys.stdout.write(f"{item.name} {value:.2f} {item.goal} {found} {what}\n")
        sys.stdout.flush()
    sys.stdout.write(f"# {time.monotonic() - start:.0f} s\n")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
