"""Files of the served site that are larger than a page may be, and archives with very long texts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import openpyxl
import pytest
from datasette.app import Datasette

from archive.site.visitors.worker import MOST_BYTES
from tests.archive.site.test_site import get, site_of
from tests.making import Made, extraction, made, post, url

LENGTH = 30_000  # below the 32,767 characters of a cell of a spreadsheet
POSTS = MOST_BYTES // LENGTH + 10


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


@pytest.mark.parametrize("query", ["", "?_excel=on", "?_where=post_id+%3E+0", "?_sort=title"])
def test_the_csv_file_of_a_table_has_all_its_rows(query: str, site: Datasette) -> None:
    answer = get(site, f"/archive/posts.csv{query}")
    assert len(answer.content) > MOST_BYTES
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [len(row["body_text"]) for row in rows] == [LENGTH] * POSTS


def test_the_sheet_of_a_table_has_all_its_rows(site: Datasette) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(get(site, "/archive/posts.xlsx").content), read_only=True)["rows"]
    assert len(list(sheet.iter_rows())) == POSTS + 1
