"""The comparer of the gate: what is a difference, what is none, and what CHANGED.md allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gate import rows
from tests.gate.compare import Allowed, Difference, complaints, differences, read_allowed
from tests.gate.rows import Row, Table, Tables

TITLE = Difference("posts", "title", "p2", '"On rest"', '"On naps"')
HEAD = "| archive | table | column | rows | extractor version | why |\n| --- | --- | --- | --- | --- | --- |\n"


def posts(*titles: str, **more: object) -> Tables:
    """A table of posts p1, p2 ... with these titles."""
    made: list[Row] = [{"post_id": f"p{number}", "title": title, **more} for number, title in enumerate(titles, 1)]
    return {"posts": Table(["post_id", "title", *more], made)}


def allowed(rows_cell: str, archive: str = "visits", column: str = "title") -> list[Allowed]:
    return read_allowed(f"{HEAD}| {archive} | posts | {column} | {rows_cell} | 7 | the title was cut |\n")


def test_equal_rows_in_another_order() -> None:
    before, after = posts("On sleep", "On rest"), posts("On sleep", "On rest")
    after["posts"].rows.reverse()
    assert differences(before, after) == []


def test_a_changed_cell() -> None:
    assert differences(posts("On sleep", "On rest"), posts("On sleep", "On naps")) == [TITLE]


def test_a_cell_that_becomes_empty_and_a_number_that_becomes_text() -> None:
    before, after = posts("On sleep", views=5), posts("On sleep", views="5")
    after["posts"].rows[0]["title"] = None
    assert [(each.column, each.before, each.after) for each in differences(before, after)] == [
        ("title", '"On sleep"', "null"), ("views", "5", '"5"')
    ]  # fmt: skip


def test_a_missing_row() -> None:
    (found,) = differences(posts("On sleep", "On rest"), posts("On sleep"))
    assert found == Difference("posts", "(row)", "p2", '{"post_id": "p2", "title": "On rest"}', "(absent)")


def test_an_extra_row() -> None:
    (found,) = differences(posts("On sleep"), posts("On sleep", "On rest"))
    assert found == Difference("posts", "(row)", "p2", "(absent)", '{"post_id": "p2", "title": "On rest"}')


def test_one_of_two_equal_rows_is_missing() -> None:
    row = {"kind": "paywall", "field": None, "url": "u", "capture_id": "c", "message": "words"}
    before, after = Table(list(row), [row, row]), Table(list(row), [row])
    (found,) = differences({"problems": before}, {"problems": after})
    assert (found.column, found.key, found.after) == ("(row)", "paywall - u c", "(absent)")


def test_a_new_column_and_a_new_table_are_no_difference() -> None:
    after = posts("On sleep", mood="calm") | {"moods": Table(["mood"], [{"mood": "calm"}])}
    assert differences(posts("On sleep"), after) == []


def test_a_missing_column_and_a_missing_table_are_differences() -> None:
    assert differences(posts("On sleep", mood="calm"), posts("On sleep")) == [
        Difference("posts", "mood", "", "a column of 1 rows", "(absent)")
    ]
    assert differences(posts("On sleep"), {}) == [Difference("posts", "(table)", "", "1 rows", "(absent)")]


@pytest.mark.parametrize(
    ("table", "column", "number"),
    [("problems", "message", 0), ("problems", "kind", 2), ("absences", "answered", 0), ("absences", "capture_id", 2),
     ("clinic_runs", "note", 0), ("clinic_runs", "status", 1), ("crawls", "summary", 0)],
)  # fmt: skip
def test_words_for_people_are_not_compared(table: str, column: str, number: int) -> None:
    names = ("kind", "field", "url", "capture_id", "post_id", "comment_id", "crawl_id", "clinic_id")
    row = dict.fromkeys([*names, "message", "answered", "note", "status", "summary"], "x")
    before, after = Table(list(row), [row]), Table(list(row), [row | {column: "y"}])
    assert len(differences({table: before}, {table: after})) == number


@pytest.mark.parametrize("rows_cell", ["1", "`p2`"])
def test_an_allowed_change(rows_cell: str) -> None:
    assert complaints("visits", [TITLE], allowed(rows_cell)) == []


@pytest.mark.parametrize("rows_cell", ["1", "`p2`"])
def test_an_allowed_change_that_no_longer_occurs(rows_cell: str) -> None:
    (text,) = complaints("visits", [], allowed(rows_cell))
    assert text.startswith("visits: posts.title: CHANGED.md allows ")
    assert "0 differ" in text
    assert ("no difference any more: p2" in text) == (rows_cell == "`p2`")


def test_more_or_other_rows_than_are_allowed() -> None:
    other = TITLE._replace(key="p3")
    (text,) = complaints("visits", [TITLE, other], allowed("1"))
    assert "2 rows differ, CHANGED.md allows 1" in text
    (text,) = complaints("visits", [TITLE, other], allowed("`p2`"))
    assert "1 rows differ" in text and "p3" in text and "p2" not in text
    assert complaints("visits", [TITLE, other], [*allowed("`p2`"), *allowed("1")]) == []
    (text,) = complaints("visits", [TITLE], allowed("3"))
    assert "allows 3 rows and 0 keys, 1 differ" in text


def test_a_line_allows_nothing_elsewhere() -> None:
    assert len(complaints("rendered", [TITLE], allowed("1"))) == 1
    assert len(complaints("visits", [TITLE], allowed("1", column="author"))) == 2


def test_a_message_names_the_first_of_many() -> None:
    many = [TITLE._replace(key=f"p{number}", after="x" * 500) for number in range(9)]
    (text,) = complaints("visits", many, [])
    assert text.startswith('visits: posts.title: 9 rows differ\n  p0\n    before: "On rest"\n    after:  xxx')
    assert text.endswith("and 6 more")
    assert "(500 characters)" in text and len(text) < 800


def test_a_message_of_long_texts_begins_where_they_part() -> None:
    before, after = f"{'x' * 900} rest {'y' * 900}", f"{'x' * 900} naps {'y' * 900}"
    (text,) = complaints("visits", [TITLE._replace(before=before, after=after)], [])
    assert " rest yyy" in text and " naps yyy" in text and len(text) < 600


@pytest.mark.parametrize("line", ["| a | posts | title | some | 7 | why |", "| a | posts | title | 0 | 7 | why |",
                                  "| a | posts | title | 1 | 7 |",
                                  "| a | posts | title | 1 | 7 | |"])  # fmt: skip
def test_an_incomplete_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"CHANGED\.md"):
        read_allowed(HEAD + line)


def test_rows_are_written_and_read(tmp_path: Path) -> None:
    """Also a row without values, an empty table, and line separators inside a text."""
    made = posts("Two\u2028lines\x85of text", "", note=None) | {"tags": Table(["label"])}
    made["posts"].rows.append({"post_id": None, "title": None, "note": None})
    rows.write(made, tmp_path / "rows.jsonl")
    again = rows.read(tmp_path / "rows.jsonl")
    assert again.keys() == made.keys()
    assert differences(made, again) == differences(again, made) == []
