"""What verbs print, and on what: a terminal, a file, or a program that wants JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from pipelines.commands import _output
from pipelines.commands._output import MAX_LINES, counted, finish, print_problems
from pipelines.exit_codes import ExitCode


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_output, "is_terminal", lambda: True)


def unread() -> Iterator[str]:
    pytest.fail("the lines are not needed")
    yield ""


def test_on_a_terminal_the_lines_are_printed(terminal: None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        finish({"a": 1}, ["one", "two"], as_json=False)
    assert (ending.value.code, capsys.readouterr().out) == (0, "one\ntwo\n")


def test_without_a_terminal_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        finish({"a": 1}, unread(), as_json=False, code=ExitCode.STALE)
    assert (ending.value.code, capsys.readouterr().out) == (7, "")


def test_what_was_asked_for_is_always_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        finish({}, ["one"], as_json=False, always=True)
    assert capsys.readouterr().out == "one\n"


@pytest.mark.parametrize("always", [True, False])
def test_as_json_it_is_one_object_with_the_exit_code(
    always: bool, terminal: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        finish({"name": "Ärzte"}, unread(), as_json=True, code=ExitCode.INTEGRITY, always=always)
    out = capsys.readouterr().out
    assert (ending.value.code, json.loads(out)) == (6, {"name": "Ärzte", "exit_code": 6})
    assert out == '{"name": "Ärzte", "exit_code": 6}\n'


def test_no_more_problems_than_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    print_problems([f"line {number}" for number in range(MAX_LINES + 3)], about="var", noun="record")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MAX_LINES + 1
    assert lines[-1] == "var: and 3 more records; --json lists them all"
    print_problems(["a", "b"], most=1)
    assert capsys.readouterr().err == "a\nand 1 more problem; --json lists them all\n"
    print_problems([])
    assert capsys.readouterr().err == ""


def test_counted() -> None:
    assert [counted(number, "post") for number in (0, 1, 2, 1200)] == ["0 posts", "1 post", "2 posts", "1,200 posts"]
