"""Peak of resident memory over 20 parses: `python -m tests.bench._memory SMALL.html LARGE.html`.

The pages are made by the caller: a process that made them would have had its peak already. The kernel's high-water
mark (VmHWM) is set back before the parses (Linux); it also survives an exec, which makes `ru_maxrss` useless here.
"""

from __future__ import annotations

import gc
import json
import re
import sys
from pathlib import Path

from scraper.items import Exchange
from tests.making import extract

PARSES = 20
URL = "https://clinic.example/post/bench-post-000000"


def kilobytes(name: str) -> int:
    """VmRSS (now) or VmHWM (the most since it was set back) of this process."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1])


def main(small: Path, large: Path) -> None:
    """Print the growth as JSON."""
    extract(Exchange(url=URL, body=small.read_bytes(), content_type="text/html"))
    exchange = Exchange(url=URL, body=large.read_bytes(), content_type="text/html")
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    before = kilobytes("VmRSS")
    for _ in range(PARSES):
        extract(exchange)
    sys.stdout.write(json.dumps({"megabytes": max(0, kilobytes("VmHWM") - before) / 1000}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
