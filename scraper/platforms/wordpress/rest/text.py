"""Texts of WordPress: the HTML of a post, comment or title as the API and feeds give it, without what plugins add.

A post's text may contain blocks that show other people's words: the newest comments, avatars of commenters. They are
neither the author's text nor an edit when they change, and they name commenters.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from bs4 import Tag

from scraper.items import Image
from scraper.platforms._body import Body, BodyWriter, Resolve
from scraper.platforms._html import text_of
from scraper.platforms._tree import soup
from scraper.platforms._values import clean

# Classes of blocks and widgets that hold comments, then of what plugins add to the content: Jetpack, YARPP,
# buttons to share, Post Views Counter, WP ULike.
NOT_THE_TEXT = frozenset({
    "wp-block-latest-comments", "wp-block-comments", "wp-block-post-comments", "wp-block-comments-query-loop",
    "wp-block-comment-template", "wp-block-post-comments-form", "widget_recent_comments", "recentcomments",
    "comment-respond", "comments-area",
    "sharedaddy", "jp-relatedposts", "yarpp", "yarpp-related", "addtoany_share_save_container",
    "heateor_sss_sharing_container", "post-views", "wpulike",
})  # fmt: skip
# An avatar by the hash of an e-mail address: https://secure.gravatar.com/avatar/0bc83cb571cd1c50ba6f3e8a78ef1346?s=96
AVATAR = re.compile(r"\bgravatar\.com/avatar/", re.IGNORECASE)


class ContentWriter(BodyWriter):
    """Reads the content of a post, without comments of others, avatars and what plugins add."""

    def read_whole(self, tag: Tag) -> bool:
        """Skip an element that is not the post's own text; read pictures, films and rules."""
        if not NOT_THE_TEXT.isdisjoint(tag.get_attribute_list("class")):
            self.flush()
            return True
        return super().read_whole(tag)

    def image_of(self, tag: Tag) -> Image | None:
        """Return the picture of an `img`; None for an avatar, whose address is a hash of an e-mail address."""
        image = super().image_of(tag)
        is_avatar = "avatar" in tag.get_attribute_list("class") or (image is not None and AVATAR.search(image.url))
        return None if is_avatar else image


def read_content(html: str, base: str) -> Body:
    """Read the HTML of a post's content or of a comment; `base` makes its addresses absolute."""
    return ContentWriter(resolver(base)).read(soup(html.encode("utf-8", "replace"), "utf-8").contents)


def resolver(base: str) -> Resolve:
    """Return a function that makes addresses absolute, and leaves alone what is none ("http://[x")."""

    def resolve(url: str) -> str:
        try:
            urlsplit(url)
            return urljoin(base, url.strip())
        except ValueError:
            return url

    return resolve


def plain(html: str) -> str | None:
    """Return the text of rendered HTML on one line: `R&#038;D <em>now</em>` gives "R&D now"; None for no text."""
    if "<" not in html and "&" not in html:
        return clean(html)
    return text_of(soup(f"<div>{html}</div>".encode("utf-8", "replace"), "utf-8"))
