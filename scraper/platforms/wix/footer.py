"""Views, comments and likes in the footer of a Wix post.

Text form (to early 2025): `<div data-hook="post-stats"><span>2 views</span><span>0 comments</span></div>`, the spans
adjacent without white space. From mid 2025 the same node holds two empty boxes that a script fills (`pending`); an
owner may also hide the counters: then the node is empty or absent. A missing counter is unknown, never zero.
[reference: section 1.4]

Likes are in `span[data-hook=like-button-with-count__like-count]`, only where there are any, beside a sentence for
screen readers, "3 likes. Post not marked as liked". Without likes the sentence is "Post not marked as liked": it is
about the reader's own mark and gives no number, so that likes are None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Any, TypeGuard

from bs4 import Tag

from scraper.items import Source
from scraper.platforms._tree import ancestors, descendants, previous_sibling
from scraper.platforms._values import clean, count, counter_kind
from scraper.platforms.wix.hooks import Hooks
from scraper.platforms.wix.warmup import Warmup

# Names of the same number in the answers of two eras: `postMetadata` and `metrics`/`postCountInfo`.
_NAMES = {
    "views": ("viewCount", "views"),
    "likes": ("likeCount", "likes"),
    "comments_count": ("totalComments", "comments"),
}


_MAX_ELEMENTS = 40  # there are six
_CONTAINERS = ("span", "a", "div", "p")  # elements that hold a counter


@dataclass(slots=True)
class Counters:
    """The counters of one post: numbers, what was printed, and whether a script will fill them."""

    views: int | None = None
    views_raw: str | None = None
    likes: int | None = None
    likes_raw: str | None = None
    comments_count: int | None = None
    comments_count_raw: str | None = None
    pending: bool = False
    sources: dict[str, Source] = field(default_factory=dict)


def read(hooks: Hooks, warmup: Warmup) -> Counters:
    """Return the counters of the article's own footer; those of the warm-up data where the footer has none."""
    found = Counters()
    stats = hooks.get("post-stats")
    if stats is not None:
        _printed(found, stats)
    _likes(found, hooks)
    _warm(found, warmup)
    return found


def _printed(found: Counters, stats: Tag) -> None:
    texts: list[tuple[str, str]] = []  # (hooks, text) of the innermost elements with text
    for tag in islice(descendants(stats, *_CONTAINERS), _MAX_ELEMENTS):
        text = clean(tag.get_text()) if next(descendants(tag, *_CONTAINERS), None) is None else None
        if text is not None:
            outwards = (tag, *takewhile(lambda parent: parent is not stats, ancestors(tag)))
            hooks = " ".join(str(element.get("data-hook") or "") for element in outwards)
            texts.append((hooks, text))
    if not texts:
        # <div class="hash" style="--width:40px"> </div>, twice, for a script. An empty node: hidden by the owner.
        found.pending = next(descendants(stats), None) is not None
        return
    kinds = [counter_kind(text) for _, text in texts[:6]]
    for position, ((hooks, text), kind) in enumerate(zip(texts, kinds, strict=False)):
        if "view-count" in hooks:
            kind = "views"
        elif "comment-count" in hooks:
            kind = "comments"
        elif len(texts) == 2 and kinds == [None, None]:
            kind = "views" if position == 0 else "comments"  # words of an unknown language, in the usual order
        if kind == "views" and found.views_raw is None:
            found.views, found.views_raw = count(text), text
        elif kind == "comments" and found.comments_count_raw is None:
            found.comments_count, found.comments_count_raw = count(text), text
    _record(found, "views", "comments_count")


def _likes(found: Counters, hooks: Hooks) -> None:
    counter = hooks.get("like-button-with-count__like-count")
    if counter is None:
        return
    printed = clean(counter.get_text())
    label = previous_sibling(counter)
    sentence = clean(label.get_text()) if label is not None else None
    found.likes_raw = sentence or printed
    found.likes = count(printed)
    if found.likes is None and sentence is not None:
        found.likes = count(sentence)  # "1 like. Post not marked as liked"
    _record(found, "likes")


def numbers(metrics: object) -> dict[str, int]:
    """Return the counters of a JSON object of either era, by field: `{"viewCount": 29}` gives `{"views": 29}`."""
    found: dict[str, int] = {}
    for name, keys in _NAMES.items():
        value = next((metrics[key] for key in keys if _is_count(metrics.get(key))), None) if _is_map(metrics) else None
        if value is not None:
            found[name] = value
    return found


def _warm(found: Counters, warmup: Warmup) -> None:
    for metrics in (warmup.metrics, warmup.post.get("metrics"), warmup.post.get("postCountInfo")):
        for name, value in numbers(metrics).items():
            if getattr(found, name) is None:
                setattr(found, name, value)
                found.sources[name] = "warmup"


def _is_map(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _record(found: Counters, *names: str) -> None:
    for name in names:
        if getattr(found, name) is not None:
            found.sources[name] = "html"
        if getattr(found, f"{name}_raw") is not None:
            found.sources[f"{name}_raw"] = "html"
