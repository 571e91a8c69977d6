"""The search index: in step with the tables whatever happens, dates as its order, and nothing typed can break it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.search import index
from archive.search.index import Query, terms
from archive.search.ranking import COMMENT, PAST, POST
from pipelines.rebuild import delete_clinic_rows
from tests.making import CLINIC, OTHER_HEX, Made, comment, extraction, post, url

BLNS = Path(__file__).parents[4] / "shared" / "hostile" / "blns.json"


def found(archive: Made, words: str, **where: object) -> list[tuple[int, int]]:
    return [(hit.kind, hit.key) for hit in index.search(archive.db.conn, Query(words, **where))]  # type: ignore[arg-type]


@pytest.fixture
def talked(archive: Made) -> Made:
    """Two posts, one of them edited and commented; dates against the order of capture."""
    archive.fold(
        extraction(1, post(text="Sleep heals. Schlaf hält gesund.", published_at="2026-01-02T03:04:05Z")),
        extraction(
            2, post("rest", text="Rest heals too.", title="Rest (IV)", published_at="2026-02-02",
                    addresses=(url("rest"), OTHER_HEX)),
        ),
        extraction(3, comment("c1", "It heals, off-label.", posted_at="2026-01-20T10:00:00Z")),
        extraction(4, post(text="Sleep heals, mostly.", published_at="2026-01-02T03:04:05Z")),
    )  # fmt: skip
    return archive


def test_posts_comments_and_past_wordings_are_found_newest_first(talked: Made) -> None:
    assert found(talked, "heals") == [(POST, 2), (COMMENT, 1), (POST, 1)]
    assert found(talked, "schlaf halt") == [(PAST, 1)]
    assert found(talked, "SLEEP") == [(POST, 1)], "a past wording is no second hit where the present one is one"
    assert found(talked, "rest (IV)") == [(POST, 2)]
    assert found(talked, "off-label") == found(talked, '"off label"') == [(COMMENT, 1)]
    assert found(talked, "lab* off*") == [(COMMENT, 1)]
    assert found(talked, "nowhere") == found(talked, "") == found(talked, "( * -") == []
    assert index.count_hits(talked.db.conn, Query("heals")) == 3


def test_best_match_puts_titles_and_phrases_first(archive: Made) -> None:
    texts = [("a", "New", "rest, and then some very deep thoughts about how to sleep"), ("b", "Old", "deep sleep"),
             ("c", "Deep, deeper", "and sleep"), ("d", "Deep sleep", "is rare")]  # fmt: skip
    archive.fold(
        *(
            extraction(number, post(slug, text=text, title=title, published_at=f"2026-0{9 - number}-01",
                                    addresses=(url(slug),)))
            for number, (slug, title, text) in enumerate(texts, 1)
        )
    )  # fmt: skip
    assert found(archive, "deep sleep") == [(POST, 1), (POST, 2), (POST, 3), (POST, 4)]
    assert found(archive, "deep sleep", best_first=True) == [(POST, 4), (POST, 2), (POST, 1), (POST, 3)]
    assert found(archive, "deep", best_first=True) == [(POST, 3), (POST, 4), (POST, 1), (POST, 2)]
    assert found(archive, "DÉEP slee*", best_first=True)[0] == (POST, 4)
    whole = index.search(archive.db.conn, Query("deep sleep", best_first=True), most=10)
    paged = [index.search(archive.db.conn, Query("deep sleep", best_first=True), most=1, skip=n) for n in range(5)]
    assert [item for page in paged for item in page] == whole


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"clinic_id": CLINIC}, 3), ({"clinic_id": "river"}, 0), ({"platform": "wix"}, 3), ({"platform": "w"}, 0),
        ({"kind": "posts"}, 2), ({"kind": "comments"}, 1), ({"kind": "past"}, 0), ({"commented": True}, 2),
        ({"since": "2026-02-02"}, 1), ({"until": "2026-02-01"}, 2), ({"since": "2026-01-02", "until": "2026-01-02"}, 1),
        ({"since": "x"}, 3), ({"kind": "x"}, 3),
    ],
)  # fmt: skip
def test_filters(where: dict[str, object], expected: int, talked: Made) -> None:
    for best_first in (False, True):
        assert len(found(talked, "heals", best_first=best_first, **where)) == expected
    assert index.count_hits(talked.db.conn, Query("heals", **where)) == expected  # type: ignore[arg-type]


def test_dates_of_any_age_keep_their_order(archive: Made) -> None:
    dates = ["0001-01-01", "1601-01-01T00:00:00Z", "1969-12-31", "2026-01-01", "9999-12-31T23:59:59Z", None, "soon"]
    for number, date in enumerate(dates, 1):
        slug = f"p{number}"
        archive.fold(extraction(number, post(slug, text="heals", published_at=date, addresses=(url(slug),))))
    assert [key for _, key in found(archive, "heals")][:5] == [5, 4, 3, 2, 1]
    assert len(found(archive, "heals")) == 7
    assert len(found(archive, "heals", since="0001-01-01")) == 5


def test_it_stays_in_step_with_the_tables(talked: Made) -> None:
    db = talked.db
    assert index.faults(db.conn) == []
    db.execute("UPDATE posts SET published_at = '2019-01-01' WHERE post_id = 2")
    db.execute("UPDATE comments SET body_text = NULL")
    assert found(talked, "heals") == [(POST, 1)]
    index.index_due(db)
    assert found(talked, "heals") == [(POST, 1), (POST, 2)]
    db.execute("UPDATE posts SET last_seen_at = '2030', title = title")
    assert talked.rows("SELECT * FROM search_fts_due") == []
    before = talked.rows("SELECT * FROM search_fts_docsize")
    index.index_all(db)
    assert talked.rows("SELECT * FROM search_fts_docsize") == before
    db.execute("INSERT INTO search_fts (search_fts) VALUES ('delete-all')")
    assert index.faults(db.conn) == ["search_fts: lacks 2 of posts; `clinic-archive rebuild` repairs it"]
    index.index_all(db)
    with db.atomic():
        db.execute("PRAGMA defer_foreign_keys = ON")
        delete_clinic_rows(db, CLINIC)
    assert talked.one("SELECT count(*) FROM search_fts_docsize") == 0
    assert found(talked, "heals") == []


def hostile() -> list[str]:
    lines = json.loads(BLNS.read_text("utf-8")) if BLNS.exists() else []
    return [
        *lines, "Price (IV)", "off-label", "O'Brien", "-x", "a:b", 'x" OR "y', "NEAR(a b)", "^a", "title:x", "a AND",
        "{title}: x", "*", '"', '""', "\0", "a\0b", "\ud7ff", "𝕏", "²", "a " * 5000, "(" * 5000,
        "a" * 100_000, '"' + "a " * 5000, "a* " * 300,
    ]  # fmt: skip


def test_no_list_of_naughty_strings_is_an_error(talked: Made) -> None:
    for words in hostile():
        for best_first in (False, True):
            found(talked, words, best_first=best_first, clinic_id=words, platform=words, since=words, until=words)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=30), best_first=st.booleans())
def test_nothing_that_is_typed_is_an_error(talked: Made, words: str, best_first: bool) -> None:
    found(talked, words, best_first=best_first, clinic_id=words)
    index.count_hits(talked.db.conn, Query(words))


def test_words_are_quoted_one_by_one() -> None:
    assert terms('a "b c" d"e f* "g') == ['"a"', '"b c"', '"d e"', '"f*"*', '"g"']
    assert terms("( ) - ") == []
