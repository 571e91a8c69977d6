"""What the blog answers: pages in Wix's form (with printed counters, or with boxes for a script), lists, services."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.hostile import page
from tests.year.blog import Blog, Post

SIZE = 20  # posts of the feed, and of a page of the listing
XML = "application/xml"
FILLER = " ".join(f"Sentence {n} on tea, sleep and the weather of the season." for n in range(40))


def post(blog: Blog, base: str, one: Post) -> str:
    """A post's page. The three newest posts are named below it, as "Recent Posts"."""
    head = (
        f'<meta property="og:type" content="article"/><meta property="og:url" content="{base}/post/{one.slug}"/>'
        f'<meta property="og:title" content="Note {one.number}"/>'
        f'<meta property="article:published_time" content="{one.published:%Y-%m-%dT%H:%M:%S.000Z}"/>'
    )
    if blog.served:
        stats = '<div style="--width:30px"> </div><div style="--width:30px"> </div>'
    else:
        views = "" if blog.weather.silent else f"<span>{one.views(blog.now)} views</span>"
        stats = f"{views}<span>{len(one.comments)} comments</span>"
    cards = "".join(
        f'<article data-hook="recent-post-list-item"><header data-hook="recent-post__title"><a href="{base}/post/'
        f'{other.slug}">Note {other.number}</a></header></article>'
        for other in blog.listed()[:4]
        if other is not one
    )
    return page(
        f'<div data-hook="post-page"><article data-hook="post"><span data-hook="user-name" title="Ada Reed">Ada Reed'
        f'</span><button id="more-button-{one.uuid}"></button><h1 data-hook="post-title">Note {one.number}</h1>'
        '<div data-hook="post-description"><article class="blog-post-page-font"><div data-id="content-viewer">'
        f'<div type="first" data-hook="rcv-block-first"></div><p id="viewer-a"><span>{one.words}</span></p>'
        f'<p id="viewer-b"><span>{FILLER}</span></p><div type="last" data-hook="rcv-block-last"></div></div></article>'
        f'</div><div data-hook="post-footer"><div class="post-stats" data-hook="post-stats">{stats}</div></div>'
        f'</article></div><section data-hook="recent-posts">{cards}</section>',
        head, f"Note {one.number}",
    )  # fmt: skip


def listing(blog: Blog, base: str, number: int) -> str:
    """The n-th page of the blog; behind the last, one without posts."""
    visible = blog.listed()[(number - 1) * SIZE : number * SIZE]
    cards = "".join(
        f'<li data-hook="post-list-item"><button id="more-button-{one.uuid}"></button><a href="{base}/post/{one.slug}">'
        f'<h2 data-hook="post-title">Note {one.number}</h2></a></li>'
        for one in visible
    )
    return page(f'<div data-hook="feed-page-root"><ul>{cards}</ul></div>')


def feed(blog: Blog, base: str) -> str:
    items = "".join(
        f"<item><title>Note {one.number}</title><link>{base}/post/{one.slug}</link>"
        f"<pubDate>{one.published:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
        for one in blog.listed()[:SIZE]
    )
    return f'<rss version="2.0"><channel><title>Notes</title>{items}</channel></rss>'


def sitemap(blog: Blog, base: str) -> str:
    """On a bad day without its posts, or cut."""
    named = [] if blog.weather.sitemap == "empty" else blog.listed()
    locs = "".join(f"<url><loc>{base}/post/{one.slug}</loc><lastmod>{one.lastmod}</lastmod></url>" for one in named)
    text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{locs}</urlset>'
    return text[: len(text) // 2] if blog.weather.sitemap == "cut" else text


def index(base: str) -> str:
    """The sitemap of sitemaps."""
    loc = f"<sitemap><loc>{base}/blog-posts-sitemap.xml</loc></sitemap>"
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{loc}</sitemapindex>'


def tokens() -> str:
    return json.dumps({"apps": {"14bcded7-0066-7c35-14d7-466cb3f09103": {"instance": "for-any-visitor"}}})


def _window(blog: Blog, query: dict[str, str]) -> tuple[list[Post], int]:
    start = (int(query["page"]) - 1) * int(query["pageSize"])
    return blog.listed()[start : start + int(query["pageSize"])], start


def feed_page(blog: Blog, base: str, query: dict[str, str]) -> str:
    """The service that names all posts."""
    visible, start = _window(blog, query)
    posts = [
        {
            "id": one.uuid, "internalId": one.internal, "slug": one.slug, "title": f"Note {one.number}",
            "url": {"base": base, "path": f"/post/{one.slug}"}, "firstPublishedDate": _iso(one.published),
            "lastPublishedDate": _iso(one.changed), "owner": {"name": "Ada Reed", "siteMemberId": one.uuid[9:]},
        }
        for one in visible
    ]  # fmt: skip
    paging = {"count": len(visible), "offset": start, "total": len(blog.listed())}
    return json.dumps({"postFeedPage": {"posts": {"posts": posts, "pagingMetaData": paging}}})


def counted(blog: Blog, query: dict[str, str]) -> list[Post]:
    """The posts that one call counts."""
    return _window(blog, query)[0]


def feed_metadata(blog: Blog, posts: list[Post]) -> str:
    """The service that counts them."""
    metrics = {}
    for one in posts:
        metrics[one.uuid] = {"comments": len(one.comments), "likes": one.number % 5, "views": one.views(blog.now)}
        if blog.weather.silent:
            del metrics[one.uuid]["views"]
    return json.dumps({"postFeedMetadataPage": {"postMetrics": metrics, "postLikes": {}}})


def metadata(blog: Blog, one: Post) -> str:
    """The service that counts one."""
    about = {"viewCount": one.views(blog.now), "likeCount": one.number % 5, "totalComments": len(one.comments)}
    if blog.weather.silent:
        del about["viewCount"]
    return json.dumps({"postPageMetadata": {"id": one.slug, "postMetadata": about}})


def comments(one: Post) -> str:
    """A thread, whole."""
    listed: list[dict[str, Any]] = [
        {
            "id": comment.name, "status": "PUBLISHED", "author": {"visitorId": f"visitor-{comment.name}"},
            "createdDate": _iso(comment.at), "commentDate": _iso(comment.at), "contextId": one.internal,
            "resourceId": one.internal, "content": {"richContent": {"nodes": [{"type": "PARAGRAPH", "nodes": [
                {"type": "TEXT", "textData": {"text": comment.text}}]}]}},
        }
        for comment in one.comments
    ]  # fmt: skip
    paging = {"count": len(listed), "hasNext": False, "cursors": {}}
    return json.dumps({"comments": listed, "pagingMetadata": paging, "commentReplies": {}})


def _iso(at: Any) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.000Z}"
