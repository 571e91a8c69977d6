"""Marks of what takedowns name: keyed hashes, so that the log does not say what was withdrawn.

A mark is an HMAC-SHA256 under the archive's own key (`pseudonym.key`) of the clinic and a value:

    post riverside.example/post/sleep    an address of a post (`scraper.addresses.post_key`)
    post wix:64ddbf6a1737d98af033206f    its id on the platform, or its thread at a comment service
    word sleep                           the last part of its address, or its bare id, in other addresses
    comment 0b5e4ad3                     the platform's id of a comment
    person reader-k3v5m7q2x4ab           a pseudonym
    name wix:64ddbf6a1737d98af033206f roe   a word of the name of a purged person, in the comments on one post
    quote ..., words ..., listed ...   a phrase of what is purged (`pipelines.takedown.phrases`)
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

from archive.rows.withdrawals import path_sha256
from pipelines.privacy.finders.names import PARTICLES
from pipelines.privacy.masking import MASK
from scraper.addresses import post_key

_LENGTHS = (4, 3, 2, 1)  # words of a name that are compared as a whole, and alone
# A word of a name: "Roe", "O" and "Brien" of "O'Brien"
_WORD = re.compile(r"[^\W_]+")
# An address in the message of a problem: "https://clinic.example/post/a: 404"
ADDRESS = re.compile(r"https?://[^\s<>\"']+?(?=[:;,.)]*(?:\s|$))")
WITHDRAWN = "[withdrawn]"  # in the place of an address
SHORTEST_WORD = 4  # characters; a shorter part of an address ("p", "12") occurs in too many others


def mark(key: bytes, clinic_id: str, value: str) -> str:
    """Return the mark of a value: 32 hex digits."""
    text = f"withdrawn\0{clinic_id}\0{value}"
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def key_check(key: bytes) -> str:
    """Return what tells one key from another, without revealing it."""
    return hmac.new(key, b"withdrawn: check of the key", hashlib.sha256).hexdigest()[:16]


def post_values(addresses: Iterable[str]) -> set[str]:
    """Return the values of a post with these addresses: URLs, ids, threads."""
    found = set()
    for address in addresses:
        found.add(f"post {post_key(address)}")
        words = address_values(address) if "://" in address else [address.partition(":")[2]]
        found |= {f"word {word}" for word in words[:1] if len(word) >= SHORTEST_WORD}
    return found


def address_values(url: str) -> list[str]:
    """Return the last part of an address's path, and the values of its query: what may name a post in it."""
    try:
        parts = urlsplit(url)
        last = unquote(parts.path.rstrip("/").rpartition("/")[2])
        return [last, *(value for _, value in parse_qsl(parts.query, max_num_fields=100))]
    except ValueError:
        return []


def name_values(post: Iterable[str], name: str) -> set[str]:
    """Return the values of a person's name in the comments on a post, whose addresses are given."""
    words = [word for word, _, _ in _words(name)]
    alone = {word for word in words if len(word) > 1 and word not in PARTICLES and not word.isdigit()}
    return {f"name {address} {each}" for address in post for each in {" ".join(words[: _LENGTHS[0]]), *alone} - {""}}


def without_names(text: str, post: Iterable[str], is_marked: Callable[[str], bool]) -> str:
    """Return a text of the comments on a post with the marked names replaced by [name]."""
    words, addresses = list(_words(text)), list(post)
    found, at = list[str](), 0
    number = 0
    while number < len(words):
        length = next((n for n in _LENGTHS if _is_name(words[number : number + n], n, addresses, is_marked)), 0)
        if length:
            found += [text[at : words[number][1]], MASK]
            at = words[number + length - 1][2]
        number += length or 1
    return "".join([*found, text[at:]]) if found else text


def _is_name(
    words: list[tuple[str, int, int]], length: int, addresses: list[str], is_marked: Callable[[str], bool]
) -> bool:
    joined = " ".join(word for word, _, _ in words)
    return len(words) == length and any(is_marked(f"name {address} {joined}") for address in addresses)


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each word in the form that is compared, with its place."""
    for word in _WORD.finditer(text):
        yield unicodedata.normalize("NFC", word[0]).casefold(), word.start(), word.end()


def redacted(text: str, is_withdrawn: Callable[[str], bool]) -> str:
    """Return a text without the addresses of what is withdrawn."""
    return ADDRESS.sub(lambda found: WITHDRAWN if is_withdrawn(found[0]) else found[0], text)


def permalinks(clinic_id: str, addresses: Iterable[str]) -> list[str]:
    """Return the hashes of a post's addresses on the archive's site: its last parts, and its bare ids."""
    names = (address_values(each)[:1] if "://" in each else [each.partition(":")[2]] for each in sorted(addresses))
    return [path_sha256(clinic_id, name) for found in names for name in found if name]
