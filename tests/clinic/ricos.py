"""The same blocks as rich content nodes: the JSON form of a text (reference, section 6).

It says what the rendered page cannot: the files of galleries, videos, attachments and embeds.
"""

from __future__ import annotations

from typing import Any

from .model import Block, Image, Post, Run, iso, stable_uuid

Json = dict[str, Any]


def _decorations(run: Run) -> list[Json]:
    made: list[Json] = []
    if run.bold:
        made.append({"type": "BOLD", "fontWeightValue": 700})
    if run.italic:
        made.append({"type": "ITALIC", "italicData": True})
    if run.underline:
        made.append({"type": "UNDERLINE"})
    return made


def _text(run: Run, base: str) -> Json:
    decorations = _decorations(run)
    if run.href:
        target = base + run.href if run.href.startswith("/") else run.href
        link = {"url": target, "target": "SELF" if run.href.startswith("/") else "BLANK", "rel": {"noreferrer": True}}
        decorations.append({"type": "LINK", "linkData": {"link": link}})
    return {"type": "TEXT", "id": "", "nodes": [], "textData": {"text": run.text, "decorations": decorations}}


def paragraph(runs: tuple[Run, ...], key: str, base: str) -> Json:
    """A paragraph node; without runs it is a blank line."""
    return {
        "type": "PARAGRAPH",
        "id": key,
        "nodes": [_text(run, base) for run in runs],
        "paragraphData": {"textStyle": {"textAlignment": "AUTO"}},
    }


def _media(image: Image) -> Json:
    return {"src": {"id": image.uri}, "width": image.width, "height": image.height}


def _node(block: Block, base: str) -> Json:
    kind, key = block.kind, block.key
    container = {"width": {"size": "CONTENT"}, "alignment": "CENTER", "textWrap": True}
    if kind == "heading":
        data = {"level": block.level, "textStyle": {"textAlignment": "AUTO"}}
        return {"type": "HEADING", "id": key, "nodes": [_text(run, base) for run in block.runs], "headingData": data}
    if kind == "quote":
        inner = [paragraph(block.runs, key + "q", base)]
        return {"type": "BLOCKQUOTE", "id": key, "nodes": inner, "blockquoteData": {"indentation": 0}}
    if kind == "divider":
        data = {"containerData": container, "lineStyle": "SINGLE", "width": "LARGE", "alignment": "CENTER"}
        return {"type": "DIVIDER", "id": key, "nodes": [], "dividerData": data}
    if kind in ("bullets", "numbers"):
        items = [
            {"type": "LIST_ITEM", "id": f"{key}i{index}", "nodes": [paragraph(item, f"{key}{index}", base)]}
            for index, item in enumerate(block.items)
        ]
        name = "BULLETED_LIST" if kind == "bullets" else "ORDERED_LIST"
        field = "bulletedListData" if kind == "bullets" else "orderedListData"
        return {"type": name, "id": key, "nodes": items, field: {"indentation": 0}}
    if kind == "image":
        image = block.images[0]
        caption: list[Json] = []
        if image.caption:
            words = [_text(Run(image.caption), base)]
            caption = [{"type": "CAPTION", "id": key + "c", "nodes": words, "captionData": {}}]
        data = {"containerData": container, "image": _media(image), "altText": image.alt}
        return {"type": "IMAGE", "id": key, "nodes": caption, "imageData": data}
    if kind == "gallery":
        shots = [{"image": {"media": _media(image)}, "altText": image.alt} for image in block.images]
        data = {"containerData": container, "items": shots, "options": {"layout": {"type": "GRID"}}}
        return {"type": "GALLERY", "id": key, "nodes": [], "galleryData": data}
    if kind == "video":
        source = {"src": {"url": block.url}, "duration": 184}
        data = {"containerData": container, "video": source, "thumbnail": {"src": {"url": ""}}, "title": ""}
        return {"type": "VIDEO", "id": key, "nodes": [], "videoData": data}
    if kind == "file":
        data = {
            "containerData": container,
            "src": {"url": block.url},
            "name": block.name,
            "type": "pdf",
            "size": 183_204,
            "mimeType": "application/pdf",
        }
        return {"type": "FILE", "id": key, "nodes": [], "fileData": data}
    if kind == "html":
        data = {"containerData": container, "url": block.url, "source": "HTML"}
        return {"type": "HTML", "id": key, "nodes": [], "htmlData": data}
    if kind == "table":
        rows = [
            {
                "type": "TABLE_ROW",
                "id": f"{key}r{row}",
                "nodes": [
                    {
                        "type": "TABLE_CELL",
                        "id": f"{key}r{row}c{column}",
                        "tableCellData": {},
                        "nodes": [paragraph((Run(cell),) if cell else (), f"{key}{row}{column}", base)],
                    }
                    for column, cell in enumerate(cells)
                ],
            }
            for row, cells in enumerate(block.rows)
        ]
        return {"type": "TABLE", "id": key, "nodes": rows, "tableData": {"containerData": container}}
    return paragraph(block.runs, key, base)


def rich_content(post: Post, base: str) -> Json:
    """The document of a post; empty for members-only posts."""
    stamps = {"createdTimestamp": iso(post.published), "updatedTimestamp": iso(post.modified)}
    return {
        "nodes": [] if post.members_only else [_node(block, base) for block in post.blocks],
        "metadata": {"version": 1, **stamps, "id": stable_uuid("content", post.birth_slug)},
        "documentStyle": {},
    }
