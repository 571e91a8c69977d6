"""`clinic-archive` in a process that is already warm: forked from one that has imported the product once.

A crawl of a small blog takes a fraction of the CPU time that the imports take. The command is run as its script runs
it: in a process of its own, with its own folder, environment and standard files, to the interpreter's own end. Tests of
what happens before the command's first line (warnings of imports, `PYTHONPATH`, a signal) start the program itself.

    python -m tests.warm SOCKET

Each connection to the UNIX socket is a command: a JSON object (`argv`, `cwd`, `environment`, `settings`, `moved`,
`platforms`, `first`) with the open files for stdin, stdout and stderr. The answer is two lines of JSON: its process id
at once, then exit code and CPU seconds.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import pkgutil
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta, tzinfo
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NamedTuple

import psutil

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = Path(sys.executable).parent / "clinic-archive"
PACKAGES = ("scraper", "pipelines", "archive")
# Scrapy imports these when a crawl begins: by the settings that name them, and by themselves.
SETTINGS = (
    "DOWNLOADER_MIDDLEWARES_BASE", "DOWNLOAD_HANDLERS_BASE", "EXTENSIONS_BASE", "SPIDER_MIDDLEWARES_BASE",
)  # fmt: skip
LATER = (
    "encodings.charmap", "encodings.utf_8_sig", "scrapy.logformatter", "scrapy.squeues",
    "twisted.internet.asyncioreactor", "xml.sax.expatreader",
)  # fmt: skip
FEWEST = 600  # captures; for fewer no processes are started: to start them takes more CPU time than to read these


class Ended(NamedTuple):
    """A command that is over."""

    code: int  # negative: the signal that ended it
    cpu: float  # seconds, user and system
    out: str
    err: str


class Started:
    """A command that runs, as a process that leads a group of its own; with what tests use of `subprocess.Popen`.

    Whoever starts it waits for it or ends it. For the arguments see `run`.
    """

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        environment: Mapping[str, str],
        settings: Mapping[str, Any] | None = None,
        moved: float = 0.0,
        platforms: Sequence[str] = (),
        first: str = "",
    ) -> None:
        self.args = [str(PROGRAM), *arguments]
        self.ended: Ended | None = None
        self._open = ExitStack()
        made = (tempfile.TemporaryFile(), tempfile.TemporaryFile())  # noqa: SIM115 - closed when it has ended
        self._printed = [self._open.enter_context(file) for file in made]  # stdout, stderr
        self._read = b""
        order = {"argv": self.args, "cwd": str(cwd), "environment": dict(environment)}
        order |= {"settings": dict(settings or {}), "moved": moved, "platforms": [*platforms], "first": first}
        self._connection = self._open.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        _order(self._connection, order, *made)
        self.pid = int(self._answer(None))

    def _answer(self, timeout: float | None) -> Any:
        """The next line of the server's answer; None where it does not come in time."""
        self._connection.settimeout(timeout)
        while b"\n" not in self._read:
            try:
                more = self._connection.recv(1 << 16)
            except (TimeoutError, BlockingIOError):
                return None
            assert more, "the server of warm processes has ended"
            self._read += more
        line, _, self._read = self._read.partition(b"\n")
        return json.loads(line)

    @property
    def returncode(self) -> int | None:
        return self.ended.code if self.ended else None

    def poll(self) -> int | None:
        return self._wait(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code. Raises `subprocess.TimeoutExpired`."""
        code = self._wait(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def _wait(self, timeout: float | None) -> int | None:
        if self.ended is None and (answer := self._answer(timeout)):
            texts = [os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode() for file in self._printed]
            self.ended = Ended(*answer, *texts)
            self._open.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end; return what it printed. Raises `subprocess.TimeoutExpired`."""
        self.wait(timeout)
        assert self.ended is not None
        return self.ended.out, self.ended.err

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,
    settings: Mapping[str, Any] | None = None,
    moved: float = 0.0,
    platforms: Sequence[str] = (),
    first: str = "",
    begin: Callable[[int], None] = lambda _: None,
) -> Ended:
    """Run the command to its end.

    `settings`: values that stand in `scraper.settings` in place of the product's. `moved`: seconds by which the
    product's clock is ahead. `platforms`: names of `tests.dummies`, registered beside the product's. `first`: Python
    code that runs in the process before the command. `begin` is called with the process id. `-c` before the arguments:
    a Python script in place of the command, as an interpreter takes it. Raises `subprocess.TimeoutExpired`.
    """
    started = Started(
        *arguments,
        cwd=cwd,
        environment=environment,
        settings=settings,
        moved=moved,
        platforms=platforms,
        first=first,
    )
    try:
        begin(started.pid)
        started.wait(timeout)
    except BaseException:
        started.kill()
        started.wait()
        raise
    assert started.ended is not None
    return started.ended


def start(*arguments: str, cwd: Path, environment: Mapping[str, str], output: IO[bytes]) -> psutil.Process:
    """Start the command, whose stdout and stderr are the file `output`; whoever starts it ends it."""
    order = {"argv": [str(PROGRAM), *arguments], "cwd": str(cwd), "environment": dict(environment)}
    order |= {"settings": {}, "moved": 0.0, "platforms": [], "first": ""}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        _order(connection, order, output, output)
        with connection.makefile("r") as answers:
            return psutil.Process(json.loads(answers.readline()))


def _order(connection: socket.socket, order: dict[str, Any], out: IO[bytes], err: IO[bytes]) -> None:
    connection.connect(_server())
    with Path(os.devnull).open("rb") as nothing:
        files = [file.fileno() for file in (nothing, out, err)]
        socket.send_fds(connection, [json.dumps(order).encode() + b"\n"], files)


@functools.cache
def _server() -> str:
    """The socket of this process's server, which is started at the first call and ends with this process."""
    folder = tempfile.mkdtemp(prefix="warm")
    place = f"{folder}/socket"
    stored = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", place],
        cwd=ROOT, env={**stored, "PYTHONWARNINGS": "default"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None

    def end() -> None:
        process.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    assert process.stdout.readline() == b"ready\n"
    return place


def main() -> None:
    """Import the product, and fork for each connection until stdin ends."""
    load()
    signal.signal(signal.SIGCHLD, _reap)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(sys.argv[1])
        listener.listen()
        print("ready", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if not os.fork():
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _serve(connection)
                return
            connection.close()
    while True:  # commands that nobody waits for any more
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)
            continue
        return


def load() -> None:
    """Import all that a command may, so that none of it is loaded later with the true clock."""
    from scrapy.settings import default_settings

    for package in PACKAGES:
        for found in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if not found.name.startswith("archive.site"):  # plugins of Datasette, which is another process's
                import_module(found.name)
    tables = [getattr(default_settings, setting) for setting in SETTINGS]
    named = [str(name) for table in tables for names in (table.keys(), table.values()) for name in names]
    for module in (*LATER, *(name.rpartition(".")[0] for name in named if "." in name)):
        import_module(module)
    lexicon = import_module("archive.lexicon.given").built_in()
    list(import_module("archive.lexicon.engine").Engine(lexicon).matches(None, "Ketamine.", [(0, 9)]))  # compiled once
    import_module("pipelines.replay.parsing").FEWEST = FEWEST
    import_module("archive.db").open_scratch().close()  # the empty archive that new ones are copies of
    assert "twisted.internet.reactor" not in sys.modules, "each command installs its own"
    gc.collect()
    gc.freeze()


def _reap(*_: object) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _serve(connection: socket.socket) -> None:
    """In a process of its own: start the command, and answer."""
    message, files, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while not message.endswith(b"\n"):
        message += connection.recv(1 << 20)
    pid = os.fork()
    with suppress(OSError):
        os.setpgid(pid, pid)  # here and there: nobody can tell which of the two is first
    if not pid:
        connection.close()
        _command(json.loads(message), files)
    connection.sendall(f"{pid}\n".encode())
    _, status, used = os.wait4(pid, 0)
    with suppress(OSError):  # who asked has gone
        answer = json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime])
        connection.sendall(f"{answer}\n".encode())
    connection.close()


def _command(order: dict[str, Any], files: list[int]) -> None:
    """In the command's process: all that a new process has of its own, then the script. Ends with `SystemExit`."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environment"])
    settings = import_module("scraper.settings")
    for name, value in order["settings"].items():
        setattr(settings, name, value)
    if order["platforms"]:
        register = import_module("tests.dummies").register
        for name in order["platforms"]:
            register(name)
    if order["moved"]:
        _move(timedelta(seconds=order["moved"]))
    exec(compile(order["first"], "first", "exec"), {})
    sys.argv = order["argv"]
    if sys.argv[1:2] == ["-c"]:
        _, _, script, *arguments = sys.argv
        sys.argv = ["-c", *arguments]
        exec(textwrap.dedent(script), {"__name__": "__main__"})
        sys.exit()
    sys.path[0] = str(PROGRAM.parent)
    runpy.run_path(sys.argv[0], run_name="__main__")


def _move(by: timedelta) -> None:
    """Every module of the product that reads the clock reads one that is moved; all of them read `datetime.now`."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + by

    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in PACKAGES and vars(module).get("datetime") is datetime:
            module.datetime = Moved  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
