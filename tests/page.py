"""`make page FILE=page.html URL=https://...`: a saved post page becomes a test page, with its JSON beside it.

The platform is recognised from the page. A file that is no post of a platform that is read is refused, with the reason.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from scraper.items import Exchange, NotAPost, Post
from scraper.platforms import platform_named, platforms, recognise
from scraper.platforms._recognise import maker_sentence
from tests.golden import HEADER, HTML, PAGES, write_expected


class Refused(Exception):
    """The file cannot become a test page; the message says why and what to do."""


def main() -> int:
    """Add the page that the command line names. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make page", description=__doc__)
    parser.add_argument("file", type=Path, help="the saved page, as UTF-8")
    parser.add_argument("--url", required=True, help="the address that it was saved from")
    parser.add_argument("--at", help="when it was saved, ISO 8601; default: the date of the file")
    parser.add_argument("--name", help="name of the test page; default: from the address")
    parser.add_argument("--platform", help="platform; default: as recognised")
    arguments = parser.parse_args()
    try:
        page = add(arguments.file, arguments.url, arguments.at, arguments.name, arguments.platform)
    except Refused as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{arguments.file}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"{page}\n{page.with_suffix('.json')}\nReview the JSON. Replace names of private persons before you commit.")
    return 0


def add(
    file: Path, url: str, at: str | None = None, name: str | None = None, platform: str | None = None,
    folder: Path = PAGES,
) -> Path:  # fmt: skip
    """Copy the page into the folder of its platform and write its JSON. Raises `Refused`, OSError."""
    body = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    moment = _moment(at) if at else datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    reader = _platform(Exchange(url=url, body=body, content_type=HTML, fetched_at=moment), platform, file)
    target = folder / reader / f"{_name(name or url)}.html"
    if target.exists():
        raise Refused(f"{target} exists: give another NAME")
    try:
        has_header = HEADER.match(body.decode()) is not None
    except UnicodeDecodeError as error:
        raise Refused(f"{file}: not UTF-8 ({error.reason}); save the page as UTF-8") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    header = f"<!-- url: {url} captured_at: {moment:%Y-%m-%dT%H:%M:%SZ} -->\n"
    target.write_bytes(body if has_header else header.encode() + body)
    write_expected(target)
    return target


def _platform(exchange: Exchange, name: str | None, file: Path) -> str:
    """The name of the platform whose post the file is. Raises `Refused`."""
    platform = platform_named(name) if name else recognise(exchange)
    if platform is None:
        known = ", ".join(platform.name for platform in platforms())
        why = f"there is no platform {name!r}" if name else maker_sentence(exchange)
        raise Refused(f"{file}: {why}; platforms that are read: {known}. A new one needs its file first")
    try:
        posts = [item for item in platform.read(exchange) if isinstance(item, Post)]
    except NotAPost as error:
        raise Refused(f"{file}: not a post: {error}") from error
    if not posts:
        raise Refused(f"{file}: not a post: a {platform.name} page that shows no single post")
    return platform.name


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"AT={text}: not an ISO 8601 date") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _name(text: str) -> str:
    """A file's name: "https://a.example/post/how-it-works" gives "how_it_works"."""
    last = urlsplit(text).path.rstrip("/").rpartition("/")[2]
    return re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_") or "page"


if __name__ == "__main__":
    sys.exit(main())
