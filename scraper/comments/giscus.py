"""Giscus (https://giscus.app): comments in the discussions of a GitHub repository, one discussion a page.

What its source and several public readers agree on; not seen live. `GET https://giscus.app/api/discussions?repo=...`
gives the discussion whose title is the page's term, with 100 comments from a cursor on; 404 says that nobody commented
yet. Replies beyond those in the answer are not read, and a problem says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from scraper.comments._answer import base_of, json_object, printable, query_of, written
from scraper.comments._page import elements_with
from scraper.comments._service import CommentService
from scraper.items import Comment, Exchange, Item, Problem, Reading, ThreadPage
from scraper.not_a_post import Unreadable
from scraper.platforms._dates import iso_date
from scraper.platforms._json import count, dig, mapping, sequence, string
from scraper.platforms._page import encoding_of, read_head
from scraper.platforms._platform import Ask, Blog, Plan
from scraper.platforms._tree import soup

_API = "https://giscus.app/api/discussions"
_MAX_PAGES = 100
_OF_A_THREAD = ("repo", "term", "number", "category", "strict")
# The end of a file's name in a path: ".html" of "2024/sleep.html"
_SUFFIX = re.compile(r"\.\w+$")
# What GitHub says of a person who may write to the repository
_STAFF = ("OWNER", "MEMBER", "COLLABORATOR")


class Giscus(CommentService):
    """Reads discussions through Giscus."""

    name: ClassVar[str] = "giscus"
    extractor_version: ClassVar[int] = 1

    def thread_of(self, page: Exchange) -> str | None:
        """The repository and the term that the script `giscus.app/client.js` names or takes from the page."""
        elements = elements_with(page, b"giscus.app/client.js")
        script = next((found for tag, found in elements if tag == "script" and found.get("data-repo")), None)
        if script is None:
            return None
        number = script.get("data-term", "") if script.get("data-mapping") == "number" else ""
        values = {
            "repo": script["data-repo"],
            "term": "" if number else _term(page, script),
            "number": number or "0",
            "category": script.get("data-category", ""),
            "strict": "true" if script.get("data-strict") == "1" else "false",
        }
        return _thread(values) if values["term"] or number else None

    def is_api_url(self, url: str) -> bool:
        """`/api/discussions` of giscus.app."""
        return base_of(url) == _API and {"repo", "term"} <= set(query_of(url))

    def row_id(self, row: Mapping[str, Any]) -> str | None:
        """`{"id": "DC_a1", "bodyHTML": "...", ...}`."""
        comment_id = string(row.get("id"))
        return f"giscus:{comment_id}" if "bodyHTML" in row and comment_id else None

    def threads(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        """The discussion of each post, page by page; none of a private site."""
        for url, thread in threads.items():
            if blog.private:
                return
            if blog.budget_spent():
                blog.deferred.add(url)
                continue
            address, cursor = f"{_API}?{thread.removeprefix('giscus:')}&first=100", ""
            for _ in range(_MAX_PAGES):
                answer = yield Ask(url=address + (f"&{urlencode({'after': cursor})}" if cursor else ""))
                parts = [item for item in answer.items if isinstance(item, ThreadPage)]
                if not parts:
                    break
                following = [step for step in parts[0].following if step not in ("replies", cursor)]
                if not following:
                    blog.posts[url].thread_read = True
                    break
                cursor = following[0]

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """The comments of one page of a discussion, with their number."""
        query = query_of(exchange.url)
        post, cursor = (_thread(query),), query.get("after") or None
        if exchange.status == 404 and string(json_object(exchange).get("error")) == "Discussion not found":
            yield Reading(post=post, comments_count=0, comments_count_raw="0")
            yield ThreadPage(post=post, cursor=cursor)
            return
        if not 200 <= exchange.status < 300:
            raise Unreadable(f"Giscus answered {exchange.status}; the discussion is read again later")
        discussion = mapping(json_object(exchange).get("discussion"))
        if not isinstance(discussion.get("comments"), list):
            raise Unreadable("the answer of Giscus holds no discussion; it is read again later")
        left = 0
        for row in map(mapping, discussion["comments"]):
            comment = _comment(row, None, post, exchange.url)
            replies = [mapping(reply) for reply in sequence(row.get("replies"))]
            left += max((count(row.get("replyCount")) or 0) - len(replies), 0)
            if comment is not None:
                yield comment
                found = (_comment(reply, comment.platform_comment_id, post, exchange.url) for reply in replies)
                yield from (reply for reply in found if reply is not None)
        comments, replied = (count(discussion.get(name)) for name in ("totalCommentCount", "totalReplyCount"))
        if comments is not None and replied is not None:
            yield Reading(post=post, comments_count=comments + replied, comments_count_raw=str(comments + replied))
        page = mapping(discussion.get("pageInfo"))
        following = string(page.get("endCursor")) if page.get("hasNextPage") is True else ""
        steps = (*((following,) if following else ()), *(("replies",) if left else ()))
        yield ThreadPage(post=post, cursor=cursor, following=steps)
        if left:
            message = f"{printable(query['repo'])}: {left} replies in the discussion of {query['term']!r} are not read"
            yield Problem(kind="thread-incomplete", message=message, url=exchange.url, field="comments")


def _thread(values: Mapping[str, str]) -> str:
    """Return the thread's id: "giscus:repo=riverside%2Fsite&term=2024%2Fsleep&number=0&category=News&strict=false"."""
    return f"giscus:{urlencode({name: values.get(name, '') for name in _OF_A_THREAD})}"


def _term(page: Exchange, script: Mapping[str, str]) -> str:
    """Return the title of the page's discussion, which `data-mapping` says where to take from; "" where it is absent.

    An unknown mapping counts as `specific`, as in Giscus' own script.
    """
    kind = script.get("data-mapping", "")
    if kind == "pathname":
        path = urlsplit(page.url).path
        return _SUFFIX.sub("", path[1:]) if len(path) > 1 else "index"
    if kind == "url":
        return base_of(page.url)
    if kind in ("title", "og:title"):
        tree = soup(page.body, encoding_of(page, page.body))
        title = tree.title.get_text().strip() if tree.title is not None else ""
        return read_head(tree, (), page.url).metas.get("og:title", "") if kind == "og:title" else title
    return script.get("data-term", "")


def _comment(row: Mapping[str, Any], above: str | None, post: tuple[str, ...], url: str) -> Comment | None:
    """Return the comment, or the place of a deleted one without its text; None for a row without an id."""
    comment_id, login = string(row.get("id")), string(dig(row, "author", "login"))
    if not comment_id:
        return None
    status = "deleted" if row.get("deletedAt") else "hidden" if row.get("isMinimized") is True else "published"
    is_shown, body = status == "published", written(string(row.get("bodyHTML")), url)
    posted_at = iso_date(string(row.get("createdAt")))
    is_staff = string(row.get("authorAssociation")) in _STAFF
    return Comment(
        post=post,
        platform_comment_id=f"giscus:{comment_id}",
        parent_id=above,
        author=(login or None) if is_shown else None,
        person=f"giscus:{login}" if login and is_shown else None,
        author_kind="unknown" if not is_shown else "staff" if is_staff else "member",
        posted_at=posted_at,
        posted_at_precision="second" if posted_at else None,
        likes=count(row.get("upvoteCount")) if is_shown else None,
        status=status,
        edited=bool(row.get("lastEditedAt")) if is_shown else None,
        body_html=body.html if is_shown else None,
        body_text=body.text if is_shown else None,
    )
