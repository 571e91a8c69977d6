"""The data types of the web side: the input of a parser (`Exchange`) and its output (items).

A parser is a pure function of one exchange. It gives zero or more items, and each item contains only what that exchange
states: `None` where it states nothing, 0 only where it states zero. The store joins what several exchanges state about
one post.

An *address* identifies a post: a canonical URL, or `platform:id` (Wix gives two, `wix:<uuid>` and `wix:<24 hex>`).
Items about a post carry every address that their exchange gives for it, so that any of them finds the post later.

`source` is where a value was read: html, warmup (JSON inside the page), api, feed, rendered (in a browser), text;
relative: a printed date that depends on the day of the capture ("3 days ago", "Sep 11"). Every other source is better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Source = Literal["html", "warmup", "api", "rendered", "feed", "text", "relative"]
# Best first: the archive shows the value of the best source that ever gave one.
SOURCES: tuple[Source, ...] = ("html", "warmup", "api", "rendered", "feed", "text")
SightedIn = Literal["sitemap", "feed", "listing", "related", "post"]
AuthorKind = Literal["staff", "member", "guest", "unknown"]
Access = Literal["public", "password", "members", "paid"]
CommentType = Literal["comment", "pingback", "trackback"]
Precision = Literal["second", "minute", "hour", "day", "month", "year"]

OF_SCRIPT = ("xhr", "fetch")  # resource types of the requests that a page's script makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its response as a parser sees them: decoded, with the time of the request."""

    url: str
    body: bytes = field(repr=False)  # Content-Encoding undone; UTF-8 instead of UTF-16 with a byte order mark
    content_type: str = ""
    status: int = 200
    fetched_at: datetime | None = None  # aware, UTC; None: unknown, so that relative dates stay NULL
    method: str = "GET"
    request_body: bytes = field(default=b"", repr=False)
    location: str | None = None  # absolute target of a redirect
    # Response headers: names in lower case, a repeated header joined by ", ".
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    # Resource type of a request that a browser made while it rendered a page ("document", "xhr", "fetch", "script", ...
    # or "dom" for the final document), and the URL of that page. None: requested without a browser.
    via: str | None = None
    page: str | None = None
    fault: Problem | None = None  # why the body could not be decoded; it is empty then
    is_emptied: bool = False  # a takedown removed the whole body, so that nothing is read from it

    @property
    def of_script(self) -> bool:
        """Whether a script of the rendered page made the request."""
        return self.via in OF_SCRIPT


PARTIAL_TEXT = "partial-text"  # kind of the problem of a post of several pages whose text is that of the first


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link inside a body."""

    url: str
    text: str | None = None
    rel: str | None = None  # "nofollow noopener", as written; not printed by `parse`


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image inside a body, by the URL of its original file; with another `kind`, a video or an attached file."""

    url: str
    alt: str | None = None
    caption: str | None = None
    kind: Literal["image", "gallery", "video", "file"] = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A card of the section "Recent Posts" below a post."""

    position: int  # 1, 2, 3 in page order
    title: str | None
    url: str | None
    excerpt: str | None = None


@dataclass(slots=True, kw_only=True)
class Comment:
    """A comment by a reader or by the clinic. The first item pipeline replaces `person` and `author` by pseudonyms."""

    post: tuple[str, ...]  # addresses of the post that it belongs to
    platform_comment_id: str  # unique within the site: the same id of another post is the same comment
    type: CommentType = "comment"  # pingbacks and trackbacks are notices by other sites, not words of readers
    parent_id: str | None = None  # platform_comment_id of the comment that it replies to
    author: str | None = field(default=None, repr=False)  # display name; after the first pipeline a pseudonym
    person: str | None = field(default=None, repr=False)  # the platform's id of the person; after it a keyed hash
    author_kind: AuthorKind = "unknown"
    posted_at: str | None = None  # ISO 8601 UTC
    posted_at_precision: Precision | None = None
    body_text: str | None = field(default=None, repr=False)
    body_html: str | None = field(default=None, repr=False)
    likes: int | None = None
    status: str | None = None  # the platform's word in lower case: published, deleted, pending, hidden
    edited: bool | None = None
    source: Source = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of commenters from a members service: held in memory to mask them in the thread's texts, never stored."""

    names: Mapping[str, str] = field(repr=False)  # the platform's id of a person -> display name


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedThread:
    """A thread at a comment service that a post's page embeds."""

    post: tuple[str, ...]
    service: str  # name of the service, `CommentService.name`
    thread: str  # its id there, as `CommentService.thread_of` gives it


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPage:
    """One answer of a comments service: which page of a post's thread it is, and which pages follow."""

    post: tuple[str, ...]  # empty: the comments of all posts of the site
    cursor: str | None  # the cursor that was requested; None: the beginning of the thread
    following: tuple[str, ...] = ()  # cursors of the next pages, of the thread and of replies
    # The source of the comments that the thread lists completely; None: of all. WordPress's API leaves out pingbacks,
    # its pages leave out replies to comments that are not public.
    source: Source | None = None
    # Of the comments of a whole site: the platform of the posts whose numbers of comments a complete reading gives.
    counts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A post's thread that was read completely, to its last cursor: any comment not listed here is absent."""

    post: tuple[str, ...]  # empty: the comments of all posts of the site
    comments: tuple[str, ...]  # platform_comment_ids
    source: Source | None = None  # as in `ThreadPage`, like the next
    counts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPart:
    """One page of a post whose text lies on several; the text is stored when all of them came."""

    post: str  # an address that all pages of the post state
    number: int  # 1, 2, 3
    last: int  # the highest number that it links to or has
    others: tuple[str, ...]  # addresses of the other pages that it links to
    page: Post = field(repr=False)  # what it gives by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """A member of the clinic's staff, from an answer that gives a post's author with the platform's id."""

    name: str
    person: str | None = field(default=None, repr=False)  # as in `Comment.person`


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Counters of one post, as one exchange states them."""

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
    """A post that a page or list names: a sitemap, feed, listing or another post."""

    url: str  # canonical
    source: SightedIn
    listed_url: str | None = None  # the address to request, as the list spells it; None: as `url`
    # False: the address alone does not show whether it is a post's. Such a sighting counts only for known posts.
    certain: bool = True
    addresses: tuple[str, ...] = ()  # further addresses that the list gives, such as the guid of a feed item
    lastmod: str | None = None  # as printed
    title: str | None = None
    published_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Two addresses of one post: a redirect from an old slug, or from an earlier site of the clinic."""

    addresses: tuple[str, str]  # the new one, the old one
    matched_by: str = "redirect"
    certain: bool = True  # as in `Sighting`


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """An address that answered that it does not exist: 404, 410, or a not-found page with another status."""

    url: str
    answered: str  # "404", "410", "not-found page (200)"
    certain: bool = True  # as in `Sighting`


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Facts that a page states about the whole site."""

    platform: str
    timezone: str | None = None  # IANA name
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An expected value that is missing, or an answer that cannot be used."""

    kind: str  # a short name, e.g. "missing-field", "bot-challenge", "robots-refused", "too-large"
    message: str  # one line: what happened, to what, what to do
    url: str | None = None
    field: str | None = None


@dataclass(slots=True, kw_only=True)
class Post:
    """A post as one exchange gives it. The fields are the keys of `clinic-archive parse`, in that order."""

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
    access: Access | None = None  # who may read its text; "public" only where the answer says so or gives the text
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
    sources: dict[str, Source] = field(default_factory=dict)  # field -> source of its value
    # Not printed by `parse`: needed by the store and the spider.
    addresses: tuple[str, ...] = ()  # every address of the post, canonical URL first
    author_person: str | None = field(default=None, repr=False)  # the platform's id of the author
    counters_pending: bool = False  # the page has counters, but a script fills them in
    comments_key: str | None = None  # the id of the post at the platform's comments service
    media_pending: bool = False  # galleries, videos or tables are empty elements in the page
    stated_url: str | None = None  # the address that the page states for itself, where that is another: no evidence
    counted_to: str | None = None  # of a relative date: the moment, whose day depends on the zone


Item = (
    Post
    | PostPart
    | Reading
    | Comment
    | EmbeddedThread
    | ThreadPage
    | Thread
    | Author
    | Names
    | Sighting
    | Alias
    | Gone
    | Site
    | Problem
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """All items of one capture: the unit that passes the item pipelines and is stored as a whole or not at all."""

    clinic_id: str
    capture: object  # the WARC record, an `archive.warc.Capture`; None: the problem needs a record of its own
    items: tuple[Item, ...] = field(default=(), repr=False)
    extractor_version: int = 0
    sources: tuple[Source, ...] = SOURCES  # the platform's ranking of sources, best first
    is_emptied: bool = False  # a takedown removed the whole body, so that nothing is read from it
    from_api: bool = False  # the address is an API of the platform or of a comment service
    lists_comments: bool = False  # the answer lists comments of other pages, which no parser reads
    robots_header: str | None = None  # X-Robots-Tag of the answer, as sent
    robots_meta: str | None = None  # contents of `<meta name="robots">` of the page
