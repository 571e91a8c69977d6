"""What the answer to a request for a post shows: the post, its absence, or a failure in words."""

from __future__ import annotations

from scraper.items import Gone, Item, Post, Problem
from scraper.platforms._platform import Answer, KnownPost


def post_of(answer: Answer) -> Post | None:
    """Return the post that the answer gives; None where it gives none."""
    return next((item for item in answer.items if isinstance(item, Post)), None)


def is_gone(answer: Answer) -> bool:
    """Return whether the answer says that nothing exists at the address."""
    return any(isinstance(item, Gone) for item in answer.items)


def is_members_only(answer: Answer) -> bool:
    """Return whether the post exists, but only members of the site may read it."""
    return any(_is_paywall(item) for item in answer.items)


def leads_elsewhere(answer: Answer) -> bool:
    """Return whether the server answered that the post is no longer at the address; False for failures."""
    if answer.exchange is None or answer.unchanged or answer.exchange.status >= 500:
        return False
    return not any(isinstance(item, Post) or _is_paywall(item) for item in answer.items)


def failure_line(post: KnownPost, answer: Answer) -> str:
    """Return one line that says what was answered in place of the post; it contains the post's address."""
    messages = [item.message for item in answer.items if isinstance(item, Problem)]
    if answer.reason or messages:
        reason = answer.reason or messages[-1]
    elif answer.unchanged:
        reason = "not modified since the last request, which gave no post"
    elif answer.redirected_from and answer.exchange is not None:
        reason = f"redirects to {answer.exchange.url}, which is not a post"
    else:
        reason = "the answer is not a post"
    return reason if post.url in reason else f"{post.url}: {reason}"


def _is_paywall(item: Item) -> bool:
    return isinstance(item, Problem) and item.kind == "paywall"
