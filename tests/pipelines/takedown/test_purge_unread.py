"""Answers that no parser reads hold what is purged, too: before and after a purge they are emptied as a whole."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.rebuild import rebuild
from tests.pipelines.takedown.test_purge import (
    REASON,
    ROE,
    VEGA,
    holding,
    is_sound,
    purged,
    rows,
    run,
    thread,
    withdrawn,
)
from tests.visiting import MEMBERS_URL, SITE, Visiting, comments_url, members_answer, post_answer, post_url

GZIP = {"Content-Encoding": "gzip"}
# What a server does to an answer, so that nobody reads it. The text stays legible in the compressed form (level 0).
UNREAD: dict[str, Callable[[bytes], tuple[bytes, dict[str, Any]]]] = {
    "cut gzip": lambda body: (gzip.compress(body, 0)[:-9], {"headers": GZIP}),
    "cut gzip of an error": lambda body: (gzip.compress(body, 0)[:-10], {"headers": GZIP, "status": 502}),
    "error": lambda body: (body, {"status": 500}),
    "cut": lambda body: (body[:-1], {}),
    "one byte more": lambda body: (body + b"}", {}),
}


def visit(archive: Path) -> None:
    """Two posts; the first, its thread and the names of its people come well, and in each form that nobody reads."""
    answers = (
        (post_url("sleep"), post_answer("sleep", "All about Horsetail."), {}),
        (comments_url("sleep"), thread(("sleep-1", VEGA, "Says Quillwort."), ("sleep-2", ROE, "A Thistledown.")), {}),
        (MEMBERS_URL, members_answer(**{VEGA: "Marisol Vega", ROE: "Ada Roe"}), {"method": "POST"}),
    )
    with Visiting(archive) as visiting:
        visiting.answer(post_url("rest"), post_answer("rest", "All about rest."))
        for url, body, how in answers:
            visiting.answer(url, body, **how)
            for unread in UNREAD.values():
                given, changes = unread(body)
                visiting.answer(url, given, **how, **changes)
        visiting.end()
        visiting.run.close(0, {"problems": []})


@pytest.mark.parametrize(
    ("kind", "words", "left"),
    [
        ("person", ("Quillwort", "Marisol"), ("Thistledown", "Horsetail", "All about rest")),
        ("comment", ("Quillwort",), ("Thistledown", "Horsetail", "All about rest")),
        ("comments", ("Quillwort", "Thistledown", "Marisol", "Ada Roe"), ("Horsetail", "All about rest")),
        ("post", ("Quillwort", "Thistledown", "Horsetail"), ("All about rest",)),
        ("clinic", ("Quillwort", "Thistledown", "Horsetail", "Marisol", "All about rest"), ()),
    ],
)
def test_answers_that_nobody_reads(tmp_path: Path, kind: str, words: tuple[str, ...], left: tuple[str, ...]) -> None:
    archive = tmp_path / "archive"
    visit(archive)
    assert {needle for _, needle in holding(archive, *words, *left)} == {*words, *left}  # the control
    ((author,),) = rows(archive, "SELECT author FROM comments WHERE platform_comment_id = 'sleep-1'")
    if kind == "comments":
        done = run(archive, "takedown", "add", "riverside", "--comments", "--grade", "purge", *REASON, "--yes")
        assert done.exit_code == 0
    else:
        subjects = {"person": author, "comment": "sleep-1", "post": f"{SITE}/post/sleep", "clinic": "riverside"}
        withdrawn(archive, subjects[kind])
    assert purged(archive)["emptied"] >= len(UNREAD) * 3
    for _ in range(2):
        assert {needle for _, needle in holding(archive, *words, *left)} == {*left}
        is_sound(archive)
        assert rebuild(archive, cores=1).differs == []
        visit(archive)
