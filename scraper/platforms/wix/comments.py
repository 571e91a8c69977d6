"""Comment threads of a Wix blog: reading the answers of the Comments service, and asking for them.

*Sources* `GET /comments/v1/comments/list-by-resource` (dev.wix.com, "Comments": the blog is filed under its app's id,
with a post's 24-hex `internalId` as context and resource). Top comments come in pages; each brings its first replies
and a cursor to the rest; replies come from the same address with that cursor. A comment names its author by id alone;
names come from `POST /members/v1/members/query`.

*Caveats* which address a live page asks is not known from captures: the site's own `/_api` is tried first, then
`www.wixapis.com`. Guests have only a visitor's id. A deleted comment that was answered stays as a placeholder.
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
from scraper.platforms.wix.comment_request import asked, page_of
from scraper.platforms.wix.ricos import render
from scraper.platforms.wix.session import BLOG_APP, Session

logger = logging.getLogger(__name__)

PUBLIC = "https://www.wixapis.com"
LIMIT, FEWER, REPLIES = 100, 20, 20  # top comments a page (the second after a 400), and first replies of each
MOST_PAGES = 500  # of one thread: 50,000 comments
NAMES_A_QUERY = 100  # dev.wix.com, "Query Members": at most 100 a page
PERSONS: tuple[tuple[str, str, AuthorKind], ...] = (
    ("memberId", "member", "member"),
    ("userId", "member", "member"),
    ("visitorId", "visitor", "guest"),
)


def member(name: str) -> str:
    """A member of a site as `Comment.person` has it, `member:<id>`; authors of posts are members too."""
    return f"member:{name}"


def read_comments(value: object, exchange: Exchange) -> Iterator[Item]:
    """Comments of an answer, top comments and replies alike; a `Problem` where its next cursor is the one just asked.

    Two-level answers (`comments` and `commentReplies`), one thread (`comment`, `replies`) and one comment are read.
    """
    request = asked(exchange)
    listed = [*sequence(dig(value, "comments")), *sequence(dig(value, "replies"))]
    listed += [dig(value, "comment")] if mapping(dig(value, "comment")) else []
    for part in mapping(dig(value, "commentReplies")).values():
        listed += sequence(mapping(part).get("replies"))
    if not listed and not mapping(value).keys() & {"comments", "comment", "replies", "pagingMetadata"}:
        message = "the answer has no comments: another shape than was ever seen"
        yield Problem(kind="missing-field", message=message, url=exchange.url, field="comments")
    spoken_of = {_resource(raw) for raw in map(mapping, listed)} - {()}
    one = spoken_of.pop() if len(spoken_of) == 1 and exchange.via else ()
    fallback = request.post or one or page_of(exchange)
    for raw in map(mapping, listed):
        post = _resource(raw) or fallback
        if string(raw.get("id")) and post:
            yield _comment(raw, post)
    following = next_cursor(value)
    if fallback and not (exchange.via and "comments" not in mapping(value)):
        replies = [next_cursor(part) for part in mapping(dig(value, "commentReplies")).values()]
        beside = _left_unsaid(value) if exchange.via else ()
        begins = exchange.via is None or not _only_replies(value)
        yield ThreadPage(
            post=fallback,
            asked=request.cursor or (None if begins else "(replies)"),
            following=(*(cursor for cursor in (following, *replies) if cursor), *beside),
        )
    if following and following == request.cursor:
        message = "the comments service answered with the same cursor again; the rest of the thread stays unread"
        yield Problem(kind="repeated-cursor", message=message, url=exchange.url)


def _resource(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """The post that a comment says it stands under, as addresses."""
    name = string(raw.get("resourceId") or raw.get("contextId"))
    return (f"wix:{name.lower()}",) if name else ()


def _only_replies(value: object) -> bool:
    """Every comment answers another: asked for in words that are not known, but no beginning of a thread."""
    listed = sequence(dig(value, "comments"))
    return bool(listed) and all(dig(raw, "parentComment", "id") for raw in listed)


def _left_unsaid(value: object) -> Iterator[str]:
    """Marks for what an answer leaves out without a cursor to it: more comments (`hasNext`), or replies (`replyCount`).

    An answer to a script of which only the shape is known may page in other ways than by cursors.
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
    """Display names of a members answer, by `member:<id>`; nothing where it names nobody."""
    names: dict[str, str] = {}
    for raw in map(mapping, [*sequence(dig(value, "members")), dig(value, "member")]):
        name, shown = string(raw.get("id")), clean(string(dig(raw, "profile", "nickname")))
        if name and shown:
            names[member(name)] = shown
    if names:
        yield Names(names=names)


def next_cursor(paged: object) -> str | None:
    """The cursor to what follows, None at the end. Where `hasNext` is false, a cursor that is given is not followed."""
    paging = mapping(dig(paged, "pagingMetadata"))
    return (string(dig(paging, "cursors", "next")) or None) if paging.get("hasNext") is not False else None


def list_url(door: str, key: str, cursor: str | None = None, limit: int = LIMIT) -> str:
    """Address of a page of a post's comments. `door`: `<site>/_api` or `PUBLIC`; `key`: the post's `internalId`."""
    query = {"appId": BLOG_APP, "contextId": key, "resourceId": key}
    if cursor is None:
        query |= {"commentSort.order": "OLDEST_FIRST"}
    query |= {"replySort.order": "OLDEST_FIRST", "cursorPaging.limit": str(limit)}
    query |= {"cursorPaging.repliesLimit": str(REPLIES)} | ({"cursorPaging.cursor": cursor} if cursor else {})
    return f"{door}/comments/v1/comments/list-by-resource?{urlencode(query)}"


def threads(blog: Blog) -> Plan:
    """Ask for every comment of the posts that may have some, and after each thread for the names of its members.

    A post is passed over when its key is unknown, or its count 0 and was so when its thread was last read. All pages of
    a thread come before its names, and those before the next post. When the first two posts are refused at every
    address, nothing more is asked. Where the day's budget ends, whole threads are left for another day.
    """
    conversation = _Conversation(blog)
    for known in list(blog.posts.values()):
        some = known.comments_count != 0 or known.thread_count  # the last one may have been deleted
        if known.comments_key and some and not known.thread_read and known.thread_due:
            if blog.budget_spent():
                blog.deferred.add(known.url)
                continue
            yield from conversation.thread(known, known.comments_key)
            if conversation.closed:
                return


class _Conversation:
    """What one run has found out about where a site's comments are answered."""

    def __init__(self, blog: Blog) -> None:
        self._session = Session(blog.root)
        self._doors = [f"{blog.root}/_api", *([] if blog.private else [PUBLIC])]
        self._refused = 0  # posts in a row without an answer
        self._unnamed = 0  # members queries in a row without an answer
        self._found = False
        self._limit = LIMIT

    @property
    def closed(self) -> bool:
        """The service does not answer: two posts before any success, or five in a row after one."""
        return self._refused >= (5 if self._found else 2)

    def thread(self, known: KnownPost, key: str) -> Plan:
        first = yield from self._first(key)
        if first is None:
            return
        door, answer = first
        people: dict[str, None] = {}
        seen: set[str] = set()
        waiting: list[str] = []  # cursors: of top comments first, then of each comment's replies
        for _ in range(MOST_PAGES):
            top, replies = _cursors(answer)
            people.update(dict.fromkeys(_members(answer)))
            waiting = [*top, *waiting, *replies]
            cursor = next((cursor for cursor in waiting if cursor not in seen), None)
            if cursor is None:
                known.thread_read = True
                break
            seen.add(cursor)
            answer = yield from self._session.ask(list_url(door, key, cursor, self._limit))
        else:
            logger.warning("%s: more than %d pages of comments; the rest is not read", known.url, MOST_PAGES)
        yield from self._names(door, list(people))

    def _first(self, key: str) -> Generator[Ask, Answer, tuple[str, Answer] | None]:
        """The first page, from whichever address answers; from then on only that one is asked."""
        for door in list(self._doors):
            answer = yield from self._session.ask(list_url(door, key, limit=self._limit))
            if self._limit == LIMIT and answer.exchange is not None and answer.exchange.status == 400:
                self._limit = FEWER
                answer = yield from self._session.ask(list_url(door, key, limit=self._limit))
            if _usable(answer):
                self._doors, self._found, self._refused = [door], True, 0
                return door, answer
        self._refused += 1
        return None

    def _names(self, door: str, people: list[str]) -> Plan:
        for start in range(0, len(people), NAMES_A_QUERY):
            if self._unnamed >= 2:
                return
            batch = people[start : start + NAMES_A_QUERY]
            query = {"filter": {"id": {"$in": batch}}, "paging": {"limit": NAMES_A_QUERY}}
            answer = yield from self._session.ask(f"{door}/members/v1/members/query", {"query": query})
            self._unnamed = 0 if _usable(answer) else self._unnamed + 1


def _value(answer: Answer) -> Any:
    """The JSON of a good answer; what makes it unreadable is told by `api.read`."""
    if answer.ok and answer.exchange is not None:
        try:
            return decode(answer.exchange.body)
        except ValueError:
            return None
    return None


def _usable(answer: Answer) -> bool:
    return bool(mapping(_value(answer)))


def _cursors(answer: Answer) -> tuple[list[str], list[str]]:
    """The cursor of the next page (of top comments, or of the same comment's replies), and those of replies."""
    value = _value(answer)
    nested = mapping(dig(value, "commentReplies")).values()
    following = next_cursor(value)
    return [following] if following else [], [cursor for part in nested if (cursor := next_cursor(part))]


def _members(answer: Answer) -> Iterator[str]:
    for item in answer.items:
        if isinstance(item, Comment) and item.person and item.author_kind == "member":
            yield item.person.removeprefix("member:")
