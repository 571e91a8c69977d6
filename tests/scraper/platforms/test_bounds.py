"""Bounded work: what takes the square of its size, or thirty times its memory, elsewhere."""

from __future__ import annotations

import json

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.items import Exchange, Problem
from scraper.platforms import _html
from scraper.platforms._html import sanitise_html
from scraper.platforms._json import decode
from scraper.platforms.wix.warmup import BLOG_APP, read_warmup
from tests.making import extract
from tests.scaling import assert_linear

PIECES = [
    "&amp;", "&", "&#38;", "&nbsp;", "\u00a0", "a", "<p>", "</p>", '<a href="', "?a=1&b=2&amp;c", '">', "&lt;",
    "&amp;lt;",
    "&copy", "&copy;", "\ue000", "\ue001", "&amp", "&#x26", "javascript&colon;", "<img alt='", "'>", "&#", "&;", "& ",
    "<script>", "<!--", "-->", "<pre>", "=", "é", "©", "&sect;", "&#xa9;", "&#99999999999;", "&#0;", "&notin;", "«",
]  # fmt: skip
MANY = "<p>" + "&amp; " * 2_001


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_a_text_of_many_references_gives_what_nh3_gives(html: str) -> None:
    rules = {"tags": _html._TAGS, "attributes": _html._ATTRIBUTES, "url_schemes": _html._SCHEMES, "link_rel": None}
    assert sanitise_html(html + MANY) == nh3.clean(html + MANY, **rules)


@pytest.mark.parametrize("piece", ["&amp;", "&copy;", "&", "&#160;", "\u00b0", "&quot;"])
def test_a_text_of_references_is_cleaned_in_linear_time(piece: str) -> None:
    assert_linear(lambda size: sanitise_html(f"<p>{piece * size}</p>"), 160_000)


def test_an_island_of_millions_of_objects_is_refused_by_name() -> None:
    many = json.dumps({"appsWarmupData": {BLOG_APP: {"a": "X"}}}).replace('"X"', "[" + "{}," * 2_700_000 + "{}]")
    page = f'<script type="application/json" id="wix-warmup-data">{many}</script>'.encode()
    (problem,) = read_warmup(page, "utf-8", "https://a.example/post/a", "a").problems
    assert problem.kind == "too-large"


def test_an_answer_of_millions_of_objects_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="more than 12000000 bytes"):
        decode(b"[" + b"{}," * 4_000_000 + b"{}]")
    page = f'<script type="application/ld+json">[{"{}," * 1_400_000}{{}}]</script>'
    exchange = Exchange(url="https://a.example/", body=page.encode(), content_type="text/html")
    problems = [item for item in extract(exchange) if isinstance(item, Problem)]
    assert "parser-error" not in {problem.kind for problem in problems}
