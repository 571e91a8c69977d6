"""A visit to a WordPress blog that is killed: the next one goes on; a rebuild and an import give the same rows."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.commands import main
from pipelines.rebuild import rebuild
from tests.e2e.product import rows, value_of
from tests.e2e.wordpress import WordPressSite, WrittenComment, WrittenPost
from tests.year.moved import warm

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
POSTS, COMMENTS, LAST = 5, 25, 7  # requests before the process is killed: the first page of two of the comments
COMPARED = (
    "SELECT url, title, body_text, published_at FROM posts ORDER BY url",
    "SELECT platform_comment_id, body_text, posted_at FROM comments ORDER BY platform_comment_id",
)


class KillingSite(WordPressSite):
    """Ends the process that visits it before it answers the request after so many."""

    process: int | None = None

    def answer(self, path: str) -> tuple[int, str, bytes, dict[str, str]]:
        if self.process is not None and len(self.requested) > LAST:
            os.kill(self.process, signal.SIGKILL)
            self.process = None
        return super().answer(path)


@pytest.fixture
def site() -> Iterator[KillingSite]:
    """Comments reply to each other by name, across the two pages of the API."""
    server = KillingSite()
    for number in range(1, POSTS + 1):
        server.posts[number] = WrittenPost(number, f"Text of post {number}.")
    for number in range(1, COMMENTS + 1):
        parent = max(number - POSTS, 0)
        server.comments[number] = WrittenComment(
            number, number % POSTS + 1, f"To Reader{parent}.", f"Reader{number}", parent
        )
    yield server
    server.stop()


def assert_sound(archive: Path) -> None:
    assert (
        value_of(archive, "SELECT count(*) FROM comments WHERE body_text LIKE '%Reader%' AND parent_id IS NOT NULL")
        == 0
    )
    verified = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
    assert (verified.exit_code, verified.output) == (0, "")
    built = rebuild(archive, cores=1)
    assert (built.problems, built.differs) == ([], [])


def test_killed_among_the_comments(site: KillingSite, tmp_path: Path) -> None:
    archive, other, clinics = tmp_path / "archive", tmp_path / "other", tmp_path / "clinics.toml"
    clinics.write_text(f'[clinics.wp]\nname = "W"\nurl = "{site.url}"\nallow_private = true\n')
    given = ["crawl", "--clinics-file", str(clinics), "--archive", str(archive)]
    begun = threading.Event()

    def begin(process: int) -> None:
        site.process = process
        begun.set()

    with warm(tmp_path / "runs") as launch:
        assert launch(given, BEGIN, begin).code == -signal.SIGKILL
        assert begun.is_set()
        launch(given, BEGIN + timedelta(hours=1), lambda _: None)
    assert value_of(archive, "SELECT count(*) FROM comments WHERE body_text IS NOT NULL") == COMMENTS
    assert value_of(archive, "SELECT count(*) FROM posts WHERE body_text IS NOT NULL") == POSTS
    assert_sound(archive)
    files = [str(file) for file in sorted((archive / "warc" / "wp").glob("*.warc.gz"))]
    done = CliRunner().invoke(main, ["import", "--clinics-file", str(clinics), "--archive", str(other), *files])
    assert done.exit_code == 0, done.output
    for sql in COMPARED:
        assert rows(other, sql) == rows(archive, sql)
    assert_sound(other)
