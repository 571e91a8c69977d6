"""One crawl of several blogs by some processes: `python -m tests.bench._workers PROCESSES LIMIT FOLDER URL...`.

Prints one line of JSON: the CPU seconds of this process, those of its workers, the seconds of the clock, and how many
posts were stored. LIMIT: posts of each blog. All begin when the modules are imported, but for those of the workers.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from importlib import import_module
from pathlib import Path

from pipelines.commands._process import crawl_settings, visit
from pipelines.run import report
from pipelines.run.run import Run
from scraper.config.clinics import Clinics
from tests.bench._crawler import clinic_at


def main(processes: int, limit: int, folder: Path, urls: list[str]) -> None:
    clock, own, run = time.monotonic(), time.process_time(), Run(folder)
    settings = crawl_settings(folder, folder / "clinics.toml", Clinics(), 0, False)
    visit(run, settings, [clinic_at(url) for url in urls], workers=processes, limit=limit)
    stored = run.db.execute("SELECT count(*) FROM revisions").fetchone()[0]
    run.close(0, report.summary(run))
    of_workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "clock": time.monotonic() - clock, "own": time.process_time() - own,
        "workers": of_workers.ru_utime + of_workers.ru_stime, "got": stored,
    }  # fmt: skip
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    import_module("tests.bench._workers").main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
