"""The archive served by Datasette: all of it described, every page answers, search works, a writer is no hindrance."""

from __future__ import annotations

import asyncio
import copy
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from datasette.app import Datasette

from archive.db import DATABASE, open_archive, views
from pipelines.commands.serve import SITE, arguments
from tests.e2e.product import run
from tests.making import CLINIC, Made, comment, extraction, made, post, reading, sighting
from tests.soak import sampled
from tests.waiting import HANG, wait_until

METADATA: dict[str, Any] = yaml.safe_load((SITE / "metadata.yaml").read_text("utf-8"))
TABLES: dict[str, dict[str, Any]] = METADATA["databases"]["archive"]["tables"]
# The five shadow tables of each full-text index are hidden by Datasette itself.
FULL_TEXT = re.compile(r"_fts(_config|_content|_data|_docsize|_idx)?$")
COMMAND = Path(sys.executable).with_name("clinic-archive")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """An archive that a writer still holds, with a row in most tables."""
    with made(tmp_path_factory.mktemp("served")) as archive:
        archive.crawl("run")
        archive.fold(
            extraction(1, sighting(), sighting("unread")),
            extraction(2, post(text="Sleep heals. Schlaf hält gesund.", views=5, views_raw="5 views", tags=("rest",))),
            extraction(3, comment("c1", "It was the lavender."), comment("c2", "Which one?", parent_id="c1")),
            extraction(4, reading("wix:ffffffffffffffffffffffff", views=3)),
            extraction(5, post(text="Sleep heals, mostly.", views=9)),
            crawl_id="run",
        )
        yield archive


def site_of(folder: Path, **metadata: Any) -> Datasette:
    """An archive's site in this process, as `serve` configures it; `metadata` beside what the site says of itself."""
    settings = dict(setting_pairs(folder))
    return Datasette(
        [str(folder / DATABASE)],
        # A copy: Datasette writes the license of the whole site into the metadata of each table that it shows.
        metadata={**copy.deepcopy(METADATA), **metadata},
        plugins_dir=str(SITE / "plugins"),
        template_dir=str(SITE / "templates"),
        static_mounts=[("site", str(SITE / "static"))],
        settings={name: value == "on" if value in ("on", "off") else int(value) for name, value in settings.items()},
    )


@pytest.fixture(scope="module")
def site(served: Made) -> Datasette:
    """The site as `serve` configures it, in this process."""
    return site_of(served.folder)


def setting_pairs(folder: Path) -> Iterator[tuple[str, str]]:
    given = arguments(folder, 1)
    for position, word in enumerate(given):
        if word == "--setting":
            yield given[position + 1], given[position + 2]


def get(site: Datasette, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        await site.invoke_startup()
        return await site.client.get(path, follow_redirects=True)

    return asyncio.run(ask())


def columns(archive: Made) -> dict[str, list[str]]:
    """Every table and view of an archive that is not part of a full-text index, with its columns."""
    names = archive.rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    return {
        name: [row[1] for row in archive.rows(f"PRAGMA table_info([{name}])")]
        for (name,) in names
        if not FULL_TEXT.search(name) and not name.startswith("sqlite_")
    }


def test_every_table_and_view_is_described_and_nothing_else(served: Made, site: Datasette) -> None:
    known = columns(served)
    assert set(TABLES) == set(known)
    for name in known:
        described = site.table_metadata("archive", name)
        assert len(described.get("description", "")) > 20, f"{name}: says nothing of itself"


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_described_in_its_order_and_nothing_else(name: str, served: Made) -> None:
    assert list(TABLES[name]["columns"]) == columns(served)[name]
    for column, sentence in TABLES[name]["columns"].items():
        assert isinstance(sentence, str), f"{name}.{column}"
        assert len(sentence) >= 6, f"{name}.{column}: {sentence}"


@pytest.mark.parametrize("name", TABLES)
def test_settings_of_a_table_name_columns_of_its_own(name: str, served: Made) -> None:
    described = TABLES[name]
    named = [*described.get("facets", []), *described.get("sortable_columns", [])]
    named += [described[key] for key in ("sort", "sort_desc", "label_column", "fts_pk") if key in described]
    assert set(named) <= set(columns(served)[name])
    assert set(described) <= {
        "description", "columns", "facets", "sortable_columns", "sort", "sort_desc", "label_column", "fts_table",
        "fts_pk", "hidden", "types", "public",
    }  # fmt: skip


@pytest.mark.parametrize("name", views())
def test_a_view_is_described_once_by_its_sql(name: str, site: Datasette) -> None:
    assert "description" not in TABLES[name]
    sentence = site.table_metadata("archive", name)["description"]
    assert views()[name].startswith(f"-- {sentence}\n")


@pytest.mark.parametrize("name", TABLES)
def test_its_page_answers(name: str, site: Datasette) -> None:
    page = get(site, f"/archive/{name}")
    assert page.status_code == 200
    assert "timed out" not in page.text
    assert "Suggested facets" not in page.text


@pytest.mark.parametrize("name", sampled(TABLES, 15))
def test_it_answers_as_json_and_csv(name: str, served: Made, site: Datasette) -> None:
    answer = get(site, f"/archive/{name}.json?_shape=array&_size=max")
    assert answer.status_code == 200
    (count,) = served.rows(f"SELECT count(*) FROM [{name}]")[0]
    assert len(answer.json()) == count
    csv = get(site, f"/archive/{name}.csv?_stream=on")
    assert csv.status_code == 200
    assert csv.text.splitlines()[0] == ",".join(columns(served)[name])


def test_the_list_of_tables_shows_hidden_ones_on_request(site: Datasette) -> None:
    assert "cache derived" in get(site, "/archive?_show_hidden=1").text
    assert "cache derived" not in get(site, "/archive").text


def test_home_database_row_and_style_answer(site: Datasette) -> None:
    assert METADATA["title"] in get(site, "/").text
    listing = get(site, "/archive").text
    assert all(f'href="/archive/{name}"' in listing for name in views())
    assert "Schlaf" in get(site, "/archive/revisions/1").text
    assert "grid" in get(site, "/site/archive.css").text
    assert 'href="/site/archive.css"' in listing


def test_keys_in_views_lead_to_their_rows(site: Datasette) -> None:
    for view in ("counts_over_time", "provenance", "edited_posts", "comment_threads"):
        targets = re.findall(r'<td[^>]*><a href="(/archive/[a-z]+/[^"]+)" title', get(site, f"/archive/{view}").text)
        assert targets, view
        assert {get(site, target).status_code for target in set(targets)} == {200}


@pytest.mark.parametrize(
    ("table", "words", "found"),
    [
        ("posts", "mostly", 1),
        ("posts", "schlaf", 0),
        ("posts_with_counts", "MOSTLY", 1),
        ("comments", "lavender", 1),
        ("comment_threads", "which one", 1),
        ("comment_threads", "o'nothing -x a:b \"", 0),
    ],
)
def test_search_finds_the_text_that_is_shown(table: str, words: str, found: int, site: Datasette) -> None:
    answer = get(site, str(httpx.URL(f"/archive/{table}.json", params={"_search": words, "_shape": "array"})))
    assert answer.status_code == 200
    assert len(answer.json()) == found


def test_rows_of_a_writer_show_as_soon_as_they_are_committed(served: Made, site: Datasette) -> None:
    assert served.one("PRAGMA journal_mode") == "wal"
    path = "/archive/problems.json?_shape=array&kind=live"
    row = [CLINIC, "live", "m", "2026-03-01T00:00:00Z"]
    served.db.execute("BEGIN")
    served.db.execute("INSERT INTO problems (clinic_id, kind, message, happened_at) VALUES (?,?,?,?)", row)
    assert get(site, path).json() == []
    served.db.execute("COMMIT")
    assert len(get(site, path).json()) == 1
    served.db.execute("DELETE FROM problems WHERE kind = 'live'")


def test_facets_are_never_guessed() -> None:
    assert ("suggest_facets", "off") in list(setting_pairs(Path()))


def serve(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, "serve", "--archive", str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_serve_starts_a_server_on_this_machine_alone_and_says_where(served: Made) -> None:
    process = serve(served.folder, "--port", "0")
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        page = wait_until(lambda: page_at(f"{address}archive/posts_with_counts"), process)
        assert "On sleep" in page
        assert "Every post with its last known views" in page
        assert "grid" in httpx.get(f"{address}site/archive.css", timeout=HANG).text
    finally:
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=HANG)
    assert process.returncode == 0, errors


def page_at(address: str) -> str | None:
    """The page; None while the server does not listen."""
    try:
        answer = httpx.get(address, timeout=HANG)
    except httpx.ConnectError:
        return None
    assert answer.status_code == 200
    return answer.text


def refused(folder: Path, *options: str) -> tuple[int, str]:
    """Exit code and the one line on stderr of a `serve` that does not start."""
    done = run("clinic-archive", "serve", "--archive", folder, *options, cwd=folder.parent)
    assert done.out == ""
    (line,) = done.lines
    return done.code, line


def test_serve_refuses_what_it_cannot_serve_in_one_line(served: Made, tmp_path: Path) -> None:
    code, line = refused(tmp_path / "none")
    assert (code, "clinic-archive crawl" in line) == (4, True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, line = refused(served.folder, "--port", str(taken.getsockname()[1]))
    assert (code, "--port" in line) == (1, True)
    (tmp_path / DATABASE).write_text("no database, but text that is long enough to be looked at" * 20)
    code, line = refused(tmp_path)
    assert (code, "not a SQLite database" in line) == (6, True)


def test_serve_refuses_another_schema_and_says_what_mends_it(tmp_path: Path) -> None:
    open_archive(tmp_path, "write").close()
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute("UPDATE _sqlite_migrations SET name = 'm999_tomorrow' WHERE name LIKE 'm001%'")
    connection.commit()
    connection.close()
    code, line = refused(tmp_path)
    assert (code, "update clinic-archive" in line) == (4, True)
