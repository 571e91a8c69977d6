"""A WordPress blog on loopback: its REST API and its pages, of posts and comments that a test changes."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LARGEST = 20  # rows an answer has, whatever is requested


@dataclass
class WrittenComment:
    """A comment of a visitor; `post` 0 is a comment on a page of the site."""

    number: int
    post: int
    text: str
    author: str
    parent: int = 0


@dataclass
class WrittenPost:
    """A post, changed at `modified` (a time in UTC without a zone)."""

    number: int
    text: str
    modified: str = "2025-01-05T10:00:00"


@dataclass
class WordPressSite:
    """Answers as WordPress does under pretty permalinks; `requested` are the paths with their queries."""

    posts: dict[int, WrittenPost] = field(default_factory=dict)
    comments: dict[int, WrittenComment] = field(default_factory=dict)
    closed: bool = False  # the API is refused
    requested: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.requested.append(self.path)
                status, kind, body, headers = site.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def pages(self) -> list[str]:
        """The addresses of pages of posts that were requested since the last call; `requested` is emptied."""
        found = [path for path in self.requested if path.startswith("/2025/")]
        self.requested.clear()
        return found

    def answer(self, path: str) -> tuple[int, str, bytes, dict[str, str]]:
        parts = urlsplit(path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.path.startswith("/wp-json/"):
            return self._api(parts.path.removeprefix("/wp-json/"), query)
        number = parts.path.strip("/").rpartition("-")[2]
        if parts.path == "/":
            return self._page("Home", '<body class="home blog">')
        if number.isdigit() and int(number) in self.posts:
            return self._page(f"Post {number}", self._post_page(self.posts[int(number)]))
        return self._page("Nothing here", '<body class="error404">', 404)

    def _page(self, title: str, body: str, status: int = 200) -> tuple[int, str, bytes, dict[str, str]]:
        head = f'<meta name="generator" content="WordPress 6.5"><title>{title}</title>'
        head += f'<link rel="https://api.w.org/" href="{self.url}/wp-json/">'
        html = f'<!DOCTYPE html><html lang="en"><head>{head}</head>{body}<p>Fernside Clinic</p></body></html>'
        return status, "text/html; charset=UTF-8", html.encode(), {}

    def _post_page(self, post: WrittenPost) -> str:
        comments = "".join(
            f'<li class="comment" id="comment-{comment.number}"><div class="comment-body"><cite class="fn">'
            f'{comment.author}</cite><div class="comment-content"><p>{comment.text}</p></div></div></li>'
            for comment in self.comments.values()
            if comment.post == post.number
        )
        return (
            f'<body class="single single-post postid-{post.number}"><article id="post-{post.number}" class="post'
            f' type-post"><h1 class="entry-title">Post {post.number}</h1><time class="entry-date"'
            ' datetime="2025-01-05T10:00:00+00:00">5 January</time><div class="entry-content">'
            f'<p>{post.text}</p></div></article><ol class="comment-list">{comments}</ol>'
        )

    def _api(self, route: str, query: dict[str, str]) -> tuple[int, str, bytes, dict[str, str]]:
        if self.closed:
            return self._json({"code": "rest_not_logged_in"}, 401)
        if route == "":
            return self._json({"url": self.url, "timezone_string": "Europe/Paris"})
        if route == "wp/v2/types":
            return self._json({"post": {"slug": "post", "rest_base": "posts"}})
        rows = self._posts(query) if route == "wp/v2/posts" else self._comments(query)
        size, page = min(int(query.get("per_page", "10")), LARGEST), int(query.get("page", "1"))
        pages = -(-len(rows) // size)
        if page > max(pages, 1):
            return self._json({"code": "rest_post_invalid_page_number"}, 400)
        counted = {"X-WP-Total": str(len(rows)), "X-WP-TotalPages": str(pages)}
        fields = query.get("_fields", "").split(",")
        visible = [{name: row[name] for name in row if fields == [""] or name in fields} for row in rows]
        return self._json(visible[(page - 1) * size : page * size], headers=counted)

    def _json(
        self, value: object, status: int = 200, headers: dict[str, str] | None = None
    ) -> tuple[int, str, bytes, dict[str, str]]:
        return status, "application/json; charset=UTF-8", json.dumps(value).encode(), headers or {}

    def _posts(self, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = {int(name) for name in query.get("include", "").split(",") if name}
        posts = [post for post in self.posts.values() if not wanted or post.number in wanted]
        posts.sort(key=lambda post: (post.modified if query.get("orderby") == "modified" else "", post.number))
        return [self._row(post) for post in reversed(posts)]

    def _row(self, post: WrittenPost) -> dict[str, Any]:
        return {
            "id": post.number, "type": "post", "status": "publish", "slug": f"post-{post.number}",
            "link": f"{self.url}/2025/01/post-{post.number}/", "guid": {"rendered": f"{self.url}/?p={post.number}"},
            "date": "2025-01-05T11:00:00", "date_gmt": "2025-01-05T10:00:00", "modified_gmt": post.modified,
            "title": {"rendered": f"Post {post.number}"}, "author": 1, "categories": [], "tags": [],
            "content": {"rendered": f"<p>{post.text}</p>", "protected": False},
            "_embedded": {"author": [{"name": "Dr. Ines Okafor"}]},
        }  # fmt: skip

    def _comments(self, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = {int(name) for name in query.get("post", "").split(",") if name}
        found = [comment for comment in self.comments.values() if not wanted or comment.post in wanted]
        found.sort(key=lambda comment: comment.number, reverse=query.get("order") == "desc")
        return [
            {
                "id": comment.number, "post": comment.post or 9999, "parent": comment.parent, "author": 0,
                "author_name": comment.author, "date": "2025-02-01T11:00:00", "date_gmt": "2025-02-01T10:00:00",
                "content": {"rendered": f"<p>{comment.text}</p>"}, "status": "approved", "type": "comment",
                "author_avatar_urls": {"24": f"https://secure.gravatar.com/avatar/{comment.number:032x}?s=24"},
                "_links": {"up": [{"post_type": "post" if comment.post else "page"}]},
            }
            for comment in found
        ]  # fmt: skip
