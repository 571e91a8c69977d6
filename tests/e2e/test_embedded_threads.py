"""A comment server beside the blog: its thread is read when it has a new comment, though the page is not requested."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.commands import main
from pipelines.rebuild import rebuild
from tests.e2e.hostile import Reply, Server, serving
from tests.e2e.product import column, rows, value_of
from tests.year.moved import Ended, Launch, warm

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGE = """<!DOCTYPE html><html><head><meta name="generator" content="Ghost 5.1">
<meta property="article:published_time" content="2019-05-01T10:00:00.000Z"></head><body class="post-template">
<article class="post"><h1>Walks</h1><section class="gh-content"><p>Walk.</p></section></article>
<script data-isso="/isso/"></script><section id="isso-thread"></section></body></html>"""
JSON = "application/json"


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    with warm(tmp_path_factory.mktemp("runs")) as launcher:
        yield launcher


def thread(*names: str) -> Reply:
    rows = [
        {
            "id": at,
            "created": 1772000000.5 + at,
            "mode": 1,
            "author": name,
            "hash": f"0{at}",
            "text": f"<p>By {name}</p>",
        }
        for at, name in enumerate(names, 1)
    ]
    return Reply(json.dumps({"total_replies": len(rows), "hidden_replies": 0, "replies": rows}).encode(), kind=JSON)


def crawl(site: Server, archive: Path, launch: Launch, day: int) -> Ended:
    site.asked.clear()
    given = ["crawl", "--url", site.url, "--allow-private", "--archive", str(archive)]
    given += ["--clinics-file", str(archive.parent / "none.toml")]
    return launch(given, BEGIN + timedelta(days=day), lambda _: None, ())


def test_a_new_comment_is_found_without_the_page(tmp_path: Path, launch: Launch) -> None:
    archive = tmp_path / "archive"
    with serving(Server()) as site:
        site.answers["/"] = Reply(PAGE.replace("post-template", "home-template").encode())
        paths = [f"/walk-{number}/" for number in range(1, 7)]  # a visit requests a few that are not due, to see
        listed = "".join(f"<url><loc>{site.url}{path}</loc></url>" for path in paths)
        site.answers["/sitemap-posts.xml"] = Reply(f"<urlset>{listed}</urlset>".encode(), kind="text/xml")
        for path in paths:
            site.answers[path] = Reply(PAGE.replace("data-isso", "data-none").encode())
        site.answers["/walk-6/"] = Reply(PAGE.encode())
        for day, names in ((0, ("Ana P.",)), (1, ("Ana P.", "Tom F."))):
            site.answers["/isso/count"] = Reply(json.dumps([len(names)]).encode(), kind=JSON)
            site.answers["/isso/"] = thread(*names)
            done = crawl(site, archive, launch, day)
            assert (done.code, done.err) == (0, "")
            assert ("/walk-6/" in site.paths, "/isso/" in site.paths) == (day == 0, True)
    embedded = "SELECT comment_thread LIKE 'isso:%?uri=/walk-6/' FROM posts WHERE comment_service IS NOT NULL"
    assert column(archive, embedded) == [1]
    assert column(archive, "SELECT status FROM comments") == ["published", "published"]
    assert column(archive, "SELECT author LIKE 'reader-%' FROM comments") == [1, 1]
    assert "Tom F." not in "".join(column(archive, "SELECT body_text FROM comments"))
    assert value_of(archive, "SELECT count(*) FROM revisions") == 6
    before = rows(archive, "SELECT * FROM comments")
    assert rebuild(archive, cores=1).differs == []
    assert rows(archive, "SELECT * FROM comments") == before
    assert CliRunner().invoke(main, ["verify", "--archive", str(archive)]).exit_code == 0
