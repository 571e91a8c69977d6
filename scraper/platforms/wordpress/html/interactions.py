"""Counters of a WordPress post in words for machines: `interactionStatistic`, `commentCount`, `interactionCount`.

*Sources*   JSON-LD of the article alone, schema.org's `InteractionCounter`; the older microdata "UserComments:3" of
            themes. Sums of shares on other sites are no likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from scraper.platforms._values import count
from scraper.platforms.wordpress.html.head import PageHead
from scraper.platforms.wordpress.html.scope import PostScope

_ACTIONS = {
    "views": re.compile(r"(?:View|Read|Watch)Action$"),
    "likes": re.compile(r"(?<!Dis)LikeAction$"),
    "comments": re.compile(r"CommentAction$"),
}
_USERS = {"UserPageVisits": "views", "UserLikes": "likes", "UserComments": "comments"}
# As themes write them: UserComments:3, UserPageVisits: 1204
_MICRODATA = re.compile(r"(User[A-Za-z]{4,12})\s*:\s*(\d{1,12})")


def stated(scope: PostScope, head: PageHead) -> dict[str, str]:
    """Return what the page states of "views", "likes" and "comments", as written."""
    found: dict[str, str] = {}
    for name, value in (*_of_article(head), *_microdata(scope)):
        if value.isdigit() and count(value) is not None:
            found.setdefault(name, value)
    return found


def _of_article(head: PageHead) -> Iterator[tuple[str, str]]:
    for thing in (head.article, head.recipe):
        if thing.get("commentCount") is not None:
            yield "comments", str(thing["commentCount"])
    counters: Any = head.article.get("interactionStatistic")
    for counter in counters if isinstance(counters, list) else [counters]:
        if isinstance(counter, dict):
            kind = counter.get("interactionType")
            action = str(kind.get("@type") if isinstance(kind, dict) else kind)
            for name, pattern in _ACTIONS.items():
                if pattern.search(action):
                    yield name, str(counter.get("userInteractionCount"))


def _microdata(scope: PostScope) -> Iterator[tuple[str, str]]:
    for tag in scope.page.elements("meta"):
        if str(tag.attrs.get("itemprop") or "").lower() == "interactioncount" and scope.is_own(tag):
            found = _MICRODATA.fullmatch(str(tag.get("content") or "").strip())
            if found is not None and found[1] in _USERS:
                yield _USERS[found[1]], found[2]
