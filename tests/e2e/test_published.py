"""The published copy of the sample clinic names nobody who comments, in no byte; the site says what it lacks."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from archive.backup.published import FOLDER
from archive.db import DATABASE
from tests.e2e.browsing import served
from tests.e2e.conftest import Crawled
from tests.e2e.product import Done, column, rows, run
from tests.e2e.test_omitted import UNSIGNED
from tests.e2e.test_sample_comments import private_among
from tests.leaks import not_in, occurring, pages, recorded
from tests.soak import SOAK
from tests.waiting import HANG


@pytest.fixture(scope="module")
def archive(third: Crawled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "archive"
    shutil.copytree(third.archive, folder)
    return folder


@pytest.fixture(scope="module")
def people(archive: Path, third: Crawled, commenters: list[str]) -> list[str]:
    """Whoever comments and is named in no post. The recorded answers name them, all but a guest who never signs."""
    private = private_among(commenters, third)
    assert len(private) > 21
    assert not_in([each for each in private if each not in UNSIGNED], recorded(archive)) == []
    return private


@pytest.mark.parametrize("comments", ["counts", "text"])
def test_nobody_who_comments_is_named_in_it(archive: Path, people: list[str], comments: str) -> None:
    done = run("clinic-archive", "publish", "--comments", comments, "--archive", archive, cwd=archive)
    assert done == Done(0, "", "")
    data = (archive / FOLDER / DATABASE).read_bytes()
    assert occurring(people, data) == []
    assert [person for person in people if person.encode() in data or person.lower().encode() in data] == []
    threads = "SELECT body_text, depth, replies FROM comment_threads ORDER BY post_id, path"
    if comments == "text":
        assert rows(archive / FOLDER, threads) == rows(archive, threads)


def test_nobody_who_comments_is_named_in_a_release(archive: Path, people: list[str], tmp_path: Path) -> None:
    (tmp_path / "clinics.toml").write_text('[release]\napproval = "board"\n')
    make = ("clinic-archive", "release", "r1", "--comments", "text", "-o", tmp_path / "r1", "--archive", archive)
    done = run(*make, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    texts = [path.read_bytes() for path in (tmp_path / "r1").rglob("*") if path.is_file()]
    for path in (tmp_path / "r1" / "data" / "parquet").iterdir():
        texts.append(repr(pq.read_table(path).to_pydict()).encode())
    assert occurring(people, b"\n".join(texts)) == []


def test_nobody_who_comments_is_named_on_a_page_or_in_an_export(
    third: Crawled, small: Crawled, people: list[str], tmp_path: Path
) -> None:
    """A page of each kind that the first page leads to, of the archive itself; all tables and views as files."""
    archive = shutil.copytree((third if SOAK else small).archive, tmp_path / "archive")
    assert len(people) - len(not_in(people, recorded(archive))) > 10  # the control
    assert run("clinic-archive", "derive", "--archive", archive, cwd=archive).code == 0
    found = dict(pages(archive, most=4 if SOAK else 1))
    assert len(found) > (200 if SOAK else 100)
    done = run("clinic-archive", "export", "--all", tmp_path / "csv", "--derived", "--archive", archive, cwd=archive)
    assert (done.code, done.err) == (0, "")
    found |= {path.name: path.read_bytes() for path in (tmp_path / "csv").iterdir()}
    assert {name: named for name, data in found.items() if (named := occurring(people, data))} == {}


def test_the_site_says_what_is_missing(archive: Path) -> None:
    assert run("clinic-archive", "publish", "--archive", archive, cwd=archive).code == 0
    sql = "SELECT capture_id FROM captures WHERE coalesce(holds_comments, 1) = {} ORDER BY fetched_at LIMIT 1"
    closed, open_ = column(archive, sql.format(1)) + column(archive, sql.format(0))
    (post,) = column(archive, "SELECT post_id FROM comments LIMIT 1")
    with (
        served(archive, "--published", "--with-comment-captures") as site,
        httpx.Client(base_url=site, timeout=HANG, follow_redirects=True) as visitor,
    ):
        assert "Comments are counted here" in visitor.get("/").text
        assert "This public copy counts comments" in visitor.get(f"/-/post/{post}").text
        page = visitor.get(f"/-/capture/{closed}")
        assert (page.status_code, "not part of this public copy" in page.text) == (200, True)
        assert "<h2>Request</h2>" not in page.text
        answer = visitor.get(f"/-/capture/{closed}/record.warc.gz")
        assert (answer.status_code, "not part of this public copy" in answer.text) == (403, True)
        assert visitor.get(f"/-/capture/{open_}/record.warc.gz").status_code == 200
        for path in ("/archive/comments", "/archive/comment_threads", "/archive/edited_comments", "/-/explore"):
            assert visitor.get(path).status_code == 200, path
        assert visitor.get("/-/search?q=the&kind=comments").status_code == 200
