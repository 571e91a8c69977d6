"""A picture in Wix markup -> its original file.

A `wow-image` has an attribute `data-image-info='{"imageData": {"uri": "ab~mv2.jpg", ...}}'` that names the file. The
`img` inside is a blurred preview (".../v1/fill/w_147,...,blur_2/..."), or missing further down the page. In copies made
by mirror programs its `src` is a local file, and `data-pin-media` has the address. [reference: section 6, "Images"]
"""

from __future__ import annotations

import json

from bs4 import Tag

from scraper.platforms._tree import descendants
from scraper.platforms._values import clean
from scraper.platforms.wix.address import original_file


def picture_of(tag: Tag) -> tuple[str | None, str | None]:
    """Return original file and alternative text of a `wow-image` or `img`; (None, ...) where it names no file."""
    picture = tag if tag.name == "img" else next(descendants(tag, "img"), None)
    alt = None if picture is None else clean(str(picture.get("alt") or ""))
    info = tag.get("data-image-info")
    if isinstance(info, str):
        name = _uri(info)
        if name:
            return original_file(name), alt
    if picture is not None:
        for key in ("data-pin-media", "data-src", "src"):
            source = picture.get(key)
            if isinstance(source, str) and source.strip() and not source.startswith("data:"):
                return original_file(source.strip()), alt
    return None, alt


def _uri(info: str) -> str | None:
    """Return `imageData.uri` of a `data-image-info` attribute; None where it is no JSON of that shape."""
    try:
        found = json.loads(info)
        uri = found["imageData"]["uri"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return uri if isinstance(uri, str) and uri else None
