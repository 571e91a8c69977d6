"""Posts as APIs and feeds give them: the body from a string of HTML, and the sources of all fields."""

from __future__ import annotations

from html import unescape
from urllib.parse import urljoin

from scraper.addresses import is_web_address
from scraper.items import Post, Source
from scraper.platforms._article import FIELDS
from scraper.platforms._body import read_body
from scraper.platforms._tree import soup
from scraper.platforms._values import clean


def fill_body(post: Post, html: str, base: str) -> None:
    """Set body, links and images of a post from HTML; nothing where it holds no text and no picture."""
    tree = soup(html.encode(), "utf-8")

    def resolve(link: str) -> str:
        try:
            absolute = urljoin(base, link.strip())
        except ValueError:  # "http://["
            return link
        return absolute if is_web_address(absolute) else link

    body = read_body((tree.body or tree).contents, resolve)
    post.body_html, post.body_text, post.links, post.images = body.html, body.text, body.links, body.images
    post.word_count = len(body.text.split()) if body.text else None


def plain(html: str) -> str | None:
    """Return a title without tags and escapes."""
    tree = soup(html.encode(), "utf-8") if "<" in html else None
    return clean(tree.get_text() if tree is not None else unescape(html))


def note_sources(post: Post, source: Source) -> Post:
    """Note the source of every field that the post gives; return the post."""
    post.sources = {name: source for name in FIELDS if getattr(post, name) not in (None, ())}
    return post
