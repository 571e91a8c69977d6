"""Disqus (https://disqus.com): the page that a blog embeds, which holds the first comments of a thread as JSON.

What many public readers agree on; not seen live. `GET https://disqus.com/embed/comments/?f=FORUM&t_i=IDENTIFIER&t_u=URL`
answers with HTML; its script `disqus-threadData` has the thread with its number of comments, and about 50 of them. The
rest is given to holders of a key only: it is not read, and a problem says how many comments are missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from scraper.comments._answer import base_of, printable, query_of, written
from scraper.comments._page import assigned, elements_with, scripts_with
from scraper.comments._service import CommentService
from scraper.items import Comment, Exchange, Item, Problem, Reading, ThreadPage
from scraper.not_a_post import Unreadable
from scraper.platforms._dates import iso_date
from scraper.platforms._json import count, decode_rows, dig, mapping, string
from scraper.platforms._page import scripts
from scraper.platforms._platform import Ask, Blog, Plan

_EMBED = "https://disqus.com/embed/comments/"
# The script of a forum: //riverside.disqus.com/embed.js
_FORUM = re.compile(r"//([a-z0-9-]{1,60})\.disqus\.com\\?/embed\.js", re.IGNORECASE)
# "2024-05-02T09:30:00": UTC without saying so
_BARE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class Disqus(CommentService):
    """Reads the first comments of threads at Disqus, and their number."""

    name: ClassVar[str] = "disqus"
    extractor_version: ClassVar[int] = 1

    def thread_of(self, page: Exchange) -> str | None:
        """Forum, identifier and address that the scripts of a page with `#disqus_thread` or Disqus' own script name.

        Where no script of the page names the forum, the thread is known, and not read.
        """
        sources = " ".join(found.get("src", "") for _, found in elements_with(page, b".disqus.com/embed.js"))
        has_element = any(found.get("id") == "disqus_thread" for _, found in elements_with(page, b"disqus_thread"))
        if not has_element and not _FORUM.search(sources):
            return None
        script = scripts_with(page, b"disqus")
        found = _FORUM.search(f"{sources} {script}".replace("\\/", "/"))
        forum = assigned(script, "disqus_shortname", "disqusShortname") or (found[1] if found else "")
        identifier = assigned(script, "disqus_identifier", "disqusIdentifier", "page.identifier")
        url = assigned(script, "disqus_url", "disqusUrl", "page.url") or base_of(page.url)
        return _thread(forum, identifier or "", url)

    def is_api_url(self, url: str) -> bool:
        """The embedded page."""
        return base_of(url) == _EMBED and {"f", "t_u"} <= set(query_of(url))

    def threads(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        """One request for each thread; none of a private site."""
        for url, thread in threads.items():
            forum, identifier, address = _parts(thread)
            if not forum or blog.private:
                continue
            if blog.budget_spent():
                blog.deferred.add(url)
                continue
            query = {"base": "default", "f": forum, **({"t_i": identifier} if identifier else {}), "t_u": address}
            answer = yield Ask(url=f"{_EMBED}?{urlencode({**query, 's_o': 'default'})}")
            blog.posts[url].thread_read = answer.ok

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """The comments of an embedded page, their number, and a problem where there are more."""
        if not 200 <= exchange.status < 300:
            raise Unreadable(f"Disqus answered {exchange.status}; the thread is read again later")
        query = query_of(exchange.url)
        post = (_thread(query["f"], query.get("t_i", ""), query["t_u"]),)
        data = next((_data(text) for text in scripts(exchange.body, b"disqus-threadData", "utf-8")), {})
        response, cursor = mapping(data.get("response")), mapping(data.get("cursor"))
        number = count(dig(response, "thread", "posts"))
        if not isinstance(response.get("posts"), list) or number is None:
            raise Unreadable("the embedded page of Disqus holds no thread; it is read again later")
        comments = [comment for row in response["posts"] if (comment := _comment(mapping(row), post)) is not None]
        yield from comments
        yield Reading(post=post, comments_count=number, comments_count_raw=str(number))
        has_more = cursor.get("hasNext") is True or number > len(comments)
        yield ThreadPage(post=post, cursor=None, following=("the rest",) if has_more else ())
        if has_more:
            limit = f"Disqus shows {len(comments)} of {number} comments to everybody; the rest is not read"
            message = f"{printable(query['t_u'])}: {limit}"
            yield Problem(kind="thread-incomplete", message=message, url=exchange.url, field="comments")


def _thread(forum: str, identifier: str, url: str) -> str:
    """Return the thread's id: "disqus:riverside?i=41&u=https%3A%2F%2Fa.example%2Fsleep"."""
    return f"disqus:{forum}?{urlencode({'i': identifier, 'u': url})}"


def _parts(thread: str) -> tuple[str, str, str]:
    """Return forum, identifier and address of a thread's id."""
    forum, _, query = thread.removeprefix("disqus:").partition("?")
    values = query_of(f"?{query}")
    return forum, values.get("i", ""), values.get("u", "")


def _data(text: str) -> Mapping[str, Any]:
    try:
        return mapping(decode_rows(text.encode("utf-8", "replace")))
    except ValueError as error:
        raise Unreadable("the data in the embedded page of Disqus are no JSON; read again later") from error


def _comment(row: Mapping[str, Any], post: tuple[str, ...]) -> Comment | None:
    """Return the comment, or the place of a deleted one without its text; None for a row without an id."""
    comment_id, author = string(row.get("id")), mapping(row.get("author"))
    if not comment_id:
        return None
    parent, is_deleted = count(row.get("parent")), row.get("isDeleted") is True
    is_guest, person = author.get("isAnonymous") is True, string(author.get("id")) or string(author.get("username"))
    printed = string(row.get("createdAt"))
    posted_at = iso_date(f"{printed}Z" if _BARE_TIME.fullmatch(printed) else printed)
    body = written(string(row.get("message")), _EMBED)
    return Comment(
        post=post,
        platform_comment_id=f"disqus:{comment_id}",
        parent_id=None if parent is None else f"disqus:{parent}",
        author=None if is_deleted else string(author.get("name")).strip() or None,
        person=None if is_deleted or is_guest or not person else f"disqus:{person}",
        author_kind="unknown" if is_deleted else "guest" if is_guest else "member",
        posted_at=posted_at,
        posted_at_precision="second" if posted_at and "T" in posted_at else None,
        likes=None if is_deleted else count(row.get("likes")),
        status="deleted" if is_deleted else "published",
        edited=row.get("isEdited") if isinstance(row.get("isEdited"), bool) and not is_deleted else None,
        body_html=None if is_deleted else body.html,
        body_text=None if is_deleted else body.text,
    )
