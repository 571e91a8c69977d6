"""Answers that no parser reads hold what is purged, too: before and after a purge they are emptied as a whole."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.rebuild import rebuild
from pipelines.takedown.phrases import Phrases, plain
from scraper.platforms import platform_named
from tests.pipelines.takedown.test_purge import (
    REASON,
    ROE,
    VEGA,
    holding,
    is_sound,
    page,
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


WORDS = "Says Quillwort, whom the rest of that long winter helped so much."
HTML = {"headers": {"Content-Type": "text/html; charset=utf-8"}}
FEED = {"headers": {"Content-Type": "application/rss+xml"}}
# Answers at addresses that name no comment and no post, with its words in the form in which each has them
ELSEWHERE: dict[str, tuple[bytes, dict[str, Any]]] = {
    "an error": (f"<html><p>{WORDS}</p></html>".encode(), {**HTML, "status": 503}),
    "an error with the name": (b"<p>Marisol&nbsp;<b>Vega</b>, an error</p>", {**HTML, "status": 500}),
    "a cut page": (f"<html><body><p>{WORDS[:52]}".encode(), HTML),
    "a feed": (f"<rss><channel><item><description>&lt;p&gt;{WORDS}".encode(), FEED),
    "a cut stream": (gzip.compress(WORDS.encode(), 0)[:-9], {"headers": {**HTML["headers"], **GZIP}}),
    "a broken stream": (gzip.compress(WORDS.encode(), 0)[2:], {"headers": {**HTML["headers"], **GZIP}, "status": 404}),
    "a script": (f'<script>x = "{WORDS.replace(" ", chr(92) + "u0020")}"</script>'.encode(), HTML),
}
INNOCENT = (b"<p>Thank you! Vega is a star. So much for that long winter.</p>", {**HTML, "status": 404})


def visit_elsewhere(archive: Path) -> None:
    """A comment of many words, and answers elsewhere that repeat them; one repeats words that anybody writes."""
    with Visiting(archive) as visiting:
        visiting.answer(post_url("sleep"), post_answer("sleep", "All about Horsetail."))
        visiting.answer(comments_url("sleep"), thread(("sleep-1", VEGA, WORDS), ("sleep-2", ROE, "Thank you!")))
        names = members_answer(**{VEGA: "Marisol Vega", ROE: "Ada Roe"})
        visiting.answer(MEMBERS_URL, names, method="POST")
        for number, (body, how) in enumerate([*ELSEWHERE.values(), INNOCENT]):
            visiting.answer(f"{SITE}/page-{number}", body, **how)
        visiting.end()
        visiting.run.close(0, {"problems": []})


@pytest.mark.parametrize("kind", ["person", "comment"])
def test_its_words_at_other_addresses(tmp_path: Path, kind: str) -> None:
    archive, words = tmp_path / "archive", ("Quillwort", "that long winter")
    visit_elsewhere(archive)
    assert {needle for _, needle in holding(archive, *words)} == set(words)  # the control
    ((author,),) = rows(archive, "SELECT author FROM comments WHERE platform_comment_id = 'sleep-1'")
    withdrawn(archive, author if kind == "person" else "sleep-1")
    is_named = kind == "person"
    assert purged(archive)["emptied"] == len(ELSEWHERE) - (not is_named)
    for _ in range(2):
        assert holding(archive, "Quillwort", *(["Marisol"] if is_named else []), "nter helped") == set()
        assert {needle for _, needle in holding(archive, "a star", "Horsetail")} == {"a star", "Horsetail"}
        is_sound(archive)
        assert rebuild(archive, cores=1).differs == []
        visit_elsewhere(archive)


def test_phrases() -> None:
    given = Phrases.of([WORDS, "So good", "Thank you very much"], ["It is the same for all."], ["Ada Roe", "Al"])
    assert given.quotes == {
        "says quillwort whom the rest of that long", "rest of that long winter helped so much",
    }  # fmt: skip
    assert given.words >= {"thank you very much", "it is the same for all", "says quillwort whom the"}
    assert (given.names, "so good" in given.words) == ({"ada roe", "al"}, False)
    assert {"words ada roe", "listed al"} <= given.values
    assert "words al" not in given.values
    left = given.without(["Nobody, Says  Quillwort: whom the rest of THAT long!"])
    assert left.quotes == {"rest of that long winter helped so much"}
    assert plain(b'{"a": "\\u003cp\\u003eone\\ntwo \\"three"} &lt;b&gt;four &amp;amp; five').split() == [
        '{"a":', '"', "one", "two", '\\"three"}', "four", "&", "five"]  # fmt: skip


LISTED = (
    '<ul><li class="recentcomments"><span class="comment-author-link">{}</span> on <a href="/x">Sleep</a></li></ul>'
)


@pytest.mark.parametrize("kind", ["person", "comments"])
def test_lists_of_newest_comments(tmp_path: Path, kind: str) -> None:
    """Pages elsewhere and texts of an API list who commented: their records hold comments, and lose the purged ones."""
    archive, (url, body) = tmp_path / "archive", page("wordpress/classic_theme")
    front = url.rpartition("/sleep-and-light")[0]
    post = {
        "id": 7, "slug": "rest", "link": f"{front}/rest/", "date_gmt": "2026-01-02T03:04:05", "type": "post",
        "status": "publish", "title": {"rendered": "Rest"},
        "content": {"rendered": f"<p>All about rest.</p>{LISTED.format('Pim')}", "protected": False},
    }  # fmt: skip

    def visit_pages() -> None:
        with Visiting(archive) as visiting:
            visiting.visit.recognised = platform_named("wordpress")
            visiting.answer(url, body, **HTML)
            visiting.answer(f"{front}/about/", f"<p>Spelt.</p>{LISTED.format('Pim')}".encode(), **HTML)
            visiting.answer(f"{front}/team/", f"<p>Barley.</p>{LISTED.format('Ada Roe')}".encode(), **HTML)
            visiting.answer(f"{front}/wp-json/wp/v2/posts?per_page=100&page=1", json.dumps([post]).encode())
            visiting.end()
            visiting.run.close(0, {"problems": []})

    visit_pages()
    assert rows(archive, "SELECT count(*), sum(holds_comments) FROM captures") == [(4, 4)]
    ((author,),) = rows(archive, "SELECT author FROM comments WHERE platform_comment_id = '501'")
    if kind == "person":
        withdrawn(archive, author)
    else:
        assert (
            run(
                archive, *["takedown", "add", "riverside", "--comments", "--grade", "purge", "--yes"], *REASON
            ).exit_code
            == 0
        )
    assert purged(archive)["records"] == (3 if kind == "person" else 4)
    for _ in range(2):
        assert holding(archive, "Pim<", "Spelt", *(["Ada Roe"] if kind == "comments" else [])) == set()
        assert holding(archive, "All about rest", *(["Barley"] if kind == "person" else [])) != set()
        assert rows(archive, "SELECT body_text FROM posts WHERE slug = 'rest'") == [("All about rest.",)]
        is_sound(archive)
        assert rebuild(archive, cores=1).differs == []
        visit_pages()
