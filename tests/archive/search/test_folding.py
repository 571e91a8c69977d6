"""Folding: what looks the same is found, in scripts with and without spaces, and marked where it stands."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.search import index
from archive.search.folding import folded, folded_with_places, folded_words
from archive.search.index import Query, terms
from archive.site.pages.search_results import results
from tests.making import CLINIC, Made, comment, extraction, post, url
from tests.scaling import assert_linear

# Text, words that are typed, what is marked; no marks: not found.
FOUND = [
    ("關於糖尿病的治療。", "糖尿病", ["糖尿病"]), ("關於糖尿病的治療。", "治療。", ["治療"]),
    ("關於糖尿病的治療", "病", ["病的"]), ("關於糖尿病的治療", "療", ["療"]), ("關於糖尿病的治療", "糖病", []),
    ("糖尿,尿病", "糖尿病", []), ("良い睡眠のために", "睡眠", ["睡眠"]), ("よい眠りとｶﾞｲﾄﾞ", "ガイド", ["ｶﾞｲﾄﾞ"]),
    ("비타민을 드세요", "비타민", ["비타민"]), ("비타민을 드세요", "비타*", ["비타"]),
    ("\u1107\u1175\u1110\u1161\u1106\u1175\u11ab", "비타민", ["\u1107\u1175\u1110\u1161\u1106\u1175\u11ab"]),
    ("เพื่อสุขภาพดี", "สุขภาพ", ["สุขภาพ"]), ("เพื่อสุขภาพดี", "สุขภาพ ดี", ["สุขภาพดี"]),
    ("ສຸຂະພາບດີ", "ສຸຂະພາບ", ["ສຸຂະພາບ"]), ("សុខភាពល្អ", "សុខភាព", ["សុខភាព"]),
    ("ကျန်းမာရေးကောင်း", "ကျန်းမာရေး", ["ကျန်းမာရေး"]),
    ("عن الصحّة العامة", "الصحة", ["الصحّة"]), ("عن الصحة العامة", "الصِّحَّة", ["الصحة"]),
    ("ברכת שָׁלוֹם לכם", "שלום", ["שָׁלוֹם"]), ("ברכת שלום לכם", "שָׁלוֹם", ["שלום"]),
    ("a treat\u00adment plan", "treatment", ["treat\u00adment"]),
    ("a treatment plan", "treat\u00adment", ["treatment"]),
    ("and \ufb01nally rest", "finally", ["\ufb01nally"]), ("and finally rest", "\ufb01nally", ["finally"]),
    ("Botox™ and more", "botox", ["Botox"]), ("re\u0301sume\u0301 of 2\u00b2", "résumé", ["re\u0301sume\u0301"]),
    ("Vitamin\u200b D", "vitamin d", ["Vitamin", "D"]), ("COVID疫苗接種", "covid疫苗", ["COVID疫苗"]),
    ("COVID疫苗接種", '"covid 疫苗"', ["COVID疫苗"]), ("疫苗COVID", "疫苗covid", ["疫苗COVID"]),
    ("ｆｕｌｌ width", "full", ["ｆｕｌｌ"]), ("Gesundheit für alle", "fur", ["für"]),
    ("Ein Café\u00a0hier", "cafe", ["Café"]),
]  # fmt: skip


@pytest.mark.parametrize("best_first", [False, True])
@pytest.mark.parametrize(("text", "words", "marks"), FOUND)
def test_it_is_found_and_marked_where_it_stands(
    text: str, words: str, marks: list[str], best_first: bool, archive: Made
) -> None:
    archive.fold(extraction(1, post(text=text, title="Other")))
    page = results(archive.db.conn, Query(words, best_first=best_first), 1)
    assert (page["number"], len(page["hits"])) == ((1, 1) if marks else (0, 0))
    for hit in page["hits"]:
        snippet = str(hit["snippet"])
        found = [html.unescape(mark) for mark in re.findall("<mark>(.*?)</mark>", snippet)]
        assert found
        assert set(found) <= set(marks)
        assert html.unescape(re.sub("</?mark>|…", "", snippet)).strip() == text.strip()


def test_titles_comments_and_past_revisions_are_folded_too(archive: Made) -> None:
    archive.fold(
        extraction(1, post(text="糖尿病について", title="睡眠と健康")),
        extraction(2, comment("c1", "비타민을 먹었어요")),
        extraction(3, post(text="新しい文章", title="睡眠と健康")),
        extraction(4, post("plain", title="Plain", text="Plain text", addresses=(url("plain"),))),
    )

    def kinds(words: str, **where: object) -> list[int]:
        return [hit.kind for hit in index.search(archive.db.conn, Query(words, **where))]  # type: ignore[arg-type]

    assert kinds("睡眠") == [1], "a past revision is no second hit where the current text is one"
    assert kinds("糖尿病") == [2]
    assert kinds("비타민", clinic_id=CLINIC) == kinds("비타민", kind="comments") == [0]
    assert kinds("비타민", clinic_id="other") == kinds("비타민", kind="posts") == []
    assert kinds("plain") == [1]
    assert index.faults(archive.db.conn) == []


def test_the_folded_index_stays_in_step_with_the_tables(archive: Made) -> None:
    archive.fold(extraction(1, post(text="糖尿病の話", title="A")), extraction(2, comment("c1", "睡眠")))
    db = archive.db

    def number(words: str) -> int:
        return index.count_hits(db.conn, Query(words))

    assert (number("糖尿病"), number("睡眠")) == (1, 1)
    # As another program would: no function of ours is there.
    db.execute("UPDATE posts SET body_text = 'plain now'")
    db.execute("UPDATE comments SET body_text = '健康'")
    assert (number("糖尿病"), number("睡眠"), number("健康")) == (0, 0, 0)
    index.index_due(db)
    assert (number("plain"), number("健康")) == (1, 1)
    db.execute("DELETE FROM comments")
    assert number("健康") == 0
    assert index.faults(db.conn) == []
    db.execute("DELETE FROM search_fts_due")
    db.execute("UPDATE posts SET title = '睡眠'")
    db.execute("DELETE FROM search_fts_due")
    assert index.faults(db.conn) == ["search_fts: lacks 1 of posts; `clinic-archive rebuild` repairs it"]
    index.index_all(db)
    assert index.faults(db.conn) == []


LETTERS = st.sampled_from('aé\ufb01\u00ad\u200b糖尿病สุขค비타ㅎᄒ\u3099\u0301ｶﾞ\u0651صש\u05b8™² .\n"*-')


@given(st.text(st.one_of(LETTERS, st.characters(codec="utf-8")), max_size=30))
def test_places_are_those_of_the_same_text(text: str) -> None:
    places = folded_with_places(text)
    assert places.text == folded(text)
    assert len(places.starts) == len(places.ends) == len(places.text)
    assert all(0 <= start <= end <= len(text) for start, end in zip(places.starts, places.ends, strict=True))


@given(st.text(LETTERS, max_size=12))
def test_words_are_searched_for_as_they_are_indexed(words: str) -> None:
    for term in terms(words):
        assert f" {' '.join(folded(words).split())} ".count(term.strip('"*').split(" ")[0]) or '"' in words


def test_ascii_is_left_alone_and_a_long_text_takes_linear_time() -> None:
    assert folded("Price (IV) off-label") == "Price (IV) off-label"
    for part in ("a", "é", "糖尿", "\u0301", "\u00ad", "a\u0301", "สุ"):
        assert_linear(lambda size, part=part: folded("é" + part * size), 200_000)  # type: ignore[misc]
    # Marks of two classes, which normalising sorts; and what is no word before a letter.
    for read in (folded, folded_words, folded_with_places):
        assert_linear(lambda size, read=read: read("é" + "\u0301" * size + "\u0316" * size), 50_000)  # type: ignore[misc]
        assert_linear(lambda size, read=read: read("!" * size + "é"), 50_000)  # type: ignore[misc]


def test_units_and_words_that_fold_to_nothing() -> None:
    assert folded("5㎎ of ㎏, 3㎡, x²; Brand™") == "5mg of kg, 3m2, x2; Brand™"
    assert terms("foo \u0640") == ['"foo"']
    assert terms("a" * 1_000 + " b") == [f'"{"a" * 1_000}"']


@pytest.mark.parametrize(("word", "rest"), [("sleep", "rest "), ("schlaf", "Über "), ("睡眠", "很好 ")])
@pytest.mark.parametrize("before", [0, 120_000])
def test_of_a_long_text_the_first_passage_with_the_words_is_marked(
    word: str, rest: str, before: int, archive: Made
) -> None:
    archive.fold(extraction(1, post(text=rest * before + f"{word} {rest}" * 40_000, title="Other")))
    (hit,) = results(archive.db.conn, Query(word), 1)["hits"]
    assert f"<mark>{word}</mark>" in hit["snippet"]
    assert len(hit["snippet"]) < 1_000


def test_words_far_apart_in_a_long_text_are_found_and_not_marked(archive: Made) -> None:
    archive.fold(extraction(1, post(text="sleep " + "rest " * 50_000 + "pillow", title="Other")))
    (hit,) = results(archive.db.conn, Query("sleep pillow"), 1)["hits"]
    assert hit["snippet"].startswith("sleep rest")
    assert "<mark>" not in hit["snippet"]
