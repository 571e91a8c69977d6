"""What a visitor is handed is kept nowhere: every token and cookie that crossed the wire is looked for on the disk."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

from scraper import settings
from tests.e2e.fault_cases import small_clinic
from tests.e2e.faulty import Line
from tests.e2e.hostile import Blog
from tests.e2e.killing import in_flight
from tests.e2e.product import Done, crawl, script, warcs
from tests.waiting import HANG

GIVES_TOKENS = re.compile(rb"GET /_api/(?:v1/access-tokens|v2/dynamicmodel|tag-manager/api/v1/tags)")
LONG = 12  # characters; shorter values ("42") are everywhere by chance


# Scrapy's own command, in a folder.
SCRAPY = """
import os, sys
from scrapy.cmdline import execute
os.chdir(sys.argv[1])
execute(["scrapy", *sys.argv[2:]])
"""


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The sample clinic behind a line on which all is heard."""
    folder = tmp_path_factory.mktemp("secrets")
    with small_clinic(folder) as (made, _):
        yield made


def texts(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def handed_out(line: Line) -> dict[str, set[str]]:
    """What crossed the wire and is nobody else's business: tokens, what was sent of them, cookies."""
    tokens, sent, cookies = set[str](), set[str](), set[str]()
    for head, answer in line.heard:
        sent.update(re.findall(r"(?im)^authorization:\s*(.+?)\s*$", head.decode("latin-1")))
        cookies.update(re.findall(r"(?im)^set-cookie:[^=]*=([^;\r]*)", answer.head.decode("latin-1")))
        if GIVES_TOKENS.match(head) and answer.body:
            body = gzip.decompress(answer.body) if answer.body.startswith(b"\x1f\x8b") else answer.body
            tokens.update(texts(json.loads(body)))
    return {
        name: {each for each in found if len(each) >= LONG}
        for name, found in (("tokens", tokens), ("sent", sent), ("cookies", cookies))
    }


def disk(folder: Path) -> bytes:
    """Every byte below the folder; what is packed, unpacked as well."""
    found = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in warcs(folder):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, parse_http=False, record_types=WarcRecordType.any_type):
                block = record.reader.read()
                found.append(block)
                packed = block.partition(b"\r\n\r\n")[2]
                found += [gzip.decompress(packed)] if packed.startswith(b"\x1f\x8b") else []
    return b"\n".join(found)


@dataclass(frozen=True)
class Visited:
    """A crawl, what it was handed, and all that it left."""

    archive: Path
    done: Done
    secrets: dict[str, set[str]]

    def stored(self) -> list[str]:
        """Secrets that stand on the disk or in what the process said, or their first half."""
        everything = disk(self.archive) + f"{self.done.out}\n{self.done.err}".encode()
        secrets = {each for found in self.secrets.values() for each in found}
        return [each for each in secrets if each[: max(LONG, len(each) // 2)].encode() in everything]


@pytest.fixture(scope="module", params=["-v", "scrapy crawl, LOG_LEVEL=DEBUG"])
def visited(request: pytest.FixtureRequest, line: Line, tmp_path_factory: pytest.TempPathFactory) -> Visited:
    folder = tmp_path_factory.mktemp("crawl")
    archive = folder / "archive"
    line.put(lambda path, number: None)
    if request.param == "-v":
        done = crawl(archive, line.url, "-v", "--json")
    else:
        (folder / "scrapy.cfg").write_text("[settings]\ndefault = scraper.settings\n", "utf-8")
        done = script(SCRAPY, folder, "crawl", "blog", "-a", f"url={line.url}", "-s", f"ARCHIVE={archive}", "-s",
                      "ALLOW_PRIVATE=1", "-s", "LOG_LEVEL=DEBUG")  # fmt: skip
        assert " DEBUG: " in done.err
    assert done.code == 0, done.err
    return Visited(archive, done, handed_out(line))


def test_it_was_handed_some(visited: Visited) -> None:
    """Else the tests below say nothing."""
    assert len(visited.secrets["tokens"]) >= 4
    assert len(visited.secrets["sent"]) >= 1
    assert len(visited.secrets["cookies"]) >= 10
    assert visited.secrets["sent"] <= visited.secrets["tokens"]


def test_none_of_it_is_kept(visited: Visited) -> None:
    assert visited.stored() == []


def test_each_record_says_what_was_blanked_in_it(visited: Visited) -> None:
    blanked: dict[str, set[str]] = {}
    for path in warcs(visited.archive):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, parse_http=True, record_types=WarcRecordType.any_type):
                reported = {each.strip() for each in record.headers.get("X-Archive-Blanked", "").split(",")} - {""}
                kind = record.headers["WARC-Type"]
                names = {name.lower() for name, _ in record.http_headers.items()} if record.http_headers else set()
                side = "request" if kind == "request" else "response"
                secret = {f"{side}.{name}" for name in names & {"authorization", "cookie", "set-cookie"}}
                assert secret == {each for each in reported if each.startswith(f"{side}.")}, record.headers.asdict()
                blanked.setdefault(kind, set()).update(reported)
    assert "request.authorization" in blanked["request"]
    assert {"response.set-cookie", "body"} <= blanked["response"]


def test_a_port_is_never_opened(blog: Blog, tmp_path: Path) -> None:
    """No telnet console, no remote control, nothing else that listens while a crawl goes on."""
    assert settings.TELNETCONSOLE_ENABLED is False
    assert settings.REMOTE_CONTROL_ENABLED is False
    with in_flight(tmp_path / "archive", blog, "/blog-feed.xml") as going:
        process = psutil.Process(going.pid)
        family = [process, *process.children(recursive=True)]
        seen = [each for item in family for each in item.net_connections("inet")]
    _, err = going.communicate(timeout=HANG)
    assert (going.returncode, err) == (0, "")
    assert [each for each in seen if each.status == psutil.CONN_LISTEN] == []
    assert [each for each in seen if each.status == psutil.CONN_ESTABLISHED], "it was looked at too late"
