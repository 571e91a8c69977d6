"""Comment threads of a Wix blog: requests to the Comments service, and what its answers hold.

*Sources* `GET /comments/v1/comments/list-by-resource` (dev.wix.com, "Comments": the blog is filed under its app's id,
with a post's 24-hex `internalId` as context and resource). Top comments come in pages; each brings its first replies
and a cursor to the rest; replies come from the same address with that cursor. A comment names its author by id alone;
names come from `POST /members/v1/members/query`.

*Caveats* which address a live page requests is not known from captures: the site's own `/_api` is tried first, then
`www.wixapis.com`. Guests have only a visitor's id. A deleted comment with replies remains as a placeholder.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from scraper.items import AuthorKind, Comment, Exchange, Item, Names, Problem, ThreadPage
from scraper.platforms._body import Body
from scraper.platforms._dates import iso_date
from scraper.platforms._json import count, decode, dig, mapping, sequence, string
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan
from scraper.platforms._values import clean
from scraper.platforms.wix.richtext.ricos import render
from scraper.platforms.wix.services.comment_request import comment_request, rendered_post
from scraper.platforms.wix.services.session import BLOG_APP, Session

logger = logging.getLogger(__name__)

PUBLIC = "https://www.wixapis.com"
LIMIT, FEWER, MAX_REPLIES = 100, 20, 20  # top comments of a page (the second after a 400), and first replies of each
MAX_PAGES = 500  # of one thread: 50,000 comments
NAMES_A_QUERY = 100  # dev.wix.com, "Query Members": at most 100 a page
PERSONS: tuple[tuple[str, str, AuthorKind], ...] = (
    ("memberId", "member", "member"),
    ("userId", "member", "member"),
    ("visitorId", "visitor", "guest"),
)


def member(name: str) -> str:
    """Return a member of a site as `Comment.person` has it, `member:<id>`; authors of posts are members too."""
    return f"member:{name}"


def read_comments(value: object, exchange: Exchange) -> Iterator[Item]:
    """Yield the comments and replies of an answer; a `Problem` where its next cursor is the one just requested.

    Two-level answers (`comments` and `commentReplies`), one thread (`comment`, `replies`) and one comment are read.
    """
    request = comment_request(exchange)
    listed = [*sequence(dig(value, "comments")), *sequence(dig(value, "replies"))]
    listed += [dig(value, "comment")] if mapping(dig(value, "comment")) else []
    for part in mapping(dig(value, "commentReplies")).values():
        listed += sequence(mapping(part).get("replies"))
    if not listed and not mapping(value).keys() & {"comments", "comment", "replies", "pagingMetadata"}:
        message = "the answer has no comments: its shape is not known"
        yield Problem(kind="missing-field", message=message, url=exchange.url, field="comments")
    posts = {_resource(raw) for raw in map(mapping, listed)} - {()}
    single_post = posts.pop() if len(posts) == 1 and exchange.via else ()
    fallback = request.post or single_post or rendered_post(exchange)
    for raw in map(mapping, listed):
        post = _resource(raw) or fallback
        if string(raw.get("id")) and post:
            yield _comment(raw, post)
    following = next_cursor(value)
    if fallback and not (exchange.via and "comments" not in mapping(value)):
        reply_cursors = [next_cursor(part) for part in mapping(dig(value, "commentReplies")).values()]
        omissions = _omissions(value) if exchange.via else ()
        is_beginning = exchange.via is None or not _only_replies(value)
        yield ThreadPage(
            post=fallback,
            cursor=request.cursor or (None if is_beginning else "(replies)"),
            following=(*(cursor for cursor in (following, *reply_cursors) if cursor), *omissions),
        )
    if following and following == request.cursor:
        message = "the comments service answered with the same cursor again; the rest of the thread was not read"
        yield Problem(kind="repeated-cursor", message=message, url=exchange.url)


def _resource(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the addresses of the post that a comment says it belongs to."""
    name = string(raw.get("resourceId") or raw.get("contextId"))
    return (f"wix:{name.lower()}",) if name else ()


def _only_replies(value: object) -> bool:
    """Return whether every comment is a reply: then the answer is not the beginning of a thread."""
    listed = sequence(dig(value, "comments"))
    return bool(listed) and all(dig(raw, "parentComment", "id") for raw in listed)


def _omissions(value: object) -> Iterator[str]:
    """Yield marks for what an answer omits without a cursor to it: more comments (`hasNext`) or replies (`replyCount`).

    An answer that only its shape identifies may be paged by other means than cursors.
    """
    if dig(value, "pagingMetadata", "hasNext") is True and not next_cursor(value):
        yield "(more)"
    replies = mapping(dig(value, "commentReplies"))
    for raw in map(mapping, sequence(dig(value, "comments"))):
        if dig(raw, "parentComment", "id"):
            continue
        given = mapping(replies.get(string(raw.get("id"))))
        if (count(raw.get("replyCount")) or 0) > len(sequence(given.get("replies"))) and not next_cursor(given):
            yield f"(replies of {string(raw.get('id'))})"


def _comment(raw: Mapping[str, Any], post: tuple[str, ...]) -> Comment:
    status = string(raw.get("status")).lower() or None
    deleted = status == "deleted"
    author = mapping(raw.get("author"))
    person, kind = _person(author)
    body = Body() if deleted else render(dig(raw, "content", "richContent"))
    posted = iso_date(string(raw.get("commentDate") or raw.get("createdDate")))
    likes = count(dig(raw, "reactionSummary", "total"))
    edited = raw.get("contentEdited")
    return Comment(
        post=post,
        platform_comment_id=string(raw.get("id")),
        parent_id=string(dig(raw, "parentComment", "id")) or None,
        author=clean(string(author.get("name"))),
        person=person,
        author_kind=kind,
        posted_at=posted,
        posted_at_precision=None if posted is None else "second" if "T" in posted else "day",
        body_text=body.text,
        body_html=body.html,
        likes=likes if likes is not None else count(dig(raw, "voteSummary", "upvoteCount")),
        status=status,
        edited=edited if isinstance(edited, bool) else None,
    )


def _person(author: Mapping[str, Any]) -> tuple[str | None, AuthorKind]:
    for field, prefix, kind in PERSONS:
        name = string(author.get(field))
        if name:
            return f"{prefix}:{name}", kind
    return None, "unknown"


def read_members(value: object) -> Iterator[Item]:
    """Yield the display names of a members answer, by `member:<id>`; nothing where it names no member."""
    names: dict[str, str] = {}
    for raw in map(mapping, [*sequence(dig(value, "members")), dig(value, "member")]):
        member_id, display_name = string(raw.get("id")), clean(string(dig(raw, "profile", "nickname")))
        if member_id and display_name:
            names[member(member_id)] = display_name
    if names:
        yield Names(names=names)


def next_cursor(paged: object) -> str | None:
    """Return the cursor of the next page, None at the end. A cursor beside a false `hasNext` is not followed."""
    paging = mapping(dig(paged, "pagingMetadata"))
    return (string(dig(paging, "cursors", "next")) or None) if paging.get("hasNext") is not False else None


def list_url(base: str, key: str, cursor: str | None = None, limit: int = LIMIT) -> str:
    """Return the address of a page of a post's comments. `base`: `<site>/_api` or `PUBLIC`; `key`: its `internalId`."""
    query = {"appId": BLOG_APP, "contextId": key, "resourceId": key}
    if cursor is None:
        query |= {"commentSort.order": "OLDEST_FIRST"}
    query |= {"replySort.order": "OLDEST_FIRST", "cursorPaging.limit": str(limit)}
    query |= {"cursorPaging.repliesLimit": str(MAX_REPLIES)} | ({"cursorPaging.cursor": cursor} if cursor else {})
    return f"{base}/comments/v1/comments/list-by-resource?{urlencode(query)}"


def threads(blog: Blog) -> Plan:
    """Request every comment of the posts that may have some, and after each thread the names of its members.

    A post is skipped when its key is unknown, or its count is 0 and was 0 when its thread was last read. All pages of
    a thread come before its names, and those before the next post. When the first two posts are refused at every
    address, nothing more is requested. When the day's budget ends, whole threads are left for another day.
    """
    service = _CommentService(blog)
    for known in list(blog.posts.values()):
        may_have_comments = known.comments_count != 0 or known.thread_count  # the last one may have been deleted
        if known.comments_key and may_have_comments and not known.thread_read and known.thread_due:
            if blog.budget_spent():
                blog.deferred.add(known.url)
                continue
            yield from service.thread(known, known.comments_key)
            if service.closed:
                return


class _CommentService:
    """Requests threads, and remembers which address of the site answers."""

    def __init__(self, blog: Blog) -> None:
        self._session = Session(blog.root)
        self._bases = [f"{blog.root}/_api", *([] if blog.private else [PUBLIC])]
        self._refused = 0  # posts in a row without an answer
        self._unnamed = 0  # members queries in a row without an answer
        self._found = False
        self._limit = LIMIT

    @property
    def closed(self) -> bool:
        """The service does not answer: two posts failed before any success, or five in a row after one."""
        return self._refused >= (5 if self._found else 2)

    def thread(self, known: KnownPost, key: str) -> Plan:
        """Request all pages of a thread, then the names of its members."""
        first = yield from self._first(key)
        if first is None:
            return
        base, answer = first
        people: dict[str, None] = {}
        seen: set[str] = set()
        pending: list[str] = []  # cursors: of top comments first, then of each comment's replies
        for _ in range(MAX_PAGES):
            top, of_replies = _cursors(answer)
            people.update(dict.fromkeys(_members(answer)))
            pending = [*top, *pending, *of_replies]
            cursor = next((cursor for cursor in pending if cursor not in seen), None)
            if cursor is None:
                known.thread_read = True
                break
            seen.add(cursor)
            answer = yield from self._session.ask(list_url(base, key, cursor, self._limit))
        else:
            logger.warning("%s: more than %d pages of comments; the rest is not read", known.url, MAX_PAGES)
        yield from self._names(base, list(people))

    def _first(self, key: str) -> Generator[Ask, Answer, tuple[str, Answer] | None]:
        """Request the first page at each address until one answers; later requests go to that one alone."""
        for base in list(self._bases):
            answer = yield from self._session.ask(list_url(base, key, limit=self._limit))
            if self._limit == LIMIT and answer.exchange is not None and answer.exchange.status == 400:
                self._limit = FEWER
                answer = yield from self._session.ask(list_url(base, key, limit=self._limit))
            if _usable(answer):
                self._bases, self._found, self._refused = [base], True, 0
                return base, answer
        self._refused += 1
        return None

    def _names(self, base: str, people: list[str]) -> Plan:
        for start in range(0, len(people), NAMES_A_QUERY):
            if self._unnamed >= 2:
                return
            batch = people[start : start + NAMES_A_QUERY]
            query = {"filter": {"id": {"$in": batch}}, "paging": {"limit": NAMES_A_QUERY}}
            answer = yield from self._session.ask(f"{base}/members/v1/members/query", {"query": query})
            self._unnamed = 0 if _usable(answer) else self._unnamed + 1


def _value(answer: Answer) -> Any:
    """Return the JSON of a good answer; `api.read` reports one that is unreadable."""
    if answer.ok and answer.exchange is not None:
        try:
            return decode(answer.exchange.body)
        except ValueError:
            return None
    return None


def _usable(answer: Answer) -> bool:
    return bool(mapping(_value(answer)))


def _cursors(answer: Answer) -> tuple[list[str], list[str]]:
    """Return the cursor of the next page (of top comments or of one comment's replies), and those of replies."""
    value = _value(answer)
    nested = mapping(dig(value, "commentReplies")).values()
    following = next_cursor(value)
    return [following] if following else [], [cursor for part in nested if (cursor := next_cursor(part))]


def _members(answer: Answer) -> Iterator[str]:
    for item in answer.items:
        if isinstance(item, Comment) and item.person and item.author_kind == "member":
            yield item.person.removeprefix("member:")
