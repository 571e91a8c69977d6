"""Isso (https://isso-comments.de), a comment server of the blog's own: threads by the path of the page.

Routes and fields as of Isso 0.13 (its API documentation), seen live with 0.14:

- `GET BASE/?uri=PATH` gives the whole thread, two levels deep. PATH must be exact, with its last slash: for any other
  the answer is an empty thread.
- `POST BASE/count` takes a JSON array of paths and gives the number of comments of each.

`total_replies` counts the places of deleted comments too; the number of comments is counted from the rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from scraper.comments._answer import base_of, json_object, query_of, unix_time, written
from scraper.comments._page import elements_with
from scraper.comments._service import CommentService, may_request
from scraper.items import Comment, Exchange, Item, Reading, ThreadPage
from scraper.not_a_post import Unreadable
from scraper.platforms._body import resolver
from scraper.platforms._json import count, decode, dig, mapping, sequence, string
from scraper.platforms._platform import Ask, Blog, Plan

# Isso answers in the same way without this parameter; it makes the addresses of this program's requests certain.
_MARK = "plain=0"
_MAX_PATHS = 1_000  # paths in one request for numbers
_DELETED = 4  # the mode of the place of a deleted comment


class Isso(CommentService):
    """Reads threads of Isso."""

    name: ClassVar[str] = "isso"
    extractor_version: ClassVar[int] = 1

    def thread_of(self, page: Exchange) -> str | None:
        """The server that `data-isso` of the script names, and the path of the page, or what `data-isso-id` says."""
        script = next((found for _, found in elements_with(page, b"data-isso=") if "data-isso" in found), None)
        if script is None:
            return None
        section = next((found for _, found in elements_with(page, b"isso-thread")), {})
        base = resolver(page.url)(script["data-isso"])
        path = section.get("data-isso-id", "").strip() or urlsplit(page.url).path or "/"
        return _thread(base if base.endswith("/") else f"{base}/", path)

    def is_api_url(self, url: str) -> bool:
        """`/?uri=/2024/sleep/&plain=0` and `/count?plain=0`, below any address."""
        if not url.endswith(_MARK):
            return False
        return set(query_of(url)) == {"uri", "plain"} or base_of(url).endswith("/count")

    def row_id(self, row: Mapping[str, Any]) -> str | None:
        """`{"id": 12, "mode": 1, ...}`."""
        return f"isso:{row['id']}" if "mode" in row and count(row.get("id")) is not None else None

    def counts(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        """One request for each server and 1,000 threads."""
        servers: dict[str, dict[str, str]] = {}
        for url, thread in threads.items():
            base, path = _parts(thread)
            if may_request(blog, base):
                servers.setdefault(base, {})[path] = url
        for base, posts in servers.items():
            paths = list(posts)
            for first in range(0, len(paths), _MAX_PATHS):
                some = paths[first : first + _MAX_PATHS]
                body = json.dumps(some).encode()
                answer = yield Ask(
                    url=f"{base}count?{_MARK}", method="POST", body=body, headers={"Content-Type": "application/json"}
                )
                for item in answer.items:
                    if isinstance(item, Reading):
                        known = blog.posts.get(posts.get(_parts(item.post[0])[1], ""))
                        if known is not None:
                            known.comments_count = item.comments_count

    def threads(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        """One request for each thread, which gives all of it."""
        for url, thread in threads.items():
            base, path = _parts(thread)
            known = blog.posts[url]
            if known.comments_count == 0 and not known.thread_count and known.thread_at is None:
                known.thread_read = True  # the server says that nothing is there
            elif blog.budget_spent():
                blog.deferred.add(url)
            elif may_request(blog, base):
                answer = yield Ask(url=f"{base}?uri={quote(path, safe='')}&{_MARK}")
                known.thread_read = answer.ok

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """The comments of a thread with their number, or the numbers of many threads."""
        if not 200 <= exchange.status < 300:
            raise Unreadable(f"the comment server answered {exchange.status}; its threads are read again later")
        if "uri" not in query_of(exchange.url):
            yield from _numbers(exchange)
            return
        answer = json_object(exchange)
        if not isinstance(answer.get("replies"), list):
            raise Unreadable("the answer of the comment server holds no thread; it is read again later")
        post = (_thread(base_of(exchange.url), query_of(exchange.url)["uri"]),)
        rows: list[tuple[Mapping[str, Any], object]] = [(row, None) for row in map(mapping, answer["replies"])]
        rows += [(mapping(reply), row) for row, _ in rows for reply in sequence(row.get("replies"))]
        comments = [comment for row, above in rows if (comment := _comment(row, above, post, exchange.url)) is not None]
        yield from comments
        hidden = sum(count(dig(row, "hidden_replies")) or 0 for row in (answer, *(row for row, _ in rows)))
        number = sum(comment.status == "published" for comment in comments)
        raw = str(count(answer.get("total_replies")) if count(answer.get("total_replies")) is not None else number)
        if not hidden:
            yield Reading(post=post, comments_count=number, comments_count_raw=raw)
        yield ThreadPage(post=post, cursor=None, following=("hidden replies",) if hidden else ())


def _thread(base: str, path: str) -> str:
    """Return the thread's id: "isso:https://comments.example/?uri=/2024/sleep/"."""
    return f"isso:{base}?uri={path}"


def _parts(thread: str) -> tuple[str, str]:
    """Return the server's address and the path of a thread's id."""
    base, _, path = thread.removeprefix("isso:").partition("?uri=")
    return base, path


def _numbers(exchange: Exchange) -> Iterator[Item]:
    try:
        paths, numbers = decode(exchange.request_body), decode(exchange.body)
    except ValueError as error:
        raise Unreadable("the numbers of comments are no JSON; they are requested again later") from error
    if len(sequence(paths)) != len(sequence(numbers)):
        raise Unreadable("the numbers of comments are not those that were requested; they are requested again later")
    base = base_of(exchange.url).removesuffix("count")
    for path, number in zip(sequence(paths), sequence(numbers), strict=True):
        if string(path) and count(number) is not None:
            yield Reading(post=(_thread(base, path),), comments_count=count(number), comments_count_raw=str(number))


def _comment(row: Mapping[str, Any], above: object, post: tuple[str, ...], url: str) -> Comment | None:
    """Return the comment, or the place of a deleted one without its text; None for a row without an id."""
    number, parent = count(row.get("id")), count(row.get("parent") or dig(above, "id"))
    if number is None or count(row.get("mode")) not in (1, _DELETED):
        return None
    is_deleted = count(row.get("mode")) == _DELETED
    author, body = string(row.get("author")).strip() or None, written(string(row.get("text")), url)
    key = string(row.get("hash"))  # of the e-mail address, or of the network address, which people may share
    return Comment(
        post=post,
        platform_comment_id=f"isso:{number}",
        parent_id=None if parent is None else f"isso:{parent}",
        author=None if is_deleted else author,
        person=None if is_deleted or not key else f"isso:{key}:{author or ''}",
        author_kind="guest",
        posted_at=unix_time(row.get("created")),
        posted_at_precision="second" if unix_time(row.get("created")) else None,
        likes=None if is_deleted else count(row.get("likes")),
        status="deleted" if is_deleted else "published",
        edited=None if is_deleted else row.get("modified") is not None,
        body_html=None if is_deleted else body.html,
        body_text=None if is_deleted else body.text,
    )
