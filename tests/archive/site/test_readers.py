"""What readers may hold up, and for how long: queries end, files that nobody takes end, a run's log is emptied."""

from __future__ import annotations

import asyncio
import logging
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import uvicorn
from datasette.app import Datasette

from archive import wal
from archive.db import DATABASE
from archive.site import serving
from archive.site.pages import query_cache
from pipelines.run.run import Run
from tests.archive.site.test_site import get, setting_pairs, site_of
from tests.making import Made, extraction, post
from tests.waiting import HANG, wait_until

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n, posts"
# 80 MB, far more than a socket holds, and each row of it looks into the database.
LARGE = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i, (SELECT count(*) FROM"
    " posts), hex(zeroblob(200)) FROM n"
)


@pytest.fixture
def site(archive: Made) -> Datasette:
    archive.crawl("run")
    archive.fold(extraction(1, post(views=1)), crawl_id="run")
    return site_of(archive.folder)


def is_read(archive: Made) -> bool:
    """Somebody holds an old moment of the database open: after a write, the log cannot be emptied."""
    archive.db.execute("UPDATE clinics SET name = name || '.'")
    archive.db.execute("PRAGMA busy_timeout = 0").fetchall()
    (busy, *_) = archive.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return bool(busy)


def is_let_go(archive: Made) -> bool:
    """Soon nobody does: the answer may be there before the thread that made it has ended its query."""
    return wait_until(lambda: not is_read(archive))


@pytest.mark.parametrize("path", ["/riverside", "/riverside/sleep", "/-/search?q=sleep", "/-/posts.atom",
                                  "/-/capture/00000000-0000-4000-8000-000000000001"])  # fmt: skip
def test_a_page_that_takes_too_long_says_so_and_holds_nothing(
    path: str, archive: Made, site: Datasette, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert get(site, path).status_code == 200
    monkeypatch.setattr(serving, "QUERY_LIMIT_MS", 0)
    answer = get(site, path)
    assert answer.status_code == 503
    assert "Try again in a moment" in answer.text
    assert is_let_go(archive)


def test_what_is_kept_is_found_within_a_time_too(
    archive: Made, site: Datasette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_cache, "QUERY_LIMIT", 0.2)
    with pytest.raises(serving.DatasetteError, match="interrupted"):
        asyncio.run(serving.read_cached(site, "endless", lambda connection: connection.execute(ENDLESS).fetchone()))
    assert is_let_go(archive)


def test_typed_sql_is_interrupted(archive: Made, site: Datasette) -> None:
    assert ("sql_time_limit_ms", "10000") in list(setting_pairs(Path()))
    site.sql_time_limit_ms = 200
    answer = get(site, f"/archive.json?sql={quote(ENDLESS)}")
    assert (answer.status_code, "took too long" in answer.text) == (400, True)
    assert is_let_go(archive)


@contextmanager
def listening(site: Datasette) -> Iterator[int]:
    """The site as a server in a thread of its own; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(site.app(), log_level="critical", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.mark.parametrize(("limit", "reads_on"), [("BLOCK_TIMEOUT", False), ("DOWNLOAD_TIMEOUT", True)])
def test_a_file_that_is_not_taken_does_not_hold_its_moment_for_ever(
    limit: str, reads_on: bool, archive: Made, site: Datasette, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does one that is taken too slowly, though somebody reads on."""
    monkeypatch.setattr(serving, limit, 4.0)
    with listening(site) as port, socket.create_connection(("127.0.0.1", port), timeout=HANG) as visitor:
        visitor.sendall(f"GET /archive.csv?sql={quote(LARGE)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        taken = visitor.recv(1000)
        assert taken.startswith(b"HTTP/1.1 200")
        while len(taken) < 200_000:  # the names of the columns are told before a row is looked for
            taken += visitor.recv(1000)
        assert is_read(archive)

        def is_ended() -> bool:
            nonlocal taken
            if reads_on:
                taken += visitor.recv(100_000)
            return not is_read(archive)

        wait_until(is_ended, every=0.05)
        while block := visitor.recv(1_000_000):
            taken += block
    assert not taken.endswith(b"\r\n0\r\n\r\n"), "a part must not pass for the whole"
    assert len(taken) < 60_000_000


def test_a_query_that_stalls_after_its_first_rows_is_broken_off(
    archive: Made, site: Datasette, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a visitor could occupy one of the few places for files as long as the largest file may take."""
    monkeypatch.setattr(serving, "BLOCK_TIMEOUT", 1.0)
    endless = (
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 40000 OR i < 0"
    )
    with listening(site) as port, socket.create_connection(("127.0.0.1", port), timeout=HANG) as visitor:
        visitor.sendall(f"GET /archive.csv?sql={quote(endless)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        taken = b""
        while block := visitor.recv(1_000_000):
            taken += block
    assert taken.startswith(b"HTTP/1.1 200")
    assert not taken.endswith(b"\r\n0\r\n\r\n"), "a part must not pass for the whole"
    assert not is_read(archive)


def test_a_reader_at_the_end_of_a_run_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wal, "TIMEOUT", 0.2)
    caplog.set_level(logging.INFO, "pipelines.run.run")
    log = tmp_path / f"{DATABASE}-wal"
    run = Run(tmp_path)
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM posts").fetchone()
        run.open_run_file("crawl")
        run.close(0, {})
        assert log.stat().st_size > 0
        (record,) = [record for record in caplog.records if "write-ahead log" in record.message]
        assert record.levelno == logging.INFO
        reader.execute("ROLLBACK")
        Run(tmp_path).close(0, {})
        assert log.stat().st_size == 0
        assert reader.execute("SELECT count(*) FROM crawls").fetchone() == (1,)
    assert len([record for record in caplog.records if "write-ahead log" in record.message]) == 1


@pytest.fixture
def log(archive: Made) -> Path:
    """The archive's write-ahead log, and a table to fill it with."""
    archive.db.execute("CREATE TABLE filling (page TEXT) STRICT")
    return archive.folder / f"{DATABASE}-wal"


def fill(archive: Made, megabytes: int) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)"
    for _ in range(megabytes):
        archive.db.execute(f"{many} INSERT INTO filling SELECT hex(randomblob(2000)) FROM n")


@contextmanager
def reading(archive: Made) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(archive.folder / DATABASE, isolation_level=None, check_same_thread=False)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM posts").fetchone()
        yield reader


def test_a_log_that_grew_behind_a_reader_is_cut_back(archive: Made, log: Path) -> None:
    """By the writer, as soon as it begins the log anew; nobody waits for the run's end."""
    with reading(archive):
        fill(archive, 50)
        assert log.stat().st_size > 3 * wal.PAGES * 4096
    fill(archive, 2)
    assert log.stat().st_size <= wal.PAGES * 4096
    assert wal.WriteAheadLog(archive.db).truncate() is None
    assert log.stat().st_size == 0


def test_readers_who_overlap_are_waited_for_before_the_log_grows_on(
    archive: Made, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "BRIEFLY", HANG)
    ours = wal.WriteAheadLog(archive.db)
    with reading(archive) as first:
        fill(archive, 20)
        with reading(archive) as second:
            fill(archive, 20)  # whenever something is committed, one of the two reads what was before
            assert log.stat().st_size > wal.LARGE
            enders = [
                threading.Timer(0.2 * number, reader.execute, ["ROLLBACK"])
                for number, reader in ((1, first), (2, second))
            ]
            for ender in enders:
                ender.start()
            ours.checkpoint()
            for ender in enders:
                ender.join()
            fill(archive, 1)
            assert log.stat().st_size <= wal.PAGES * 4096


def test_a_reader_who_stays_is_not_waited_for_at_each_commit(
    archive: Made, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "BRIEFLY", 0.05)
    ours = wal.WriteAheadLog(archive.db)
    statements: list[str] = []
    with reading(archive):
        fill(archive, 40)
        archive.db.conn.set_trace_callback(statements.append)
        for _ in range(10):
            ours.checkpoint()
        archive.db.conn.set_trace_callback(None)
        assert statements.count("PRAGMA wal_checkpoint(RESTART)") == 1
        assert log.stat().st_size > wal.LARGE


def test_a_query_of_the_writer_itself_is_no_fault(archive: Made, log: Path) -> None:
    with reading(archive):
        fill(archive, 40)
    cursor = archive.db.execute("SELECT * FROM filling")
    assert cursor.fetchone()
    with pytest.raises(sqlite3.OperationalError):
        archive.db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
    wal.WriteAheadLog(archive.db).checkpoint()
    cursor.close()
