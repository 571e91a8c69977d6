"""What the clinic really holds and really served, for tests to compare with. Schema: see the package docstring."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .model import Comment, Post, iso
from .pages import printed
from .world import Served, World

Json = dict[str, Any]


def _comment(comment: Comment) -> Json:
    visible = comment.status != "DELETED"
    person = comment.person
    return {
        "id": comment.id,
        "parent_id": comment.parent or None,
        "top_id": comment.top or None,
        "author_kind": person.kind if visible else None,
        "author_name": (person.name or None) if visible and person.kind != "guest" else None,
        "person_id": person.person_id if visible else None,
        "posted_at": iso(comment.posted),
        "body_text": comment.text if visible else "",
        "status": comment.status,
        "likes": comment.likes,
        "edited": comment.edited,
        "marked": comment.marked,
    }


def _withheld(comment: Comment) -> Json:
    """A comment no visitor may see, with all that was ever known of it."""
    return {
        **_comment(comment),
        "author_kind": comment.person.kind,
        "author_name": comment.person.name or None,
        "person_id": comment.person.person_id,
        "body_text": comment.text,
    }


def _served(served: Served) -> Json:
    counters = served.counters
    return {
        "n": served.n,
        "at": served.at,
        "route": served.route,
        "views": counters.views,
        "likes": counters.likes,
        "comments_count": counters.comments,
    }


def _links(world: World, post: Post) -> list[Json]:
    return [
        {"url": world.base + run.href if run.href.startswith("/") else run.href, "text": run.text}
        for block in post.blocks
        for run in block.all_runs()
        if run.href
    ]


def _media(post: Post) -> list[Json]:
    found: list[Json] = []
    for block in post.blocks:
        if block.kind == "gallery":
            found += [{"kind": "gallery", "url": image.url} for image in block.images]
        elif block.kind in ("video", "file", "html"):
            found.append({"kind": block.kind, "url": block.url})
    return found


def _post(world: World, post: Post, now: datetime, feed: set[str]) -> Json:
    date, changed = printed(post, now)
    lines = post.lines()
    readable = not post.members_only
    public = post.public_comments()
    related = [] if post.deleted else world.related(post)
    return {
        "slug": post.slug,
        "url": world.base + post.path,
        "old_urls": [f"{world.base}/post/{slug}" for slug in post.old_slugs],
        "post_id": post.post_id,
        "internal_id": post.internal_id,
        "title": post.title,
        "author": post.author.name,
        "author_id": post.author.person_id,
        "language": post.language,
        "variant": post.variant,
        "published_at": iso(post.published),
        "published_printed": date,
        "modified_at": iso(post.modified),
        "modified_printed": changed or None,
        "dates_in_head": "nodates" not in post.flags,
        "minutes_to_read": post.minutes,
        "categories": post.categories,
        "tags": post.tags,
        "excerpt": post.excerpt(),
        "body_text": "\n".join(lines),
        "word_count": sum(len(line.split()) for line in lines),
        "links": _links(world, post) if readable else [],
        "images": [image.url for block in post.blocks if block.kind == "image" and readable for image in block.images],
        "cover": post.cover.url if post.cover else None,
        "media": _media(post) if readable else [],
        "related": [
            {"position": position, "title": other.title, "url": world.base + other.path}
            for position, other in enumerate(related, 1)
        ],
        "listed_in": {
            "sitemap": post.in_sitemap,
            "feed": post.post_id in feed,
            "listing": not post.deleted,
        },
        "access": "members" if post.members_only else "public",
        "deleted": post.deleted,
        "never_ready": "never-ready" in post.flags,
        "late": "late" in post.flags,
        "render_id": "render-id" in post.flags,
        "counters": post.counters,
        "base_views": post.base_views,
        "step": post.step,
        "likes": post.likes,
        "comments_count": post.comments_count,
        "served": [_served(served) for served in world.served[post.post_id]],
        "comments": [_comment(comment) for comment in public],
        "withheld": [_withheld(comment) for comment in post.comments if comment not in public],
    }


def truth(world: World, now: datetime) -> Json:
    """The whole truth at this moment."""
    feed = {post.post_id for post in world.feed()}
    return {
        "url": world.base,
        "first_start": iso(world.state.first_start),
        "posts": [_post(world, post, now, feed) for post in world.posts],
        "categories": list(world.labels("categories")),
        "tags": list(world.labels("tags")),
    }
