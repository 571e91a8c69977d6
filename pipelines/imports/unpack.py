"""Gives the WARC files of a file to be imported: a WACZ is unpacked, a saved page wrapped in a WARC."""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from uuid import uuid4

from archive.warc._saved import saved_page
from pipelines.imports.adopt import SPARE, ImportRefused
from scraper.addresses import is_web_address
from scraper.extract import extract_post
from scraper.items import Exchange
from scraper.not_a_post import NotAPost

LARGEST_PAGE = 32 << 20  # bytes of a saved page
LARGEST_RATIO = 50  # unpacked to packed; pages pack to a tenth, zeros to a thousandth
# "archive/rec-20260301.warc.gz"
WARC_MEMBER = re.compile(r"archive/[^/]+\.warc(\.gz)?")
# "<!-- saved from url=(0035)https://www.example.com/post/sleep -->": browsers write it into a saved page
SAVED_FROM = re.compile(rb"<!--\s*saved from url=\(\d+\)(\S+)\s*-->", re.IGNORECASE)
KINDS = {".html": "text/html", ".htm": "text/html", ".xhtml": "application/xhtml+xml", ".txt": "text/plain"}


@contextmanager
def contained_files(
    path: Path, folder: Path, *, url: str | None, at: datetime | None
) -> Iterator[tuple[list[tuple[Path, str]], str]]:
    """Give the WARC files that a file is or contains, each with its name, and the file's own SHA-256 in hex.

    Unpacked and wrapped files are below `folder` while the block runs. Raises `ImportRefused`, OSError.
    """
    if path.is_dir():
        raise ImportRefused("a folder; name the files in it")
    with path.open("rb") as file:
        head = file.read(512)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    if head.startswith((b"\x1f\x8b", b"WARC/", b"filedesc://")) or head[:5].lower() == b"warc/":
        yield [(path, path.name)], sha256
        return
    scratch = folder / f"{uuid4().hex}.part"
    scratch.mkdir()
    try:
        if head.startswith(b"PK\x03\x04"):
            yield _unpacked(path, scratch), sha256
        else:
            yield [_wrapped(path, scratch, url, at)], sha256
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unpacked(path: Path, scratch: Path) -> list[tuple[Path, str]]:
    """Unpack the WARC files of a WACZ (https://specs.webrecorder.net/wacz/1.1.1/): those below its archive/."""
    try:
        with zipfile.ZipFile(path) as package:
            members = package.infolist()
            for member in members:
                _check_member(member)
            wanted = [member for member in members if WARC_MEMBER.fullmatch(member.filename)]
            if not wanted:
                raise ImportRefused("a ZIP file without archive/*.warc.gz in it; not a WACZ")
            needed, free = sum(member.file_size for member in wanted), shutil.disk_usage(scratch).free
            if needed > LARGEST_RATIO * path.stat().st_size + SPARE:
                raise ImportRefused(
                    f"{needed / 1e6:.0f} MB unpacked, over {LARGEST_RATIO} times its own size: no archive of web pages;"
                    " not taken"
                )
            if 2 * needed + SPARE > free:
                raise ImportRefused(
                    f"{needed / 1e6:.0f} MB unpacked, {free / 1e6:.0f} MB free on the archive's disk; not taken"
                )
            found = []
            for number, member in enumerate(wanted):
                target = scratch / str(number)
                with package.open(member) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)  # gives no more bytes than declared
                found.append((target, f"{path.stem}-{PurePosixPath(member.filename).name}"))
            return found
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error) as error:
        raise ImportRefused(f"a damaged ZIP file ({error})") from error


def _check_member(member: zipfile.ZipInfo) -> None:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or re.match(r"[A-Za-z]:", member.filename):
        raise ImportRefused(f"a path in it leaves the folder: {member.filename!r}; not taken")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ImportRefused(f"a symbolic link in it: {member.filename!r}; not taken")


def _wrapped(path: Path, scratch: Path, url: str | None, at: datetime | None) -> tuple[Path, str]:
    """Write a saved page as a WARC file of one record."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise ImportRefused("not a WARC, ARC, WET or WACZ file, and no saved page (.html, .txt)")
    status = path.stat()
    if status.st_size > LARGEST_PAGE:
        raise ImportRefused(f"{status.st_size / 1e6:.0f} MB are too many for a page")
    body = path.read_bytes()
    if not body.strip():
        raise ImportRefused("it is empty")
    address = url or _address(body, kind)
    if address is None:
        raise ImportRefused("a saved page that does not contain its address; give it with --url")
    saved_at = at or datetime.fromtimestamp(status.st_mtime, UTC)
    target = scratch / "page.warc.gz"
    target.write_bytes(
        saved_page(
            url=address, at=saved_at, dated_by="given" if at else "file", body=body, content_type=kind, name=path.name
        )
    )
    return target, f"{path.name}.warc.gz"


def _address(body: bytes, kind: str) -> str | None:
    """Return the address in a saved page: where a browser saved it from, else the canonical one of the post."""
    saved_from = SAVED_FROM.search(body, 0, 4096)
    if saved_from:
        url = saved_from[1].decode("latin-1")
        return url if is_web_address(url) else None
    try:
        return extract_post(Exchange(url="", body=body, content_type=kind)).url
    except NotAPost:
        return None
    except Exception:  # whatever is in it, no address is read from it
        return None
