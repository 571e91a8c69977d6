"""The product from outside: its command line as a process, and what it leaves on the disk."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import fastwarc.cli
import warcio.cli
from click.testing import CliRunner
from fastwarc.warc import ArchiveIterator

from tests import warm
from tests.waiting import HANG

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]
Row = dict[str, Any]


@dataclass(frozen=True)
class Done:
    """A process that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value

    @property
    def clinic(self) -> dict[str, Any]:
        """The numbers of the one clinic of a run."""
        (numbers,) = self.json["clinics"].values()
        return dict(numbers)

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()


def environment(**more: str) -> dict[str, str]:
    """Without proxies, colours or a user's settings: what the process does depends on its arguments alone."""
    stored = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return {**stored, "PYTHONWARNINGS": "default", **more}


def run(
    name: str,
    *arguments: str | Path,
    cwd: Path,
    timeout: float = HANG,
    env: Mapping[str, str] | None = None,
    preexec: Callable[[], None] | None = None,
    settings: Mapping[str, Any] | None = None,
    begin: Callable[[int], None] = lambda _: None,
) -> Done:
    """Run one of the environment's programs to its end.

    `clinic-archive` starts from a warm process (`tests.warm`), unless it is given an environment or `preexec`;
    `settings` stand in `scraper.settings` then, and `begin` is called with the process id.
    """
    if name == "clinic-archive" and env is None and preexec is None:
        texts = map(str, arguments)
        ended = warm.run(*texts, cwd=cwd, environment=environment(), timeout=timeout, settings=settings, begin=begin)
        return Done(ended.code, ended.out, ended.err)
    assert settings is None
    done = subprocess.run(
        [str(BIN / name), *map(str, arguments)],
        cwd=cwd, capture_output=True, timeout=timeout, env=env or environment(), preexec_fn=preexec, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def script(text: str, *arguments: object, begin: Callable[[int], None] = lambda _: None) -> Done:
    """Run Python in a process that has imported the product; `begin` is called with its id."""
    given = ["-c", text, *map(str, arguments)]
    ended = warm.run(*given, cwd=ROOT, environment=environment(), timeout=HANG, begin=begin)
    return Done(ended.code, ended.out, ended.err)


def crawl_command(archive: Path, url: str | None, *more: str) -> list[str]:
    """The arguments of a crawl of a site on this machine: of all posts, unless `--due` is among them."""
    where = ["--url", url] if url else []
    reported = [item for item in more if item != "--due"]
    every = [] if "--due" in more else ["--all"]
    return ["crawl", *where, "--allow-private", "--archive", str(archive), *every, *reported]


def crawl(archive: Path, url: str | None, *more: str, **how: Any) -> Done:
    """`clinic-archive crawl` of a site on this machine, away from the project's clinics.toml."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    return run("clinic-archive", *crawl_command(archive, url, *more), cwd=archive.parent, **how)


def start(*arguments: str | Path, cwd: Path) -> warm.Started:
    """`clinic-archive` while it runs, from a warm process. Whoever starts it waits for it or ends it."""
    return warm.Started(*map(str, arguments), cwd=cwd, environment=environment())


def start_crawl(archive: Path, url: str, *more: str) -> warm.Started:
    """A crawl that is still going on."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    return start(*crawl_command(archive, url, *more), cwd=archive.parent)


def rows(archive: Path, sql: str, *values: object) -> list[Row]:
    """What the archive answers, read by SQLite alone."""
    with closing(sqlite3.connect(f"{(archive / 'archive.db').as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql, values)]


def column(archive: Path, sql: str, *values: object) -> list[Any]:
    """The first column of an answer."""
    return [next(iter(row.values())) for row in rows(archive, sql, *values)]


def value_of(archive: Path, sql: str, *values: object) -> Any:
    """The only value of an answer."""
    (value,) = column(archive, sql, *values)
    return value


def warcs(archive: Path) -> list[Path]:
    """Every WARC file, and none that was left open or torn."""
    return sorted((archive / "warc").rglob("*.warc.gz"))


def words(text: str | None) -> str:
    """The text with its white space levelled."""
    return " ".join((text or "").split())


def faults(archive: Path) -> list[str]:
    """What is broken in an archive, in words; nothing when it is whole. Read with other people's tools."""
    found = [f"integrity_check: {value}" for value in column(archive, "PRAGMA integrity_check") if value != "ok"]
    found += [f"foreign key: {row}" for row in rows(archive, "PRAGMA foreign_key_check")]
    for path in warcs(archive):
        for name, check in (("warcio", _warcio_check), ("fastwarc", _fastwarc_check)):
            code, answer = check(path)
            if code:
                found.append(f"{name} check {path.name}: exit {code}: {answer[-600:]}")
    left = [path.name for path in (archive / "warc").rglob("*") if path.is_file() and path.name.endswith(".open")]
    return found + [f"left open: {name}" for name in left]


def _warcio_check(path: Path) -> tuple[int, str]:
    """Exit code and output of `warcio check`, in this process: to start one takes longer than most files."""
    with redirect_stdout(StringIO()) as answer, redirect_stderr(answer):
        try:
            code = warcio.cli.main(["check", str(path)])
        except SystemExit as ending:
            code = ending.code
    return int(code or 0), answer.getvalue()


def _fastwarc_check(path: Path) -> tuple[int, str]:
    done = CliRunner().invoke(fastwarc.cli.main, ["check", "--quiet", str(path)])
    return done.exit_code, f"{done.output}{done.exception or ''}"


def lost(before: Path, after: Path) -> list[str]:
    """What an archive held before a bad day and does not hold after it, or holds broken."""
    found = [f"integrity_check: {value}" for value in column(after, "PRAGMA integrity_check") if value != "ok"]
    found += [f"foreign key: {row}" for row in rows(after, "PRAGMA foreign_key_check")]
    for table in ("posts", "revisions", "readings", "captures", "comments", "post_addresses"):
        stored = "post_id, title, body_text, url, removed_at" if table == "posts" else "*"
        now = [tuple(row.values()) for row in rows(after, f"SELECT {stored} FROM {table}")]
        found += [
            f"{table}: {row}" for row in rows(before, f"SELECT {stored} FROM {table}") if tuple(row.values()) not in now
        ]
    for path in warcs(after):
        with path.open("rb") as file:
            bad = [each.record_id for each in ArchiveIterator(file, parse_http=False) if not each.verify_block_digest()]
        found += [f"{path.name}: {each}" for each in bad]
    return found
