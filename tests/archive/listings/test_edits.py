"""The listing of edits: its filters, its pages, the addresses of both wordings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from archive.derived import store
from archive.listings.edits import REVISION_BITS, Edits
from pipelines.derive import derive
from tests.making import CLINIC, Made, extraction, made, post, url


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with made(tmp_path_factory.mktemp("edits")) as archive:
        archive.crawl("run")
        other = {"slug": "rest", "addresses": (url("rest"),)}
        archive.fold(
            extraction(1, post(text="Ketamine cures pain. Call us."), post(text="Rest. Sleep.", **other)),
            extraction(2, post(text="Ketamine may ease pain. Call us.")),
            extraction(3, post(text="Rest.  Sleep.", title="On rest", **other)),
            extraction(4, post(text="Ketamine may ease pain. Call us today.")),
            crawl_id="run",
        )
        archive.db.execute("INSERT INTO clinic_attributes (clinic_id, name, value) VALUES (?, 'state', 'NY')", [CLINIC])
        derive(archive.db, cores=1)
        yield archive


def edits(archive: Made, **filters: Any) -> list[dict[str, Any]]:
    return [dict(zip(Edits.columns, row, strict=True)) for row in Edits(**filters).rows(archive.db.conn)]


def test_the_newest_come_first_with_their_words_texts_and_addresses(archive: Made) -> None:
    last, title, first = edits(archive)
    assert (first["removed"], first["added"]) == ("cures", "may ease")
    assert (first["old_text"], first["new_text"]) == (
        "Ketamine cures pain. Call us.",
        "Ketamine may ease pain. Call us.",
    )
    assert first["old_permalink"].startswith(f"/{CLINIC}/sleep/20260301090100-")
    stamps = [first[name].rpartition("/")[2] for name in ("old_permalink", "new_permalink")]
    assert first["comparison"] == f"/{CLINIC}/sleep/compare?from={stamps[0]}&to={stamps[1]}"
    assert title["kind"] == "title"
    assert last["new_first_seen_at"] > title["new_first_seen_at"] > first["new_first_seen_at"]


@pytest.mark.parametrize(
    ("filters", "number"),
    [
        ({"topic": "cures"}, 1), ({"topic": "cures", "place": "added"}, 0), ({"topic": "cures", "place": "removed"}, 1),
        ({"topic": "ketamine"}, 0), ({"topic": "ketamine", "place": "text"}, 2), ({"topic": '"may ease"'}, 1),
        ({"topic": "eas*"}, 1), ({"topic": "..."}, 0), ({"topic": "' OR 1"}, 0), ({"kind": "title"}, 1),
        ({"clinic_id": CLINIC}, 3), ({"clinic_id": "x' OR 1 --"}, 0), ({"attribute": "state=NY"}, 3),
        ({"attribute": "state=TX"}, 0), ({"since": "2026-03-01", "until": "2026-03-01"}, 3),
        ({"since": "2026-03-02"}, 0),
        ({"until": "2026-02-28"}, 0), ({"topic": "ketamine", "place": "text", "kind": "title"}, 0),
    ],
)  # fmt: skip
def test_filters(archive: Made, filters: dict[str, str], number: int) -> None:
    assert len(edits(archive, **filters)) == number


@pytest.mark.parametrize("filters", [{}, {"topic": "pain ketamine", "place": "text"}])
def test_pages_continue_where_the_page_before_ended(archive: Made, filters: dict[str, str]) -> None:
    seen, before = [], None
    while True:
        found, before = Edits(**filters).page(archive.db.conn, 1, before)
        seen += [edit["revision_id"] for edit in found]
        if before is None:
            break
    assert seen == [edit["revision_id"] for edit in edits(archive, **filters)]


def test_numbers_of_edits_are_read_as_they_are_made(archive: Made) -> None:
    assert store.REVISION_BITS == REVISION_BITS
    assert edits(archive, until="9999-12-31") == edits(archive)
    assert edits(archive, since="0001-01-01") == edits(archive)
