"""Addresses as they are requested: without user names and passwords."""

from __future__ import annotations

import pytest

from scraper.http import redirect_target, requestable


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://user:secret@a.example/x?y=1", "http://a.example/x?y=1"),
        ("https://token@a.example:8443/", "https://a.example:8443/"),
        ("http://u:p%40ss@a.example/", "http://a.example/"),
        ("https://a.example/@user", "https://a.example/@user"),
        ("mailto:a@b.example", None),
    ],
)
def test_a_password_is_sent_to_nobody(url: str, expected: str | None) -> None:
    assert requestable(url) == expected


def test_a_redirect_loses_its_password() -> None:
    assert redirect_target("http://a.example/", b"//user:secret@b.example/c") == "http://b.example/c"
    assert redirect_target("http://a.example/", b"ftp://user:secret@b.example/c") == "ftp://b.example/c"
    assert redirect_target("http://a.example/b/", b"../@c") == "http://a.example/@c"


def test_a_backslash_moves_no_request_to_another_host() -> None:
    target = redirect_target("http://a.example/", rb"http://b.example\@c.example/x")
    assert requestable(target or "") == "http://b.example/@c.example/x"
