"""When two texts are the same."""

from __future__ import annotations

import hashlib
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.rows.posts.fingerprint import content_sha256, domain_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT, TEXT)
def test_unicode_form_and_white_space_do_not_count(title: str, body: str) -> None:
    same = content_sha256(title, body, [])
    assert content_sha256(unicodedata.normalize("NFD", title), unicodedata.normalize("NFD", body), []) == same
    assert content_sha256(f"  {title}\n", f"\t{body} \n\n", []) == same


@given(st.text(min_size=1, alphabet="abc"), st.text(min_size=1, alphabet="abc"))
def test_other_words_are_another_text(one: str, other: str) -> None:
    assert (content_sha256("t", one, []) == content_sha256("t", other, [])) == (one == other)
    assert (content_sha256(one, "b", []) == content_sha256(other, "b", [])) == (one == other)


@given(TEXT, TEXT, st.lists(TEXT))
def test_what_is_hashed_is_json(title: str, body: str, links: list[str]) -> None:
    """Others can compute it: the hash is part of permalinks."""
    normal = [" ".join(unicodedata.normalize("NFC", each).split()) for each in (title, body)]
    targets = sorted(set(links))
    wanted = json.dumps([*normal, targets], ensure_ascii=False)
    if not any(link.startswith("http") for link in links):
        assert content_sha256(title, body, links) == hashlib.sha256(wanted.encode()).hexdigest()


def test_title_and_body_are_not_mixed_up() -> None:
    assert content_sha256("a", "b", []) != content_sha256("a b", None, [])
    assert content_sha256(None, None, []) == content_sha256("", " ", [])


def test_links_count_without_order_and_tracking() -> None:
    links = ["https://a.example/x", "https://b.example/?page=2"]
    same = content_sha256("t", "b", links)
    assert content_sha256("t", "b", [*reversed(links), links[0] + "?utm_source=mail"]) == same
    assert content_sha256("t", "b", links[:1]) != same


@pytest.mark.parametrize(
    "url", ["http://[", "http://[::1", "http://ex\u2100mple.com/", "https://" + "a" * 10_000, "mailto:x", "#", ""]
)
def test_what_people_write_into_links_never_raises(url: str) -> None:
    assert content_sha256("t", "b", [url]) == content_sha256("t", "b", [url])
    domain_of(url)


def test_domains() -> None:
    assert domain_of("https://WWW.Example.com:8080/x") == "www.example.com"
    assert domain_of("mailto:a@b.example") is None
    assert domain_of("http://[") is None
