"""The fold: the same extractions in the same order give the same tables, wherever the batches end."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.rows.cache import ClinicCache
from pipelines.events import Captured
from pipelines.fold import fold as folding
from scraper.items import Alias, Author, Comment, Extraction, Gone, Item, Names, PostPart, Problem, Site, ThreadPage
from tests.making import (
    CLINIC,
    HEX,
    OTHER_HEX,
    UUID,
    Made,
    capture,
    comment,
    extraction,
    faults,
    made,
    natural,
    post,
    reading,
    run_of,
    sighting,
    url,
)
from tests.soak import SOAK

SAMPLES = 1000 if SOAK else 50  # each opens two archives
SLUGS = st.sampled_from(["a", "b"])
IDS = {"a": HEX, "b": OTHER_HEX}


@st.composite
def items(draw: st.DrawFn) -> Item:
    """Something that a capture says about one of two posts, in whatever order."""
    slug = draw(SLUGS)
    known_by = (IDS[slug],)
    kind = draw(
        st.sampled_from(["post", "reading", "comment", "comment", "names", "sighting", "alias", "gone", "rest"])
    )
    if kind == "post":
        text, source = draw(st.sampled_from("xyz")), draw(st.sampled_from(["html", "api"]))
        tags = draw(st.sampled_from([(), ("s",), ("s", "t")]))
        ids = draw(st.sampled_from([(IDS[slug],), (IDS[slug],), (), (HEX,), (OTHER_HEX, UUID)]))
        made_up = post(
            slug, text, source=source, addresses=(url(slug), *ids), tags=tags, views=draw(st.integers(0, 2)),
            author=draw(st.sampled_from([None, "Ada", "Bo"])),
        )  # fmt: skip
        made_up.author_person = draw(st.sampled_from([None, "p1"])) if made_up.author else None
        return made_up
    if kind == "reading":
        return reading(*known_by, likes=draw(st.none() | st.integers(0, 2)))
    if kind == "comment":
        person = draw(st.sampled_from(["p1", "p2"]))
        text = draw(st.sampled_from(["Vega and Roe", None]))
        parent = draw(st.sampled_from([None, "c1"]))
        return comment(
            draw(st.sampled_from(["c1", "c2"])) + slug, text, post=known_by, person=person, author_kind="member",
            parent_id=parent and parent + slug,
        )  # fmt: skip
    if kind == "names":
        return Names(names={draw(st.sampled_from(["p1", "p2"])): draw(st.sampled_from(["M. Vega", "A. Roe"]))})
    if kind == "sighting":
        return sighting(slug, addresses=draw(st.sampled_from([(), known_by])), source="feed")
    if kind == "alias":
        return Alias(addresses=(url(slug), url(draw(st.sampled_from([f"old-{slug}", "old"])))))
    if kind == "gone":
        return Gone(url=url(slug), answered="404")
    return draw(
        st.sampled_from(
            [Site(platform="wix", timezone="UTC"), Author(name="Ada", person="p1"), Problem(kind="k", message="m")]
        )
    )


VISITS = st.lists(st.lists(items(), max_size=3), min_size=1, max_size=8)


def extractions(visit: list[list[Item]]) -> list[Extraction]:
    """One a list of items; an empty one is the server's word that the first or the last capture still stands."""
    same = {"http_status": 304, "record_type": "revisit"}
    return [
        extraction(number, *answer)
        if answer or number == 1
        else extraction(number, refers_to=capture(1 if number % 2 else number - 1).capture_id, **same)
        for number, answer in enumerate(visit, 1)
    ]


def known(book: ClinicCache) -> tuple[object, ...]:
    """What a book knows, to be held against one that is read from the tables anew."""
    places = {address: post_id for address, (_, post_id) in book.identities._holders.items()}
    return places, book.labels, book.authors, book.staff, book.keyed, book.timezone, book.unplaced


@settings(max_examples=SAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VISITS, st.sets(st.integers(0, 8)), st.booleans())
def test_batches_make_no_difference(
    tmp_path: Path, template: Path, visit: list[list[Item]], committed_after: set[int], ended: bool
) -> None:
    with made(tmp_path / "one", template) as whole, made(tmp_path / "many", template) as parts:
        whole.fold(*extractions(visit), ended=ended)
        fold = parts.folder_of()
        for number, item in enumerate(extractions(visit)):
            fold.add(item)
            if number in committed_after:
                fold.commit()
        fold.finish(ended=ended)
        assert known(fold.fold._cache) == known(ClinicCache(parts.db, CLINIC))
        assert natural(parts.db) == natural(whole.db)
        assert faults(whole.db) == []
        assert whole.one("SELECT count(*) FROM captures") == len(visit)


@settings(max_examples=SAMPLES // 2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VISITS, st.integers(1, 4))
def test_nor_does_their_size(tmp_path: Path, template: Path, visit: list[list[Item]], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        with made(tmp_path / "one", template) as whole:
            whole.fold(*extractions(visit))
            wanted = natural(whole.db)
        patch.setattr(folding, "BATCH", size)
        patch.setattr(folding, "PATIENCE", 0)
        with made(tmp_path / "many", template) as parts:
            parts.fold(*extractions(visit))
            assert natural(parts.db) == wanted


@settings(max_examples=SAMPLES // 2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VISITS)
def test_no_name_is_stored_that_was_told_in_its_thread(tmp_path: Path, template: Path, visit: list[list[Item]]) -> None:
    everybody = Names(names={"p1": "M. Vega", "p2": "A. Roe"})
    with made(tmp_path / "one", template) as archive:
        speaking = [
            [*answer, everybody] if any(isinstance(item, Comment) for item in answer) else answer for answer in visit
        ]
        archive.fold(*extractions(speaking))
        dump = "\n".join(archive.db.conn.iterdump())
        assert "Vega" not in dump
        assert "Roe" not in dump


def member(name: str, text: str, person: str) -> Comment:
    return comment(name, text, person=person, author=person, author_kind="member")


def stored(archive: Made) -> list[str | None]:
    return [row[0] for row in archive.rows("SELECT body_text FROM comments ORDER BY platform_comment_id")]


class TestThreads:
    """What a visit does in the middle of a thread must not part a text from the names that belong to it."""

    PAGE, REST = member("c1", "Roe helped.", "p1"), member("c2", "Vega too.", "p2")
    NAMED = Names(names={"p1": "Marisol Vega", "p2": "Ada Roe"})

    @pytest.mark.parametrize(
        "between",
        [
            (), (Problem(kind="api-refused", message="answered 503"),), (Author(name="Dr. X", person="p9"),),
            (Problem(kind="timeout", message="no answer"), Problem(kind="k", message="m")),
        ],
        ids=["tokens or an empty page", "a refusal", "an author", "two problems"],
    )  # fmt: skip
    def test_what_comes_between_its_answers_does_not_cut_it(self, archive: Made, between: tuple[Item, ...]) -> None:
        archive.fold(
            extraction(1, post()), extraction(2, self.PAGE), extraction(3, *between), extraction(4, self.REST),
            extraction(5, *between), extraction(6, self.NAMED), extraction(7, *between), extraction(8, sighting()),
        )  # fmt: skip
        assert stored(archive) == ["[name] helped.", "[name] too."]
        assert archive.one("SELECT count(*) FROM captures") == 8

    def test_commits_in_its_middle_wait_for_its_names(self, archive: Made) -> None:
        fold = archive.folder_of()
        for item in (extraction(1, post()), extraction(2, self.PAGE), extraction(3)):
            fold.add(item)
            fold.commit()
        assert archive.one("SELECT count(*) FROM captures") == 1
        fold.add(extraction(4, self.NAMED))
        fold.finish(ended=False)  # every member is named
        assert stored(archive) == ["[name] helped."]

    def test_cut_short_it_leaves_no_text_and_the_next_visit_fills_it_in(self, archive: Made) -> None:
        archive.fold(extraction(1, post()), extraction(2, self.PAGE), ended=False)
        assert stored(archive) == [None]
        assert archive.rows("SELECT kind FROM problems") == [("thread-cut-short",)]
        archive.fold(extraction(3, self.PAGE), extraction(4, self.NAMED))
        assert stored(archive) == ["[name] helped."]
        assert archive.one("SELECT count(*) FROM comment_revisions") == 0

    def test_cut_short_it_does_not_erase_what_was_read_before(self, archive: Made) -> None:
        archive.fold(extraction(1, post()), extraction(2, self.PAGE), extraction(3, self.NAMED))
        archive.fold(extraction(4, self.PAGE), ended=False)
        assert stored(archive) == ["[name] helped."]

    def test_the_thread_of_another_post_is_another(self, archive: Made) -> None:
        """Its names are asked for after it: the first thread ends where the second begins."""
        other = comment("d1", "Vega here.", post=(OTHER_HEX,), person="p3", author_kind="member")
        archive.fold(
            extraction(1, post(), post("b", addresses=(url("b"), OTHER_HEX))), extraction(2, self.PAGE),
            extraction(3, other), extraction(4, Names(names={"p3": "Jo Vega"})),
        )  # fmt: skip
        assert stored(archive) == ["Roe helped.", "[name] here."]

    def test_keep_stores_the_names(self, archive: Made) -> None:
        archive.fold(extraction(1, post()), extraction(2, self.PAGE), extraction(3, self.NAMED), privacy="keep")
        assert archive.rows("SELECT author, body_text FROM comments") == [("Marisol Vega", "Roe helped.")]


def test_names_that_are_kept_are_text_that_a_table_can_hold(archive: Made) -> None:
    odd = Names(names={"p1": "Cut \ud83d", "p2": ""})
    archive.fold(
        extraction(1, post()), extraction(2, member("c1", "A.", "p1"), member("c2", "B.", "p2"), odd), privacy="keep"
    )
    assert archive.rows("SELECT author FROM comments ORDER BY 1") == [(None,), ("Cut \ufffd",)]
    assert faults(archive.db) == []


SOURCE = run_of(None, "keep")


def test_bytes_come_before_rows(archive: Made) -> None:
    """The WARC is synced before the transaction begins, and not for nothing."""
    requests: list[int] = []
    fold = folding.Fold(
        archive.db, "riverside", lambda _: None,
        lambda: requests.append(archive.one("SELECT count(*) FROM captures")),
    )  # fmt: skip
    fold.commit()
    fold.apply(Captured(SOURCE, extraction(1, post())))
    fold.commit()
    fold.apply(Captured(SOURCE, extraction(2, comment())))
    fold.finish(SOURCE, finished=True)
    assert requests == [0, 1]


def test_a_failing_sync_commits_nothing(archive: Made) -> None:
    def refuse() -> None:
        raise OSError("disk")

    fold = folding.Fold(archive.db, "riverside", lambda _: None, refuse)
    fold.apply(Captured(SOURCE, extraction(1, post())))
    with pytest.raises(OSError, match="disk"):
        fold.finish(SOURCE, finished=True)
    assert archive.one("SELECT count(*) FROM captures") == 0


def test_a_capture_folded_twice_is_there_once(archive: Made) -> None:
    item = extraction(1, post(views=1), reading(HEX, UUID, likes=2), comment(), sighting())
    archive.fold(item)
    before = natural(archive.db)
    archive.fold(item)
    assert natural(archive.db) == before


def test_every_kind_of_item_has_a_saver() -> None:
    kinds = set(Item.__args__) - {Names, PostPart, ThreadPage}  # type: ignore[attr-defined]  # these join captures
    assert set(folding.SAVERS) == kinds


def test_the_row_says_what_the_record_said(archive: Made) -> None:
    answer = capture(7, etag='"x"', mime="text/html", request_sha256="a" * 64, method="POST", http_status=503)
    archive.crawl("c1")
    archive.fold(Extraction(clinic_id="riverside", capture=answer), crawl_id="c1")
    ((etag, method, status, at, crawl_id, origin),) = archive.rows(
        "SELECT etag, method, http_status, fetched_at, crawl_id, origin FROM captures"
    )
    assert (etag, method, status, crawl_id, origin) == ('"x"', "POST", 503, "c1", "crawl")
    assert at == "2026-03-01T09:07:00.000000Z"


def test_a_person_learned_while_a_post_is_saved(archive: Made) -> None:
    """That writes the batch in the middle of a post, which is asked for once more in the same batch."""
    first, again = post(author="Ada"), post(text="Sleep better.", author="Ada")
    first.author_person = again.author_person = "key"
    archive.fold(extraction(1, first), extraction(2, again))
    assert archive.rows("SELECT kind, body_text FROM revisions ORDER BY revision_id") == [
        ("first", "Sleep well."), ("content", "Sleep better."),
    ]  # fmt: skip
    assert faults(archive.db) == []


def test_an_address_that_left_a_post_takes_no_later_sighting_along(archive: Made) -> None:
    """It came to the post, moved to an id whose text nobody read, and was seen in a listing: all in one batch."""
    archive.fold(
        extraction(1, sighting("sleep")),
        extraction(2, post(addresses=(url("sleep"), HEX))),
        extraction(3, sighting("rest", addresses=(url("sleep"), OTHER_HEX), source="feed")),
        extraction(4, sighting("sleep", source="sitemap")),
    )
    assert archive.rows("SELECT source, post_id FROM sightings WHERE url = ? ORDER BY seen_at", url("sleep")) == [
        ("listing", 1), ("post", 1), ("sitemap", None),
    ]  # fmt: skip


def test_nor_one_of_the_same_capture(archive: Made) -> None:
    """The capture that says whose the address is says that it is another's, and names it once more."""
    first = post(addresses=(url("sleep"), HEX))
    other = sighting("rest", addresses=(url("sleep"), OTHER_HEX), source="feed")
    archive.fold(extraction(1, first, other, sighting("sleep", source="sitemap")))
    assert archive.rows("SELECT source, post_id FROM sightings WHERE url = ? ORDER BY source", url("sleep")) == [
        ("post", 1), ("sitemap", None),
    ]  # fmt: skip


def test_one_of_the_clinics_own_people_is_learned_where_a_comment_changes_hands(archive: Made) -> None:
    """The comment is another's from the capture on that tells who its writer was."""
    archive.fold(extraction(1, post()), extraction(2, comment(person="k", author="k", author_kind="member")))
    archive.fold(extraction(3, Author(name="Bo", person="k"), comment(person="p", author="p", author_kind="member")))
    assert archive.rows("SELECT author, author_kind FROM comments") == [("p", "member")]


def test_one_person_with_two_names_is_one_name_in_every_order(archive: Made) -> None:
    archive.fold(
        extraction(1, post(), Author(name="Dr Roe", person="k"), Author(name="Bo", person="k")),
        extraction(2, comment(person="k", author="k")),
    )
    assert archive.rows("SELECT author, author_kind FROM comments") == [("Bo", "staff")]


def test_not_modified_since_a_moment_ago(archive: Made) -> None:
    """The original is in the same batch, part of its rows written already."""
    visible = post(author="Ada", views=3)
    visible.author_person = "key"
    same = {"http_status": 304, "record_type": "revisit", "refers_to": capture(1).capture_id}
    archive.fold(extraction(1, visible), extraction(2, **same))
    assert archive.rows("SELECT views, evidence FROM readings ORDER BY read_at") == [(3, "read"), (3, "not-modified")]
    assert archive.one("SELECT count(*) FROM sightings WHERE source = 'post'") == 2


def test_rendered_pages_one_after_the_other_are_committed(archive: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every post is rendered, no other answer comes in between."""
    monkeypatch.setattr(folding, "BATCH", 2)
    fold = archive.folder_of()
    for number in range(1, 7):
        fold.add(extraction(number, via="document", page=url(str(number))))
    assert archive.one("SELECT count(*) FROM captures") == 4  # the last is still being rendered, one waits
    fold.finish(ended=True)
    assert archive.one("SELECT count(*) FROM captures") == 6
