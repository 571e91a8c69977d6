"""`clinic-archive parse`: what the parsers read from saved pages, without fetching or storing anything."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pipelines.commands._options import examples, utc_moment
from pipelines.exit_codes import ExitCode
from pipelines.printing import echo
from scraper.extract import extract_post
from scraper.items import Comment, Exchange, Image, Post
from scraper.not_a_post import NotAPost

# Fields of the item that are no fields of the post: the run needs them.
PRIVATE = {
    "addresses",
    "author_person",
    "counters_pending",
    "comments_key",
    "media_pending",
    "stated_url",
    "counted_to",
}
# Who wrote a comment is for the pseudonym alone; the post that it is on is the one printed.
PRIVATE_OF_COMMENTS = {"person", "post"}


@click.command(
    short_help="Print what the parsers read from saved pages.",
    epilog=examples("clinic-archive parse post.html --url https://www.example.com/post/sleep"),
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--url", help="Address of the page: links are resolved with it, and answers of services recognised.")
@click.option("--captured-at", metavar="ISO", help="When the page was saved; without it relative dates stay null.")
def command(files: tuple[Path, ...], url: str | None, captured_at: str | None) -> None:
    """Print one JSON object per line, for each saved post page (HTML, API answer or plain text).

    A file that is no post is named on stderr; the other files are still printed, and the exit code is 1.
    """
    at = utc_moment(captured_at, "--captured-at")
    code = ExitCode.DONE
    for path in files:
        problem = _parse(path, url or "", at)
        if problem is not None:
            code = ExitCode.UNEXPECTED
            echo(f"{path}: {problem}", err=True)
    sys.exit(code)


def _parse(path: Path, url: str, at: datetime | None) -> str | None:
    """Print a file's post; return why there is none."""
    try:
        exchange = Exchange(url=url, body=path.read_bytes(), content_type=_mime(path), fetched_at=at)
        echo(json.dumps(document(extract_post(exchange)), ensure_ascii=False))
    except NotAPost as error:
        return f"not a post: {error}"
    except OSError as error:
        return str(error.strerror)
    except Exception as error:  # a fault of the parser must not hide the other files
        return f"the parser failed ({type(error).__name__}: {error}); please report it"
    return None


def document(post: Post) -> dict[str, Any]:
    """Return the post as JSON-ready values, keys in the order of the vocabulary."""
    values = {name: value for name, value in asdict(post).items() if name not in PRIVATE}
    values["comments"] = [_comment(comment) for comment in post.comments]
    values["links"] = [{"url": link.url, "text": link.text} for link in post.links]
    values["images"] = [_image(image) for image in post.images]
    return values


def _comment(comment: Comment) -> dict[str, Any]:
    return {name: value for name, value in asdict(comment).items() if name not in PRIVATE_OF_COMMENTS}


def _image(image: Image) -> dict[str, Any]:
    values = {"url": image.url, "alt": image.alt, "caption": image.caption}
    return values if image.kind == "image" else {**values, "kind": image.kind}


def _mime(path: Path) -> str:
    """The content type that a server would have sent; text cannot be told from HTML by its bytes."""
    return {".txt": "text/plain", ".json": "application/json"}.get(path.suffix.lower(), "text/html")
