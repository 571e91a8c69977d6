"""What the pages of the site say, against what the archive holds: revisions, citations, threads, totals, oddities."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import bibtexparser
import feedparser
import pytest
import rispy
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from archive.db import DATABASE
from archive.search.index import Query
from archive.site.charts._drawer import svg_of
from archive.site.charts.calendar import calendar
from archive.site.charts.chart import draw, spark
from archive.site.pages import cite, clinic, feed, home, post, query_cache, search_results, thread
from archive.site.pages.compare import compare
from archive.site.pages.permalinks import find_posts, find_revision, post_path, stamp
from archive.site.pages.query_cache import QueryCache
from archive.site.pages.revisions import compare_revisions, revisions
from archive.site.pages.sanitise import _TAGS, paragraphs, sanitised
from tests.making import CLINIC, HEX, Made, comment, extraction, reading, url
from tests.making import post as a_post
from tests.scaling import assert_linear
from tests.waiting import HANG, wait_until

HOSTILE = Path(__file__).parents[4] / "shared" / "hostile"


@pytest.fixture
def edited(archive: Made) -> Made:
    """A post that was read three times, edited once, renamed, and counted; a day lies between the visits' minutes."""
    archive.crawl("run")
    archive.fold(
        extraction(1, a_post(text="Sleep heals.\nSchlaf hält gesund.\nCall us.", views=5, published_at="2026-01-02")),
        extraction(2, a_post(text="Sleep heals.\nSchlaf hält gesund.\nCall us.", views=7, published_at="2026-01-02")),
        extraction(3, comment("c1", "Thank you.", posted_at="2026-01-03T00:00:00Z")),
        extraction(
            4,
            a_post("rest", text="Sleep heals, mostly.\nSchlaf hält gesund.\nCall us.", views=1250,
                   published_at="2026-01-02", addresses=(url("rest"), url("sleep"), HEX)),
        ),
        crawl_id="run",
    )  # fmt: skip
    return archive


# --- revisions and what differs between them ---

WORDS = st.text(st.sampled_from("ab .\nü"), max_size=40)


@given(before=WORDS, after=WORDS)
def test_a_comparison_holds_both_texts(before: str, after: str) -> None:
    lines = compare(before, after, whole=True)
    for kind, text in (("out", before), ("in", after)):
        text_of_side = ["".join(piece.text for piece in line.pieces if piece.kind in ("same", kind)) for line in lines]
        assert " ".join("".join(text_of_side).split()).replace(" ", "") == "".join(text.split())
    assert compare(before, before, whole=True) == compare(before, before, whole=True)
    assert not [piece for line in compare(before, before) for piece in line.pieces]


def test_an_edit_is_told_word_by_word_and_what_stayed_is_left_out() -> None:
    before = "\n".join([*"abcdefgh", "We open at nine on Mondays.", *"ijklmnop"])
    lines = compare(before, before.replace("nine", "ten"))
    assert [line.skipped for line in lines] == [7, 0, 0, 0, 7]
    assert [(piece.kind, piece.text) for piece in lines[2].pieces] == [
        ("same", "We open at "), ("out", "nine"), ("in", "ten"), ("same", " on Mondays."),
    ]  # fmt: skip


def test_a_hundred_thousand_words_are_compared_in_time() -> None:
    def work(words: int) -> None:
        text = " ".join(f"w{number}" for number in range(words))
        assert len(compare(text, text.replace("w5", "x5"))) == 2

    assert_linear(work, 100_000)


def test_revisions_know_when_they_were_seen(edited: Made) -> None:
    first, second = revisions(edited.db.conn, 1)
    assert (first["kind"], second["kind"], second["before"]) == ("first", "content", first)
    assert second["changed_after"] == first["last_seen_at"] == "2026-03-01T09:02:00.000000Z"
    assert second["captured_at"] == "2026-03-01T09:04:00.000000Z"
    found = compare_revisions(edited.db.conn, first["revision_id"], second["revision_id"], whole=False)
    assert [(piece.kind, piece.text) for piece in found["lines"][0].pieces] == [
        ("same", "Sleep heals"), ("in", ", mostly"), ("same", "."),
    ]  # fmt: skip
    assert not found["same"]


def test_a_permalink_outlives_a_rename(edited: Made) -> None:
    db = edited.db.conn
    assert post_path(CLINIC, "rest") == "/riverside/rest"
    assert find_posts(db, CLINIC, "rest") == find_posts(db, CLINIC, "sleep") == [1]
    assert find_posts(db, CLINIC, HEX.removeprefix("wix:")) == [1]
    assert find_posts(db, CLINIC, "slee_") == find_posts(db, CLINIC, "%") == find_posts(db, "other", "rest") == []
    for revision in revisions(db, 1):
        assert revision["stamp"] == stamp(revision["captured_at"], revision["content_sha256"])
        named = find_revision(db, [1], revision["stamp"])
        assert named is not None
        assert named["revision_id"] == revision["revision_id"]
    assert find_revision(db, [1], "20260301090100-00000000") is None


@pytest.mark.parametrize("slug", ["żółw", "%C5%BC%C3%B3%C5%82w", "a b", "100%", "q?x"])
def test_a_slug_of_any_letters_is_found_by_its_own_path(slug: str, archive: Made) -> None:
    archive.fold(extraction(1, a_post(slug, addresses=(url(slug),))))
    path = post_path(CLINIC, slug)
    assert re.fullmatch(r"/riverside/[A-Za-z0-9%_.~-]+", path)
    assert find_posts(archive.db.conn, CLINIC, path.rsplit("/", 1)[1]) == [1]


def test_a_post_says_all_that_is_kept_of_it(edited: Made) -> None:
    context = post.read(edited.db.conn, 1)
    assert context["counts"]["views"] == 1250
    assert [row[1] for row in context["chart"].rows] == [5, 7, 1250]
    assert context["post"]["path"] == "/riverside/rest"
    assert len(context["edits"]) == 1
    assert not context["past"]
    assert "mostly" in context["html"]
    past = post.read(edited.db.conn, 1, context["revisions"][0]["revision_id"])
    assert past["past"]
    assert "mostly" not in past["html"]
    assert ("title", "the page's HTML") in context["sources"]


# --- citing ---

NASTY = [
    "50% of {R&D} costs #1_a~b^c $5 \\o/", "Straße: „Ätsch“ 🌿", 'He said "no"', "x" * 3000,
    "a\r\nER  - \nTY  - JOUR", "} , title = {y",
]  # fmt: skip


def work(**changes: str | None) -> cite.Work:
    values: dict[str, str | None] = {
        "title": "On sleep", "author": "Dr. Ada Lind", "published": "2026-01-02", "clinic": "Riverside Wellness",
        "url": "https://riverside.example/post/sleep%20well", "permalink": "http://127.0.0.1:8001/riverside/sleep/x",
        "captured": "2026-03-01T09:04:00.000000Z", "archive": "Clinic blog archive", "language": "en",
    }  # fmt: skip
    return cite.Work(**(values | changes))  # type: ignore[arg-type]


def test_apa() -> None:
    assert cite.apa(work()) == (
        "Dr. Ada Lind. (2026, January 2). On sleep. Riverside Wellness. https://riverside.example/post/sleep%20well"
        " (archived March 1, 2026, at http://127.0.0.1:8001/riverside/sleep/x)"
    )
    assert cite.apa(work(author=None, published=None)).startswith("Riverside Wellness. (n.d.). On sleep. https:")


def test_two_wordings_of_a_day_differ_in_their_keys_and_times() -> None:
    both = [work(permalink=f"http://127.0.0.1/r/sleep/20260301{time}-0123abcd") for time in ("090400", "120000")]
    assert both[0].key == "riverside-wellness-2026-on-sleep-20260301090400-0123abcd"
    assert len({bibtexparser.parse_string(cite.bibtex(each)).entries[0].key for each in both}) == 2
    assert "(archived March 1, 2026, 09:04:00 UTC, at http" in cite.apa(replace(both[0], timed=True))


@pytest.mark.parametrize("title", ["On sleep", *NASTY])
def test_other_people_s_programs_read_the_citations(title: str) -> None:
    cited = work(title=title, author=title)
    library = bibtexparser.parse_string(cite.bibtex(cited))
    assert not library.failed_blocks
    (entry,) = library.entries
    assert entry.entry_type == "online"
    assert {"title", "author", "url", "date", "urldate", "organization"} <= set(entry.fields_dict)
    (ris,) = rispy.loads(cite.ris(cited))
    assert ris["type_of_reference"] == "BLOG"
    assert ris["primary_title" if "primary_title" in ris else "title"] == " ".join(title.split())
    (csl,) = json.loads(cite.csl(cited))
    assert csl["type"] == "post-weblog"
    assert csl["title"] == title
    assert csl["issued"]["date-parts"] == [[2026, 1, 2]]


@pytest.mark.parametrize("published", [None, "soon", "2026-02-30", "0000-01-01"])
def test_a_date_that_is_none_is_left_out(published: str | None) -> None:
    cited = work(published=published)
    assert "PY" not in cite.ris(cited)
    assert "date" not in bibtexparser.parse_string(cite.bibtex(cited)).entries[0].fields_dict
    assert "issued" not in json.loads(cite.csl(cited))[0]


# --- comments ---


def test_a_thread_of_five_thousand_forty_deep_comes_in_its_order(archive: Made) -> None:
    archive.fold(extraction(1, a_post()))
    archive.fold(
        extraction(
            2,
            *(
                comment(f"c{number}", f"{number}", parent_id=f"c{number - 1}" if number % 40 else None,
                        posted_at=f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z")
                for number in range(5000)
            ),
        )
    )  # fmt: skip
    seen: list[str] = []
    for page in range(1, 26):
        comments, number = thread.conversation(archive.db.conn, 1, page)
        assert number == 5000
        seen += [comment["body_text"] for comment in comments]
        assert {comment["depth"] for comment in comments} == set(range(40))
        assert max(comment["indent"] for comment in comments) == 8
    assert seen == [str(number) for number in range(5000)]
    assert thread.conversation(archive.db.conn, 1, 26) == ([], 5000)
    key = archive.one("SELECT comment_id FROM comments WHERE platform_comment_id = 'c4321'")
    assert thread.page_with_comment(archive.db.conn, 1, key) == 22


def test_comments_that_answer_each_other_in_a_circle_are_shown_once(archive: Made) -> None:
    archive.fold(
        extraction(1, a_post()), extraction(2, comment("a"), comment("b", parent_id="a"), comment("c", parent_id="b"))
    )
    archive.db.execute("UPDATE comments SET parent_id = 3 WHERE comment_id = 1")
    comments, number = thread.conversation(archive.db.conn, 1)
    assert (len(comments), number) == (3, 3)


# --- what others wrote, as it is shown ---


def hostile() -> list[str]:
    names = ("xss-rsnake.txt", "xss-polyglots.txt")
    if not HOSTILE.exists():
        return ["<img src=x onerror=alert(1)>"]
    return [line for name in names for line in (HOSTILE / name).read_text("utf-8").splitlines() if line.strip()]


@pytest.mark.parametrize("text", hostile())
def test_nothing_of_a_hostile_text_can_run_or_load(text: str) -> None:
    for html in (sanitised(text), sanitised(f"<p>a</p><img src='x' alt='{text}'>{text}"), paragraphs(text)):
        for tag in BeautifulSoup(html or "", "html.parser").find_all(True):
            assert tag.name in _TAGS
            assert not [name for name in tag.attrs if name.startswith("on") or name in ("src", "style", "class", "id")]
            assert str(tag.get("href", "http:")).lower().startswith(("http:", "https:", "mailto:", "tel:")), tag


def test_a_picture_becomes_a_link_with_its_words() -> None:
    html = sanitised(
        '<h1>Big</h1><figure><img src="https://x.example/a.jpg" alt="A <b>lamp</b>"></figure>'
        '<a href="/x"><img src="y"></a><a href="https://x.example/p">p</a>'
    )
    rel = 'rel="noopener noreferrer nofollow"'
    assert html == (
        f'<h3>Big</h3><figure><a href="https://x.example/a.jpg" {rel}><span>Picture: A &lt;b&gt;lamp&lt;/b&gt;</span>'
        "</a>"
        f'</figure><a {rel}><span>Picture</span></a><a href="https://x.example/p" {rel}>p</a>'
    )
    assert sanitised("  ") is sanitised(None) is paragraphs(" \n") is None


# --- totals, charts, odd archives ---


def test_home_and_clinic_of_archives_without_posts_dates_or_numbers(archive: Made) -> None:
    db = archive.db.conn
    assert home.summary(db)["totals"] == {"clinics": 1, "posts": 0, "comments": 0, "readings": 0, "captures": 0}
    assert clinic.summary(db, CLINIC)["coverage"].svg is None
    archive.fold(extraction(1, a_post(text=None, title=None)))
    context = home.summary(db)
    assert [chart.svg for chart in context["charts"]] == [None, None]
    assert context["most_gained"]["posts"] == []
    (listed,) = clinic.posts(db, CLINIC, "views", 1)
    assert (listed["views"], listed["spark"]) == (None, None)
    assert post.read(db, 1)["chart"].svg is None
    assert clinic.posts(db, CLINIC, "title", 2) == []


def test_views_gained_a_month_are_told_within_one_source(archive: Made) -> None:
    archive.fold(extraction(1, a_post(views=100)))
    for number, (month, views) in enumerate([("03", 110), ("04", 150), ("06", 151)], 2):
        at = f"2026-{month}-20T00:00:00.000000Z"
        archive.fold(extraction(number, reading(HEX, views=views)))
        archive.db.execute("UPDATE readings SET read_at = ?, source = 'html' WHERE views = ?", [at, views])
    archive.db.execute("INSERT INTO readings SELECT post_id, capture_id, 'api', '2026-05-01', 90000, NULL, NULL, NULL,"
                       " NULL, NULL, 'read', 1 FROM readings LIMIT 1")  # fmt: skip
    assert [tuple(row) for row in home.views_by_month(archive.db.conn).rows] == [
        ("2026-03", 10, 1), ("2026-04", 40, 1), ("2026-06", 1, 1),
    ]  # fmt: skip
    assert home.views_by_month(archive.db.conn, CLINIC).rows == home.views_by_month(archive.db.conn).rows


def test_coverage_names_each_day_between_the_visits(archive: Made) -> None:
    for number, (day, status, complete) in enumerate(
        [("01", "done", 1), ("01", "failed", 0), ("03", "failed", 0), ("04", "cut-short", 0)]
    ):
        archive.db.execute(
            "INSERT INTO crawls (crawl_id, started_at, software) VALUES (?, '2026', 't')", [f"r{number}"]
        )
        archive.db.execute(
            "INSERT INTO clinic_runs (crawl_id, clinic_id, started_at, status, complete, fetched) VALUES (?,?,?,?,?,9)",
            [f"r{number}", CLINIC, f"2026-03-{day}T0{number}:00:00Z", status, complete],
        )
    chart = clinic.coverage(archive.db.conn, CLINIC)
    assert [row[:2] for row in chart.rows] == [
        ("2026-03-01", "observed"), ("2026-03-02", "not attempted"), ("2026-03-03", "failed"),
        ("2026-03-04", "partial"),
    ]  # fmt: skip
    assert chart.svg is not None
    assert chart.svg.count("var(--failed)") >= 2


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.one_of(st.none(), st.integers(-(10**12), 10**12), st.floats(-1e9, 1e9))


def test_a_drawing_that_brings_the_engine_down_is_missing_and_the_next_is_there() -> None:
    values = {"data": {"values": [{"a": "x\x08", "b": 1}]}, "mark": "bar"}
    axes = {"x": {"field": "a", "type": "nominal"}, "y": {"field": "b", "type": "quantitative"}}
    assert svg_of({**values, "encoding": axes}) is None
    assert draw("t", ("a", "b"), [("x\x08🌿", 1), ("y", 2)], "bar", "a", "b").svg is not None


@given(rows=st.lists(st.tuples(st.one_of(NAMES, st.dates().map(date.isoformat)), NUMBERS), max_size=5),
       mark=st.sampled_from(["bar", "line", "point", "step"]), title=NAMES)  # fmt: skip
def test_whatever_is_drawn_is_svg_without_script_style_or_outside_addresses(
    rows: list[tuple[str, float]], mark: str, title: str
) -> None:
    chart = draw(title, ("x y", "n"), rows, mark, "x y", "n")
    assert chart.rows == rows
    for tag in BeautifulSoup(chart.svg or "", "html.parser").find_all(True):
        assert tag.name in {"div", "svg", "g", "path", "line", "text", "rect", "defs", "clippath", "title"}
        assert not [name for name in tag.attrs if name.startswith("on") or name in ("style", "href", "xlink:href")]


def test_small_drawings() -> None:
    assert spark([]) is spark([1]) is None
    assert "NaN" not in (spark([5, 5, 5]) or "")
    assert calendar("c", ("day", "coverage"), []).svg is None


def test_cached_results_are_computed_again_after_a_commit(edited: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_cache, "QUICK", HANG)
    cache = QueryCache(edited.folder / DATABASE)
    calls: list[int] = []

    def find(connection: sqlite3.Connection) -> int:
        calls.append(1)
        return int(connection.execute("SELECT count(*) FROM problems").fetchone()[0])

    assert [cache.get("n", find)[0] for _ in range(3)] == [0, 0, 0]
    assert len(calls) == 1
    edited.db.execute(
        "INSERT INTO problems (clinic_id, kind, message, happened_at) VALUES (?, 'x', 'y', '2026')", [CLINIC]
    )
    assert cache.get("n", find)[0] == 1

    may_end = threading.Event()

    def slow(connection: sqlite3.Connection) -> int:
        assert may_end.wait(HANG)
        return find(connection)

    monkeypatch.setattr(query_cache, "QUICK", -1.0)
    may_end.set()
    assert cache.get("slow", slow)[0] == 1
    edited.db.execute("DELETE FROM problems")
    may_end.clear()
    assert cache.get("slow", slow)[0] == 1, "shown as it was while it is computed again"
    may_end.set()
    wait_until(lambda: cache.get("slow", slow)[0] == 0)


def test_feeds_are_read_by_other_people_s_programs(edited: Made) -> None:
    edited.db.execute("UPDATE posts SET title = 'A <b> & \x0b\ufffe'")
    for entries, place in ((feed.new_posts(edited.db.conn, None), "/riverside/rest"),
                           (feed.edits(edited.db.conn, CLINIC), "/riverside/rest/20260301090400-")):  # fmt: skip
        parsed = feedparser.parse(feed.atom_feed("t", "http://a.example", "http://a.example/f", entries))
        assert not parsed.bozo
        assert parsed.entries[0].id.startswith(f"http://a.example{place}")
        assert parsed.entries[0].title == "A <b> &"
    assert feed.edits(edited.db.conn, "other") == []


def test_search_results_mark_what_was_found(edited: Made) -> None:
    edited.db.execute("UPDATE posts SET excerpt = '<b>'")
    results = search_results.results(edited.db.conn, Query("mostly"), 1)
    assert results["number"] == 1
    assert results["hits"][0]["snippet"].startswith("Sleep heals, <mark>mostly</mark>.")
    past = search_results.results(edited.db.conn, Query('"heals schlaf"'), 1)["hits"][0]
    assert past["kind"] == "past revision"
    assert re.search(r"/riverside/rest/\d{14}-[0-9a-f]{8}$", past["path"])
    assert (
        "<mark>heals</mark>.\n<mark>Schlaf</mark>" in past["snippet"]
        or "<mark>heals.\nSchlaf</mark>" in past["snippet"]
    )
    assert search_results.results(edited.db.conn, Query("thank"), 1)["hits"][0]["path"].endswith("?comment=1#comment-1")
