"""What a visitor sees: the sample clinic with its known services switched off, so that only its own script tells.

The script asks addresses that no document names. Real Chromium, the real command line, the clinic's own truth.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from tests.clinic import Clinic, running
from tests.e2e.conftest import Crawled
from tests.e2e.fault_cases import keep_few
from tests.e2e.killing import cli
from tests.e2e.product import Done, Row, column, crawl, faults, rows, start_crawl, value_of, warcs, words
from tests.e2e.test_sample_comments import MASKED
from tests.soak import SOAK

pytestmark = pytest.mark.usefixtures("chromium")

# Placeholders, a thread in several parts, comments withheld, answers that come late or never, other alphabets, numbers
# and comments that the page itself has, numbers that it hides.
KEPT = {
    "ketamine-and-sleep-what-we-ask-every-week", "ask-us-anything-november", "your-first-infusion-hour-by-hour",
    "meet-the-therapy-dogs", "a-year-with-the-nurse-line", "was-kostet-eine-infusion", "ماذا-تتوقع-في-الجلسة-الأولى",
    "three-myths-three-maybes", "snow-day-policy", "why-socks", "comments-are-closed-here-on-purpose", "quiet-numbers",
    "integration-without-incense", "how-we-keep-notes-private", "members-archive-breathing-scripts",
}  # fmt: skip
FEW = 10 if SOAK else 6  # of the newest posts so many
RENDERED_AT_LEAST = 20 if SOAK else 7  # more of its posts than that are rendered


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with running(tmp_path_factory.mktemp("closed") / "clinic", api=False) as sample:
        if not SOAK:
            keep_few(sample, KEPT)
        yield sample


@pytest.fixture(scope="module")
def seen(closed: Clinic, tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """All that there is of the blog, once."""
    archive = tmp_path_factory.mktemp("seen") / "archive"
    done = crawl(archive, closed.url, "--json", timeout=400)
    return Crawled(archive, done, closed.truth(), closed.url)


@pytest.fixture(scope="module")
def stored(seen: Crawled) -> dict[str, Row]:
    sql = "SELECT address, posts.* FROM posts JOIN post_addresses USING (post_id) WHERE kind = 'wix uuid'"
    return {row["address"].removeprefix("wix:"): row for row in rows(seen.archive, sql)}


def counted(seen: Crawled, row: Row) -> list[tuple[int | None, int | None, int | None]]:
    sql = "SELECT views, likes, comments_count FROM readings WHERE post_id = ? AND source = 'rendered'"
    return [(each["views"], each["likes"], each["comments_count"]) for each in rows(seen.archive, sql, row["post_id"])]


def test_the_crawl_is_a_success(seen: Crawled) -> None:
    assert seen.done.code == 0, seen.done.err
    assert seen.done.clinic["rendered"] > RENDERED_AT_LEAST
    assert faults(seen.archive) == []


@pytest.mark.usefixtures("one_process")
def test_a_rebuild_says_the_same(seen: Crawled, tmp_path: Path) -> None:
    """A page that was rendered is one visit again: its answers, its DOM, and who was named where."""
    archive = shutil.copytree(seen.archive, tmp_path / "archive")
    done = cli("rebuild", "--archive", archive, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["differs"] == []
    assert cli("verify", "--archive", archive) == Done(0, "", "")


def test_counters_equal_what_the_clinic_served(seen: Crawled, stored: dict[str, Row]) -> None:
    """Every post whose numbers the script fills has those that the clinic gave out at that visit.

    Rendered for their comments alone, older pages print the numbers that came with them.
    """
    wrong, compared = [], 0
    for post in seen.posts(counters="shown", never_ready=False):
        served = [each for each in post["served"] if each["route"] in ("script", "html")]
        scripted = any(each["route"] == "script" for each in served)
        found = counted(seen, stored[post["post_id"]])
        compared += scripted
        expected = {(each["views"], each["likes"], each["comments_count"]) for each in served}
        if not set(found) <= expected or (scripted and not found):
            wrong.append((post["slug"], found, served))
    assert wrong == []
    assert compared > RENDERED_AT_LEAST


def test_every_shown_counter_is_known(seen: Crawled, stored: dict[str, Row]) -> None:
    sql = "SELECT count(*) FROM readings WHERE post_id = ? AND views IS NOT NULL"
    visible = seen.posts(counters="shown", never_ready=False)
    assert [p["slug"] for p in visible if not value_of(seen.archive, sql, stored[p["post_id"]]["post_id"])] == []


def test_whole_threads_equal_the_truth(seen: Crawled) -> None:
    found = {
        comment["id"]: {**comment, "post": post["post_id"]}
        for post in seen.posts(never_ready=False)
        for comment in post["comments"]
    }
    ours = {
        row["platform_comment_id"]: row
        for row in rows(
            seen.archive,
            "SELECT comments.*, parents.platform_comment_id AS parent, address FROM comments LEFT JOIN comments AS"
            " parents ON parents.comment_id = comments.parent_id JOIN post_addresses ON post_addresses.post_id ="
            " comments.post_id AND kind = 'wix uuid'",
        )
    }
    assert set(ours) == set(found)
    for key, comment in found.items():
        row = ours[key]
        assert row["address"].removeprefix("wix:") == comment["post"]
        assert row["parent"] == comment["parent_id"]
        assert row["status"] == comment["status"].lower()
        assert row["likes"] == comment["likes"]
        assert row["posted_at"][:19] == comment["posted_at"][:19]
        if row["body_text"] and not MASKED.search(row["body_text"]):
            assert words(row["body_text"]) == words(comment["body_text"])
    withheld = {comment["id"] for post in seen.truth["posts"] for comment in post["withheld"]}
    assert withheld
    assert not withheld & set(ours)


def test_no_commenter_is_named(seen: Crawled, commenters: list[str]) -> None:
    texts = column(seen.archive, "SELECT coalesce(body_text, '') || coalesce(body_html, '') || coalesce(author, '')"
                   " FROM comments WHERE author_kind != 'staff'")  # fmt: skip
    assert [name for name in commenters if any(name in text for text in texts)] == []


def test_each_value_says_how_it_came(seen: Crawled) -> None:
    sql = "SELECT DISTINCT via FROM readings JOIN captures USING (capture_id) WHERE source = 'rendered'"
    assert set(column(seen.archive, sql)) <= {"fetch", "xhr", "dom"}
    assert set(column(seen.archive, "SELECT DISTINCT source FROM comments")) == {"rendered"}
    pages = value_of(seen.archive, "SELECT count(*) FROM captures WHERE via = 'dom' AND record_type = 'resource'")
    assert pages == seen.done.clinic["rendered"]


def test_the_page_that_never_becomes_ready_is_told_with_its_reason(seen: Crawled, stored: dict[str, Row]) -> None:
    (never,) = seen.posts(never_ready=True)
    assert counted(seen, stored[never["post_id"]]) == []
    sql = "SELECT message FROM problems WHERE kind = 'not-rendered'"
    (message,) = column(seen.archive, sql)
    assert never["slug"] in message
    assert "never came" in message
    assert any("1 post with unknown counters or comments" in line for line in seen.done.lines)


def test_a_new_address_of_comments_is_told_once(seen: Crawled) -> None:
    (message,) = column(seen.archive, "SELECT message FROM problems WHERE kind = 'learned-address'")
    assert "/_srv/reader-pulse/voices" in message
    assert "@" not in message


def test_the_browser_says_who_asks(seen: Crawled) -> None:
    """Every request of the browser carried the crawler's own User-Agent, and no browser's."""
    rendered = set(column(seen.archive, "SELECT capture_id FROM captures WHERE via = 'document'"))
    found = set()
    for path in warcs(seen.archive):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, parse_http=True, record_types=WarcRecordType.request):
                if record.headers["WARC-Concurrent-To"].removeprefix("<urn:uuid:").rstrip(">") in rendered:
                    found.add(record.http_headers.get("User-Agent"))
    (agent,) = found
    assert agent.startswith("clinic-blog-archive")


def test_the_next_run_starts_with_what_worked(closed: Clinic, seen: Crawled, tmp_path: Path) -> None:
    shutil.copytree(seen.archive, tmp_path / "archive")
    before = value_of(tmp_path / "archive", "SELECT count(*) FROM captures WHERE url LIKE '%/_api/%'")
    assert before > 0
    done = crawl(tmp_path / "archive", closed.url, "--json", "--limit", str(FEW), timeout=200)
    assert (done.code, done.err) == (0, "")
    assert value_of(tmp_path / "archive", "SELECT count(*) FROM captures WHERE url LIKE '%/_api/%'") == before
    assert done.clinic["rendered"] >= 5
    assert done.clinic["new_revisions"] == 0
    assert value_of(tmp_path / "archive", "SELECT count(*) FROM comment_revisions") == 0


def test_with_the_services_on_no_browser_is_started(first: Crawled, second: Crawled) -> None:
    """Neither for a new blog nor for one that has not changed, whose pages are not sent again."""
    assert value_of(second.archive, "SELECT count(*) FROM captures WHERE via IS NOT NULL") == 0
    assert (first.done.clinic["rendered"], second.done.clinic["rendered"]) == (0, 0)
    log = (second.archive / "log" / "crawl.log").read_text("utf-8")
    assert "browser" not in log.lower()
    assert "playwright" not in log.lower()


def browsers_of(pid: int) -> list[psutil.Process]:
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if "chrom" in _name(child)]


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def test_a_killed_browser_costs_its_page_and_the_next_run_fills_the_gap(closed: Clinic, tmp_path: Path) -> None:
    """Killed again and again until the crawl gives up on browsers: the rest is stored, and told."""
    archive = tmp_path / "archive"
    process = start_crawl(archive, closed.url, "--json", "--limit", str(FEW))
    killed = 0
    while process.poll() is None:
        for browser in browsers_of(process.pid):
            # Debian's is a shell script that starts the browser: alone, the script would leave it running.
            with suppress(ProcessLookupError):
                os.killpg(os.getpgid(browser.pid), signal.SIGKILL)
                killed += 1
        time.sleep(0.05)
    _, err = process.communicate()
    assert killed
    assert process.returncode == 0, err
    assert "unknown counters or comments" in err
    assert faults(archive) == []
    assert value_of(archive, "SELECT count(*) FROM posts") == FEW
    unknown = value_of(archive, "SELECT count(*) FROM problems WHERE kind = 'not-rendered'")
    assert unknown > 0
    done = crawl(archive, closed.url, "--json", "--limit", str(FEW), timeout=200)
    assert (done.code, done.clinic["rendered"] > 4) == (0, True), done.err
    lacking = "SELECT count(*) FROM posts_with_counts WHERE views IS NULL"
    assert value_of(archive, lacking) <= 1  # an owner may hide them
    assert faults(archive) == []


def test_without_a_browser_the_crawl_goes_on_and_says_how_to_get_one(closed: Clinic, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    (tmp_path / "clinics.toml").write_text('[crawler]\nbrowser = "/nowhere/chromium"\n')
    done = crawl(archive, closed.url, "--json", "--limit", "3")
    assert done.code == 0
    (line,) = [each for each in done.lines if "unknown counters" in each]
    assert "install" in line
    assert value_of(archive, "SELECT count(*) FROM posts") == 3
    found = column(archive, "SELECT message FROM problems WHERE kind = 'not-rendered'")
    assert found
    assert all("unknown" in message for message in found)
