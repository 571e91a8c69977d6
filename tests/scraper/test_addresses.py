"""Addresses: one spelling a post, and no private address let through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.addresses import (
    canonical_url,
    goes_in_circles,
    host_key,
    is_loopback_host,
    is_private_host,
    is_tracker,
    is_web_address,
    literal_ip,
    post_key,
    refuse_private,
    same_site,
)

SLUG = "https://www.fenicio.es/post/el-fenicio-campe%C3%B3n-auton%C3%B3mico"


@pytest.mark.parametrize(
    "spelling",
    [
        "https://www.fenicio.es/post/el-fenicio-campeón-autonómico",
        "https://www.fenicio.es/post/el-fenicio-campe%c3%b3n-auton%c3%b3mico",
        "HTTPS://WWW.FENICIO.ES:443/post/el-fenicio-campe%C3%B3n-auton%C3%B3mico/",
        "https://www.fenicio.es/post/el-fenicio-campeón-autonómico?utm_source=x&fbclid=y#comments",
        "  https://www.fenicio.es/blog/../post/el-fenicio-campeón-autonómico\n",
        "https://reader:secret@www.fenicio.es./post/el-fenicio-campeón-autonómico?",
    ],
)
def test_spellings_of_one_post_are_one(spelling: str) -> None:
    assert canonical_url(spelling) == SLUG


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("https://a.de", "https://a.de/"),
        ("https://a.de/?utm_medium=x", "https://a.de/"),
        ("http://a.de/x", "http://a.de/x"),  # the scheme is kept
        ("http://a.de:8000/x/", "http://a.de:8000/x"),
        ("https://a.de:80/x", "https://a.de:80/x"),  # 80 is not the port of https
        ("https://a.de/post/x?lang=es", "https://a.de/post/x?lang=es"),
        ("https://a.de/?p=12&lang=es&gclid=1", "https://a.de/?lang=es&p=12"),
        ("https://a.de/?gallery=1&reference=2&page_id=3", "https://a.de/?gallery=1&page_id=3&reference=2"),
        ("https://static.wixstatic.com/media/a%7Emv2.jpg", "https://static.wixstatic.com/media/a~mv2.jpg"),
        ("https://a.de/post/x;jsessionid=0A1B.node1?x=1", "https://a.de/post/x?x=1"),
        ("https://a.de/post/x;v=2", "https://a.de/post/x;v=2"),
        ("https://a.de/post/x?PHPSESSID=1&lang=es&ASPSESSIONIDCQ=2", "https://a.de/post/x?lang=es"),
        ("https://a.de/post/x?sid=0f3c9ab1d2e4f5a60718", "https://a.de/post/x"),
        ("https://a.de/story?sid=12", "https://a.de/story?sid=12"),  # a story's number
        ("https://a.de/story?sid=summer-reading-group-2021", "https://a.de/story?sid=summer-reading-group-2021"),
        ("https://a.de/x%2Fy", "https://a.de/x%2Fy"),  # an encoded slash is part of a slug
        ("https://müller.de/x", "https://xn--mller-kva.de/x"),
        ("http://[0:0::1]:80/x", "http://[::1]/x"),
        ("https://a.de/#/x?utm_source=1", "https://a.de/"),
        ("mailto:a@b.de", "mailto:a@b.de"),
        ("http://[x/y", "http://[x/y"),
        ("http://a.de:99999/", "http://a.de:99999/"),
        ("/post/x", "/post/x"),
        ("", ""),
    ],
)
def test_canonical_url(given_url: str, expected: str) -> None:
    assert canonical_url(given_url) == expected


def test_relative_addresses_need_a_base() -> None:
    assert canonical_url("../post/x/", "https://a.de/blog/page/2") == "https://a.de/blog/post/x"
    assert canonical_url("//b.de/x", "https://a.de/") == "https://b.de/x"
    assert canonical_url("mailto:x@y.de", "https://a.de/") == "mailto:x@y.de"


@given(st.text())
def test_any_text_is_answered_and_the_answer_stays(text: str) -> None:
    once = canonical_url(text)
    assert canonical_url(once) == once


@given(
    host=st.sampled_from(["a.de", "WWW.a.de", "a.de:8000", "müller.de", "[::1]", "a.de.", "u@a.de", "a..de"]),
    path=st.text(alphabet="aé/.%2fF;~?&=# +\\", max_size=20),
    query=st.text(alphabet="abé=&%2;+?/#_utmref", max_size=20),
)
def test_canonical_url_is_idempotent(host: str, path: str, query: str) -> None:
    once = canonical_url(f"http://{host}/{path}?{query}")
    assert canonical_url(once) == once


@given(st.text(alphabet=st.characters(min_codepoint=0xA1, exclude_categories=["Cs"]), min_size=1, max_size=10))
def test_raw_and_encoded_slugs_are_equal(slug: str) -> None:
    from urllib.parse import quote

    assert canonical_url(f"https://a.de/post/{slug}x") == canonical_url(f"https://a.de/post/{quote(slug)}x".lower())


def test_sites() -> None:
    assert host_key("https://www.Example.com/x") == "example.com"
    assert host_key("http://127.0.0.1:8000/") == "127.0.0.1:8000"
    assert host_key("mailto:x@y.de") == ""
    assert same_site("http://example.com", "https://www.example.com/post/a")
    assert not same_site("https://example.com", "https://blog.example.com")
    assert not same_site("http://127.0.0.1:8000", "http://127.0.0.1:8001")
    assert not same_site("mailto:x@y.de", "mailto:x@y.de")
    assert post_key("http://www.example.com/post/a/") == post_key("https://example.com/post/a")
    assert post_key("https://example.com/post/a?lang=es") != post_key("https://example.com/post/a")
    assert is_web_address("https://a.de")
    assert not is_web_address("ftp://a.de")
    assert not is_web_address("http://[x")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/a/a/a", True), ("/x/a/a/a/a/y", True), ("/a/b/a/b/a/b/a/b", True), ("/a/b/c/a/b/c/a/b/c/a/b/c/", True),
        ("/a/a/a", False), ("/post/2006/06/06/06", False), ("/aa/aaa/a/a", False), ("/ab/ab/ab/abc", False),
        ("", False),
    ],
)  # fmt: skip
def test_paths_that_go_in_circles(path: str, expected: bool) -> None:
    assert goes_in_circles(f"https://a.de{path}") is expected


@pytest.mark.parametrize("name", ["utm_source", "UTM_Campaign", "fbclid", "gclid", "ref", "gad_campaignid", "_hsenc"])
def test_trackers(name: str) -> None:
    assert is_tracker(name)


@pytest.mark.parametrize("name", ["lang", "p", "page", "page_id", "id", "gallery", "glossary", "reference", "slug", ""])
def test_meaningful_parameters(name: str) -> None:
    assert not is_tracker(name)


@pytest.mark.parametrize(
    ("ip", "word"),
    [
        ("127.0.0.1", "loopback"),
        ("127.8.9.10", "loopback"),
        ("::1", "loopback"),
        ("[::1]", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("fd00::1", "private"),
        ("198.18.0.1", "private"),
        ("192.0.2.1", "private"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("fec0::1", "site-local"),
        ("100.64.0.1", "carrier-grade"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "private"),
        ("255.255.255.255", "private"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "link-local"),
        ("::127.0.0.1", "loopback"),
        ("2002:7f00:1::", "loopback"),  # 6to4 of 127.0.0.1
        ("2002:a9fe:a9fe::1", "link-local"),  # 6to4 of 169.254.169.254
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b:1::a00:1", "private"),
        ("2001:0:102:304::f5ff:fffe", "private"),  # Teredo
    ],
)
def test_private_addresses_are_refused(ip: str, word: str) -> None:
    reason = refuse_private(ip)
    assert reason is not None
    assert word in reason


@pytest.mark.parametrize(
    "ip", ["8.8.8.8", "93.184.216.34", "100.128.0.1", "2606:4700::1111", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"]
)
def test_public_addresses_pass(ip: str) -> None:
    assert refuse_private(ip) is None


def test_what_is_no_ip_address_is_an_error() -> None:
    with pytest.raises(ValueError, match="localhost"):
        refuse_private("localhost")


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_hides_in_no_ipv6_form(ip: object) -> None:
    refused = refuse_private(str(ip)) is not None
    for prefix in ("::ffff:", "64:ff9b::"):
        assert (refuse_private(f"{prefix}{ip}") is not None) is refused


@pytest.mark.parametrize(
    ("host", "ip"),
    [("127.0.0.1", "127.0.0.1"), ("127.1", "127.0.0.1"), ("2130706433", "127.0.0.1"), ("0x7f.1", "127.0.0.1"),
     ("0177.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("127.0.0.1.", "127.0.0.1"), ("a.de", None), ("1a.de", None),
     ("", None), ("face", None), ("1.2.3.4.5", None)],
)  # fmt: skip
def test_literal_ip(host: str, ip: str | None) -> None:
    assert literal_ip(host) == ip


def test_hosts_private_by_name() -> None:
    for host in ("localhost", "LOCALHOST.", "x.localhost", "nas.local", "metadata.google.internal", "0x7f000001"):
        assert is_private_host(host)
    for host in ("example.com", "localhost.example.com", "notlocal", "8.8.8.8"):
        assert not is_private_host(host)
    assert is_loopback_host("127.0.0.2")
    assert is_loopback_host("localhost")
    assert is_loopback_host("[::1]")
    assert not is_loopback_host("10.0.0.1")
    assert not is_loopback_host("example.com")
