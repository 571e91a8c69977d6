"""A WordPress post's pages of comments, `/comment-page-N/`: which is which, which are left, whether any comment is."""

from __future__ import annotations

import re

from bs4 import Tag

from scraper.addresses import as_listed, canonical_url, post_key
from scraper.items import Exchange, ThreadPage
from scraper.platforms.wordpress.html.comments.nodes import DISCUZ_NODE, MAX_NODES, Node
from scraper.platforms.wordpress.html.markup import Markup, classes, identities

# In an address: /comment-page-3/, ?cpage=3
_COMMENT_PAGE = re.compile(r"/comment-page-\d{1,6}(?=/|$)|(?<=[?&])cpage=\d{1,6}(?:&|$)")


def thread_page(
    page: Markup, exchange: Exchange, nodes: list[Node], post: tuple[str, ...], stated: int | None
) -> ThreadPage | None:
    """Return which page of the post's thread this is; None where the page shows no comments or not all of them.

    Cursors are the addresses of comment pages. `stated`: the number of comments that the page prints.
    """
    if not nodes or len(nodes) >= MAX_NODES:
        return None
    own = as_listed(exchange.url)
    inside = {id(tag) for node in nodes for tag in node.parts}
    links = (link for link in page.elements("a") if id(link) not in inside and link.get("href"))
    following = dict.fromkeys(as_listed(str(link["href"]), exchange.url) for link in links)
    pages = tuple(
        url for url in following if is_comment_page(url) and post_key(url) != post_key(own) and _is_of(url, own)
    )
    cursor = own if is_comment_page(own) else None
    discuz = any(DISCUZ_NODE.fullmatch(str(node.tag.get("id") or "")) for node in nodes)
    if (discuz or not pages) and cursor is None and (stated is None or stated > len(nodes)):
        return None  # scripts load the rest
    return ThreadPage(post=post, cursor=cursor, following=pages, source="html")


def is_comment_page(url: str) -> bool:
    """Return whether the address is that of a page of comments: `/comment-page-2/`, `?cpage=2`."""
    return _COMMENT_PAGE.search(url) is not None


def post_address(url: str) -> str:
    """Return the canonical address of the post that a page of its comments belongs to."""
    return canonical_url(_COMMENT_PAGE.sub("", url).rstrip("?&"))


def _is_of(url: str, own: str) -> bool:
    return post_key(post_address(url)) == post_key(post_address(own))


_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# What the template and the blocks of core call the area in which every public comment of a post is printed. An area
# with the id "comments" alone may be a theme's own, which a script fills later.
_AREAS = frozenset({"comments-area", "wp-block-comments", "wp-block-comments-query-loop"})


def shows_empty_thread(page: Markup) -> bool:
    """Return whether the area of core holds the form for a comment, a heading, and nothing else: no comment is public.

    Themes seldom print "0 comments". Any other element may be a comment of an unknown kind, or one that loads them.
    """
    forms = [tag for tag in page.elements("form") if "wp-comments-post.php" in str(tag.get("action") or "")]
    if len(forms) != 1:
        return False
    around = list(forms[0].parents)
    areas = [place for place, tag in enumerate(around) if classes(tag) & _AREAS]
    if not areas:
        return False
    respond = next((tag for tag in (*around, forms[0]) if _is_respond(tag)), forms[0])
    wrappers = identities(around[: areas[-1] + 1])
    parts = [node for tag in around[: areas[-1] + 1] if _holds(tag, respond) for node in tag.contents]
    return all(
        node is respond or id(node) in wrappers or node.name in _HEADINGS if isinstance(node, Tag) else not node.strip()
        for node in parts
        if isinstance(node, Tag | str)
    )


def _is_respond(tag: Tag) -> bool:
    return tag.get("id") == "respond" or "comment-respond" in classes(tag)


def _holds(tag: Tag, inner: Tag) -> bool:
    return any(parent is tag for parent in inner.parents)
