"""The requests for comments to the REST API of a WordPress site.

A first visit reads the comments of the whole site, 100 an answer, and so does one a week after the last time: only a
reading from beginning to end shows which were removed. Between them a visit asks for the newest numbers, and reads the
whole threads of the posts that have a comment which the archive lacks: a reply may name anyone who wrote in its thread.

Where the API gives posts and no comments, the pages have these; the feed of the newest comments says which posts to
read again. Its texts are not stored: it shows ten, and a text can be masked only beside the names of its whole thread.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import timedelta

from scraper.addresses import canonical_url, post_key
from scraper.crawl.merge import parse_time
from scraper.feeds import feed_entries
from scraper.platforms._dates import feed_date
from scraper.platforms._json import count, decode, string
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan
from scraper.platforms.wordpress.address import api_url
from scraper.platforms.wordpress.html.comments.pages import post_address
from scraper.platforms.wordpress.plan.posts import MAX_PAGES, WHOLE_AFTER
from scraper.platforms.wordpress.rest import MAX_ROWS, rows_of
from scraper.platforms.wordpress.rest.comments import IN_ORDER, is_of_post

PAGE_SIZE = 100
POSTS_A_REQUEST = 20
MAX_NEWEST = 5  # pages of the newest numbers; a site may have thousands of comments on pages, which are not read
_REFUSALS = (401, 403, 404, 405, 410)
_NEWEST = ("/comments/feed/", "/?feed=comments-rss2")
_MODERATED = timedelta(days=3)  # a comment may be approved some days after it was written
# What shows that a comment is new; the links say whether it belongs to a post or to a page.
FIELDS = "id,post,_links"


def threads(blog: Blog, root: str) -> Plan:
    """Request the comments of the blog's posts; `root`: the address of the API."""
    posts = {name: post for post in blog.posts.values() if (name := _name(post)) is not None}
    if not blog.bulk:
        yield from _of_posts(blog, root, {name: post for name, post in posts.items() if post.thread_due})
    elif blog.everything or _is_whole_due(blog):
        yield from _of_site(blog, root, posts.values())
    else:
        with_new = yield from _posts_with_new_comments(blog, root, posts)
        if with_new is not None:
            mark_read(blog, (posts[name] for name in posts.keys() - with_new.keys()))  # no comment on them is new
            yield from _of_posts(blog, root, with_new)
    if blog.commented is not None:
        yield from _read_newest_feed(blog, blog.commented)


def mark_read(blog: Blog, posts: Iterable[KnownPost]) -> None:
    """Note that the comments of posts were read; not of those with a thread at a comment service, which follows."""
    embedded = {url for threads in blog.threads.values() for url in threads}
    for post in posts:
        post.thread_read = post.thread_read or post.url not in embedded


def _is_whole_due(blog: Blog) -> bool:
    """Return whether no comment is known, or a post's comments were last read a week ago or longer."""
    times = [parse_time(post.thread_at) for post in blog.known if post.comment_ids and not post.removed]
    return not times or any(at is None or blog.now - at >= WHOLE_AFTER for at in times)


def _name(post: KnownPost) -> str | None:
    """Return the post's number in this API."""
    names = (address.removeprefix("wordpress:") for address in post.addresses if address.startswith("wordpress:"))
    return next((name for name in names if name.isdigit()), None)


def _of_site(blog: Blog, root: str, posts: Iterable[KnownPost]) -> Plan:
    """Request all comments of the site in the order in which they came.

    A reading that has begun goes on to its end: a part of it does not name all whose names its texts may contain.
    """
    if blog.budget_spent():
        blog.deferred.update(post.url for post in posts)
    elif (yield from _in_order(blog, root, {})):
        mark_read(blog, posts)


def _of_posts(blog: Blog, root: str, posts: dict[str, KnownPost]) -> Plan:
    """Request the threads of some posts, those of several in one answer."""
    names = sorted(posts, key=int)
    size = POSTS_A_REQUEST if blog.bulk else 1
    for start in range(0, len(names), size):
        chunk = names[start : start + size]
        if blog.budget_spent():
            blog.deferred.update(posts[name].url for name in names[start:])
            return
        if (yield from _in_order(blog, root, {"post": ",".join(chunk)})):
            mark_read(blog, (posts[name] for name in chunk))


def _in_order(blog: Blog, root: str, which: dict[str, str]) -> Generator[Ask, Answer, bool]:
    """Request the pages of a list of comments, oldest first; return whether the last one was read."""
    page, pages, rows, total, seen = 0, 1, 0, None, set[str]()
    while page < min(pages, MAX_PAGES):
        page += 1
        url = api_url(root, "wp/v2/comments", **which, per_page=PAGE_SIZE, page=page, **IN_ORDER)
        answer = yield Ask(url=url)
        found = _rows(answer)
        if found is None or answer.exchange is None:
            _note_refusal(blog, answer)
            return False
        total = count(answer.exchange.headers.get("x-wp-total", ""))
        pages = count(answer.exchange.headers.get("x-wp-totalpages", "")) or (page + (len(found) >= PAGE_SIZE))
        rows += len(found)
        if not found:
            break
        numbers = {str(row.get("id")) for row in found}
        if numbers <= seen:
            blog.notes.append(f"page {page} of the comments lists no other ones; read no further")
            return False
        seen |= numbers
    if pages > MAX_PAGES:
        blog.notes.append(f"more than {MAX_PAGES} pages of comments; the others were not read")
    elif not which and total is not None and total != rows:
        blog.notes.append(f"the API states {total} comments and lists {rows}: it counts those on posts with a password")
    return pages <= MAX_PAGES


def _posts_with_new_comments(
    blog: Blog, root: str, posts: dict[str, KnownPost]
) -> Generator[Ask, Answer, dict[str, KnownPost] | None]:
    """Request the numbers of the newest comments; return the posts with a comment that the archive lacks.

    None where the answer cannot be read.
    """
    with_new: dict[str, KnownPost] = {}
    for page in range(1, MAX_NEWEST + 1):
        url = api_url(root, "wp/v2/comments", per_page=PAGE_SIZE, page=page, orderby="id", order="desc", _fields=FIELDS)
        answer = yield Ask(url=url)
        found = _rows(answer)
        if found is None or answer.exchange is None:
            _note_refusal(blog, answer)
            return None if page == 1 else with_new
        rows = [(row, posts[name]) for row in found if is_of_post(row) and (name := str(row["post"])) in posts]
        fresh = [(row, post) for row, post in rows if str(row.get("id")) not in post.comment_ids]
        with_new |= {str(row["post"]): post for row, post in fresh}
        pages = count(answer.exchange.headers.get("x-wp-totalpages", "")) or 1
        if len(fresh) < len(rows) or not found or page >= pages:
            break  # older ones are known
    else:
        blog.notes.append(
            f"none of the newest {MAX_NEWEST * PAGE_SIZE} comments is known; the weekly reading gives older ones"
        )
    return with_new


def _note_refusal(blog: Blog, answer: Answer) -> None:
    if answer.exchange is not None and answer.exchange.status in _REFUSALS:
        blog.commented = blog.commented or set()


def _read_newest_feed(blog: Blog, commented: set[str]) -> Plan:
    """Request the feed of the newest comments; add the posts with one that came since their pages were read."""
    posts = {post_key(post.url): post for post in blog.posts.values()}
    for address in _NEWEST:
        answer = yield Ask(url=blog.root + address)
        if answer.exchange is None or not answer.ok:
            continue
        for entry in feed_entries(answer.exchange)[0]:
            link = canonical_url(string(entry.get("link")), answer.exchange.url)
            post = posts.get(post_key(post_address(link)))
            at = parse_time(feed_date(string(entry.get("published"))))
            page_at = parse_time(post.page_at) if post is not None else None
            if post is not None and at is not None and (page_at is None or at > page_at - _MODERATED):
                commented.add(post.url)
        return


def _rows(answer: Answer) -> list[dict[str, object]] | None:
    """Return the rows of a list; None where the answer is no list."""
    if answer.exchange is None or not answer.ok:
        return None
    try:
        value = decode(answer.exchange.body)
    except ValueError:
        return None
    return [dict(row) for row in rows_of(value)] if isinstance(value, list) and len(value) <= MAX_ROWS else None
