"""The site and pages of other sites in a real Chromium: a foreign name is refused, and no query of theirs runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.browsing import served
from tests.making import extraction, made, post
from tests.waiting import wait_until

# The name server of this browser says that both are this machine.
RULES = "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP archive.example 127.0.0.1"
QUERY = quote("select count(*) from posts")


@pytest.fixture(scope="module")
def resolving(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", RULES])
        yield launched
        launched.close()


@contextmanager
def foreign(page: str) -> Iterator[int]:
    """A page of another site, at any path; gives the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A site that has a public name: its address on this machine, and its log."""
    folder = tmp_path_factory.mktemp("foreign")
    with made(folder / "archive") as archive:
        archive.crawl("run")
        archive.fold(extraction(1, post(text="Sleep heals.")), crawl_id="run")
        log = folder / "log"
        with served(archive.folder, "--base-url", "http://archive.example", log=log) as url:
            yield url, log


def test_a_rebound_name_is_refused_and_the_public_one_answered(site: tuple[str, Path], resolving: Browser) -> None:
    port = urlsplit(site[0]).port
    page = resolving.new_page()
    for path in ("/", f"/archive.json?sql={QUERY}", "/-/posts.atom", "/archive/posts.csv", "/site/archive.css"):
        answer = page.goto(f"http://evil.example:{port}{path}")
        assert answer is not None
        assert answer.status == 400, path
        assert "Sleep" not in answer.text()
    for name in ("archive.example", "127.0.0.1", "localhost"):
        answer = page.goto(f"http://{name}:{port}/riverside/sleep")
        assert answer is not None
        assert answer.status == 200
        assert "http://archive.example/riverside/sleep/" in page.content()
    page.close()


def test_a_page_of_another_site_runs_no_query(site: tuple[str, Path], resolving: Browser) -> None:
    url, log = site
    address = f"{url}/archive.json?sql={QUERY}"
    hostile = (
        f"<title>Foreign</title><img src='{address}&by=img'><script src='{address}&by=script'></script>"
        f"<iframe src='{address}&by=iframe'></iframe><link rel=stylesheet href='{address}&by=style'>"
        f"<script>fetch('{address}&by=fetch', {{mode: 'no-cors'}}).finally(() => document.title = 'Done')</script>"
        f"<a href='{address}&by=link'>Look</a>"
    )
    with foreign(hostile) as port:
        page = resolving.new_page()
        page.goto(f"http://evil.example:{port}/")
        page.wait_for_function("document.title == 'Done'")

        def lines() -> dict[str, str]:
            """The status of each answer by what caused the request, as the server logged it."""
            found = (line for line in log.read_text().splitlines() if "&by=" in line)
            return {line.split("&by=")[1].split()[0]: line.split()[-2] for line in found}

        # "GET /archive.json?sql=...&by=img HTTP/1.1" 403 Forbidden
        causes = {"img", "script", "iframe", "style", "fetch"}
        assert wait_until(lambda: causes <= lines().keys())
        assert set(lines().values()) == {"403"}, lines()
        with page.expect_navigation():
            page.click("a")
        assert '"rows"' in page.content(), "a link to a page of the site may be followed"
        page.close()
