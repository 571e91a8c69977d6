"""Peak of resident memory over 20 parses: `python -m tests.bench._memory SMALL.html LARGE.html`.

The pages are made by the caller: a process that made them would have had its peak already.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

from scraper.items import Exchange
from tests.making import extract
from tests.memory import forget_peak, megabytes

PARSES = 20
URL = "https://clinic.example/post/bench-post-000000"


def main(small: Path, large: Path) -> None:
    """Print the growth as JSON."""
    extract(Exchange(url=URL, body=small.read_bytes(), content_type="text/html"))
    exchange = Exchange(url=URL, body=large.read_bytes(), content_type="text/html")
    gc.collect()
    forget_peak()
    before = megabytes("VmRSS")
    for _ in range(PARSES):
        extract(exchange)
    sys.stdout.write(json.dumps({"megabytes": max(0, megabytes("VmHWM") - before)}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
