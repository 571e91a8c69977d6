"""Vega-Lite in a process of its own: a text that crashes its engine costs one chart, not the server.

`python -m archive.site.charts._drawer` reads one specification a line from stdin and answers each with one line: the
SVG as a JSON string, or null. It ends when stdin ends, and so with its parent process.
"""

from __future__ import annotations

import atexit
import json
import select
import subprocess
import sys
import threading
from typing import Any

# Seconds that one drawing may take. The first drawing of a process also waits for the engine to start.
TIMEOUT = 20.0


class Drawer:
    """The drawing process, started at the first drawing and again after a crash. Thread-safe; one drawing at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def draw(self, specification: dict[str, Any]) -> str | None:
        """Return the SVG of a Vega-Lite specification; None if Vega could not draw it."""
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "archive.site.charts._drawer"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            line = self._exchange(self._process, json.dumps(specification).encode() + b"\n")
            if not line:  # the process crashed or exceeded the time limit
                self.end()
                return None
        svg: str | None = json.loads(line)
        return svg

    def _exchange(self, process: subprocess.Popen[bytes], line: bytes) -> bytes:
        """Write one line to the process and return its answer; empty if there is none."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
            return process.stdout.readline() if select.select([process.stdout], [], [], TIMEOUT)[0] else b""
        except OSError:
            return b""

    def end(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


_DRAWER = Drawer()
atexit.register(_DRAWER.end)
svg_of = _DRAWER.draw


def main() -> None:
    """Answer each specification from stdin with its SVG on stdout."""
    import vl_convert  # noqa: PLC0415 # 80 MB and an engine: imported only in the drawing process

    for line in sys.stdin:
        try:
            svg: str | None = vl_convert.vegalite_to_svg(json.loads(line))
        except ValueError:
            svg = None
        sys.stdout.write(json.dumps(svg) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
