"""A page of a WordPress site -> the post with its comments and counters, or the posts that it lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from bs4 import Tag

from scraper.addresses import canonical_url, post_key, same_site
from scraper.items import PARTIAL_TEXT, Author, Comment, Exchange, Item, Post, PostPart, Problem, Site
from scraper.not_a_post import NotAPost, NotFoundPage
from scraper.platforms._body import Body, resolver
from scraper.platforms._tree import descendants
from scraper.platforms.wordpress.body import containers, own_text, read_nodes
from scraper.platforms.wordpress.html import byline, dates
from scraper.platforms.wordpress.html import head as heads
from scraper.platforms.wordpress.html.comments.comment import read_comments
from scraper.platforms.wordpress.html.comments.nodes import comment_nodes, holds_post, parts_of
from scraper.platforms.wordpress.html.comments.pages import is_comment_page, post_address, thread_page
from scraper.platforms.wordpress.html.counters import read_counters
from scraper.platforms.wordpress.html.kind import Identity, has_terms, identify
from scraper.platforms.wordpress.html.listing import sightings
from scraper.platforms.wordpress.html.main_text import main_text
from scraper.platforms.wordpress.html.markup import Markup, identities, is_inside
from scraper.platforms.wordpress.html.scope import PostScope
from scraper.platforms.wordpress.html.title import heading_of, without_protection
from scraper.platforms.wordpress.parts import first_address, number_of, part_of

PLATFORM = "wordpress"
# Types of JSON-LD that only posts have; SEO plugins call pages "Article", too.
_OF_BLOG = re.compile("BlogPosting|NewsArticle")
_LONGEST_LINE = 40  # words of what themes print around the heading
_PROMISED = {"title": "title", "published_at": "date of publication"}


def read_page(exchange: Exchange) -> Iterator[Item]:
    """Read any HTML page of a WordPress site.

    A post's page gives its `Post`, `Comment`s, a `ThreadPage` where all its comments are on it or on pages it links to,
    a `Site`, and a `Problem` for a missing title or date. A page of comments (`/comment-page-2/`) gives comments alone.
    A list gives a `Sighting` for each post. Raises `NotFoundPage`, and `NotAPost` for any other page.
    """
    page = Markup(exchange)
    head = heads.read(page, exchange.url)
    identity = identify(page, head)
    if identity.kind == "not-found":
        raise NotFoundPage("the site's page for addresses that do not exist")
    reader = _PostReader(exchange, page, head, identity)
    if identity.kind == "list":
        yield from sightings(page, exchange.url)
    elif not reader.is_post():
        yield from sightings(page, exchange.url)
        if urlsplit(exchange.url).path.strip("/"):
            raise NotAPost("a page of the site, not a post")
    else:
        yield from reader.items()
    yield Site(platform=PLATFORM, language=head.language)
    yield from head.problems


class _PostReader:
    """Reads the page of one post."""

    def __init__(self, exchange: Exchange, page: Markup, head: heads.PageHead, identity: Identity) -> None:
        self.exchange = exchange
        self.page = page
        self.head = head
        self.identity = identity
        self.nodes = comment_nodes(page)
        self.others = [*(node.tag for node in self.nodes), *_comment_areas(page, parts_of(self.nodes))]
        self.area = _area(page, identity, self.others)
        heading, self.title = heading_of(page, head, self.others)
        self.heading = heading
        self.scope = PostScope(page, self.area, heading, self.others)
        self.number = number_of(page)
        self.url = first_address(post_address(exchange.url), self.number)

    def is_post(self) -> bool:
        """Return whether the page is a post: by its type, else by a date and an author that it names.

        WordPress's type for pages has no categories and tags. A site that files a page under them, and calls it an
        article with author and date, has it among its posts; SEO plugins say the latter of pages for services, too.
        """
        kind, article = self.identity.kind, self.head.article
        if kind == "post":
            return True
        if kind == "entry":
            return self._published().at is not None and byline.author(self.scope, self.head) is not None
        if kind != "page" or not has_terms(self.identity.article):
            return False
        if self.head.person(article.get("author")) is None or not article.get("datePublished"):
            return False
        return _OF_BLOG.search(str(article.get("@type"))) is not None or byline.signed_by(self.scope) is not None

    def _published(self) -> dates.Dated:
        return dates.published(self.scope, self.head, self.exchange.fetched_at)

    def items(self) -> Iterator[Item]:
        """Yield the post, its comments and which page of the thread this is."""
        post = self._post()
        addresses = post.addresses[::-1] if self.identity.post_id else post.addresses
        thread = thread_page(self.page, self.exchange, self.nodes, addresses, post.comments_count)
        if not is_comment_page(self.exchange.url):
            part = part_of(self.page, post, self.exchange.url)
            if self.number == 1:
                yield post if part is None else _as_part(post)
                yield from self._missing(post, part)
            if part is not None:
                yield part
        comments = list(read_comments(self.nodes, addresses, self.exchange, self.head.language))
        yield from self._author(post, comments)
        yield from comments
        if thread is not None:
            yield thread

    def _author(self, post: Post, comments: list[Comment]) -> Iterator[Author]:
        """Yield the post's author with the account that comments name, so that its comments are the clinic's."""
        accounts = {post.author_person} if post.author_person is not None else set()
        accounts |= {comment.person for comment in comments if comment.author_kind == "staff" and comment.person}
        for person in sorted(accounts):
            if post.author is not None and person.startswith("account:"):
                yield Author(name=post.author, person=person)

    def _post(self) -> Post:
        post = Post(platform=PLATFORM, platform_post_id=self.identity.post_id, url=self.url)
        post.addresses = (self.url, *([f"{PLATFORM}:{post.platform_post_id}"] if post.platform_post_id else []))
        post.slug = unquote(urlsplit(self.url).path.rpartition("/")[2]) or None
        post.stated_url = self._stated_url()
        locked = _has_password_form(self.page, self.area)
        post.title = without_protection(self.title) if locked else self.title
        post.author = byline.author(self.scope, self.head)
        account = byline.account(self.scope, post.author)
        post.author_person = f"account:{account}" if account is not None else None
        published = self._published()
        post.published_at, post.published_raw, post.counted_to = published.at, published.raw, published.counted_to
        post.modified_at = dates.modified(self.scope, self.head, self.exchange.fetched_at)
        post.language = self.head.language
        post.categories, post.tags = byline.labels(self.scope, self.head)
        post.cover_image_url = self._absolute(byline.cover(self.scope, self.head))
        counters = read_counters(self.page, self.scope, self.head, self.nodes, post.platform_post_id, self.exchange.url)
        for name in ("views", "views_raw", "likes", "likes_raw", "comments_count", "comments_count_raw"):
            setattr(post, name, getattr(counters, name))
        if locked:
            post.access = "password"
        else:
            self._read_text(post)
        post.sources = {name: "html" for name in _FIELDS if getattr(post, name) not in (None, ())}
        if published.is_relative:
            post.sources |= {"published_at": "relative", "published_raw": "relative"}
        return post

    def _read_text(self, post: Post) -> None:
        body = self._body()
        post.body_html, post.body_text, post.links, post.images = body.html, body.text, body.links, body.images
        post.word_count = len((body.text or "").split()) or None
        post.access = "public" if body.text else None

    def _body(self) -> Body:
        found = containers(self.page, self.area, self.others, self.identity.post_id)
        marked = (*dates.MARKED, *byline.MARKED, *byline.MARKED_LABELS)
        lines = [tag for tag in self.scope.own(*marked) if len(tag.get_text(" ").split()) <= _LONGEST_LINE]
        beside = [*([self.heading] if self.heading is not None else []), *lines]
        if not found:
            return main_text(self.page, self.area, [*self.others, *beside], self.exchange.url)
        for tag in found:
            if self.heading is not None and is_inside(self.heading, identities([tag])):  # a container of the whole post
                for part in beside:
                    if is_inside(part, identities([tag])) and part is not tag:
                        part.extract()
        return read_nodes([own_text(tag) for tag in found], self.exchange.url)

    def _absolute(self, address: str | None) -> str | None:
        return resolver(self.exchange.url)(address) if address else None

    def _stated_url(self) -> str | None:
        stated = canonical_url(self.head.canonical, self.exchange.url) if self.head.canonical else None
        return stated if stated and post_key(stated) != post_key(self.url) and same_site(stated, self.url) else None

    def _missing(self, post: Post, part: PostPart | None) -> Iterator[Problem]:
        for name, words in _PROMISED.items():
            if getattr(post, name) is None:
                message = f"{self.url}: the page prints no {words}, which posts of WordPress have; look at the capture"
                yield Problem(kind="missing-field", message=message, url=self.exchange.url, field=name)
        if part is not None:
            message = f"{self.url}: the post has {part.last} pages, not all of which were read; its text is the first"
            yield Problem(kind=PARTIAL_TEXT, message=message, url=self.exchange.url, field="body_text")


def _as_part(post: Post) -> Post:
    """Return the first page of a post of several as the weakest source of its text: all pages together are better."""
    texts = ("body_html", "body_text", "word_count", "links", "images")
    return replace(post, sources={**post.sources, **{name: "text" for name in texts if name in post.sources}})


_FIELDS = (
    "title",
    "author",
    "published_at",
    "modified_at",
    "published_raw",
    "language",
    "access",
    "cover_image_url",
    "body_html",
    "body_text",
    "word_count",
    "categories",
    "tags",
    "links",
    "images",
    "views",
    "views_raw",
    "likes",
    "likes_raw",
    "comments_count",
    "comments_count_raw",
)


def _comment_areas(page: Markup, inside: set[int]) -> list[Tag]:
    """Return the elements that hold comments, forms for them, and embedded comment services."""
    named = [page.ids[name] for name in ("comments", "respond", "disqus_thread", "wpdcom") if name in page.ids]
    marked = page.with_class(
        "comments-area", "comment-respond", "commentlist", "comment-list", "entry-comments", "fb-comments"
    )
    return [tag for tag in (*named, *marked) if not holds_post(tag, inside)]


def _area(page: Markup, identity: Identity, others: list[Tag]) -> Tag:
    """Return the element around the post: its article, the only article, the main element, else the body."""
    if identity.article is not None and _has_paragraphs(identity.article):
        return identity.article
    articles = [
        tag for tag in page.elements("article") if not any(tag is other or other in tag.parents for other in others)
    ]
    mains = [
        *page.elements("main"),
        *filter(None, (page.ids.get(name) for name in ("main", "content", "primary", "main-content"))),
    ]
    lone = articles if len(articles) == 1 else []
    candidates = [tag for tag in (*mains, *lone) if _has_paragraphs(tag)]
    return candidates[0] if candidates else next(page.elements("body"), page.tree)


def _has_paragraphs(tag: Tag) -> bool:
    return next(descendants(tag, "p"), None) is not None


def _has_password_form(page: Markup, area: Tag) -> bool:
    """Return whether the post shows the form for its password, `post_password_form` of core."""
    forms = [tag for tag in page.elements("form") if "action=postpass" in str(tag.get("action") or "")]
    return bool(forms) or any(tag.name == "form" for tag in page.with_class("post-password-form"))
