"""Pages to measure with: real ones where they are at hand, and pages of the sample clinic in any number and size.

Real pages lie outside the checkout and are only read. The sample clinic's are its posts as its first generation of
pages prints them (counters as text, so that a crawl needs no further requests), with a part of their style sheets cut
off, or with more of them, until they have the size that is asked for.
"""

from __future__ import annotations

import gzip
import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import cycle, islice
from pathlib import Path

from scraper.items import Exchange
from scraper.platforms.wix.page import post_page
from tests.bench._figure import ROOT
from tests.clinic.model import Post
from tests.clinic.padding import style_sheets
from tests.clinic.pages import post_document, utc_now
from tests.clinic.world import Counters, World

REAL = ROOT.parent / "shared" / "real-pages" / "posts"
SMALL, LARGE = 405_000, 1_100_000
# What stands in a template for the page's own slug and id, and how they are made of a number.
SLUG, UUID = b"bench-post-999999", b"00000000-0000-4000-8000-000000999999"
_STYLE = re.compile(rb"<style data-href=.*?</style>\n?", re.DOTALL)
# Blocks that a script fills: the crawl would ask for them one by one.
_SHELLS = {"gallery", "video", "table", "file", "html"}


def own_slug(number: int) -> bytes:
    """The slug of the numbered page."""
    return b"bench-post-%06d" % number


def own_uuid(number: int) -> bytes:
    """The id of the numbered page's post."""
    return b"00000000-0000-4000-8000-%012d" % number


@cache
def real() -> tuple[list[Exchange], str]:
    """Real post pages and what they are; the sample clinic's in their place where they are not beside the checkout."""
    paths = sorted(REAL.glob("*.html")) if REAL.is_dir() else []
    made = [(f"https://mirror.example/{path.name}", path.read_bytes()) for path in paths]
    found = f"{len(made)} real pages"
    if not made:
        base = "http://127.0.0.1"
        made = [
            (f"{base}/post/{own_slug(number).decode()}", body) for number, body in enumerate(pages(base, 30, 920_000))
        ]
        found = "30 pages of the sample clinic, real ones not being at hand"
    exchanges = [Exchange(url=url, body=body, content_type="text/html; charset=UTF-8") for url, body in made]
    posts = [exchange for exchange in exchanges if post_page(exchange.body) >= 0]
    return posts, found


def wire(body: bytes) -> bytes:
    """A page as a server sends it."""
    return gzip.compress(body, 6, mtime=0)


@cache
def templates(base: str, size: int) -> tuple[bytes, ...]:
    """Posts of the sample clinic as pages of that size, with `SLUG` and `UUID` in place of their own.

    The same posts whatever the size, those whose page can be as small as `SMALL`.
    """
    return tuple(_sized(draft, size) for draft in _drafts(base) if _sized(draft, SMALL))


@cache
def _drafts(base: str) -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), base)
    return tuple(_template(world, post) for post in world.live() if _whole(post))


def pages(base: str, number: int, size: int) -> Iterator[bytes]:
    """That many pages, all of different posts; texts repeat after some dozens."""
    for index, template in enumerate(islice(cycle(templates(base, size)), number)):
        yield template.replace(SLUG, own_slug(index)).replace(UUID, own_uuid(index))


def _whole(post: Post) -> bool:
    return not post.members_only and not {block.kind for block in post.blocks} & _SHELLS


def _template(world: World, post: Post) -> bytes:
    draft = replace(post, slug=SLUG.decode(), birth_slug=SLUG.decode(), variant="g1-numbers", flags=frozenset())
    text = post_document(world, draft, Counters(1261, 3, 2), utc_now()).replace(draft.post_id, UUID.decode())
    near = iter(range(1_000_000))

    def other(_: re.Match[str]) -> str:
        return f"{world.base}/post/{own_slug(next(near) % 3).decode()}"

    # Links to other posts lead to pages that are there as well.
    return re.sub(re.escape(world.base) + rf"/post/(?!{SLUG.decode()})[^\"&<?#]+", other, text).encode()


def _sized(page: bytes, size: int) -> bytes:
    """The page with fewer or more style sheets, the last of them cut to the byte; empty where it cannot be so small."""
    spare = len(b"<style></style>")
    for sheet in reversed(list(_STYLE.finditer(page))):
        if len(page) + spare <= size:
            break
        page = page[: sheet.start()] + page[sheet.end() :]
    wanted = size - len(page) - spare
    if wanted < 0:
        return b""
    rules = b"".join(sheet.encode().partition(b">")[2].removesuffix(b"</style>") for sheet in style_sheets(2))
    head, tail = page.split(b"</head>", 1)
    return head + b"<style>" + (rules * (wanted // len(rules) + 1))[:wanted] + b"</style></head>" + tail


class Packed:
    """A template deflated once, so that a server packs each of many pages in almost no time.

    What lies between the places of slug and id is kept deflated up to a byte boundary; the places themselves are stored
    as they are. Only the checksum is taken anew for each page.
    """

    def __init__(self, template: bytes) -> None:
        self._parts = re.split(b"(" + re.escape(SLUG) + b"|" + re.escape(UUID) + b")", template)
        self._deflated = [_deflated(part, 6) for part in self._parts]

    def page(self, number: int) -> bytes:
        """The numbered page as one gzip member."""
        own = {SLUG: own_slug(number), UUID: own_uuid(number)}
        out, check, size = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"], 0, 0
        for part, deflated in zip(self._parts, self._deflated, strict=True):
            mine = own.get(part)
            out.append(deflated if mine is None else _deflated(mine, 0))
            check = zlib.crc32(part if mine is None else mine, check)
            size += len(part)
        end = check.to_bytes(4, "little") + size.to_bytes(4, "little")
        return b"".join((*out, b"\x03\x00", end))


def _deflated(data: bytes, level: int) -> bytes:
    stream = zlib.compressobj(level, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush(zlib.Z_FULL_FLUSH)
