"""The sample clinic with few posts, small pages and a moved clock, as a process: for small archives with fixed dates.

Start it by hand with `python -m tests.gate.sample MOMENT SLUG,SLUG --port 0 --state DIR`: the first two arguments are
the moment at which it starts (ISO 8601) and the posts that it has; the others are those of `tests.clinic`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from tests.clinic import Clinic, chrome, compose, padding, pages, state, world
from tests.clinic.__main__ import main as serve
from tests.clinic.model import Block, Post

ROOT = Path(__file__).resolve().parents[2]
PORT = 47111  # fixed: a clinic's address is part of every row
CATEGORIES = {"Clinic News", "Research"}


def few(slugs: set[str]) -> None:
    """The clinic has only these posts, in two categories, and their texts are short."""
    every = compose.posts

    def posts(anchor: datetime) -> list[Post]:
        chosen = [post for post in every(anchor) if post.slug in slugs]
        for post in chosen:
            post.categories = [label for label in post.categories if label in CATEGORIES]
            post.blocks = _short(post.blocks)
        return chosen

    compose.posts = posts


def _short(blocks: list[Block]) -> list[Block]:
    """The first two blocks of each kind, and those with links."""
    before = [sum(other.kind == block.kind for other in blocks[:place]) for place, block in enumerate(blocks)]
    return [block for block, number in zip(blocks, before, strict=True) if number < 2 or _links(block)]


def _links(block: Block) -> bool:
    return any(run.href for run in block.all_runs())


def small() -> None:
    """Pages carry almost no style sheets, scripts, drawings and links of the site's own."""
    chrome.MENU = chrome.MENU[-3:]
    chrome._FOOTER = ()
    padding.style_sheets = lambda generation: ("<style>.a{margin:0}</style>",)
    padding.model_filler = lambda generation: "{}"
    padding.script_filler = lambda seed, size: "(function(){})();"
    padding.icon = lambda seed, points=40: '<svg viewBox="0 0 19 19"></svg>'


def move(by: timedelta) -> None:
    """Every module of the clinic that reads the clock reads a moved one."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + by

    for module in (pages, state, world):
        module.datetime = Moved  # type: ignore[misc]


@contextmanager
def clinic_at(moment: datetime, folder: Path, slugs: Sequence[str], *more: str) -> Iterator[Clinic]:
    """The clinic from that moment to the end of the block; what it has served and changed stays in `folder`."""
    given = [moment.isoformat(), ",".join(slugs), "--port", str(PORT), "--state", str(folder), *more]
    command = [sys.executable, "-m", "tests.gate.sample", *given, "--exit-with-parent"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    clinic = Clinic(process.stdout.readline().strip(), process)
    try:
        yield clinic
    finally:
        clinic.stop()
        process.stdout.close()


def main() -> None:
    """Take the first two arguments and serve with the others."""
    moment, slugs = datetime.fromisoformat(sys.argv.pop(1)), sys.argv.pop(1)
    few(set(slugs.split(",")))
    small()
    move(moment - datetime.now(UTC))
    # Ids of posts are made of the second of the first start: it is the same however long this program took to start.
    events = Path(sys.argv[sys.argv.index("--state") + 1], "events.jsonl")
    if not events.exists():
        events.parent.mkdir(parents=True, exist_ok=True)
        events.write_text(json.dumps({"event": "first-start", "at": moment.isoformat()}) + "\n", "utf-8")
    serve()


if __name__ == "__main__":
    main()
