"""Every reader gives the items beside its pages; and `make page` adds a page, or says why it is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scraper.platforms import recognise
from scraper.platforms._platform import Platform
from tests import golden, page
from tests.golden import exchange_of, expected_of, pages, reader_of, write_expected

URL = "https://www.fernside-clinic.example/post/sleep-and-light"


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", pages(), ids=name)
def test_a_page_gives_the_items_beside_it(path: Path) -> None:
    expected = path.with_suffix(".json")
    if not expected.exists():
        write_expected(path)
        pytest.fail(f"{expected.name} written: review it, then run again")
    assert expected_of(exchange_of(path), reader_of(path)) == json.loads(expected.read_text("utf-8"))


@pytest.mark.parametrize("path", pages(), ids=name)
def test_a_page_is_recognised_as_its_platforms(path: Path) -> None:
    reader = reader_of(path)
    assert reader.claims(exchange_of(path))
    assert not isinstance(reader, Platform) or recognise(exchange_of(path)) is reader


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A post page as a browser saves it."""
    file = tmp_path / "saved.html"
    file.write_bytes((golden.PAGES / "wix" / "g1_text_counters.html").read_bytes().partition(b"\n")[2])
    return file


def test_a_saved_post_becomes_a_page_with_its_json(saved: Path, tmp_path: Path) -> None:
    made = page.add(saved, URL, "2024-05-02T11:30:00+02:00", folder=tmp_path / "pages")
    assert made == tmp_path / "pages" / "wix" / "sleep_and_light.html"
    assert made.read_text("utf-8").startswith(f"<!-- url: {URL} captured_at: 2024-05-02T09:30:00Z -->\n")
    items = json.loads(made.with_suffix(".json").read_text("utf-8"))["items"]
    assert "Post" in [item["item"] for item in items]
    with pytest.raises(page.Refused, match="exists"):
        page.add(saved, URL, folder=tmp_path / "pages")


def test_an_answer_of_an_api_becomes_a_body_file(tmp_path: Path) -> None:
    file = tmp_path / "saved.json"
    file.write_text(json.dumps({"comments": [{"id": "c1", "resourceId": "64ddbf6a1737d98af033206f"}]}), "utf-8")
    url = "https://www.fernside-clinic.example/_api/comments/v1/comments/list-by-resource?appId=x"
    made = page.add(file, url, "2024-05-02", folder=tmp_path / "pages")
    assert made == tmp_path / "pages" / "wix" / "list_by_resource.body"
    header = f"<!-- url: {url} captured_at: 2024-05-02T00:00:00Z type: application/json -->\n"
    assert made.read_bytes() == header.encode() + file.read_bytes()
    items = json.loads(made.with_suffix(".json").read_text("utf-8"))["items"]
    assert "Comment" in [item["item"] for item in items]


def test_a_header_line_is_taken_as_it_is_and_may_give_response_headers(tmp_path: Path) -> None:
    file = tmp_path / "saved.body"
    url = "https://www.fernside-clinic.example/_api/comments/v1/comments/list-by-resource?appId=x"
    line = f'<!-- url: {url} captured_at: none type: application/json headers: {{"x-pages": "3", "link": "<a>"}} -->\n'
    file.write_text(line + '{"comments": [{"id": "c1", "resourceId": "64ddbf6a1737d98af033206f"}]}', "utf-8")
    made = page.add(file, URL, name="comments", folder=tmp_path / "pages")
    assert made.read_bytes() == file.read_bytes()
    exchange = golden.exchange_of(made)
    assert (exchange.url, exchange.fetched_at, exchange.body[:1]) == (url, None, b"{")
    assert exchange.headers == {"x-pages": "3", "link": "<a>"}


def test_a_page_that_is_meant_to_be_no_post(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(page.Refused, match="leave NOPOST out"):
        page.add(saved, URL, no_post=True, folder=tmp_path / "pages")
    saved.write_bytes((golden.PAGES / "wix" / "not_found.html").read_bytes().partition(b"\n")[2])
    with pytest.raises(page.Refused, match="add NOPOST=1"):
        page.add(saved, URL, folder=tmp_path / "pages")
    made = page.add(saved, URL, no_post=True, folder=tmp_path / "pages")
    assert json.loads(made.with_suffix(".json").read_text("utf-8")) == {"raises": "NotFoundPage"}


def test_a_page_that_would_read_differently_is_refused(tmp_path: Path) -> None:
    """A text copy is recognised by its first words, and the comment of a test page would precede them."""
    file = tmp_path / "saved.txt"
    file.write_text("top of page\nTea\nAda Example\nMay 24, 2020\n2 min read\nIt cools.\nbottom of page\n", "utf-8")
    with pytest.raises(page.Refused, match="reads differently"):
        page.add(file, URL, folder=tmp_path / "pages")
    assert not list((tmp_path / "pages" / "wix").iterdir())


@pytest.mark.parametrize(
    ("html", "platform", "why"),
    [
        ('<html><head><meta name="generator" content="Hostinger 1"></head></html>', None, "not a post"),
        ("<html><body><p>A page.</p></body></html>", None, "not a post"),
        ("<html><body><p>A page.</p></body></html>", "wix", "not a post"),
        ("<html><body><p>A page.</p></body></html>", "never-heard-of", "there is no platform"),
    ],
)
def test_what_is_no_post_is_refused(html: str, platform: str | None, why: str, tmp_path: Path) -> None:
    file = tmp_path / "saved.html"
    file.write_text(html, "utf-8")
    with pytest.raises(page.Refused, match=why):
        page.add(file, URL, platform=platform, folder=tmp_path / "pages")
    assert not (tmp_path / "pages").exists()
