"""A list names a post by its id under an address that the post never had."""

from __future__ import annotations

from typing import Any

import pytest

from tests.archive.rows.test_identity import owner, sighting
from tests.making import HEX, Made, extraction, post, url

CHANGES = "SELECT substr(capture_id, -1), field, old, new FROM post_changes"


def test_a_rename_is_a_change_at_the_capture_of_the_list(archive: Made) -> None:
    archive.fold(extraction(1, post()), extraction(2, sighting(addresses=(HEX,))))
    archive.fold(extraction(3, sighting("sleep-well", addresses=(HEX,))))
    renamed = [("3", "url", url("sleep"), url("sleep-well"))]
    assert archive.rows(CHANGES) == renamed
    assert archive.rows("SELECT url, slug FROM posts") == [(url("sleep-well"), "sleep")]
    archive.fold(extraction(4, sighting(addresses=(HEX,))))  # a feed with the old address
    archive.fold(extraction(5, post("sleep-well", addresses=(url("sleep-well"), HEX))))
    assert archive.rows(CHANGES) == renamed
    assert archive.one("SELECT slug FROM posts") == "sleep-well"
    assert owner(archive, url("sleep")) == owner(archive, url("sleep-well"))


@pytest.mark.parametrize(
    "before", [[], [sighting(addresses=(HEX,), source="feed")], [sighting("blog/sleep", addresses=(HEX,))]]
)
def test_a_list_that_spells_addresses_otherwise_is_no_evidence(archive: Made, before: list[Any]) -> None:
    archive.fold(extraction(1, post()), *(extraction(2, item) for item in before))
    archive.fold(extraction(3, sighting("blog/sleep-well", addresses=(HEX,))))
    assert archive.rows(CHANGES) == []
    assert archive.one("SELECT url FROM posts") == url("sleep")


@pytest.mark.parametrize("names", [("sleep", "sleep-well"), ("sleep-well", "sleep")])
def test_a_list_that_still_names_the_present_address_is_no_evidence(archive: Made, names: tuple[str, str]) -> None:
    archive.fold(extraction(1, post()), extraction(2, sighting(addresses=(HEX,))))
    archive.fold(extraction(3, *(sighting(name, addresses=(HEX,)) for name in names)))
    archive.fold(extraction(4, post()))
    assert archive.rows(CHANGES) == []
    assert archive.one("SELECT url FROM posts") == url("sleep")


def test_of_several_new_addresses_the_first_is_the_change(archive: Made) -> None:
    archive.fold(extraction(1, post()), extraction(2, sighting(addresses=(HEX,))))
    archive.fold(extraction(3, sighting("b", addresses=(HEX,)), sighting("c", addresses=(HEX,))))
    assert archive.rows(CHANGES) == [("3", "url", url("sleep"), url("b"))]
    assert archive.one("SELECT url FROM posts") == url("b")


def test_only_the_page_brings_a_former_address_back(archive: Made) -> None:
    archive.fold(extraction(1, post()), extraction(2, sighting(addresses=(HEX,))))
    archive.fold(extraction(3, sighting("b", addresses=(HEX,))), extraction(4, sighting(addresses=(HEX,))))
    assert archive.one("SELECT url FROM posts") == url("b")
    archive.fold(extraction(5, post()))
    assert archive.rows(CHANGES)[1:] == [("5", "url", url("b"), url("sleep"))]
    assert archive.one("SELECT url FROM posts") == url("sleep")
