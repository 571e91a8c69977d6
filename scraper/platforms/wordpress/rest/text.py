"""Rendered HTML of the REST API in short fields: titles, names, excerpts."""

from __future__ import annotations

from scraper.platforms._html import text_of
from scraper.platforms._tree import soup
from scraper.platforms._values import clean


def plain(html: str) -> str | None:
    """Return the text of rendered HTML on one line: `R&#038;D <em>now</em>` gives "R&D now"; None for no text."""
    if "<" not in html and "&" not in html:
        return clean(html)
    return text_of(soup(f"<div>{html}</div>".encode("utf-8", "replace"), "utf-8"))
