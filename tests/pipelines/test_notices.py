"""A problem that stays is printed on its first day, then once a week with its age."""

from __future__ import annotations

import hashlib
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
from pipelines.run.notices import (
    FORGET_AFTER,
    MAX_LINES,
    MEMORY_FILE,
    REPEAT_INTERVAL,
    RUN,
    Notice,
    Seen,
    due_notices,
    emit,
    notices_of,
    problem_of,
    shortened,
    without_numbers,
)
from pipelines.run.outcome.judgement import resolved
from pipelines.run.report import problem_notices
from scraper.items import Problem
from tests.pipelines.run.test_report import outcome
from tests.soak import SOAK
from tests.visiting import Visiting

DAY = timedelta(days=1)
BEGIN = datetime(2026, 3, 1, 3, 17, tzinfo=UTC)
STORIES = 2000 if SOAK else 80


class Err(io.StringIO):
    """Where stderr goes."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def printed(
    archive: Path,
    at: datetime,
    lines: Sequence[str | Notice],
    over: Sequence[str] = ("a", "b", RUN),
    *,
    left: Mapping[str, Collection[str]] | None = None,
    terminal: bool = False,
) -> list[str]:
    """What a run at that moment prints; its visits to `over` are complete, except for the pages that it `left` out."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return at

    with pytest.MonkeyPatch.context() as patch, redirect_stderr(Err(terminal=terminal)) as err:
        patch.setattr(notices, "datetime", Clock)
        notices_met = [line if isinstance(line, Notice) else notices_of([line], ("a", "b"))[0] for line in lines]
        emit(archive, notices_met, dict.fromkeys(over, ()) | dict(left or {}))
    return err.getvalue().splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / MEMORY_FILE).parent.mkdir()
    return tmp_path


def test_first_day_then_weekly_with_its_age(folder: Path) -> None:
    days = {day: printed(folder, BEGIN + day * DAY, ["a: degraded: no longer given: author"]) for day in range(16)}
    assert {day: lines for day, lines in days.items() if lines} == {
        0: ["a: degraded: no longer given: author"],
        7: ["a: degraded: no longer given: author (for 7 days)"],
        14: ["a: degraded: no longer given: author (for 14 days)"],
    }


def test_weekly_by_a_crontab_that_begins_at_random(folder: Path) -> None:
    """A run within fifteen minutes, which ends earlier or later: still the same day of the week."""
    minutes = [14, 3, 9, 0, 12, 5, 7, 2, 11, 13, 1, 8, 10, 4, 0, 6]
    mailed_on = [
        day
        for day, late in enumerate(minutes)
        if printed(folder, BEGIN + day * DAY + timedelta(minutes=late), ["a: odd"])
    ]
    assert mailed_on == [0, 7, 14]


def test_what_comes_back_is_new(folder: Path) -> None:
    assert printed(folder, BEGIN, ["a: odd"]) == ["a: odd"]
    assert printed(folder, BEGIN + DAY, []) == []
    assert printed(folder, BEGIN + 2 * DAY, ["a: odd"]) == ["a: odd"]


def test_a_run_that_did_not_see_a_clinic_says_nothing_of_it(folder: Path) -> None:
    assert printed(folder, BEGIN, ["a: odd", "b: odd"]) == ["a: odd", "b: odd"]
    assert printed(folder, BEGIN + DAY, ["b: odd"], over=["b"]) == []
    assert printed(folder, BEGIN + 2 * DAY, ["a: odd"]) == []


def test_a_page_that_was_not_asked_for_keeps_its_problem(folder: Path) -> None:
    """It is due every thirty days: printed with its age then, and forgotten when a visit finds the page in order."""
    odd, left = "a: https://www.a.example/post/sleep: no title", {"a": {"a.example/post/sleep"}}
    assert printed(folder, BEGIN, [odd]) == [odd]
    assert printed(folder, BEGIN + DAY, [], left=left) == []
    assert printed(folder, BEGIN + 30 * DAY, [odd]) == [f"{odd} (for 30 days)"]
    assert printed(folder, BEGIN + 31 * DAY, [], left={"a": {"a.example/post/rest"}}) == []
    assert printed(folder, BEGIN + 60 * DAY, [odd]) == [odd]


@given(st.text())
def test_any_address_in_a_line(text: str) -> None:
    emit(Path("/nowhere"), notices_of([f"a: https://{text}"]))


def test_a_clinic_that_is_visited_no_more_is_forgotten(folder: Path) -> None:
    printed(folder, BEGIN, ["a: odd", "b: odd"])
    printed(folder, BEGIN + FORGET_AFTER, ["b: odd"], over=["b"])
    assert list(json.loads((folder / MEMORY_FILE).read_text())) == ["b"]
    assert printed(folder, BEGIN + FORGET_AFTER + DAY, ["a: odd"]) == ["a: odd"]


def test_all_of_it_on_a_terminal_which_is_not_who_is_mailed(folder: Path) -> None:
    assert printed(folder, BEGIN, ["a: odd"], terminal=True) == ["a: odd"]
    assert printed(folder, BEGIN + DAY, ["a: odd"]) == ["a: odd (for 1 day)"]
    assert printed(folder, BEGIN + 2 * DAY, ["a: odd"]) == []
    assert printed(folder, BEGIN + 3 * DAY, ["a: odd"], terminal=True) == ["a: odd (for 3 days)"]
    assert printed(folder, BEGIN + 8 * DAY, ["a: odd"]) == ["a: odd (for 8 days)"]


def test_on_a_real_terminal(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pipelines.run.notices import *;"
        " emit(Path(sys.argv[1]), notices_of(['x: odd']))"
    )
    screen, terminal = pty.openpty()
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code, folder], stderr=terminal, check=True, cwd=Path(__file__).parents[2])
        assert os.read(screen, 1000) == b"x: odd\r\n"
    os.close(screen)
    os.close(terminal)


def test_no_more_lines_than_are_read_and_none_that_is_new_behind_them(folder: Path) -> None:
    old = [f"a: https://a.example/post/{n}: no title" for n in range(50)]
    lines = printed(folder, BEGIN, old)
    assert lines == [*old[:MAX_LINES], "a: and 30 more problems; the table `problems` lists them all"]
    assert printed(folder, BEGIN + DAY, [*old, "a: another"]) == ["a: another"]
    assert printed(folder, BEGIN + 2 * DAY, [*reversed(old), "a: another"]) == []
    assert len(printed(folder, BEGIN + 7 * DAY, old)) == MAX_LINES + 1


def test_many_clinics_have_a_line_for_each_kind_of_problem() -> None:
    pages = [Notice(f"c{n}", f"c{n}: https://c{n}.example/: answered 500", "http-500", f"https://c{n}.example/")
             for n in range(25)]  # fmt: skip
    visits = [Notice(f"c{n}", f"c{n}: failed: nothing found") for n in range(30, 32)]
    run = Notice(RUN, "warc/_runs/a: cut back")
    alone = Notice("c40", "c40: moved_or_gone: its home page leads elsewhere")
    assert shortened([*pages, run, *visits, alone]) == [
        run.line,
        "25 times http-500 (c0, c1, c2 and 22 more); `clinic-archive export problems` lists them",
        "2 times failed (c30, c31); `clinic-archive status` lists them",
        alone.line,
    ]
    assert shortened(pages[:MAX_LINES]) == [notice.line for notice in pages[:MAX_LINES]]


def test_more_problems_than_are_remembered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file stays as small, and those that fit are the same each time."""
    monkeypatch.setattr(notices, "MAX_PROBLEMS", 60)
    old = [f"a: https://a.example/post/{n}: no title" for n in range(50)]
    printed(folder, BEGIN, old)
    many = [f"b: https://b.example/post/{n}: no title" for n in range(80)]
    for day in range(1, 5):
        lines = printed(folder, BEGIN + day * DAY, [*many, *old])
        assert [line for line in lines if line.startswith("a")] == []
        assert sum(map(len, json.loads((folder / MEMORY_FILE).read_text()).values())) == 60


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"a": 3}', '{"a": {"x": ["soon", null, "soon"]}}', '{"a": {"x": [null, null, null]}}',
     '{"a": {"x": ["2026-03-01"]}}', '{"a": {"x": ["2026-03-01", null, "2026-03-01", 3]}}',
     '{"a": {"x": ["2026-03-01", null, "2026-03-01"]}}', '{"a": {"x": [1, 2, 3]}}', "é", "[" * 100_000,
     '{"a": {"x": ["0001-01-01T00:00:00+14:00", null, "0001-01-01T00:00:00+14:00", null]}}'],
)  # fmt: skip
def test_a_damaged_memory_is_an_empty_one(folder: Path, text: str) -> None:
    printed(folder, BEGIN, ["a: odd"])
    (folder / MEMORY_FILE).write_text(text, "latin-1")
    assert printed(folder, BEGIN + DAY, ["a: odd"]) == ["a: odd"]
    assert printed(folder, BEGIN + 2 * DAY, ["a: odd"]) == []


def test_where_nothing_can_be_remembered_all_is_printed(tmp_path: Path) -> None:
    for _ in range(2):
        assert printed(tmp_path, BEGIN, ["a: odd"]) == ["a: odd"]
    (tmp_path / "file").write_text("a file")
    assert printed(tmp_path / "file", BEGIN, ["a: odd"]) == ["a: odd"]
    (tmp_path / MEMORY_FILE).mkdir(parents=True)  # what cannot be replaced
    assert printed(tmp_path, BEGIN, ["a: odd"]) == ["a: odd"]
    assert [path.name for path in (tmp_path / "log").iterdir()] == ["told.json"]


def test_a_clock_that_was_wrong_silences_nothing(folder: Path) -> None:
    printed(folder, BEGIN + 4000 * DAY, ["a: odd", "b: odd"])
    assert printed(folder, BEGIN, ["a: odd"], over=["a"]) == ["a: odd"]
    assert printed(folder, BEGIN + 7 * DAY, ["a: odd"], over=["a"]) == ["a: odd (for 7 days)"]
    printed(folder, BEGIN + FORGET_AFTER, [], over=["a"])
    assert json.loads((folder / MEMORY_FILE).read_text()) == {}


def test_without_problems_there_is_no_file(folder: Path) -> None:
    assert printed(folder, BEGIN, []) == []
    assert list((folder / "log").iterdir()) == []


@pytest.mark.parametrize(
    ("line", "other"),
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
def test_words_of_the_same_problem(line: str, other: str) -> None:
    assert without_numbers(line) == without_numbers(other)


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("a: https://a.example/post/7: odd", "a: https://a.example/post/8: odd"),
        ("a: https://a.example/c?id=7: odd", "a: https://a.example/c?id=8: odd"),
        ("st-mary-1: odd", "st-mary-2: odd"),
        ("a: failed: no such host", "a: failed: nobody listens there"),
        (
            "a: degraded: no longer given: author (by 0 of 9 posts)",
            "a: degraded: no longer given: title (by 0 of 9 posts)",
        ),
    ],
)
def test_words_of_another_problem(line: str, other: str) -> None:
    assert without_numbers(line) != without_numbers(other)


def test_what_a_line_is_about() -> None:
    lines = [
        "a: odd",
        "warc/b-2/b-2-20260301.warc.gz: killed",
        "warc/_runs/x.warc.gz: torn",
        "/srv/var: full",
        "var: x",
    ]
    assert [notice.about for notice in notices_of(lines, ["a"])] == ["a", "b-2", RUN, RUN, RUN]


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


UNREAD = Notice("a", "a: https://a.example/post/7: answered 500", "http-500", "https://a.example/post/7")


def test_a_reworded_line_is_the_same_problem(folder: Path) -> None:
    """By kind and address: not mailed again, and with its age when it is due."""
    assert printed(folder, BEGIN, [UNREAD]) == [UNREAD.line]
    reworded = UNREAD._replace(line="a: the page https://a.example/post/7 could not be read (status 500)")
    assert printed(folder, BEGIN + DAY, [reworded]) == []
    assert printed(folder, BEGIN + 7 * DAY, [reworded]) == [f"{reworded.line} (for 7 days)"]
    assert printed(folder, BEGIN + 8 * DAY, []) == []
    assert printed(folder, BEGIN + 9 * DAY, [reworded]) == [reworded.line], "it went away in between"


@pytest.mark.parametrize(
    "other",
    [
        UNREAD._replace(url="https://a.example/post/8"),
        UNREAD._replace(url="https://a.example/post/7?page=2"),
        UNREAD._replace(kind="not-a-post"),
        UNREAD._replace(about="b"),
        UNREAD._replace(kind="missing-field title"),
    ],
)
def test_another_address_kind_or_clinic_is_another_problem(folder: Path, other: Notice) -> None:
    assert printed(folder, BEGIN, [UNREAD]) == [UNREAD.line]
    other = other._replace(line="b: in other words")
    assert printed(folder, BEGIN + DAY, [UNREAD, other]) == [other.line]


@pytest.mark.parametrize(
    "other",
    [
        UNREAD._replace(kind="http-503"),
        UNREAD._replace(url="http://www.a.example/post/7"),
        UNREAD._replace(line="a: 12 other words"),
    ],
)
def test_the_same_problem_by_kind_and_address(other: Notice) -> None:
    assert problem_of(UNREAD) == problem_of(other)


def test_tokens_in_an_address_make_no_other_problem() -> None:
    first, second = (UNREAD._replace(url=f"https://a.example/c?id=7&cursor={letter * 60}") for letter in "xy")
    assert problem_of(first) == problem_of(second)


@pytest.mark.parametrize("notice", [UNREAD._replace(url=None), UNREAD._replace(kind=None)])
def test_without_kind_or_address_the_words_count(folder: Path, notice: Notice) -> None:
    assert printed(folder, BEGIN, [notice]) == [notice.line]
    assert printed(folder, BEGIN + DAY, [notice]) == []
    reworded = notice._replace(line="a: the page could not be read")
    assert printed(folder, BEGIN + 2 * DAY, [reworded]) == [reworded.line]


def remembered_by_words(file: Path, line: str, at: datetime) -> str:
    """What version 0.1.0 wrote after a run that printed the line: the digest of its words, and of its page."""
    digests = [
        hashlib.sha256(text.encode()).hexdigest()[:16]
        for text in ("a: https://a.example/post/7: answered #", "a.example/post/7")
    ]
    assert without_numbers(line) == "a: https://a.example/post/7: answered #"
    file.write_text(json.dumps({"a": {digests[0]: [*[at.isoformat()] * 3, digests[1]]}}))
    return digests[0]


def test_an_upgrade_mails_nothing_twice(folder: Path) -> None:
    """A problem that is remembered by its words is known, keeps its age, and is remembered by kind and address."""
    digest = remembered_by_words(folder / MEMORY_FILE, UNREAD.line, BEGIN)
    assert printed(folder, BEGIN + DAY, [UNREAD]) == []
    ((later, entry),) = json.loads((folder / MEMORY_FILE).read_text())["a"].items()
    assert later != digest
    assert entry[:2] == [BEGIN.isoformat()] * 2
    assert printed(folder, BEGIN + 2 * DAY, [UNREAD._replace(line="a: in other words")]) == []
    assert printed(folder, BEGIN + 7 * DAY, [UNREAD]) == [f"{UNREAD.line} (for 7 days)"]


def test_a_problem_remembered_by_its_words_is_forgotten_as_any_other(folder: Path) -> None:
    remembered_by_words(folder / MEMORY_FILE, UNREAD.line, BEGIN)
    assert printed(folder, BEGIN + DAY, [], left={"a": {"a.example/post/7"}}) == []
    assert printed(folder, BEGIN + 2 * DAY, []) == []
    assert json.loads((folder / MEMORY_FILE).read_text()) == {}
    assert printed(folder, BEGIN + 3 * DAY, [UNREAD]) == [UNREAD.line]


def test_two_lines_of_one_problem_are_both_printed_and_remembered_once() -> None:
    other = UNREAD._replace(line="a: and once more")
    due, after = due_notices({}, [UNREAD, other], {}, BEGIN)
    assert due == [UNREAD, other]
    assert list(after.values()) == [Seen(BEGIN, BEGIN, BEGIN, next(iter(after.values())).page)]


def test_a_run_gives_kind_and_address_of_its_problems(tmp_path: Path) -> None:
    """Also for the line about an unread post, which repeats the message of the problem."""
    with Visiting(tmp_path) as visiting:
        done = outcome("done", platform="wix", failure_lines=["https://r.example/post/7: answered 500; asked 3 times"])
        done.problems += [
            Problem(kind="http-500", message="https://r.example/post/7: answered 500", url="https://r.example/post/7"),
            Problem(kind="missing-field", message="no title", url="https://r.example/post/8", field="title"),
            Problem(kind="missing-field", message="no title", url="https://r.example/post/8", field="title"),
            Problem(kind="busy", message="answered 429", url="https://r.example/post/9"),
        ]
        done.visit.recovered_problems = {"answered 429"}
        visiting.run.outcomes = {"riverside": done, "lake": outcome("failed", failure="no such host")}
        assert problem_notices(visiting.run) == [
            Notice(
                "riverside",
                "riverside: https://r.example/post/7: answered 500; asked 3 times",
                "http-500",
                "https://r.example/post/7",
            ),
            Notice("riverside", "riverside: no title", "missing-field title", "https://r.example/post/8"),
            Notice("lake", "lake: failed: no such host"),
        ]


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
        (Path(folder) / MEMORY_FILE).parent.mkdir()
        for number, (hours, met, over, terminal) in enumerate(story):
            at += timedelta(hours=hours)
            for problem in [problem for problem in since if problem not in met]:
                if notices_of([problem], ("a", "b"))[0].about in over:
                    del since[problem]
                    last.pop(problem, None)
            lines = {problem: problem.format(number) for problem in sorted(met)}
            lines_printed = printed(Path(folder), at, list(lines.values()), sorted(over), terminal=terminal)
            expected = []
            for problem, line in lines.items():
                days = (at - since.setdefault(problem, at)).days
                if terminal or problem not in last or at - last[problem] >= REPEAT_INTERVAL:
                    expected.append(line + ("" if not days else " (for 1 day)" if days == 1 else f" (for {days} days)"))
                    if not terminal:
                        last[problem] = at
            assert lines_printed == expected
            assert terminal or all(at - last[problem] < REPEAT_INTERVAL for problem in met)


def test_notices_keep_their_order(folder: Path) -> None:
    lines = ["/srv: full", "b: odd", "a: odd", "b: odder"]
    assert printed(folder, BEGIN, lines) == lines
    assert notices_of(lines, ["a", "b"])[1] == Notice("b", "b: odd")
