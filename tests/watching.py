"""A watcher as crawls tell of themselves to one: a small HTTP server on loopback that remembers what it was told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

SECRET = "4ed1b7c0-5eca-4d01-9e8b-0c0ffee0c0de"


class Ping(NamedTuple):
    path: str
    body: str


class Watching(ThreadingHTTPServer):
    """Answers 200 "OK", or as `statuses` says, one an answer, the last for all that follow."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.pings: list[Ping] = []
        self.statuses = [200]
        self.said = b"OK"
        self.headers: dict[str, str] = {}
        self.may_answer = threading.Event()  # no answer is given before it is set
        self.may_answer.set()
        self.drips = False  # until then bytes of a header are sent that does not end
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        self.url = f"{self.base}/{SECRET}"

    @property
    def paths(self) -> list[str]:
        """What it was asked for, the secret shortened."""
        return [ping.path.replace(SECRET, "S") for ping in self.pings]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""


class Answering(BaseHTTPRequestHandler):
    server: Watching

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.pings.append(Ping(self.path, body.decode()))
        if self.server.drips:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.server.may_answer.wait(0.05):
                self.wfile.write(b"x")
        self.server.may_answer.wait()
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.said)))
        self.end_headers()
        self.wfile.write(self.server.said)

    do_GET = do_POST  # noqa: N815  (what a redirect that is followed would ask for)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def watching() -> Iterator[Watching]:
    """The server, until the block ends."""
    with Watching() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)
