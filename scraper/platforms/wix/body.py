"""The body of a Wix post, from the markup between `rcv-block-first` and `rcv-block-last`.

Every block is followed by an empty marker `<div type="paragraph" data-hook="rcv-block7">` that names its kind; around
the blocks are wrappers with hashed classes, which are passed over. A picture is a `wow-image` whose `data-image-info`
names the original file (the `img` inside is a blurred preview, if it is there at all). Galleries, videos and embedded
pages are mostly empty shells that a script fills: the marker tells so. [reference: section 6, "HTML rendering"]
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bs4 import Tag
from bs4.element import PageElement

from scraper.items import Image, Link
from scraper.platforms._body import WHOLE_ELEMENTS, Body, BodyWriter, Resolve
from scraper.platforms._tree import descendants, previous_sibling
from scraper.platforms.wix.richtext.images import picture_of

# Kinds of blocks whose markup is complete; any other kind that gave neither text nor media is a shell.
_COMPLETE = {
    "first",
    "last",
    "paragraph",
    "empty-line",
    "heading",
    "unstyled",
    "blockquote",
    "code-block",
    "divider",
    "image",
    "bulleted-list",
    "ordered-list",
    "collapsible-list",
    "button",
    "link-button",
    "action-button",
    "caption",
    "layout",
    *(f"h{level}" for level in range(1, 7)),
    *(f"header-{n}" for n in ("one", "two", "three", "four", "five", "six")),
    "unordered-list-item",
    "ordered-list-item",
    "list-item",
}
# "wix-draft-plugin-gallery", "wix-rich-content-plugin-collapsible-list" -> "gallery", "collapsible-list"
_PLUGIN = re.compile(r"^wix-(?:draft|rich-content)-plugin-")
# A block is at most this many elements below the marker of the first one.
_DEEPEST_BLOCK = 3
_GALLERY_HOOKS = {"gallery-viewer", "galleryViewer"}
# Parts of addresses of files that an author uploaded.
_FILE_PATHS = ("/_files/", "/ugd/")


def read_body(nodes: Iterable[PageElement], resolve: Resolve) -> Body:
    """Read the nodes between the block markers; `resolve` makes the addresses of links absolute. Never raises."""
    return _WixWriter(resolve).read(nodes)


class _WixWriter(BodyWriter):
    """Reads what ordinary HTML does not have: block markers, galleries, `wow-image`, dividers, uploaded files."""

    def __init__(self, resolve: Resolve) -> None:
        super().__init__(resolve)
        self._size_before: dict[int, int] = {}  # id of an element near the top -> `_size()` when it began

    def read_whole(self, tag: Tag) -> bool:
        """Read an element that is one thing with all its content: a marker, picture, gallery, film or rule."""
        if len(self.blocks) <= _DEEPEST_BLOCK:
            self._size_before[id(tag)] = self._size()
        hook = str(tag.get("data-hook") or "")
        if hook.startswith("rcv-block"):
            self._read_marker(tag)
        elif hook in _GALLERY_HOOKS:
            self._read_gallery(tag)
        elif tag.name == "wow-image":
            image = self.image_of(tag)
            if image is not None:
                self.add_image(image)
        elif tag.name in WHOLE_ELEMENTS:
            return super().read_whole(tag)
        elif hook.startswith("divider"):
            self.add_rule()
        else:
            return False
        return True

    def image_of(self, tag: Tag) -> Image | None:
        """Return the original file of a `wow-image` or `img`."""
        url, alt = picture_of(tag)
        return None if url is None else Image(url=url, alt=alt)

    def file_of(self, link: Link) -> Image | None:
        """Return the file where a link leads to one that the author uploaded."""
        uploaded = any(path in link.url for path in _FILE_PATHS)
        return Image(url=link.url, alt=link.text, kind="file") if uploaded else None

    def _read_gallery(self, tag: Tag) -> None:
        """Add a gallery's pictures: those first in view, each there twice (a preview, a copy). A script loads more."""
        self.media_pending = True
        seen: set[str] = set()
        for picture in descendants(tag, "wow-image", "img"):
            url, alt = picture_of(picture)
            if url is not None and url not in seen:
                seen.add(url)
                self.add_image(Image(url=url, alt=alt, kind="gallery"))

    def _read_marker(self, tag: Tag) -> None:
        """End the block before the marker; one of a kind that a script fills, and that gave nothing, is a shell."""
        self.flush()
        kind = _PLUGIN.sub("", str(tag.get("type") or "").strip().lower()).replace("_", "-")
        size_before = self._size_before.get(id(previous_sibling(tag)), -1)
        if kind and kind not in _COMPLETE and (self._size() == size_before or kind == "gallery"):
            self.media_pending = True

    def _size(self) -> int:
        """Return how many lines, pictures and links there are so far."""
        return len(self.lines) + len(self.images) + len(self.links)
