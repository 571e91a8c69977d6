"""A small blog on loopback that can answer anything at any address, and remembers who asked for what and when.

Plain sockets, so that answers may be cut, endless, or no HTTP at all. `Server.stop` ends it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from tests.waiting import HANG


@dataclass(frozen=True)
class Reply:
    """An answer. `body` may be pieces; `length` is what Content-Length claims (None: the truth, or none for pieces)."""

    body: bytes | Callable[[], Iterable[bytes]] = b""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None
    wait: float = 0.0
    held: threading.Event | None = None  # the answer is given once it is set

    def pieces(self) -> Iterator[bytes]:
        yield from self.body() if callable(self.body) else (self.body,)

    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Whatever", f"Content-Type: {self.kind}", "Connection: close"]
        length = self.length if self.length is not None else None if callable(self.body) else len(self.body)
        lines += [f"Content-Length: {length}"] if length is not None else []
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode()


def redirect(target: str) -> Reply:
    return Reply(b"", 302, headers=(("Location", target),))


Answer = Reply | Callable[[int], Reply]  # the n-th answer, from 1
MISSING = Reply(b"<html><title>404</title></html>", 404)


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    at: float
    method: str
    path: str
    headers: dict[str, str]
    beside: int  # other requests that were not answered yet


@dataclass
class Server:
    """Answers by path; `answers` may be changed while it runs."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)  # bytes of bodies that went out, by path

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open = 0
        self._over = False
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def paths(self) -> list[str]:
        return [each.path for each in self.asked]

    def stop(self) -> None:
        self._over = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _listen(self) -> None:
        while not self._over:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            try:
                self._talk(connection)
            except OSError:
                return  # the reader has gone: that is its right

    def _talk(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return
            data += more
        head = data.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        path = urlsplit(target).path
        with self._lock:
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            self.asked.append(Asked(time.monotonic(), method, path, headers, self._open))
            self._open += 1
            number = sum(each.path == path for each in self.asked)
        try:
            answer = self.answers.get(path, MISSING)
            reply = answer(number) if callable(answer) else answer
            time.sleep(reply.wait)
            if reply.held:
                reply.held.wait(HANG)
        finally:
            with self._lock:
                self._open -= 1
        connection.sendall(reply.head())
        for piece in reply.pieces():
            connection.sendall(piece)
            self.sent[path] = self.sent.get(path, 0) + len(piece)


WIX = '<meta name="generator" content="Wix.com Website Builder"/>'


def page(inside: str, head: str = "", title: str = "Elderflower Practice") -> str:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/>{WIX}<title>{title}</title>{head}</head>'
        f"<body>{inside}</body></html>"
    )


def post(url: str, number: int, *, text: str | None = None, islands: str = "") -> str:
    """A post page of the generation that prints its counters."""
    text = text or f"Paragraph of post {number}, about tea \u2014 and caf\u00e9s."
    head = (
        f'<meta property="og:type" content="article"/><meta property="og:url" content="{url}/post/note-{number}"/>'
        f'<meta property="og:title" content="Note {number}"/>'
        f'<meta property="article:published_time" content="2024-03-{number:02d}T10:00:00.000Z"/>'
    )
    article = (
        f'<article data-hook="post"><span data-hook="user-name" title="Ada Reed">Ada Reed</span>'
        f'<h1 data-hook="post-title">Note {number}</h1><div data-hook="post-description">'
        '<article class="blog-post-page-font"><div data-id="content-viewer"><div type="first" '
        f'data-hook="rcv-block-first"></div><p id="viewer-a{number}"><span>{text}</span></p>'
        '<div type="paragraph" data-hook="rcv-block1"></div><div type="last" data-hook="rcv-block-last"></div></div>'
        '</article></div><div data-hook="post-footer"><div data-hook="post-stats"><span>'
        f"{number + 6} views</span><span>0 comments</span></div></div></article>"
    )
    return page(f'<div data-hook="post-page">{article}</div>{islands}', head, f"Note {number}")


@dataclass
class Blog(Server):
    """A blog of a few posts, newest last number."""

    posts: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        self.reset()

    def reset(self) -> None:
        """As it was: every address answers well, nobody has asked."""
        numbers = range(1, self.posts + 1)
        links = "".join(f'<a href="{self.url}/post/note-{number}">Note {number}</a>' for number in numbers)
        listing = page(f'<div data-hook="feed-page-root">{links}</div>')
        items = "".join(
            f"<item><title>Note {number}</title><link>{self.url}/post/note-{number}</link>"
            f"<pubDate>Fri, {number:02d} Mar 2024 10:00:00 GMT</pubDate></item>"
            for number in numbers
        )
        locs = "".join(
            f"<url><loc>{self.url}/post/note-{number}</loc><lastmod>2024-03-{number:02d}</lastmod></url>"
            for number in numbers
        )
        xml = "application/xml"
        sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{locs}</urlset>'
        feed = f'<rss version="2.0"><channel><title>Notes</title>{items}</channel></rss>'
        self.answers.clear()
        self.answers.update(
            {
                "/": Reply(page("<p>Welcome.</p>").encode()),
                "/robots.txt": Reply(b"User-agent: *\nAllow: /\n", kind="text/plain"),
                "/sitemap.xml": Reply(sitemap.encode(), kind=xml),
                "/blog-feed.xml": Reply(feed.encode(), kind=xml),
                "/blog": Reply(listing.encode()),
                **{f"/post/note-{number}": Reply(post(self.url, number).encode()) for number in numbers},
            }
        )
        self.asked.clear()
        self.sent.clear()

    @contextmanager
    def hold(self, path: str) -> Iterator[None]:
        """Give no answer for that address until the block ends."""
        reply, held = self.answers[path], threading.Event()
        assert isinstance(reply, Reply)
        self.answers[path] = replace(reply, held=held)
        try:
            yield
        finally:
            self.answers[path] = reply
            held.set()


@contextmanager
def serving(server: Blog) -> Iterator[Blog]:
    """The server, until the block ends."""
    try:
        yield server
    finally:
        server.stop()
