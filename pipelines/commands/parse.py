"""`clinic-archive parse`: what the parsers read from saved pages, without fetching or storing anything."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from scraper.extract import extract_post
from scraper.items import Exchange, Image, NotAPost, Post

# What an item holds beside the fields of a post; the rest is the run's memory.
PRIVATE = {"addresses", "author_person", "counters_pending", "comments_key", "media_pending"}


@click.command(short_help="Print what the parsers read from saved pages.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--url", help="The address it was saved from: links are resolved by it, answers of services known.")
@click.option("--captured-at", metavar="ISO", help="When it was saved; without it relative dates stay null.")
def command(files: tuple[Path, ...], url: str | None, captured_at: str | None) -> None:
    """Print one JSON object a line for each saved post page (HTML, API answer or plain text).

    A file that is no post is named on stderr; the others are still printed, and the exit code is 1.
    """
    try:
        at = datetime.fromisoformat(captured_at) if captured_at else None
    except ValueError as error:
        raise click.BadParameter(f"{captured_at!r} is no ISO 8601 date", param_hint="--captured-at") from error
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    failed = False
    for path in files:
        try:
            exchange = Exchange(url=url or "", body=path.read_bytes(), content_type=_mime(path), fetched_at=at)
            click.echo(json.dumps(document(extract_post(exchange)), ensure_ascii=False))
        except NotAPost as error:
            failed = True
            click.echo(f"{path}: not a post: {error}", err=True)
        except OSError as error:
            failed = True
            click.echo(f"{path}: {error.strerror}", err=True)
        except Exception as error:  # a fault of the parser's must not take the other files along
            failed = True
            click.echo(f"{path}: the parser failed ({type(error).__name__}: {error}); please report it", err=True)
    sys.exit(1 if failed else 0)


def document(post: Post) -> dict[str, Any]:
    """The post as JSON-ready values, keys in the order of the vocabulary."""
    values = {name: value for name, value in asdict(post).items() if name not in PRIVATE}
    values["links"] = [{"url": link.url, "text": link.text} for link in post.links]
    values["images"] = [_image(image) for image in post.images]
    return values


def _image(image: Image) -> dict[str, Any]:
    told = {"url": image.url, "alt": image.alt, "caption": image.caption}
    return told if image.kind == "image" else {**told, "kind": image.kind}


def _mime(path: Path) -> str:
    """What a server would have called the file; text has no sentinel of its own."""
    return {".txt": "text/plain", ".json": "application/json"}.get(path.suffix.lower(), "text/html")
