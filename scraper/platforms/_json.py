"""Access to JSON of an uncertain shape: each function returns the value if it has the expected type, else nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

LARGEST = 2**63 - 1  # what a SQLite integer holds
MAX_OBJECTS = 40_000  # of one answer: each comment is one, and its text is parsed in a fifth of a millisecond
MAX_BYTES = 12_000_000  # of one answer; small objects take thirty times their text in memory


def decode(body: bytes) -> Any:
    """Return the JSON value of an answer.

    Raises `ValueError` for bytes that are not JSON (cut, HTML, nested too deep), and for more than `MAX_BYTES`.

    Numbers with a decimal point are `Decimal`, so that they can be given as they were printed.
    """
    if len(body) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes of JSON")
    try:
        return json.loads(body, parse_float=Decimal)
    except (RecursionError, ArithmeticError) as error:
        raise ValueError(f"{type(error).__name__}: nested too deep, or a number out of bounds") from error


def decode_rows(body: bytes) -> Any:
    """Return the JSON value of an answer that lists posts or comments.

    Raises `ValueError` as `decode`, and for more than `MAX_OBJECTS` objects.
    """
    value = decode(body)
    waiting, number = [value], 0
    for node in waiting:
        number += isinstance(node, dict)
        if number > MAX_OBJECTS:
            raise ValueError(f"more than {MAX_OBJECTS} objects of JSON")
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        waiting += [child for child in children if isinstance(child, dict | list)]
    return value


def mapping(value: object) -> Mapping[str, Any]:
    """Return the JSON object, or an empty one where the value is anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[Any]:
    """Return the JSON array, or an empty one where the value is anything else."""
    return value if isinstance(value, list) else ()


def string(value: object) -> str:
    """Return the JSON string, or "". Lone surrogates, which JSON allows and UTF-8 does not, become U+FFFD."""
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "\ufffd")


def dig(value: object, *path: str) -> Any:
    """Return the value at `path` inside nested JSON objects, None where a step is missing."""
    for key in path:
        value = mapping(value).get(key)
    return value


def printed(value: object) -> str | None:
    """Return a number as the JSON prints it, e.g. `29` or `"29"` -> "29"; None for anything that is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        return None
    if isinstance(value, str):
        return value if value.isascii() and value.isdigit() else None
    return str(value)


def count(value: object) -> int | None:
    """Return a whole number from 0 to 2**63 - 1, printed as number or string; None, never 0, for anything else."""
    text = printed(value)
    try:
        number = Decimal(text) if text else None
    except ArithmeticError:
        return None
    if number is None or not 0 <= number <= LARGEST or number != int(number):
        return None
    return int(number)
