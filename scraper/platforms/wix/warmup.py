"""The JSON inside Wix pages that the blog's script starts from, `<script id="wix-warmup-data">`, in all its eras.

Below `appsWarmupData` the blog app has one entry a page; what it holds has changed [reference: section 2.1]:
* to 2023: no entry at all;
* 2024: `OldPostPageWarmupData-<slug>` -> a JSON *string* of `{data: {postPage}}`, later `{postPageResponse: {data:
  {postPage}}, postPageMetadataResponse: {data: {postPageMetadata}}}`;
* from mid 2025: `<slug>` -> the post's UUID, nothing else;
* feed pages: `feed-page-...` and `post-list-...` -> an object, a JSON string, or base64 of an escaped JSON string.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from scraper.items import Problem
from scraper.platforms._page import scripts

BLOG_APP = "14bcded7-0066-7c35-14d7-466cb3f09103"
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
INTERNAL_ID = re.compile(r"[0-9a-f]{24}", re.I)
_LARGEST = 8_000_000  # characters, ten times the largest seen; small objects take thirty times their text in memory
_DECODER = json.JSONDecoder(strict=False)


@dataclass(slots=True)
class Warmup:
    """What the blog's entries hold; empty where the page has none."""

    page: Mapping[str, Any] = field(default_factory=dict)  # `postPage`: {post, categories, tags, ...}
    metrics: Mapping[str, Any] = field(default_factory=dict)  # {viewCount, likeCount, totalComments}
    uuid: str | None = None  # of the post, where only that is given
    feeds: list[Mapping[str, Any]] = field(default_factory=list)  # `postFeedPage`: {posts: {posts, ...}, ...}
    feed_metrics: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # UUID -> {comments, likes, views}
    problems: list[Problem] = field(default_factory=list)

    @property
    def post(self) -> Mapping[str, Any]:
        """The post's own object; empty where the page does not give it."""
        return _object(self.page.get("post"))


def read_warmup(body: bytes, encoding: str, url: str, slug: str | None, *, after: int = 0) -> Warmup:
    """Read the blog's warm-up data; `slug` identifies the page's own entry. The search begins at the byte `after`.

    JSON that cannot be read is a problem, not an error.
    """
    warmup = Warmup()
    for text in scripts(body, b'id="wix-warmup-data"', encoding, after=after):
        start = text.find('"appsWarmupData"')
        if start < 0 or BLOG_APP not in text:
            continue
        if len(text) > _LARGEST:
            message = f"wix-warmup-data is larger than {_LARGEST} characters; not read"
            warmup.problems.append(Problem(kind="too-large", message=message, url=url))
            continue
        try:
            apps, _ = _DECODER.raw_decode(text, text.index("{", start))
        except (ValueError, RecursionError) as error:
            warmup.problems.append(
                Problem(kind="malformed-json", message=f"wix-warmup-data cannot be read: {error}", url=url)
            )
            continue
        for key, value in _object(_object(apps).get(BLOG_APP)).items():
            _entry(warmup, key, value, url, slug)
    return warmup


def _entry(warmup: Warmup, key: str, value: Any, url: str, slug: str | None) -> None:
    own = slug is None or key in (slug, unquote(slug)) or key.endswith(slug)
    if isinstance(value, str) and UUID.fullmatch(value):
        if own:  # the same data holds ids of other things under other keys
            warmup.uuid = value.lower()
        return
    if isinstance(value, str):
        decoded = _decode(value)
        if decoded is None:
            if key.startswith(("OldPostPage", "feed-page", "post-list")):
                warmup.problems.append(
                    Problem(kind="malformed-json", message=f"warm-up entry {key[:60]} cannot be read", url=url)
                )
            return
        value = decoded
    for entry in _layers(value):
        page = _object(entry.get("postPage")) or ({"post": entry["post"]} if _object(entry.get("post")) else {})
        if _object(page.get("post")) and (own or not warmup.page):
            warmup.page = page
        metadata = _object(_object(entry.get("postPageMetadata")).get("postMetadata"))
        if metadata and (own or not warmup.metrics):
            warmup.metrics = metadata
        if feed := _object(entry.get("postFeedPage")):
            warmup.feeds.append(feed)
        counts = _object(_object(entry.get("postFeedMetadataPage")).get("postMetrics"))
        warmup.feed_metrics.update((uuid, count) for uuid, count in counts.items() if isinstance(count, dict))


def _layers(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the object and those inside its envelopes: answers of the blog's service are stored with theirs."""
    queue = [value]
    for layer in queue:
        if isinstance(layer, dict):
            yield layer
            names = ("data", "ctx", "response", "postPageResponse", "postPageMetadataResponse", "feedResponse")
            queue.extend(layer.get(name) for name in (*names, "metadataResponse") if isinstance(layer.get(name), dict))


def _decode(value: str) -> Any:
    """Decode a JSON string, or base64 of an escaped one ("JTdiJTIyZmVl..." begins `{"fee`); None for any other."""
    if not value.lstrip().startswith(("{", "[")):
        try:
            packed = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return None
        value = unescape(_text(packed))
    try:
        return json.loads(value, strict=False)
    except (ValueError, RecursionError):
        return None


def _text(packed: bytes) -> str:
    """Return what base64 held: UTF-8, or characters to U+00FF as single bytes, as JavaScript's `btoa` writes them."""
    try:
        return packed.decode("utf-8")
    except UnicodeDecodeError:
        return packed.decode("latin-1")


# "%u010D" of JavaScript's `escape`; "%ed" of that or of `encodeURIComponent`
_ESCAPED = re.compile(r"%u([0-9A-Fa-f]{4})|%([0-9A-Fa-f]{2})")


def unescape(text: str) -> str:
    """Undo JavaScript's `escape` (ECMA-262, B.2.1), or `encodeURIComponent` where the octets are UTF-8 throughout.

    `escape` writes the UTF-16 units of a text: "č" is `%u010D`, "í" is `%ED`, an emoji two units. A half of a pair
    becomes U+FFFD. A percent sign that begins neither form stays.
    """
    if "%u" not in text:
        octets = unquote_to_bytes(text)
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError:
            pass
    units = _ESCAPED.sub(lambda unit: chr(int(unit[1] or unit[2], 16)), text)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
