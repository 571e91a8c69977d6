"""What a year costs: requests, bytes and CPU of each run, and what they come to with pages of real size."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from statistics import mean, median

from tests.e2e.product import ROOT, value_of
from tests.warm import Ended
from tests.year.site import Told

FOLDER = Path(os.environ.get("ARTEFACTS") or ROOT / "var")
REAL_PAGE = (80_000, 100_000)  # bytes of a Wix page of 405 KB as it is sent, gzipped
KEPT = "SELECT count(*) FROM captures WHERE record_type = 'response' AND http_status = 200 AND mime LIKE 'text/html%'"


class Figures:
    """Taken run by run, told at the end."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._runs: list[tuple[float, list[Told]]] = []
        self._first = (0.0, 0.0)  # MB of database and WARC after the first run
        self.quiet: set[int] = set()  # runs of days on which nothing happened

    def took(self, ended: Ended, told: list[Told], *, quiet: bool) -> None:
        """A run is over."""
        if not self._runs:
            self._first = self._sizes()
        elif quiet:
            self.quiet.add(len(self._runs))
        self._runs.append((ended.cpu, told))

    def _sizes(self) -> tuple[float, float]:
        warc = sum(path.stat().st_size for path in (self._archive / "warc").rglob("*.warc.gz"))
        return (self._archive / "archive.db").stat().st_size / 1e6, warc / 1e6

    def _cpu(self, numbers: Iterable[int]) -> float:
        return median(self._runs[number][0] for number in numbers)

    def write(self, story: str, seed: int, days: int, longest: timedelta) -> None:
        """`year-STORY.md`; what is told of a year is of the days after the first run, as many as there were."""
        later = [told for _, told in self._runs[1:]]
        requests = [item for told in later for item in told if item.kind in ("post", "list", "home")]
        requests = [item for item in requests if item.status in (200, 304)]
        sent = [item for item in requests if item.status == 200]
        stored = value_of(self._archive, KEPT) - sum(item.kind in ("post", "list", "home") for item in self._runs[0][1])
        year = 365 / (days - 1)
        database, warc = ((end - begin) * year for end, begin in zip(self._sizes(), self._first, strict=True))
        size = mean(item.size for item in sent) / 1e6
        real = [warc / 1e3 + stored * year * (page / 1e6 - size) / 1e3 for page in REAL_PAGE]
        most = [warc / 1e3 + (len(requests) * page / 1e6 - stored * size) * year / 1e3 for page in REAL_PAGE]
        quiet = [len(self._runs[number][1]) for number in self.quiet]
        cpu = self._cpu(range(len(self._runs)))
        a_run = len(later)
        lines = [
            f"year, {story}, seed {seed}: {len(self._runs)} runs on {days} days, 60 posts at first",
            f"  a year: archive.db grows {database:.1f} MB, WARC {warc:.1f} MB; a page is sent as {size * 1e3:.1f} KB",
            f"  requests: {median(quiet):.0f} on a quiet day, {mean(map(len, later)):.1f} a run; pages asked for"
            f" {len(requests) / a_run:.1f} a run, sent whole {len(sent) / a_run:.1f}, kept {stored / a_run:.1f}",
            f"  WARC with real pages (405 KB, sent as 80 to 100 KB): {real[0]:.2f} to {real[1]:.2f} GB a year;",
            f"  {most[0]:.2f} to {most[1]:.2f} GB if every page that is asked for came whole and new",
            f"  longest between two looks at a post, gaps in the runs included: {longest / timedelta(days=1):.1f} days",
            f"  CPU: {cpu:.2f} s a run",
        ]
        if len(self._runs) > 104:
            late, early = range(95, 104), range(7, 12)
            asked_late, asked_early = (median(len(self._runs[number][1]) for number in some) for some in (late, early))
            lines[-1] += (
                f"; runs 96 to 104 against runs 8 to 12, medians: {self._cpu(late) / self._cpu(early):.2f}"
                f" ({asked_late:.0f} requests against {asked_early:.0f})"
            )
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"year-{story}.md").write_text("\n".join(lines) + "\n", "utf-8")
