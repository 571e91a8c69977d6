"""What a browser received becomes records: under whose address, and with how much told of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.warc import Capture
from pipelines.components.rendered import Rendered
from scraper.browser import META, RENDERING, VISITED, Blocked, Failed, Received, Rendering
from scraper.items import Exchange, Post, Problem
from tests.making import extract
from tests.pipelines.test_recover import PAGE, SHOWN
from tests.visiting import SITE, Visiting

DOM = SHOWN.format(stats="<span>9 views</span><span>0 comments</span>", widget="").encode()


def document(url: str = PAGE, **changes: Any) -> Received:
    values: dict[str, Any] = {
        "url": url, "method": "GET", "request_headers": (), "request_body": b"", "status": 200, "reason": "OK",
        "protocol": "HTTP/1.1", "headers": ((b"Content-Type", b"text/html"),), "body": DOM, "kind": "document",
        "ip": None, "completed_at": datetime.now(UTC), "main": True,
    }  # fmt: skip
    return Received(**values | changes)


def recorded(folder: Path, **changes: Any) -> list[tuple[Capture, Exchange | Problem]]:
    """What the middleware left for the spider."""
    values: dict[str, Any] = {
        "url": PAGE, "received": (document(),), "failed": (), "dom": DOM, "dom_at": datetime.now(UTC),
        "complete": True, "reason": None, "pressed": 0, "refused": (),
    }  # fmt: skip
    with Visiting(folder) as visiting:
        request = visiting.request(PAGE)
        request.meta.update({META: object(), RENDERING: Rendering(**values | changes)})
        Rendered(visiting.crawler)._record(request)
        return list(request.meta[VISITED])


def test_the_dom_stands_at_the_address_of_its_document(tmp_path: Path) -> None:
    """Whatever address the page's script puts up: another post's is that post's alone."""
    capture, exchange = recorded(tmp_path, url=f"{SITE}/post/rest")[-1]
    assert (capture.via, capture.url) == ("dom", PAGE)
    assert isinstance(exchange, Exchange)
    assert [item.url for item in extract(exchange) if isinstance(item, Post)] == [PAGE]


def test_the_dom_of_a_page_that_was_redirected_stands_where_that_led(tmp_path: Path) -> None:
    led = document(f"{SITE}/post/sleep-well")
    hop = document(status=302, body=b"", truncated="redirect", headers=((b"Location", b"/post/sleep-well"),))
    capture, _ = recorded(tmp_path, url=led.url, received=(hop, led))[-1]
    assert (capture.url, capture.page) == (led.url, PAGE)


@pytest.mark.parametrize("host", ["ads.example", "10.0.0.1:8080", "[::1]:80"])
def test_a_sub_request_is_told_by_its_host_alone(tmp_path: Path, host: str) -> None:
    """What stands behind it may name a reader."""
    url = f"https://jane:secret@{host}/u/jane.roe@mail.example?name=Marisol+Vega"
    refused = (Blocked(url=url, kind="fetch", reason="no"), Blocked(url=host, kind="connection", reason="never"))
    failed = (Failed(url=url, method="GET", kind="fetch", reason="net::ERR"),)
    found = [
        what.message for _, what in recorded(tmp_path, refused=refused, failed=failed) if isinstance(what, Problem)
    ]
    assert found == [
        f"{PAGE}: a request to {host} was not let out: no", f"{PAGE}: a request to {host} was not let out: never",
        f"{PAGE}: a request to {host} failed: net::ERR",
    ]  # fmt: skip


def test_what_is_told_of_sub_requests_comes_after_the_page(tmp_path: Path) -> None:
    """Between its answers and its DOM it would end what a fold holds together: names told by the ones would not be
    masked in the other, and what both say would be stored twice."""
    turned = Blocked(url="https://ads.example/x", kind="fetch", reason="no")
    found = [capture.via for capture, _ in recorded(tmp_path, refused=(turned,))]
    assert found == ["document", "dom", None]
