"""L: many clinics: a lake of their tables, and the archives of shards merged into one."""

from __future__ import annotations

import shutil
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from archive.db import open_archive
from archive.export import FORMATS, export_all
from archive.lake import export_lake
from pipelines.commands._rebuild import rebuild_from
from pipelines.derive import derive_whole
from pipelines.rebuild import rebuild
from tests.bench._archive import made
from tests.bench._figure import cpu, figure, ratio
from tests.bench._pages import SMALL, pages
from tests.bench.stored import BASE, recorded, wall

POSTS, MERGED = 20_000, 10_000
LAYOUTS = {"many": 100, "few": 10}  # shards of 100 posts, and of 1,000


@figure("L1", "times the CPU of `export --all --format parquet`, of a lake of the same archive", most=1.5)
def lake() -> float:
    """20,000 posts of 200 clinics, with 5 comments and 10 readings each, to an empty folder."""
    folder = made(POSTS)

    def all_tables(db: object, out: Path) -> None:
        export_all(out, db, FORMATS["parquet"], "bench")  # type: ignore[arg-type]

    def partitions(db: object, out: Path) -> None:
        export_lake(out, [("bench", db)], "bench")  # type: ignore[list-item]

    def taken(export: object) -> float:
        with TemporaryDirectory() as out, closing(open_archive(folder, "read")) as db:
            return cpu(lambda: export(db.conn, Path(out)))  # type: ignore[operator]

    return ratio(lambda: taken(partitions), lambda: taken(all_tables))


@cache
def _kept() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


@cache
def shards(layout: str) -> tuple[Path, ...]:
    """The WARC files of so many shards, each of a clinic, with 10,000 posts of 405 KB in all."""
    number = LAYOUTS[layout]
    folder = Path(_kept().name) / layout
    found = []
    for each in range(number):
        found.append(folder / str(each))
        recorded(found[-1], f"clinic-{each}", pages(BASE, MERGED // number, SMALL))
    return tuple(found)


@cache
def merged(layout: str) -> float:
    """Seconds of a merge into a new archive."""
    with TemporaryDirectory() as out:
        return wall(lambda: _whole(rebuild_from(shards(layout), Path(out) / "whole").clinics))


@cache
def rebuilt(layout: str) -> float:
    """Seconds of a rebuild of the same, in one archive without a database; what is derived included, as in a merge."""
    with TemporaryDirectory() as out:
        for shard in shards(layout):
            shutil.copytree(shard / "warc", Path(out) / "warc", dirs_exist_ok=True)

        def work() -> None:
            _whole(rebuild(Path(out)).clinics)
            derive_whole(Path(out))

        return wall(work)


def _whole(clinics: dict[str, int]) -> None:
    assert sum(clinics.values()) == MERGED


@figure("L1", "times the time of a rebuild of the same, of the merge of 100 shards of 100 posts", most=1.2)
def merge_of_many() -> float:
    """Both once, on all cores."""
    return merged("many") / rebuilt("many")


@figure("L1", "times the time of a rebuild of the same, of the merge of 10 shards of 1,000 posts", most=1.2)
def merge_of_few() -> float:
    """Both once, on all cores."""
    return merged("few") / rebuilt("few")


@figure("L1", "times the time of the merge of 10 shards, of that of 100 with the same posts", most=1.1)
def merge_is_flat() -> float:
    """What a shard costs beside its posts."""
    return merged("many") / merged("few")
