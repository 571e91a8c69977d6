"""A comment is removed from an answer, and nothing else: every answer with comments in `tests/pages`, every comment."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from scraper.items import Comment, Exchange, Item
from scraper.not_a_post import NotAPost
from scraper.platforms._reader import Reader
from scraper.platforms._without import Inseparable, with_texts, without_rows
from tests.golden import exchange_of, pages, reader_of


def items_of(reader: Reader, exchange: Exchange) -> list[Item]:
    try:
        return list(reader.read(exchange))
    except NotAPost:
        return []


def comments(items: list[Item]) -> list[Comment]:
    """Without what they reply to: a reply moves up where the answer nests it."""
    return [replace(item, parent_id=None) for item in items if isinstance(item, Comment)]


ANSWERS = [page for page in pages() if page.suffix == ".body" and '"Comment"' in page.with_suffix(".json").read_text()]


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_comment_of_an_answer(path: Path) -> None:
    reader, exchange = reader_of(path), exchange_of(path)
    before = comments(items_of(reader, exchange))
    for comment in before:
        body = reader.without(exchange, {comment.platform_comment_id})
        after = comments(items_of(reader, replace(exchange, body=body)))
        assert sorted(after, key=repr) == sorted((each for each in before if each != comment), key=repr)
        text = json.dumps(comment.body_text)[1:20] if comment.body_text else "\0"
        assert text.encode() not in body or any(text[:18] in json.dumps(each.body_text) for each in after)
    assert comments(items_of(reader, replace(exchange, body=reader.without(exchange, set())))) == before


def test_the_readers_of_json_can_all() -> None:
    assert {path.parent.name for path in ANSWERS} >= {
        "blogger", "ghost", "giscus", "hubspot-comments", "isso", "remark42", "substack", "wordpress",
    }  # fmt: skip


def test_a_page_goes_whole() -> None:
    page = next(
        page for page in pages() if page.suffix == ".html" and '"Comment"' in page.with_suffix(".json").read_text()
    )
    with pytest.raises(Inseparable):
        reader_of(page).without(exchange_of(page), {"1"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1",
        b"nope",
        b'{"a" 1}',
        b"[" * 5000,
        b"[1]x",
        b"<html>",
        b"{1:2}",
        b"[,]",
        b"\xff\xfe\xff",
        b'"\xed"',
    ],
    ids=repr,
)
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(Inseparable):
        without_rows(body, lambda _: True)


def test_the_bytes_of_the_rest_stay() -> None:
    body = b'{ "a": [ {"id":1,"n":1.10}, {"id": 2, "replies":[{"id":3, "t":"\\u00e9"}]} ], "z" : 1e999, "c": {"id":2}}'
    left = without_rows(body, lambda row: row.get("id") == 2)
    assert left == b'{"a":[{"id":1,"n":1.10},{"id":3, "t":"\\u00e9"}],"z":1e999}'
    assert without_rows(body, lambda _: False) == body


def test_texts_of_chosen_objects() -> None:
    body = b'[{"id":1,"t":"a b","text":"a"},{"id":2,"t":"a b","s":"a"}]'
    assert with_texts(body, lambda row: row.get("id") == 2, str.upper) == (
        b'[{"id":1,"t":"a b","text":"a"},{"id":2,"t":"A B","s":"a"}]'
    )
    assert with_texts(body, lambda row: row.get("id") == 1, str.upper) == (
        b'[{"id":1,"t":"A B","text":"A"},{"id":2,"t":"a b","s":"a"}]'
    )


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (b"[" * 101 + b"]" * 101, "inside each other"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "inside each other"),
        (b"[" + b"0," * 500_000 + b"nothing behind the limit is read", "values"),
    ],
    ids=["lists", "objects", "values"],
)
def test_too_deep_and_too_many(body: bytes, limit: str) -> None:
    with pytest.raises(Inseparable, match=limit):
        without_rows(body, lambda _: False)


def test_the_deepest_that_is_read() -> None:
    body = b"[" * 99 + b'{"id":1},{"id":2}' + b"]" * 99
    assert without_rows(body, lambda row: row.get("id") == 1) == b"[" * 99 + b'{"id":2}' + b"]" * 99


def test_a_text_is_copied_once_however_deep_it_lies() -> None:
    """Objects around a long text, a comment in the innermost: memory does not grow with the number of objects."""

    def most(depth: int) -> int:
        body = b'{"a":' * depth + b'[{"id":1},"' + b"x" * 1_000_000 + b'"]' + b"}" * depth
        tracemalloc.start()
        try:
            assert len(without_rows(body, lambda row: row.get("id") == 1)) == len(body) - len(b'{"id":1},')
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert most(90) < most(1) + 1_000_000
