"""Tasks 15 to 26: numbers, and files for other programs."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.tasks import known
from tests.tasks.known import ALL, CLINICS, VISITS, WEEKS, Known, gain
from tests.tasks.recipes import follow, lines, recipes, run

pytestmark = pytest.mark.usefixtures("owner")


def of_title(title: str) -> Known:
    """The post of a title: "Note 3 of hilltop", "Note 20 of meadow, revised"."""
    _, number, _, clinic = title.partition(",")[0].split()
    return Known(clinic, int(number))


def is_seen(post: Known, visit: int) -> bool:
    return post != known.REMOVED or visit < 2


# What each post gained in each week after the first, and its views then.
GAINED = {
    (WEEKS[visit], post): (post.views(visit), post.views(visit) - post.views(visit - 1))
    for post in ALL
    for visit in (1, 2, 3)
    if is_seen(post, visit)
}
BY_CLINIC = Counter[tuple[str, str]]()
for (_week, _post), (_, _added) in GAINED.items():
    BY_CLINIC[_week, _post.clinic] += _added


def test_15_views_a_week_a_post() -> None:
    follow(15)
    rows = lines("weeks.csv")
    assert len(rows) == len(GAINED) + len(ALL)
    first = [row for row in rows if row["week"] == WEEKS[0]]
    assert {row["views_added"] for row in first} == {""}  # nothing was read before
    later = {
        (row["week"], of_title(row["title"])): (int(row["views"]), int(row["views_added"]))
        for row in rows
        if row["week"] != WEEKS[0]
    }
    assert later == GAINED


def test_16_views_gained_between_two_days() -> None:
    follow(16)
    found = {of_title(row["title"]): row["views_gained"] for row in lines("gained.csv")}
    # The removed post was read at the first two visits alone.
    assert found == {post: str(gain(post.clinic) * (1 if post == known.REMOVED else 2)) for post in ALL}


def test_17_counters_that_fell() -> None:
    follow(17)
    (row,) = lines("fell.csv")
    assert (of_title(row["title"]), row["counter"], row["change"], row["read_at"][:10]) == (
        known.FELL, "views", "-3", f"{VISITS[3]:%Y-%m-%d}",
    )  # fmt: skip


def test_18_posting_rhythm() -> None:
    follow(18)
    wanted = Counter((f"{post.published:%Y-%m}", post.clinic) for post in ALL)
    assert {(row["month"], row["clinic_id"]): int(row["posts"]) for row in lines("rhythm.csv")} == wanted


def test_19_days_to_the_first_comment() -> None:
    follow(19)
    found = {of_title(row["title"]): row["days_to_first_comment"] for row in lines("first.csv")}
    assert found == {Known("riverside", 1): "2.0", Known("riverside", 2): "0.5"}


def test_20_how_fast_the_clinic_replies() -> None:
    follow(20)
    (row,) = lines("replies.csv")
    assert (of_title(row["post_title"]), row["hours_to_reply"]) == (Known("riverside", 1), "6.0")


def test_21_clinics_by_attribute() -> None:
    follow(21)
    found = {row["value"]: (int(row["clinics"]), int(row["posts"])) for row in lines("states.csv")}
    assert found == {"NY": (2, 80), "CA": (2, 80), "": (1, 40)}


def test_22_a_query_of_ones_own() -> None:
    with closing(sqlite3.connect("file:var/archive.db?mode=ro", uri=True)) as db:
        found = dict(db.execute(recipes()[22].typed[0]).fetchall())
    assert found == {clinic: 40 - (clinic == known.REMOVED[0]) for clinic in CLINICS}


def test_23_a_spreadsheet_with_dates_and_numbers() -> None:
    follow(23)
    head, *rows = openpyxl.load_workbook("posts.xlsx")["rows"].iter_rows(values_only=True)
    cells = [dict(zip(head, row, strict=True)) for row in rows]
    assert len(cells) == len(ALL)
    for cell in cells:
        post, views, on, at = (cell[name] for name in ("title", "views", "published_on", "views_read_at"))
        known_post = of_title(str(post))
        last = 1 if known_post == known.REMOVED else 3
        assert (type(views), views) == (int, known_post.views(last))
        assert isinstance(on, datetime) and on.date() == known_post.published
        assert isinstance(at, datetime) and at.date() == VISITS[last].date()


@pytest.fixture(name="parquet", scope="module")
def fixture_parquet(_known: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the recipe of task 24 was followed."""
    folder = tmp_path_factory.mktemp("parquet")
    (folder / "var").symlink_to(_known / "var")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        follow(24)
    return folder


def test_24_weekly_views_in_pandas(parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed: the weekly views were not read with it")
    monkeypatch.chdir(parquet)
    weeks = eval(recipes()[24].typed[1], {"pd": pandas})
    assert str(weeks["views_added"].dtype) == "int64[pyarrow]"
    gained = weeks.groupby(["week", "clinic_id"])["views_added"].sum(min_count=1)
    found = {key: int(value) for key, value in gained.items() if key[0] != WEEKS[0]}
    assert found == dict(BY_CLINIC)
    assert gained[WEEKS[0]].isna().all()  # NULL stays NULL


def test_25_typed_tables_in_duckdb(tmp_path: Path, owner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed: its typed tables were not made")
    (tmp_path / "var").symlink_to(owner / "var")
    monkeypatch.chdir(tmp_path)
    follow(25)
    monkeypatch.chdir("exports")
    with duckdb.connect() as duck:
        duck.execute(Path("load.sql").read_text("utf-8"))
        sql = "SELECT week, clinic_id, sum(views_added) FROM counts_by_week WHERE views_added IS NOT NULL GROUP BY ALL"
        assert {(week, clinic): int(total) for week, clinic, total in duck.sql(sql).fetchall()} == dict(BY_CLINIC)
        ((day, read_at),) = duck.sql(
            "SELECT max(published_on), typeof(max(views_read_at)) FROM posts_with_counts"
        ).fetchall()
        assert (day, read_at) == (max(post.published for post in ALL), "TIMESTAMP WITH TIME ZONE")
        assert isinstance(day, date)
    described = json.loads(Path("datapackage.json").read_text("utf-8"))
    assert {resource["name"] for resource in described["resources"]} >= {"posts", "counts_by_week"}


def test_26_two_archives_united_in_polars(parquet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    polars: Any = pytest.importorskip("polars", reason="polars is not installed: two archives were not united")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parquet").symlink_to(parquet / "parquet")
    with closing(sqlite3.connect(parquet / "var" / "archive.db")) as db:
        (tmp_path / "second").mkdir()
        db.execute("VACUUM INTO ?", [str(tmp_path / "second" / "archive.db")])
    with closing(sqlite3.connect("second/archive.db")) as db:  # the other archive has one clinic more to say nothing of
        db.execute("UPDATE posts SET published_at = NULL, word_count = NULL")
        db.commit()
    run("clinic-archive export --all other --format parquet --archive second")
    both = eval(recipes()[26].typed[0], {"pl": polars})
    assert both.height == 2 * len(ALL)
    assert both.schema["word_count"] == polars.Int64
    assert both["word_count"].null_count() == len(ALL)
    shutil.rmtree("other")
