"""Starts the clinic by hand: `python -m tests.clinic --port 0` prints its address at once and then serves."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.clinic", description="A sample clinic's blog on loopback.")
    parser.add_argument("--host", default="127.0.0.1", choices=["127.0.0.1", "localhost"])
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--state", type=Path, default=Path("var/clinic"), help="where counts and changes are kept")
    parser.add_argument("--base", help="the address that its pages name, where something stands in front of it")
    parser.add_argument("--no-api", action="store_true", help="the known API addresses answer 404")
    parser.add_argument("--print-commenters", action="store_true", help="print names, e-mails, phones and stop")
    parser.add_argument("--exit-with-parent", action="store_true", help="stop when the starting process has ended")
    return parser.parse_args()


def _print_commenters() -> None:
    from .compose import commenters

    for line in commenters():
        sys.stdout.write(line + "\n")


def _bound(host: str, port: int) -> socket.socket:
    """A listening socket. The protocol is named so that the event loop switches Nagle's delay off."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(128)
    return listener


def _stop_when_orphaned(parent: int) -> None:
    """End this process once its parent has gone, so that an interrupted test run leaves nothing behind."""
    while os.getppid() == parent:
        time.sleep(0.4)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Parse the command line and serve until told to stop."""
    arguments = _arguments()
    if arguments.print_commenters:
        _print_commenters()
        return
    parent = os.getppid()
    listener = _bound(arguments.host, arguments.port)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    sys.stdout.write(base + "\n")
    sys.stdout.flush()

    import uvicorn

    from .server import application

    if arguments.exit_with_parent:
        threading.Thread(target=_stop_when_orphaned, args=(parent,), daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    app = application(arguments.state, arguments.base or base, not arguments.no_api)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
