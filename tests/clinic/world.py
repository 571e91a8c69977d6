"""The blog as it stands at this moment: its posts, its counters, and the changes a test has asked for.

A *visit* is every time a counter value of a post is given out, by whatever route. The n-th visit of a post is served
`base + step * n` views, so that two readers of the same page see different, explainable numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import compose
from .model import Block, Comment, Post, Run, digest, iso, number, stable_uuid
from .state import State

FEED_LIMIT = 20


@dataclass(frozen=True)
class Counters:
    """The three numbers of a post."""

    views: int
    likes: int
    comments: int


@dataclass(frozen=True)
class Served:
    """One visit: which, when, by what route, with what numbers."""

    n: int
    at: str
    route: str
    counters: Counters


@dataclass
class Fault:
    """An answer to break a path with."""

    status: int
    times: int
    retry_after: int | None


class RefusedError(ValueError):
    """A control request that makes no sense."""


class World:
    """Posts, counters and changes of one clinic."""

    def __init__(self, folder: Path, base: str) -> None:
        self.base = base
        self.state = State(folder)
        self.posts = compose.posts(self.state.first_start)
        self.served: dict[str, list[Served]] = {post.post_id: [] for post in self.posts}
        self.faults: dict[str, Fault] = {}
        self.token_age = 0
        self.version = 0
        for event in self.state.events[1:]:
            self._replay(event)

    def _replay(self, event: dict[str, Any]) -> None:
        if event["event"] == "served":
            counters = Counters(event["views"], event["likes"], event["comments"])
            self.served[event["post"]].append(Served(event["n"], event["at"], event["route"], counters))
        else:
            self._apply(event)

    # ---- reading

    def live(self) -> list[Post]:
        """Every post that has a page, newest first."""
        return [post for post in self.posts if not post.deleted]

    def feed(self) -> list[Post]:
        """The posts of the feed."""
        return [post for post in self.live() if post.in_sitemap][:FEED_LIMIT]

    def find(self, slug: str) -> Post | None:
        """The live post with this slug."""
        return next((post for post in self.posts if post.slug == slug and not post.deleted), None)

    def find_id(self, post_id: str) -> Post | None:
        """The post with this UUID."""
        return next((post for post in self.posts if post.post_id == post_id), None)

    def find_internal(self, internal_id: str) -> Post | None:
        """The live post with this internal id."""
        return next((post for post in self.live() if post.internal_id == internal_id), None)

    def renamed(self, slug: str) -> Post | None:
        """The live post that once had this slug."""
        return next((post for post in self.live() if slug in post.old_slugs), None)

    def related(self, post: Post) -> list[Post]:
        """Three cards: mostly the newest other posts, one of them without a cover so that its excerpt shows.

        On every third page they are other posts, always the same ones, as if the owner had chosen them.
        """
        others = [other for other in self.live() if other is not post and not other.members_only]
        if number("chosen", post.birth_slug) % 3 == 0:
            others.sort(key=lambda other: digest(post.birth_slug, other.birth_slug))
        bare = [other for other in others if not other.cover][:1]
        covered = [other for other in others if other.cover][: 3 - len(bare)]
        cards = sorted([*bare, *covered], key=lambda other: other.published, reverse=True)
        unlisted = next((other for other in others if "noindex" in other.flags), None)
        if unlisted and unlisted.categories == post.categories and unlisted not in cards:
            cards[-1] = unlisted
        return cards

    def labels(self, kind: str) -> dict[str, list[Post]]:
        """Posts by category or by tag, in order of first use."""
        found: dict[str, list[Post]] = {}
        for post in self.live():
            for label in post.categories if kind == "categories" else post.tags:
                found.setdefault(label, []).append(post)
        return found

    # ---- counting

    def peek(self, post: Post) -> Counters:
        """The numbers the next visit will be served."""
        views = post.base_views + post.step * (len(self.served[post.post_id]) + 1)
        return Counters(max(0, views), post.likes, post.comments_count)

    def visit(self, post: Post, route: str) -> Counters:
        """Count a visit and give its numbers."""
        counters = self.peek(post)
        history = self.served[post.post_id]
        served = Served(len(history) + 1, iso(datetime.now(UTC)), route, counters)
        self.state.append(
            {
                "event": "served",
                "post": post.post_id,
                "n": served.n,
                "at": served.at,
                "route": route,
                "views": counters.views,
                "likes": counters.likes,
                "comments": counters.comments,
            }
        )
        history.append(served)
        return counters

    # ---- changing

    def control(self, request: dict[str, Any]) -> dict[str, Any]:
        """Make a change and keep it."""
        event = {"at": iso(datetime.now(UTC)), **request, "event": "control"}
        answer = self._apply(event)
        if event.get("action") not in ("fail", "expire_tokens"):
            self.state.append(event)
        return answer

    def _wanted(self, event: dict[str, Any]) -> Post:
        slug = str(event.get("slug", "")).removeprefix("/post/")
        post = next((post for post in self.posts if post.slug == slug or slug in post.old_slugs), None)
        if post is None:
            raise RefusedError(f"no such post: {slug}")
        return post

    def _apply(self, event: dict[str, Any]) -> dict[str, Any]:
        action = str(event.get("action", ""))
        handler = getattr(self, f"_do_{action}", None)
        if handler is None:
            raise RefusedError(f"no such action: {action}")
        answer: dict[str, Any] = handler(event)
        self.version += 1
        return {"ok": True, **answer}

    def _do_edit(self, event: dict[str, Any]) -> dict[str, Any]:
        """Replace the first paragraph (or append `text` to it) and the moment of modification."""
        post = self._wanted(event)
        index = next(index for index, block in enumerate(post.blocks) if block.kind == "paragraph")
        text = event.get("text") or f"Corrected on {event['at']}."
        post.blocks[index] = replace(post.blocks[index], runs=(Run(text),))
        if event.get("title"):
            post.title = str(event["title"])
        post.modified = datetime.fromisoformat(event["at"])
        return {"paragraph": text, "modified_at": event["at"]}

    def _do_delete(self, event: dict[str, Any]) -> dict[str, Any]:
        self._wanted(event).deleted = True
        return {}

    def _do_restore(self, event: dict[str, Any]) -> dict[str, Any]:
        self._wanted(event).deleted = False
        return {}

    def _do_rename(self, event: dict[str, Any]) -> dict[str, Any]:
        post = self._wanted(event)
        new = str(event.get("new_slug") or event.get("to") or post.slug + "-renamed")
        if any(other.slug == new for other in self.posts):
            raise RefusedError(f"taken: {new}")
        post.old_slugs = [*post.old_slugs, post.slug]
        post.slug = new
        return {"slug": new}

    def _do_publish(self, event: dict[str, Any]) -> dict[str, Any]:
        """A new post, published at the moment of the request, in the newest kind of page."""
        slug = str(event.get("slug") or f"new-post-{len(self.posts)}")
        if any(other.slug == slug for other in self.posts):
            raise RefusedError(f"taken: {slug}")
        moment = datetime.fromisoformat(event["at"])
        text = str(event.get("text") or "A short note written while the kettle boils.")
        post = replace(
            self.posts[0],
            slug=slug,
            birth_slug=slug,
            title=str(event.get("title") or "A new post"),
            published=moment,
            modified=moment,
            variant="g2-skeleton",
            flags=frozenset(),
            language="en",
            blocks=[Block("paragraph", "foo", runs=(Run(text),))],
            comments=[],
            old_slugs=[],
            base_views=0,
            likes=0,
            cover=None,
        )
        self.posts.insert(0, post)
        self.served.setdefault(post.post_id, [])
        return {"slug": slug, "post_id": post.post_id}

    def _do_add_comment(self, event: dict[str, Any]) -> dict[str, Any]:
        post = self._wanted(event)
        parent = next((each for each in post.comments if each.id == event.get("parent_id")), None)
        comment = Comment(
            id=stable_uuid("added", post.birth_slug, event["at"], len(post.comments)),
            person=compose.people()[str(event.get("by", "m03"))],
            posted=datetime.fromisoformat(event["at"]),
            text=str(event.get("text", "Thanks for this.")),
            status=str(event.get("status", "PUBLISHED")),
            parent=parent.id if parent else "",
            top=(parent.top or parent.id) if parent else "",
        )
        post.comments.append(comment)
        return {"comment_id": comment.id}

    def _do_delete_comment(self, event: dict[str, Any]) -> dict[str, Any]:
        for post in self.posts:
            for index, comment in enumerate(post.comments):
                if comment.id == event.get("comment_id"):
                    post.comments[index] = comment.gone()
                    return {"slug": post.slug}
        raise RefusedError(f"no such comment: {event.get('comment_id')}")

    def _do_fail(self, event: dict[str, Any]) -> dict[str, Any]:
        path = str(event["path"])
        self.faults[path] = Fault(int(event.get("status", 503)), int(event.get("times", 1)), event.get("retry_after"))
        return {"path": path}

    def _do_expire_tokens(self, event: dict[str, Any]) -> dict[str, Any]:
        self.token_age += 1
        return {}

    def fault(self, path: str) -> Fault | None:
        """The fault to answer this path with, once for each time that was asked for."""
        fault = self.faults.get(path)
        if fault is None or fault.times <= 0:
            return None
        fault.times -= 1
        return fault
