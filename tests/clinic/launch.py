"""Starts the clinic in a process of its own and talks to it, for tests."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 300.0


class Clinic:
    """A running clinic: its address, what is true of it, and how to change it."""

    def __init__(self, url: str, process: subprocess.Popen[str]) -> None:
        self.url = url
        self.process = process

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_PATIENCE) as answer:
            value: dict[str, Any] = json.load(answer)
        return value

    def truth(self) -> dict[str, Any]:
        """What the clinic holds and has served."""
        return self._ask("/__truth__")

    def control(self, action: str, **more: Any) -> dict[str, Any]:
        """Ask for a change; see the package docstring."""
        return self._ask("/__control__", {"action": action, **more})

    def stop(self) -> None:
        """End the process, first politely."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)


def _first_line(stream: IO[str]) -> str:
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(_PATIENCE):
            raise TimeoutError("the clinic printed no address")
    return stream.readline().strip()


@contextmanager
def running(state: Path, *, port: int = 0, api: bool = True, base: str | None = None) -> Iterator[Clinic]:
    """A clinic that keeps its counts in `state` and ends with the block.

    `base`: the address that its pages name, where something stands in front of it; `url` stays its own.
    """
    command = [
        sys.executable,
        "-m",
        "tests.clinic",
        "--port",
        str(port),
        "--state",
        str(Path(state).resolve()),
        "--exit-with-parent",
    ]
    if not api:
        command.append("--no-api")
    if base:
        command += ["--base", base]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    clinic = Clinic("", process)
    try:
        clinic.url = _first_line(process.stdout)
        if not clinic.url:
            raise RuntimeError("the clinic did not start")
        yield clinic
    finally:
        clinic.stop()
        process.stdout.close()
