"""The pages that lead into the archive: clinics, about, and what is said where there is nothing yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from archive.site.front.about import CONTACT, PROJECT_URL
from tests.archive.site.test_site import get, site_of
from tests.making import CLINIC, Made, extraction, made, post


def page(archive: Made, path: str) -> BeautifulSoup:
    answer = get(site_of(archive.folder), path)
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def words(found: object) -> str:
    return " ".join(found.get_text(" ").split()) if found else ""  # type: ignore[attr-defined]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Made]:
    with made(tmp_path / "a") as archive:
        yield archive


def add(archive: Made, number: int, state: str = "NY") -> None:
    for serial in range(number):
        slug = f"c{serial:04}"
        archive.db.execute(
            "INSERT INTO clinics (clinic_id, name, url, blog_status) VALUES (?, ?, ?, 'unknown')",
            [slug, f"{'Oak' if serial % 2 else 'Elm'} {serial}", f"https://{slug}.example"],
        )
        archive.db.execute("INSERT INTO clinic_attributes VALUES (?, 'state', ?)", [slug, state])


def test_thousands_of_clinics_are_paged_and_filtered_and_home_shows_a_few(archive: Made) -> None:
    archive.fold(extraction(1, post(published_at="2026-01-02")))
    add(archive, 130)
    listed = page(archive, "/-/clinics?page=3")
    assert "131 clinics" in words(listed.select_one(".count"))
    assert len(listed.select("tbody tr")) == 31
    assert "Page 3 of 3" in words(listed.select_one(".pager"))
    assert "65 of 131" in words(page(archive, "/-/clinics?q=oak+ny").select_one(".count"))
    assert "No clinic is like that" in words(page(archive, "/-/clinics?q=nowhere"))
    assert len(page(archive, "/-/clinics?page=99999").select("tbody tr")) == 31
    home = page(archive, "/")
    assert len(home.select(".as-cards tbody tr")) == 12
    assert home.select_one(f'.as-cards a[href="/{CLINIC}"]') is not None  # the one that published
    assert "all 131 clinics" in words(home)


@pytest.mark.parametrize(
    ("status", "maker", "sentence"),
    [
        ("unsupported", "godaddy websites", "its site runs on godaddy websites, which this program does not read."),
        ("none_found", None, "its site has no blog that a visit could find."),
        ("unreachable", None, "its site did not answer."),
        ("unknown", None, "no visit has been made yet."),
        ("closed", None, "closed by the configuration"),
    ],
)
def test_a_clinic_without_posts_is_one_sentence(archive: Made, status: str, maker: str | None, sentence: str) -> None:
    archive.db.execute("UPDATE clinics SET blog_status = ?, maker = ?", [status, maker])
    found = page(archive, f"/{CLINIC}")
    assert sentence in words(found.select_one(".note"))
    assert not found.select("figure")
    assert not found.select(".tiles")


def test_a_platform_without_counters_is_said_and_has_no_empty_columns(archive: Made) -> None:
    archive.fold(extraction(1, post()))
    found = page(archive, f"/{CLINIC}")
    assert "Views gained per month: no page of this blog gave a number of views." in words(found)
    assert [words(head) for head in found.select("#posts ~ .scroll thead th")] == [
        "Published", "Post", "Comments", "Edits",
    ]  # fmt: skip


def test_an_empty_archive_says_so_once(archive: Made) -> None:
    archive.db.execute("DELETE FROM clinics")
    home = page(archive, "/")
    assert "The archive is empty: no clinic has been visited yet." in words(home.select_one(".note"))
    assert not home.select("figure")
    assert "No clinic yet" in words(page(archive, "/-/clinics"))
    assert "No row yet." in words(page(archive, "/archive/posts"))
    assert "No visit was made in this period." in words(page(archive, "/-/about"))


def test_about_names_what_whom_and_how_to_cite(archive: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.crawl("run")
    for table in ("crawls", "clinic_runs"):
        archive.db.execute(f"UPDATE {table} SET started_at = '2026-03-01T09:00:00.000000Z'")
    archive.fold(extraction(1, post(published_at="2026-01-02")), crawl_id="run")
    monkeypatch.delenv(CONTACT, raising=False)
    assert "has named no contact" in words(page(archive, "/-/about"))
    monkeypatch.setenv(CONTACT, "archive@university.example")
    monkeypatch.setenv(PROJECT_URL, "https://university.example/blogs")
    found = page(archive, "/-/about")
    assert "1 post of 1 clinic, published from 2026-01-02 to 2026-01-02, and 0 edits" in words(found)
    assert "Archive of the blogs of 1 clinic [Data set]. Retrieved 20" in words(found.select_one("pre"))
    assert found.select_one('a[href="mailto:archive@university.example"]') is not None
    # One judgement, whichever page gives it.
    judged = [words(page(archive, path).select_one(".good, strong.bad")) for path in ("/", "/-/status", "/-/clinics")]
    assert len(set(judged)) == 1
