"""Author, labels and cover of a WordPress post, as its page prints them.

*Sources*   JSON-LD of the article, the elements that core and its themes mark (`.author`, `rel=author`, `rel=tag`,
            `.wp-post-image`), the metas. What lies in comments, widgets and other posts is never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from bs4 import Tag

from scraper.platforms._html import text_of
from scraper.platforms._images import image_source
from scraper.platforms._tree import descendants
from scraper.platforms._values import clean
from scraper.platforms.wordpress.html.head import PageHead, text
from scraper.platforms.wordpress.html.markup import classes
from scraper.platforms.wordpress.html.scope import PostScope

_NAMED = (
    "wp-block-post-author-name",
    "wp-block-post-author__name",
    "entry-author-name",
    "elementor-post-info__item--type-author",
    "author-name",
    "post-author-name",
    "tdb-author-name",
    "td-post-author-name",
    "byline-author",
    "entry-author",
    "post-author",
    "byline",
    "author",
    "author-title",
    "author-heading",
    "meta-author",
    "fn",
    "p-author",
    "posted-by",
)
MARKED = _NAMED  # elements beside the text
_INNER = frozenset({"fn", "author-name", "entry-author-name"})
# Before a name: by Anna, Written by: Anna, Von Anna
_BY = re.compile(
    r"^(?:(?:written|posted|published|words|text|story|article)\s+)?"
    r"(?:by|von|par|por|di|door|av|af|przez|автор|author|autor|auteur|autore|verfasst von)\b[\s:]*",
    re.IGNORECASE,
)
# Behind a name: Anna15,219 Comments; Anna | May 3; Anna on May 3, 2024
_AFTER_NAME = re.compile(
    r"\s*(?:[|·•–—/]|\s(?:on|am|le|el|il|op|den)\s+\S*\d|\d[\d.,]*\s*(?:comment|kommentar|views?)|(?:19|20)\d\d).*$",
    re.IGNORECASE,
)
_WRITTEN_BY = re.compile(r"written|author|verfasst|geschrieben|écrit|escrito|scritto|autor|geschreven", re.IGNORECASE)
# What links to an author's other posts say, in place of a name
_NO_NAME = re.compile(
    r"\b(?:view all|see all|(?:all|more|other) (?:posts|articles)|posts by|(?:alle|weitere) (?:beiträge|artikel)"
    r"|voir tous|tous les articles|ver tod[ao]s|tutti gli|read more|about the author|über den autor)\b"
    r"|^(?:published|posted|updated|veröffentlicht)\b",
    re.IGNORECASE,
)
# The address of an author's posts: https://a.example/author/anna/
_ACCOUNT = re.compile(r"/author/([^/?#]{1,100})/?$")
_LONGEST_NAME = 80  # characters
_OF_CATEGORIES = frozenset({"taxonomy-category", "cat-links", "entry-categories", "post-categories"})
MARKED_LABELS = (
    "wp-block-post-terms",
    "cat-links",
    "tags-links",
    "entry-categories",
    "entry-tags",
    "post-tags",
    "post-cat",
)
# The address of a category: /category/sleep/, ?cat=3
_CATEGORY = re.compile(r"[/?&](?:category(?:_name)?|cat)[/=]")


def author(scope: PostScope, head: PageHead) -> str | None:
    """Return the author's display name: of the article's JSON-LD, else as printed, else of the metas."""
    return head.author() or signed_by(scope) or _meta_author(head) or head.person(head.recipe.get("author"))


def signed_by(scope: PostScope) -> str | None:
    """Return the name that the page prints with the post."""
    return next(filter(None, map(_name, _name_elements(scope))), None)


def _name_elements(scope: PostScope) -> Iterator[Tag]:
    links = list(scope.page.elements("a"))
    for tag in links:
        if "author" in str(tag.get("rel") or "").lower().split() and scope.is_own(tag):
            yield tag
    for tag in scope.page.elements("span", "a", "div", "meta"):
        if str(tag.attrs.get("itemprop") or "").lower() == "author" and scope.is_own(tag):
            yield tag
    yield from scope.own(*_NAMED)
    for tag in links:
        if "/author/" in str(tag.get("href") or "") and scope.is_own(tag):
            yield tag


def _name(tag: Tag) -> str | None:
    printed = text_of(_name_part(tag)) or clean(str(tag.get("content") or ""))
    if printed is None or len(printed) > 2 * _LONGEST_NAME:
        return None
    found = clean(_AFTER_NAME.sub("", _BY.sub("", printed)))
    if found is None or _NO_NAME.search(found):
        return None
    return found if len(found) <= _LONGEST_NAME and not found[0].isdigit() else None


def _name_part(tag: Tag) -> Tag:
    """Return the element of the name itself inside a byline, where it has one."""
    parts = list(descendants(tag))
    name = next((part for part in parts if part.get("itemprop") == "name"), None)
    inner = next((part for part in parts if classes(part) & _INNER), None)
    links = [part for part in parts if part.name == "a" and text_of(part)]
    link = next((a for a in links if "author" in f"{a.get('href') or ''} {a.get('rel') or ''}"), None)
    if link is None and links and _BY.match(text_of(tag) or ""):
        link = links[0]
    return next((part for part in (name, inner, link) if part is not None and text_of(part)), tag)


def _meta_author(head: PageHead) -> str | None:
    named = text(head.metas.get("author"))
    if named is None and _WRITTEN_BY.search(head.metas.get("twitter:label1", "")):
        named = text(head.metas.get("twitter:data1"))
    if named is None:
        named = text(head.metas.get("dc.creator")) or text(head.metas.get("article:author"))
    return None if named is None or "://" in named or "@" in named.split()[0] else named


def account(scope: PostScope, name: str | None) -> str | None:
    """Return the account of the author of that name, as the address of the author's posts has it: /author/anna/."""
    for link in scope.page.elements("a"):
        found = _ACCOUNT.search(str(link.get("href") or ""))
        if found is not None and name is not None and _name(link) == name and scope.is_own(link):
            return unquote(found[1]).lower()
    return None


def labels(scope: PostScope, head: PageHead) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the post's categories and of its tags."""
    categories: dict[str, None] = {}
    tags: dict[str, None] = {}
    for link in scope.page.elements("a"):
        relations = str(link.get("rel") or "").lower().split()
        if "tag" in relations or "category" in relations:
            name = text_of(link)
            if name is not None and scope.is_own(link):
                (categories if _is_category(link, relations) else tags).setdefault(name.removeprefix("#"))
    if not tags:
        tags = dict.fromkeys(head.labels)
    if not categories:
        section = head.article.get("articleSection") or head.metas.get("article:section")
        # Yoast once wrote all of them in one string: "News,Sleep"
        found = map(text, section if isinstance(section, list) else str(section or "").split(","))
        categories = dict.fromkeys(name for name in found if name is not None)
    return tuple(categories), tuple(tags)


def _is_category(link: Tag, relations: list[str]) -> bool:
    if "category" in relations or _CATEGORY.search(str(link.get("href") or "")):
        return True
    return any(classes(parent) & _OF_CATEGORIES for parent in link.parents)


def cover(scope: PostScope, head: PageHead) -> str | None:
    """Return the address of the featured picture, as written; the head's where the page marks none."""
    for tag in scope.page.with_class("wp-post-image", "wp-block-post-featured-image", "post-thumbnail"):
        image = tag if tag.name == "img" else next(descendants(tag, "img"), None)
        if image is not None and image_source(image) is not None and _is_cover(scope, image):
            return image_source(image)
    return text(head.metas.get("og:image"))


def _is_cover(scope: PostScope, image: Tag) -> bool:
    """Return whether a featured picture is the post's own: those of other posts link to them."""
    return scope.is_own(image) and not any(parent.name == "a" for parent in image.parents)
