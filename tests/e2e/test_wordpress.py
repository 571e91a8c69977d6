"""A WordPress blog over some weeks, by its REST API: what a visit requests, finds new, changed and removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.commands import main
from pipelines.rebuild import rebuild
from tests.e2e.product import column, rows, value_of
from tests.e2e.wordpress import WordPressSite, WrittenComment, WrittenPost
from tests.year.moved import Ended, Launch, warm

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
POSTS, COMMENTS = 25, 45  # the server gives 20 an answer


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    with warm(tmp_path_factory.mktemp("runs")) as launcher:
        yield launcher


@pytest.fixture
def site() -> Iterator[WordPressSite]:
    """25 posts; 45 comments on ten of them, replies to each other; a comment on a page."""
    server = WordPressSite()
    for number in range(1, POSTS + 1):
        server.posts[number] = WrittenPost(number, f"Text of post {number}.")
    for number in range(1, COMMENTS + 1):
        parent = number - 10 if number > 10 else 0
        text = f"Word {number} to Reader{parent}." if parent else f"Word {number}."
        server.comments[number] = WrittenComment(number, number % 10 + 1, text, f"Reader{number}", parent)
    server.comments[COMMENTS + 1] = WrittenComment(COMMENTS + 1, 0, "On a page.", "Someone")
    yield server
    server.stop()


class Visits:
    def __init__(self, site: WordPressSite, folder: Path, launch: Launch, stanza: str = "") -> None:
        self.archive, self._launch = folder / "archive", launch
        self._clinics = folder / "clinics.toml"
        self._clinics.write_text(f'[clinics.wp]\nname = "W"\nurl = "{site.url}"\nallow_private = true\n{stanza}\n')

    def visit(self, day: float, *more: str) -> Ended:
        given = ["crawl", "--clinics-file", str(self._clinics), "--archive", str(self.archive), *more]
        done = self._launch(given, BEGIN + timedelta(days=day), lambda _: None, ())
        assert (done.code, done.err) == (0, "")
        return done

    def revisions(self) -> dict[str, int]:
        found = rows(self.archive, "SELECT kind || ' ' || source AS kind, count(*) AS n FROM revisions GROUP BY 1")
        return {str(row["kind"]): int(str(row["n"])) for row in found}


def test_a_blog_by_its_api_over_two_weeks(site: WordPressSite, tmp_path: Path, launch: Launch) -> None:
    visits = Visits(site, tmp_path, launch)
    visits.visit(0)
    api = [path for path in site.requested if not path.startswith("/2025/")]
    assert len(api) <= 12
    assert site.requested[: len(api)] == api  # posts and comments come before the pages
    assert len(site.pages()) == POSTS
    assert value_of(visits.archive, "SELECT count(*) FROM comments") == COMMENTS
    assert (
        value_of(visits.archive, "SELECT count(*) FROM comments WHERE body_text LIKE '%Reader%'") == 0
    )  # names are masked
    assert value_of(visits.archive, "SELECT count(*) FROM comments WHERE body_text LIKE '%[name]%'") == COMMENTS - 10
    assert visits.revisions() == {"first api": POSTS, "source html": POSTS}
    counts = column(visits.archive, "SELECT comments_count FROM readings WHERE source = 'api' ORDER BY 1")
    assert (len(counts), counts[0], counts[-1]) == (POSTS, 0, 5)

    visits.visit(1)
    assert len(site.requested) <= 6
    assert site.pages() == []

    site.posts[7] = WrittenPost(7, "Another text.", "2026-03-04T01:00:00")
    site.comments[300] = WrittenComment(300, 3, "New, Reader22.", "Reader300", 22)
    visits.visit(2)
    assert site.pages() == ["/2025/01/post-7/"]
    assert visits.revisions() == {"first api": POSTS, "source html": POSTS, "content api": 1, "content html": 1}
    assert value_of(visits.archive, "SELECT count(*) FROM comments") == COMMENTS + 1
    assert (
        value_of(visits.archive, "SELECT body_text FROM comments WHERE platform_comment_id = '300'") == "New, [name]."
    )
    assert value_of(visits.archive, "SELECT count(*) FROM comment_revisions") == 0

    del site.posts[9], site.comments[42]
    visits.visit(3)
    assert site.pages() == ["/2025/01/post-9"]  # the total shows at once that a post is missing
    visits.visit(9)  # a week after all comments were read
    visits.visit(10)
    assert column(visits.archive, "SELECT slug FROM posts WHERE removed_at IS NOT NULL") == ["post-9"]
    gone = "SELECT DISTINCT platform_comment_id FROM absences JOIN comments USING (comment_id)"
    assert column(visits.archive, gone) == ["42"]
    assert value_of(visits.archive, "SELECT count(*) FROM problems") == 0

    done = rebuild(visits.archive, cores=1)
    verified = CliRunner().invoke(main, ["verify", "--archive", str(visits.archive)])
    assert (done.problems, done.differs) == ([], [])
    assert (verified.exit_code, verified.output) == (0, "")


def test_pages_never_and_an_api_that_closes(site: WordPressSite, tmp_path: Path, launch: Launch) -> None:
    visits = Visits(site, tmp_path, launch, 'pages = "never"')
    visits.visit(0)
    assert site.pages() == []
    assert visits.revisions() == {"first api": POSTS}
