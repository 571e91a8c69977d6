"""Blogs of many posts, served from memory by one process: `python -m tests.bench._server POSTS SIZE [BLOGS]`.

It prints their addresses in a line and serves until it is ended, or its parent is: a home page, robots.txt, a sitemap
of all posts, the posts. Everything else is 404. It does little per request, so that it waits for the crawler and not
the reverse.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from tests.bench._figure import ROOT
from tests.bench._pages import Packed, own_slug, templates

_POST = b"/post/bench-post-"


class Blog:
    """What is answered to which path."""

    def __init__(self, base: str, posts: int, size: int) -> None:
        self._packed = [Packed(template) for template in templates(base, size)]
        self._posts = posts
        urls = "".join(f"<url><loc>{base}/post/{own_slug(number).decode()}</loc></url>" for number in range(posts))
        home = (
            '<!DOCTYPE html><html lang="en"><head><meta name="generator" content="Wix.com Website Builder"/>'
            "<title>Bench</title></head><body><p>A blog.</p></body></html>"
        )
        self._texts = {
            b"/": ("text/html; charset=UTF-8", home.encode()),
            b"/robots.txt": ("text/plain", f"User-agent: *\nAllow: /\nSitemap: {base}/sitemap.xml\n".encode()),
            b"/sitemap.xml": (
                "application/xml",
                f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
                f"{urls}</urlset>".encode(),
            ),
        }

    def answer(self, path: bytes) -> bytes:
        """The whole answer, head and body."""
        if path.startswith(_POST) and (number := int(path[len(_POST) :])) < self._posts:
            body = self._packed[number % len(self._packed)].page(number)
            return _head(200, "text/html; charset=UTF-8", len(body), f'"{number}"', "gzip") + body
        if path in self._texts:
            media_type, body = self._texts[path]
            return _head(200, media_type, len(body)) + body
        return _head(404, "text/plain", 0)


def _head(status: int, media_type: str, length: int, tag: str = "", coding: str = "") -> bytes:
    lines = [
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'Not Found'}", "server: Pepyaka", f"content-type: {media_type}",
        "cache-control: public,max-age=0,must-revalidate", "vary: Accept-Encoding", f"content-length: {length}",
    ]  # fmt: skip
    lines += [f"etag: W/{tag}"] if tag else []
    lines += [f"content-encoding: {coding}"] if coding else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class _Connection(asyncio.Protocol):
    def __init__(self, blog: Blog) -> None:
        self._blog = blog
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._transport.write(self._blog.answer(head.split(b" ", 2)[1]))


async def _serve(posts: int, size: int, blogs: int) -> None:
    bases = [await _blog(posts, size) for _ in range(blogs)]
    sys.stdout.write(" ".join(bases) + "\n")
    sys.stdout.flush()
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(0.5)


async def _blog(posts: int, size: int) -> str:
    """A blog at a port of its own; its address."""
    loop = asyncio.get_running_loop()
    blog: list[Blog] = []
    server = await loop.create_server(lambda: _Connection(blog[0]), "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    blog.append(Blog(base, posts, size))
    return base


@contextmanager
def serving(posts: int, size: int) -> Iterator[str]:
    """A blog of so many posts, each a page of that size; gives its address and ends with the block."""
    with serving_many(posts, size, 1) as (urls, _):
        yield urls[0]


@contextmanager
def serving_many(posts: int, size: int, blogs: int) -> Iterator[tuple[list[str], Callable[[], float]]]:
    """So many blogs: their addresses, and what gives the CPU seconds that serving them has taken so far."""
    command = [sys.executable, "-m", "tests.bench._server", str(posts), str(size), str(blogs)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            urls = process.stdout.readline().split()
            if not urls:
                raise RuntimeError("the server of the benchmark did not start")
            yield urls, lambda: sum(psutil.Process(process.pid).cpu_times()[:2])
        finally:
            process.terminate()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
