"""The clinic's own objects: what a post, a block of text, a person and a comment are.

They say nothing about HTML or JSON. The wire shapes are made from them elsewhere, so that the page, the API answer
and the truth of one post always tell the same story.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

MEDIA = "https://static.wixstatic.com/media/"
VIDEO = "https://video.wixstatic.com/video/"
FILES = "https://static.wixstatic.com/ugd/"


def digest(*parts: object) -> str:
    """A stable 32-digit hexadecimal name for the given parts."""
    return hashlib.md5("\x1f".join(str(part) for part in parts).encode()).hexdigest()


def number(*parts: object) -> int:
    """A stable number for the given parts."""
    return int(digest(*parts)[:8], 16)


def stable_uuid(*parts: object) -> str:
    """A UUID that is always the same for the given parts."""
    return str(uuid.UUID(hex=digest(*parts), version=4))


def iso(moment: datetime) -> str:
    """The ISO form the wire uses: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True)
class Run:
    """A piece of text with one set of decorations."""

    text: str
    bold: bool = False
    italic: bool = False
    underline: bool = False
    href: str = ""


@dataclass(frozen=True)
class Image:
    """A picture in the media store."""

    uri: str
    width: int
    height: int
    alt: str = ""
    caption: str = ""

    @property
    def url(self) -> str:
        """The address of the original."""
        return MEDIA + self.uri


@dataclass(frozen=True)
class Block:
    """One block of a post.

    kind: paragraph, empty, heading, bullets, numbers, quote, divider, image, gallery, video, table, file, html.
    """

    kind: str
    key: str = ""
    runs: tuple[Run, ...] = ()
    level: int = 0
    items: tuple[tuple[Run, ...], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    images: tuple[Image, ...] = ()
    url: str = ""
    name: str = ""

    def lines(self) -> list[str]:
        """The block's text, a line for each paragraph, list item, table cell or caption."""
        if self.items:
            return ["".join(run.text for run in item) for item in self.items]
        if self.rows:
            return [cell for row in self.rows for cell in row]
        if self.kind == "image":
            return [image.caption for image in self.images if image.caption]
        text = "".join(run.text for run in self.runs)
        return [text] if text else []

    def all_runs(self) -> list[Run]:
        """Every run of the block."""
        return [*self.runs, *(run for item in self.items for run in item)]


@dataclass(frozen=True)
class Person:
    """Somebody who writes on the blog: staff, a site member, or a guest with no account."""

    key: str
    name: str
    kind: str
    email: str = ""
    phone: str = ""

    @property
    def person_id(self) -> str:
        """The member id, or the visitor id of a guest."""
        return stable_uuid("person", self.key)

    @property
    def slug(self) -> str:
        """The profile slug; never made from the name."""
        return self.person_id if number("slug", self.key) % 2 else "u" + digest("slug", self.key)[:9]

    @property
    def photo(self) -> str:
        """The file name of the profile picture."""
        return f"{digest('photo', self.key)[:6]}_{digest('photo', self.key)}~mv2.jpg"


@dataclass(frozen=True)
class Comment:
    """One comment. A reply names the comment it answers (`parent`) and the top comment of its thread (`top`)."""

    id: str
    person: Person
    posted: datetime
    text: str
    status: str = "PUBLISHED"
    parent: str = ""
    top: str = ""
    likes: int = 0
    edited: bool = False
    marked: bool = False

    def gone(self) -> Comment:
        """The same comment, deleted."""
        return replace(self, status="DELETED")


@dataclass
class Post:
    """One post with all that is known of it."""

    slug: str
    title: str
    language: str
    variant: str
    author: Person
    published: datetime
    modified: datetime
    categories: list[str]
    tags: list[str]
    blocks: list[Block]
    cover: Image | None
    flags: frozenset[str]
    base_views: int
    step: int
    likes: int
    comments: list[Comment] = field(default_factory=list)
    old_slugs: list[str] = field(default_factory=list)
    birth_slug: str = ""
    deleted: bool = False

    @property
    def post_id(self) -> str:
        """The UUID of the post."""
        return stable_uuid("post", self.birth_slug)

    @property
    def internal_id(self) -> str:
        """A 24-digit key that begins with the second of publication, as the store's object ids do."""
        return f"{int(self.published.timestamp()):08x}{digest('internal', self.birth_slug)[:16]}"

    @property
    def path(self) -> str:
        """The path of its page."""
        return "/post/" + self.slug

    @property
    def generation(self) -> int:
        """1 or 2: which markup its page has."""
        return 1 if self.variant.startswith("g1") else 2

    @property
    def members_only(self) -> bool:
        """Whether visitors get a paywall instead of the text."""
        return "members" in self.flags

    @property
    def in_sitemap(self) -> bool:
        """Whether sitemap and feed may name it."""
        return not self.deleted and not self.members_only and "noindex" not in self.flags

    @property
    def counters(self) -> str:
        """shown, hidden or views-only."""
        return {"g1-hidden": "hidden", "g1-views-only": "views-only"}.get(self.variant, "shown")

    def lines(self) -> list[str]:
        """The text a visitor may read, a block a line."""
        if self.members_only:
            return []
        return [line for block in self.blocks for line in block.lines() if line.strip()]

    def plain(self) -> str:
        """All text in one line."""
        return " ".join(line for block in self.blocks for line in block.lines())

    @property
    def minutes(self) -> int:
        """The read time."""
        return max(1, round(len(self.plain().split()) / 220))

    def excerpt(self, limit: int = 140) -> str:
        """The beginning of the text, cut between words and marked with an ellipsis."""
        text = self.plain()
        return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + "..."

    def public_comments(self) -> list[Comment]:
        """What a visitor may see.

        A deleted comment stays, empty and nameless, only where it heads a thread that still has a visible reply.
        Hidden and pending comments are never shown.
        """
        alive = {comment.top for comment in self.comments if comment.top and comment.status == "PUBLISHED"}
        return [
            comment
            for comment in self.comments
            if comment.status == "PUBLISHED"
            or (comment.status == "DELETED" and not comment.top and comment.id in alive)
        ]

    @property
    def comments_count(self) -> int:
        """How many comments are published, replies included."""
        return sum(comment.status == "PUBLISHED" for comment in self.comments)
