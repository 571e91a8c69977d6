"""Pages beside the items that a reader must give of them: `tests/pages/READER/NAME.html` and `NAME.json`.

A page begins with a comment: its address, the time of its capture (or "none"), and `via: dom` for a page as a browser
shows it in the end:

    <!-- url: https://www.clinic.example/post/sleep captured_at: 2024-05-02T09:30:00Z -->

An answer that is not HTML (JSON, for example) is a file NAME.body with `type: application/json` in the comment; its
first line is the comment and no part of the answer. Response headers that the reader needs come last, as JSON:
`headers: {"x-wp-totalpages": "3"}`. READER is the name of a platform or of a comment service.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from scraper.comments import services
from scraper.extract import extract
from scraper.items import Exchange, Item
from scraper.not_a_post import NotAPost
from scraper.platforms import platforms
from scraper.platforms._platform import Platform
from scraper.platforms._reader import Reader

PAGES = Path(__file__).parent / "pages"
HEADER = re.compile(
    r"<!-- url: (?P<url>\S+) captured_at: (?P<captured_at>\S+)(?: via: (?P<via>dom))?(?: type: (?P<type>\S+))?"
    r"(?: headers: (?P<headers>\{.*?\}))? -->\n?"
)
# Values that most items have, left out of the JSON.
USUAL = {
    "listed_url": None, "certain": True, "stated_url": None, "access": None, "type": "comment", "source": None,
    "counts": None, "counted_to": None,
}  # fmt: skip
# Fields that the JSON files call by an earlier name: `ThreadPage.cursor`.
JSON_NAMES = {"cursor": "asked"}
HTML = "text/html; charset=utf-8"


def pages() -> list[Path]:
    """Every page of every reader."""
    return sorted(path for suffix in ("html", "body") for path in PAGES.glob(f"*/*.{suffix}"))


def reader_of(path: Path) -> Reader:
    """The platform or comment service whose folder the page is in."""
    readers: list[Reader] = [*platforms(), *services()]
    return next(reader for reader in readers if reader.name == path.parent.name)


def exchange_of(path: Path) -> Exchange:
    """The page as the answer to a request, as its first line describes it."""
    body = path.read_bytes()
    header = HEADER.match(body.decode())
    assert header is not None, f"{path.name}: begin with <!-- url: ... captured_at: ... -->"
    return replace(described(header), body=body[len(header[0].encode()) :] if path.suffix == ".body" else body)


def described(header: re.Match[str]) -> Exchange:
    """The exchange that a page's first line describes, without its body."""
    url, captured_at, via = header["url"], header["captured_at"], header["via"]
    return Exchange(
        url=url,
        body=b"",
        content_type=header["type"] or HTML,
        fetched_at=None if captured_at == "none" else datetime.fromisoformat(captured_at),
        headers=json.loads(header["headers"] or "{}"),
        via=via,
        page=url if via else None,
    )


def expected_of(exchange: Exchange, reader: Reader) -> dict[str, Any]:
    """What the reader gives, as JSON values: its items, or the name of what it raises."""
    try:
        if exchange.via and isinstance(reader, Platform):
            items = list(extract(exchange, reader))
        else:
            items = list(reader.read(exchange))
    except NotAPost as error:
        return {"raises": type(error).__name__}
    values = {"items": [{"item": type(item).__name__, **_fields(item)} for item in items]}
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain


def _fields(item: Item) -> dict[str, Any]:
    """The item's fields by their names in the JSON; those of `USUAL` only where they differ from it."""
    fields = {name: value for name, value in asdict(item).items() if USUAL.get(name, ...) != value}
    return {JSON_NAMES.get(name, name): value for name, value in fields.items()}


def write_expected(path: Path) -> Path:
    """Write the JSON beside the page, as the reader gives it now."""
    expected = path.with_suffix(".json")
    values = expected_of(exchange_of(path), reader_of(path))
    expected.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return expected
