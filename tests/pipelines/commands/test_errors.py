"""Every error that a verb may end with has one exit code and gives one line."""

from __future__ import annotations

import errno
import importlib
import pkgutil
import re
import sqlite3
from pathlib import Path

import pytest

from archive.backup.snapshots import BackupDamaged
from archive.db import ArchiveError, LostDatabase, NewerSchema, NotAnArchive
from archive.export import TooManyRows, Unknown
from archive.warc import BadRecord, WarcWriteError
from pipelines.commands import _errors
from pipelines.commands._errors import ENDINGS, exit_on_error
from pipelines.exit_codes import ExitCode
from pipelines.run.key import BadKey
from pipelines.run.locking import Locked
from scraper.config.toml_file import ConfigError

PAGE = (Path(__file__).parents[3] / "docs" / "exit-codes.md").read_text("utf-8")
BAD_RECORD = BadRecord("warc/a.warc.gz", 7, "torn")
FULL = OSError(errno.ENOSPC, "No space left on device")
BUSY = sqlite3.OperationalError("database is locked")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (Locked("var: held"), 75, "var: held"),
        (ConfigError("clinics.toml:1: odd"), 4, "clinics.toml:1: odd"),
        (BadKey("key: gone"), 4, "key: gone"),
        (LostDatabase("db: gone"), 4, "db: gone"),
        (NewerSchema("db: newer"), 4, "db: newer"),
        (NotAnArchive("db: other"), 6, "db: other"),
        (ArchiveError("db: odd"), 1, "db: odd; nothing done"),
        (WarcWriteError("warc: odd"), 1, "warc: odd; nothing done"),
        (BAD_RECORD, 6, f"{BAD_RECORD}; nothing done"),
        (BackupDamaged("file: odd"), 6, "file: odd; nothing done"),
        (Unknown("no table 'x'"), 2, "no table 'x'; nothing done"),
        (TooManyRows("x: many"), 1, "x: many; nothing done"),
        (ImportError("x: not installed"), 1, "x: not installed"),
        (FULL, 1, "var: No space left on device; nothing done; free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "a"), 1, "var: Permission denied; nothing done"),
        (FileNotFoundError("var: no archive here"), 1, "var: no archive here; nothing done"),
        (BUSY, 1, "var: database is locked; nothing done"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_ends_the_process_with_a_code_and_a_line(
    error: Exception, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending, exit_on_error("var", "nothing done"):
        raise error
    assert (ending.value.code, capsys.readouterr()) == (code, ("", f"{line}\n"))
    assert ending.value.__notes__ == [line], "the watcher is sent the line"


def test_without_an_outcome_the_line_ends_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), exit_on_error("var"):
        raise BUSY
    assert capsys.readouterr().err == "var: database is locked\n"


def test_a_verb_may_have_a_code_of_its_own() -> None:
    with pytest.raises(SystemExit) as ending, exit_on_error("var", codes={BadRecord: ExitCode.UNEXPECTED}):
        raise BAD_RECORD
    assert ending.value.code == 1


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), KeyboardInterrupt(), SystemExit(3)])
def test_any_other_exception_passes(error: BaseException) -> None:
    with pytest.raises(type(error)) as passed, exit_on_error("var"):
        raise error
    assert passed.value is error


def test_the_drawing_shows_every_error_with_its_code() -> None:
    """The tree at the top of the module is what a reader looks at first."""
    drawn = dict(re.findall(r"^ +(?:[├└]── )?([\w.]+) +(\d+)  \w", _errors.__doc__ or "", re.MULTILINE))
    codes = {kind.__name__: str(code) for kind, (code, _) in ENDINGS.items()}
    codes["sqlite3.Error"] = codes.pop("Error")
    assert drawn == codes


def test_every_exit_code_is_explained() -> None:
    for code in ExitCode:
        assert re.search(rf"^\| {code} \|", PAGE, re.MULTILINE), f"docs/exit-codes.md does not explain exit code {code}"


def test_no_verb_turns_errors_into_codes_on_its_own() -> None:
    """`exit_on_error` does it; a verb catches only what it words in its own way."""
    package = importlib.import_module("pipelines.commands")
    for module in pkgutil.iter_modules(package.__path__):
        text = (Path(package.__path__[0]) / f"{module.name}.py").read_text("utf-8")
        ladders = re.findall(r"except (?:.*\n) +fail\(str\(error\), ", text)
        assert len(ladders) <= (module.name == "_archive"), f"{module.name}: use exit_on_error"
