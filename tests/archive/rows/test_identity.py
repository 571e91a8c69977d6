"""Which post an address means, in whatever order addresses are learned."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.rows.cache import ClinicCache
from archive.rows.identity import identities
from scraper.items import Alias, Link, Post
from tests.making import (
    CLINIC,
    HEX,
    OTHER_HEX,
    OTHER_UUID,
    UUID,
    Made,
    comment,
    extraction,
    faults,
    made,
    natural,
    post,
    reading,
    sighting,
    url,
)


def owner_at(archive: Made, clinic_id: str, *addresses: str) -> int | None:
    return ClinicCache(archive.db, clinic_id).identities.find(addresses)


def owner(archive: Made, address: str) -> int | None:
    return owner_at(archive, CLINIC, address)


def test_kinds() -> None:
    kinds = [identities.address_kind(item) for item in ("https://a/b", HEX, UUID, "wordpress:12", "http://a")]
    assert kinds == ["url", "wix hex", "wix uuid", "wordpress id", "url"]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_addresses_learned_in_any_order_end_in_one_post(archive: Made, order: tuple[int, ...]) -> None:
    steps = [
        post(addresses=(url("sleep"), UUID)),
        sighting(addresses=(HEX,), source="feed"),
        sighting("old-sleep", addresses=(HEX, UUID)),
        Alias(addresses=(url("sleep"), url("older-sleep"))),
    ]
    archive.fold(*(extraction(number, steps[step]) for number, step in enumerate(order, 1)))
    owners = {owner(archive, item) for item in (url("sleep"), url("old-sleep"), url("older-sleep"), HEX, UUID)}
    assert len(owners) == 1
    assert None not in owners
    assert archive.one("SELECT count(*) FROM posts") == 1
    assert archive.one("SELECT count(*) FROM sightings WHERE post_id IS NULL") == 0
    assert faults(archive.db) == []


ADDRESSES = [url("a"), url("b"), url("c"), HEX, UUID]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=3, unique=True), min_size=1, max_size=6))
def test_what_is_joined_by_hops_is_one_post(tmp_path: Path, template: Path, groups: list[list[str]]) -> None:
    """With one id of each kind nothing can disagree: the posts are the connected groups."""
    with made(tmp_path / "a", template) as archive:
        archive.fold(*(extraction(n, post(url=None, addresses=tuple(group))) for n, group in enumerate(groups, 1)))
        parts: list[set[str]] = []
        for group in groups:
            touching = [part for part in parts if part & set(group)]
            parts = [part for part in parts if part not in touching] + [set(group).union(*touching)]
        found: dict[int | None, set[str]] = {}
        for address in {item for group in groups for item in group}:
            found.setdefault(owner(archive, address), set()).add(address)
        assert sorted(map(sorted, found.values())) == sorted(map(sorted, parts))
        assert archive.one("SELECT count(*) FROM posts") == len(parts)
        assert archive.one("SELECT count(*) FROM sightings WHERE post_id IS NULL") == 0
        assert faults(archive.db) == []


def test_merging_loses_no_row(archive: Made) -> None:
    """A copy without ids and the page of a renamed post: a redirect tells that they are one."""
    first = post("old", "One text.", addresses=(url("old"),), tags=("a", "b"), views=3)
    second = post("new", "Another text.", addresses=(url("new"), HEX), tags=("b", "c"), views=5)
    archive.fold(
        extraction(1, first), extraction(2, second), extraction(3, reading(HEX, likes=1)), extraction(4, comment()),
        extraction(5, sighting("old")), extraction(6, sighting("new")),
    )  # fmt: skip
    counted = ("revisions", "readings", "comments", "sightings", "absences", "captures")
    before = {table: archive.one(f"SELECT count(*) FROM {table}") for table in counted}
    archive.fold(extraction(7, Alias(addresses=(url("new"), url("old")))))
    assert {table: archive.one(f"SELECT count(*) FROM {table}") for table in counted} == before | {"captures": 7}
    assert archive.one("SELECT count(*) FROM posts") == 1
    assert archive.rows("SELECT label FROM tags JOIN post_tags USING (tag_id) ORDER BY 1") == [("a",), ("b",), ("c",)]
    assert archive.rows("SELECT kind FROM revisions ORDER BY captured_at") == [("first",), ("content",)]
    ((first_seen, last_seen),) = archive.rows("SELECT first_seen_at, last_seen_at FROM posts")
    captured = [row[0] for row in archive.rows("SELECT fetched_at FROM captures ORDER BY 1")]
    assert (first_seen, last_seen) == (captured[0], captured[1])
    ((tag_first, tag_last),) = archive.rows(
        "SELECT first_capture_id, last_capture_id FROM post_tags JOIN tags USING (tag_id) WHERE label = 'b'"
    )
    assert (tag_first[-1], tag_last[-1]) == ("1", "2")
    assert faults(archive.db) == []


def test_one_text_under_two_addresses_is_no_edit_once_they_are_joined(archive: Made) -> None:
    """A renamed post: its new address was read before its old one answered with a redirect."""
    first = post("old", "One text.", addresses=(url("old"),), links=(Link(url="https://a.example/"),))
    again = replace(first, url=url("new"), slug="new", addresses=(url("new"),))
    edited = replace(again, body_text="Another text.")
    archive.fold(
        extraction(1, first), extraction(2, again), extraction(3, edited),
        extraction(4, Alias(addresses=(url("new"), url("old")))),
    )  # fmt: skip
    assert archive.rows("SELECT kind, body_text, substr(capture_id, -1) FROM revisions ORDER BY captured_at") == [
        ("first", "One text.", "1"), ("content", "Another text.", "3"),
    ]  # fmt: skip
    assert archive.one("SELECT count(*) FROM links") == 2
    assert archive.one("SELECT count(DISTINCT revision_id) FROM sightings") == 2
    assert faults(archive.db) == []


@pytest.mark.parametrize(
    ("old", "new", "after"),
    [
        (("2026", "2027"), ("2028", None), None), (("2028", None), ("2026", "2027"), None),
        (("2026", "2027"), ("2025", None), "2027"), (("2026", "2028"), ("2025", "2027"), "2027"),
    ],
)  # fmt: skip
def test_a_post_that_is_there_by_one_of_two_addresses_is_not_removed(
    archive: Made, old: tuple[str, str | None], new: tuple[str, str | None], after: str | None
) -> None:
    """When either was last seen, and whether it was removed."""
    first = post("old", "One text.", addresses=(url("old"),))
    archive.fold(extraction(1, first), extraction(2, post("new", "Another text.", addresses=(url("new"), HEX))))
    update = "UPDATE posts SET last_seen_at = ?, removed_at = ? WHERE slug = ?"
    archive.db.conn.executemany(update, [(*old, "old"), (*new, "new")])
    archive.db.conn.commit()
    archive.fold(extraction(3, Alias(addresses=(url("new"), url("old")))))
    assert archive.rows("SELECT removed_at FROM posts") == [(after,)]


def test_a_slug_given_to_a_new_post_does_not_merge(archive: Made) -> None:
    archive.fold(extraction(1, post(addresses=(url("sleep"), HEX, UUID))))
    old = owner(archive, HEX)
    archive.fold(extraction(2, post(text="New.", addresses=(url("sleep"), OTHER_HEX, OTHER_UUID))))
    assert archive.one("SELECT count(*) FROM posts") == 2
    assert owner(archive, HEX) == owner(archive, UUID) == old
    assert owner(archive, url("sleep")) == owner(archive, OTHER_HEX) != old
    archive.fold(extraction(3, post("sleep-2019", addresses=(url("sleep-2019"), HEX, UUID))))
    assert owner(archive, url("sleep-2019")) == old
    assert archive.one("SELECT count(*) FROM posts") == 2


def test_a_redirect_between_two_posts_with_ids_of_their_own_joins_nothing(archive: Made) -> None:
    """Clinics redirect a post they took down to another one; that does not make them one."""
    archive.fold(
        extraction(1, post("a", addresses=(url("a"), HEX))), extraction(2, post("b", addresses=(url("b"), OTHER_HEX)))
    )
    before = natural(archive.db, but=["captures"])
    archive.fold(extraction(3, Alias(addresses=(url("b"), url("a")))))
    assert natural(archive.db, but=["captures"]) == before


def test_an_id_is_believed_before_a_url(archive: Made) -> None:
    """A listing still names the old address with the id of a post that moved."""
    archive.fold(
        extraction(1, post("a", addresses=(url("a"), HEX))), extraction(2, post("b", addresses=(url("b"), OTHER_HEX)))
    )
    first, other = owner(archive, HEX), owner(archive, OTHER_HEX)
    archive.fold(extraction(3, sighting("a", addresses=(OTHER_HEX,))))
    assert (owner(archive, HEX), owner(archive, OTHER_HEX), owner(archive, url("a"))) == (first, other, other)


def test_an_address_of_no_known_kind_is_an_id_as_it_is(archive: Made) -> None:
    archive.fold(extraction(1, post(addresses=(url("sleep"), "7"))), extraction(2, post("b", addresses=("wp:",))))
    assert archive.rows("SELECT platform_post_id FROM posts ORDER BY 1") == [("7",), ("wp:",)]
    assert faults(archive.db) == []


def test_clinics_do_not_share_addresses(archive: Made) -> None:
    archive.fold(extraction(1, post()))
    assert owner_at(archive, "elsewhere", HEX, url("sleep")) is None


def test_what_waits_under_an_address_of_a_united_entity_is_adopted(archive: Made) -> None:
    """The reading waits under an id that neither the post nor the last listing names."""
    archive.fold(
        extraction(1, sighting("old", addresses=(UUID,))),
        extraction(2, reading(UUID, views=7)),
        extraction(3, post(addresses=(url("sleep"), HEX))),
        extraction(4, sighting("old", addresses=(HEX,))),
    )
    assert archive.rows("SELECT views FROM readings") == [(7,)]
    assert archive.one("SELECT count(*) FROM unplaced") == 0


# --- a clinic that moved to another site ---

NEW = "https://new.example"
DATE = "2026-01-02T03:04:05Z"


def moved(slug: str = "sleep", **changes: Any) -> Post:
    """The post as the new site has it, with an id of its own."""
    there = f"{NEW}/post/{slug}"
    return post(slug, **({"url": there, "addresses": (there, OTHER_HEX), "published_at": DATE} | changes))


def matched(archive: Made) -> dict[str, str]:
    """How each address of the post was learned, by the address."""
    return dict(
        archive.db.execute("SELECT address, matched_by FROM post_addresses WHERE post_id IS NOT NULL").fetchall()
    )


def test_title_and_date_prove_where_a_post_moved_to(archive: Made) -> None:
    archive.fold(extraction(1, post(published_at=DATE)))
    archive.fold(extraction(2, sighting("sleep", url=f"{NEW}/post/sleep"), moved()))
    archive.fold(extraction(3, reading(OTHER_HEX, views=7)), extraction(4, moved(text="Sleep better.")))
    assert archive.one("SELECT count(*) FROM posts") == 1
    assert archive.one("SELECT first_seen_at < last_seen_at FROM posts") == 1
    assert matched(archive) == {
        url("sleep"): "page", HEX: "page", f"{NEW}/post/sleep": "title and date", OTHER_HEX: "page",
    }  # fmt: skip
    kinds = archive.db.execute("SELECT kind FROM revisions ORDER BY captured_at").fetchall()
    assert kinds == [("first",), ("content",)]
    assert archive.one("SELECT count(*) FROM readings JOIN posts USING (post_id)") == 1
    assert faults(archive.db) == []


@pytest.mark.parametrize("changes", [{"title": "On rest"}, {"published_at": "2026-01-03T00:00:00Z"}, {"title": None}])
def test_another_title_or_date_proves_nothing(archive: Made, changes: dict[str, Any]) -> None:
    archive.fold(extraction(1, post(published_at=DATE)), extraction(2, moved(**changes)))
    assert archive.one("SELECT count(*) FROM posts") == 2


def test_two_posts_of_one_title_and_date_prove_nothing(archive: Made) -> None:
    other = post("rest", addresses=(url("rest"), OTHER_UUID), published_at=DATE)
    archive.fold(extraction(1, post(published_at=DATE)), extraction(2, other), extraction(3, moved()))
    assert archive.one("SELECT count(*) FROM posts") == 3


def test_a_redirect_proves_where_a_post_moved_to(archive: Made) -> None:
    alias = Alias(addresses=(f"{NEW}/post/sleep", url("sleep")))
    archive.fold(extraction(1, post()), extraction(2, alias))  # the new site was not read yet
    assert owner(archive, f"{NEW}/post/sleep") is None
    archive.fold(extraction(3, moved(title="On slumber", published_at=None)), extraction(4, alias))
    assert archive.one("SELECT count(*) FROM posts") == 1
    assert matched(archive)[f"{NEW}/post/sleep"] == "redirect"
    archive.fold(extraction(5, moved(title="On slumber", published_at=None, text="Better.")))
    assert archive.one("SELECT count(*) FROM posts") == 1
    assert faults(archive.db) == []


def test_old_posts_that_all_lead_to_one_are_not_one(archive: Made) -> None:
    other = post("rest", title="On rest", addresses=(url("rest"), OTHER_UUID))
    welcome = f"{NEW}/post/welcome"
    archive.fold(extraction(1, post()), extraction(2, other), extraction(3, moved("welcome", title="Welcome")))
    archive.fold(*(extraction(n, Alias(addresses=(welcome, url(slug)))) for n, slug in ((4, "sleep"), (5, "rest"))))
    assert archive.one("SELECT count(*) FROM posts") == 3
