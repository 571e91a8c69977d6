"""What an answer says to robots, as written, whoever wrote it."""

from __future__ import annotations

import pytest

from scraper.items import Exchange
from scraper.robots.tags import LONGEST, robots_header, robots_meta

HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("markup", "meta"),
    [
        ('<head><meta name="robots" content="noindex, nofollow"></head>', "noindex, nofollow"),
        ("<meta content='max-image-preview:large' name=ROBOTS>", "max-image-preview:large"),
        ('<meta name="robots" content="noarchive"><meta name="clinic-blog-archive" content="none">', "noarchive, none"),
        ('<meta name="googlebot" content="noindex">', None),
        ('<!-- <meta name="robots" content="noindex"> --><p>Rest</p>', None),
        ('<script>s = \'<meta name="robots" content="noindex">\'</script><p>Rest</p>', None),
        ('<meta name="robots" content="  ">', None),
        ('<meta name="robots" content="no\n  index\x01">', "no index"),
        (f'<meta name="robots" content="{"n" * 1900}"><meta name="robots" content="{"m" * 1900}">',
         f"{'n' * 1900}, {'m' * (LONGEST - 1902)}"),
        ("<meta " * 5000 + "robots", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_metas_of_a_page(markup: str, meta: str | None) -> None:
    assert robots_meta(Exchange(url="https://a.example/", body=markup.encode(), content_type=HTML)) == meta


def test_only_a_page_has_metas() -> None:
    body = b'{"head": "<meta name=robots content=noindex>"}'
    assert robots_meta(Exchange(url="https://a.example/", body=body, content_type="application/json")) is None


def test_the_header() -> None:
    def header(value: str) -> str | None:
        return robots_header(Exchange(url="https://a.example/", body=b"", headers={"x-robots-tag": value}))

    assert header("noindex, otherbot: none") == "noindex, otherbot: none"
    assert header(" ") is None
    assert robots_header(Exchange(url="https://a.example/", body=b"")) is None
