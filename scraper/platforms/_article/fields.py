"""Title, author, labels and cover of an article's page; dates are read by `dates`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from lxml.html import HtmlElement

from scraper.addresses import is_web_address
from scraper.platforms._article.dom import Tree, around, classes_of, length_of, text_of
from scraper.platforms._article.ld import LinkedData
from scraper.platforms._body import resolver
from scraper.platforms._html import names_avatar
from scraper.platforms._values import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Where the pages of a platform print a field: CSS selectors, the best first. Where none is, by its form."""

    title: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    body: tuple[str, ...] = ()  # containers of the text
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()  # parts of the page that are none of the article's: comments, widgets
    every_body: bool = False  # the text lies in several containers: all are read


@dataclass(slots=True, kw_only=True)
class HeadFields:
    """What a page says of itself in its head."""

    metas: dict[str, str] = field(default_factory=dict)  # property, itemprop or name in lower case -> content
    labels: list[str] = field(default_factory=list)  # every `article:tag`
    language: str | None = None
    canonical: str | None = None
    title: str | None = None  # `<title>`


def read_head(tree: Tree) -> HeadFields:
    """Read the metas, title, language and canonical link of a page."""
    head = HeadFields(language=clean(tree.root.get("lang") or ""))
    for tag in tree.root.iter("meta", "title", "link"):
        if tag.tag == "title":
            head.title = head.title or text_of(tag)
        elif tag.tag == "link":
            if "canonical" in (tag.get("rel") or "").lower().split():
                head.canonical = head.canonical or clean(tag.get("href") or "")
        else:
            name = (tag.get("property") or tag.get("name") or tag.get("itemprop") or "").strip().lower()
            content = tag.get("content") or ""
            if name and content.strip():
                head.metas.setdefault(name, content)
                label = clean(content) if name == "article:tag" else None
                if label:
                    head.labels.append(label)
    return head


# --- title

_HEADINGS = ("h1", "h2", "h3")
_MAX_ELEMENTS = 300  # headings, and elements of a header, that are looked at
_LIKE = 0.6  # share of words that a heading has in common with the title that the head states


def title_of(tree: Tree, head: HeadFields, ld: LinkedData, shape: Shape) -> tuple[str | None, HtmlElement | None]:
    """Return the visible heading of the article and its element; the stated title where no heading is like it."""
    stated = [text for text in (ld.string("headline"), head.metas.get("og:title"), head.title) if text]
    for element in tree.all(*shape.title):
        if text := text_of(element):
            return text, element
    site = clean(head.metas.get("og:site_name") or "")
    best: tuple[float, HtmlElement | None, str | None] = (0.0, None, None)
    first: tuple[str | None, HtmlElement | None] = (None, None)
    for element in islice(tree.root.iter(*_HEADINGS), _MAX_ELEMENTS):
        text = text_of(element)
        if not text or _is_aside(element):
            continue
        likeness = max((_likeness(text, other) for other in stated), default=0.0)
        likeness += {"h1": 0.2, "h2": 0.05}.get(str(element.tag), 0.0)
        if likeness > best[0]:
            best = (likeness, element, text)
        if element.tag == "h1" and first[0] is None and text != site:
            first = text, element
    if best[0] >= _LIKE + (0.2 if best[1] is not None and best[1].tag == "h1" else 0.0):
        return best[2], best[1]
    if first[1] is not None:
        return first
    text = clean(stated[0]) if stated else None
    return _without_site(text, site), None


def _likeness(text: str, stated: str) -> float:
    """Return the share of words that two titles have in common, of the longer heading or the shorter statement."""
    mine, theirs = set(re.findall(r"\w+", text.casefold())), set(re.findall(r"\w+", stated.casefold()))
    if not mine or not theirs:
        return 0.0
    return len(mine & theirs) / max(len(mine), min(len(theirs), len(mine) * 2, 6 if len(mine) > 3 else len(theirs)))


def _without_site(title: str | None, site: str | None) -> str | None:
    """Return "Sleep well" for "Sleep well - Fern Clinic" where the site is called "Fern Clinic"."""
    if title and site and title.endswith(site) and len(title) > len(site):
        return clean(title.removesuffix(site).rstrip(" -–—|·:")) or title
    return title


# Parts of a page that are not the article: header and footer of the site, side columns, dialogues, other posts.
_ASIDE = re.compile(
    r"[\s_-](?:related|sidebar|widget|widgets|modal|popup|subscribe|newsletter|recent-posts?|popular|cookie|menu|comments?"
    r"|comment-list|recommended|read-next|next-post|prev-post|more-posts)[\s_-]"
)


_ENTRY = re.compile(r"\s(?:hentry|h-entry)\s")


def _is_aside(element: HtmlElement) -> bool:
    for outer in (element, *around(element)):
        if outer.tag in ("body", "html", "article", "main") or _ENTRY.search(classes_of(outer)):
            return False
        if outer.tag in ("nav", "aside", "footer", "dialog") or _ASIDE.search(classes_of(outer)):
            return True
    return False


# --- the article's own header

_LONG = 200  # characters of a paragraph that is text of the article
_NEAR = 6  # ancestors of the title whose elements are taken for the article's header


class ArticleScope:
    """The article of a page: what lies around its title, without the text, the comments and other posts."""

    def __init__(self, tree: Tree, title: HtmlElement | None, body: Iterable[HtmlElement]) -> None:
        """`body`: the containers of the text, as far as they are known."""
        self._tree, self._body = tree, set(body)
        self.element = self._around(title)
        self._before_text = set() if self._body else self._before(title)

    def _around(self, title: HtmlElement | None) -> HtmlElement:
        bodies = list(self._body)
        if title is None:
            anchor = bodies[0] if bodies else self._tree.root
            return next((outer for outer in around(anchor) if outer.tag in ("article", "main")), self._tree.root)
        fallback = title
        for depth, outer in enumerate(around(title)):
            if outer.tag == "html":
                break
            fallback = outer
            holds = any(outer in around(body) for body in bodies)
            if outer.tag == "article" or holds or (not bodies and depth >= _NEAR):
                return outer
        return self._tree.root if bodies else fallback

    def _before(self, title: HtmlElement | None) -> set[HtmlElement]:
        """Return the elements up to the first long paragraph after the title, where no container holds the text."""
        found, is_behind = set[HtmlElement](), title is None
        for element in self.element.iter():
            is_behind = is_behind or element is title
            if is_behind and element.tag == "p" and length_of(element) >= _LONG:
                break
            found.add(element)
        return found

    def candidates(self, selectors: tuple[str, ...]) -> Iterator[HtmlElement]:
        """Yield the elements of the article's header or footer that match, those near the title first."""
        for element in self._tree.within(self.element, *selectors)[:_MAX_ELEMENTS]:
            if (self._body or element in self._before_text) and not self._is_foreign(element):
                yield element

    def _is_foreign(self, element: HtmlElement) -> bool:
        for outer in (element, *around(element)):
            if outer is self.element:
                return False
            if outer in self._body:
                return True
            if outer.tag == "footer" and self.element.tag in ("body", "html"):
                return True
            if outer.tag in ("nav", "aside", "blockquote") or _ASIDE.search(classes_of(outer)):
                return True
            if "h-cite" in classes_of(outer) or (outer.tag == "article" and not self._holds_body(outer)):
                return True  # a card of another post, a quotation
        return False

    def _holds_body(self, element: HtmlElement) -> bool:
        return any(element in around(body) for body in self._body)


# --- author

_AUTHORS = (
    '[itemprop~="author"] [itemprop~="name"]',
    '[itemprop~="author"]',
    ".p-author .p-name",
    ".p-author",
    '[rel~="author"]',
    ".author-name",
    ".author_name",
    ".byline .author",
    ".entry-author",
    ".post-author",
    ".blog-author",
    ".article-author",
    ".author .fn",
    ".vcard .fn",
    ".byline",
    ".author",
    '[class*="author-name"]',
    '[class*="author"][class*="name"]',
    '[class*="author"] [class$="name"]',
    '[class*="author"] a[href*="author"]',
    '[class*="author"] a[href*="user"]',
    '[class*="author"] a[href*="profile"]',
    'a[href*="/author/"]',
    'a[href*="/authors/"]',
)
# The words before a name: By Ann Lee; Written by: Ann Lee; Posted by Ann Lee; von Ann Lee
_BY = re.compile(
    r"^(?:(?:written|posted|published|authored|reviewed|article|words|story|blog|post|author|autor)\s*)?"
    r"(?:\b(?:by|von|por|par|door|av|di|de)\b|:)\s*:?\s*",
    re.IGNORECASE,
)
# " on May 3, 2024", " | 3 min read", " • May 3"
_BEHIND = re.compile(
    r"\s*(?:\s(?:on|in|am|at|le|el)\s+(?=\w+ ?\d|\d|\w+day)|\s-\s+(?=\w+\.?\s?\d)|[|•·—–,]\s*(?=\w*\.?\s?\d)|\s\d).*$"
)
_LONGEST_NAME = 60
# "By Ann Lee", the whole text of an element
_PRINTED_BY = re.compile(r"^(?:written |posted |published )?by:?\s+(?P<name>\S.{1,58})$", re.IGNORECASE)


def author_of(
    tree: Tree, scope: ArticleScope, head: HeadFields, ld: LinkedData, shape: Shape
) -> tuple[str | None, bool]:
    """Return the name of the author, and whether the article itself names it (not only a meta of the page)."""
    for element in tree.all(*shape.author):
        if name := name_in(text_of(element)):
            return name, True
    names = ld.names("author")
    if names:
        return ", ".join(names), True
    for element in scope.candidates(_AUTHORS):
        if name := name_in(element.get("content") or text_of(element)):
            return name, True
    for element in scope.candidates(("p", "span", "div", "li", "small", "em", "strong", "h4", "h5", "h6", "a")):
        found = _PRINTED_BY.match(text_of(element) or "") if len(element) < 4 else None
        if found and (name := name_in(found["name"])) and not name[0].islower():
            return name, True
    meta = head.metas.get("article:author") or head.metas.get("author") or head.metas.get("twitter:data1") or ""
    name = name_in(meta) if not re.search(r"https?://|\d", meta) else None
    return name, False


def name_in(text: str | None) -> str | None:
    """Return the name of a byline without the words around it; None where it is too long for one."""
    name = clean(_BEHIND.sub("", _BY.sub("", text or ""))) if text else None
    name = clean(name.strip(" ,|•·-–—:")) if name else None
    if (
        name is None
        or name[0].isdigit()
        or len(name) > _LONGEST_NAME
        or not re.search(r"[^\W\d_]{2}", name)
        or "@" in name
    ):
        return None
    return name


# --- labels and pictures


def labels(tree: Tree, selectors: tuple[str, ...]) -> tuple[str, ...]:
    """Return the texts of labels, each once, without the words and signs around them."""
    texts = (clean((text_of(element) or "").strip(" ,#|")) for element in tree.all(*selectors))
    return tuple(dict.fromkeys(text for text in texts if text and len(text) <= 80))


def cover_of(head: HeadFields, ld: LinkedData, url: str) -> str | None:
    """Return the absolute address of the cover picture that the head states."""
    found = head.metas.get("og:image") or head.metas.get("twitter:image") or ld.string("image", "url")
    found = clean(found or ld.string("image"))
    absolute = resolver(url)(found) if found else ""
    return absolute if is_web_address(absolute) and not names_avatar(absolute) else None
