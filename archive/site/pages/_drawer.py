"""Vega, in a process of its own: a text that brings its engine down costs one drawing, not the server.

`python -m archive.site.pages._drawer` reads a specification a line from its input and answers each with a line, the SVG
as JSON or null. It ends when its input does, and so with its parent.
"""

from __future__ import annotations

import atexit
import json
import select
import subprocess
import sys
import threading
from typing import Any

# Seconds that a drawing may take; the first one of a process waits for its engine.
PATIENCE = 20.0


class Drawer:
    """The process, started at the first drawing and anew after a fall. One drawing at a time; safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def draw(self, specification: dict[str, Any]) -> str | None:
        """The SVG of a Vega-Lite specification; None where Vega could not draw it."""
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "archive.site.pages._drawer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )  # fmt: skip
            asked, told = self._process.stdin, self._process.stdout
            assert asked is not None
            assert told is not None
            try:
                asked.write(json.dumps(specification).encode() + b"\n")
                asked.flush()
                line = told.readline() if select.select([told], [], [], PATIENCE)[0] else b""
            except OSError:
                line = b""
            if not line:  # it fell, or does not come to an end
                self.end()
                return None
        svg: str | None = json.loads(line)
        return svg

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
    """Draw whatever is asked for."""
    import vl_convert  # noqa: PLC0415 # 80 MB and an engine: only where it draws

    for line in sys.stdin:
        try:
            svg: str | None = vl_convert.vegalite_to_svg(json.loads(line))
        except ValueError:
            svg = None
        sys.stdout.write(json.dumps(svg) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
