"""A commenter and a post are purged from an archive of a real crawl: nothing brings them back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.product import Done, crawl, rows, run
from tests.e2e.wordpress import WordPressSite, WrittenComment, WrittenPost
from tests.pipelines.takedown.test_purge import holding

REASON = ("--reason", "Request 2026-14")


@pytest.fixture
def site() -> Iterator[WordPressSite]:
    """Three posts; on the first two Marisol Vega and others comment. The API and the pages give the comments."""
    server = WordPressSite()
    for number in (1, 2, 3):
        server.posts[number] = WrittenPost(number, f"Text of post {number}, Gladiolus{number}.")
    names = {1: "Marisol Vega", 2: "Ada Roe", 3: "Marisol Vega", 4: "Ben Oak"}
    for number, name in names.items():
        text = f"Quillwort {number}." if name == "Marisol Vega" else f"Dear Marisol, Thistledown {number}."
        server.comments[number] = WrittenComment(number, (number + 1) // 2, text, name)
    yield server
    server.stop()


def cli(archive: Path, *words: str) -> Done:
    return run("clinic-archive", *words, "--archive", str(archive), cwd=archive.parent)


def test_a_person_and_a_post(site: WordPressSite, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    assert crawl(archive, site.url).code == 0
    words = ("Quillwort", "Marisol", "Gladiolus3")
    assert {needle for _, needle in holding(archive, *words)} == set(words)  # the control
    comments = rows(archive, "SELECT * FROM comments WHERE body_text LIKE 'Quillwort%'")
    (post,) = rows(archive, "SELECT url FROM posts WHERE body_text LIKE '%Gladiolus3%'")
    before = rows(archive, "SELECT url, body_text FROM posts WHERE body_text NOT LIKE '%Gladiolus3%' ORDER BY url")
    subjects = [str(each["author"]) for each in comments]
    for subject in (*subjects, str(post["url"])):
        done = cli(archive, "takedown", "add", subject, "--grade", "purge", *REASON, "--yes")
        assert (done.code, done.err) == (0, "")
    done = cli(archive, "takedown", "purge", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["emptied"] == 3  # the pages of the posts
    assert holding(archive, *words) == set()
    for turn in range(2):
        for written in site.posts.values():
            written.modified = f"2025-02-0{turn + 1}T10:00:00"
        done = crawl(archive, site.url)
        assert (done.code, done.err) == (0, "")
        assert holding(archive, *words) == set()
    done = cli(archive, "verify")
    assert (done.code, done.err) == (0, "")
    assert cli(archive, "rebuild").code == 0
    assert holding(archive, *words) == set()
    assert rows(archive, "SELECT url, body_text FROM posts ORDER BY url") == before
