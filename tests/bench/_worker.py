"""A worker that visits so many clinics at a time: `python -m tests.bench._worker NUMBER OPTIONS...`"""

from __future__ import annotations

import sys

from pipelines.cluster import worker
from pipelines.commands import main

if __name__ == "__main__":
    number = int(sys.argv[1])
    worker.parallel_visits = lambda: number
    main(["worker", *sys.argv[2:]])
