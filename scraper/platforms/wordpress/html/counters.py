"""Numbers of views, likes and comments that a WordPress page prints of its own post.

*Sources*   Views: Post Views Counter, SS88, the views of themes, "37 views" as a line of the text (WP-PostViews).
            Likes: WP ULike, buttons of themes. Comments: the heading of the comments, the link to them, JSON-LD.
            0 comments: also the empty area of core with the form for the first one.
*Caveats*   Lists of popular posts, cards of other posts and statistics of the site print numbers of others. Core has no
            views and no likes. JSON-LD and "0 comments" say nothing while another service holds the comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bs4 import Tag

from scraper.addresses import canonical_url, post_key
from scraper.platforms._html import text_of
from scraper.platforms._tree import descendants
from scraper.platforms._values import clean, count, counter_kind
from scraper.platforms.wordpress.html.comments.nodes import Node, holds_post, parts_of
from scraper.platforms.wordpress.html.comments.pages import is_comment_page, post_address, shows_empty_thread
from scraper.platforms.wordpress.html.head import PageHead
from scraper.platforms.wordpress.html.interactions import stated
from scraper.platforms.wordpress.html.markup import Markup, classes
from scraper.platforms.wordpress.html.printed import is_counter, is_view_line, number_of_comments
from scraper.platforms.wordpress.html.scope import PostScope


@dataclass(slots=True)
class Counters:
    """Numbers of one post; None where the page does not say."""

    views: int | None = None
    views_raw: str | None = None
    likes: int | None = None
    likes_raw: str | None = None
    comments_count: int | None = None
    comments_count_raw: str | None = None


# "post-views-count", "td-nr-views-473", "entry-views", "ss88viewstxt", "eltdf-post-info-count" (themes of the Elated
# and Mikado family print views there); not "reviews"
_VIEWS = re.compile(
    r"(?:[a-z0-9]+[-_])*(?:ss88|post|page|entry)?views?(?:txt)?(?:[-_]?(?:count(?:er)?|number|num|nr|total|\d+))*"
    r"|[a-z]+-post-info-count"
)
# The icon of an eye: "fa-eye", "icon-eye", "dashicons-visibility", "td-icon-views"
_EYE = re.compile(r"(?:[a-z0-9]+[-_])+(?:eye|visibility|views?)(?:\d|[-_](?:open|solid|regular|icon))?|eye[-_]icon")
# "post-12"
_POST_ID = re.compile(r"post-(\d{1,18})")
# "zilla-likes", "post-like", "like-count", "eltdf-like"
_LIKES = re.compile(r"(?:[a-z0-9]+[-_])*(?:likes?|loves?)(?:[-_](?:count(?:er)?|number|num|total|btn|button))*")
_NO_LIKES = re.compile(r"facebook|fb-|share|page-like|also-like|comment|login|dislike")
_PRINTED_IN = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "a", "div", "span", "p", "li", "strong", "small"})
# Elements inside sentences, headings and links, in which "12 views" is no counter.
_IN_PROSE = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "a", "b", "strong", "em", "i", "u", "mark", "option"})
_MAX_PARTS = 12  # strings and elements of what prints a number of comments
_LONGEST = 120  # characters of a printed counter, with the title of the post that some themes add
_AREAS = (
    "comments-area",
    "wp-block-comments",
    "wp-block-comments-query-loop",
    "wp-block-post-comments",
    "entry-comments",
    "post-comments",
    "comments-wrapper",
    "comments",
    "comment-list",
    "commentlist",
    "wpd-thread-head",
)


def read_counters(
    page: Markup, scope: PostScope, head: PageHead, nodes: list[Node], post_id: str | None, url: str
) -> Counters:
    """Read the counters of the post. `url`: the address of the page, `nodes`: its comments."""
    machine = stated(scope, head)
    found = Counters()
    found.views_raw = _views(page, scope, post_id) or machine.get("views")
    found.views = count(found.views_raw)
    found.likes_raw = _likes(page, scope, post_id) or machine.get("likes")
    found.likes = count(found.likes_raw.lstrip("+")) if found.likes_raw else None
    found.comments_count_raw, number = _comments(page, scope, nodes, url)
    if number is None and "comments" in machine:  # a 0 of JSON-LD only says that WordPress has none
        found.comments_count_raw, number = machine["comments"], count(machine["comments"]) or None
    if number is None and not nodes and not is_comment_page(url) and shows_empty_thread(page):
        number = 0
    found.comments_count = number
    return found


# --- views and likes


def _views(page: Markup, scope: PostScope, post_id: str | None) -> str | None:
    """Return the number of views as printed in the post's own area."""
    plugins = page.with_class("post-views-count", f"td-nr-views-{post_id}")
    themes = (tag for token, tags in page.classed.items() if _VIEWS.fullmatch(token) for tag in tags)
    for tag in (*plugins, *themes, *_beside_eyes(page)):
        printed = text_of(tag)
        if not printed or not is_counter(printed, "views") or not scope.is_own(tag):
            continue
        if not _is_of_other(tag, post_id) and not scope.is_in_card(tag):
            return printed
    return next(_view_lines(scope), None)


def _is_of_other(tag: Tag, post_id: str | None) -> bool:
    """Return whether Post Views Counter says that the number is another post's: "post-views content-post post-12"."""
    around = [tokens for tokens in map(classes, (tag, *tag.parents)) if "post-views" in tokens]
    named = [found[1] for token in (around[0] if around else ()) if (found := _POST_ID.fullmatch(token))]
    return bool(named) and post_id is not None and post_id not in named


def _beside_eyes(page: Markup) -> Iterator[Tag]:
    """Yield elements that hold the icon of an eye and nothing but a number beside it."""
    for token, tags in page.classed.items():
        if _EYE.fullmatch(token):
            yield from (tag.parent for tag in tags if tag.parent is not None and not text_of(tag))


def _view_lines(scope: PostScope) -> Iterator[str]:
    """Yield texts of the post that say nothing but a number of views: "37 views", "Views: 1,693"."""
    for string, parent in scope.short_strings(40):
        if counter_kind(string) != "views" or parent.name in _IN_PROSE:
            continue
        line = clean(string) if any(map(str.isdigit, string)) else _short_text(parent)
        if line and is_view_line(line) and scope.is_own(parent) and not scope.is_in_card(parent):
            yield line


def _likes(page: Markup, scope: PostScope, post_id: str | None) -> str | None:
    for tag in _ulike(page, scope, post_id):
        return clean(str(tag.get("data-ulike-counter-value")))
    for token, tags in page.classed.items():
        if _LIKES.fullmatch(token) is None or _NO_LIKES.search(token) is not None:
            continue
        for tag in tags:
            printed = text_of(tag)
            if printed and is_counter(printed, "likes") and scope.is_own(tag) and not scope.is_in_card(tag):
                return printed
    return None


def _ulike(page: Markup, scope: PostScope, post_id: str | None) -> Iterator[Tag]:
    """Yield the counters of WP ULike that belong to this post: their button names kind and id."""
    for box in page.with_class("wpulike"):
        buttons = [tag for tag in descendants(box) if tag.get("data-ulike-type") is not None]
        kinds = {str(tag.get("data-ulike-type")) for tag in buttons}
        ids = {str(tag.get("data-ulike-id")) for tag in buttons if tag.get("data-ulike-id")}
        if (kinds and kinds != {"post"}) or (ids and post_id is not None and ids != {post_id}):
            continue
        if scope.is_own(box):
            yield from (tag for tag in descendants(box) if tag.get("data-ulike-counter-value") is not None)


# --- comments


def _comments(page: Markup, scope: PostScope, nodes: list[Node], url: str) -> tuple[str | None, int | None]:
    """Return the number of comments as printed, and as a number: of their heading, else of the link to them."""
    bare = _bare_number(page)
    if bare is not None:
        return bare
    inside = parts_of(nodes)
    headings = (tag for area in _areas(page, nodes, inside) for tag in descendants(area) if tag.name in _PRINTED_IN)
    links = (tag for tag in page.elements("a", "span", "div", "li", "p") if _names_comments(tag) and scope.is_own(tag))
    for tag in (*headings, *links):
        if id(tag) in inside or len(tag.contents) > _MAX_PARTS:
            continue
        printed = _short_text(tag)
        number = number_of_comments(printed)
        if number is None and printed is not None and _is_link_to_comments(tag) and printed.isdecimal():
            number = count(printed)  # an icon and a number
        if printed is None or number is None or (number == 0 and nodes) or not _is_own_link(tag, url):
            continue
        if not any(number_of_comments(_short_text(part)) is not None for part in descendants(tag)):
            return printed, number  # else an element inside it says the same, with fewer words
    return None, None


def _names_comments(tag: Tag) -> bool:
    """Return whether an element is a link to comments, or has a class that says so."""
    return _is_link_to_comments(tag) or any("comment" in token for token in classes(tag))


def _is_link_to_comments(tag: Tag) -> bool:
    address = str(tag.attrs.get("href") or "") if tag.name == "a" else ""
    return ("#comment" in address or "#respond" in address) and not is_comment_page(address)


def _bare_number(page: Markup) -> tuple[str, int] | None:
    """Return the number that wpDiscuz prints in an element of its own."""
    for tag in page.with_class("wpdiscuz-comment-count"):
        printed = text_of(tag)
        number = count(printed)
        if printed is not None and number is not None:
            return printed, number
    return None


def _areas(page: Markup, nodes: list[Node], inside: set[int]) -> list[Tag]:
    """Return the elements around the comments: marked ones, and those next to the first comment."""
    marked = [page.ids[name] for name in ("comments", "wpdcom", "comments-section") if name in page.ids]
    marked += page.with_class(*_AREAS)
    if nodes:
        around = [
            parent
            for parent in nodes[0].tag.parents
            if parent.name not in ("body", "html", "main", "article", "[document]")
        ]
        marked += [parent for parent in around[:3] if not holds_post(parent, inside)]
    return [tag for tag in marked if not any(_is_widget(parent) for parent in tag.parents)]


def _is_widget(tag: Tag) -> bool:
    return tag.name == "aside" or bool(classes(tag) & {"widget", "sidebar"})


def _short_text(tag: Tag) -> str | None:
    length = 0
    for string in tag.strings:
        length += len(string.strip())
        if length > _LONGEST:
            return None
    return text_of(tag) if length else None


def _is_own_link(tag: Tag, url: str) -> bool:
    """Return whether the element is no link, or links to the comments of this very page."""
    links: Iterable[Tag] = [tag] if tag.name == "a" else descendants(tag, "a")
    links = [*links, *(parent for parent in tag.parents if parent.name == "a")]
    return all(
        post_key(post_address(canonical_url(str(link.get("href") or ""), url))) == post_key(post_address(url))
        for link in links
    )
