"""`clinic-archive` at another time: a process that imports the product once, and forks for each run with a moved clock.

Orders come on stdin as JSON, one a line: `argv`, `at` (the moment at which the run begins, ISO 8601), `out` and `err`
(files). Answered with the pid at once, and with exit code (negative: the signal) and CPU seconds at the end.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

PACKAGES = ("archive", "pipelines", "scraper")
ROOT = Path(__file__).resolve().parents[2]


class Ended(NamedTuple):
    """A run that is over."""

    code: int  # negative: the signal that ended it
    cpu: float  # seconds, user and system
    err: str


def move(by: timedelta) -> None:
    """Every module of the product that reads the clock reads one that is moved; all of them read `datetime.now`."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + by

    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in PACKAGES and vars(module).get("datetime") is datetime:
            module.datetime = Moved  # type: ignore[attr-defined]


def load() -> None:
    """Every module of the product but the site's, so that none is loaded later with the true clock."""
    for package in PACKAGES:
        for found in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if not found.name.startswith("archive.site"):
                import_module(found.name)


def run(order: dict[str, Any]) -> NoReturn:
    """In the fork: one run, to the end of the process."""
    for number, (name, flags) in enumerate(
        [("/dev/null", os.O_RDONLY), *((order[key], os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for key in ("out", "err"))]
    ):
        os.dup2(os.open(name, flags, 0o644), number)
    from pipelines.commands import main as product
    from scraper import settings

    settings.RETRY_PAUSE = 0.01
    move(datetime.fromisoformat(order["at"]) - datetime.now(UTC))
    product(order["argv"], prog_name="clinic-archive")
    raise SystemExit


def main() -> None:
    """Fork for each order until stdin ends."""
    load()
    gc.collect()
    gc.freeze()
    for line in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if not pid:
            run(json.loads(line))
        print(pid, flush=True)
        _, status, used = os.wait4(pid, 0)
        print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime]), flush=True)


Begin = Callable[[int], None]
Launch = Callable[[list[str], datetime, Begin], Ended]


@contextmanager
def warm(folder: Path) -> Iterator[Launch]:
    """What makes a run at a moment; it is told the pid before the run has ended."""
    folder.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    process = subprocess.Popen(
        [sys.executable, "-m", __name__], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**kept, "PYTHONWARNINGS": "default", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    orders, answers = process.stdin, process.stdout

    def launch(argv: list[str], at: datetime, begin: Begin) -> Ended:
        files = {"out": str(folder / "out.txt"), "err": str(folder / "err.txt")}
        print(json.dumps({"argv": argv, "at": at.isoformat(), **files}), file=orders, flush=True)
        begin(int(answers.readline()))
        code, cpu = json.loads(answers.readline())
        return Ended(code, cpu, Path(files["err"]).read_text("utf-8"))

    try:
        yield launch
    finally:
        orders.close()
        process.wait(30)
        answers.close()


if __name__ == "__main__":
    main()
