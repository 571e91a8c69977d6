"""The rules of robots.txt: which group is ours, which rule wins, and how addresses are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.robots.rules import RobotsRules, read_rules

HOST = "https://www.a.de"
TOKEN = "clinic-blog-archive"


def rules(text: str | bytes, product: str = TOKEN) -> RobotsRules:
    return read_rules(text.encode() if isinstance(text, str) else text, product)


def allows(text: str | bytes, path: str, product: str = TOKEN) -> bool:
    return rules(text, product).allows(HOST + path)


@pytest.mark.parametrize(
    "line",
    [
        "User-agent: clinic-blog-archive",
        "User-agent: clinic-blog-archive/0.1.0",
        "user-agent: Clinic-Blog-Archive/9 (+https://b.example)",
        "USER-AGENT:CLINIC-BLOG-ARCHIVE",
        "User-agent: clinic-blog-archive # that one",
        "User-agent: clinic-blog-archive; version 2",
        "User-agent: clinic-blog-archive friends",
        "User-agent clinic-blog-archive",
        "\ufeffUser-agent: clinic-blog-archive",
    ],
)
def test_the_product_token_ends_at_the_first_other_character(line: str) -> None:
    text = f"{line}\nDisallow: /\n\nUser-agent: *\nAllow: /\n"
    assert not allows(text, "/post/a")
    assert allows(text, "/post/a", "another")


@pytest.mark.parametrize(
    "name", ["clinic", "blog-archive", "clinic-blog", "clinic-blog-archiver", "archive", "clinic_blog_archive", "-", ""]
)
def test_another_token_is_not_ours(name: str) -> None:
    """Neither a part of our token nor one that begins with it."""
    assert allows(f"User-agent: {name}\nDisallow: /\n", "/post/a")


@pytest.mark.parametrize(
    ("text", "allowed", "refused"),
    [
        ("User-agent: *\nDisallow: /a\nUser-agent: {}\nDisallow: /b\n", ["/a", "/c"], ["/b"]),
        ("User-agent: {}\nDisallow: /a\nUser-agent: x\nDisallow: /b\nUser-agent: {}\nDisallow: /c\n", ["/b"], ["/a"]),
        ("User-agent: x\nUser-agent: {}\n\nDisallow: /a\n", ["/b"], ["/a"]),
        ("User-agent: {}\n# none\n\nUser-agent: x\nDisallow: /a\n", ["/b"], ["/a"]),
        ("Disallow: /a\nUser-agent: {}\nDisallow: /b\n", ["/a"], ["/b"]),
        ("User-agent: *\nDisallow: /\nUser-agent: {}\nDisallow:\n", ["/a"], []),
        ("User-agent: *\nDisallow: /\nUser-agent: {}\n", ["/a"], []),
        ("User-agent: *\nDisallow: /a\nUser-agent: *\nDisallow: /b\n", ["/c"], ["/a", "/b"]),
        ("User-agent: {}\nSitemap: /s.xml\nnoindex: /b\nDisallow: /a\n", ["/b"], ["/a"]),
        ("User-agent: {}\rDisallow: /a\rAllow: /a/b\r", ["/a/b"], ["/a"]),
        ("User-agent: {}\r\nDisallow: /a\n\r\n\rAllow: /a/b", ["/a/b"], ["/a"]),
        ("User-agent: {}\nDisallow /a\ndisalow: /b\ndissallow : /c\n", ["/d"], ["/a", "/b", "/c"]),
        ("User-agent: {}\nDisallow /a and more\nDisallow\n:\n", ["/a"], []),
        ("", ["/a", ""], []),
    ],
)  # fmt: skip
def test_groups(text: str, allowed: list[str], refused: list[str]) -> None:
    text = text.replace("{}", TOKEN)
    assert [path for path in (*allowed, *refused) if allows(text, path)] == allowed


@pytest.mark.parametrize(
    ("lines", "allowed", "refused"),
    [
        ("Disallow: /\nAllow: /post", ["/post", "/post/a", "/post?x=1", "/posts"], ["/", "/Post", "/a/post", "/?post"]),
        ("Disallow: /\nAllow: /post/", ["/post/", "/post/a"], ["/post", "/post?x"]),
        ("Allow: /a/b\nDisallow: /a", ["/a/b", "/c"], ["/a", "/a/c"]),
        ("Disallow: /a/b\nAllow: /a", ["/a", "/a/c"], ["/a/b"]),
        ("Disallow: /a\nAllow: /a", ["/a"], []),
        ("Disallow: /*.pdf$", ["/a.pdf?x", "/a.pdfs", "/A.PDF"], ["/a.pdf", "/x/y.pdf", "/.pdf.pdf"]),
        ("Disallow: /*/print", ["/print", "/a/printer-no/x"[:2]], ["/a/print", "/a/b/printer", "//print"]),
        ("Disallow: *?lightbox=", ["/a?x=1&lightbox=2"], ["/a?lightbox=2", "/?lightbox="]),
        ("Disallow: /a$", ["/a/", "/ab", "/a?"], ["/a"]),
        ("Disallow: /$", ["/a"], ["/", ""]),
        ("Disallow: /a$b", ["/a", "/ab"], ["/a$b", "/a$bc"]),
        ("Disallow: /a*b*c$", ["/abcd", "/acb"], ["/abc", "/axxbyyc", "/abcbc"]),
        ("Disallow: /ab*ba$", ["/aba"], ["/abba", "/ab-ba"]),
        ("Disallow: /a # all of it", ["/b"], ["/a", "/a/b"]),
        ("Disallow: #", ["/a"], []),
        ("Disallow: a", ["/a", "/b"], []),
        ("Disallow: /\nAllow: /a/index.html", ["/a/", "/a/index.html"], ["/a", "/a/index.htm", "/a/b"]),
        ("Disallow: /**", [], ["/", "/a"]),
    ],
)
def test_the_longest_rule_that_matches_wins(lines: str, allowed: list[str], refused: list[str]) -> None:
    text = f"User-agent: *\n{lines}\n"
    assert [path for path in (*allowed, *refused) if allows(text, path)] == allowed


@pytest.mark.parametrize(
    ("written", "requested"),
    [
        ("/spánek", "/sp%C3%A1nek"),
        ("/sp%c3%a1nek", "/sp%C3%A1nek"),
        ("/sp%C3%A1nek", "/sp%C3%A1nek"),
        ("/%62%61%7A", "/%62%61%7A"),
        ("/a?x=http://b.example?c&d", "/a?x=http://b.example?c&d"),
    ],
)
def test_octets_beyond_ascii_are_compared_encoded(written: str, requested: str) -> None:
    assert not allows(f"User-agent: *\nDisallow: {written}\n", requested)
    assert allows(f"User-agent: *\nDisallow: /\nAllow: {written}\n", requested)


@pytest.mark.parametrize(
    ("written", "requested"),
    [("/%62%61%7A", "/baz"), ("/baz", "/%62az"), ("/~a", "/%7Ea"), ("/%7ea", "/~a"), ("/dětí", "/dětí")],
)
def test_another_spelling_is_refused_and_never_allowed(written: str, requested: str) -> None:
    """Where the two texts of the rule disagree, the stricter reading holds."""
    assert not allows(f"User-agent: *\nDisallow: {written}\n", requested)
    assert not allows(f"User-agent: *\nDisallow: /\nAllow: {written}\n", requested)


def test_a_reserved_octet_is_not_its_character() -> None:
    assert allows("User-agent: *\nDisallow: /a%2Fb\n", "/a/b")
    assert allows("User-agent: *\nDisallow: /a/b\n", "/a%2Fb")


def test_octets_of_an_older_encoding_are_read_in_both_ways() -> None:
    text = "# sólo para ñ\nUser-agent: *\nDisallow: /año\n".encode("latin-1")
    assert [allows(text, path) for path in ("/a%F1o", "/a%C3%B1o", "/a%C3%B1os", "/ano")] == [False, False, False, True]


@pytest.mark.parametrize(
    "line",
    ["\xefUser-agent: {}", "\xef\xbbUser-agent: {}", "\xef\x11\xbfUser-agent: {}", "User-agent: {}\n\xef\xbb\xbf#"],
)
def test_half_a_byte_order_mark_spoils_its_line_alone(line: str) -> None:
    text = f"{line}\nDisallow: /a\n".replace("{}", TOKEN).encode("latin-1")
    assert allows(text, "/a") is not line.startswith("User-agent")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("User-agent: *\nCrawl-delay: 7\n", 7.0),
        ("User-agent: x\nCrawl-delay: 7\n\nUser-agent: *\nAllow: /\n", None),
        ("User-agent: *\nCrawl-delay: 7\nUser-agent: x\nCrawl-delay: 9\n", 7.0),
        ("User-agent: *\nCrawl-delay: 7\nUser-agent: clinic-blog-archive\nCrawl-delay: 2.5\n", 2.5),
        ("User-agent: *\nCrawl-delay: soon\n", None),
        ("User-agent: *\nCrawl-delay: inf\n", None),
        ("User-agent: *\nCrawl-delay: nan\n", None),
        ("User-agent: *\nCrawl-delay: -1\n", None),
        ("Crawl-delay: 7\n", None),
    ],
)
def test_the_delay_is_that_of_our_group(text: str, seconds: float | None) -> None:
    assert rules(text).crawl_delay == seconds


def test_sitemaps_belong_to_no_group() -> None:
    text = "Sitemap: /a.xml\nUser-agent: x\nSITEMAP:https://www.a.de/b.xml\nDisallow: /\nsite-map: /c.xml\n"
    assert rules(text).sitemaps == ("/a.xml", "https://www.a.de/b.xml", "/c.xml")


def test_a_pattern_of_many_asterisks_is_matched_at_once() -> None:
    """With a regular expression this would take longer than the test may."""
    text = f"User-agent: *\nDisallow: /{'*a' * 5_000}$\n"
    assert allows(text, "/" + "a" * 4_999 + "b")
    assert not allows(text, "/" + "a" * 5_001)


@given(st.binary(max_size=200), st.text(max_size=60))
def test_any_bytes_and_any_address_are_read(body: bytes, path: str) -> None:
    text = b"User-agent: *\nDisallow: /" + body
    assert rules(text).allows(HOST + "/" + path) in {True, False}


@given(st.text("ab/*$", min_size=1, max_size=12), st.text("ab/", max_size=12))
def test_a_rule_for_both_allows(pattern: str, path: str) -> None:
    assert allows(f"User-agent: *\nDisallow: /{pattern}\nAllow: /{pattern}\n", f"/{path}")
