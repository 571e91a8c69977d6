"""The vocabulary: what goes into a parser (`Exchange`) and what comes out of it (items).

A parser is a pure function of one exchange. It gives zero or more items, and each of them says only what that one
exchange said: `None` where it was silent, 0 only where it said zero. Joining what several exchanges say about a post
is the store's work.

An *address* names a post: a canonical URL, or `platform:id` (Wix gives two, `wix:<uuid>` and `wix:<24 hex>`). Items
about a post carry every address their exchange gave for it, so that any of them finds it later.

`source` says how a value came: html, warmup (JSON inside the page), api, feed, rendered (through a browser), text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Source = Literal["html", "warmup", "api", "rendered", "feed", "text"]
# Best first: the archive shows a value of the best source that ever gave one.
SOURCES: tuple[Source, ...] = ("html", "warmup", "api", "rendered", "feed", "text")
SightedIn = Literal["sitemap", "feed", "listing", "related", "post"]
AuthorKind = Literal["staff", "member", "guest", "unknown"]
Precision = Literal["second", "minute", "hour", "day", "month", "year"]


OF_SCRIPT = ("xhr", "fetch")  # how a browser gets what a page's script asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, as a parser sees it: decoded, with the moment it was made."""

    url: str
    body: bytes = field(repr=False)  # Content-Encoding undone
    content_type: str = ""
    status: int = 200
    fetched_at: datetime | None = None  # aware, UTC; None: unknown, so relative dates stay NULL
    method: str = "GET"
    request_body: bytes = field(default=b"", repr=False)
    location: str | None = None  # absolute target of a redirect
    # Response headers: names in lower case, a repeated header joined by ", ".
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    # How a browser that rendered a page got it ("document", "xhr", "fetch", "script", ..., "dom": the page as it stands
    # in the end), and the URL of that page. None: a request of our own.
    via: str | None = None
    page: str | None = None

    @property
    def of_script(self) -> bool:
        """A script of the rendered page asked for it."""
        return self.via in OF_SCRIPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link inside a body."""

    url: str
    text: str | None = None
    rel: str | None = None  # "nofollow noopener", as written; not printed by `parse`


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of a body by its original file; with another `kind`, a video or file that belongs to it."""

    url: str
    alt: str | None = None
    caption: str | None = None
    kind: Literal["image", "gallery", "video", "file"] = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A card of "Recent Posts" below a post."""

    position: int  # 1, 2, 3 as shown
    title: str | None
    url: str | None
    excerpt: str | None = None


@dataclass(slots=True, kw_only=True)
class Comment:
    """A reader's or the clinic's comment. `person` and `author` never pass the first pipeline as they came."""

    post: tuple[str, ...]  # addresses of the post it stands under
    platform_comment_id: str
    parent_id: str | None = None  # platform_comment_id of the comment it answers
    author: str | None = field(default=None, repr=False)  # display name; a pseudonym after the first pipeline
    person: str | None = field(default=None, repr=False)  # the platform's id of the person; a key after it
    author_kind: AuthorKind = "unknown"
    posted_at: str | None = None  # ISO 8601 UTC
    posted_at_precision: Precision | None = None
    body_text: str | None = field(default=None, repr=False)
    body_html: str | None = field(default=None, repr=False)
    likes: int | None = None
    status: str | None = None  # published, deleted, pending, hidden, as the platform says, lower case
    edited: bool | None = None
    source: Source = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of commenters, from a members answer: kept in memory to mask them in the texts around it, never stored."""

    names: Mapping[str, str] = field(repr=False)  # the platform's id of a person -> display name


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPage:
    """One answer of a comments service: which part of a post's thread it is, and which parts it says are left."""

    post: tuple[str, ...]
    asked: str | None  # the cursor that was asked for; None: the beginning
    following: tuple[str, ...] = ()  # cursors to what is left, of the thread and of replies


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A post's thread, read from its beginning to its last cursor: what is not among these comments is absent."""

    post: tuple[str, ...]
    comments: tuple[str, ...]  # platform_comment_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """One of the clinic's own people, from an answer that names a post's author with the platform's id."""

    name: str
    person: str | None = field(default=None, repr=False)  # as in `Comment.person`


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Counters of one post, as one exchange printed them."""

    post: tuple[str, ...]
    views: int | None = None
    likes: int | None = None
    comments_count: int | None = None
    views_raw: str | None = None
    likes_raw: str | None = None
    comments_count_raw: str | None = None
    source: Source = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A listing of any kind named this post."""

    url: str  # canonical
    source: SightedIn
    listed_url: str | None = None  # as the list spells it, to be requested; None: as `url`
    # False: the address does not tell a post's from another page's. Such a sighting counts for known posts alone.
    certain: bool = True
    addresses: tuple[str, ...] = ()  # further addresses the listing gave (the guid of a feed item, say)
    lastmod: str | None = None  # as printed
    title: str | None = None
    published_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Two addresses of one post: a redirect from an old slug, or from where the clinic was before."""

    addresses: tuple[str, str]  # the new one, the old one
    matched_by: str = "redirect"
    certain: bool = True  # as in `Sighting`


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """An address answered that nothing is there (404, 410), or a not-found page with another status."""

    url: str
    answered: str  # "404", "410", "not-found page (200)"
    certain: bool = True  # as in `Sighting`


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a page says of the whole site."""

    platform: str
    timezone: str | None = None  # IANA name
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something promised that was not there, or an answer that could not be used."""

    kind: str  # a short name, e.g. "missing-field", "bot-challenge", "robots-refused", "too-large"
    message: str  # one line: what happened, to what, what to do
    url: str | None = None
    field: str | None = None


@dataclass(slots=True, kw_only=True)
class Post:
    """A post as one exchange shows it; the keys of `clinic-archive parse`, in their order, and `sources`."""

    platform: str
    platform_post_id: str | None = None  # Wix: the 24-hex internalId, else the post's UUID
    url: str | None = None  # canonical
    slug: str | None = None
    title: str | None = None  # the visible heading
    author: str | None = None
    published_at: str | None = None  # ISO 8601 UTC; a bare date where only a date is printed
    modified_at: str | None = None
    published_raw: str | None = None  # as printed
    language: str | None = None
    excerpt: str | None = None
    minutes_to_read: int | None = None
    cover_image_url: str | None = None
    body_html: str | None = field(default=None, repr=False)  # sanitised, the body alone
    body_text: str | None = field(default=None, repr=False)  # a block a line
    word_count: int | None = None  # whitespace-separated tokens of body_text
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    links: tuple[Link, ...] = field(default=(), repr=False)
    images: tuple[Image, ...] = field(default=(), repr=False)
    views: int | None = None
    views_raw: str | None = None
    likes: int | None = None
    likes_raw: str | None = None
    comments_count: int | None = None
    comments_count_raw: str | None = None
    comments: tuple[Comment, ...] = field(default=(), repr=False)
    related_posts: tuple[Related, ...] = field(default=(), repr=False)
    sources: dict[str, Source] = field(default_factory=dict)  # field -> how its value came
    # Not printed by `parse`: what the store and the spider need beside the fields.
    addresses: tuple[str, ...] = ()  # every address of the post, canonical URL first
    author_person: str | None = field(default=None, repr=False)  # the platform's id of the author
    counters_pending: bool = False  # the page has counters, but a script fills them
    comments_key: str | None = None  # what the platform's comments service knows the post by
    media_pending: bool = False  # galleries, videos or tables stand there as empty shells


Item = Post | Reading | Comment | ThreadPage | Thread | Author | Names | Sighting | Alias | Gone | Site | Problem


class NotAPost(Exception):
    """The page is not a post: the message says what it is instead."""

    kind = "not-a-post"


class NotFoundPage(NotAPost):
    """The site's own "not found" page, whatever its status."""

    kind = "not-found-page"


class Paywall(NotAPost):
    """A members-only or paid page."""

    kind = "paywall"


class BotChallenge(NotAPost):
    """A page that asks whether we are human; never a post, never a removal."""

    kind = "bot-challenge"


class ConsentWall(NotAPost):
    """A page that shows nothing but a consent dialogue."""

    kind = "consent-wall"


class Unreadable(NotAPost):
    """Bytes that cannot be what they say they are: cut, empty, wrong charset, not HTML."""

    kind = "unreadable"


class UnsupportedPlatform(NotAPost):
    """A blog of a platform that is not read yet."""

    kind = "unsupported-platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What one capture says: the unit that travels through the item pipelines and is stored or lost as a whole."""

    clinic_id: str
    capture: object  # the record it came from, as the capturing side describes it; None is a fault
    items: tuple[Item, ...] = field(default=(), repr=False)
    extractor_version: int = 0
    sources: tuple[Source, ...] = SOURCES  # the platform's ranking of sources, best first
    from_api: bool = False  # the address is a machine interface of the platform or of a comment service
