"""What makes two texts of a post the same: the hash that decides whether a revision is written."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable

from courlan import normalize_url


def content_sha256(title: str | None, body_text: str | None, links: Iterable[str]) -> str:
    """sha256 (hex) of the NFC title, the body with runs of white space collapsed, and the sorted link addresses.

    Tracking parameters of links do not count (`?utm_source=mail`), nor does their order: both change without an edit.
    Source: "Texts" in the design of this archive, README "How edits are told".
    """
    words = " ".join(unicodedata.normalize("NFC", body_text or "").split())
    heading = " ".join(unicodedata.normalize("NFC", title or "").split())
    targets = sorted({normalize_url(url) if url.startswith("http") else url for url in links})
    return hashlib.sha256(json.dumps([heading, words, targets], ensure_ascii=False).encode()).hexdigest()
