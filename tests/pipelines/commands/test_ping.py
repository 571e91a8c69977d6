"""The watcher is notified of each run; whether that succeeds changes nothing for the run."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest
from click.testing import CliRunner, Result

from archive.lock import LOCK_FILE
from pipelines.commands import _ping, main
from pipelines.commands._ping import VARIABLE, PingNotifier, watched
from pipelines.run.notices import MEMORY_FILE
from tests.watching import SECRET, Ping, Watching, watching

GOOD = '[crawler]\ncontact = "a@uni.edu"\n[clinics.riverside]\nname = "R"\nurl = "https://riverside-clinic.org"\n'


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watching]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_ping, "PAUSE", 0.01)
    with watching() as found:
        yield found


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / MEMORY_FILE).parent.mkdir()
    return tmp_path


def run(url: str, archive: Path, code: int = 0, *lines: str) -> None:
    watcher = PingNotifier(url, archive)
    watcher.begin()
    watcher.lines = list(lines)
    watcher.end(code)


@pytest.mark.parametrize(("code", "suffix"), [(0, ""), (130, ""), *((code, "/fail") for code in (1, 2, 3, 4, 5, 6, 7))])
def test_start_and_end(
    server: Watching, archive: Path, capsys: pytest.CaptureFixture[str], code: int, suffix: str
) -> None:
    run(server.url, archive, code, "riverside: failed: no such host", "lake: café")
    assert server.pings == [
        Ping(f"/{SECRET}/start", ""),
        Ping(f"/{SECRET}{suffix}", f"exit code {code}\nriverside: failed: no such host\nlake: café"),
    ]
    assert capsys.readouterr().err == ""


def test_a_query_stays_at_the_end(server: Watching, archive: Path) -> None:
    run(f"{server.url}/?create=1", archive)
    run(f"{server.url}?create=1", archive, 3)
    assert server.paths == ["/S/start?create=1", "/S/?create=1", "/S/start?create=1", "/S/fail?create=1"]


def test_a_body_is_no_longer_than_is_kept(server: Watching, archive: Path) -> None:
    run(server.url, archive, 3, "é" * 9_000)
    body = server.pings[-1].body
    assert body.startswith("exit code 3\né")
    assert 9_990 < len(body.encode()) <= 10_000


def test_what_an_exception_says_stays_here(server: Watching, archive: Path) -> None:
    """It may be a piece of what somebody wrote."""
    line = "a: failed: the visit broke off (ValueError: no number: 'Anna wrote:\n (my knee)'); please report it"
    run(server.url, archive, 3, line)
    assert server.pings[-1].body == "exit code 3\na: failed: the visit broke off (ValueError); please report it"


def test_a_second_try(server: Watching, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.statuses = [500, 200]
    run(server.url, archive)
    assert server.paths == ["/S/start", "/S/start", "/S"]
    assert capsys.readouterr().err == ""


def test_told_late_of_the_beginning_only(
    server: Watching, archive: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A line in the log, and no mail: what matters is the end."""
    server.statuses = [500, 500, 200]
    run(server.url, archive)
    assert capsys.readouterr().err == ""
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        f"{server.base}/…: the watcher was not notified of the start: answered 500"
    ]


@pytest.mark.parametrize(
    ("status", "headers", "body", "why"),
    [
        (500, {}, b"", "answered 500"),
        (404, {}, b"not found", "answered 404"),
        (302, {"Location": "file:///etc/hostname"}, b"", "answered 302, a redirect, which is not followed"),
        (307, {"Location": "/elsewhere"}, b"", "answered 307, a redirect, which is not followed"),
        (200, {}, b"OK (not found)", "answered 'OK (not found)'"),
        (200, {}, b"OK (rate limited)", "answered 'OK (rate limited)'"),
    ],
)
def test_a_watcher_that_is_not_well(
    server: Watching, archive: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture,
    status: int, headers: dict[str, str], body: bytes, why: str,
) -> None:  # fmt: skip
    """One line on stderr and in the log; not again the next day; again when it was well in between."""
    caplog.set_level(logging.DEBUG)
    server.statuses, server.headers, server.said = [status], headers, body
    line = f"{server.base}/…: the watcher was not notified of the result: {why}"
    run(server.url, archive)
    assert capsys.readouterr().err == f"{line}\n"
    assert server.paths == ["/S/start", "/S/start", "/S", "/S"]
    run(server.url, archive)
    assert capsys.readouterr().err == ""
    assert [record.getMessage() for record in caplog.records].count(line) == 2
    server.statuses, server.headers, server.said = [200], {}, b"OK"
    run(server.url, archive)
    assert capsys.readouterr().err == ""
    server.statuses = [status] if status != 200 else [503]
    run(server.url, archive)
    assert "the watcher was not notified of the result" in capsys.readouterr().err
    assert SECRET not in caplog.text


def test_nobody_listens(
    server: Watching, archive: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        base = f"http://user:word@127.0.0.1:{taken.getsockname()[1]}"
    run(f"{base}/{SECRET}", archive)
    line = capsys.readouterr().err
    assert "the watcher was not notified of the result: no connection (" in line
    assert [word for word in (SECRET, "user", "word") if word in line + caplog.text] == []


@pytest.mark.parametrize("drips", [False, True])
def test_one_that_is_slow_is_left_alone(
    server: Watching,
    archive: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    drips: bool,
) -> None:
    """The run ends before the server answers, also where each byte comes in time and the answer never."""
    monkeypatch.setattr(_ping, "TIMEOUT", 0.4)
    server.drips = drips
    server.may_answer.clear()
    PingNotifier(server.url, archive).end(0)
    server.may_answer.set()
    assert "no answer in 0 s" in capsys.readouterr().err
    assert set(server.paths) <= {"/S"}


def test_what_speaks_no_http(server: Watching, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may say our own words back."""
    server.headers = {"X\r\n\r\n": SECRET}
    server.statuses = [99]
    PingNotifier(server.url, archive).end(0)
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert SECRET not in err


def test_unwatched(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watcher = PingNotifier(None, archive)
    watcher.begin()
    watcher.end(1)
    assert capsys.readouterr().err == ""


class TestCommand:
    """`crawl`, where it ends before it begins."""

    def crawl(self, folder: Path, stanza: str, server: Watching, *more: str, url: str | None = None) -> Result:
        file = folder / "clinics.toml"
        file.write_text(stanza)
        words = ["crawl", "--clinics-file", str(file), "--archive", str(folder / "var"), *more]
        return CliRunner().invoke(main, words, env={VARIABLE: url or server.url})

    def test_broken_configuration(self, tmp_path: Path, server: Watching) -> None:
        done = self.crawl(tmp_path, GOOD + "colour = 1\n", server)
        assert done.exit_code == 4
        assert server.paths == ["/S/fail"]
        assert server.pings[0].body == f"exit code 4\n{done.stderr.strip()}"
        assert "unknown key 'colour'" in done.stderr
        assert not (tmp_path / "var").exists()

    def test_and_the_watcher_is_away(self, tmp_path: Path, server: Watching) -> None:
        server.statuses = [500]
        done = self.crawl(tmp_path, "not toml", server)
        assert done.exit_code == 4
        assert [line.split(":")[0] for line in done.stderr.splitlines()][1:] == ["http"]
        assert not (tmp_path / "var").exists()

    def test_usage(self, tmp_path: Path, server: Watching) -> None:
        done = self.crawl(tmp_path, GOOD, server, "a", "--url", "https://a.example")
        assert (done.exit_code, server.paths) == (2, ["/S/fail"])

    def test_no_archive(self, tmp_path: Path, server: Watching) -> None:
        (tmp_path / "var").mkdir()
        (tmp_path / "var" / "archive.db").write_bytes(b"something else" * 200)
        assert self.crawl(tmp_path, GOOD, server).exit_code == 6
        assert server.paths == ["/S/fail"]

    def test_an_archive_that_is_held_is_the_other_runs_affair(self, tmp_path: Path, server: Watching) -> None:
        (tmp_path / "var").mkdir()
        with filelock.FileLock(tmp_path / "var" / LOCK_FILE):
            assert self.crawl(tmp_path, GOOD, server).exit_code == 75
        assert server.pings == []

    @pytest.mark.parametrize("url", ["ftp://h/S", "file:///S", "h/S", "http://", "http://h:99999/S", "http://h/S S"])
    def test_no_web_address(self, tmp_path: Path, server: Watching, url: str) -> None:
        """2, and the address is not repeated."""
        given = url.replace("S", SECRET)
        for done in (
            self.crawl(tmp_path, "not toml", server, url=given),
            self.crawl(tmp_path, "not toml", server, "--ping-url", given),
        ):
            assert done.exit_code == 2
            assert "not an http or https address" in done.stderr
            assert SECRET not in done.output
        assert server.pings == []


@pytest.mark.parametrize(
    ("ending", "pings"),
    [
        (RuntimeError(f"a secret: {SECRET}"), [Ping(f"/{SECRET}/fail", "exit code 1\nunexpected: RuntimeError")]),
        (SystemExit(5), [Ping(f"/{SECRET}/fail", "exit code 5")]),
        (SystemExit(None), [Ping(f"/{SECRET}", "exit code 0")]),
        (SystemExit("words"), [Ping(f"/{SECRET}/fail", "exit code 1")]),
        (KeyboardInterrupt(), []),
        (None, [Ping(f"/{SECRET}", "exit code 0")]),
    ],
)  # fmt: skip
def test_however_a_command_ends(
    server: Watching, archive: Path, ending: BaseException | None, pings: list[Ping]
) -> None:
    @watched
    def body(*, archive: Path, watcher: PingNotifier) -> None:
        if ending is not None:
            raise ending

    if ending is None:
        body(ping_url=server.url, archive=archive)
    else:
        with pytest.raises(type(ending)):
            body(ping_url=server.url, archive=archive)
    assert server.pings == pings
