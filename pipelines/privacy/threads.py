"""Masks threads of comments: the names that any capture of a thread gives are masked in the texts of all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from pipelines.privacy.finders.names import NamePattern, name_pattern
from pipelines.privacy.masking import masked
from pipelines.privacy.signatures import signature
from scraper.items import Comment, Extraction, Item, Names, Problem

# Signatures beyond this number are masked only in their own comment: every name is searched in every text.
MAX_SIGNATURES = 100
_WITHHELD = Problem(
    kind="thread-cut-short",
    message="not all names of this thread were read: its texts are left out until the next visit",
)


def mask_thread(thread: list[Extraction], policy: str, *, ended: bool) -> list[Extraction]:
    """Return the captures of one thread with the names that any of them gives masked in the texts of all of them.

    `policy` is the stanza's `privacy`: "pseudonymous" and "omit" mask, "omit" also drops the pseudonyms, "keep" leaves
    the texts, and the authors are the names; a comment that is shown without a name has no author.

    `ended`: the WARC shows that the visit continued after this thread, so that all its names were requested. Otherwise
    (the run was killed or stopped in the thread, a rendered page never showed the names) the texts may contain names
    that no capture gave: the comments are stored without their texts, which the next visit reads again.
    """
    parts = [item.names for item in _items(thread) if isinstance(item, Names)]
    names = {person: name for part in parts for person, name in part.items()}
    if policy == "keep":
        return _mapped(thread, lambda comment: _with_author(comment, _name(names, comment)))
    if not ended and not _all_named(thread, names):
        *whole, last = _mapped(thread, lambda comment: _without_text(_under_policy(comment, policy)))
        return [*whole, replace(last, items=(*last.items, _WITHHELD))]
    masks = _masks(_comments(thread), parts)
    return _mapped(thread, lambda comment: _masked(_under_policy(comment, policy), *masks[comment.post]))


def _masks(
    comments: Iterable[Comment], parts: Iterable[Mapping[str, str]]
) -> dict[tuple[str, ...], tuple[NamePattern | None, Collection[str]]]:
    """Return for each post the pattern of the names that its comments may contain, and its shared signatures.

    Captures that hold the comments of several posts name those who wrote on others too: the name of a commenter on one
    post ("Rose") is an ordinary word on another. A name from a members service has no post and counts for all.
    """
    by_post: dict[tuple[str, ...], list[Comment]] = {}
    post_of: dict[str, tuple[str, ...]] = {}
    for comment in comments:
        by_post.setdefault(comment.post, []).append(comment)
        post_of[comment.platform_comment_id] = comment.post
    # Not only the newest name of a person: one who changed the name may be addressed by either.
    names: dict[tuple[str, ...] | None, list[str]] = {}
    for part in parts:
        for key, name in part.items():
            names.setdefault(post_of.get(key), []).append(name)
    masks: dict[tuple[str, ...], tuple[NamePattern | None, Collection[str]]] = {}
    for post, own in by_post.items():
        shared = list(filter(None, (signature(comment.body_text) for comment in own)))[:MAX_SIGNATURES]
        masks[post] = name_pattern([*names.get(None, ()), *names.get(post, ()), *shared]), shared
    return masks


def _mapped(thread: list[Extraction], change: Callable[[Comment], Comment]) -> list[Extraction]:
    """Return the captures with each comment changed, and without the `Names`."""
    return [
        replace(
            extraction,
            items=tuple(
                change(item) if isinstance(item, Comment) else item
                for item in extraction.items
                if not isinstance(item, Names)
            ),
        )
        for extraction in thread
    ]


def _with_author(comment: Comment, author: str | None) -> Comment:
    return comment if author == comment.author else replace(comment, author=author)


def _under_policy(comment: Comment, policy: str) -> Comment:
    return _with_author(comment, None if policy == "omit" else comment.author)


def _without_text(comment: Comment) -> Comment:
    return replace(comment, body_text=None, body_html=None)


def _masked(comment: Comment, pattern: NamePattern | None, shared: Collection[str]) -> Comment:
    """Return the comment with the names of the thread masked, and its own signature where that is not `shared`."""
    own = signature(comment.body_text)
    text, markup = masked(comment.body_text, pattern), masked(comment.body_html, pattern)
    own_pattern = name_pattern([own]) if own and own not in shared else None
    return replace(comment, body_text=masked(text, own_pattern), body_html=masked(markup, own_pattern))


def names_complete(visit: list[Extraction]) -> bool:
    """Return whether the captures of a rendered page name every member among its comments.

    A member is named by an answer, or the page itself shows the comment. A page may be left while the names are still
    on their way, or the service may refuse them: then the texts may contain names that no capture gives. A comment
    that the page shows without a name, while other comments have theirs, is by a former member.
    """
    in_dom = [extraction for extraction in visit if getattr(extraction.capture, "via", None) == "dom"]
    rendered = {comment.platform_comment_id for comment in _comments(in_dom)}
    names = {person for item in _items(visit) if isinstance(item, Names) for person in item.names}
    unnamed = [
        comment.platform_comment_id
        for comment in _comments(visit)
        if comment.author_kind == "member" and names.isdisjoint((comment.platform_comment_id, comment.person))
    ]
    return not unnamed or (bool(names) and rendered.issuperset(unnamed))


def _items(captures: Iterable[Extraction]) -> list[Item]:
    return [item for extraction in captures for item in extraction.items]


def _comments(captures: Iterable[Extraction]) -> list[Comment]:
    return [item for item in _items(captures) if isinstance(item, Comment)]


def _all_named(thread: list[Extraction], names: Mapping[str, str]) -> bool:
    """Return whether every member of the thread is named: names come last, so the thread is complete then."""
    comments = _comments(thread)
    members = [comment for comment in comments if comment.author_kind == "member"]
    named = [comment.platform_comment_id in names or comment.person in names for comment in members]
    return not comments or (bool(named) and all(named))


def _name(names: Mapping[str, str], comment: Comment) -> str | None:
    """Return the name as printed; None for a comment that is shown without one, although its author has an id."""
    return names.get(comment.platform_comment_id) or names.get(comment.person or "")
