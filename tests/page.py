"""`make page FILE=page.html URL=https://...`: a saved answer becomes a test page, with its JSON beside it.

HTML becomes NAME.html; JSON, the answer of an API, becomes NAME.body. The platform is recognised from the answer. Three
answers are refused, with the reason: one of no platform that is read, a page without a post (unless NOPOST=1 says that
it is meant to have none), and one that reads differently once the comment of a test page precedes it.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from scraper.items import Exchange, Post
from scraper.not_a_post import NotAPost
from scraper.platforms import platform_named, platforms, recognise
from scraper.platforms._json import decode
from scraper.platforms._platform import Platform
from scraper.platforms._recognise import maker_sentence
from tests.golden import HEADER, HTML, PAGES, described, exchange_of, expected_of, write_expected

JSON = "application/json"


class Refused(Exception):
    """The file cannot become a test page; the message says why and what to do."""


def main() -> int:
    """Add the page that the command line names. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make page", description=__doc__)
    parser.add_argument("file", type=Path, help="the saved page or API answer, as UTF-8")
    parser.add_argument("--url", required=True, help="the address that it was saved from")
    parser.add_argument("--at", help="when it was saved, ISO 8601; default: the date of the file")
    parser.add_argument("--name", help="name of the test page; default: from the address")
    parser.add_argument("--platform", help="platform; default: as recognised")
    parser.add_argument("--no-post", action="store_true", help="the page is meant to have no post")
    arguments = parser.parse_args()
    try:
        page = add(
            arguments.file, arguments.url, arguments.at, arguments.name, arguments.platform, no_post=arguments.no_post
        )
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
    *, no_post: bool = False, folder: Path = PAGES,
) -> Path:  # fmt: skip
    """Copy the page into the folder of its platform and write its JSON. Raises `Refused`, OSError.

    A file that begins with the comment of a test page keeps it: its address, date and headers are those of the page.
    """
    saved = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        header = HEADER.match(saved.decode())
    except UnicodeDecodeError as error:
        raise Refused(f"{file}: not UTF-8 ({error.reason}); save the page as UTF-8") from error
    body = saved[len(header[0].encode()) :] if header else saved
    moment = _moment(at) if at else datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    is_json = _is_json(body)
    is_html = not is_json and not (header and header["type"])
    if header:
        exchange = replace(described(header), body=body)
    else:
        exchange = Exchange(url=url, body=body, content_type=JSON if is_json else HTML, fetched_at=moment)
    reader = _platform(exchange, platform, file, no_post=no_post)
    target = folder / reader.name / f"{_name(name or url)}.{'html' if is_html else 'body'}"
    if target.exists() or target.with_suffix(".json").exists():
        raise Refused(f"{target} exists: give another NAME")
    line = f"<!-- url: {url} captured_at: {moment:%Y-%m-%dT%H:%M:%SZ}{f' type: {JSON}' if is_json else ''} -->\n"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(saved if header else line.encode() + body)
    if expected_of(exchange_of(target), reader) != expected_of(exchange, reader):
        target.unlink()
        raise Refused(f"{file}: reads differently as {target.name}, with a comment before it; nothing written")
    write_expected(target)
    return target


def _is_json(body: bytes) -> bool:
    """Return whether the answer is a JSON object or array."""
    try:
        return body.lstrip()[:1] in (b"{", b"[") and decode(body) is not None
    except ValueError:
        return False


def _platform(exchange: Exchange, name: str | None, file: Path, *, no_post: bool) -> Platform:
    """Return the platform that reads the file: as a post, or as none where `no_post` is set. Raises `Refused`."""
    platform = platform_named(name) if name else recognise(exchange)
    if platform is None:
        known = ", ".join(platform.name for platform in platforms())
        why = f"there is no platform {name!r}" if name else maker_sentence(exchange)
        raise Refused(f"{file}: {why}; platforms that are read: {known}. A new one needs its file first")
    why = f"{platform.name} reads no single post from it"
    try:
        items = list(platform.read(exchange))
    except NotAPost as error:
        items, why = [], str(error)
    # An answer of an API may hold comments or counts alone.
    found = bool(items) if _is_json(exchange.body) else any(isinstance(item, Post) for item in items)
    if found and no_post:
        raise Refused(f"{file}: it is read as a post: leave NOPOST out, or correct the platform")
    if not found and not no_post:
        raise Refused(f"{file}: not a post: {why}. If it is meant to be none, add NOPOST=1")
    return platform


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
