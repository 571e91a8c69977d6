"""Two real blogs, captured years ago, served on loopback under their real paths, crawled and compared with what an
independent reading of their pages found. What was not captured answers 404."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hostile import WIX, Reply, Server, serving
from tests.e2e.product import ROOT, Done, Row, column, crawl, faults, rows, value_of, words

SHARED = ROOT.parent / "shared" / "real-pages"
FACTS = ROOT / "tests" / "scraper" / "platforms" / "wix" / "real_facts.json"
KINDS = {".html": "text/html; charset=utf-8", ".xml": "application/xml", ".txt": "text/plain"}
BLOGS = {
    "being-nitin/izenimplantindia": r"https://www\.izenimplantindia\.com",
    "10xers-labs/theglowbarldn": r"https://www\.theglowbarldn\.com",
}

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is not here")


@dataclass(frozen=True)
class Visited:
    """A blog that was crawled: its address here, the archive, and the facts of its captured posts by slug."""

    url: str
    archive: Path
    done: Done
    facts: dict[str, Row]
    asked: list[str]


def captured(repository: str) -> dict[str, Path]:
    """The files of a blog by the path that they were served under."""
    with (SHARED / "INDEX.tsv").open(encoding="utf-8", newline="") as file:
        listed = [row for row in csv.DictReader(file, delimiter="\t") if row["repository"] == repository]
    return {
        "/" + row["path"].removesuffix(".html"): SHARED / row["file"] for row in listed if "api" not in row["kind"]
    }  # fmt: skip


def serve(server: Server, repository: str, host: str) -> None:
    """Pages as they were captured, byte for byte; sitemap and feed lead to where the blog stands now."""
    server.answers["/"] = Reply(f'<html><head>{WIX}</head><body><a href="/blog">Blog</a></body></html>'.encode())
    for path, file in captured(repository).items():
        body = file.read_bytes()
        if file.suffix != ".html":
            body = re.sub(host.encode(), server.url.encode(), body, flags=re.IGNORECASE)
        server.answers[path] = Reply(body, kind=KINDS[file.suffix])


def facts_of(repository: str) -> dict[str, Row]:
    """What is known of the captured posts, by slug."""
    found: dict[str, Any] = json.loads(FACTS.read_text("utf-8"))
    files = {file.name for file in captured(repository).values()}
    return {
        fact["slug"]: fact
        for name, fact in found.items()
        if Path(name).name in files and isinstance(fact, dict) and fact.get("kind") == "post"
    }


@pytest.fixture(scope="module", params=BLOGS, ids=lambda name: name.split("/")[1])
def visited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    archive = tmp_path_factory.mktemp("real") / "archive"
    with serving(Server()) as server:
        serve(server, request.param, BLOGS[request.param])
        # Its scripts were not captured: a browser would wait for them in vain.
        stanza = f'[clinics.captured]\nname = "C"\nurl = "{server.url}"\nallow_private = true\nrender = "never"\n'
        (archive.parent / "clinics.toml").write_text(stanza)
        done = crawl(archive, server.url, "--json")
        first = list(server.paths)
        again = crawl(archive, server.url, "--json")
        assert again.code == 0
        assert again.clinic["new_posts"] == again.clinic["new_revisions"] == 0
        yield Visited(server.url, archive, done, facts_of(request.param), first)


@pytest.fixture(scope="module")
def stored(visited: Visited) -> dict[str, Row]:
    return {row["slug"]: row for row in rows(visited.archive, "SELECT * FROM posts")}


def bare(text: str) -> str:
    """The text without white space and invisible marks, composed: what two readers of a page agree on."""
    return re.sub(r"[\s\u200b-\u200d\ufeff]+", "", unicodedata.normalize("NFC", text))


def test_the_crawl_is_a_success(visited: Visited) -> None:
    assert visited.done.code == 0
    assert visited.done.clinic["status"] == "done"
    assert "Traceback" not in visited.done.err


def test_every_captured_post_is_stored_and_nothing_else(visited: Visited, stored: dict[str, Row]) -> None:
    assert len(visited.facts) >= 5
    assert set(stored) == set(visited.facts)
    assert value_of(visited.archive, "SELECT count(*) FROM posts") == len(visited.facts)


@pytest.mark.parametrize("name", ["title", "author", "minutes_to_read", "language"])
def test_field(visited: Visited, stored: dict[str, Row], name: str) -> None:
    wrong = {slug: (fact[name], stored[slug][name]) for slug, fact in visited.facts.items()}
    assert {slug: both for slug, both in wrong.items() if words(str(both[0])) != words(str(both[1]))} == {}


@pytest.mark.parametrize("name", ["published_at", "modified_at"])
def test_dates(visited: Visited, stored: dict[str, Row], name: str) -> None:
    both = {slug: (fact[name], stored[slug][name]) for slug, fact in visited.facts.items()}
    assert {slug: pair for slug, pair in both.items() if (pair[0] or "")[:19] != (pair[1] or "")[:19]} == {}


def test_texts(visited: Visited, stored: dict[str, Row]) -> None:
    for slug, fact in visited.facts.items():
        digest = hashlib.sha256(bare(stored[slug]["body_text"] or "").encode()).hexdigest()
        assert digest == fact["body_sha256_nows"], slug


def test_counters_are_those_the_page_prints_or_unknown(visited: Visited, stored: dict[str, Row]) -> None:
    for slug, fact in visited.facts.items():
        sql = "SELECT views, comments_count FROM readings WHERE post_id = ? AND source IN ('html', 'warmup')"
        read = rows(visited.archive, sql, stored[slug]["post_id"])
        for name in ("views", "comments_count"):
            assert {each[name] for each in read if each[name] is not None} == {fact[name]} - {None}, (slug, name)


def test_each_post_answers_to_all_its_addresses(visited: Visited, stored: dict[str, Row]) -> None:
    """The address it was fetched at, the one that its page calls its own, and its id at the platform."""
    for slug, fact in visited.facts.items():
        sql = "SELECT address FROM post_addresses WHERE post_id = ?"
        known = set(column(visited.archive, sql, stored[slug]["post_id"]))
        assert f"{visited.url}/post/{slug}" in known, slug
        if fact.get("post_uuid"):
            assert f"wix:{fact['post_uuid']}" in known, slug


def test_no_address_is_asked_for_twice(visited: Visited) -> None:
    """Though a page calls itself by another host, and lists link to it in other spellings."""
    posts = [path for path in visited.asked if path.startswith("/post/")]
    assert sorted(posts) == sorted(set(posts))


def test_nobody_but_this_machine_was_asked(visited: Visited) -> None:
    asked = column(visited.archive, "SELECT DISTINCT url FROM captures")
    assert [url for url in asked if not url.startswith(visited.url)] == []


def test_what_is_listed_but_was_not_captured_is_told(visited: Visited) -> None:
    """The feed names posts that answer 404: a problem each, and no post."""
    feed = visited.done.clinic["found_in"]["feed"]
    gone = column(visited.archive, "SELECT DISTINCT url FROM problems WHERE kind = 'gone'")
    assert feed - len(visited.facts) <= len(gone)


def test_the_archive_is_whole(visited: Visited) -> None:
    assert faults(visited.archive) == []
