"""The text of an article: its container where the page names one, else what trafilatura finds.

Comments, forms and widgets are taken out of the page first, so that neither readers' words nor other posts become text
of the post.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterable
from copy import deepcopy
from urllib.parse import urljoin

from lxml.html import HtmlElement

from scraper.addresses import is_web_address
from scraper.platforms._article.dom import Tree, around, classes_of, drop, length_of, nodes_of, text_of
from scraper.platforms._article.fields import Shape
from scraper.platforms._body import Body, read_body

logger = logging.getLogger("trafilatura")

# Containers of a post's text: microformats, microdata, and names that themes of many makers share.
CONTAINERS = (
    '[itemprop~="articleBody"]',
    ".e-content",
    '[property~="schema:articleBody"]',
    ".entry-content",
    ".post-content",
    ".post-body",
    ".article-body",
    ".article-content",
    ".blog-post-content",
    ".blog-content",
    ".post__content",
    ".article__content",
    ".article__body",
    ".post-entry",
    ".blog-post-body",
    ".rte",
    ".w-richtext",
)
_EXACT = CONTAINERS[:5]  # containers of nothing else, however short
# Readers' comments, forms for them, and what embeds a comment service.
COMMENTS = (
    "#comments",
    "#respond",
    "#disqus_thread",
    "#isso-thread",
    "#remark42",
    "#commento",
    "#hyvor-talk-view",
    "#comment-form",
    ".comments-area",
    ".comment-respond",
    ".fb-comments",
    ".giscus",
    ".utterances",
    "#fastcomments-widget",
    '[itemtype$="/Comment"]',
    '[itemprop~="comment"]',
    '[typeof~="schema:Comment"]',
    ".h-cite.p-comment",
    "section.comments",
    "div.comments",
    "ol.commentlist",
    "ul.commentlist",
    ".comment-list",
    ".wpd-comment",
    "hyvor-talk-comments",
)
# What belongs to the page and not to the text.
WIDGETS = (
    "nav",
    "form",
    "button",
    "input",
    ".sharedaddy",
    ".addtoany_share_save_container",
    ".addthis_toolbox",
    ".a2a_kit",
    ".share-buttons",
    ".social-share",
    ".share-links",
    ".sharing",
    ".post-share",
    ".jp-relatedposts",
    ".yarpp-related",
    ".related-posts",
    ".related",
    ".author-box",
    ".author-bio",
    ".post-navigation",
    ".nav-links",
    ".tags-links",
    ".breadcrumbs",
    ".breadcrumb",
    ".newsletter-signup",
    ".subscription-widget-wrap",
    '[aria-hidden="true"][role="dialog"]',
)
_SHORTEST = 140  # characters of a text: a container with less is the place of something else
_MAX_CONTAINERS = 200  # containers of one kind that are looked at
# Of a page that trafilatura is given, whose time grows with the square of their number: a minute for 130,000.
MAX_ELEMENTS = 20_000
_SENTENCE = 80  # characters of a paragraph that is a sentence or more
_MANY_TIMES, _LITTLE = 3, 1_000  # text of a page beside a short container
_SHARED = re.compile(r"[\s_-](?:share|sharing|social|related)[\s_-]")


def bodies_of(tree: Tree, shape: Shape) -> list[HtmlElement]:
    """Return the containers of the text, the outermost ones; none where the page names none with a text in it.

    A container with little text counts only where the page holds little text beside it.
    """
    selectors = shape.body or CONTAINERS
    for selector in selectors:
        if found := _filled(tree, selector, shape, _SHORTEST):
            return found
    for selector in shape.body or _EXACT:
        found = _filled(tree, selector, shape, 1)
        if len(found) == 1 and _paragraphs(tree) <= max(_MANY_TIMES * length_of(found[0]), _LITTLE):
            return found
    return []


def _filled(tree: Tree, selector: str, shape: Shape, least: int) -> list[HtmlElement]:
    """Return the outermost elements that match and have at least that many characters: the longest, or all of them."""
    found = [element for element in tree.all(selector)[:_MAX_CONTAINERS] if not _is_card(element)]
    members = set(found)
    outermost = [element for element in found if members.isdisjoint(around(element))]
    enough = [element for element in outermost if length_of(element) >= least]
    if not enough or shape.every_body:
        return enough
    longest = max(enough, key=length_of)
    # Several of one length are cards of a list, or parts of one text: trafilatura tells them apart.
    is_main = shape.body or length_of(longest) * 2 > sum(map(length_of, enough))
    return [longest] if is_main else []


def _paragraphs(tree: Tree) -> int:
    """Return the number of characters of the page's longer paragraphs."""
    lengths = (length_of(paragraph) for paragraph in tree.root.iter("p"))
    return sum(length for length in lengths if length >= _SENTENCE)


def _is_card(element: HtmlElement) -> bool:
    return any(
        outer.tag in ("aside", "nav", "footer") or _SHARED.search(classes_of(outer)) for outer in around(element)
    )


def without_comments(tree: Tree, shape: Shape) -> None:
    """Take comments and the forms for them out of the page."""
    for element in tree.all(*COMMENTS):
        if element.tag not in ("body", "html", "main", "article") and element.find(".//h1") is None:
            drop(element)
    for element in tree.all(*shape.drop):
        drop(element)


def body_of(tree: Tree, bodies: list[HtmlElement], around_text: Iterable[str | None], area: HtmlElement) -> Body:
    """Return the body of the containers; of a page without any, what trafilatura takes for its main text.

    `area`: the element around the article: a short text is all of it, where trafilatura finds none.

    `around_text`: title, byline and date as they are printed, which are no part of it.
    """

    def resolve(link: str) -> str:
        try:
            absolute = urljoin(tree.url, link.strip())
        except ValueError:  # "http://["
            return link
        return absolute if is_web_address(absolute) else link

    beside = {text for text in around_text if text}
    found = [] if bodies else _by_trafilatura(tree, beside)
    if not found:
        found = [_cleaned(tree, element, set() if bodies else beside) for element in bodies or [area]]
    return read_body(nodes_of(found), resolve)


_PRINTED = ("h1", "h2", "h3", "p", "span", "div", "time", "small")


def _cleaned(tree: Tree, element: HtmlElement, around_text: set[str]) -> HtmlElement:
    """Return a copy without widgets, and without the elements that print nothing but one of these texts."""
    copy = deepcopy(element)
    for widget in tree.within(copy, *WIDGETS):
        if widget is not copy:
            drop(widget)
    for printed in list(copy.iter(*_PRINTED)) if around_text else ():
        if len(printed) < 4 and text_of(printed) in around_text:
            drop(printed)
    return copy


def _by_trafilatura(tree: Tree, around_text: set[str]) -> list[HtmlElement]:
    import lxml.html  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its module for downloads, which is not used, misses an optional package
        from trafilatura import extract  # noqa: PLC0415  slow to load, and needed only by pages without a container

    page = _cleaned(tree, tree.root, around_text)
    if sum(1 for _ in page.iter()) > MAX_ELEMENTS:
        return []
    try:
        html = extract(
            page,
            output_format="html",
            include_comments=False,
            include_tables=True,
            include_links=True,
            include_images=True,
            include_formatting=True,
            with_metadata=False,
            url=tree.url,
        )
    except Exception:  # the library is given pages of any shape
        logger.exception("%s: trafilatura failed", tree.url)
        return []
    if not html:
        return []
    found = lxml.html.document_fromstring(html)
    body = found.find("body")
    return [body if body is not None else found]
