"""The visible heading of a WordPress post.

A page may have several `h1` (logo, widgets, parts of the text) or none; the heading is the one that says what the head
of the page states as its title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bs4 import Tag

from scraper.platforms._html import text_of
from scraper.platforms._values import clean
from scraper.platforms.wordpress.html.head import PageHead, text
from scraper.platforms.wordpress.html.markup import Markup, classes, identities, is_inside

# "Protected: TITLE" in the languages of WordPress: its core puts this before the title of a post with a password.
_PROTECTED = re.compile(
    r"(?:protected|geschützt|protegid[oa]|protégé|protetto|beveiligd|beschermd|skyddad|beskyttet|suojattu"
    r"|zabezpieczone|zabezpieczony|chronione|chráněno|chránené|защищено|захищено|מוגן|محمي|保護中|密码保护|保護"
    r"|보호된 글|korumalı|védett|protejat|προστατευμένο|protegit|zaštićeno|zaščiteno)\s?[:：]\s*",
    re.IGNORECASE,
)
_MARKED = (
    "wp-block-post-title",
    "entry-title",
    "post-title",
    "single-title",
    "td-post-title",
    "tdb-title-text",
    "fusion-post-title",
    "page-title",
    "headline",
    "p-name",
    "post__title",
    "entry__title",
    "article-title",
)
_OTHERS = frozenset({"site-title", "logo", "widget-title", "site-name", "comments-title"})
_MAX_HEADINGS = 300  # elements that are compared with the stated title


def heading_of(page: Markup, head: PageHead, others: Iterable[Tag]) -> tuple[Tag | None, str | None]:
    """Return the element of the post's heading, if the page has it, and the title: its text, else the stated one.

    `others`: elements of comments.
    """
    excluded = identities(others)

    def may_be(tags: Iterable[Tag]) -> Iterator[Tag]:
        return (tag for tag in tags if not classes(tag) & _OTHERS and not is_inside(tag, excluded) and text_of(tag))

    first = list(may_be(page.elements("h1")))
    stated = _stated_title(head)
    wanted = _words(stated)
    marked = [tag for tag in page.with_class(*_MARKED) if tag.name in ("h1", "h2", "h3", "div", "span")]
    own = [*first, *may_be(marked)]
    if not wanted:
        return (own[0], text_of(own[0])) if own else (None, None)
    for candidates, least in ((own, 0.5), (may_be(page.elements("h2", "h3")), 0.85), (first[:1], 0.0)):
        compared = list(candidates)[:_MAX_HEADINGS]
        scored = [(_overlap(_words(text_of(tag)), wanted), tag) for tag in compared]
        best = max(scored, key=lambda pair: pair[0], default=None)
        if best is not None and best[0] >= least:
            return best[1], text_of(best[1])
    return None, stated if _names_title(head) else _of_window(head)


def _names_title(head: PageHead) -> bool:
    return text(head.article.get("headline")) is not None or text(head.metas.get("og:title")) is not None


def _of_window(head: PageHead) -> str | None:
    """Return what the window's title says before the name of the site: "Sleep – Clinic" gives "Sleep"."""
    parts = re.split(r"\s[|\-–—·»]\s", head.title or "")
    return clean(" – ".join(parts[:-1]))


def _stated_title(head: PageHead) -> str | None:
    """Return the title that the head states, without the name of the site behind it."""
    ours = text(head.article.get("headline")) or text(head.metas.get("og:title")) or head.title
    site = text(head.metas.get("og:site_name"))
    if ours and site and ours.casefold().endswith(site.casefold()):
        return ours[: -len(site)].rstrip(" |-–—·»:") or ours
    return ours


def without_protection(title: str | None) -> str | None:
    """Return the title of a post with a password as the API gives it: "Protected: Sleep" gives "Sleep"."""
    return None if title is None else clean(_PROTECTED.sub("", title, count=1)) or title


def _words(value: str | None) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", (value or "").casefold()))


def _overlap(words: frozenset[str], wanted: frozenset[str]) -> float:
    """Return how alike two sets of words are: 1.0 for equal ones, less for each that only one of them has."""
    return 2 * len(words & wanted) / (len(words) + len(wanted)) if words or wanted else 0.0
