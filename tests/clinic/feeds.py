"""The documents that lead a reader to the posts: RSS, sitemaps, robots.txt (reference 4.1, 4.2 and 4.4).

The feed stops at twenty items and carries no bodies. The sitemap index leaves out the posts sitemap although that
file exists. Members-only and noindexed posts are in neither.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from html import escape

from .chrome import SITE
from .model import Post
from .wire import label_slug
from .world import World

_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_IMAGES = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def _item(world: World, post: Post) -> str:
    labels = "".join(f"<category><![CDATA[{label}]]></category>" for label in post.categories)
    cover = ""
    if post.cover:
        address = f"{post.cover.url}/v1/fit/w_1000,h_1000,al_c,q_80/file.png"
        cover = f'<enclosure url="{address}" length="0" type="image/png"/>'
    return (
        f"<item><title><![CDATA[{post.title}]]></title><description><![CDATA[{post.excerpt(500)}]]></description>"
        f'<link>{escape(world.base + post.path)}</link><guid isPermaLink="false">{post.internal_id}</guid>{labels}'
        f"<pubDate>{format_datetime(post.published.replace(microsecond=0), usegmt=True)}</pubDate>{cover}"
        f"<dc:creator>{escape(post.author.name)}</dc:creator></item>"
    )


def rss(world: World, now: datetime) -> str:
    """The feed of the twenty newest posts."""
    items = "".join(_item(world, post) for post in world.feed())
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom" '
        'version="2.0">'
        f"<channel><title><![CDATA[{SITE}]]></title><description><![CDATA[{SITE}]]></description><link>"
        f"{world.base}/blog</link>"
        f"<generator>RSS for Node</generator><lastBuildDate>{format_datetime(now.replace(microsecond=0), usegmt=True)}"
        f'</lastBuildDate><atom:link href="{world.base}/blog-feed.xml" rel="self" type="application/rss+xml"/>{items}'
        "</channel></rss>"
    )


def _newest(posts: list[Post]) -> str:
    return max(post.modified for post in posts).date().isoformat() if posts else "2018-03-14"


def sitemap_index(world: World) -> str:
    """The index, without the posts sitemap."""
    day = _newest(world.live())
    parts = "\n".join(
        f"<sitemap>\n<loc>{world.base}/{name}-sitemap.xml</loc>\n<lastmod>{day}</lastmod>\n</sitemap>"
        for name in ("blog-categories", "pages")
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex {_SITEMAP} generatedBy="WIX">\n{parts}\n</sitemapindex>'
    )


def _url_set(entries: list[tuple[str, str, str]]) -> str:
    parts = []
    for address, day, image in entries:
        picture = f"\n<image:image>\n<image:loc>{image}</image:loc>\n</image:image>" if image else ""
        parts.append(f"<url>\n<loc>{escape(address)}</loc>\n<lastmod>{day}</lastmod>{picture}\n</url>")
    body = "\n".join(parts)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {_SITEMAP}\n{_IMAGES} generatedBy="WIX">\n{body}\n</urlset>'
    )


def posts_sitemap(world: World) -> str:
    """Addresses stand there as raw UTF-8, days without a time."""
    return _url_set(
        [
            (world.base + post.path, post.modified.date().isoformat(), post.cover.url if post.cover else "")
            for post in world.live()
            if post.in_sitemap
        ]
    )


def categories_sitemap(world: World) -> str:
    """The category listings."""
    return _url_set(
        [
            (f"{world.base}/blog/categories/{label_slug(label)}", _newest(posts), "")
            for label, posts in world.labels("categories").items()
        ]
    )


def pages_sitemap(world: World) -> str:
    """The pages outside the blog."""
    return _url_set([(world.base + path, "2026-01-05", "") for path in ("", "/blog", "/about", "/pricing", "/contact")])


def robots(base: str) -> str:
    """The generated robots.txt."""
    return f"""User-agent: *
Allow: /
Disallow: *?lightbox=

# Optimization for Google Ads Bot
User-agent: AdsBot-Google-Mobile
User-agent: AdsBot-Google
Disallow: /_partials*
Disallow: /pro-gallery-webapp/v1/galleries/*

# Block PetalBot
User-agent: PetalBot
Disallow: /

# Crawl delay for overly enthusiastic bots
User-agent: dotbot
Crawl-delay: 10
User-agent: AhrefsBot
Crawl-delay: 10

Sitemap: {base}/sitemap.xml

# Auto generated, go to SEO Tools > Robots.txt Editor to change this
"""
