"""The product as a plain Scrapy project: `scrapy list`, `scrapy crawl blog -O posts.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clinic import Clinic, running
from tests.e2e.conftest import Crawled
from tests.e2e.fault_cases import keep_few
from tests.e2e.product import Done, Row, rows, run, value_of, words
from tests.e2e.test_sample_comments import private_among
from tests.leaks import occurring
from tests.soak import SOAK


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """The sample clinic with a few posts of each kind; all of them with SOAK."""
    with running(tmp_path_factory.mktemp("clinic")) as sample:
        if not SOAK:
            keep_few(sample)
        yield sample


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder from which Scrapy finds the house's settings, as it does in the checkout."""
    folder = tmp_path_factory.mktemp("scrapy")
    (folder / "scrapy.cfg").write_text("[settings]\ndefault = scraper.settings\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def export(clinic: Clinic, project: Path) -> Done:
    return run(
        "scrapy", "crawl", "blog", "-a", f"url={clinic.url}", "-O", "posts.jsonl",
        "-s", f"ARCHIVE={project / 'data'}", "-s", "ALLOW_PRIVATE=1", cwd=project,
    )  # fmt: skip


@pytest.fixture(scope="module")
def crawled(export: Done, clinic: Clinic, project: Path) -> Crawled:
    return Crawled(project / "data", export, clinic.truth(), clinic.url)


@pytest.fixture(scope="module")
def documents(export: Done, project: Path) -> dict[str, Row]:
    assert export.code == 0, export.err[-3000:]
    text = (project / "posts.jsonl").read_text("utf-8")
    return {each["url"].rpartition("/")[2]: each for each in map(json.loads, text.splitlines())}


def test_the_spider_is_listed(project: Path) -> None:
    done = run("scrapy", "list", cwd=project)
    assert (done.code, done.out.split()) == (0, ["blog", "check", "wayback"])


def test_private_addresses_are_refused_unless_allowed(clinic: Clinic, project: Path, tmp_path: Path) -> None:
    done = run(
        "scrapy", "crawl", "blog", "-a", f"url={clinic.url}", "-s", f"ARCHIVE={tmp_path / 'archive'}", cwd=project
    )  # fmt: skip
    assert "ALLOW_PRIVATE" in done.err or "allow_private" in done.err
    assert value_of(tmp_path / "archive", "SELECT count(*) FROM posts") == 0


def test_no_error_in_the_log(export: Done) -> None:
    """But for the report's own lines about pages that could not be read."""
    found = [line for line in export.lines if "[pipelines.run.report]" not in line]
    assert [line for line in found if " ERROR: " in line or "Traceback" in line] == []


def test_a_post_a_line(crawled: Crawled, documents: dict[str, Row], project: Path) -> None:
    assert len((project / "posts.jsonl").read_text("utf-8").splitlines()) == len(crawled.posts())
    assert len(documents) == len(crawled.posts())


def test_newest_first(documents: dict[str, Row]) -> None:
    dates = [each["published_at"] for each in documents.values() if each["published_at"]]
    assert dates == sorted(dates, reverse=True)


def test_documents_have_the_keys_that_parse_prints(documents: dict[str, Row]) -> None:
    keys = {
        "platform", "platform_post_id", "url", "slug", "title", "author", "published_at", "modified_at",
        "published_raw", "language", "excerpt", "minutes_to_read", "cover_image_url", "body_html", "body_text",
        "word_count", "categories", "tags", "links", "images", "views", "views_raw", "likes", "likes_raw",
        "comments_count", "comments_count_raw", "comments", "related_posts",
    }  # fmt: skip
    assert all(keys <= set(each) for each in documents.values())


def test_values_are_the_clinics(crawled: Crawled, documents: dict[str, Row]) -> None:
    for post in crawled.posts():
        if not post["slug"].isascii():
            continue
        each = documents[post["slug"].rpartition("/")[2]]
        assert each["title"] == post["title"]
        assert words(each["body_text"]) == words(post["body_text"])
        assert sorted(each["tags"]) == sorted(post["tags"])
        assert sorted(each["categories"]) == sorted(post["categories"])
        assert [link["url"] for link in each["links"]] == [link["url"] for link in post["links"]]


def test_comments_are_nested(crawled: Crawled, documents: dict[str, Row]) -> None:
    others = {comment["id"]: comment["parent_id"] for post in crawled.posts() for comment in post["comments"]}
    ours = {
        comment["platform_comment_id"]: comment["parent_id"]
        for each in documents.values()
        for comment in each["comments"]
    }
    assert ours == others


def test_no_commenter_is_named(
    crawled: Crawled, export: Done, documents: dict[str, Row], project: Path, commenters: list[str]
) -> None:
    assert documents
    found = (project / "posts.jsonl").read_bytes() + export.err.encode() + export.out.encode()
    assert occurring(private_among(commenters, crawled), found) == []


def test_the_archive_is_filled_as_well(crawled: Crawled, documents: dict[str, Row], project: Path) -> None:
    assert documents
    archive = project / "data"
    assert value_of(archive, "SELECT count(*) FROM posts") == len(crawled.posts())
    (crawl,) = rows(archive, "SELECT * FROM crawls")
    assert crawl["exit_code"] == 0
