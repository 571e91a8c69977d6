"""`clinic-archive` in a process that has imported it already, so that the commands of the docs start at once.

    python -m tests.docs.cli_server SOCKET

Each connection to the UNIX socket is one command: a JSON object with `arguments`, `cwd` and `environment`, and the
caller's stdin, stdout and stderr. A fork of this process runs it. The answer is two lines: its process id at once,
and its exit code in the end. The client is `tests/docs/clinic-archive`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from pipelines.commands import main as clinic_archive
from tests.warm import load


def main() -> None:
    """Serve commands one after the other until SIGTERM."""
    load()
    import_module("datasette.cli")  # for `serve`
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(sys.argv[1])
        listener.listen()
        while True:
            connection, _ = listener.accept()
            with connection:
                _serve(connection)


def _serve(connection: socket.socket) -> None:
    message, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    child = os.fork()
    if not child:
        _run(json.loads(message), descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    connection.sendall(f"{child}\n".encode())
    signal.signal(signal.SIGTERM, lambda *_: (os.kill(child, signal.SIGTERM), os._exit(0)))
    _, status = os.waitpid(child, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(OSError):  # the caller was ended meanwhile
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _run(command: dict[str, Any], descriptors: list[int]) -> None:
    """The command, in the child. Never returns."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(3, 1024)
    os.chdir(command["cwd"])
    os.environ.clear()
    os.environ.update(command["environment"])
    code = 1
    try:
        clinic_archive(command["arguments"], prog_name="clinic-archive")
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:  # as the interpreter would, if this were not the child of a fork
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    Path(sys.argv[1]).unlink(missing_ok=True)
    main()
