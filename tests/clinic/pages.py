"""Puts posts, listings and the not-found answer into whole documents.

Warm-up data follow the page's era (reference 2.1): nothing until 2023, the whole post in 2024, only the post's UUID
since 2025; the feed page keeps a full list of posts whose metrics are empty.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from html import escape
from typing import Any

from . import article_g1, article_g2, locale, padding
from .chrome import SITE, Page, document
from .model import Post, iso, number
from .richtext import image_info
from .ricos import Json
from .wire import blog_settings, label_slug, labels_of, post_object, post_page, post_page_metadata
from .world import Counters, World

PAGE_SIZE = 10
WIDGET = "TPAMultiSection_m5f3wqc1"
FEED_WIDGET = "TPASection_m5f3wq9o"


def printed(post: Post, now: datetime) -> tuple[str, str]:
    """The date and, where the post was changed later, the date of the change as the page prints them."""
    date = locale.printed_date(post.language, post.published, now)
    changed = locale.printed_date(post.language, post.modified, now)
    return date, changed if changed != date else ""


def _json_ld(world: World, post: Post) -> Json | None:
    """Pages rendered before 2023 have none, and neither have those whose only date is the printed one."""
    if "nodates" in post.flags or (post.generation == 1 and post.published.year < 2023):
        return None
    url = world.base + post.path
    made: Json = {
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "author": {
            "@type": "Person",
            "name": post.author.name,
            "url": f"{world.base}/profile/{post.author.slug}/profile",
        },
        "dateModified": iso(post.modified),
        "datePublished": iso(post.published),
        "description": escape(post.excerpt(300)),
        "headline": post.title,
        "mainEntityOfPage": {"@id": url, "@type": "itemPage", "url": url},
        "publisher": {"@type": "Organization", "name": SITE, "url": world.base},
        "url": url,
    }
    if post.cover:
        made["image"] = {
            "@type": "ImageObject",
            "url": post.cover.url,
            "width": str(post.cover.width),
            "height": str(post.cover.height),
        }
    return made


def _post_warmup(world: World, post: Post, counters: Counters) -> dict[str, Any] | None:
    if post.generation == 2:
        return {post.slug: post.post_id}
    key = f"OldPostPageWarmupData-{post.slug}"
    if post.variant == "g1-warmup-early":
        return {key: json.dumps({"data": post_page(world, post, counters)}, ensure_ascii=False)}
    if post.variant == "g1-warmup-full":
        headers = {
            "cache-control": "no-store, no-cache",
            "content-type": "application/json; charset=utf-8",
            "server": "envoy",
        }
        config = {"method": "get", "baseURL": world.base, "timeout": 0, "isSSR": True}
        dump = {
            "postPageResponse": {
                "data": post_page(world, post, counters),
                "status": 200,
                "statusText": "OK",
                "headers": headers,
                "config": {**config, "url": f"/blog-frontend-adapter-public/v2/post-page/{post.slug}"},
            },
            "postPageMetadataResponse": {
                "data": post_page_metadata(world, post, counters),
                "status": 200,
                "statusText": "OK",
                "headers": headers,
                "config": {**config, "url": f"/blog-frontend-adapter-public/v2/post-page-metadata/{post.slug}"},
            },
        }
        return {key: json.dumps(dump, ensure_ascii=False)}
    return None


def _script(post: Post) -> dict[str, str]:
    """How the page's script behaves: one post's script waits for a signal that never comes, one's is late."""
    made = {"load-delay": "3000" if "late" in post.flags else "350"}
    if "never-ready" in post.flags:
        made["load-strategy"] = "consent"
    return made


def _share(post: Post) -> float:
    """How much of its generation's style sheets a page carries: newer builds carry more."""
    spread = (number("share", post.birth_slug) % 5) / 100
    if post.generation == 2:
        return 0.78 + spread + (0.17 if post.variant == "g2-skeleton" else 0.1)
    return (0.45 if post.published.year < 2021 else 0.7 if post.published.year < 2024 else 0.95) + spread


def post_document(world: World, post: Post, counters: Counters, now: datetime) -> str:
    """A post's page, with the given numbers if its generation prints any."""
    date, changed = printed(post, now)
    if post.generation == 1:
        article = article_g1.article(world, post, counters, date, changed)
    else:
        article = article_g2.article(world, post, date, changed)
    widget = (
        f'<div id="{WIDGET}" class="QrIus {WIDGET}"><div class="{WIDGET}"><div class="o5mZ" data-hook="post-page-root">'
        f'<div class="qi0cF2 message" data-hook="message"></div>{_blog_header(world, "")}<div class="g9k2Lx" '
        'data-hook="post-page">'
        f'{article}<div class="wQ2e" id="comments-slot-{post.post_id}"></div></div></div></div></div>'
    )
    metas = [("article:author", post.author.name)]
    if "nodates" not in post.flags:
        metas += [("article:published_time", iso(post.published)), ("article:modified_time", iso(post.modified))]
    return document(
        Page(
            base=world.base,
            path=post.path,
            title=post.title,
            generation=post.generation,
            widget=widget,
            language=post.language,
            direction=locale.LANGUAGES[post.language].direction,
            description=post.excerpt(480),
            og_type="article",
            image=post.cover,
            metas=metas,
            json_ld=_json_ld(world, post),
            warmup=_post_warmup(world, post, counters),
            script=_script(post),
            share=_share(post),
            build=uuid.uuid4().hex if "render-id" in post.flags else "",
        )
    )


def _blog_header(world: World, current: str) -> str:
    items = [("", "All Posts")] + [(f"categories/{label_slug(label)}", label) for label in world.labels("categories")]
    entries = "".join(
        f'<li data-hook="header-navigation__/{path}"><a data-hook="link" '
        f'href="{world.base}/blog{"/" if path else ""}{path}"'
        f'{" aria-current=page" if path == current else ""} class="blog-navigation-container-color">'
        f"{escape(label)}</a></li>"
        for path, label in items
    )
    return (
        '<div class="vAU8Qm" data-hook="blog-desktop-header-container"><nav class="AsxoCK blog-header__navigation" '
        f'aria-label="Blog"><ul class="LnLd_R">{entries}</ul></nav><div class="Xo9p" data-hook="search-input">'
        f"{padding.icon('search')}</div></div>"
    )


def _list_item(world: World, post: Post, now: datetime) -> str:
    url = escape(world.base + post.path)
    date, _ = printed(post, now)
    read = locale.read_time(post.language, post.minutes)
    cover = ""
    if post.cover:
        cover = (
            '<div class="gallery-item-wrapper"><wow-image '
            f'data-image-info="{image_info(post.cover, post.post_id)}"><img '
            f'alt="{escape(post.title)}" class="gallery-item-visible gallery-item" data-hook="gallery-item-image-img" '
            f'src="{post.cover.url}/v1/fill/w_514,h_386,fp_0.50_0.50,q_90,enc_avif,quality_auto/{post.cover.uri}" '
            'loading="lazy"/>'
            "</wow-image></div>"
        )
    stats = "".join(
        f'<div class="bEeZ1_ {name}" data-hook="skeleton-loader" style="--width:30px"> </div>'
        for name in ("qcmXZU", "ZN1aom")
    )
    return (
        f'<div class="gallery-item-container item-link-wrapper" data-hook="item-container">{cover}<article '
        'class="RiOfiW '
        f'blog-post-description-font post-list-item" data-hook="post-list-item"><div class="SbjQym post-header"><span '
        f'data-hook="user-name" class="user-name" title="{escape(post.author.name)}">'
        f"{escape(post.author.name)}</span><span "
        f'title="{date}" class="post-metadata__date time-ago" data-hook="time-ago">{date}</span><span '
        'class="post-metadata__readTime" '
        f'data-hook="time-to-read" title="{read}">{read}</span></div><a class="O16KGI" href="{url}"><div '
        'class="FbwBsX" '
        f'data-hook="post-list-item__title"><div class="T5UMT5 post-title" data-hook="post-title"><h2 class="bD0vt9">'
        f'{escape(post.title, quote=False)}</h2></div></div></a><div class="nebVix" data-hook="post-description">'
        '<div class="BOlnTh" '
        f'style="-webkit-line-clamp:3">{escape(post.excerpt(), quote=False)}</div></div><footer class="LO60EX" '
        f'data-hook="post-footer"><div class="LVcAxq post-stats" data-hook="post-stats">{stats}</div></footer>'
        "</article></div>"
    )


def feed_posts(world: World, posts: list[Post], page: int, size: int) -> Json:
    """The list object of the feed: a page of posts and where it stands in the whole."""
    offset = (page - 1) * size
    visible = posts[offset : offset + size]
    more = offset + size < len(posts)
    cursors = {"next": f"eyJvZmZzZXQiOiI{offset + size}" if more else "", "previous": ""}
    return {
        "posts": [post_object(post, world.base, content=False) for post in visible],
        "metaData": {"count": len(visible), "offset": offset, "total": len(posts), "cursor": cursors["next"]},
        "pagingMetaData": {"count": len(visible), "offset": offset, "total": len(posts), "cursors": cursors},
    }


def feed_page(world: World, posts: list[Post], page: int, size: int) -> Json:
    """The list object with categories, tags and settings around it."""
    categories, tags = labels_of(world)
    return {
        "postFeedPage": {
            "id": "",
            "posts": feed_posts(world, posts, page, size),
            "categories": categories,
            "tags": tags,
            "settings": {"settings": blog_settings(), "translations": {}},
            "blogSettingsV2": blog_settings(),
            "appData": {"ampEnabled": False, "menuLabel": "All Posts", "language": "en", "postPageEnabled": True},
        }
    }


def list_document(world: World, posts: list[Post], where: str, title: str, page: int, now: datetime) -> str | None:
    """A page of a listing, or nothing when the listing has no such page."""
    last = max(1, -(-len(posts) // PAGE_SIZE))
    if not 1 <= page <= last or not posts:
        return None
    visible = posts[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    items = "".join(_list_item(world, post, now) for post in visible)
    pager = "".join(
        f'<a class="pG7x{" aria" if number_ == page else ""}" '
        f'href="{world.base}{where}{f"/page/{number_}" if number_ > 1 else ""}">'
        f"{number_}</a>"
        for number_ in range(1, last + 1)
    )
    widget = (
        f'<div id="{FEED_WIDGET}" class="{FEED_WIDGET}"><div class="YvB2" data-hook="feed-page-root"><div '
        'class="qi0cF2 message" '
        'data-hook="message"></div><div id="content-wrapper">'
        f"{_blog_header(world, where.removeprefix('/blog').strip('/'))}"
        f'<div class="Dx2h" data-hook="post-list-pro-gallery-container"><div class="pro-gallery">{items}</div></div>'
        f'<div class="Jk3n">{pager if last > 1 else ""}</div></div></div></div>'
    )
    requests = {
        "feed": {"includeContent": False, "page": page, "pageSize": PAGE_SIZE, "type": "ALL_POSTS"},
        "metadata": {"page": page},
    }
    key = f"feed-page-{FEED_WIDGET}-{json.dumps(requests, separators=(',', ':'))}"
    warmup: dict[str, str | dict[str, Any]] = {
        key: {
            "feedResponse": feed_page(world, posts, page, PAGE_SIZE),
            "metadataResponse": {"postFeedMetadataPage": {"postMetrics": {}, "postLikes": {}}},
        }
    }
    path = where + (f"/page/{page}" if page > 1 else "")
    return document(
        Page(
            base=world.base,
            path=path,
            title=f"{title} | {SITE}",
            generation=2,
            widget=widget,
            warmup=warmup,
            description="News and plain answers from a small ketamine clinic.",
        )
    )


def not_found_document(world: World, path: str) -> str:
    """A full-size page that says it has nothing (reference 4.3)."""
    widget = (
        f'<div id="{WIDGET}" class="QrIus {WIDGET}"><div class="o5mZ" data-hook="not-found-page">'
        f"{_blog_header(world, '')}"
        '<div class="b8Kw" data-hook="empty-state-container"><div class="uL3c"><h2 class="t5Nd" '
        'data-hook="empty-states__title">'
        'Couldn\'t Find This Page</h2><p class="aa4R">Check out some of our other posts instead.</p>'
        f'<a class="m2Zq" href="{world.base}/blog">Show Posts</a></div></div></div></div>'
    )
    return document(
        Page(
            base=world.base,
            path=path,
            title=f"Post | {SITE}",
            generation=2,
            widget=widget,
            og_type="article",
            og_title=f"Post | {SITE}",
            warmup={},
            share=0.8,
        )
    )


def home_document(world: World) -> str:
    """The home page, which leads to the blog."""
    posts = "".join(
        f'<li class="hM4d"><a href="{escape(world.base + post.path)}">{escape(post.title, quote=False)}</a></li>'
        for post in world.feed()[:3]
    )
    widget = (
        '<section id="comp-home" class="wixui-section"><h1 class="font_0">Room to breathe</h1><p class="font_8">A '
        "small, quiet "
        "clinic for ketamine-assisted care in Boise. Evaluations within two weeks, prices on the wall, tea on the "
        "counter.</p>"
        f'<p class="font_8"><a href="{world.base}/blog">Read our blog</a></p><ul class="hM4c">{posts}</ul></section>'
    )
    return document(Page(base=world.base, path="", title=SITE, generation=2, widget=widget, share=0.6))


def plain_document(world: World, path: str, title: str) -> str:
    """A page of the site that is no part of the blog."""
    widget = (
        f'<section id="comp-plain" class="wixui-section"><h1 class="font_0">{escape(title)}</h1><p class="font_8">'
        "Please call the "
        f'front desk for anything you do not find here, or read <a href="{world.base}/blog">our blog</a>.</p></section>'
    )
    return document(Page(base=world.base, path=path, title=f"{title} | {SITE}", generation=2, widget=widget, share=0.6))


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)
