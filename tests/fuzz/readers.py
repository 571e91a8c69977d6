"""The readers of bytes of others, each with inputs that it reads well: what they raise is a finding.

Run as a program, it reads so many mutated inputs in one process, and prints what it found as JSON.
"""

from __future__ import annotations

import gzip
import json
import logging
import random
import shutil
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from archive.warc import BadRecord, CutShort, RecordGroup, TooLarge, Undecodable, payload, records
from pipelines.fold.sanitise import storable
from pipelines.imports.adopt import ImportRefused
from pipelines.imports.foreign import scan_foreign
from pipelines.imports.unpack import contained_files
from scraper.config.clinics import parse_clinics
from scraper.config.sampling_frame import BadSamplingFrame, read_frame
from scraper.config.toml_file import ConfigError
from scraper.discover import read_links
from scraper.extract import extract, extract_post
from scraper.feeds import read_feed
from scraper.items import Exchange, Extraction, Problem
from scraper.not_a_post import NotAPost
from scraper.platforms import marked, platform_named, recognise
from scraper.robots.politeness import read_robots
from scraper.sitemaps import read_sitemap
from tests.e2e.hostile import page, post
from tests.fuzz import platforms
from tests.fuzz.mutation import mutated
from tests.memory import megabytes
from tests.visiting import SITE, comments_answer, comments_url, post_answer, post_url

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WIX = platform_named("wix")
SLOW = 10.0  # seconds of CPU time
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Encoding: %b\r\n\r\n"


def warc_record(number: int, coding: bytes, body: bytes, kind: str = "response") -> bytes:
    """A record as other tools write it."""
    block = HTML % coding + body
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012}>\r\n"
        f"WARC-Date: 2024-04-{number:02}T10:00:00Z\r\nWARC-Target-URI: {SITE}/post/note-{number}\r\n"
        f"WARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest\r\n"
        f"WARC-Refers-To: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


NOTE = post(SITE, 1).encode()
WARCS = [
    warc_record(1, b"", NOTE) + warc_record(2, b"gzip", gzip.compress(NOTE, mtime=0)),
    warc_record(1, b"br", NOTE) + warc_record(3, b"", b"", "revisit"),
]
ISLAND = json.dumps({"appsWarmupData": {"14bcded7-0066-7c35-14d7-466cb3f09103": {"postPage": {"post": {"id": "a"}}}}})
PAGES = [
    NOTE,
    post(SITE, 2, islands=f'<script type="application/json" id="wix-warmup-data">{ISLAND}</script>').encode(),
    page(f'<div data-hook="feed-page-root"><a href="{SITE}/post/a">A</a></div>').encode(),
    page('<script type="application/ld+json">{"@type":"BlogPosting","datePublished":"2024-01-02"}</script>').encode(),
]
ANSWERS = [post_answer("sleep", "Sleep well.", 5), comments_answer(("c1", "m1", "Thanks."), following="next")]
SITEMAPS = [
    f"<urlset><url><loc>{SITE}/post/a?b=1&amp;c=2</loc><lastmod>2024-03-01</lastmod></url></urlset>".encode(),
    f"<sitemapindex><sitemap><loc>{SITE}/posts.xml</loc></sitemap></sitemapindex>".encode(),
    gzip.compress(f"<urlset><url><loc>{SITE}/post/a</loc></url></urlset>".encode(), mtime=0),
]
FEEDS = [
    f"<rss version='2.0'><channel><title>N</title><item><title>A</title><link>{SITE}/post/a</link>"
    "<pubDate>Fri, 01 Mar 2024 10:00:00 GMT</pubDate></item></channel></rss>".encode(),
    f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>A</title><link href='{SITE}/post/a'/>"
    "<updated>2024-03-01T10:00:00Z</updated></entry></feed>".encode(),
]
ROBOTS = [b"User-agent: *\nDisallow: /private\nAllow: /\nCrawl-delay: 2\nSitemap: https://a.example/sitemap.xml\n"]
LISTS = [b"slug,name,url,state\nriverside,Riverside,https://riverside.example,NY\nhill,Hill,https://hill.example,\n"]
STANZAS = [
    b'[crawler]\ncontact = "a@b.example"\nproject_url = "https://b.example"\n[clinics.riverside]\nname = "R"\n'
    b'url = "https://riverside.example"\ncomments = "threads"\ndelay = 2\n'
    b'[clinics.riverside.attributes]\nstate = "NY"\n'
]


class ParserFailed(Exception):
    """The parser caught an exception of its own."""


def _no_fault(items: tuple[object, ...]) -> None:
    for item in items:
        if isinstance(item, Problem) and item.kind == "parser-error":
            raise ParserFailed(item.message)


def read_warc(data: bytes, folder: Path) -> None:
    """A file of records, packed by record or not; each body is decoded."""
    path = folder / "x.warc"
    path.write_bytes(data if len(data) % 2 else b"".join(gzip.compress(part) for part in _parts(data)))
    for record in records(path):
        if isinstance(record, RecordGroup) and record.body is not None:
            with suppress(TooLarge, CutShort, Undecodable):
                payload(record)
        assert not isinstance(record, BadRecord) or "\n" not in record.why
    scan_foreign(path, "imports/x.warc", {"riverside": SITE}, NOW)


def _parts(data: bytes) -> list[bytes]:
    first, *others = data.split(b"WARC/1.0\r\n")
    return [part for part in [first, *(b"WARC/1.0\r\n" + other for other in others)] if part]


def read_package(data: bytes, folder: Path) -> None:
    """A WACZ whose member is mutated, or that is itself mutated."""
    path, inner = folder / "x.wacz", data[: len(data) // 2]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("archive/x.warc", inner)
    whole = path.read_bytes()
    path.write_bytes(whole if len(data) % 2 else mutated([whole], random.Random(data)))
    try:
        with contained_files(path, folder / "scratch", url=None, at=None) as (files, _):
            for file, name in files:
                scan_foreign(file, name, {"riverside": SITE}, NOW)
    except (ImportRefused, OSError):  # a command says which
        pass
    assert not [left for left in (folder / "scratch").glob("*") if left.is_dir()]


def read_page(data: bytes, folder: Path) -> None:
    """A page as a post, a list, an unknown page."""
    exchange = Exchange(url=f"{SITE}/post/note-1", body=data, content_type="text/html", fetched_at=NOW)
    items = extract(exchange, WIX)
    _no_fault(items)
    storable(Extraction(clinic_id="riverside", capture=None, items=items))
    _no_fault(extract(Exchange(url=f"{SITE}/blog", body=data, content_type="text/html"), WIX))
    read_links(exchange)
    recognise(exchange)
    marked(exchange)
    with suppress(NotAPost):
        extract_post(exchange)


def read_answer(data: bytes, folder: Path) -> None:
    """An answer of the services behind a blog."""
    for url in (post_url("sleep"), comments_url("sleep")):
        items = extract(Exchange(url=url, body=data, content_type="application/json", fetched_at=NOW), WIX)
        _no_fault(items)
        storable(Extraction(clinic_id="riverside", capture=None, items=items))


def read_list(data: bytes, folder: Path) -> None:
    """A list of clinics."""
    path = folder / "clinics.csv"
    path.write_bytes(data)
    with suppress(BadSamplingFrame):
        read_frame(path)


def read_stanzas(data: bytes, folder: Path) -> None:
    """clinics.toml."""
    with suppress(ConfigError):
        parse_clinics(data.decode("utf-8", "replace"), Path("clinics.toml"))


def _xml(path: str, data: bytes) -> Exchange:
    return Exchange(url=f"{SITE}/{path}", body=data, content_type="application/xml; charset=utf-8")


def _never(url: str, named_in: str) -> None:
    return None


@dataclass(frozen=True)
class Reader:
    """A reader, and inputs that it reads well."""

    read: Callable[[bytes, Path], object]
    seeds: list[bytes]


READERS = {
    "warc": Reader(read_warc, WARCS),
    "wacz": Reader(read_package, WARCS),
    "page": Reader(read_page, PAGES),
    "json": Reader(read_answer, ANSWERS),
    "sitemap": Reader(lambda data, _: read_sitemap(_xml("sitemap.xml", data), _never), SITEMAPS),
    "feed": Reader(lambda data, _: read_feed(_xml("blog-feed.xml", data)), FEEDS),
    "robots": Reader(lambda data, _: read_robots(Exchange(url=f"{SITE}/robots.txt", body=data)).allowed(SITE), ROBOTS),
    "list": Reader(read_list, LISTS),
    "toml": Reader(read_stanzas, STANZAS),
    **{name: Reader(read, inputs) for name, read, inputs in platforms.seeds()},
}


def findings(number: int, seed: int) -> dict[str, object]:
    """Read so many mutated inputs: what was raised, and which took too long (CPU); the memory at most, in MB."""
    raised, slow = dict[str, str](), list[str]()
    with tempfile.TemporaryDirectory() as name:
        for index in range(number):
            kind = list(READERS)[index % len(READERS)]
            data = mutated(READERS[kind].seeds, random.Random(f"{seed} {index}"))
            folder = Path(name) / "input"
            folder.mkdir()
            begun = time.process_time()
            try:
                READERS[kind].read(data, folder)
            except Exception:
                where = traceback.format_exc().splitlines()
                raised.setdefault(f"{kind}: {where[-1][:200]}", f"input {index}\n" + "\n".join(where[-8:]))
            if time.process_time() - begun > SLOW:
                slow.append(f"{kind} {index}: {time.process_time() - begun:.0f} s")
            shutil.rmtree(folder)
    return {"inputs": number, "raised": raised, "slow": slow, "memory": round(megabytes("VmHWM"))}


if __name__ == "__main__":
    logging.disable()
    print(json.dumps(findings(int(sys.argv[1]), int(sys.argv[2])), indent=1))
