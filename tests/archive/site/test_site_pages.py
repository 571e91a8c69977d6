"""The pages of the site as a visitor asks for them: addresses, headers, odd requests; what is shown equals the rows."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator

import feedparser
import httpx
import pytest
from bs4 import BeautifulSoup
from datasette.app import Datasette

from tests.archive.site.test_site import get, site_of
from tests.making import HEX, Made, comment, extraction, made, post, reading, url

PAGES = (
    "/", "/riverside", "/riverside/rest", "/riverside/sleep", "/riverside/rest/compare", "/-/search",
    "/-/search?q=heals", "/-/explore", "/-/status", "/-/posts.atom", "/-/edits.atom", "/archive", "/archive/posts",
    "/archive/posts/1", "/archive?sql=select+1", "/archive/views_gained", "/archive/posts.json", "/archive/posts.csv",
    "/-/capture/nothing", "/nowhere", "/riverside/nothing", "/-/patterns", "/-/versions", "/-/plugins",
    "/archive?sql=select+nonsense", "/site/archive.css", "/robots.txt",
)  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with made(tmp_path_factory.mktemp("pages")) as archive:
        archive.crawl("run")
        archive.fold(
            extraction(1, post(text="Sleep heals.\nCall us.", published_at="2026-01-02", tags=("rest",))),
            extraction(
                2, comment("c1", "Thank you. <b>", posted_at="2026-01-03T00:00:00Z"), comment("c2", parent_id="c1"),
                reading(HEX, views=5),
            ),
            extraction(3, reading(HEX, views=1250, likes=3)),
            extraction(
                4, post("rest", text="Sleep heals, mostly.\nCall us.", published_at="2026-01-02",
                        addresses=(url("rest"), url("sleep"), HEX)),
            ),
            extraction(5, post("bare", text=None, title=None, addresses=(url("bare"),))),
            crawl_id="run",
        )  # fmt: skip
        yield archive


@pytest.fixture(scope="module")
def site(archive: Made) -> Datasette:
    return site_of(archive.folder)


def soup(answer: httpx.Response) -> BeautifulSoup:
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def text_of(page: BeautifulSoup) -> str:
    (text,) = page.select(".text")
    return " ".join(text.get_text(" ").split())


def tiles_of(page: BeautifulSoup, where: str = ".tiles") -> dict[str, str]:
    return {
        tile.find("dt").get_text(strip=True): tile.find("dd").get_text(strip=True)  # type: ignore[union-attr]
        for tile in page.select(f"{where} div")
    }


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_forbids_scripts_styles_and_other_hosts(path: str, site: Datasette) -> None:
    answer = get(site, path)
    assert answer.status_code in (200, 400, 404)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    if "html" in answer.headers["content-type"]:
        page = BeautifulSoup(answer.text, "html.parser")
        assert not page.find_all("script")
        assert not page.find_all("style")
        for tag in page.find_all(True):
            assert not [name for name in tag.attrs if name == "style" or name.startswith("on")], tag
        assert all(tag["href"].startswith("/") for tag in page.find_all("link") if "stylesheet" in tag["rel"])
        assert page.html is not None
        assert page.html["lang"] == "en"
        assert len(page.find_all("h1")) == 1


def test_a_post_is_found_by_every_address_it_ever_had(site: Datasette, archive: Made) -> None:
    now = get(site, "/riverside/rest")
    assert get(site, "/riverside/sleep").text == now.text
    assert get(site, f"/riverside/{HEX.removeprefix('wix:')}").text == now.text
    assert get(site, "/-/post/1").text == now.text
    assert get(site, "/-/post/99").status_code == 404
    first, second = (
        f"{at[:19].translate({ord(character): None for character in '-:T'})}-{sha[:8]}"
        for at, sha in archive.rows("SELECT captured_at, content_sha256 FROM revisions WHERE post_id = 1 ORDER BY 1")
    )
    past = soup(get(site, f"/riverside/sleep/{first}"))
    assert text_of(past) == "Sleep heals. Call us."
    assert "This is a past revision" in past.get_text()
    assert text_of(soup(get(site, f"/riverside/rest/{second}"))) == "Sleep heals, mostly. Call us."
    missing = get(site, "/riverside/rest/20200101000000-01234567")
    assert missing.status_code == 404
    assert "no revision 20200101000000-01234567" in missing.text


def test_a_post_s_page_equals_its_rows(site: Datasette, archive: Made) -> None:
    page = soup(get(site, "/riverside/rest"))
    tiles = tiles_of(page, ".side .tiles")
    assert tiles == {"views": "1,250", "likes": "3", "comments": "2"}
    numbers = [[cell.get_text() for cell in row.find_all("td")] for row in page.select(".chart tbody tr")]
    readings = archive.rows("SELECT read_at, views, likes, NULL FROM readings WHERE evidence = 'read' ORDER BY read_at")
    assert numbers == [["" if value is None else str(value) for value in row] for row in readings]
    texts = [text.get_text(strip=True) for text in page.select(".comment .comment-text")]
    assert texts == ["Thank you. <b>", "Thank you."]
    assert "depth-1" in page.select(".comment")[1]["class"]
    assert "between 2026-03-01 09:01 and 09:04" in page.get_text()
    assert len(page.select("#revisions tbody tr")) == 2


def test_the_difference_page_shows_the_edit(site: Datasette) -> None:
    page = soup(get(site, "/riverside/rest/compare"))
    difference = page.select_one(".difference")
    assert difference is not None
    assert [inserted.get_text() for inserted in difference.find_all("ins")] == [", mostly"]
    assert not difference.find_all("del")
    assert "There is nothing to compare" in get(site, "/riverside/bare/compare").text
    assert get(site, "/riverside/rest/compare?from=20200101000000-01234567").status_code == 404
    assert get(site, "/riverside/rest/compare?from=x").status_code == 404


def test_zotero_takes_it_for_a_blog_post_of_the_clinic(site: Datasette) -> None:
    page = soup(get(site, "/riverside/rest"))
    metas = {str(tag["name"]): str(tag["content"]) for tag in page.find_all("meta") if tag.get("name")}
    assert metas["z:itemType"] == "blogPost"
    assert (metas["DC.title"], metas["DC.date"], metas["DC.publisher"]) == ("On sleep", "2026-01-02", "Riverside")
    place = str(page.find("a", rel="bookmark")["href"])  # type: ignore[index]
    assert metas["DC.identifier"].endswith(place)
    for end, sign in (("bib", "@online{"), ("ris", "TY  - BLOG"), ("json", "post-weblog")):
        cited = get(site, f"{place}.{end}")
        assert cited.status_code == 200
        assert sign in cited.text
        assert "filename=" in cited.headers["content-disposition"]
        assert "nosniff" in cited.headers["x-content-type-options"]
    assert not soup(get(site, "/riverside/bare")).find("meta", attrs={"name": "z:itemType"})


def test_home_counts_what_is_there(site: Datasette, archive: Made) -> None:
    page = soup(get(site, "/"))
    tiles = tiles_of(page)
    for name, table in (("posts", "posts"), ("comments", "comments"), ("counter readings", "readings"),
                        ("captures", "captures")):  # fmt: skip
        assert tiles[name] == str(archive.one(f"SELECT count(*) FROM {table}"))
    assert page.find("a", string="Riverside") is not None
    assert "+1,245 views" in page.get_text()


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("q=heals", ["On sleep"]), ("q=%22heals+call%22", ["On sleep"]), ("q=thank", ["On sleep", "On sleep"]),
        ("q=heals&from=2026-01-03", []), ("q=heals&to=2026-01-02", ["On sleep"]), ("q=heals&kind=comments", []),
        ("q=heals&page=2", []), ("q=heals&page=x&kind=x&order=x", ["On sleep"]),
        ("q=Price+(IV)", []), ("q=off-label", []), ("q=%22", []), ("q=", []),
        ("q=heals&clinic=riverside", ["On sleep"]),
        ("q=heals&commented=on", ["On sleep"]),
    ],
)  # fmt: skip
def test_search(query: str, hits: list[str], site: Datasette) -> None:
    page = soup(get(site, f"/-/search?{query}"))
    assert [heading.get_text(strip=True) for heading in page.select(".hits h2")] == hits
    for link in page.select(".hits h2 a"):
        assert get(site, str(link["href"]).split("#")[0]).status_code == 200


def test_what_is_typed_is_shown_as_text(site: Datasette) -> None:
    words = '"><script>alert(1)</script>'
    for name in ("clinic", "from"):
        assert "<script>" not in get(site, str(httpx.URL("/-/search", params={"q": words, name: words}))).text
    page = get(site, str(httpx.URL("/-/search", params={"q": words})))
    assert "<script>" not in page.text
    assert html.escape(words, quote=False)[1:] in page.text.replace("&#34;", '"').replace("&quot;", '"')


def test_feeds(site: Datasette) -> None:
    posts = feedparser.parse(get(site, "/-/posts.atom?clinic=riverside").text)
    assert {entry.link for entry in posts.entries} == {
        "http://localhost/riverside/rest", "http://localhost/riverside/bare",
    }  # fmt: skip
    edits = feedparser.parse(get(site, "/-/edits.atom").text)
    assert len(edits.entries) == 1
    assert "Changed between 2026-03-01T09:01" in edits.entries[0].summary
    assert get(site, "/-/edits.atom?clinic=other").status_code == 404


def test_a_wrong_address_helps(site: Datasette) -> None:
    for path, message in (("/other", "No clinic 'other'"), ("/riverside/x", "/riverside lists its posts"),
                       ("/other/x", "No clinic 'other'"), ("/-/capture/x", "No capture x")):  # fmt: skip
        answer = get(site, path)
        assert answer.status_code == 404
        assert message in html.unescape(answer.text)
        assert 'action="/-/search"' in answer.text


def test_json_of_datasette_is_still_there(site: Datasette) -> None:
    assert json.loads(get(site, "/.json").text)["archive"]
    assert json.loads(get(site, "/archive.json?sql=select+1+as+n&_shape=array").text) == [{"n": 1}]
    assert json.loads(get(site, "/archive/views_gained.json?_shape=array").text)[0]["views_gained"] == 1245


def test_a_visitor_without_a_permission_sees_nothing(archive: Made) -> None:
    closed = site_of(archive.folder, allow={"id": "root"})
    for path in (
        "/", "/riverside", "/riverside/rest", "/-/search?q=heals", "/-/explore", "/-/edits.atom", "/archive/posts.csv",
        "/archive.csv?sql=select+1", "/archive/views_gained.csv", "/riverside/rest/compare", "/-/post/1",
    ):  # fmt: skip
        assert get(closed, path).status_code == 403, path
