"""Every table of the schema is walked: none holds a word of a post, a comment or a person that is withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest

from archive.compare.cells import compared_tables
from pipelines.events import Captured, VisitEnded, Withdrawn
from pipelines.fold.fold import Fold
from pipelines.run.key import BadKey
from pipelines.takedown.marks import key_check, mark, post_values
from pipelines.takedown.withheld import Withheld
from scraper.items import (
    Alias,
    Author,
    EmbeddedThread,
    Extraction,
    Gone,
    Image,
    Item,
    Link,
    Names,
    Post,
    PostPart,
    Problem,
    Related,
    Site,
    Thread,
    ThreadPage,
)
from tests.making import (
    CLINIC,
    HEX,
    OTHER_HEX,
    UUID,
    Made,
    comment,
    extraction,
    made,
    post,
    reading,
    run_of,
    sighting,
    url,
)

KEY = b"k" * 32
NEEDLES = ("sleep", HEX, UUID, HEX.partition(":")[2], "secret")
# Tables that cannot name a post, and why.
NAMELESS = {
    "clinics": "the clinic itself", "clinic_attributes": "of the stanza", "crawls": "runs", "clinic_runs": "runs",
    "run_fields": "numbers", "confirmations": "dates", "superseded_readings": "numbers", "readings": "numbers",
    "absences": "keys", "post_tags": "keys", "post_categories": "keys", "withdrawals": "no name",
    "withdrawn_permalinks": "hashes",
}  # fmt: skip


def secret(text: str, **changes: Any) -> Post:
    html = f'<p>{text} <a href="https://x.example/secret">x</a></p>'
    values: dict[str, Any] = {
        "title": "A secret", "body_html": html, "author": "Ada Secret", "excerpt": "secret", "tags": ("secret tag",),
        "categories": ("secret topic",), "links": (Link(url="https://x.example/secret", text="x"),),
        "images": (Image(url="https://x.example/secret.png", alt="secret"),), "views": 5,
        "related_posts": (Related(position=1, title="secret", url=url("rest")),),
    }  # fmt: skip
    return post("sleep", text, **(values | changes))


def visit() -> list[Extraction]:
    """Captures of a post on sleep, and of others that name it in every way that an item can."""
    rest = post(
        "rest", "Rest well.", title="On rest", addresses=(url("rest"), OTHER_HEX),
        links=(Link(url=url("sleep"), text="there"),),
        body_html=f'<p>Rest <a href="{url("sleep")}">well</a>.</p>',
        related_posts=(Related(position=1, title="A secret", url=url("sleep"), excerpt="secret"),),
    )  # fmt: skip
    here = {"url": url("sleep")}
    return [
        extraction(1, sighting("sleep"), sighting("rest")),
        extraction(2, reading(UUID, views=3), url="https://riverside.example/api?post=" + UUID.partition(":")[2]),
        extraction(3, Author(name="Ada Secret", person="p"), secret("A secret text."), **here),
        extraction(4, secret("Another secret text.", author="Eve Secret", tags=("secret", "s")), **here),
        extraction(
            5, comment("c1", "A secret comment."), EmbeddedThread(post=(url("sleep"),), service="s", thread="t")
        ),
        extraction(6, comment("c1", "Another secret comment.")),
        extraction(7, Gone(url=url("sleep"), answered="404"), **here),
        extraction(8, Alias(addresses=(url("sleep"), url("old-sleep"))), url=url("old-sleep")),
        extraction(9, Problem(kind="k", message=f"{url('sleep')}: odd"), Problem(kind="k", message="odd"), **here),
        extraction(10, Problem(kind="k", message="odd", url=url("sleep")), rest, url=url("rest")),
    ]


def takedown(*values: str, kind: str = "post") -> Withdrawn:
    marks = tuple(mark(KEY, CLINIC, value) for value in values)
    return Withdrawn(
        takedown_id="0" * 12, clinic_id=CLINIC, kind=kind, grade="hide", subjects=marks, permalinks=("0" * 64,),
        key_check=key_check(KEY), at="2026-03-01T09:00:00.000000Z", received="2026-03-01", due=None, reason="r", by="b",
    )  # fmt: skip


@contextmanager
def folded(folder: Path, captures: Iterable[Extraction], *takedowns: Withdrawn) -> Iterator[Made]:
    with made(folder) as archive:
        withheld = Withheld(CLINIC, takedowns, KEY) if takedowns else None
        fold = Fold(archive.db, CLINIC, lambda _: None, withheld=withheld)
        for event in takedowns:
            fold.apply(event)
        for each in captures:
            fold.apply(Captured(run_of(), each))
        fold.finish(run_of(), finished=True)
        yield archive


def naming(archive: Made, needles: Iterable[str] = NEEDLES) -> set[str]:
    """The tables with a needle in any cell."""
    found = set()
    for table in compared_tables(archive.db):
        text = repr(archive.rows(f"SELECT * FROM [{table}]")).lower()
        found |= {table} if any(needle.lower() in text for needle in needles) else set()
    return found


def test_a_post(tmp_path: Path) -> None:
    values = post_values([url("sleep"), url("old-sleep"), HEX, UUID])
    with folded(tmp_path / "all", visit()) as whole, folded(tmp_path / "less", visit(), takedown(*values)) as less:
        # A table that is new needs an item in `visit` that names the post there, or a reason why it cannot.
        assert naming(whole) == set(compared_tables(whole.db)) - NAMELESS.keys()
        assert naming(less) == set()
        assert less.rows("SELECT slug FROM posts") == [("rest",)]
        for table in ("readings", "authors", "absences", "post_tags", "post_categories", "tags", "categories"):
            assert whole.one(f"SELECT count(*) FROM {table}") > 0, table
            assert less.one(f"SELECT count(*) FROM {table}") == 0, table
        hashes = "SELECT content_sha256 FROM revisions JOIN posts USING (post_id) WHERE slug = 'rest'"
        assert less.one(hashes) == whole.one(hashes)  # it is in the permalink
        assert less.one("SELECT count(*) FROM captures WHERE withdrawn") == 10
        assert whole.one("SELECT count(*) FROM captures WHERE withdrawn") == 0
        cut = {row[0] for row in less.rows("SELECT url FROM captures")}
        assert cut == {"https://riverside.example/", "https://riverside.example/capture/1", url("rest")}


def test_texts_of_an_older_version(tmp_path: Path) -> None:
    """They are copied from the earlier rows, and no fold passes them."""
    html = f'<a href="{url("sleep")}">x</a>'
    rest = extraction(1, post("rest", links=(Link(url=url("a")), Link(url=url("sleep"))), body_html=html))
    with folded(tmp_path, [rest]) as archive:
        Withheld(CLINIC, [takedown(*post_values([url("sleep")]))], KEY).scrub(archive.db, CLINIC)
        assert archive.rows("SELECT url FROM links") == [(url("a"),)]
        assert archive.one("SELECT body_html FROM revisions") == "<a>x</a>"


def test_a_comment_and_a_reply(tmp_path: Path) -> None:
    captures = [
        extraction(1, post()),
        extraction(
            2, comment("c1", "secret", person="reader-a", author="reader-a"), comment("c2", "x", parent_id="c1")
        ),
    ]
    with folded(tmp_path, captures, takedown("comment c1", kind="comment")) as less:
        assert less.rows("SELECT platform_comment_id, parent_platform_comment_id FROM comments") == [("c2", None)]
        assert less.rows("SELECT withdrawn, url FROM captures") == [
            (0, "https://riverside.example/capture/1"), (1, "https://riverside.example/capture/2")
        ]  # fmt: skip


@pytest.mark.parametrize("privacy", ["pseudonymous", "omit"])
def test_a_person(tmp_path: Path, privacy: str) -> None:
    captures = [
        extraction(1, post()),
        extraction(2, comment("c1", "secret", person="reader-a", author="reader-a"), comment("c2", "x")),
    ]
    with folded(tmp_path, captures, takedown("person reader-a", kind="person")) as less:
        assert less.rows("SELECT platform_comment_id FROM comments") == [("c2",)]


def test_a_takedown_of_a_short_slug_leaves_other_addresses(tmp_path: Path) -> None:
    values = post_values(["https://riverside.example/?p=12"])
    assert not any(value.startswith("word ") for value in values)


def test_another_key(tmp_path: Path) -> None:
    for key in (None, b"o" * 32):
        with pytest.raises(BadKey, match="missing or of another archive"):
            Withheld(CLINIC, [takedown("comment c1")], key)


def test_every_kind_of_item_is_thought_of() -> None:
    """A kind that is new here may name a withdrawn post: `Withheld` leaves it out, or it belongs to the harmless."""
    harmless = {Names, Site, Author, Problem}
    withheld = Withheld(CLINIC, [takedown(*post_values([url("sleep"), HEX]))], KEY)
    items: list[Item] = [
        post("sleep"),
        PostPart(post=url("sleep"), number=1, last=2, others=(), page=post("x", addresses=())), reading(HEX),
        comment("c", "x"),
        EmbeddedThread(post=(url("sleep"),), service="s", thread="t"), ThreadPage(post=(HEX,), cursor=None),
        Thread(post=(HEX,), comments=()), sighting("sleep"), Alias(addresses=(url("x"), url("sleep"))),
        Gone(url=url("sleep"), answered="404"),
    ]  # fmt: skip
    assert {type(item) for item in items} == set(get_args(Item)) - harmless
    for item in items:
        assert withheld.left_of(extraction(1, item)).extraction.items == (), item


def test_the_note_of_a_visit(tmp_path: Path) -> None:
    note = f"1 post is for members only: {url('sleep')}; see {url('rest')}, {url('sleep')}."
    with folded(tmp_path, [], takedown(*post_values([url("sleep")]))) as archive:
        archive.crawl("run")
        withheld = Withheld(CLINIC, [takedown(*post_values([url("sleep")]))], KEY)
        fold = Fold(archive.db, CLINIC, lambda _: None, withheld=withheld)
        end = {"note": note, "blog_status": "blog", "platform": "wix", "ended_at": "2026", "complete": 0}
        fold.apply(VisitEnded(run_of("run"), end))
        visible = archive.one("SELECT note FROM clinic_runs")
    assert visible == f"1 post is for members only: [withdrawn]; see {url('rest')}, [withdrawn]."
