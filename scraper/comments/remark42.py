"""Remark42 (https://remark42.com), a comment server of the blog's own: threads by site and address of the page.

Routes and fields as its documentation and tests describe them; not seen live.

- `GET HOST/api/v1/find?site=SITE&url=URL&format=tree&sort=+time` gives the whole thread.
- `POST HOST/api/v1/counts?site=SITE` takes a JSON array of addresses and gives the number of comments of each.

`score` is the difference of votes for and against: no number of likes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from scraper.comments._answer import base_of, json_object, query_of, written
from scraper.comments._page import assigned, scripts_with
from scraper.comments._service import CommentService, may_request
from scraper.items import Comment, Exchange, Item, Reading, ThreadPage
from scraper.not_a_post import Unreadable
from scraper.platforms._body import resolver
from scraper.platforms._dates import iso_date
from scraper.platforms._json import count, decode, dig, mapping, sequence, string
from scraper.platforms._platform import Ask, Blog, Plan

_FIND, _COUNTS = "/api/v1/find", "/api/v1/counts"
_DEEPEST = 200  # replies to replies; a thread that goes deeper is not whole


class Remark42(CommentService):
    """Reads threads of Remark42."""

    name: ClassVar[str] = "remark42"
    extractor_version: ClassVar[int] = 1

    def thread_of(self, page: Exchange) -> str | None:
        """Host, site and address that `remark_config` names; without an address that of the page."""
        script = scripts_with(page, b"remark_config")
        host, site = assigned(script, "host"), assigned(script, "site_id")
        if not host or not site:
            return None
        url = assigned(script.partition("remark_config")[2], "url") or base_of(page.url)
        return _thread(resolver(page.url)(host).rstrip("/"), site, url)

    def is_api_url(self, url: str) -> bool:
        """`/api/v1/find?site=...&url=...` and `/api/v1/counts?site=...`."""
        names = set(query_of(url))
        return (base_of(url).endswith(_FIND) and {"site", "url", "format"} <= names) or (
            base_of(url).endswith(_COUNTS) and names == {"site"}
        )

    def row_id(self, row: Mapping[str, Any]) -> str | None:
        """`{"comment": {"id": "a1", ...}, "replies": [...]}`."""
        comment_id = string(dig(row, "comment", "id"))
        return f"remark42:{comment_id}" if comment_id else None

    def counts(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        """One request for each site."""
        sites: dict[tuple[str, str], list[str]] = {}
        for thread in threads.values():
            host, site, url = _parts(thread)
            if may_request(blog, host):
                sites.setdefault((host, site), []).append(url)
        posts = {thread: url for url, thread in threads.items()}
        for (host, site), urls in sites.items():
            answer = yield Ask(
                url=f"{host}{_COUNTS}?{urlencode({'site': site})}",
                method="POST",
                body=json.dumps(urls).encode(),
                headers={"Content-Type": "application/json"},
            )
            for item in answer.items:
                known = blog.posts.get(posts.get(item.post[0], "")) if isinstance(item, Reading) else None
                if known is not None and isinstance(item, Reading):
                    known.comments_count = item.comments_count

    def threads(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        """One request for each thread, which gives all of it."""
        for url, thread in threads.items():
            host, site, address = _parts(thread)
            if blog.budget_spent():
                blog.deferred.add(url)
            elif may_request(blog, host):
                query = {"site": site, "url": address, "format": "tree", "sort": "+time"}
                answer = yield Ask(url=f"{host}{_FIND}?{urlencode(query)}")
                blog.posts[url].thread_read = answer.ok

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """The comments of a thread with their number, or the numbers of many threads."""
        if not 200 <= exchange.status < 300:
            raise Unreadable(f"the comment server answered {exchange.status}; its threads are read again later")
        query = query_of(exchange.url)
        if base_of(exchange.url).endswith(_COUNTS):
            yield from _numbers(exchange, query["site"])
            return
        answer = json_object(exchange)
        if "comments" not in answer or not isinstance(answer["comments"], list | None):
            raise Unreadable("the answer of the comment server holds no thread; it is read again later")
        host = base_of(exchange.url).removesuffix(_FIND)
        post = (_thread(host, query["site"], query["url"]),)
        waiting = [(mapping(node), 0) for node in sequence(answer.get("comments"))]
        is_cut = False
        for node, depth in waiting:
            comment = _comment(mapping(node.get("comment")), post, exchange.url)
            if comment is not None:
                yield comment
            if depth < _DEEPEST:
                waiting += [(mapping(reply), depth + 1) for reply in sequence(node.get("replies"))]
            else:
                is_cut = True
        number = count(dig(answer, "info", "count"))
        if number is not None:
            yield Reading(post=post, comments_count=number, comments_count_raw=str(number))
        yield ThreadPage(post=post, cursor=None, following=("deeper replies",) if is_cut else ())


def _thread(host: str, site: str, url: str) -> str:
    """Return the thread's id: "remark42:https://remark.example?site=riverside&url=https%3A%2F%2Fa.example%2Fsleep"."""
    return f"remark42:{host}?{urlencode({'site': site, 'url': url})}"


def _parts(thread: str) -> tuple[str, str, str]:
    """Return server, site and address of a thread's id."""
    address = thread.removeprefix("remark42:")
    query = query_of(address)
    return base_of(address), query.get("site", ""), query.get("url", "")


def _numbers(exchange: Exchange, site: str) -> Iterator[Item]:
    try:
        rows = sequence(decode(exchange.body))
    except ValueError as error:
        raise Unreadable("the numbers of comments are no JSON; they are requested again later") from error
    host = base_of(exchange.url).removesuffix(_COUNTS)
    for row in map(mapping, rows):
        number, url = count(row.get("count")), string(row.get("url"))
        if number is not None and url:
            yield Reading(post=(_thread(host, site, url),), comments_count=number, comments_count_raw=str(number))


def _comment(row: Mapping[str, Any], post: tuple[str, ...], url: str) -> Comment | None:
    """Return the comment, or the place of a deleted one without its text; None for a row without an id."""
    comment_id, user = string(row.get("id")), mapping(row.get("user"))
    if not comment_id:
        return None
    parent, is_deleted = string(row.get("pid")), row.get("delete") is True
    posted_at, body = iso_date(string(row.get("time"))), written(string(row.get("text")), url)
    kind = "staff" if user.get("admin") is True else "guest" if string(user.get("id")).startswith("anon") else "member"
    return Comment(
        post=post,
        platform_comment_id=f"remark42:{comment_id}",
        parent_id=f"remark42:{parent}" if parent else None,
        author=None if is_deleted else string(user.get("name")).strip() or None,
        person=None if is_deleted or not string(user.get("id")) else f"remark42:{string(user.get('id'))}",
        author_kind="unknown" if is_deleted else kind,  # type: ignore[arg-type]
        posted_at=posted_at,
        posted_at_precision="second" if posted_at else None,
        status="deleted" if is_deleted else "published",
        edited=None if is_deleted else bool(mapping(row.get("edit"))),
        body_html=None if is_deleted else body.html,
        body_text=None if is_deleted else body.text,
    )
