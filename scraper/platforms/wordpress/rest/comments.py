"""Comments as the REST API gives them: of the whole site, or of the posts that the request names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scraper.items import AuthorKind, Comment, Exchange, Item, ThreadPage
from scraper.platforms._json import count, dig, mapping, sequence, string
from scraper.platforms.wordpress.address import query_of
from scraper.platforms.wordpress.person import visitor
from scraper.platforms.wordpress.rest.dates import LocalTimes
from scraper.platforms.wordpress.rest.posts import NO_POSTS
from scraper.platforms.wordpress.rest.text import plain, read_content

# The order of a reading from the beginning to the end: a comment that comes meanwhile is on the last page.
IN_ORDER = {"orderby": "id", "order": "asc"}
_NO_END = "unknown"  # a cursor that no page has
_OF_READING = {"orderby", "order", "per_page", "page", "post"}


def read_comments(exchange: Exchange, rows: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    """Yield the comments of a list, and which page of the reading it is.

    Nothing for a list without texts, which only shows what is new. Comments on pages and attachments are left out.
    """
    if rows and not any("content" in row for row in rows):
        return
    times = LocalTimes(rows)
    for row in rows:
        comment = _comment(row, times, exchange.url)
        if comment is not None:
            yield comment
    yield from _pages(exchange)


def is_of_post(row: Mapping[str, Any]) -> bool:
    """Return whether a comment belongs to a post, as far as the row says: it may belong to a page."""
    kinds = [string(dig(link, "post_type")) for link in sequence(dig(row, "_links", "up"))]
    return bool(count(row.get("post"))) and not any(kind in NO_POSTS or kind.startswith("wp_") for kind in kinds)


def _comment(row: Mapping[str, Any], times: LocalTimes, base: str) -> Comment | None:
    number, user = count(row.get("id")), count(row.get("author"))
    if not number or not is_of_post(row) or string(row.get("status")) not in ("", "approved"):
        return None
    body = read_content(string(dig(row, "content", "rendered")), base)
    parent, posted = count(row.get("parent")), times.moment(row, "date")
    kind: AuthorKind = "unknown" if user is None else "member" if user else "guest"
    kinds: dict[str, Any] = {"type": row["type"]} if row.get("type") in ("pingback", "trackback") else {}
    return Comment(
        post=(f"wordpress:{row['post']}",),
        platform_comment_id=str(number),
        parent_id=str(parent) if parent and parent != number else None,
        author=plain(string(row.get("author_name"))),
        person=_person(row, user),
        author_kind=kind,  # the archive marks those of the blog's authors as written by its staff
        posted_at=posted,
        posted_at_precision=None if posted is None else "second" if "T" in posted else "day",
        body_text=body.text,
        body_html=body.html,
        status="published",
        **kinds,
    )


def _person(row: Mapping[str, Any], user: int | None) -> str | None:
    if user:
        return f"user:{user}"
    avatar = next(map(string, mapping(row.get("author_avatar_urls")).values()), "")
    return visitor(avatar, string(row.get("author_url")), plain(string(row.get("author_name"))))


def _pages(exchange: Exchange) -> Iterator[ThreadPage]:
    """Yield which page of a reading from beginning to end this is; a list in another order has no end.

    A cursor is a page's number with the total that the answer states ("2/203"): if the total changes within a reading,
    comments may have moved from one page to another, and the reading is not complete.
    """
    query = query_of(exchange.url)
    page = count(query.get("page", "1")) or 1
    total, pages = exchange.headers.get("x-wp-total", ""), count(exchange.headers.get("x-wp-totalpages", ""))
    in_order = query.keys() <= _OF_READING and all(query.get(name) == value for name, value in IN_ORDER.items())
    if pages is None or not in_order:
        # Nothing says where the reading ends. Its pages are parts of the same threads all the same: a comment may
        # contain the name of one on another page.
        yield ThreadPage(post=(), cursor=f"{page} of a part", following=(_NO_END,), source="api")
        return
    following = (f"{page + 1}/{total}",) if page < pages else ()
    named = [name for name in query.get("post", "").split(",") if name.isdigit()]
    posts: list[tuple[str, ...]] = [(f"wordpress:{name}",) for name in named]
    for post in posts or [()]:
        yield ThreadPage(
            post=post,
            cursor=None if page == 1 else f"{page}/{total}",
            following=following,
            source="api",
            counts="wordpress",
        )
