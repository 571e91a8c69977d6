"""Files of the served site that are larger than a page may be, and archives with very long texts."""

from __future__ import annotations

import csv
import io
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile

import openpyxl
import pytest
from datasette.app import Datasette

from archive.site.visitors import worker
from archive.site.visitors.limits import LONGEST_TYPED
from archive.site.visitors.worker import MAX_BYTES, temporary_bytes
from tests.archive.site.test_site import get, site_of
from tests.making import Made, extraction, made, post, url
from tests.soak import SOAK
from tests.waiting import HANG

LENGTH = 30_000  # below the 32,767 characters of a cell of a spreadsheet
POSTS = MAX_BYTES // LENGTH + 10


@pytest.fixture(autouse=True)
def long_fields() -> Iterator[None]:
    """The reader of CSV in this process takes fields of any length while a test runs."""
    before = csv.field_size_limit(sys.maxsize)
    yield
    csv.field_size_limit(before)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Datasette]:
    with made(tmp_path_factory.mktemp("large")) as archive:
        archive.crawl("run")
        fold_posts(archive, "w" * LENGTH, POSTS)
        yield site_of(archive.folder)


def fold_posts(archive: Made, text: str, posts: int) -> None:
    archive.fold(
        *(
            extraction(number, post(f"p{number}", text=text, addresses=(url(f"p{number}"),)))
            for number in range(1, posts + 1)
        ),
        crawl_id="run",
    )


WAYS = ["", "?_where=post_id+%3E+0", "?_excel=on", "?_sort=title"]  # the first two differ in the query alone


@pytest.mark.parametrize("query", WAYS if SOAK else WAYS[1:])
def test_the_csv_file_of_a_table_has_all_its_rows(query: str, site: Datasette) -> None:
    answer = get(site, f"/archive/posts.csv{query}")
    assert len(answer.content) > MAX_BYTES
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [len(row["body_text"]) for row in rows] == [LENGTH] * POSTS


def test_the_sheet_of_a_table_has_all_its_rows(site: Datasette) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(get(site, "/archive/posts.xlsx").content), read_only=True)["rows"]
    assert len(list(sheet.iter_rows())) == POSTS + 1


def test_one_very_long_text_breaks_no_page_or_file(tmp_path: Path) -> None:
    text = "Sleep. " + "Rest, or not. " * (LONGEST_TYPED // 14 + 1000)
    with made(tmp_path) as archive:
        archive.crawl("run")
        fold_posts(archive, text, 1)
        site = site_of(archive.folder)
        site.sql_time_limit_ms = 300_000  # which is not what this is about
        for path in ("/archive/posts.csv", "/archive/posts.csv?_excel=on", "/archive/posts.csv?_sort=title"):
            (row,) = list(csv.DictReader(io.StringIO(get(site, path).text, newline="")))
            assert row["body_text"] == text, path
        for path in ("/riverside/p1", "/-/search?q=sleep", "/archive/posts.json?post_id=1", "/archive/posts?_size=1"):
            answer = get(site, path)
            assert answer.status_code == (400 if "_size" in path else 200), path
        for form in (".csv", ".json"):
            typed = get(site, f"/archive{form}?sql=select+body_text+from+posts")
            assert typed.status_code == 400
            assert "substr(column, 1, 1000)" in typed.text
        assert len(get(site, "/archive.csv?sql=select+substr(title,1,10)+from+posts").text.split()) > 1


@pytest.mark.skipif(sys.platform == "win32", reason="an open file keeps its name there")
def test_all_temporary_files_of_a_process_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MAX_FILES", 10_000)  # this process has more files open than a worker may have
    before = temporary_bytes()
    with TemporaryFile() as first, TemporaryFile() as second:
        for file in (first, second):
            file.truncate(5_000)
        assert temporary_bytes() == before + 10_000


@pytest.mark.skipif(sys.platform == "win32", reason="an open file keeps its name there")
def test_a_query_with_large_temporary_files_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "TEMPORARY_FILES", 1_000_000)
    monkeypatch.setattr(worker, "MAX_FILES", 10_000)
    with closing(sqlite3.connect("")) as connection:
        limit = worker._Limit(connection, HANG)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            connection.execute(
                "with recursive n(i) as (select 1 union all select i + 1 from n) select hex(randomblob(500)) from n"
                " order by 1"
            )
        assert limit.is_full
