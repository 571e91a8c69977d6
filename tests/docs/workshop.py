"""Where the commands of a document run: a checkout and a home folder of their own, and the sample clinic."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.clinic import running
from tests.docs.markdown import ROOT, Block
from tests.e2e.product import BIN, Done, environment

CLINIC = "clinic.example"  # stands in the docs for the reader's clinic
# What of the checkout a document may write.
COPIED = {"clinics.toml"}
LONGEST = 300  # seconds for a document, on a busy machine
POSTS = 15  # of the clinic's blog; the others are deleted, so that its crawls are short


@dataclass(frozen=True, slots=True)
class Workshop:
    """The sample clinic's address, and the socket of the server that runs `clinic-archive`."""

    clinic: str
    socket: Path

    def run(self, blocks: list[Block], home: Path, cwd: Path) -> Done:
        """Run blocks in their order in one shell, which ends at the first command that fails.

        A block that is marked `checkout` runs in the checkout, the others where the one before ended.
        """
        checkout = self.checkout(home)
        lines = ["set -e"]
        for block in blocks:
            lines.append(f"echo '## line {block.line}' >&2")
            text = self._local(block.text)
            lines.append(f"(\ncd '{checkout}'\n{text})" if "checkout" in block.marks else text)
        path = f"{checkout}/.venv/bin:{os.environ['PATH']}"
        variables = {"HOME": str(home), "CLI_SERVER": str(self.socket), "PATH": path}
        process = subprocess.Popen(
            ["sh"], cwd=checkout if cwd == ROOT else cwd, env=environment(**variables), start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            out, err = process.communicate("\n".join(lines), LONGEST)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return Done(process.returncode, out, err)

    def checkout(self, home: Path) -> Path:
        """The checkout beside a home folder, made at first."""
        folder = home.parent / "checkout"
        return folder if folder.exists() else _checkout(folder)

    def _local(self, text: str) -> str:
        """The text with the sample clinic in place of the reader's; the slug of `--url` follows from the address."""
        slug = self.clinic.removeprefix("http://").replace(".", "-").replace(":", "-")
        stanza = f'url = "https://{CLINIC}"\n'
        text = text.replace(stanza, f'url = "{self.clinic}"\nallow_private = true\n')
        return text.replace(f"https://{CLINIC}", self.clinic).replace(CLINIC.replace(".", "-"), slug)


def _checkout(folder: Path) -> Path:
    """A checkout whose `.venv` is the present one, but for the `clinic-archive` that starts at once."""
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for path in ROOT.iterdir():
        if path.name in COPIED:
            shutil.copy(path, folder)
        elif path.name == "tests":
            _tests(path, folder / "tests")
        elif path.name not in {".git", ".venv", "var"}:
            (folder / path.name).symlink_to(path)
    for name in ("pyvenv.cfg", "lib"):
        (folder / ".venv" / name).symlink_to(BIN.parent / name)
    for path in BIN.iterdir():
        if path.name not in {"clinic-archive", "activate"}:
            (programs / path.name).symlink_to(path)
    client = Path(__file__).with_name("client.py").read_text("utf-8")
    _program(programs / "clinic-archive", f"#!{sys.executable} -SE\n{client}")
    _program(programs / "activate", f'PATH="{programs}:$PATH"\n')
    _program(programs / "apt-get", "#!/bin/sh\nexit 1\n")  # no document installs anything on this machine
    (folder / ".venv" / "ready").touch()
    return folder


def _tests(source: Path, folder: Path) -> None:
    """The tests, with the pages as copies: `make page` adds to them."""
    folder.mkdir()
    for path in source.iterdir():
        if path.name == "pages":
            shutil.copytree(path, folder / "pages")
        else:
            (folder / path.name).symlink_to(path)


def _program(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    path.chmod(0o755)


@contextmanager
def opened(folder: Path) -> Iterator[Workshop]:
    """A workshop in a folder; its processes end with the block."""
    with TemporaryDirectory() as short, running(folder / "clinic") as clinic:  # a socket's path has 100 characters
        socket = Path(short) / "cli"
        server = subprocess.Popen([sys.executable, "-m", "tests.docs.cli_server", str(socket)], cwd=ROOT)
        try:
            for post in clinic.truth()["posts"][POSTS:]:
                clinic.control("delete", slug=post["slug"])
            while not socket.exists():
                assert server.poll() is None, "the server of clinic-archive ended"
                time.sleep(0.05)
            yield Workshop(clinic.url, socket)
        finally:
            server.terminate()
            server.wait(30)
