"""The first generation of post pages (until early 2025): numbers stand in the HTML (reference 1.2, 1.4).

`post-stats` holds adjacent spans without whitespace; older pages give them a tabindex, and the comment part may be a
link. A like count shows only when there is one. Pages of 2022 and before carry no JSON-LD.
"""

from __future__ import annotations

from html import escape

from . import locale, padding
from .model import Post, number
from .richtext import image_info, rendered
from .wire import label_slug, stale
from .world import Counters, World

_SEPARATOR = '<span class="Ki_0_s rmqd9q blog-separator-background-color"></span>'
_SHARES = (("Facebook", "facebook"), ("Twitter", "twitter"), ("LinkedIn", "linked-in"), ("link", "link"))
_LIKE_BUTTON = (
    '<span class="like-button LtaU1R" data-hook="like-button"><span class="TlM_il"><span class="IiFRN3"></span></span>'
    '<span class="_zh4Km"></span>{icon}</span>'
)


def _likes(likes: int) -> str:
    """The visible number exists only above zero; the sentence beside it is for screen readers."""
    answer = "Post not marked as liked"
    visible = ""
    if likes:
        answer = f"{likes} like{'s' if likes > 1 else ''}. {answer}"
        visible = f'<span aria-hidden="true" class="FYRNvd like-button-with-count__like-count">{likes}</span>'
    return (
        f'<button class="Kh5HMz"><span aria-live="off" class="laz8E8">{answer}</span><span class="h7K_lu" '
        'data-hook="like-button-with-count__like-count">'
        f"{visible}{_LIKE_BUTTON.format(icon=padding.icon('heart'))}</span></button>"
    )


def _stats(post: Post, counters: Counters, url: str) -> str:
    if post.counters == "hidden":
        return '<div data-hook="post-stats" class="asGom3"></div>'
    tab = ' tabindex="0"' if post.published.year < 2024 else ""
    views = f"<span{tab}>{locale.views(post.language, counters.views)}</span>"
    comments = ""
    if post.counters == "shown":
        words = locale.comments(post.language, counters.comments)
        comments = f"<span{tab}>{words}</span>"
        if number("linked", post.birth_slug) % 3 == 0:
            comments = f'<a href="{escape(url)}" class="LATRtv"><span tabindex="-1">{words}</span></a>'
    return f'<div data-hook="post-stats" class="asGom3">{views}{comments}</div>'


def _card(world: World, post: Post) -> str:
    url = world.base + post.path
    numbers = stale(post)
    views = locale.grouped("en", numbers.views)
    cover = excerpt = ""
    if post.cover:
        info = image_info(post.cover, post.post_id)
        cover = (
            f'<a class="blog-link-hover-color" data-hook="link" href="{escape(url)}"><div class="ESNOXa"><wow-image '
            f'class="lAV2rI Fq1hlj" data-image-info="{info}"><img alt="" data-pin-url="{escape(url)}"/></wow-image>'
            "</div></a>"
        )
    else:
        excerpt = (
            '<div class="jHXhcU" data-hook="recent-post__description"><div class="wR7PET"><div class="BOlnTh" '
            f'style="-webkit-line-clamp:3">{escape(post.excerpt(), quote=False)}</div></div></div>'
        )
    return (
        '<div class="P5FvMw blog-card-background-color recent-posts-list__list-item"><article class="QltRG0" '
        'data-hook="recent-post-list-item" tabindex="0"><div class="CdyNOb"><div class="y7EIGR '
        f'blog-post-page-font">{cover}'
        '<div class="tGdiru with-cover"><div class="blog-post-title-font" data-hook="recent-post__title"><p '
        'class="GF4Dud '
        f'blog-post-title-color"><a class="blog-link-hover-color jJBbmf" data-hook="link" href="{escape(url)}">'
        f'{escape(post.title, quote=False)}</a></p></div>{excerpt}<div class="VIxKLj"><div class="NT9zC5 '
        'blog-text-color post-footer" '
        'data-hook="post-footer"><div class="PsEy9r"><div class="E54HWO post-stats" data-hook="post-stats"><span '
        'class="t66ylj '
        f'P7Wc3k" data-hook="view-count-compact" tabindex="0"><svg aria-label="{views} views" role="img" '
        'viewBox="0 0 19 19" '
        f'width="19"></svg><span aria-hidden="true" class="eYQJQu">{views}</span></span><a class="lkXNhM" '
        f'href="{escape(url)}">'
        '<span class="t66ylj" data-hook="comment-count-compact" tabindex="0"><svg role="img" viewBox="0 0 19 19" '
        'width="19"></svg>'
        f'<span aria-hidden="true" class="eYQJQu">{numbers.comments}</span></span></a></div></div><div class="L2cuMO">'
        f"{_likes(numbers.likes)}</div></div></div></div></div></div></article></div>"
    )


def _meta_line(post: Post, printed: str) -> str:
    read = locale.read_time(post.language, post.minutes)
    items = [
        f'<span class="post-metadata__date time-ago" data-hook="time-ago" title="{printed}">{printed}</span>',
        _SEPARATOR,
        f'<span class="post-metadata__readTime" data-hook="time-to-read" title="{read}">{read}</span>',
    ]
    inner = "".join(f'<li class="UZa2Xr">{item}</li>' for item in items)
    name = escape(post.author.name)
    return (
        f'<ul class="xUuoH9 v0bFi9"><li class="F4tRtJ"><span class="taLqKM"><span title="{name}" class="tQ0Q1A '
        'user-name dlINDG" '
        f'data-hook="user-name">{name}</span></span></li><li class="F4tRtJ"><ul class="xUuoH9 MBUSKJ">{inner}</ul>'
        "</li></ul>"
    )


def _footer(world: World, post: Post, counters: Counters, url: str) -> str:
    base = world.base
    tags = "".join(
        f'<li class="ZjhmPV"><a class="ZjhmPV sM3gbq" href="{base}/blog/tags/{label_slug(label)}">'
        f"{escape(label)}</a></li>"
        for label in post.tags
    )
    categories = "".join(
        f'<li class="TZ6_II"><a class="blog-link-hover-color blog-text-color post-categories-list__link" '
        f'data-hook="category-label-list__item" href="{base}/blog/categories/{label_slug(label)}">'
        f"{escape(label)}</a></li>"
        for label in post.categories
    )
    shares = "".join(
        f'<button aria-label="Share via {name}" class="U4UjyH" data-hook="share-button__{hook}">'
        f"{padding.icon(hook)}</button>"
        for name, hook in _SHARES
    )
    return (
        f'<div class="OFA52E jG7PL8" id="post-footer"><div class="nITq6z"><nav aria-label="tags" class="lokQqY" '
        f'data-hook="tag-cloud-root"><ul>{tags}</ul></nav></div><div class="ux83lW" '
        'data-hook="post-main-actions-desktop">'
        f'<div class="bVF0DD lnKYSq"><div class="ynI4j0 blog-text-color" id="post-social-actions_{post.post_id}" '
        'tabindex="-1">'
        f'{shares}</div><ul class="lXjgWq">{categories}</ul></div><div class="bVF0DD xIs1Bi" '
        'data-hook="post-main-actions__stats">'
        f"{_stats(post, counters, url)}{_likes(counters.likes)}</div></div></div>"
    )


def article(world: World, post: Post, counters: Counters, printed: str, updated: str) -> str:
    """The post's article and its Recent Posts."""
    words = locale.LANGUAGES[post.language]
    url = world.base + post.path
    change = ""
    if updated:
        change = (
            f'<p class="lkwdFf OFA52E">{words.updated}<span class="time-ago" data-hook="time-ago" title="{updated}">'
            f"{updated}</span></p>"
        )
    title = escape(post.title, quote=False)
    cards = "".join(_card(world, other) for other in world.related(post))
    return (
        '<article class="j3D9DG blog-post-page-font blog-card-background-color blog-text-color" data-hook="post">'
        f'<div class="BL3dva"><div class="OSxNQL"><div class="OFA52E"><div class="IeNfNP">{_meta_line(post, printed)}'
        '<div class="UPa2xo JDQ812"><button aria-label="More actions" aria-pressed="false" class="u5Zxn8 more-button" '
        f'data-hook="more-button" id="more-button-{post.post_id}" type="button">{padding.icon("more")}</button>'
        "</div></div>"
        '<div class="cD_92h UitnHM" data-hook="post-title" tabindex="-1"><h1 class="UbhFJ7 blog-post-title-font '
        "post-title "
        'blog-post-page-title-font" data-hook="post-title"><span class="post-title__text blog-post-title-font">'
        f'<span class="blog-post-title-font blog-post-title-color">{title}</span></span></h1></div></div>'
        f"{change}</div></div>"
        '<div class="nLG8d5 F_3u4N" data-hook="post-description"><article class="blog-post-page-font"><div '
        'class="post-content__body stSKMK">'
        f"{rendered(post.blocks, world.base, url, post.variant, words.direction)}</div></article></div>"
        f'<div class="BL3dva"><div class="OSxNQL">{_footer(world, post, counters, url)}</div></div></article>'
        '<div class="MS7sOC blog-text-color" data-hook="recent-posts"><div class="E8Zofv"><h2 class="up1lc0">'
        f"{words.recent}</h2>"
        f'<a class="blog-link-hover-color hK3Onr" data-hook="link" href="{world.base}/blog">{words.see_all}</a></div>'
        f'<div class="AMlRJt"><div class="Ww0ap9">{cards}</div></div></div>'
    )
