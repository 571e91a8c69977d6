"""Which kind of page WordPress served: a post, a page, a list of posts, or "not found".

*Recognised by*  the API's address of the page (`rel=alternate`), the classes of the body (`body_class`) and of the
                 article (`post_class`), which core writes; themes that leave them out are judged by metas and JSON-LD.
*Caveats*        SEO plugins say `og:type` article on pages, too. A page that is filed under categories or tags and
                 calls itself an article in JSON-LD, with author and date, is read as a post: some sites write their
                 articles as pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bs4 import Tag

from scraper.platforms._dates import iso_date
from scraper.platforms.wordpress.html.head import PageHead
from scraper.platforms.wordpress.html.markup import Markup, classes

Kind = Literal["post", "entry", "page", "list", "not-found", "unknown"]

# "post-123" of an article, "postid-123" of the body
_ARTICLE_ID = re.compile(r"post-(\d{1,18})")
_BODY_ID = re.compile(r"postid-(\d{1,18})")
# "single-event", "type-event": a type that a theme or plugin adds
_SINGLE = re.compile(r"single-(?!format-|paged-|author-|cat-|\d)([a-z0-9_-]+)")
_LISTS = frozenset({"blog", "archive", "search", "category", "tag", "author", "date", "post-type-archive", "tax"})
# Types of content that are never blog posts: of shops, page builders, calendars, courses, forums, and of theme
# and clinic plugins for people and services.
_NO_POSTS = re.compile(
    r"(?:.*[_-])?(?:products?|attachment|page|template|library|landing|e-landing-page|event|events|tribe_events|course"
    r"|lesson|quiz|unit|topic|forum|reply|download|job|job_listing|listing|property|team|staff|member|doctor|physician"
    r"|provider|practitioner|therapist|service|services|treatment|procedure|condition|location|clinic|testimonial"
    r"|testimonials|review|faq|faqs|portfolio|project|gallery|popup|slide|slider|layout|block|form|docs?|knowledgebase"
    r"|profile|group|ticket|trip|room|booking|recipe_card|web-story|person|people|client|partner|sponsor)"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Kind of a page, and the id of the post it shows."""

    kind: Kind
    post_id: str | None = None
    article: Tag | None = None  # the element of `post_class`


def identify(page: Markup, head: PageHead) -> Identity:
    """Say what kind of page it is: a "post", an "entry" of another type, a "page", a "list", "not-found", "unknown"."""
    body = page.body_classes
    post_id = _body_id(body) or head.route_id or head.shortlink_id
    article = next(_articles(page, post_id), None)
    post_id = post_id or _article_id(article)
    return Identity(_kind(page, head, body, article), post_id, article)


def _kind(page: Markup, head: PageHead, body: frozenset[str], article: Tag | None) -> Kind:
    if "error404" in body:
        return "not-found"
    kind = _by_type(head, body, article)
    if kind is not None:
        return kind
    if _LISTS & body and not body & {"single", "singular"}:
        return "list"
    if body & {"home", "front-page"}:
        return "page"
    if "single" in body or "singular" in body:
        return "entry"
    articles = list(_articles(page, None))
    if len(articles) > 1 and not head.article:
        return "list"
    return "post" if _says_post(head) else "unknown"


def _by_type(head: PageHead, body: frozenset[str], article: Tag | None) -> Kind | None:
    """Return the kind by the type of content that core names; None where it names none."""
    types = {found[1] for token in body if (found := _SINGLE.fullmatch(token))} if "single" in body else set()
    own = classes(article) if article is not None else frozenset()
    if head.route == "posts" or "post" in types or (body & {"single", "singular"} and "type-post" in own):
        return "post"
    if head.route == "pages" or "page" in body or any(token.startswith("page-id-") for token in body):
        return "page"
    if "attachment" in body or (head.route and _NO_POSTS.fullmatch(head.route)):
        return "page"
    if any(_NO_POSTS.fullmatch(name) for name in types) or body & {"woocommerce", "woocommerce-page"}:
        return "page"
    if types:
        return "entry"
    return "post" if not body and "type-post" in own and _says_post(head) else None


def has_terms(article: Tag | None) -> bool:
    """Return whether the classes of `post_class` name a category or tag: "category-sleep", "tag-sleep"."""
    return article is not None and any(token.startswith(("category-", "tag-")) for token in classes(article))


def _says_post(head: PageHead) -> bool:
    """Return whether the head describes an article with its date."""
    dated = head.article.get("datePublished") or head.metas.get("article:published_time")
    return isinstance(dated, str) and iso_date(dated) is not None


def _body_id(body: frozenset[str]) -> str | None:
    return next((found[1] for token in body if (found := _BODY_ID.fullmatch(token))), None)


def _article_id(article: Tag | None) -> str | None:
    if article is None:
        return None
    found = _ARTICLE_ID.fullmatch(str(article.get("id") or ""))
    tokens = (match[1] for token in classes(article) if (match := _ARTICLE_ID.fullmatch(token)))
    return found[1] if found else next(tokens, None)


def _articles(page: Markup, post_id: str | None) -> Iterator[Tag]:
    """Yield the elements of posts: `article#post-123`, else those with the classes of `post_class`."""
    if post_id is not None:
        own = page.ids.get(f"post-{post_id}")
        if own is not None and own.name != "body":
            yield own
        yield from (tag for tag in page.with_class(f"post-{post_id}") if tag.name != "body")
        return
    for tag in page.elements("article", "div", "main", "li", "section"):
        if _article_id(tag) is not None:
            yield tag
