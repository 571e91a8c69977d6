"""PG: a purge, in proportion to unpacking and packing the WARC files that it replaces."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from pipelines.commands import main
from pipelines.rebuild import rebuild
from tests.bench._figure import cpu, figure
from tests.bench._pages import SMALL, own_slug, pages
from tests.bench.stored import BASE, recorded

PAGES = 300
WITHDRAWN = 3  # posts


@figure(
    "PG1", "times the CPU time of gunzip and gzip of the files that it rewrites, for a purge of three posts", most=2
)
def purge_of_posts() -> float:
    """Plan, rewrite, move, new places of all rows, VACUUM; what `takedown add` did before is not counted."""
    with TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        recorded(archive, "clinic", pages(BASE, PAGES, SMALL))
        rebuild(archive, cores=1)
        for number in range(WITHDRAWN):
            subject = f"{BASE}/post/{own_slug(number).decode()}"
            _run(archive, "add", subject, "--grade", "purge", "--reason", "On request", "--yes")
        (file,) = (archive / "warc" / "clinic").glob("*.warc.gz")
        copy = shutil.copy(file, Path(folder) / "copy.gz")
        needed = cpu(lambda: gzip.compress(gzip.decompress(Path(copy).read_bytes()), 6))
        taken = cpu(lambda: _run(archive, "purge"))
        assert not file.exists()
        return taken / needed


def _run(archive: Path, *words: str) -> None:
    done = CliRunner().invoke(main, ["takedown", *words, "--archive", str(archive)])
    assert done.exit_code == 0, done.output
