"""Draft.js documents of older Wix blogs -> Ricos nodes, so that one renderer reads both.

`{"blocks": [{"type": "unstyled", "text": "...", "inlineStyleRanges": [], "entityRanges": []}], "entityMap": {}}`:
the shape is Draft.js's `RawDraftContentState` (draftjs.org); the `wix-draft-plugin-*` names are those of Wix's editor
of 2018 to 2021 (github.com/wix/ricos). Offsets count UTF-16 units. Nothing here raises on an unexpected shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from scraper.platforms._json import dig, mapping, sequence, string

Node = dict[str, Any]
DEEPEST_LIST = 8  # the editor indents 4 times
DEEPEST_CELL = 4  # documents inside table cells and collapsible lists

BLOCKS = {
    "header-one": 1,
    "header-two": 2,
    "header-three": 3,
    "header-four": 4,
    "header-five": 5,
    "header-six": 6,
}
LISTS = {"unordered-list-item": "BULLETED_LIST", "ordered-list-item": "ORDERED_LIST"}
OTHERS = {"blockquote": "BLOCKQUOTE", "code-block": "CODE_BLOCK"}
STYLES = {"BOLD": "BOLD", "ITALIC": "ITALIC", "UNDERLINE": "UNDERLINE", "STRIKETHROUGH": "STRIKETHROUGH"}


def nodes_of_draft(document: Mapping[str, Any], depth: int = 0) -> Sequence[Node]:
    """Return the top nodes of a Draft.js document as Ricos nodes; none for anything else."""
    entities = mapping(document.get("entityMap"))
    nodes: list[Node] = []
    open_lists: list[Node] = []  # the list of each depth that the next item may join
    for raw in sequence(document.get("blocks")):
        block = mapping(raw)
        kind = string(block.get("type"))
        if kind not in LISTS:
            open_lists.clear()
        if kind == "atomic":
            nodes.extend(_atomic(block, entities, depth))
        elif kind in LISTS:
            _join(nodes, open_lists, block, entities)
        elif kind in BLOCKS:
            data = {"level": BLOCKS[kind]}
            nodes.append({"type": "HEADING", "headingData": data, "nodes": list(_runs(block, entities))})
        else:
            nodes.append({"type": OTHERS.get(kind, "PARAGRAPH"), "nodes": list(_runs(block, entities))})
    return nodes


def _join(nodes: list[Node], open_lists: list[Node], block: Mapping[str, Any], entities: Mapping[str, Any]) -> None:
    """Add a list item to the list of its depth; a deeper one opens a list inside the preceding item."""
    kind, level = LISTS[string(block.get("type"))], block.get("depth")
    level = min(level, DEEPEST_LIST, len(open_lists)) if isinstance(level, int) and level > 0 else 0
    del open_lists[level + 1 :]
    if len(open_lists) > level and open_lists[level]["type"] != kind:
        del open_lists[level:]
    if len(open_lists) == level:
        opened: Node = {"type": kind, "nodes": []}
        (open_lists[-1]["nodes"][-1]["nodes"] if open_lists else nodes).append(opened)
        open_lists.append(opened)
    paragraph = {"type": "PARAGRAPH", "nodes": list(_runs(block, entities))}
    open_lists[level]["nodes"].append({"type": "LIST_ITEM", "nodes": [paragraph]})


def _span(raw: object, length: int) -> tuple[int, int]:
    """Return start and end of a range, in UTF-16 units, inside a text of `length`."""
    start, size = mapping(raw).get("offset"), mapping(raw).get("length")
    if not isinstance(start, int) or not isinstance(size, int):
        return 0, 0
    start = min(max(start, 0), length)
    return start, min(max(start + size, start), length)


def _runs(block: Mapping[str, Any], entities: Mapping[str, Any]) -> Iterator[Node]:
    """Yield the text of a block, cut where a style or link begins or ends: "see *this*" -> "see ", bold "this"."""
    units = string(block.get("text")).encode("utf-16-le")
    length = len(units) // 2
    spans: list[tuple[int, int, Node]] = []
    for raw in sequence(block.get("inlineStyleRanges")):
        name = STYLES.get(string(mapping(raw).get("style")))
        if name:
            spans.append((*_span(raw, length), {"type": name}))
    for raw in sequence(block.get("entityRanges")):
        entity = _entity(raw, entities)
        address = string(dig(entity, "data", "url"))
        if string(entity.get("type")).upper() in ("LINK", "WIX-DRAFT-PLUGIN-LINK") and address:
            spans.append((*_span(raw, length), {"type": "LINK", "linkData": {"link": {"url": address}}}))
    cuts = sorted({0, length, *(start for start, _, _ in spans), *(end for _, end, _ in spans)})
    for start, end in pairwise(cuts):
        text = units[2 * start : 2 * end].decode("utf-16-le", "replace")
        styles = [style for first, last, style in spans if first <= start and end <= last]
        yield {"type": "TEXT", "textData": {"text": text, "decorations": styles}}


def _entity(span: object, entities: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(entities.get(str(mapping(span).get("key"))))


def _atomic(block: Mapping[str, Any], entities: Mapping[str, Any], depth: int) -> Iterator[Node]:
    """Yield the media of an atomic block, which are its entities; its text is a placeholder of one space."""
    for span in sequence(block.get("entityRanges")):
        entity = _entity(span, entities)
        kind = string(entity.get("type")).lower().removeprefix("wix-draft-plugin-")
        yield from _plugin(kind, mapping(entity.get("data")), depth)


def _plugin(kind: str, data: Mapping[str, Any], depth: int) -> Iterator[Node]:
    """Yield a plugin's data as the Ricos node that replaced it."""
    link = {"url": dig(data, "config", "link", "url") or data.get("url")}
    if kind in ("image", "gallery"):
        items = sequence(data.get("items")) if kind == "gallery" else ()
        about = mapping(data.get("metadata"))
        image = {"image": {"src": data.get("src")}, "altText": about.get("alt"), "caption": about.get("caption")}
        image["link"] = {"url": dig(data, "config", "link", "url")}
        yield (
            {"type": "GALLERY", "galleryData": {"items": [_gallery_item(item) for item in items]}}
            if kind == "gallery"
            else {"type": "IMAGE", "imageData": image}
        )
    elif kind in ("video", "video-embed"):
        yield {"type": "VIDEO", "videoData": {"video": {"src": _source(data.get("src"))}}}
    elif kind == "file-upload":
        source = {"url": data.get("url"), "id": data.get("id")}
        yield {"type": "FILE", "fileData": {"src": source, "name": data.get("name")}}
    elif kind == "divider":
        yield {"type": "DIVIDER"}
    elif kind == "html":
        yield {"type": "HTML", "htmlData": {"url": data.get("src") if data.get("srcType") == "url" else None}}
    elif kind == "giphy":
        yield {"type": "GIF", "gifData": {"original": {"gif": _source(dig(data, "gif", "originalUrl"))}}}
    elif kind in ("link-button", "action-button"):
        settings = mapping(dig(data, "button", "settings"))
        target = {"url": settings.get("url")}
        yield {"type": "BUTTON", "buttonData": {"text": settings.get("buttonText"), "link": target}}
    elif kind == "link-preview":
        yield {"type": "LINK_PREVIEW", "linkPreviewData": {**data, "link": link}}
    elif depth < DEEPEST_CELL:
        yield from _documents(data, depth + 1)


def _source(value: object) -> Node:
    """Return a source that is an address, or an object with the path of an uploaded file."""
    return {"url": value} if isinstance(value, str) else dict(mapping(value))


def _gallery_item(raw: object) -> Node:
    item = mapping(raw)
    about = mapping(item.get("metadata"))
    part = "video" if about.get("type") == "video" else "image"
    named = {"altText": about.get("altText"), "title": about.get("title")}
    return {part: {"media": {"src": {"id": item.get("url")}}, "src": {"id": item.get("url")}}, **named}


def _documents(data: Mapping[str, Any], depth: int) -> Iterator[Node]:
    """Yield documents inside a plugin: cells of a table, title and content of each pair of a collapsible list."""
    rows = [mapping(dig(row, "columns")) for row in mapping(dig(data, "config", "rows")).values()]
    if rows:
        yield {"type": "TABLE", "nodes": [{"type": "TABLE_ROW", "nodes": _cells(row, depth)} for row in rows]}
    for pair in sequence(data.get("pairs")):
        for part in ("title", "content"):
            yield from nodes_of_draft(mapping(mapping(pair).get(part)), depth)


def _cells(row: Mapping[str, Any], depth: int) -> list[Node]:
    documents = (mapping(dig(cell, "content")) for cell in row.values())
    return [{"type": "TABLE_CELL", "nodes": list(nodes_of_draft(document, depth))} for document in documents]
