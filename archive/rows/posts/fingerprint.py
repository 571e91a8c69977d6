"""The hash by which two texts of a post are equal; it decides whether a revision is written."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from json.encoder import encode_basestring as _quoted
from urllib.parse import urlsplit

from courlan import normalize_url


def content_sha256(title: str | None, body_text: str | None, links: Iterable[str]) -> str:
    """Return the SHA-256 (hex) of the NFC title, the body with runs of white space collapsed, and the sorted link URLs.

    Tracking parameters of links do not count (`?utm_source=mail`), nor does their order: both change without an edit.
    Source: "Texts" in the design of this archive, docs/for-researchers.md.
    """
    words = " ".join(unicodedata.normalize("NFC", body_text or "").split())
    heading = " ".join(unicodedata.normalize("NFC", title or "").split())
    targets = sorted({_target(url) for url in links})
    # As json.dumps([heading, words, targets], ensure_ascii=False) writes it, in half the time.
    document = f"[{_quoted(heading)}, {_quoted(words)}, [{', '.join(map(_quoted, targets))}]]"
    return hashlib.sha256(document.encode()).hexdigest()


def domain_of(url: str) -> str | None:
    """Return the host that a link leads to, lower case; None for a fragment, a mail address, a broken URL."""
    try:
        return urlsplit(url).hostname or None
    except ValueError:  # "http://[", which people write into posts
        return None


@lru_cache(maxsize=8_192)  # most links of a blog occur in all of its posts
def _target(url: str) -> str:
    try:
        return str(normalize_url(url)) if url.startswith("http") else url
    except ValueError:
        return url
