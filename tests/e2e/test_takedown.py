"""A withdrawn post: later crawls and a rebuild do not bring it back; what is blocked is not requested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.hostile import Blog
from tests.e2e.product import Done, crawl, rows, run

REASON = ("--reason", "Told a patient's story")


def takedown(archive: Path, *given: str) -> Done:
    return run("clinic-archive", "takedown", *given, "--archive", str(archive), cwd=archive.parent)


def slugs(archive: Path) -> set[str]:
    """Of all posts, sightings and captures."""
    texts = [
        *rows(archive, "SELECT url FROM posts"), *rows(archive, "SELECT url FROM sightings"),
        *rows(archive, "SELECT url FROM captures"), *rows(archive, "SELECT coalesce(summary, '') AS url FROM crawls"),
        *rows(archive, "SELECT address AS url FROM post_addresses"),
        *rows(archive, "SELECT message AS url FROM problems"),
    ]  # fmt: skip
    return {name for name in ("note-1", "note-2", "note-3") for row in texts if name in row["url"]}


@pytest.mark.parametrize("grade", ["hide", "block"])
def test_a_withdrawn_post_stays_away(blog: Blog, archive: Path, grade: str) -> None:
    before = rows(archive, "SELECT url, title, body_text FROM posts ORDER BY url")
    done = takedown(archive, "add", f"{blog.url}/post/note-2", "--grade", grade, *REASON, "--yes", "--json")
    takedown_id = json.loads(done.out)["takedown_id"]
    assert slugs(archive) == {"note-1", "note-3"}
    blog.asked.clear()
    done = crawl(archive, blog.url)
    assert (done.code, done.err) == (0, "")
    assert ("/post/note-2" in blog.paths) == (grade == "hide")
    assert slugs(archive) == {"note-1", "note-3"}
    for verb in ("verify", "rebuild"):
        done = run("clinic-archive", verb, "--archive", str(archive), cwd=archive.parent)
        assert (done.code, done.err) == (0, ""), verb
        assert slugs(archive) == {"note-1", "note-3"}
    done = takedown(archive, "lift", takedown_id, *REASON)
    assert (done.code, done.err) == (0, "")
    assert rows(archive, "SELECT url, title, body_text FROM posts ORDER BY url") == before
