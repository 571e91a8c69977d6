"""The documents, and the fenced blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A block with its language and marks, as in: ```sh norun
_BLOCK = re.compile(r"^```(?P<language>\w+)(?P<marks>[ \w]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, marks such as `norun`, text, and the number of its first line."""

    language: str
    marks: frozenset[str]
    text: str
    line: int


def documents() -> list[Path]:
    """Every document that people read: the README, CONTRIBUTING and all of docs/."""
    names = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md") if (ROOT / name).exists()]
    return [*names, *sorted((ROOT / "docs").rglob("*.md"))]


def name(path: Path) -> str:
    """The document's path in the checkout."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[Block]:
    """The document's blocks of a language, in their order."""
    text = path.read_text("utf-8")
    return [
        Block(
            match["language"], frozenset(match["marks"].split()), match["text"], text[: match.start()].count("\n") + 2
        )
        for match in _BLOCK.finditer(text)
        if match["language"] == language
    ]
