"""Threads of comments: the names that any capture of one tells are masked in the texts of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipelines.privacy.masking import masked, name_pattern, signature
from scraper.items import Comment, Extraction, Names, Problem


def mask_thread(thread: list[Extraction], policy: str, *, ended: bool) -> list[Extraction]:
    """The captures of one thread with the names that any of them tells masked in the texts of all of them.

    `policy` is the stanza's `privacy`: "pseudonymous" and "omit" mask, "omit" drops the pseudonyms as well, "keep"
    leaves the texts and puts the names where they are known.

    `ended`: the record shows that the visit went on after this thread, so that all its names were asked for. Where it
    does not (the run was killed or stopped in its middle, a page never showed them), names may stand in the texts that
    nobody told yet: the comments are stored without their texts, which the next visit reads again.
    """
    told = [item.names for extraction in thread for item in extraction.items if isinstance(item, Names)]
    names = {person: name for part in told for person, name in part.items()}
    # All that were told: one who changed the name in between may be called by either.
    comments = [item for one in thread for item in one.items if isinstance(item, Comment)]
    signed = [] if policy == "keep" else [signature(item.body_text) for item in comments]
    # Beyond that many, signatures are masked where they stand alone: every name is looked for in every text.
    shared = list(filter(None, signed))[:MOST_SIGNATURES]
    pattern = name_pattern([*(name for part in told for name in part.values()), *shared])
    withheld = policy != "keep" and not ended and not _all_told(thread, names)

    def as_allowed(item: Comment) -> Comment:
        if policy == "keep":
            name = _name(names, item)
            return item if name == item.author else replace(item, author=name)
        author = None if policy == "omit" else item.author
        if withheld:
            return replace(item, author=author, body_text=None, body_html=None)
        own = signature(item.body_text)
        patterns = (pattern, name_pattern([own]) if own and own not in shared else None)
        text, markup = item.body_text, item.body_html
        for one in patterns:
            text, markup = masked(text, one), masked(markup, one)
        return replace(item, author=author, body_text=text, body_html=markup)

    return [
        replace(
            extraction,
            items=tuple(
                as_allowed(item) if isinstance(item, Comment) else item
                for item in extraction.items
                if not isinstance(item, Names)
            )
            + ((_WITHHELD,) if withheld and extraction is thread[-1] else ()),
        )
        for extraction in thread
    ]


def names_shown(visit: list[Extraction]) -> bool:
    """A rendered page came so far that whoever could be named is: each member among its comments by an answer, or by
    the page itself.

    A page may be left while the names are on their way, or they are refused: then the texts name people whom nothing
    recorded tells. One whom the page shows without a name among others who have theirs is a member no more.
    """
    comments = [item for one in visit for item in one.items if isinstance(item, Comment)]
    shown = {
        item.platform_comment_id for one in visit if getattr(one.capture, "via", None) == "dom"
        for item in one.items if isinstance(item, Comment)
    }  # fmt: skip
    names = {name for one in visit for item in one.items if isinstance(item, Names) for name in item.names}
    unnamed = [
        one.platform_comment_id for one in comments
        if one.author_kind == "member" and names.isdisjoint((one.platform_comment_id, one.person))
    ]  # fmt: skip
    return not unnamed or (bool(names) and shown.issuperset(unnamed))


MOST_SIGNATURES = 100
_WITHHELD = Problem(
    kind="thread-cut-short",
    message="not all names of this thread were read: its texts are left out until the next visit",
)


def _all_told(thread: list[Extraction], names: Mapping[str, str]) -> bool:
    """Every member of the thread is named in it: names come last, so that nothing of it is missing."""
    comments = [item for extraction in thread for item in extraction.items if isinstance(item, Comment)]
    members = [one for one in comments if one.author_kind == "member"]
    told = [one.platform_comment_id in names or one.person in names for one in members]
    return not comments or (bool(told) and all(told))


def _name(names: Mapping[str, str], item: Comment) -> str | None:
    return names.get(item.platform_comment_id) or names.get(item.person or "") or item.author
