"""The data that Wix's script starts from: packed lists of posts, as JavaScript escapes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.items import Exchange, Sighting
from scraper.platforms.wix import Wix
from scraper.platforms.wix.warmup import BLOG_APP, read_warmup, unescape

SITE = "https://www.clinic.example"
PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@*_+-./"


def escape(text: str) -> str:
    """JavaScript's `escape`, by its definition: over the units of UTF-16."""
    raw = text.encode("utf-16-be", "surrogatepass")
    units = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
    forms = [chr(unit) if chr(unit) in PLAIN else f"%{unit:02X}" if unit < 256 else f"%u{unit:04X}" for unit in units]
    return "".join(forms)


def component(text: str) -> str:
    """JavaScript's `encodeURIComponent`."""
    return quote(text, safe="-_.!~*'()")


def beyond_ascii(text: str) -> str:
    """Only what is not ASCII is escaped, in lower case."""
    return "".join(char if char.isascii() else escape(char).lower() for char in text)


def packed(posts: list[dict[str, str]], pack: Callable[[str], str]) -> Exchange:
    feed = {"feedResponse": {"postFeedPage": {"posts": {"posts": posts}}}}
    text = json.dumps(feed, ensure_ascii=False)
    entry = {"feed-page-TPASection_x": base64.b64encode(pack(text).encode()).decode()}
    island = json.dumps({"appsWarmupData": {BLOG_APP: entry}})
    html = (
        '<html><head><meta name="generator" content="Wix.com Website Builder"/></head><body><div'
        f' data-hook="feed-page-root"></div><script id="wix-warmup-data">{island}</script></body></html>'
    )
    return Exchange(url=f"{SITE}/blog", body=html.encode(), content_type="text/html; charset=utf-8")


SLUGS = [
    "noční-kresba", "dětský-spánek", "naïve-café", "für-müde-füße", "수면과-건강", "잠", "النوم-والصحة", "שינה-טובה",
    "睡眠", "การนอน", "i̇yi-uyku", "plain-slug", "a-+-b", "🌿-tea",
]  # fmt: skip


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("pack", [escape, component, beyond_ascii, str], ids=["escape", "component", "part", "plain"])
def test_a_packed_list_gives_the_addresses_of_its_posts(slug: str, pack: Callable[[str], str]) -> None:
    post = {"slug": slug, "title": f"About {slug}", "internalId": "64ddbf6a1737d98af033206f"}
    (sighting,) = (item for item in Wix().read(packed([post], pack)) if isinstance(item, Sighting))
    assert sighting.url == f"{SITE}/post/{quote(slug, safe='-+')}"
    assert sighting.addresses == ("wix:64ddbf6a1737d98af033206f",)


@pytest.mark.parametrize("pack", [escape, component])
@given(text=st.text())
def test_what_javascript_escaped_is_undone(pack: Callable[[str], str], text: str) -> None:
    """But for texts of Latin-1 alone whose bytes would be UTF-8 ("Ã©"): those were garbled before."""
    if pack is escape and not any(char > "\u00ff" for char in text):
        text = f"{text} ž"
    assert unescape(pack(text)) == text


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        ("no%u010Dn%ed", "noční"), ("no%u010Dn%C3%AD", "nočnÃ\xad"), ("%e9t%E9", "été"), ("%C3%A9t%C3%A9", "été"),
        ("%uD83C%uDF3F", "🌿"), ("%uD83C", "\ufffd"), ("%uDF3F%uD83C x%u0161", "\ufffd\ufffd xš"),
        ("50 % or %zz", "50 % or %zz"), ("%u12 %u010D", "%u12 č"), ("%25u010D", "%u010D"), ("", ""), ("%", "%"),
    ],
)  # fmt: skip
def test_units_octets_and_what_is_neither(escaped: str, text: str) -> None:
    assert unescape(escaped) == text


@given(st.text(alphabet="%uU0aD8fé ", max_size=40))
def test_any_text_becomes_one_that_can_be_stored(text: str) -> None:
    unescape(text).encode()


@pytest.mark.parametrize("value", ["%%%", "eyJ", "e30", base64.b64encode(b"\xff\xfe{").decode(), "not base64 at all"])
def test_an_entry_that_cannot_be_unpacked_is_a_problem(value: str) -> None:
    island = json.dumps({"appsWarmupData": {BLOG_APP: {"feed-page-x": value}}})
    body = f'<script id="wix-warmup-data">{island}</script>'.encode()
    found = read_warmup(body, "utf-8", SITE, None)
    assert [problem.kind for problem in found.problems] == ["malformed-json"]
