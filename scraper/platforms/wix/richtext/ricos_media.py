"""Media of Wix's rich content -> addresses of the original files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from scraper.items import Image
from scraper.platforms._json import dig, mapping, sequence, string
from scraper.platforms._values import clean

Kind = Literal["image", "gallery", "video", "file"]
MEDIA = "https://static.wixstatic.com/media/"
VIDEOS = "https://video.wixstatic.com/"
FILES = "https://static.wixstatic.com/ugd/"
# "https:", "mailto:", "tel:": the scheme of an address
SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
# Schemes of addresses that a reader can follow; "javascript:" and "data:" are none.
FOLLOWABLE = ("http", "https", "mailto", "tel", "sms")
# "wix:image://v1/ab12~mv2.jpg/photo.jpg#originWidth=10" -> "ab12~mv2.jpg"
INTERNAL = re.compile(r"wix:(?:image|document|video)://v1/([^/#?]+)")
# "https://static.wixstatic.com/media/ab12~mv2.jpg/v1/fill/w_10,h_10/file.jpg": what follows the name is a rendition
RENDITION = re.compile(r"(https?://static\.wixstatic\.com/media/[^/?#]+)[/?#].*", re.IGNORECASE | re.DOTALL)


def media_url(source: object, base: str = MEDIA) -> str | None:
    """Return the address of the original file of a media source, e.g. `{"id": "ab12~mv2.jpg"}`; None if it names none.

    `base` is the folder of bare ids of this kind. Escaped ids (`ab12%7Emv2.jpg`) are unescaped, as pages write them.
    """
    source = {"id": source} if isinstance(source, str) else mapping(source)
    name = next(filter(None, (string(source.get(key)).strip() for key in ("url", "id", "file_name", "pathname"))), "")
    if match := INTERNAL.match(name):
        name = match[1]
    if not name:
        return None
    if base == VIDEOS and "/" not in name:
        name = f"video/{name}/file"
    address = name if SCHEME.match(name) or name.startswith("//") else base + name.lstrip("/").removeprefix("media/")
    return RENDITION.sub(r"\1", address).replace("%7E", "~").replace("%7e", "~") if is_followable(address) else None


def is_followable(url: str) -> bool:
    """Tell whether the address is relative, or of a scheme that a page can link to."""
    scheme = SCHEME.match(url)
    return bool(url) and (scheme is None or scheme[1].lower() in FOLLOWABLE)


def media_of(kind: str, data: Mapping[str, Any]) -> Iterator[Image]:
    """Yield the files that a media node names; `data` is the node's data object."""
    if kind == "GALLERY":
        yield from filter(None, map(_gallery_item, sequence(data.get("items"))))
        return
    sources: dict[str, tuple[object, str, Kind]] = {
        "IMAGE": (dig(data, "image", "src"), MEDIA, "image"),
        "GIF": (dig(data, "original", "gif") or dig(data, "original", "mp4"), MEDIA, "image"),
        "VIDEO": (dig(data, "video", "src"), VIDEOS, "video"),
        "FILE": (data.get("src"), FILES, "file"),
        "AUDIO": (dig(data, "audio", "src"), FILES, "file"),
    }
    source, base, image_kind = sources[kind]
    address = media_url(source, base)
    if address:
        alt = string(data.get("altText") or data.get("name") or data.get("title"))
        yield Image(url=address, alt=clean(alt), kind=image_kind)


def _gallery_item(raw: object) -> Image | None:
    item = mapping(raw)
    is_video = bool(item.get("video"))
    part = mapping(item.get("video" if is_video else "image"))
    source = dig(part, "media", "src") or part.get("src") or part.get("media")
    address = media_url(source, VIDEOS if is_video else MEDIA)
    if not address:
        return None
    alt, caption = clean(string(item.get("altText"))), clean(string(item.get("title")))
    return Image(url=address, alt=alt, caption=caption, kind="video" if is_video else "gallery")
