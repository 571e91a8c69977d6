"""A lake: whole partitions, written only where rows changed, of several archives without doubling."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from archive.db import open_archive
from archive.export import names
from archive.lake import LakeError, export_lake
from archive.lake import _partitions as partitions
from archive.lake._captures import TYPES, index_values
from archive.lake._routes import bucket
from tests.waiting import HANG

duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
pytest.importorskip("pyarrow", reason="pyarrow is not installed")

CLINICS = ("riverside", "harbour", "juniper")


def made(folder: Path, clinics: tuple[str, ...], run: str) -> Path:
    """An archive of those clinics, each with three posts of two years, a capture and a reading of each."""
    began = "2026-01-01T09:00:00Z"
    with closing(open_archive(folder, "write")) as db:
        db["crawls"].insert({"crawl_id": run, "started_at": began, "software": "test"})
        for number, (clinic, each) in enumerate(product(clinics, range(3)), 1):
            site = f"https://www.{clinic}.example:8443"
            seen = {"clinic_id": clinic, "name": clinic, "url": site, "blog_status": "blog"}
            db["clinics"].insert(seen, ignore=True)
            visit = {"crawl_id": run, "clinic_id": clinic, "started_at": began, "status": "done"}
            db["clinic_runs"].insert(visit, ignore=True)
            at = f"{2026 + each % 2}-03-01T09:00:00.000000Z"
            capture = {
                "capture_id": f"{run}-{number}", "crawl_id": run, "clinic_id": clinic, "method": "GET",
                "fetched_at": at, "url": f"{site}/post/p{each}?a=B", "http_status": 200, "mime": "text/html",
                "record_type": "response", "payload_sha256": "0" * 64, "warc_file": f"warc/{clinic}/x.warc.gz",
                "warc_offset": 100 * each, "warc_length": 100, "origin": "crawl",
            }  # fmt: skip
            post = {
                "post_id": number, "clinic_id": clinic, "platform": "wix", "url": f"{site}/post/p{each}",
                "title": f"Post {each}", "body_text": "Sleep well.", "sources": "{}", "first_seen_at": at,
                "last_seen_at": at, "published_at": "2025-12-01", "published_on": "2025-12-01",
            }  # fmt: skip
            reading = {
                "post_id": number, "capture_id": f"{run}-{number}", "source": "html", "read_at": at,
                "views": 10 + each, "evidence": "read", "extractor_version": 1,
            }  # fmt: skip
            for table, row in (("captures", capture), ("posts", post), ("readings", reading)):
                db[table].insert(row)
    return folder


def export(lake: Path, *archives: Path) -> dict[str, Any]:
    """Export those archives; the tables of the lake by name."""
    opened = [open_archive(archive, "read") for archive in archives]
    try:
        pairs = [(archive.name, db.conn) for archive, db in zip(archives, opened, strict=True)]
        return {table.name: table for table in export_lake(lake, pairs, "test")}
    finally:
        for db in opened:
            db.close()


def asked(lake: Path, sql: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    monkeypatch.chdir(lake)
    with duckdb.connect() as duck:
        duck.execute((lake / "lake.sql").read_text("utf-8"))
        found: list[tuple[Any, ...]] = duck.execute(sql).fetchall()
    return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An archive and its lake, to read or to copy."""
    folder = tmp_path_factory.mktemp("made")
    archive = made(folder / "archive", CLINICS, "run-a")
    export(folder / "lake", archive)
    return archive, folder / "lake"


@pytest.fixture
def archive(both: tuple[Path, Path], tmp_path: Path) -> Path:
    return shutil.copytree(both[0], tmp_path / "archive")


@pytest.fixture
def lake(both: tuple[Path, Path], tmp_path: Path) -> Path:
    return shutil.copytree(both[1], tmp_path / "lake")


def stamps(lake: Path) -> dict[str, int]:
    return {str(path.relative_to(lake)): path.stat().st_mtime_ns for path in lake.rglob("*.parquet")}


def test_a_row_is_in_the_partition_of_its_clinic_and_year(lake: Path) -> None:
    for table in ("posts", "readings", "captures"):
        found = {f"{path.parent.relative_to(lake / table)}/" for path in (lake / table).rglob("*.parquet")}
        assert found == {f"{bucket(clinic)}year={year}/" for clinic in CLINICS for year in (2026, 2027)}


def test_every_table_and_view_has_its_rows(archive: Path, lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_archive(archive, "read")) as db:
        tables = names(db.conn, with_parameters=False, derived=False)
        counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in tables)
        assert asked(lake, counts, monkeypatch) == [tuple(row) for row in db.conn.execute(counts)]


def test_only_a_partition_whose_rows_changed_is_written(archive: Path, lake: Path) -> None:
    before = stamps(lake)
    again = export(lake, archive)
    assert stamps(lake) == before
    assert sum(table.written for table in again.values()) == 0
    with closing(open_archive(archive, "write")) as db:
        db.execute("UPDATE posts SET title = 'New' WHERE clinic_id = 'harbour' AND first_seen_at < '2027'")
    export(lake, archive)
    changed = {path for path, stamp in stamps(lake).items() if before.get(path) != stamp and path.startswith("posts/")}
    assert changed == {f"posts/{bucket('harbour')}year=2026/part-0.parquet"}


def test_a_partition_without_rows_is_removed(archive: Path, lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_archive(archive, "write")) as db:
        db.execute("PRAGMA foreign_keys=OFF")
        db.execute("DELETE FROM readings WHERE read_at > '2027'")
    export(lake, archive)
    assert not list((lake / "readings").glob("*/year=2027"))
    assert asked(lake, "SELECT count(*) FROM readings", monkeypatch) == [(6,)]


def test_what_a_killed_export_left_is_replaced(archive: Path, lake: Path) -> None:
    """Drafts, a partition that no manifest names, a file that is not whole."""
    before = {path: path.read_bytes() for path in lake.rglob("*.parquet")}
    (lake / ".part" / "posts").mkdir(parents=True)
    (lake / ".part" / "posts" / "part-0.parquet").write_bytes(b"PAR1")
    (lake / "posts" / "clinic_hash=0" / "year=1999").mkdir(parents=True)
    next((lake / "posts").rglob("*.parquet")).rename(lake / "posts" / "clinic_hash=0" / "year=1999" / "part-0.parquet")
    (lake / "manifest.json").unlink()
    next((lake / "readings").rglob("*.parquet")).write_bytes(b"PAR1")
    export(lake, archive)
    assert {path: path.read_bytes() for path in lake.rglob("*.parquet")} == before
    assert not (lake / ".part").exists()


# Exports as the product does, and is killed at the n-th file that it makes durable, or renames into the lake.
KILLED = """
import os, pathlib, signal, sys
from archive.db import open_archive
from archive.lake import export_lake
lake, archive, place, number = sys.argv[1:]
owner = os if place == "fsync" else pathlib.Path
real, calls = getattr(owner, place), []
def last(*given):
    calls.append(given)
    if len(calls) == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given)
setattr(owner, place, last)
export_lake(pathlib.Path(lake), [("archive", open_archive(pathlib.Path(archive), "read").conn)], "test")
"""


@pytest.mark.parametrize(("place", "number"), [("fsync", 3), ("replace", 20)])
def test_an_export_that_is_killed_leaves_whole_partitions(
    archive: Path, lake: Path, place: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_archive(archive, "write")) as db:
        db.execute("UPDATE captures SET mime = 'text/plain'")
        db.execute("UPDATE posts SET title = 'New'")
        db.execute("UPDATE readings SET views = views + 1")
        db.execute("UPDATE clinics SET name = 'New'")
    script = (sys.executable, "-c", KILLED, lake, archive, place, str(number))
    assert subprocess.run(script, check=False, timeout=HANG).returncode == -signal.SIGKILL
    seen = "SELECT count(*), count(DISTINCT post_id) FROM posts"
    assert asked(lake, seen, monkeypatch) == [(9, 9)]
    whole = "SELECT DISTINCT count(DISTINCT title) FROM posts WHERE title = 'New' GROUP BY clinic_hash, year"
    assert asked(lake, whole, monkeypatch) in ([], [(1,)])
    export(lake, archive)
    assert asked(lake, "SELECT DISTINCT title, mime FROM posts, captures", monkeypatch) == [("New", "text/plain")]
    assert asked(lake, "SELECT sum(views) FROM readings", monkeypatch) == [(108,)]


def test_an_export_that_fails_leaves_whole_partitions(
    archive: Path, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_archive(archive, "write")) as db:
        db.execute("UPDATE posts SET title = 'New'")
        db.execute("DROP VIEW crawl_history")
        db.execute(
            "CREATE VIEW crawl_history AS SELECT abs(-9223372036854775808) AS discovered, 'riverside' AS clinic_id"
        )
    with closing(open_archive(archive, "read")) as db, pytest.raises(sqlite3.Error, match="overflow"):
        export_lake(lake, [("archive", db.conn)], "test")
    assert asked(lake, "SELECT count(*), count(DISTINCT post_id) FROM posts", monkeypatch) == [(9, 9)]
    assert not (lake / ".part").exists()


def test_rows_of_two_archives_stand_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = made(tmp_path / "one", CLINICS[:2], "run-a"), made(tmp_path / "two", CLINICS[2:], "run-b")
    lake = tmp_path / "lake"
    export(lake, first, second)
    sql = (
        "SELECT p.clinic_id, count(*), sum(r.views) FROM posts AS p JOIN readings AS r ON r.post_id = p.post_id"
        " GROUP BY ALL ORDER BY ALL"
    )
    assert asked(lake, sql, monkeypatch) == [(clinic, 3, 33) for clinic in sorted(CLINICS)]
    assert asked(lake, "SELECT count(*), count(DISTINCT post_id) FROM posts", monkeypatch) == [(9, 9)]
    before = stamps(lake)
    export(lake, second, first)  # the numbers of an archive do not depend on the order
    sql = "SELECT clinic_id, min(post_id) FROM posts GROUP BY ALL ORDER BY ALL"
    assert asked(lake, sql, monkeypatch) == [("harbour", 4), ("juniper", (1 << 40) + 1), ("riverside", 1)]
    assert {
        path for path, stamp in stamps(lake).items() if before[path] != stamp and path.startswith("posts/")
    } == set()
    export(lake, first)
    assert asked(lake, "SELECT count(*) FROM posts", monkeypatch) == [(6,)]


def test_an_earlier_run_leaves_an_archive_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = made(tmp_path / "one", CLINICS[:2], "run-a"), made(tmp_path / "two", CLINICS[2:], "run-b")
    lake = tmp_path / "lake"
    export(lake, first, second)
    before = stamps(lake)
    for folder, run in ((first, "run-0"), (second, "run-1")):
        with closing(open_archive(folder, "write")) as db:
            db["crawls"].insert({"crawl_id": run, "started_at": "2025-01-01T09:00:00Z", "software": "test"})
    export(lake, second, first)
    sql = "SELECT clinic_id, min(post_id) FROM posts GROUP BY ALL ORDER BY ALL"
    assert asked(lake, sql, monkeypatch) == [("harbour", 4), ("juniper", (1 << 40) + 1), ("riverside", 1)]
    changed = {path for path, stamp in stamps(lake).items() if before.get(path) != stamp}
    assert not [path for path in changed if path.startswith(("posts/", "readings/"))]
    assert json.loads((lake / "manifest.json").read_text())["archives"] == {"run-a": 0, "run-b": 1}


def test_a_clinic_of_two_archives_is_refused(archive: Path, tmp_path: Path) -> None:
    second = made(tmp_path / "two", CLINICS[2:], "run-b")
    with pytest.raises(LakeError, match=r"juniper: is in archive and in two; .*merge"):
        export(tmp_path / "lake", archive, second)
    with pytest.raises(LakeError, match="is in archive and in copy"):
        export(tmp_path / "lake", archive, shutil.copytree(archive, tmp_path / "copy"))


def test_a_folder_of_something_else_is_refused(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "notes.txt").write_text("mine")
    with pytest.raises(LakeError, match="no lake"):
        export(tmp_path / "lake", archive)
    (tmp_path / "lake" / "manifest.json").write_text(json.dumps({"files": {}}))
    with pytest.raises(LakeError, match="another export"):
        export(tmp_path / "lake", archive)


@pytest.mark.parametrize("manifest", [
    {"archives": {}, "tables": {"..": {}}},
    {"archives": {}, "tables": {"": {}}},
    {"archives": {}, "tables": {"/tmp": {}}},
    {"archives": {}, "tables": ["posts"]},
    {"archives": {"x": "abc"}},
    {"archives": {"x": -1}},
    {"archives": {"x": 1 << 40}},
    {"archives": {"x": 0, "y": 0}},
    {"archives": 7},
    [],
])  # fmt: skip
def test_a_manifest_of_others_removes_nothing(archive: Path, lake: Path, manifest: object) -> None:
    other = lake.parent / "mine" / "part-0.parquet"
    other.parent.mkdir()
    other.write_bytes(b"mine")
    before = stamps(lake)
    (lake / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(LakeError, match=r"no manifest of a lake.*copy") as caught:
        export(lake, archive)
    assert "\n" not in str(caught.value)
    assert (other.read_bytes(), stamps(lake)) == (b"mine", before)


def test_links_do_not_lead_an_export_out_of_the_lake(archive: Path, lake: Path, tmp_path: Path) -> None:
    other = tmp_path / "mine" / "part-0.parquet"
    other.parent.mkdir()
    other.write_bytes(b"mine")
    manifest = json.loads((lake / "manifest.json").read_text())
    (lake / "manifest.json").write_text(json.dumps(manifest | {"tables": {"gone": {}}}))
    (lake / "gone").symlink_to(other.parent)
    export(lake, archive)
    for link in (lake / "posts" / "year=1999", lake / "posts"):
        if link.is_dir():
            shutil.rmtree(link)
        link.symlink_to(other.parent)
        with pytest.raises(LakeError, match=f"{link}: a symbolic link"):
            export(lake, archive)
        link.unlink()
    assert [path.read_bytes() for path in other.parent.iterdir()] == [b"mine"]


def test_rows_beyond_memory_are_written_in_groups(
    archive: Path, lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits change how rows are grouped, never which partitions count as changed."""
    before = stamps(lake)
    monkeypatch.setattr(partitions, "_BLOCKS", 1)
    monkeypatch.setattr(partitions, "_MAX_BYTES", 100)
    export(lake, archive)
    assert stamps(lake) == before
    export(tmp_path / "other", archive)
    assert asked(tmp_path / "other", "SELECT count(*), sum(views) FROM readings", monkeypatch) == [(9, 99)]


def test_captures_have_the_columns_of_the_common_crawl_index(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = (
        "SELECT url_surtkey, url_host_name, url_port, url_query, fetch_status, content_digest, warc_filename,"
        " warc_record_offset, subset, fetch_time = fetched_at FROM captures WHERE clinic_id = 'harbour' ORDER BY"
        " fetch_time LIMIT 1"
    )
    assert asked(lake, sql, monkeypatch) == [(
        "example,harbour:8443)/post/p0?a=b", "www.harbour.example", 8443, "a=B", 200, "sha256:" + "0" * 64,
        "warc/harbour/x.warc.gz", 0, "warc", True,
    )]  # fmt: skip


def parts(url: str, status: int = 200) -> dict[str, Any]:
    """What the lake says of a capture of that address."""
    row = "url payload_sha256 http_status fetched_at mime warc_file warc_offset warc_length crawl_id"
    values = index_values(row.split(" "))((url, None, status, "2026-03-01T09:00:00Z", None, "w", 0, 1, None))
    return dict(zip(TYPES, values, strict=True))


@pytest.mark.parametrize(("url", "expected"), [
    ("https://blog.clinic.co.uk/a", ("uk,co,clinic,blog)/a", "clinic.co.uk", "uk", "/a")),
    ("https://anna.wixsite.com", ("com,wixsite,anna)/", "anna.wixsite.com", "com", "/")),
    ("http://127.0.0.1:8001/", ("127.0.0.1:8001)/", None, None, "/")),
    ("http://[::1]/", ("::1)/", None, None, "/")),
    ("http://[half", (None, None, None, None)),
    ("", (None, None, None, "/")),
])  # fmt: skip
def test_parts_of_an_address(url: str, expected: tuple[str | None, ...]) -> None:
    found = parts(url)
    wanted = ("url_surtkey", "url_host_private_domain", "url_host_tld", "url_path")
    assert tuple(found[name] for name in wanted) == expected
    assert found["content_digest"] is None


def test_the_subset_is_that_of_the_answer() -> None:
    assert parts("https://a.example/robots.txt")["subset"] == "robotstxt"
    assert parts("https://a.example/x", 404)["subset"] == "crawldiagnostics"
    assert parts("https://a.example/x")["subset"] == "warc"
