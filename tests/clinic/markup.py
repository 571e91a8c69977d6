"""The small markup the texts are written in, turned into blocks.

Blocks are separated by blank lines: `## ` and `### ` headings, `- ` and `1. ` lists, `> ` quotes, `---` dividers,
`~` an empty paragraph, `![alt|caption]` an image, `| a | b |` table rows, `@gallery 4`, `@video youtube URL`,
`@video own`, `@file NAME`, `@html`. Inside a line: `**bold**`, `*italic*`, `__underlined__`, `[words](address)`.
`{this|that}` picks one of its choices.
"""

from __future__ import annotations

import random
import re

from .model import FILES, VIDEO, Block, Image, Run, digest, number

_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")
_INLINE = re.compile(r"\[(?P<words>[^\]]+)\]\((?P<href>[^)]+)\)|\*\*(?P<b>.+?)\*\*|__(?P<u>.+?)__|\*(?P<i>.+?)\*")
_SIZES = ((1920, 1280), (2048, 1365), (1600, 1067), (1280, 1920), (3840, 2160), (1080, 1080))


def choose(text: str, rng: random.Random) -> str:
    """Resolve every `{this|that}` of a text."""
    while match := _CHOICE.search(text):
        text = text[: match.start()] + rng.choice(match[1].split("|")) + text[match.end() :]
    return text


def runs(line: str) -> tuple[Run, ...]:
    """Split a line into decorated runs."""
    found: list[Run] = []
    at = 0
    for match in _INLINE.finditer(line):
        if match.start() > at:
            found.append(Run(line[at : match.start()]))
        if match["words"]:
            words = match["words"]
            strong = words.startswith("**") and words.endswith("**")
            found.append(Run(words.strip("*") if strong else words, bold=strong, underline=True, href=match["href"]))
        elif match["b"]:
            found.append(Run(match["b"], bold=True))
        elif match["u"]:
            found.append(Run(match["u"], underline=True))
        else:
            found.append(Run(match["i"], italic=True))
        at = match.end()
    if at < len(line):
        found.append(Run(line[at:]))
    return tuple(found)


def picture(*parts: object, alt: str = "", caption: str = "") -> Image:
    """An invented picture: owner's six digits, 32 digits, `~mv2`, in one of a few usual sizes."""
    name = digest("image", *parts)
    width, height = _SIZES[number("size", *parts) % len(_SIZES)]
    kind = ("jpg", "jpg", "png", "webp")[number("kind", *parts) % 4]
    return Image(f"7c41d9_{name}~mv2.{kind}", width, height, alt, caption)


def _special(chunk: str, key: str, owner: str) -> Block | None:
    word, _, rest = chunk.partition(" ")
    if word == "@gallery":
        shots = tuple(picture(owner, key, index, alt=f"Photo {index + 1}") for index in range(int(rest or 3)))
        return Block("gallery", key, images=shots)
    if word == "@video":
        where, _, url = rest.partition(" ")
        own = f"{VIDEO}7c41d9_{digest('video', owner, key)}/1080p/mp4/file.mp4"
        return Block("video", key, url=url or own, name=where)
    if word == "@file":
        return Block("file", key, url=f"{FILES}7c41d9_{digest('file', owner, key)}.pdf", name=rest)
    if word == "@html":
        name = f"7c41d9_{digest('html', owner, key)}.html"
        return Block("html", key, url=f"https://juniperlane-example.filesusr.com/html/{name}")
    return None


def _block(chunk: str, key: str, owner: str) -> Block:
    lines = chunk.splitlines()
    first = lines[0]
    if chunk == "---":
        return Block("divider", key)
    if chunk == "~":
        return Block("empty", key)
    if first.startswith("#"):
        marks, _, words = chunk.partition(" ")
        return Block("heading", key, runs=runs(words), level=len(marks))
    if first.startswith("- "):
        return Block("bullets", key, items=tuple(runs(line[2:]) for line in lines))
    if re.match(r"\d+\. ", first):
        return Block("numbers", key, items=tuple(runs(line.split(". ", 1)[1]) for line in lines))
    if first.startswith("> "):
        return Block("quote", key, runs=runs(chunk[2:]))
    if first.startswith("| "):
        return Block(
            "table", key, rows=tuple(tuple(cell.strip() for cell in line.strip()[1:-1].split("|")) for line in lines)
        )
    if first.startswith("!["):
        alt, _, caption = chunk[2:-1].partition("|")
        return Block("image", key, images=(picture(owner, key, alt=alt, caption=caption),))
    return _special(chunk, key, owner) or Block("paragraph", key, runs=runs(" ".join(lines)))


def blocks(text: str, owner: str, spaced: bool) -> list[Block]:
    """The blocks of a text; `spaced` puts an empty paragraph between most of them, as many Wix authors do."""
    made: list[Block] = []
    for index, chunk in enumerate(part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()):
        key = "foo" if index == 0 else digest("block", owner, index)[:5]
        block = _block(chunk, key, owner)
        if spaced and made and block.kind != "empty" and made[-1].kind not in ("empty", "heading"):
            made.append(Block("empty", digest("gap", owner, index)[:5]))
        made.append(block)
    return made
