"""HTML of posts and comments made safe to show: sanitised once more, without anything that a browser would load."""

from __future__ import annotations

import nh3
from bs4 import BeautifulSoup
from markupsafe import Markup, escape

_TAGS = {
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "ol": {"start"},
    "li": {"value"},
    "*": {"dir", "lang"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}
# After each of these, nh3 searches the rest of its text for every other special character, so that its time grows with
# the square of their number. A text with more of them than any post has is shown without its markup.
_SLOW = ("&", *map(chr, range(0xA0, 0xC0)))
_MAX_SLOW = 20_000
# Headings of a post rank below those of the page: an h1 becomes an h3.
_LOWERED_HEADINGS = {f"h{level}": f"h{min(level + 2, 6)}" for level in range(1, 7)}


def sanitised(html: str | None) -> Markup | None:
    """Return the HTML of a post or comment, safe to put into a page; None if it is empty, or would take long.

    A picture becomes a link to its address, with its alternative text. Sanitising (nh3, with the rules above) is the
    last step, so that no step before it can let anything through.
    """
    if not html or not html.strip() or sum(map(html.count, _SLOW)) > _MAX_SLOW:
        return None
    if "<img" in html or "<h" in html:
        html = _without_pictures(html)
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        attribute_filter=_without_relative_links,
    )
    return Markup(clean)  # noqa: S704 # sanitised in the line above


def _without_relative_links(_: str, name: str, value: str) -> str | None:
    """Drop a relative `href`: here it would lead to a page of this site."""
    return value if name != "href" or value.lower().startswith(tuple(f"{scheme}:" for scheme in _SCHEMES)) else None


def paragraphs(text: str | None) -> Markup | None:
    """Return a plain text as HTML, one paragraph a line; None if it is empty."""
    if not text or not text.strip():
        return None
    return Markup("").join(Markup("<p>{}</p>").format(escape(line)) for line in text.split("\n") if line.strip())


def _without_pictures(html: str) -> str:
    soup = BeautifulSoup(html, "lxml")
    for heading in soup.find_all(list(_LOWERED_HEADINGS)):
        heading.name = _LOWERED_HEADINGS[heading.name]
    for picture in soup.find_all("img"):
        source, words = str(picture.get("src") or ""), str(picture.get("alt") or "").strip()
        label = soup.new_tag("span")
        label.append(f"Picture: {words}" if words else "Picture")
        if source.startswith(("https://", "http://")) and picture.find_parent("a") is None:
            link = soup.new_tag("a", href=source)
            link.append(label)
            label = link
        picture.replace_with(label)
    body = soup.body
    return body.decode_contents() if body is not None else ""
