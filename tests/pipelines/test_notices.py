"""A problem that stays is told on its first day, then once a week with its age."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import redirect_stderr
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.run import notices
from pipelines.run.notices import AGAIN, FILE, FORGOTTEN, MOST_LINES, RUN, Notice, emit, notices_of, problem_of
from pipelines.run_report import resolved
from tests.pipelines.test_run_report import outcome
from tests.visiting import Visiting

DAY = timedelta(days=1)
BEGIN = datetime(2026, 3, 1, 3, 17, tzinfo=UTC)
STORIES = 2000 if os.environ.get("SOAK") else 80


class Err(io.StringIO):
    """Where stderr goes."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def said(
    archive: Path,
    at: datetime,
    lines: Sequence[str],
    over: Sequence[str] = ("a", "b", RUN),
    *,
    left: Mapping[str, Collection[str]] | None = None,
    terminal: bool = False,
) -> list[str]:
    """What a run at that moment prints that saw `over` to its end, but for the pages that it `left`."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return at

    with pytest.MonkeyPatch.context() as patch, redirect_stderr(Err(terminal=terminal)) as err:
        patch.setattr(notices, "datetime", Clock)
        emit(archive, notices_of(lines, ("a", "b")), dict.fromkeys(over, ()) | dict(left or {}))
    return err.getvalue().splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / FILE).parent.mkdir()
    return tmp_path


def test_first_day_then_weekly_with_its_age(folder: Path) -> None:
    days = {day: said(folder, BEGIN + day * DAY, ["a: degraded: told no more: author"]) for day in range(16)}
    assert {day: lines for day, lines in days.items() if lines} == {
        0: ["a: degraded: told no more: author"],
        7: ["a: degraded: told no more: author (for 7 days)"],
        14: ["a: degraded: told no more: author (for 14 days)"],
    }


def test_weekly_by_a_crontab_that_begins_at_random(folder: Path) -> None:
    """A run within fifteen minutes, which ends earlier or later: still the same day of the week."""
    minutes = [14, 3, 9, 0, 12, 5, 7, 2, 11, 13, 1, 8, 10, 4, 0, 6]
    told_on = [
        day for day, late in enumerate(minutes) if said(folder, BEGIN + day * DAY + timedelta(minutes=late), ["a: odd"])
    ]
    assert told_on == [0, 7, 14]


def test_what_comes_back_is_new(folder: Path) -> None:
    assert said(folder, BEGIN, ["a: odd"]) == ["a: odd"]
    assert said(folder, BEGIN + DAY, []) == []
    assert said(folder, BEGIN + 2 * DAY, ["a: odd"]) == ["a: odd"]


def test_a_run_that_did_not_see_a_clinic_says_nothing_of_it(folder: Path) -> None:
    assert said(folder, BEGIN, ["a: odd", "b: odd"]) == ["a: odd", "b: odd"]
    assert said(folder, BEGIN + DAY, ["b: odd"], over=["b"]) == []
    assert said(folder, BEGIN + 2 * DAY, ["a: odd"]) == []


def test_a_page_that_was_not_asked_for_keeps_its_problem(folder: Path) -> None:
    """It is due once in thirty days: told with its age then, and forgotten when it was asked for and was well."""
    odd, left = "a: https://www.a.example/post/sleep: no title", {"a": {"a.example/post/sleep"}}
    assert said(folder, BEGIN, [odd]) == [odd]
    assert said(folder, BEGIN + DAY, [], left=left) == []
    assert said(folder, BEGIN + 30 * DAY, [odd]) == [f"{odd} (for 30 days)"]
    assert said(folder, BEGIN + 31 * DAY, [], left={"a": {"a.example/post/rest"}}) == []
    assert said(folder, BEGIN + 60 * DAY, [odd]) == [odd]


@given(st.text())
def test_any_address_in_a_line(text: str) -> None:
    emit(Path("/nowhere"), notices_of([f"a: https://{text}"]))


def test_a_clinic_that_is_visited_no_more_is_forgotten(folder: Path) -> None:
    said(folder, BEGIN, ["a: odd", "b: odd"])
    said(folder, BEGIN + FORGOTTEN, ["b: odd"], over=["b"])
    assert list(json.loads((folder / FILE).read_text())) == ["b"]
    assert said(folder, BEGIN + FORGOTTEN + DAY, ["a: odd"]) == ["a: odd"]


def test_all_of_it_on_a_terminal_which_is_not_who_is_mailed(folder: Path) -> None:
    assert said(folder, BEGIN, ["a: odd"], terminal=True) == ["a: odd"]
    assert said(folder, BEGIN + DAY, ["a: odd"]) == ["a: odd (for 1 day)"]
    assert said(folder, BEGIN + 2 * DAY, ["a: odd"]) == []
    assert said(folder, BEGIN + 3 * DAY, ["a: odd"], terminal=True) == ["a: odd (for 3 days)"]
    assert said(folder, BEGIN + 8 * DAY, ["a: odd"]) == ["a: odd (for 8 days)"]


def test_on_a_real_terminal(folder: Path) -> None:
    code = "import sys; from pathlib import Path; from pipelines.run.notices import *; emit(Path(sys.argv[1]), notices_of(['x: odd']))"  # noqa: E501
    ours, theirs = pty.openpty()
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code, folder], stderr=theirs, check=True, cwd=Path(__file__).parents[2])
        assert os.read(ours, 1000) == b"x: odd\r\n"
    os.close(ours)
    os.close(theirs)


def test_no_more_lines_than_are_read_and_none_that_is_new_behind_them(folder: Path) -> None:
    old = [f"a: https://a.example/post/{n}: no title" for n in range(50)]
    lines = said(folder, BEGIN, old)
    assert lines == [*old[:MOST_LINES], "a: and 30 problems more; the table `problems` has them"]
    assert said(folder, BEGIN + DAY, [*old, "a: another"]) == ["a: another"]
    assert said(folder, BEGIN + 2 * DAY, [*reversed(old), "a: another"]) == []
    assert len(said(folder, BEGIN + 7 * DAY, old)) == MOST_LINES + 1


def test_more_problems_than_are_remembered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file stays as small, and those that fit are the same each time."""
    monkeypatch.setattr(notices, "MOST_PROBLEMS", 60)
    old = [f"a: https://a.example/post/{n}: no title" for n in range(50)]
    said(folder, BEGIN, old)
    many = [f"b: https://b.example/post/{n}: no title" for n in range(80)]
    for day in range(1, 5):
        lines = said(folder, BEGIN + day * DAY, [*many, *old])
        assert [line for line in lines if line.startswith("a")] == []
        assert sum(map(len, json.loads((folder / FILE).read_text()).values())) == 60


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"a": 3}', '{"a": {"x": ["soon", null, "soon"]}}', '{"a": {"x": [null, null, null]}}',
     '{"a": {"x": ["2026-03-01"]}}', '{"a": {"x": ["2026-03-01", null, "2026-03-01", 3]}}',
     '{"a": {"x": ["2026-03-01", null, "2026-03-01"]}}', '{"a": {"x": [1, 2, 3]}}', "é", "[" * 100_000,
     '{"a": {"x": ["0001-01-01T00:00:00+14:00", null, "0001-01-01T00:00:00+14:00", null]}}'],
)  # fmt: skip
def test_a_damaged_memory_is_an_empty_one(folder: Path, text: str) -> None:
    said(folder, BEGIN, ["a: odd"])
    (folder / FILE).write_text(text, "latin-1")
    assert said(folder, BEGIN + DAY, ["a: odd"]) == ["a: odd"]
    assert said(folder, BEGIN + 2 * DAY, ["a: odd"]) == []


def test_where_nothing_can_be_remembered_all_is_told(tmp_path: Path) -> None:
    for _ in range(2):
        assert said(tmp_path, BEGIN, ["a: odd"]) == ["a: odd"]
    (tmp_path / "file").write_text("a file")
    assert said(tmp_path / "file", BEGIN, ["a: odd"]) == ["a: odd"]
    (tmp_path / FILE).mkdir(parents=True)  # what cannot be replaced
    assert said(tmp_path, BEGIN, ["a: odd"]) == ["a: odd"]
    assert [path.name for path in (tmp_path / "log").iterdir()] == ["told.json"]


def test_a_clock_that_was_wrong_silences_nothing(folder: Path) -> None:
    said(folder, BEGIN + 4000 * DAY, ["a: odd", "b: odd"])
    assert said(folder, BEGIN, ["a: odd"], over=["a"]) == ["a: odd"]
    assert said(folder, BEGIN + 7 * DAY, ["a: odd"], over=["a"]) == ["a: odd (for 7 days)"]
    said(folder, BEGIN + FORGOTTEN, [], over=["a"])
    assert json.loads((folder / FILE).read_text()) == {}


def test_without_problems_there_is_no_file(folder: Path) -> None:
    assert said(folder, BEGIN, []) == []
    assert list((folder / "log").iterdir()) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a: failed: 3 of 4 posts could not be read", "a: failed: 1 of 1 post could not be read"),
        ("a: 1 post with unknown counters: x", "a: 12 posts with unknown counters: x"),
        ("a: https://a.example/post/7: answered 500", "a: https://a.example/post/7: answered 503"),
        ("a: no certificate since 2026-03-01T03:17:00.25Z", "a: no certificate since 2027-12-31T00:00:00Z"),
        (f"a: https://a.example/c?id=7&cursor={'x' * 60}: odd", f"a: https://a.example/c?id=7&cursor={'y' * 50}: odd"),
        ("warc/a/a-20260301031700-1a2b3c4d-00000.warc.gz: killed; 3 recorded answers folded in",
         "warc/a/a-20260302031700-9f8e7d6c-00012.warc.gz: killed; 1 recorded answers folded in"),
    ],
)  # fmt: skip
def test_the_same_problem(one: str, other: str) -> None:
    assert problem_of(one) == problem_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a: https://a.example/post/7: odd", "a: https://a.example/post/8: odd"),
        ("a: https://a.example/c?id=7: odd", "a: https://a.example/c?id=8: odd"),
        ("st-mary-1: odd", "st-mary-2: odd"),
        ("a: failed: no such host", "a: failed: nobody listens there"),
        ("a: degraded: told no more: author (by 0 of 9 posts)", "a: degraded: told no more: title (by 0 of 9 posts)"),
    ],
)
def test_another_problem(one: str, other: str) -> None:
    assert problem_of(one) != problem_of(other)


def test_what_a_line_is_about() -> None:
    lines = [
        "a: odd",
        "warc/b-2/b-2-20260301.warc.gz: killed",
        "warc/_runs/x.warc.gz: torn",
        "/srv/var: full",
        "var: x",
    ]
    assert [one.about for one in notices_of(lines, ["a"])] == ["a", "b-2", RUN, RUN, RUN]


def test_what_a_run_saw_to_its_end(tmp_path: Path) -> None:
    with Visiting(tmp_path) as visiting:
        run = visiting.run
        run.outcomes = {
            status: outcome(status)
            for status in ("done", "degraded", "no-blog", "failed", "moved_or_gone", "cut-short", "running")
        }
        run.outcomes["limited"] = outcome("done", limited=True)
        run.outcomes["done"].visit.skipped_keys = {"riverside.example/post/sleep"}
        assert resolved(run) == {
            "done": {"riverside.example/post/sleep"}, "degraded": set(), "no-blog": set(), RUN: set()
        }  # fmt: skip
        run.broken = "disk full"
        assert RUN not in resolved(run)


RUNS = st.lists(
    st.tuples(
        st.integers(1, 80),  # hours since the run before
        st.sets(st.sampled_from(["a: odd, {} times", "a: failed: no host", "b: odd", "/srv: full"]), max_size=4),
        st.sets(st.sampled_from(["a", "b", RUN])),  # seen to the end
        st.integers(0, 5).map(lambda number: number == 0),  # on a terminal
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=STORIES)
@given(RUNS)
def test_any_story(story: list[tuple[int, set[str], set[str], bool]]) -> None:
    at, since, last = BEGIN, {}, {}  # when a problem that stays was first met, and last mailed
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FILE).parent.mkdir()
        for number, (hours, met, over, terminal) in enumerate(story):
            at += timedelta(hours=hours)
            for problem in [one for one in since if one not in met]:
                if notices_of([problem], ("a", "b"))[0].about in over:
                    del since[problem]
                    last.pop(problem, None)
            lines = {problem: problem.format(number) for problem in sorted(met)}
            printed = said(Path(folder), at, list(lines.values()), sorted(over), terminal=terminal)
            expected = []
            for problem, line in lines.items():
                days = (at - since.setdefault(problem, at)).days
                if terminal or problem not in last or at - last[problem] >= AGAIN:
                    expected.append(line + ("" if not days else " (for 1 day)" if days == 1 else f" (for {days} days)"))
                    if not terminal:
                        last[problem] = at
            assert printed == expected
            assert terminal or all(at - last[problem] < AGAIN for problem in met)


def test_complaints_keep_their_order(folder: Path) -> None:
    lines = ["/srv: full", "b: odd", "a: odd", "b: odder"]
    assert said(folder, BEGIN, lines) == lines
    assert notices_of(lines, ["a", "b"])[1] == Notice("b", "b: odd")
