"""Mutations of bytes: a few edits each, drawn by a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

WORDS = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\n\n", b"\x1f\x8b\x08", b"<", b">", b"</", b"<!--", b"<![CDATA[",
    b"]]>",
    b"&#0;", b"&amp;" * 300, b"&#xD800;", b"<div>" * 400,
    b"[" * 3000, b'{"a":' * 3000, b"\\ud83d", b"NaN", b"-1",
    b"0",
    b"99999999999999999999", b"1e999", b"2024-13-45T99:99:99Z", b"0000-00-00", b"9999-12-31T23:59:59-11:00", b"null",
    b"true", b"[]", b"{}", b'""', b"http://[::1/x", b"http://\xe2\x80\xae.example/", b"javascript:1", b"//", b"%00",
    b"%u010D",
    b"; charset=undefined", b"Content-Encoding: br\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: -5\r\n",
    b"WARC/1.1\r\n", b"WARC-Type: revisit\r\n", b"\xc2\x9b", b"\x1b[31m", b"\xd9\xa1\xd9\xa2", b"*", b"User-agent: *",
    b"e" * 20_000,
]  # fmt: skip


# href="/a", "id":7, >text<
_VALUE = re.compile(rb"(?:[\"'>]|\":\s?)([^\"'<>,:{}\[\]]{1,80})[\"'<,}]")


def mutated(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One of the inputs after one to six edits."""
    data = chance.choice(seeds)
    for _ in range(chance.randint(1, 6)):
        data = _edited(data, seeds, chance)
    return data


def _edited(data: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    end = min(len(data), at + chance.choice([1, 2, 8, 64, 700]))
    kind = chance.randrange(10)
    if kind == 0:  # bits
        return data[:at] + bytes(byte ^ (1 << chance.randrange(8)) for byte in data[at:end]) + data[end:]
    if kind == 1:
        return data[:at] + data[end:]
    if kind == 2:
        return data[:at] + data[at:end] * chance.choice([2, 3, 50]) + data[end:]
    if kind == 3:
        return data[:at] if chance.random() < 0.3 else data[:at] + chance.randbytes(end - at) + data[end:]
    if kind == 4:  # of another input
        other = chance.choice(seeds)
        start = chance.randint(0, len(other))
        return data[:at] + other[start : start + chance.choice([20, 400, 5000])] + data[at:]
    if kind == 5:  # a digit
        digits = [index for index in range(at, min(len(data), at + 400)) if 48 <= data[index] < 58]
        index = chance.choice(digits) if digits else None
        return data if index is None else data[:index] + chance.choice([b"-9", b"99999999999", b""]) + data[index + 1 :]
    word = chance.choice(WORDS)
    if kind >= 8:  # a whole value: of an attribute, a field, a text
        value = _VALUE.search(data, at)
        return data if value is None else data[: value.start(1)] + word + data[value.end(1) :]
    return data[:at] + word + data[at if kind == 6 else end :]
