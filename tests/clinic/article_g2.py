"""The second generation of post pages (from 2025): no numbers at all, only placeholders that a script fills.

Until February 2026 the placeholders are plain `--width` boxes, later ones are marked as skeleton loaders (reference 0.1
and 1.2). Hooks of the cards equal those of the post.
"""

from __future__ import annotations

from html import escape

from . import locale, padding
from .model import Post
from .richtext import image_info, rendered
from .wire import label_slug
from .world import World

_PAYWALL = (
    '<section class="pWq1Zs" data-hook="paywall"><div class="d8KmVn"><h3 class="Yt3LrE">Want to read more?</h3>'
    '<p class="Bc7GhA">Sign up to the patients\' library to keep reading this post.</p>'
    '<button class="kR9uTz" data-hook="paywall-button" type="button">Become a member</button></div></section>'
)


def _placeholder(post: Post, width: int, name: str) -> str:
    hook = ' data-hook="skeleton-loader"' if post.variant == "g2-skeleton" else ""
    return f'<div class="bEeZ1_ {name}"{hook} style="--width:{width}px"> </div>'


def _card(world: World, page: Post, post: Post) -> str:
    url = escape(world.base + post.path)
    title = escape(post.title)
    cover = excerpt = ""
    if post.cover:
        cover = (
            f'<a aria-label="{title}" class="blog-link-hover-color" data-hook="link" href="{url}" tabindex="-1">'
            '<div class="kkOpHH">'
            f'<wow-image class="S7Q4bF HNM0p2" data-image-info="{image_info(post.cover, post.post_id)}" '
            'data-has-ssr-src="">'
            f'<img alt="{title}" data-pin-nopin="true"/></wow-image></div></a>'
        )
    else:
        excerpt = (
            '<section data-hook="recent-post__description"><div class="f1HgZb"><div class="_4BhfeI post-excerpt"><span '
            'class="j1Y_aa" style="display:-webkit-box;-webkit-line-clamp:4;overflow:hidden"><p class="pAfFB0" '
            f'data-hook="post-description">{escape(post.excerpt(), quote=False)}</p></span></div></div></section>'
        )
    return (
        f'<article class="qbu2Gh" data-hook="recent-post-list-item"><div class="dkbPQd">{cover}<div class="ZnRZP5">'
        "<header "
        f'data-hook="recent-post__title"><a class="hPl9QB" href="{url}">{escape(post.title, quote=False)}</a>'
        f"</header>{excerpt}"
        '<footer class="LO60EX" data-hook="post-footer"><div class="D6DTyh"><div class="LVcAxq post-stats" '
        'data-hook="post-stats">'
        f"{_placeholder(page, 30, 'qcmXZU')}{_placeholder(page, 30, 'ZN1aom')}</div></div>"
        f"{_placeholder(page, 30, 'wChIrD')}"
        "</footer></div></div></article>"
    )


def _header(world: World, post: Post, printed: str, updated: str) -> str:
    words = locale.LANGUAGES[post.language]
    name = escape(post.author.name)
    read = locale.read_time(post.language, post.minutes)
    change = ""
    if updated:
        change = (
            f'<p class="eWq9Lm">{words.updated}<span class="time-ago" data-hook="time-ago" title="{updated}">'
            f"{updated}</span></p>"
        )
    profile = f"{world.base}/profile/{post.author.slug}/profile"
    return (
        '<header class="PhCafd"><div class="PKQ95p"><div class="MbPQSQ"><div class="apmiGT" data-hook="post-title"><h1 '
        f'class="H3vOVf" data-hook="post-title">{escape(post.title, quote=False)}</h1></div><div class="a5JqMF">'
        '<ul class="NtBDdE">'
        f'<li class="MABqta"><div class="bZrSjY" style="width:32px;height:32px"><span aria-label="{words.writer}: '
        f'{name}" '
        f'class="lR3yj5 fluid-avatar-image" data-hook="avatar-image" role="img">{padding.icon("avatar")}</span></div>'
        f'<a class="IkAhjA" data-hook="profile-link" href="{profile}"><span data-hook="user-name">{name}</span></a>'
        "</li>"
        f'<li class="wBTynn"><span class="time-ago" data-hook="time-ago" title="{printed}">{printed}</span></li>'
        f'<li class="F56Ope"><span data-hook="time-to-read" title="{read}">{read}</span></li></ul><div '
        'class="hSZsuG"><button '
        'aria-label="More actions" aria-pressed="false" class="MHuRVq" data-hook="more-button" '
        f'id="more-button-{post.post_id}" '
        f'type="button">{padding.icon("more")}</button></div></div>{change}</div></div></header>'
    )


def _footer(world: World, post: Post) -> str:
    words = locale.LANGUAGES[post.language]
    base = world.base
    tags = "".join(
        f'<li><a class="_u2fqx" href="{base}/blog/tags/{label_slug(label)}" rel="noopener noreferrer">'
        f"{escape(label)}</a></li>"
        for label in post.tags
    )
    categories = "".join(
        f'<li><a class="Tp7c0d" data-hook="link" href="{base}/blog/categories/{label_slug(label)}">'
        f"{escape(label)}</a></li>"
        for label in post.categories
    )
    shares = "".join(
        f'<div class="dw8bme"><button aria-label="Share via {name}" class="qXlEOR" data-hook="share-button__{hook}">'
        f"{padding.icon(hook)}</button></div>"
        for name, hook in (
            ("Facebook", "facebook"),
            ("X (Twitter)", "twitter"),
            ("LinkedIn", "linked-in"),
            ("link", "link"),
            ("print", "print"),
        )
    )
    return (
        '<footer class="PhCafd B6ltWa" data-hook="post-footer"><div class="PKQ95p"><div class="KVKbzt aQg0ny"><section '
        f'class="JJ6Vcq"><p class="OY6C7u">{words.tags}</p><nav aria-label="Tags" data-hook="tag-cloud-root" '
        f'dir="{words.direction}">'
        f'<ul class="zmug2R">{tags}</ul></nav></section><section><ul aria-label="Post categories" class="pRGtWE">'
        f"{categories}</ul>"
        '</section><section class="Xyiv4I" data-hook="post-main-actions-desktop"><div class="eFSltK"><div '
        f'class="Zt1NVN">{shares}'
        '</div></div><div class="FyFkaC" data-hook="post-main-actions__stats"><div class="TAdeda" '
        'data-hook="post-stats">'
        f"{_placeholder(post, 40, 'OiMXGB')}{_placeholder(post, 40, 'hKkOc6')}</div>"
        f"{_placeholder(post, 40, 'yFrqzV')}</div>"
        "</section></div></div></footer>"
    )


def article(world: World, post: Post, printed: str, updated: str) -> str:
    """The post's article and its Recent Posts."""
    words = locale.LANGUAGES[post.language]
    url = world.base + post.path
    body = _PAYWALL
    if not post.members_only:
        body = rendered(post.blocks, world.base, url, post.variant, words.direction)
    cards = "".join(_card(world, post, other) for other in world.related(post))
    return (
        '<article class="tgMH9T" data-hook="post"><section class="UYw9XC" data-hook="post-hero-image"></section>'
        f'<div class="HW6ttf">{_header(world, post, printed, updated)}<section class="VQDdIN" '
        'data-hook="post-description">'
        f"{body}</section>{_footer(world, post)}</div></article>"
        '<section class="oY1ew3" data-hook="recent-posts"><header class="qmDeKd"><h2 style="font:inherit">'
        f"{words.recent}</h2>"
        f'<a class="vz0Mhy" href="{world.base}/blog">{words.see_all}</a></header><section><div class="zHLEBV">'
        f"{cards}</div>"
        "</section></section>"
    )
