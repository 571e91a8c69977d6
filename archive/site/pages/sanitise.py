"""HTML of others, as this site shows it: cleaned once more, and without anything that a browser would load."""

from __future__ import annotations

import nh3
from bs4 import BeautifulSoup
from markupsafe import Markup, escape

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "del", "div", "dl", "dt",
    "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd", "li", "mark", "ol", "p",
    "pre", "q", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u",
    "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"}, "ol": {"start"},
    "li": {"value"}, "*": {"dir", "lang"},
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", "tel"}
# Their headings stand below the page's own: h1 of theirs is an h3 of ours.
_LOWER = {f"h{level}": f"h{min(level + 2, 6)}" for level in range(1, 7)}


def sanitised(html: str | None) -> Markup | None:
    """What a post or a comment says, to be put into a page. A picture becomes a link to where it was, with its words.

    The cleaning (nh3, with the rules above) comes last: whatever is done before cannot open a hole.
    """
    if not html or not html.strip():
        return None
    if "<img" in html or "<h" in html:
        html = _without_pictures(html)
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        attribute_filter=_whole_address,
    )
    return Markup(clean)  # noqa: S704 # cleaned in the line above


def _whole_address(_: str, name: str, value: str) -> str | None:
    """Of an address nothing where it is a part of one: here it would lead to a page of this site."""
    return value if name != "href" or value.lower().startswith(tuple(f"{one}:" for one in _SCHEMES)) else None


def paragraphs(text: str | None) -> Markup | None:
    """A text of lines as paragraphs, for what is kept without markup."""
    if not text or not text.strip():
        return None
    return Markup("").join(Markup("<p>{}</p>").format(escape(line)) for line in text.split("\n") if line.strip())


def _without_pictures(html: str) -> str:
    soup = BeautifulSoup(html, "lxml")
    for heading in soup.find_all(list(_LOWER)):
        heading.name = _LOWER[heading.name]
    for picture in soup.find_all("img"):
        source, words = str(picture.get("src") or ""), str(picture.get("alt") or "").strip()
        told = soup.new_tag("span")
        told.append(f"Picture: {words}" if words else "Picture")
        if source.startswith(("https://", "http://")) and picture.find_parent("a") is None:
            link = soup.new_tag("a", href=source)
            link.append(told)
            told = link
        picture.replace_with(told)
    body = soup.body
    return body.decode_contents() if body is not None else ""
