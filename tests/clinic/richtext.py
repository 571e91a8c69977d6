"""Renders blocks as the rich content viewer does, for both generations of pages (reference, section 6).

Each block is followed by an empty marker `rcv-blockN` that names its kind. Pictures are blurred placeholders whose
true file stands in `data-image-info`. Galleries, videos, files and embeds are shells without addresses.
"""

from __future__ import annotations

import json
from html import escape

from .model import Block, Image, Run

_MARKERS = {
    "paragraph": "paragraph",
    "empty": "empty-line",
    "heading": "heading",
    "quote": "blockquote",
    "image": "image",
    "divider": "divider",
    "bullets": "bulleted_list",
    "numbers": "ordered_list",
    "gallery": "gallery",
    "video": "video",
    "table": "table",
    "file": "file",
    "html": "html",
}
_VERSIONS = {"g1-numbers": "9.16.9", "g1-warmup-early": "10.19.4", "g1-warmup-full": "10.82.3", "g2-empty": "10.139.2"}
_STYLED = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "quote", "link", "hashtag", "code-block")
_FACETS = ("font-weight", "font-style", "line-height", "font-size", "font-family", "text-decoration", "color")


def viewer_style(generation: int) -> str:
    """The long list of custom properties on the viewer."""
    parts = [
        "--ricos-text-color:rgb(var(--textParagraphColor-rgb))",
        "--ricos-action-color:rgb(var(--postButtonBackground))",
        "--ricos-background-color:rgb(var(--postBackgroundColor))",
        "--ricos-fallback-color:rgb(0, 0, 0)",
        "--ricos-fallback-color-tuple:0, 0, 0",
        "--ricos-settings-action-color:rgb(0, 0, 0)",
    ]
    for name in _STYLED:
        for facet in _FACETS:
            value = f"var(--text{name.title()}Font-{facet})" if generation == 2 else "inherit"
            parts.append(f"--ricos-custom-{name}-{facet}:{value}")
    return ";".join(parts)


def rendered_run(run: Run, base: str, generation: int) -> str:
    """A run with its decorations, outermost the link."""
    inner = f"<span>{escape(run.text, quote=False)}</span>"
    if run.underline:
        inner = f'<u style="text-decoration:underline">{inner}</u>'
    if run.italic:
        inner = f'<em style="font-style:italic">{inner}</em>'
    if run.bold:
        inner = f'<strong style="font-weight:700">{inner}</strong>'
    if run.href:
        target = base + run.href if run.href.startswith("/") else run.href
        hook = "web-link" if generation == 2 else "linkViewer"
        own = "_self" if run.href.startswith("/") else "_blank"
        inner = (
            f'<a class="OHs8- IyRpB" data-hook="{hook}" href="{escape(target)}" target="{own}" '
            f'rel="noopener noreferrer">{inner}</a>'
        )
    return inner


def _runs(runs: tuple[Run, ...], base: str, generation: int) -> str:
    return "".join(rendered_run(run, base, generation) for run in runs)


def image_info(image: Image, container: str) -> str:
    """The attribute value that names the true file."""
    info = {
        "containerId": container,
        "displayMode": "fill",
        "isLQIP": True,
        "isSEOBot": False,
        "lqipTransition": "blur",
        "encoding": "AVIF",
        "imageData": {
            "width": image.width,
            "height": image.height,
            "uri": image.uri,
            "name": "",
            "displayMode": "fill",
        },
    }
    return escape(json.dumps(info, separators=(",", ":")))


def blurred(image: Image, width: int = 147) -> str:
    """The address of the small blurred placeholder."""
    height = round(width * image.height / image.width)
    transform = f"w_{width},h_{height},al_c,q_80,usm_0.66_1.00_0.01,blur_2,enc_avif,quality_auto"
    return f"{image.url}/v1/fill/{transform}/{image.uri}"


def _image(block: Block, page: str, generation: int) -> str:
    image = block.images[0]
    whole = f"{image.url}/v1/fill/w_{image.width},h_{image.height},al_c,q_85/{image.uri}"
    outer, inner, button = (
        ("figure-IMAGE", "image-viewer", "image-expand-button")
        if generation == 2
        else ("imageViewer", "imageViewer", "imageExpandButton")
    )
    caption = ""
    if image.caption:
        caption = (
            f'<figcaption class="_3bYfd" id="viewer-{block.key}c" dir="auto"><span>{escape(image.caption)}</span>'
            "</figcaption>"
        )
    return (
        f'<div class="giltF" id="viewer-{block.key}"><div class="M9Otd xf3Lh"><figure class="yntck" '
        f'data-hook="{outer}">'
        f'<div class="oMGcg" data-hook="{inner}"><div class="MYKWZ PMatv" data-hook="{inner}-{block.key}" '
        f'id="{block.key}" '
        f'style="--dim-height:{image.height};--dim-width:{image.width}"><wow-image id="{image.uri}" class="AoxhE" '
        f'data-has-ssr-src="true" data-image-info="{image_info(image, block.key)}"><img alt="{escape(image.alt)}" '
        f'data-pin-media="{whole}" data-pin-url="{escape(page)}" draggable="false" src="{blurred(image)}"/>'
        "</wow-image></div>"
        f'<button class="R-X3w" data-hook="{button}" aria-label="Expand image" type="button"></button></div>'
        f"{caption}</figure></div></div>"
    )


def _list(block: Block, base: str, generation: int) -> str:
    tag, style = ("ul", "disc") if block.kind == "bullets" else ("ol", "decimal")
    items = "".join(
        f'<li class="b27zF" dir="auto" aria-level="1" style="margin-inline-start:1.5em;list-style-type:{style}">'
        f'<p class="pQuHl TfvTg z3yvg" id="viewer-{block.key}{index}" dir=""><span class="kJaSN">'
        f"{_runs(item, base, generation)}</span></p></li>"
        for index, item in enumerate(block.items)
    )
    return f'<{tag} class="CMRv5 z3yvg">{items}</{tag}>'


def _table(block: Block) -> str:
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td class="Qm6zk" data-hook="table-plugin-cell" id="{block.key}{row}x{column}"><div class="A1nhe">'
            f'<p class="pQuHl" dir="auto" id="viewer-{block.key}{row}{column}"><span class="kJaSN"><span>{escape(cell)}'
            "</span></span></p></div></td>"
            for column, cell in enumerate(cells)
        )
        + "</tr>"
        for row, cells in enumerate(block.rows)
    )
    return (
        f'<div class="xBcfw" id="viewer-{block.key}"><div data-hook="table-component" class="gRSiP"><table '
        'class="_6eZ1u">'
        f"<tbody>{rows}</tbody></table></div></div>"
    )


def _shell(block: Block, generation: int) -> str:
    hooks = {
        "gallery": "gallery-viewer" if generation == 2 else "galleryViewer",
        "video": "video-player" if generation == 2 else "reactPlayerWrapper",
        "file": "file-upload-viewer",
        "html": "htmlComponent",
    }
    inner = (
        f'<div class="YjW7y" data-hook="{hooks[block.kind]}" role="none"><div data-loaded="true"><div '
        'loading="lazy"></div></div></div>'
    )
    if block.kind == "video":
        inner = f'<figure class="Exewp" data-hook="figure-VIDEO">{inner}</figure>'
    if block.kind == "gallery":
        inner += (
            f'<div id="pro-gallery-{block.key}-not-scoped" class="pro-gallery"><div class="pro-gallery-prerender">'
            "</div></div>"
        )
    return f'<div class="Ty9C4" id="viewer-{block.key}"><div class="_5TbcM">{inner}</div></div>'


def rendered_block(block: Block, base: str, page: str, generation: int) -> str:
    """One block without its marker."""
    ident = f'id="viewer-{block.key}" dir="auto"'
    if block.kind == "heading":
        return (
            f'<h{block.level} class="Xni8y _3z5wP z3yvg" {ident}><span class="kdaK-">'
            f"{_runs(block.runs, base, generation)}</span></h{block.level}>"
        )
    if block.kind == "quote":
        return (
            f'<div class="l6Tj8" id="viewer-{block.key}" dir="ltr"><blockquote class="_4Yh49"><span><div class="DcaPr" '
            f'dir="auto" id="viewer-{block.key}q"><span class="ATqq4">{_runs(block.runs, base, generation)}</span>'
            "</div>"
            "</span></blockquote></div>"
        )
    if block.kind == "empty":
        return f'<div class="pQuHl TfvTg z3yvg" {ident}><span class="kJaSN"><br role="presentation"/></span></div>'
    if block.kind == "divider":
        return (
            f'<div class="QHjDE" id="viewer-{block.key}"><div class="gO6aa"><div class="_4-MIc" '
            'data-hook="divider-single">'
            '<div class="pFxyb"></div></div></div></div>'
        )
    if block.kind in ("bullets", "numbers"):
        return _list(block, base, generation)
    if block.kind == "image":
        return _image(block, page, generation)
    if block.kind == "table":
        return _table(block)
    if block.kind in ("gallery", "video", "file", "html"):
        return _shell(block, generation)
    return f'<p class="pQuHl TfvTg z3yvg" {ident}><span class="kJaSN">{_runs(block.runs, base, generation)}</span></p>'


def rendered(blocks: list[Block], base: str, page: str, variant: str, direction: str) -> str:
    """The whole rich content viewer with its first, numbered and last markers."""
    generation = 1 if variant.startswith("g1") else 2
    version = _VERSIONS.get(variant, "9.3.6" if generation == 1 else "10.177.1")
    parts = []
    for index, block in enumerate(blocks, 1):
        inner = rendered_block(block, base, page, generation)
        if version.startswith("10."):
            inner = f'<div data-breakout="normal">{inner}</div>'
        parts.append(f'{inner}<div type="{_MARKERS[block.kind]}" data-hook="rcv-block{index}"></div>')
    return (
        f'<div class="moHCnT"><div class="moHCnT"><div class="fTEXDR" data-rce-version="{version}"><div class="kF1Yq" '
        f'data-id="content-viewer" dir="{direction}" style="{viewer_style(generation)}"><div class="uoKII">'
        f'<div type="first" data-hook="rcv-block-first"></div><div class="_4XU5A">{"".join(parts)}</div>'
        '<div type="last" data-hook="rcv-block-last"></div></div></div></div></div></div>'
    )
