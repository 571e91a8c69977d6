"""The blog on loopback, and the witness: what was asked in each run, and what was answered."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import signal
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.year import pages
from tests.year.blog import Blog, Post

ADAPTER = "/_api/blog-frontend-adapter-public/v2/"
SLUG = re.compile(r"/post/(?P<slug>[^/]+)$")
HTML = "text/html; charset=utf-8"

TIME_LIMIT = 4  # seconds of a run that its limit is to end


@dataclass(frozen=True)
class Told:
    """One answer: what it was about, and what it said."""

    path: str
    status: int
    kind: str  # "post", "counters", "thread", "home", "list", "other"
    size: int = 0  # bytes of the body as sent
    post: int | None = None
    words: str | None = None
    counters: tuple[tuple[int, int | None, int], ...] = ()  # (post, views, comments) each
    comments: tuple[str, ...] = ()


@dataclass
class Stop:
    """How a run is ended from outside: at its n-th request for a post."""

    how: str  # "kill", "term", "limit"
    at: int
    pid: int = 0
    done: bool = False


@dataclass
class Site:
    """The blog's server. `told` is what the present run was told."""

    blog: Blog
    told: list[Told] = field(default_factory=list)
    stop: Stop | None = None

    def __post_init__(self) -> None:
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self.open()
        self.url = f"http://127.0.0.1:{self._port}"
        self.elsewhere = f"http://localhost:{self._port}/"

    def open(self) -> None:
        """Somebody listens, at the same port as ever."""
        if self._server is None:
            site = self

            class Handler(_Handler):
                pass

            Handler.site = site
            self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
            self._port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        """Nobody listens any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, path: str, query: dict[str, str], etag: str, host: str) -> tuple[Told, bytes, dict[str, str]]:
        """What is answered today, noted; and, where the run is to end here, its end."""
        found = SLUG.match(path)
        if found and self.stop and not self.stop.done:
            self.stop.at -= 1
            if not self.stop.at:
                self._end(self.stop)
        told, body, headers = self._look(path, query, found["slug"] if found else None, host)
        if told.status == 200 and body:
            body = gzip.compress(body, 6, mtime=0)
            headers |= {"Content-Encoding": "gzip"}
            if told.kind in ("post", "list"):
                headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                if etag == headers["ETag"]:
                    told, body = Told(**(vars(told) | {"status": 304})), b""
        told = Told(**(vars(told) | {"size": len(body)}))
        self.told.append(told)
        return told, body, headers

    def _end(self, stop: Stop) -> None:
        stop.done = True
        if stop.how == "limit":
            time.sleep(TIME_LIMIT)
            return
        os.kill(stop.pid, signal.SIGKILL if stop.how == "kill" else signal.SIGTERM)
        if stop.how == "kill":
            raise ConnectionAbortedError
        time.sleep(0.1)

    def _look(
        self, path: str, query: dict[str, str], slug: str | None, host: str
    ) -> tuple[Told, bytes, dict[str, str]]:
        blog, weather = self.blog, self.blog.weather
        if weather.outage:
            return Told(path, 503, "other"), b"busy", {"Content-Type": "text/plain"}
        if path == "/" and weather.moved and host not in self.elsewhere:
            return Told(path, 302, "home"), b"", {"Location": self.elsewhere}
        if slug:
            return self._post(path, slug)
        if path.startswith("/_api/"):
            if not blog.served or not weather.services:
                return Told(path, 503 if blog.served else 404, "other"), b"{}", {"Content-Type": "application/json"}
            told, text = self._service(path, query)
            return told, text.encode(), {"Content-Type": "application/json"}
        if "sitemap" in path and weather.sitemap in ("503", "html"):
            status = 503 if weather.sitemap == "503" else 200
            return Told(path, status, "other"), pages.page("<p>Back soon.</p>").encode(), {"Content-Type": HTML}
        kind, text, mime = self._list(path)
        if text is None:
            return Told(path, 404, "other"), b"<html><title>404</title></html>", {"Content-Type": HTML}
        return Told(path, 200, kind), text.encode(), {"Content-Type": mime}

    def _list(self, path: str) -> tuple[str, str | None, str]:
        blog = self.blog
        number = path.removeprefix("/blog/page/")
        if path == "/blog" or number.isdigit():
            return "list", pages.listing(blog, self.url, int(number) if number.isdigit() else 1), HTML
        made = {
            "/": ("home", lambda: pages.page("<p>Welcome.</p>"), HTML),
            "/robots.txt": (
                "other", lambda: f"User-agent: *\nAllow: /\nSitemap: {self.url}/sitemap.xml\n", "text/plain",
            ),
            "/sitemap.xml": ("other", lambda: pages.index(self.url), pages.XML),
            "/blog-posts-sitemap.xml": ("other", lambda: pages.sitemap(blog, self.url), pages.XML),
            "/blog-feed.xml": ("other", lambda: pages.feed(blog, self.url), pages.XML),
        }  # fmt: skip
        if path not in made:
            return "other", None, ""
        kind, text, mime = made[path]
        return kind, text(), mime

    def _post(self, path: str, slug: str) -> tuple[Told, bytes, dict[str, str]]:
        blog = self.blog
        post, before = blog.find(slug), blog.renamed(slug)
        if post is None and before is not None:
            moved = {"Location": f"{self.url}/post/{before.slug}"}
            return Told(path, 301, "post", post=before.number), b"", moved
        if post is not None and post.number in blog.weather.down:
            return Told(path, 503, "post", post=post.number), b"busy", {"Content-Type": "text/plain"}
        if post is None or not blog.there(post):
            number = post.number if post else None
            return Told(path, 404, "post", post=number), b"<html><title>404</title></html>", {"Content-Type": HTML}
        counters = () if blog.served else (self._counters(post),)
        told = Told(path, 200, "post", post=post.number, words=post.words, counters=counters)
        return told, pages.post(blog, self.url, post).encode(), {"Content-Type": HTML}

    def _counters(self, post: Post) -> tuple[int, int | None, int]:
        return post.number, None if self.blog.weather.silent else post.views(self.blog.now), len(post.comments)

    def _service(self, path: str, query: dict[str, str]) -> tuple[Told, str]:
        blog, call = self.blog, path.removeprefix(ADAPTER)
        if path == "/_api/v1/access-tokens":
            return Told(path, 200, "other"), pages.tokens()
        if path == "/_api/comments/v1/comments/list-by-resource":
            post = next(item for item in blog.posts if item.internal == query["resourceId"])
            names = tuple(comment.name for comment in post.comments)
            return Told(path, 200, "thread", post=post.number, comments=names), pages.comments(post)
        if call == "post-feed-page":
            return Told(path, 200, "other"), pages.feed_page(blog, self.url, query)
        if call == "post-feed-page-metadata":
            posts = pages.counted(blog, query)
            told = Told(path, 200, "counters", counters=tuple(map(self._counters, posts)))
            return told, pages.feed_metadata(blog, posts)
        name, _, slug = call.partition("/")
        item = blog.find(unquote(slug))
        if name == "post-page-metadata" and item is not None and blog.there(item):
            return Told(path, 200, "counters", counters=(self._counters(item),)), pages.metadata(blog, item)
        return Told(path, 404, "other"), "{}"


class _Handler(BaseHTTPRequestHandler):
    site: Site
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        try:
            told, body, headers = self.site.answer(
                parts.path, dict(parse_qsl(parts.query)), self.headers.get("If-None-Match", ""), self.headers["Host"]
            )
        except ConnectionAbortedError:
            self.close_connection = True
            return
        self.send_response_only(told.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if told.status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""
