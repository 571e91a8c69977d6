"""What pages show first of a table, how cells and charts are made of rows, and what SQL's errors say."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
import yaml

from archive.db import views
from archive.questions import GROUPS, grouped, questions
from archive.site.charts.chart import Chart, draw
from archive.site.charts.of_sql import chart_of_sql
from archive.site.tables.cells import grid
from archive.site.tables.columns import MAX_COLUMNS, first_columns
from archive.site.tables.schema import EXAMPLES, described, in_words
from pipelines.commands.serve import SITE
from tests.making import extraction, made, post

TABLES = yaml.safe_load((SITE / "metadata.yaml").read_text("utf-8"))["databases"]["archive"]["tables"]


@pytest.mark.parametrize("name", TABLES)
def test_a_page_begins_with_a_few_columns_in_their_order(name: str) -> None:
    columns = list(TABLES[name]["columns"])
    first = first_columns(columns, columns[:1])
    assert 1 <= len(first) <= MAX_COLUMNS
    assert first == [column for column in columns if column in first]
    assert not [column for column in first if column.endswith(("_html", "_raw", "sha256"))]
    assert columns[-1] in first_columns(columns, columns[:1], columns[-1:])


def test_what_a_reader_looks_for_is_among_them() -> None:
    wanted = {
        "posts": {"title", "published_on", "author"}, "posts_with_counts": {"title", "views", "likes"},
        "comments": {"body_text", "author", "posted_at"}, "revisions": {"body_text", "kind", "captured_at"},
        "captures": {"url", "fetched_at", "http_status"}, "crawl_history": {"status", "new_posts", "failed"},
    }  # fmt: skip
    for name, columns in wanted.items():
        assert columns <= {*first_columns(list(TABLES[name]["columns"]), ())}, name


def test_cells_know_numbers_moments_texts_and_nothing() -> None:
    rows = [(1, 10, "2026-03-01T09:30:00.123456Z", "x" * 90, None), (2, None, "2026-03-01", "short", "")]
    names = ("post_id", "views", "at", "text", "none")
    made_of = grid(names, rows, rows)
    assert made_of.numbers == {"views"}  # a key is no number
    first = dict(made_of.rows[0])
    assert [first[name].kind for name in names] == ["short", "number", "short", "long", "none"]
    assert first["at"].html == (
        '<time datetime="2026-03-01T09:30:00.123456Z" title="2026-03-01T09:30:00.123456Z">2026-03-01 09:30:00</time>'
    )
    assert dict(made_of.rows[1])["views"].kind == "none"


def lines(chart: Chart) -> int:
    """The number of lines in the drawings of a chart: each is a path with a stroke and no filling."""
    return len(re.findall(r'<path d="[^"]*" stroke="var\(--chart-1\)" stroke-width="2"/>', str(chart.svg)))


def test_a_line_is_broken_where_nothing_was_read() -> None:
    weeks = [f"2026-0{month}-{day:02}" for month in (1, 2, 5) for day in (1, 8, 15, 22)]
    rows = [(day, number) for number, day in enumerate(weeks)]
    whole = draw("t", ("at", "views"), rows[:8], "step", "at", "views")
    assert "no line" not in whole.note
    broken = draw("t", ("at", "views"), rows, "step", "at", "views")
    assert "no line where nothing was read for long" in broken.note
    assert (lines(whole), lines(broken)) == (2, 4)  # in two widths
    assert "n = 12, 2026-01-01 to 2026-05-22" in broken.note


def test_few_months_are_bars_and_notes_say_what_is_drawn() -> None:
    months = [("2026-01", 20.0), ("2026-04", 100.0)]
    assert "mark-rect" in str(draw("t", ("month", "percent"), months, "line", "month", "percent").svg)
    many = [(f"post {number}", number) for number in range(67)]
    chart = draw("t", ("title", "views"), many, "bar", "title", "views")
    assert chart.note == "n = 67; 30 of 67 shown, the first of the table; axis from 0"
    counts = draw("t", ("month", "posts"), [("2026-01", 2), ("2026-02", 3)], "bar", "month", "posts")
    assert counts.note == "n = 5 posts in 2 months, 2026-01 to 2026-02; axis from 0"
    high = draw("t", ("at", "views"), [("2026-01-01", 900), ("2026-01-08", 950)], "step", "at", "views")
    assert "the axis of views does not begin at 0" in high.note
    clinics = [(f"2026-{month:02}", f"c{name}", 1) for month in (1, 2) for name in range(40)]
    assert "7 of 40 by colour" in draw("t", ("m", "c", "n"), clinics, "bar", "m", "n", "c").note
    assert draw("t", ("at", "views"), [("2026-01-01", None)], "step", "at", "views").note.startswith("There are no")


@pytest.mark.parametrize(
    ("columns", "rows", "title"),
    [
        (("day", "views"), [("2026-01-01", 1), ("2026-01-02", 2)], "views by day"),
        (("published_on", "title", "word_count"), [("2026-01-01", "a", 9), ("2026-01-01", "b", 8)], "word count by"),
        (("m", "clinic", "n"), [("2026-01", "a", 1), ("2026-01", "b", 2)], "n by m"),
        (("title", "views"), [("a", 1), ("b", 2)], None),  # no date
        (("day", "post_id"), [("2026-01-01", 1), ("2026-01-02", 2)], None),  # no number that measures anything
        (("2026-13-45",), [("2026-13-45",)], None),
        (("day", "n"), [], None),
        (("n", "n", "day"), [(1, 2, "2026-01-01")], None),  # columns of one name
        (("a.b[0]", "n'\"]"), [("2026-01-01", 1e300), ("2026-01-02", float("inf")), ("2026-01-03", -1)], "n'\"] by"),
    ],
)
def test_sql_with_a_date_and_a_number_has_a_chart(
    columns: tuple[str, ...], rows: list[tuple[object, ...]], title: str | None
) -> None:
    chart = chart_of_sql(columns, rows)
    if title is None:
        assert chart is None
    else:
        assert chart is not None
        assert chart.title.startswith(title)
        assert chart.svg is not None


def test_errors_of_sql_say_what_is_near() -> None:
    known = described({**TABLES, **{name: {"columns": {}} for name in views() if name not in TABLES}})
    assert in_words("no such column: p.titel", *known).startswith("There is no column titel. Near to it: title")
    assert "posts" in in_words("no such table: post", *known)
    assert in_words('near "form": syntax error', *known) == "SQLite does not understand the query at “form”."
    assert in_words("incomplete input", *known).startswith("The query ends too early")
    assert in_words("no such function: foo", *known) == "There is no function foo."


def test_examples_of_sql_run_and_every_question_has_a_group(tmp_path: Path) -> None:
    with made(tmp_path / "a") as archive:
        archive.fold(extraction(1, post(views=3, published_at="2026-01-02")))
        for title, sql in EXAMPLES:
            try:
                assert archive.db.conn.execute(sql, {"word": "sleep"}).fetchall(), title
            except sqlite3.Error as error:
                raise AssertionError(title) from error
    listed = [question.name for _, found in grouped() for question in found]
    assert sorted(listed) == sorted(questions())
    assert next(title for title, _ in grouped()) == GROUPS["edits"]
