"""The address of a picture in ordinary HTML: of `src`, of a source set, or of what a script loads in its place."""

from __future__ import annotations

import re

from bs4 import Tag

# Attributes that name the picture where `src` is a placeholder that a script replaces, in the order they are tried.
_LAZY_SOURCES = ("data-src", "data-lazy-src")
_SOURCE_SETS = ("data-srcset", "data-lazy-srcset", "srcset")
# "300w", "2x", "1.5x": width or density of a candidate of a source set
_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)[wx]")


def image_source(tag: Tag) -> str | None:
    """Return the address of an `img` as written: the largest of a source set, else what a script loads, else `src`.

    Inline pictures (`data:`) are placeholders and count as none.
    """
    candidates = [largest_source(str(tag.get(name) or "")) for name in _SOURCE_SETS]
    candidates += [str(tag.get(name) or "").strip() for name in (*_LAZY_SOURCES, "src")]
    return next((source for source in candidates if source and not source.startswith("data:")), None)


def largest_source(source_set: str) -> str:
    """Return the address of the largest candidate of a `srcset` ("a.jpg 300w, b.jpg 1024w"); "" where it has none.

    An address may contain commas; a comma at its end, or after its size, ends the candidate (HTML, "source set").
    """
    candidates: list[tuple[float, str]] = []
    url = ""
    for word in source_set.split():
        if not url:
            url = word
        else:
            size, _, rest = word.partition(",")
            match = _SIZE.fullmatch(size)
            candidates.append((float(match[1]) if match else 1.0, url))
            url = rest
        if url.endswith(","):
            candidates.append((1.0, url.rstrip(",")))
            url = ""
    if url:
        candidates.append((1.0, url))
    return max(candidates, key=lambda candidate: candidate[0])[1] if candidates else ""
