"""What the head of any blog's page says: metas, generator, language, canonical link, JSON-LD."""

from __future__ import annotations

import pytest

from scraper.items import Exchange
from scraper.platforms._page import Head, encoding_of, markup_of, postings, read_head, scripts, utf8
from scraper.platforms._tree import soup

PAGE = "https://clinic.example/sleep/"


def head_of(html: str) -> Head:
    body = html.encode()
    return read_head(soup(body, "utf-8"), scripts(body, b"application/ld+json", "utf-8"), PAGE)


def test_metas_generator_language_and_canonical() -> None:
    head = head_of(
        '<html lang="en-US"><head><meta name="generator" content="WordPress 6.5.5">'
        '<meta property="og:type" content="article"><meta property="og:title" content="Sleep">'
        '<meta property="og:title" content="Second"><meta property="article:tag" content="Rest">'
        '<meta property="article:tag" content=" Night  care "><link rel="canonical" href="https://clinic.example/sleep/">'
    )
    assert (head.generator, head.language, head.is_article) == ("WordPress 6.5.5", "en-US", True)
    assert head.metas["og:title"] == "Sleep"
    assert head.labels == ["Rest", "Night care"]
    assert head.claimed_urls() == [PAGE]


@pytest.mark.parametrize("kind", ["BlogPosting", "NewsArticle", "Article"])
def test_json_ld_of_an_article_alone_or_in_a_graph(kind: str) -> None:
    posting = f'{{"@type": "{kind}", "headline": "Tom &amp; Ann", "author": [{{"name": "Ann"}}]}}'
    for text in (posting, f'[{{"@type": "Person"}}, {posting}]', f'{{"@graph": [{{"@type": "WebSite"}}, {posting}]}}'):
        head = head_of(f'<script type="application/ld+json">{text}</script>')
        assert head.json_ld("headline") == "Tom & Ann"
        assert head.json_ld("author", "name") == "Ann"


def test_json_ld_that_cannot_be_read_is_a_problem() -> None:
    (problem,) = head_of('<script type="application/ld+json">{"@type": </script>').problems
    assert (problem.kind, problem.url) == ("malformed-json", PAGE)


def test_what_describes_no_article_is_no_posting() -> None:
    assert list(postings({"@type": "Organization", "name": "Clinic"})) == []
    assert list(postings("text")) == []


def test_encodings() -> None:
    utf16 = Exchange(url=PAGE, body="\ufeffé".encode("utf-16-le"))
    assert utf8(utf16).decode().lstrip("\ufeff") == "é"
    latin = Exchange(url=PAGE, body=b"caf\xe9", content_type="text/html; charset=ISO-8859-1")
    assert encoding_of(latin, latin.body) == "cp1252"
    assert encoding_of(utf16, b"caf\xc3\xa9") == "utf-8"


@pytest.mark.parametrize(
    ("page", "markup"),
    [
        (b"<p>a</p><!-- <i> --><p>b</p>", b"<p>a</p><p>b</p>"),
        (b"<SCRIPT src=x>'<i>'</SCRIPT ><p>b", b"<SCRIPT src=x></SCRIPT ><p>b"),
        (b"<style><i></style><title><i></title><svg a=b><i/></svg>", b"<style></style><title></title><svg a=b></svg>"),
        (b"<p>a<script><i></p>", b"<p>a<script>"),
        (b"<p>a<script", b"<p>a<script"),
        (b"<p>a<!-- <i></p>", b"<p>a"),
        (b"<scripty><p>a", b"<scripty><p>a"),
        (b"<svg a='b'/><p>a<svg><i/></svg>", b"<svg a='b'/><p>a<svg></svg>"),
        (b"<svg><p>a<svg><i/></svg>", b"<svg><p>a<svg></svg>"),
        (b"<svg><p>a", b"<svg><p>a"),
        (b"<svg/><p>a</svg>", b"<svg/><p>a</svg>"),
    ],
)
def test_markup_is_without_what_only_looks_like_elements(page: bytes, markup: bytes) -> None:
    assert markup_of(page) == (markup, markup.lower())
