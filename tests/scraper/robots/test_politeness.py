"""Manners: robots.txt, waiting, and the guard against private addresses, in a real crawl on loopback."""

from __future__ import annotations

import asyncio
import codecs
import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import Request

from scraper.items import Exchange, Problem
from scraper.robots.politeness import ROBOTS_LIMIT, Robots, delay, host_turn, read_robots, retry_after

URL = "https://www.a.de/robots.txt"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
REAL = Path(__file__).parents[3].parent / "shared" / "real-pages" / "feeds"


def robots(body: str | bytes, status: int = 200) -> Robots:
    data = body.encode() if isinstance(body, str) else body
    return read_robots(Exchange(url=URL, body=data, status=status))


def test_rules() -> None:
    said = robots("User-agent: *\nDisallow: /private\nAllow: /private/but\nCrawl-delay: 7\nSitemap: /sitemap.xml\n")
    assert said.allowed("https://www.a.de/post/x")
    assert not said.allowed("https://www.a.de/private/x")
    assert said.allowed("https://www.a.de/private/but")
    assert (said.crawl_delay, said.sitemaps, said.refused, said.problems) == (
        7.0,
        ("https://www.a.de/sitemap.xml",),
        None,
        (),
    )


def test_our_own_group_comes_before_the_one_for_all() -> None:
    said = robots("User-agent: *\nDisallow: /\n\nUser-agent: clinic-blog-archive\nDisallow: /x\nCrawl-delay: 3\n")
    assert said.allowed("https://www.a.de/post")
    assert not said.allowed("https://www.a.de/x")
    assert said.crawl_delay == 3.0


def test_a_group_for_a_host_named_in_our_user_agent_is_not_ours() -> None:
    assert robots("User-agent: github\nDisallow: /\n").allowed("https://www.a.de/post")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_4xx_allows_all(status: int) -> None:
    said = robots("User-agent: *\nDisallow: /\n", status)
    assert said.allowed("https://www.a.de/")
    assert said.refused is None
    assert not said.problems


@pytest.mark.parametrize("status", [429, 500, 502, 503, 301, 304])
def test_trouble_refuses_the_host(status: int) -> None:
    said = robots("User-agent: *\nAllow: /\n", status)
    assert not said.allowed("https://www.a.de/")
    assert said.refused == f"robots.txt answered {status}"
    assert [problem.kind for problem in said.problems] == ["robots-refused"]


def test_no_answer_refuses_the_host() -> None:
    said = read_robots(None, "DNS lookup failed")
    assert not said.allowed("https://www.a.de/")
    assert said.refused == "robots.txt gave no answer (DNS lookup failed)"


def test_html_allows_all_and_is_noted() -> None:
    said = robots("\ufeff\n<!DOCTYPE html><html>User-agent: *\nDisallow: /\n</html>")
    assert said.allowed("https://www.a.de/")
    assert said.crawl_delay is None
    assert [problem.kind for problem in said.problems] == ["robots-is-html"]


def test_more_than_500_kib_is_cut_at_a_line() -> None:
    head = b"User-agent: *\nDisallow: /first\n"
    filler = b"# " + b"x" * (ROBOTS_LIMIT - len(head) - len(b"\nDisallow: /a") - 2)
    said = robots(head + filler + b"\nDisallow: /all-of-this\nDisallow: /late\n")
    assert not said.allowed("https://www.a.de/first")
    assert said.allowed("https://www.a.de/late")
    assert said.allowed("https://www.a.de/about")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_long_file_keeps_its_first_rules_whatever_ends_its_lines(end: str) -> None:
    found = robots(end.join(["User-agent: *", "Disallow: /first", *["# pad"] * 120_000]))
    assert not found.allowed("https://www.a.de/first")


def test_a_comment_of_html_before_the_rules_is_a_line_like_any_other() -> None:
    for begin in ("<!-- ours -->", "<!-- never closed", "<!-- a -->\n<!-- b -->"):
        found = robots(f"{begin}\nUser-agent: *\nDisallow: /first\n")
        assert not found.allowed("https://www.a.de/first")
        assert found.problems == ()
    assert [problem.kind for problem in robots("<!-- a --> <html>\nDisallow: /\n").problems] == ["robots-is-html"]


def test_an_empty_file_allows_all() -> None:
    assert robots("").allowed("https://www.a.de/")
    assert robots("Contents: none\n").allowed("https://www.a.de/")
    assert robots("User-agent: *\nCrawl-delay: soon\n").crawl_delay is None


RULES = "User-agent: *\nAllow: /\n"


@pytest.mark.parametrize(
    "body",
    [
        RULES.encode("utf-16"), RULES.encode("utf-16-le"), RULES.encode("utf-16-be"), RULES.encode("utf-32"),
        codecs.BOM_UTF16_BE + RULES.encode("utf-16-be"), gzip.compress(RULES.encode(), mtime=0), bytes(range(128, 256)),
        RULES.encode() + b"\0",
    ],
    ids=["utf-16", "le", "be", "utf-32", "be with mark", "gzip", "octets", "NUL"],
)  # fmt: skip
def test_what_is_no_text_allows_nothing(body: bytes) -> None:
    found = robots(body)
    assert not found.allowed("https://www.a.de/post/x")
    assert found.refused == "robots.txt cannot be read (its bytes are no UTF-8 text)"
    assert [problem.kind for problem in found.problems] == ["robots-refused"]


def test_a_damaged_body_allows_nothing() -> None:
    """Of a packed body whose end is missing, the rules at the beginning may not be all."""
    fault = Problem(kind="cut-short", message="the gzip data end early", url=URL)
    found = read_robots(Exchange(url=URL, body=b"", fault=fault))
    assert not found.allowed("https://www.a.de/post/x")
    assert found.refused == "robots.txt cannot be read (the gzip data end early)"
    assert [problem.kind for problem in found.problems] == ["robots-refused"]


def test_one_octet_of_an_older_encoding_spoils_nothing() -> None:
    found = robots("# información\nUser-agent: *\nDisallow: /a\n".encode("latin-1"))
    assert (found.allowed("https://www.a.de/a"), found.allowed("https://www.a.de/b")) == (False, True)


@given(st.binary(max_size=300), st.sampled_from([200, 404, 503]))
def test_any_bytes_are_read(body: bytes, status: int) -> None:
    said = robots(body, status)
    assert said.allowed("https://www.a.de/post/x") in {True, False}


@pytest.mark.skipif(not REAL.is_dir(), reason="the real pages are not here")
@pytest.mark.parametrize(
    "name", ["colosal-ai__proyecto-fenicio", "d3v1anX__task_wget_novicom", "interstatemi__interstatemi"]
)
def test_real_robots_of_wix(name: str) -> None:
    said = robots((REAL / f"{name}__robots.txt").read_bytes())
    assert said.allowed("https://www.a.de/post/x")
    assert said.allowed("https://www.a.de/_api/x")
    assert len(said.sitemaps) == 1
    assert said.sitemaps[0].endswith("/sitemap.xml")
    assert said.crawl_delay is None  # the 10 seconds there are for others
    assert not said.problems


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (b"0", 0.0),
        ("99999999999999999999", 3600.0),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Monday, 23-Nov-26 12:00:30 GMT", 30.0),
        ("Mon Nov 23 12:00:30 2026", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2099 11:00:00 GMT", 3600.0),
        ("", None),
        (None, None),
        ("soon", None),
        ("Sun, 06 Nov 99999999999999 08:49:37 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
    ],
)
def test_retry_after(value: str | bytes | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text() | st.binary())
def test_any_retry_after_is_within_bounds(value: str | bytes) -> None:
    seconds = retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= 3600


@given(st.integers(0, 3600))
def test_both_forms_of_retry_after_agree(seconds: int) -> None:
    then = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after(then, NOW) == retry_after(str(seconds), NOW) == seconds


def test_delay() -> None:
    assert delay(2.0, None) == (2.0, False)
    assert delay(2.0, 10.0) == (10.0, False)
    assert delay(2.0, 1.0) == (2.0, False)
    assert delay(2.0, 86400.0) == (60.0, True)
    assert delay(120.0, 90.0) == (120.0, False)
    assert delay(0.0, 0.0) == (0.0, False)


class _Page(BaseHTTPRequestHandler):
    """Counts what it is asked; `/away?to=URL` redirects."""

    asked: list[str]

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        _, found, to = self.path.partition("/away?to=")
        self.send_response(302 if found else 200)
        if found:
            self.send_header("Location", to)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a test prints nothing."""


@pytest.fixture
def site() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


# A crawl of its own process, since a reactor runs once. The names are resolved by a stand-in for the system's lookup:
# `public.test` is a public name that points to 127.0.0.1; `rebound.test` answers a public address first, and then
# 127.0.0.1, which the guard's own lookup cannot see coming; `nobody.invalid` is known to no resolver but a proxy's.
CRAWL = """
import json, socket, sys
import scrapy
from scraper.http import FETCH, Fetch
from scrapy.crawler import AsyncCrawlerProcess

plan, settings = json.loads(sys.argv[1]), json.loads(sys.argv[2])
answers = {"rebound.test": ["93.184.216.34"]}
real = socket.gethostbyname
def lookup(name):
    if answers.get(name):
        return answers[name].pop(0)
    if name.endswith(".invalid"):
        raise socket.gaierror(name)
    return "127.0.0.1" if name.endswith(".test") else real(name)
socket.gethostbyname = lookup

class Visits(scrapy.Spider):
    name = "visits"
    seen = []
    async def start(self):
        for url, allow_private in plan:
            yield scrapy.Request(url, self.parse, errback=self.failed, dont_filter=True,
                                 meta={FETCH: Fetch(clinic=None, allow_private=bool(allow_private))})
    def parse(self, response):
        self.seen.append([response.url, response.status, ""])
    def failed(self, failure):
        self.seen.append([failure.request.url, type(failure.value).__name__, str(failure.value)])

process = AsyncCrawlerProcess({
    "TWISTED_DNS_RESOLVER": "scraper.guard.GuardedResolver",
    "DOWNLOADER_MIDDLEWARES": {"scraper.guard.Guard": 760},
    "CONCURRENT_REQUESTS": 1, "RETRY_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "COOKIES_ENABLED": False,
    "REMOTE_CONTROL_ENABLED": False, "LOG_LEVEL": "ERROR", "DOWNLOAD_TIMEOUT": 10, **settings})
crawler = process.create_crawler(Visits)
process.crawl(crawler)
process.start()
stats = {key: value for key, value in crawler.stats.get_stats().items() if key.startswith("guard/")}
print(json.dumps({"seen": Visits.seen, "stats": stats}))
"""


def crawl(
    plan: list[tuple[str, bool | None]],
    settings: dict[str, Any] | None = None,
    environ: dict[str, str] | None = None,
) -> dict[str, Any]:
    root = Path(__file__).parents[3]
    run = subprocess.run(
        [sys.executable, "-c", CRAWL, json.dumps(plan), json.dumps(settings or {})],
        capture_output=True, text=True, timeout=60, cwd=root, check=False,
        env={k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")} | (environ or {}),
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def test_guard_in_a_crawl(site: Any) -> None:
    port = site.server_address[1]
    result = crawl(
        [
            (f"http://127.0.0.1:{port}/literal", None),
            (f"http://127.0.0.1:{port}/meta-must-be-true", False),
            (f"http://localhost:{port}/name", None),
            (f"http://public.test:{port}/name", None),
            (f"http://2130706433:{port}/number", None),
            (f"http://[::1]:{port}/six", None),
            ("http://169.254.169.254/latest/meta-data", None),
            ("file:///etc/passwd", None),
            (f"http://public.test:{port}/allowed", True),
            (f"http://127.0.0.1:{port}/allowed", True),
            (f"http://public.test:{port}/not-after-another-clinic-either", None),
            (f"http://127.0.0.1:{port}/away?to=http://own.test:{port}/redirected", True),
        ]
    )
    refused = {url: message for url, kind, message in result["seen"] if kind == "PrivateAddress"}
    fetched = [url.partition(f":{port}")[2] for url, kind, _ in result["seen"] if kind == 200]
    assert fetched == ["/allowed", "/allowed", "/redirected"]
    assert [path for path in site.asked if not path.startswith("/away")] == fetched
    assert len(refused) == 8
    assert "loopback address; allow_private = true" in refused[f"http://public.test:{port}/name"]
    assert "link-local" in refused["http://169.254.169.254/latest/meta-data"]
    assert [kind for url, kind, _ in result["seen"] if url.startswith("file:")] == ["ForeignScheme"]
    assert result["stats"] == {"guard/private-address": 8, "guard/foreign-scheme": 1}


def test_a_name_that_answers_differently_the_second_time_gains_nothing(site: Any) -> None:
    url = f"http://rebound.test:{site.server_address[1]}/"
    result = crawl([(url, None)], {"DNSCACHE_ENABLED": False})
    assert [(seen[0], seen[1]) for seen in result["seen"]] == [(url, "CannotResolveHostError")]
    assert site.asked == []


def test_a_proxy_is_the_operators_word_but_no_way_round(site: Any) -> None:
    port = site.server_address[1]
    inside = f"http://127.0.0.1:{port}/inside"
    result = crawl(
        [("http://nobody.invalid/x", None), (f"http://nobody.invalid/away?to={inside}", None)],
        environ={"http_proxy": f"http://127.0.0.1:{port}", "no_proxy": ""},
    )
    assert [seen[:2] for seen in result["seen"]] == [["http://nobody.invalid/x", 200], [inside, "PrivateAddress"]]
    assert site.asked == ["http://nobody.invalid/x", f"http://nobody.invalid/away?to={inside}"]


def test_clinics_that_share_a_host_take_turns_there() -> None:
    """Side by side at their own hosts, one at a time at the shared one, each its own delay after the other."""
    crawler: Any = SimpleNamespace(
        engine=SimpleNamespace(
            downloader=SimpleNamespace(slots={"a": SimpleNamespace(delay=0.05), "b": SimpleNamespace(delay=0.05)})
        )
    )
    inside: dict[str, int] = {}
    most: dict[str, int] = {}
    starts: list[tuple[str, str, float]] = []

    async def ask(slot: str, url: str) -> None:
        request = Request(url, meta={"download_slot": slot})
        async with host_turn(request, crawler):
            host = url.split("/")[2]
            inside[host] = inside.get(host, 0) + 1
            most[host] = max(most.get(host, 0), inside[host])
            starts.append((slot, host, asyncio.get_running_loop().time()))
            await asyncio.sleep(0.01)
            inside[host] -= 1

    async def both() -> None:
        await asyncio.gather(*(ask(slot, "https://shared.example/x") for slot in ("a", "b", "a", "b")))

    asyncio.run(both())
    assert most == {"shared.example": 1}
    gaps = [later - earlier for (_, _, earlier), (_, _, later) in pairwise(starts)]
    assert all(gap >= 0.05 for gap in gaps)
