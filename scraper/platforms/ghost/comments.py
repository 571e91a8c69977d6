"""The members' comments of Ghost: threads of two levels, with likes, without a login.

- `GET SITE/members/api/comments/post/ID/?limit=100&page=N`: comments that open a thread, each with up to three replies
  and the number of all of them.
- `GET SITE/members/api/comments/COMMENT/replies/?limit=100&page=N`: the replies to one comment. The answer does not
  name the post, so that the request does (`post_id`, which Ghost ignores).
- `GET SITE/members/api/comments/counts/?ids=ID,ID`: numbers of comments, which robots.txt forbids by default.

The places of hidden and deleted comments still have their author's name, which is not read.
[reference: platforms, "Ghost"]
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from scraper.addresses import same_site
from scraper.items import Comment, Exchange, Item, Problem, Reading, ThreadPage
from scraper.not_a_post import Unreadable
from scraper.platforms._body import read_body, resolver
from scraper.platforms._dates import iso_date
from scraper.platforms._json import count, decode_rows, dig, mapping, sequence, string
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan
from scraper.platforms._tree import soup
from scraper.platforms.ghost import page
from scraper.platforms.ghost.content import may_ask

_SIZE = 100  # comments or replies in one answer
_MAX_PAGES = 1_000  # answers about one post
_OVERDRAFT = 50  # answers of a thread that are read beyond the day's budget: a part of a thread cannot be masked
_MAX_REFUSALS = 2  # threads in a row that are refused: the site shows no comments
_OFF = (403, 404, 405)  # the answers of a site whose comments are switched off, or not for everybody
# "/members/api/comments/post/6944354ce1b6fe0001f62bf0/", also below a folder
_THREAD = re.compile(r"/members/api/comments/post/(?P<post>[0-9a-f]{24})/$")
_REPLIES_PATH = re.compile(r"/members/api/comments/(?P<comment>[0-9a-f]{24})/replies/$")
_COUNTS = "/members/api/comments/counts/"
# "page=3", "post_id=6944354ce1b6fe0001f62bf0" in a query
_PAGE, _POST = re.compile(r"(?:^|&)page=(\d{1,6})"), re.compile(r"(?:^|&)post_id=([0-9a-f]{24})(?:&|$)")
# The address of a site in the script of its portal: data-ghost="https://clinic.example/blog/"
_SITE = re.compile(rb"\bdata-ghost(?:-comments)?=[\"'](https?://[^\"'<>\s]{1,300})[\"']")


def is_answer(url: str) -> bool:
    """Return whether the address is one of the above."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return False
    return path.endswith(_COUNTS) or any(form.search(path) for form in (_THREAD, _REPLIES_PATH))


def interface_root(blog: Blog) -> str:
    """Return the address below which the interfaces lie, no slash at its end: Ghost may be in a folder of the site."""
    found = _SITE.search(blog.home.body) if blog.home is not None else None
    stated = found[1].decode("ascii", "replace").rstrip("/") if found else ""
    return stated if stated and same_site(stated, blog.root) else blog.root


def counts(blog: Blog) -> Plan:
    """Request the numbers of comments of all posts, where robots.txt allows it."""
    posts = {post_id: known for known in blog.posts.values() if (post_id := _id_of(known)) is not None}
    url = f"{interface_root(blog)}{_COUNTS}"
    if not posts or not (yield from may_ask(blog, url)):
        return
    ids = list(posts)
    for first in range(0, len(ids), _SIZE):
        answer = yield Ask(url=f"{url}?{urlencode({'ids': ','.join(ids[first : first + _SIZE])}, safe=',')}")
        for item in answer.items:
            if isinstance(item, Reading) and item.post[0].partition(":")[2] in posts:
                known = posts[item.post[0].partition(":")[2]]
                known.comments_count = item.comments_count


def threads(blog: Blog) -> Plan:
    """Request the comments of each post that is due, and the replies that the answers leave out."""
    refused = 0
    for known in list(blog.posts.values()):
        post_id = _id_of(known)
        if post_id is None or known.thread_read or not known.thread_due or refused >= _MAX_REFUSALS:
            continue
        if known.comments_count == 0 and not known.thread_count:
            known.thread_read = True  # an answer of this visit says that nothing is there
            continue
        if blog.budget_spent():
            blog.deferred.add(known.url)
            continue
        is_read = yield from _thread(blog, post_id)
        if is_read is None:
            blog.deferred.add(known.url)
            continue
        known.thread_read = is_read
        refused = 0 if is_read else refused + 1


def _thread(blog: Blog, post_id: str) -> Generator[Ask, Answer, bool | None]:
    """Request all pages of one thread; return whether it was read to its end, None where the day's budget ended it."""
    site, waiting, seen = interface_root(blog), [""], set[str]()
    for cursor in waiting:
        if cursor in seen or len(seen) >= _MAX_PAGES:
            continue
        if len(seen) >= _OVERDRAFT and blog.budget_spent():
            return None
        seen.add(cursor)
        answer = yield Ask(url=_url_of(site, post_id, cursor))
        parts = [item for item in answer.items if isinstance(item, ThreadPage)]
        if not answer.ok or not parts:
            return False
        waiting += parts[0].following
    return len(seen) < _MAX_PAGES


def _url_of(site: str, post_id: str, cursor: str) -> str:
    """Return the address of a part of a thread: "" the first page, "2" the second, "ID 1" replies to a comment."""
    comment, _, number = cursor.rpartition(" ")
    if not comment:
        query = {"limit": _SIZE, "page": number or "1"}
        return f"{site}/members/api/comments/post/{post_id}/?{urlencode(query)}"
    query = {"limit": _SIZE, "page": number, "post_id": post_id}
    return f"{site}/members/api/comments/{comment}/replies/?{urlencode(query)}"


def _id_of(known: KnownPost) -> str | None:
    """Return the post's id: its page names it, or the feed (that of a locked post, whose page shows no comments)."""
    named = (address.partition(":")[2] for address in known.addresses if address.startswith("ghost:"))
    return known.comments_key or next(named, None)


def read(exchange: Exchange) -> Iterator[Item]:
    """Yield the comments of an answer, or the numbers. Raises `Unreadable` where the answer is none of them."""
    if exchange.status in _OFF:
        message = f"{exchange.url.partition('?')[0]}: answered {exchange.status}: the site shows no comments"
        yield Problem(kind="no-counters", message=message, url=exchange.url, field="comments")
        return
    if not 200 <= exchange.status < 300:
        raise Unreadable(f"the comments answered {exchange.status}; they are read again later")
    try:
        answer = mapping(decode_rows(exchange.body))
    except ValueError as error:
        raise Unreadable("the answer about comments is no JSON; they are read again later") from error
    parts = urlsplit(exchange.url)
    if parts.path.endswith(_COUNTS):
        yield from _numbers(answer)
        return
    rows = answer.get("comments")
    thread, replies, owner = _THREAD.search(parts.path), _REPLIES_PATH.search(parts.path), _POST.search(parts.query)
    post_id: str | None = thread["post"] if thread else owner[1] if owner else None
    if not isinstance(rows, list) or post_id is None:
        raise Unreadable("the answer about comments holds none; they are read again later")
    post, above = (f"ghost:{post_id}",), replies["comment"] if replies else None
    found = _PAGE.search(parts.query)
    number = int(found[1]) if found else 1
    yield from _comments(map(mapping, rows), above, post, exchange.url)
    pagination = mapping(dig(answer, "meta", "pagination"))
    following = count(pagination.get("next"))
    prefix = f"{above} " if above else ""
    steps = [f"{prefix}{following}"] if following is not None and following > number else []
    if above is None:
        steps += [f"{string(row.get('id'))} 1" for row in map(mapping, rows) if _replies_left(row) > 0]
        total = _total(list(map(mapping, rows)))
        if number == 1 and not following and total is not None:
            yield Reading(post=post, comments_count=total, comments_count_raw=str(total))
    cursor = None if above is None and number == 1 else f"{prefix}{number}"
    yield ThreadPage(post=post, cursor=cursor, following=tuple(steps))


def _numbers(answer: Mapping[str, Any]) -> Iterator[Reading]:
    """Yield the number of comments of each post, `{"6944354ce1b6fe0001f62bf0": 7}`."""
    for post_id, value in answer.items():
        address, number = page.address_of(post_id), count(value)
        if address is not None and number is not None:
            yield Reading(post=(address,), comments_count=number, comments_count_raw=str(number))


def _total(rows: list[Mapping[str, Any]]) -> int | None:
    """Return the number of comments of a whole thread: published ones, without the places of others.

    Where all replies to a comment are here, they are counted, else their number is that of the answer.
    """
    number = 0
    for row in rows:
        replies = list(map(mapping, sequence(row.get("replies"))))
        left = count(dig(row, "count", "replies"))
        if left is None:
            return None
        number += string(row.get("status")) == "published"
        number += left if left > len(replies) else sum(string(reply.get("status")) == "published" for reply in replies)
    return number


def _replies_left(row: Mapping[str, Any]) -> int:
    return (count(dig(row, "count", "replies")) or 0) - len(sequence(row.get("replies")))


def _comments(
    rows: Iterable[Mapping[str, Any]], above: str | None, post: tuple[str, ...], url: str
) -> Iterator[Comment]:
    """Yield comments and the replies that come with them."""
    for row in rows:
        comment = _comment(row, above, post, url)
        if comment is None:
            continue
        yield comment
        if above is None:
            yield from _comments(map(mapping, sequence(row.get("replies"))), comment.platform_comment_id, post, url)


def _comment(row: Mapping[str, Any], above: str | None, post: tuple[str, ...], url: str) -> Comment | None:
    """Return the comment, or the place of a hidden or deleted one; None for a row without an id."""
    comment_id, member = string(row.get("id")), mapping(row.get("member"))
    if not comment_id:
        return None
    status, posted_at = string(row.get("status")).lower() or None, iso_date(string(row.get("created_at")))
    is_shown = status in (None, "published")
    markup = string(row.get("html")) if is_shown else ""
    body = read_body([soup(markup.encode("utf-8", "replace"), "utf-8")], resolver(url))
    uuid = string(member.get("uuid")) or string(member.get("id"))
    return Comment(
        post=post,
        platform_comment_id=comment_id,
        parent_id=above,
        author=(string(member.get("name")).strip() or None) if is_shown else None,
        person=f"ghost:{uuid}" if uuid and is_shown else None,
        author_kind="member" if member and is_shown else "unknown",
        posted_at=posted_at,
        posted_at_precision="second" if posted_at else None,
        body_html=body.html,
        body_text=body.text,
        likes=count(dig(row, "count", "likes")) if is_shown else None,
        status=status,
        edited=bool(row.get("edited_at")) if is_shown else None,
    )
