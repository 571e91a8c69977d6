"""Comments of HubSpot's blogs, which the page names by the address that its script requests.

The address is in real pages; its answer is known from one public reader only and was not seen live. What it holds
beside the fields below is ignored. E-mail addresses of commenters, should it hold any, are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from scraper.comments._answer import base_of, json_object, query_of, unix_time, written
from scraper.comments._page import assigned, elements_with, scripts_with
from scraper.comments._service import CommentService
from scraper.items import Comment, Exchange, Item, Reading, ThreadPage
from scraper.not_a_post import Unreadable
from scraper.platforms._json import count, mapping, sequence, string
from scraper.platforms._platform import Ask, Blog, Plan

# A server of a region: https://api-na1.hubapi.com/comments/v3/comments/thread/public
_API = re.compile(r"https://api(?:-[a-z0-9]{1,8})?\.hubapi\.com/comments/v3/comments/thread/public")
_IDS = ("portalId", "contentId", "collectionId")
_MAX_COMMENTS = 1_000  # comments in one answer


class HubSpotComments(CommentService):
    """Reads threads of HubSpot's blogs."""

    name: ClassVar[str] = "hubspot-comments"
    extractor_version: ClassVar[int] = 1

    def thread_of(self, page: Exchange) -> str | None:
        """The ids in the address that the script of `#comments-listing` requests; without it, the page's address."""
        if not any(found.get("id") == "comments-listing" for _, found in elements_with(page, b"comments-listing")):
            return None
        address = assigned(scripts_with(page, b"hubapi.com/comments/"), "commentsUrl") or ""
        query = query_of(address)
        if not _API.fullmatch(base_of(address)) or not all(query.get(name, "").isdigit() for name in _IDS):
            return f"hubspot-comments:?{urlencode({'url': base_of(page.url)})}"
        return _thread(base_of(address), query)

    def is_api_url(self, url: str) -> bool:
        """The public list of a thread's comments."""
        return _API.fullmatch(base_of(url)) is not None and set(_IDS) <= set(query_of(url))

    def row_id(self, row: Mapping[str, Any]) -> str | None:
        """`{"id": 12, "comment": "...", ...}`."""
        return f"hubspot:{row['id']}" if "comment" in row and count(row.get("id")) is not None else None

    def threads(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        """One request for each thread; none of a private site."""
        for url, thread in threads.items():
            address = thread.removeprefix("hubspot-comments:")
            if not _API.match(address) or blog.private:
                continue
            if blog.budget_spent():
                blog.deferred.add(url)
                continue
            answer = yield Ask(url=f"{address}&offset=0&limit={_MAX_COMMENTS}")
            blog.posts[url].thread_read = answer.ok

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """The comments of a thread; their number where the answer holds all of them."""
        if not 200 <= exchange.status < 300:
            raise Unreadable(f"the comment service answered {exchange.status}; its threads are read again later")
        answer = json_object(exchange)
        rows = next((answer[name] for name in ("objects", "comments", "results") if name in answer), None)
        if not isinstance(rows, list):
            raise Unreadable("the answer of the comment service holds no thread; it is read again later")
        post = (_thread(base_of(exchange.url), query_of(exchange.url)),)
        waiting: list[tuple[Mapping[str, Any], str | None]] = [(mapping(row), None) for row in rows]
        number = 0
        for row, above in waiting:
            comment = _comment(row, above, post, exchange.url)
            if comment is None:
                continue
            yield comment
            number += 1
            waiting += [(mapping(reply), comment.platform_comment_id) for reply in sequence(row.get("children"))]
        total = count(answer.get("total"))
        is_whole = (total is None and len(rows) < _MAX_COMMENTS) or (total is not None and total in (len(rows), number))
        if is_whole:
            yield Reading(post=post, comments_count=number, comments_count_raw=str(number if total is None else total))
        yield ThreadPage(post=post, cursor=None, following=() if is_whole else ("the rest",))


def _thread(base: str, query: Mapping[str, str]) -> str:
    """Return the thread's id: "hubspot-comments:https://api.hubapi.com/...?portalId=1&contentId=2&collectionId=3"."""
    return f"hubspot-comments:{base}?{urlencode({name: query[name] for name in _IDS})}"


def _comment(row: Mapping[str, Any], above: str | None, post: tuple[str, ...], url: str) -> Comment | None:
    """Return the comment; None for a row without an id, or one that waits for approval."""
    number, parent = count(row.get("id")), count(row.get("parentId"))
    state = string(row.get("state")).lower()
    if number is None or state not in ("", "approved"):
        return None
    milliseconds, body = count(row.get("createdAt")), written(string(row.get("comment")), url)
    posted_at = unix_time(milliseconds // 1000) if milliseconds is not None else None
    return Comment(
        post=post,
        platform_comment_id=f"hubspot:{number}",
        parent_id=f"hubspot:{parent}" if parent else above,
        author=string(row.get("userName")).strip() or None,
        author_kind="guest",
        posted_at=posted_at,
        posted_at_precision="second" if posted_at else None,
        body_html=body.html,
        body_text=body.text,
    )
