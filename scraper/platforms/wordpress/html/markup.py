"""The tree of a WordPress page, with an index of its classes and ids, and with what others wrote marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any

from bs4 import Tag

from scraper.items import Exchange
from scraper.platforms._page import encoding_of, utf8
from scraper.platforms._tree import ATTRIBUTES, LeanBuilder, descendants, soup

# Read here beside what every platform's parser reads.
_MORE_ATTRIBUTES = frozenset({"title", "action", "data-ulike-counter-value", "data-ulike-type", "data-ulike-id"})
_READ = ATTRIBUTES | _MORE_ATTRIBUTES


class _Builder(LeanBuilder):
    def read_attributes(self, attrib: Mapping[Any, Any]) -> dict[str, Any] | None:
        return {name: value for name, value in attrib.items() if name in _READ}


_BUILDER = _Builder()


@lru_cache(maxsize=4_096)
def _tokens(text: str) -> frozenset[str]:
    return frozenset(text.lower().split())


def classes(tag: Tag) -> frozenset[str]:
    """Return the classes of an element, in lower case."""
    value = tag.attrs.get("class")
    if not value:
        return frozenset()
    return _tokens(value if isinstance(value, str) else " ".join(value))


def parse(markup: bytes | str, encoding: str = "utf-8") -> Tag:
    """Return the lean tree of a page, or of the HTML inside an answer of the API or a feed."""
    return soup(markup.encode("utf-8", "replace") if isinstance(markup, str) else markup, encoding, builder=_BUILDER)


class Markup:
    """A page as a tree. Classes and ids are indexed once, because a search of the tree for each takes longer."""

    def __init__(self, exchange: Exchange) -> None:
        self.body = utf8(exchange)
        self.encoding = encoding_of(exchange, self.body)
        self.tree = parse(self.body, self.encoding)
        self.classed: dict[str, list[Tag]] = {}
        self.named: dict[str, list[Tag]] = {}
        self.ids: dict[str, Tag] = {}
        for tag in descendants(self.tree):
            self.named.setdefault(tag.name, []).append(tag)
            identifier = tag.attrs.get("id")
            if identifier:
                self.ids.setdefault(str(identifier), tag)
            for token in classes(tag):
                self.classed.setdefault(token, []).append(tag)

    @property
    def body_classes(self) -> frozenset[str]:
        """The classes of the body element, by which WordPress says what kind of page this is (`body_class`)."""
        return next((classes(tag) for tag in self.named.get("body", ())), frozenset())

    def with_class(self, *tokens: str) -> Iterator[Tag]:
        """Yield the elements with one of these classes: those of the first class first, each in document order."""
        for token in tokens:
            yield from self.classed.get(token, ())

    def elements(self, *names: str) -> Iterator[Tag]:
        """Yield the elements of these names: those of the first name first, each in document order."""
        for name in names:
            yield from self.named.get(name, ())


def outermost(tags: Iterable[Tag]) -> list[Tag]:
    """Return the elements that lie in no other of them, in the order given."""
    wanted = list(tags)
    marked = {id(tag) for tag in wanted}
    return [tag for tag in wanted if not any(id(parent) in marked for parent in tag.parents)]


def identities(tags: Iterable[Tag]) -> frozenset[int]:
    """Return the identities (`id`) of elements: elements of a tree are compared by content, which takes long."""
    return frozenset(id(tag) for tag in tags)


def is_inside(tag: Tag, containers: frozenset[int]) -> bool:
    """Return whether the element is one of the containers, given by their identities, or lies in one."""
    return id(tag) in containers or any(id(parent) in containers for parent in tag.parents)


def inherited(tag: Tag, verdict_of: Callable[[Tag], bool | None], known: dict[int, bool]) -> bool:
    """Return the verdict on the element or on the nearest one around it that has one; False where none has.

    `known`: verdicts by identity, which the calls for one tree share, so that no path is walked twice.
    """
    path: list[int] = []
    found = False
    for parent in chain((tag,), tag.parents):
        verdict = known.get(id(parent))
        if verdict is None:
            verdict = verdict_of(parent)
            path.append(id(parent))
        if verdict is not None:
            found = verdict
            break
    known.update(dict.fromkeys(path, found))
    return found


# Elements that hold others' words or other posts, or that change without an edit, by the classes that WordPress, its
# themes' conventions and its plugins give them:
# - blocks of core that list comments, posts, authors, dates: "wp-block-latest-comments", "wp-block-query"
# - comments: "comments-area", "commentlist", "wpdiscuz_top_clearing", "wpd-comment"
# - widgets: "widget_recent_comments", "wp-calendar-table"
# - share buttons: Jetpack, AddToAny, Easy Social Share, Grow, Social Warfare, Heateor, Simple Share, Sassy, Shareaholic
# - related posts: Jetpack, YARPP, CRP, "related-posts"
# - author boxes: Simple Author Box, PublishPress, Co-Authors, Genesis
# - tables of contents that a plugin writes: Easy TOC, LuckyWP, TOC+
# - counters and ratings: Post Views Counter, WP ULike, kk Star Ratings
# - pages of a post, navigation between posts, advertisements of Ad Inserter, AdThrive and Mediavine
_NOT_OF_THE_POST = re.compile(
    r"wp-block-(?:latest-comments|comments?|comments?-.+|post-comments?.*|avatar|calendar|archives|latest-posts|query"
    r"|query-.+|categories|tag-cloud|rss|post-navigation-link|jetpack-(?:sharing-buttons|related-posts|likes?|subscriptions|blogging-prompt)"
    r"|rank-math-toc-block)"
    r"|comments-area|commentlist|comment-list|comments-list|comment-respond|comments-wrapper|entry-comments|fb-comments"
    r"|recentcomments|wpdiscuz\S*|wpd-\S+|wc_\S*comment\S*|awaiting-moderation"
    r"|widget_(?!sow|text|siteorigin|media|block|custom_html|black)\w+|wp-calendar-\S+|wp-tag-cloud|tagcloud"
    r"|sharedaddy|sd-(?:sharing|block|like)\S*|jp-relatedposts\S*|jetpack-likes-widget\S*|addtoany_\S+|a2a_\S+|essb_\S+"
    r"|dpsp-\S+|swp_social_\S+|heateor_\S+|ssba|ssba-\S+|ssbp-\S+|shareaholic-\S+|mashsb-\S+|addthis_\S+|sfsi_\S+"
    r"|scriptlesssocialsharing|simplesocialbuttons|novashare-\S+|monarch|et_social_\S+|juiz_sps_\S+|tve_share\S*"
    r"|(?:social|post|entry|blog|article|content)-?(?:share|sharing)(?:-?(?:buttons?|links?|icons?|box|list|wrap\S*))?"
    r"|share-(?:buttons?|links?|icons?|box|post|bar)|sharing-(?:buttons?|box)|share-?this|fusion-sharing-box"
    r"|elementor-(?:share-buttons\S*|widget-(?:share-buttons|posts|author-box|post-navigation|post-comments|search-form"
    r"|table-of-contents|form|nav-menu))|et_pb_(?:blog|comments|post_nav|sidebar|search|social_media_follow)\S*"
    r"|yarpp\S*|crp_related|crp-\S+|wp_rp_\S+|rp4wp\S*|related-?(?:posts?|articles?|entries|content|news)\S*|wpp-\S+"
    r"|popular-posts|you-may-also-like|also-like|read-?next|post-?(?:nav|navigation|pagination)|posts?-navigation"
    r"|nav-links|nav-previous|nav-next|page-links?|post-nav-links|link-pages|wp-pagenavi|pagination"
    r"|ez-toc\S*|lwptoc\S*|toc_container|uk-toc"
    r"|code-block-\d+|adsbygoogle|adthrive\S*|mv-ad-box|ai_widget|ad-inserter|advads-\S+|(?:mc4wp|mailchimp|convertkit"
    r"|formkit|wpcf7|wpforms|gform|nf-form|optin|newsletter|subscribe|mailpoet_form|tnp)(?:[-_]\S+)?"
    r"|breadcrumbs?|cookie-?(?:notice|banner)\S*|printfriendly|skip-link|sr-only"
)
# What is the post's, but no part of its text: counters, ratings, byline, author boxes.
_MATTER = re.compile(
    r"post-views\S*|ss88views\S*|wp_ulike\S*|wpulike\S*|kksr-\S+|kk-star-ratings|yasr-\S+|rmp-\S+|post-ratings?\S*"
    r"|zilla-likes|elementor-widget-post-info|sab?oxplugin\S*|abh_\S+|pp-(?:multiple-)?author\S*|ppma-\S+|m-a-box\S*"
    r"|(?:post-)?author-?(?:box|bio|info|card|profile)\S*|about-?(?:the-)?author\S*"
)
# Widgets, by classes that some themes also give to the element around the whole page.
_WIDGET = re.compile(r"sidebar|sidebar-(?:wrap|primary|secondary|right|left|area)|widget-area|widget")
_FOREIGN_IDS = re.compile(
    r"comments|respond|disqus_thread|wpdcom|toc_container|ez-toc-container|jp-post-flair|jp-relatedposts|comment-\d+"
)
# Elements that are never a post's own text in WordPress.
_FOREIGN_NAMES = frozenset({"form", "nav", "select"})
_MATTER_NAMES = frozenset({"footer"})


@lru_cache(maxsize=8_192)
def _matches(pattern: re.Pattern[str], text: str) -> bool:
    tokens = text.lower().split()
    if "so-panel" in tokens or any(token.startswith("fl-") for token in tokens):
        return False  # builders whose modules are widgets: SiteOrigin, Beaver
    return any(pattern.fullmatch(token) for token in tokens)


def is_not_of_the_post(tag: Tag) -> bool:
    """Return whether the element holds comments, other posts, widgets, share buttons: nothing of the post itself."""
    if tag.name in _FOREIGN_NAMES and not _is_block(tag):
        return True
    value = tag.attrs.get("class")
    if value:
        text = value if isinstance(value, str) else " ".join(value)
        if _matches(_NOT_OF_THE_POST, text) or (_matches(_WIDGET, text) and not _holds_main(tag)):
            return True
    identifier = tag.attrs.get("id")
    return bool(identifier) and _FOREIGN_IDS.fullmatch(str(identifier)) is not None


_MAIN_IDS = frozenset({"main", "content", "primary", "main-content", "comments", "respond"})


def _holds_main(tag: Tag) -> bool:
    """Return whether the element lies around the main part of the page or its comments."""
    return any(part.name == "main" or part.attrs.get("id") in _MAIN_IDS for part in descendants(tag))


def _is_block(tag: Tag) -> bool:
    """Return whether the author put the form or navigation there: a block of core such as "Search" or "Navigation"."""
    around = (tag, *tag.parents) if tag.name == "form" else (tag,)
    return any(token.startswith("wp-block-") for parent in around[:2] for token in classes(parent))


def is_not_post_text(tag: Tag) -> bool:
    """Return whether the element is no text of the post itself: `is_not_of_the_post`, or its counters and byline."""
    value = tag.attrs.get("class")
    matter = value and _matches(_MATTER, value if isinstance(value, str) else " ".join(value))
    return bool(matter) or tag.name in _MATTER_NAMES or is_not_of_the_post(tag)
