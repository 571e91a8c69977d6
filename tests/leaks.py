"""Who is named in what an archive gives to others: the bytes of its copies and files, and the pages of its site."""

from __future__ import annotations

import asyncio
import gzip
import html
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urldefrag, urljoin, urlsplit

import pyarrow.parquet as pq
from datasette.app import Datasette
from warcio.archiveiterator import ArchiveIterator

from archive.backup.published import FOLDER
from archive.db import DATABASE
from tests.archive.site.test_site import site_of

Command = Callable[..., object]  # runs a verb on the archive; raises where that fails
_LINK = re.compile(r'(?:href|src|action)="([^"#]+)')
# What tells two pages of one kind apart: "/archive/posts/12", "/riverside/sleep/20260301093000-0123abcd"
_NUMBER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|\d+")


_FILES = {".csv", ".json", ".jsonl", ".parquet", ".xlsx", ".zip", ".gz", ".db"}


def occurring(needles: Sequence[str], hay: bytes) -> list[str]:
    """Which of them occur as whole words, in any case: "Anna" does not occur in "Savannah"."""
    text = hay.decode("utf-8", "replace").lower()
    return [needle for needle in needles if _is_word_of(needle.lower(), text)]


def _is_word_of(needle: str, text: str) -> bool:
    # Without a pattern, which takes a hundred times as long on so much text.
    at = text.find(needle)
    while at >= 0:
        end = at + len(needle)
        beside = text[at - 1 : at] + text[end : end + 1]
        if not any(character.isalnum() or character == "_" for character in beside):
            return True
        at = text.find(needle, at + 1)
    return False


def recorded(archive: Path) -> Iterator[bytes]:
    """The body of each recorded answer, decoded: by another program's library."""
    for path in sorted((archive / "warc").rglob("*.warc.gz")):
        with path.open("rb") as file:
            for each in ArchiveIterator(file):
                if each.rec_type == "response":
                    yield _plain(each.content_stream().read())


def not_in(needles: Sequence[str], bodies: Iterable[bytes]) -> list[str]:
    """Which of them occur in none of the bodies; what comes after the last one is found is not read."""
    left = list(needles)
    for body in bodies:
        if not left:
            break
        found = set(occurring(left, body))
        left = [needle for needle in left if needle not in found]
    return left


def given(archive: Path, folder: Path, command: Command) -> Iterator[tuple[str, bytes]]:
    """Each thing that the archive gives to others, or shows, as bytes in which words can be found; made in `folder`."""
    yield "database", b"\n".join(path.read_bytes() for path in sorted(archive.glob("archive.db*")))
    yield "log", b"\n".join(path.read_bytes() for path in (archive / "log").rglob("*") if path.is_file())
    for comments in ("counts", "text"):
        command("publish", "--comments", comments)
        yield f"published {comments}", (archive / FOLDER / DATABASE).read_bytes()
        (folder / "clinics.toml").write_text('[release]\napproval = "board"\n', "utf-8")
        name = folder / f"release-{comments}"
        command(
            "release", "make", name.name, "--comments", comments, "-o", name, "--clinics-file", folder / "clinics.toml"
        )
        yield name.name, _files(name)
    for kind in ("csv", "parquet"):
        command("export", "--all", folder / kind, "--derived", "--format", kind)
        yield f"export {kind}", _files(folder / kind)
    command("wacz", "-o", folder / "all.wacz")
    with zipfile.ZipFile(folder / "all.wacz") as package:
        for name in package.namelist():
            if name.endswith(".warc.gz"):
                for number, each in enumerate(ArchiveIterator(BytesIO(package.read(name)))):
                    yield f"wacz {name} {number}", _plain(each.content_stream().read())
            else:
                data = package.read(name)
                yield f"wacz {name}", _plain(gzip.decompress(data) if name.endswith(".gz") else data)


def _files(folder: Path) -> bytes:
    found = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        is_table = path.suffix == ".parquet"
        found.append(repr(pq.read_table(path).to_pydict()).encode() if is_table else path.read_bytes())
    return b"\n".join(found)


def _plain(data: bytes) -> bytes:
    """The bytes, and again with the escapes of JSON and HTML undone."""
    text = data.decode("utf-8", "replace")
    undone = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return "\n".join([text, html.unescape(undone)]).encode("utf-8", "replace")


def pages(archive: Path, most: int) -> Iterator[tuple[str, bytes]]:
    """The pages of the archive's site that its first page leads to, at most `most` of a kind."""
    yield from asyncio.run(_pages(site_of(archive), most))


async def _pages(site: Datasette, most: int) -> list[tuple[str, bytes]]:
    found, waiting, kinds = [], ["/"], Counter[str]()
    known = {"/"}
    while waiting:
        path = waiting.pop(0)
        answer = await site.client.get(path)
        found.append((path, _plain(answer.content)))
        if "html" not in answer.headers.get("content-type", ""):
            continue
        for link in _LINK.findall(answer.text):
            target = urldefrag(urljoin(f"http://site{path}", html.unescape(link))).url
            parts = urlsplit(target)
            address = parts.path + (f"?{parts.query}" if parts.query else "")
            names = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
            kind = f"{_NUMBER.sub('N', unquote(parts.path))}?{' '.join(names)}"
            # Other orders and columns of a table show its same cells; files are made as exports are.
            is_other_form = any(name.startswith("_") or name == "sql" for name in names)
            if parts.netloc != "site" or address in known or is_other_form or Path(parts.path).suffix in _FILES:
                continue
            if kinds[kind] >= most:
                continue
            kinds[kind] += 1
            known.add(address)
            waiting.append(address)
    return found


def people_of(truth: dict[str, Any]) -> list[str]:
    """Names, e-mail addresses and phone numbers of public comments of a real server, unless a post has them, too."""
    posts = truth["posts"]
    comments = [each for post in posts for each in post["comments"] if each.get("public", True) and _is_comment(each)]
    names = {str(each["author"]).strip() for each in comments if each["author"] and not each.get("staff")}
    texts = "\n".join(str(each.get("text") or "") for each in comments)
    # "jane.roe@mail.example", "+1 555 010 2368"
    names |= {*re.findall(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", texts), *re.findall(r"\+\d[\d ()-]{7,}\d", texts)}
    public = json.dumps([{key: value for key, value in post.items() if key != "comments"} for post in posts])
    staff = " ".join(str(each["author"]) for each in comments if each.get("staff"))
    hay = _plain(f"{public} {staff}".encode())
    return [name for name in sorted(names) if len(name) > 3 and not occurring([name], hay)]


def hashes_of(bodies: Iterable[bytes]) -> list[str]:
    """Hashes and ids of people in recorded answers: of e-mail addresses by avatars, of authors by Isso, of members.

    Not those of the posts' authors, who are named in public, whether they comment or not.
    """
    found, authors = set[bytes](), set[bytes]()
    for body in bodies:
        # Of a picture "https://secure.gravatar.com/avatar/0bc83cb571cd1c50ba6f3e8a78ef1346?s=24"; Isso's "hash"
        found |= {*re.findall(rb"/avatar/([0-9a-f]{32,64})", body), *re.findall(rb'"hash":\s*"([0-9a-f]{12,})"', body)}
        # The author of a post by WordPress's API: "avatar_urls":{"24":"https:\/\/secure.gravatar.com\/avatar\/0bc8...
        authors |= {*re.findall(rb'"avatar_urls":\s*\{[^}]{0,200}?avatar\\?/([0-9a-f]{32,64})', body)}
        # Ghost's "member", whose first field is "id"
        found |= {*re.findall(rb'"member":\s*\{"id":\s*"([0-9a-f]{24})"', body)}
    return sorted(each.decode() for each in found - authors)


def _is_comment(comment: dict[str, Any]) -> bool:
    return comment.get("type") in (None, "", "comment")  # not a notice by another site
