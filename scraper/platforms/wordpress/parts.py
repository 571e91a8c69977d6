"""Pages of a post that its author divided (`<!--nextpage-->`): `/sleep/`, `/sleep/2/`; `/?p=7`, `/?p=7&page=2`.

*Recognised by*  links with the class "post-page-numbers", and "single-paged-2" among the classes of the body: of core.
"""

from __future__ import annotations

import re

from scraper.addresses import as_listed, canonical_url, post_key
from scraper.items import Post, PostPart
from scraper.platforms.wordpress.html.markup import Markup

MAX_PARTS = 50
_LATER_PAGE = re.compile(r"single-paged-([2-9]|[1-9]\d{1,3})")
# "/sleep/2" and "/?p=7&page=2" in an address
_NUMBER = re.compile(r"/(?P<path>\d{1,4})/?$|[?&]page=(?P<query>\d{1,4})(?=&|$)")


def number_of(page: Markup) -> int:
    """Return which page of its post this is, 1 for the first or only one."""
    return next((int(found[1]) for token in page.body_classes if (found := _LATER_PAGE.fullmatch(token))), 1)


def first_address(url: str, number: int) -> str:
    """Return the canonical address of a post's first page; `number`: which page the address `url` is."""
    found = _NUMBER.search(url)
    is_part = number > 1 and found is not None and int(found["path"] or found["query"]) == number
    return canonical_url(_NUMBER.sub("", url)) if is_part else url


def part_of(page: Markup, post: Post, url: str) -> PostPart | None:
    """Return the page as a part of its post; None for a post of one page, or without an id that all its pages state."""
    number, others = number_of(page), dict[str, int]()
    for link in page.with_class("post-page-numbers"):
        address = as_listed(str(link.get("href") or ""), url) if link.get("href") else ""
        found = _NUMBER.search(address)
        other = int(found["path"] or found["query"]) if found is not None else 1
        if post_key(first_address(address, other)) == post_key(post.url or ""):
            others[address] = other
    last = max((number, *others.values()))
    if post.platform_post_id is None or last == 1 or last > MAX_PARTS:
        return None
    identity = f"{post.platform}:{post.platform_post_id}"
    return PostPart(post=identity, number=number, last=last, others=tuple(others), page=post)
