"""Comments of the sample clinic: all that is public of them is kept, nothing that names a commenter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.conftest import Crawled
from tests.e2e.product import Row, rows, value_of, words
from tests.leaks import occurring

MASKED = re.compile(r"\[(?:name|e-mail|phone|handle|profile)\]")


@pytest.fixture(scope="module")
def told(first: Crawled) -> dict[str, Row]:
    """Every public comment of the truth by its id, with its post's id."""
    return {
        comment["id"]: {**comment, "post": post["post_id"], "post_author": post["author"]}
        for post in first.posts()
        for comment in post["comments"]
    }


@pytest.fixture(scope="module")
def stored(first: Crawled) -> dict[str, Row]:
    sql = (
        "SELECT comments.*, parents.platform_comment_id AS parent, address FROM comments LEFT JOIN comments AS parents"
        " ON parents.comment_id = comments.parent_id JOIN post_addresses ON post_addresses.post_id = comments.post_id"
        " AND kind = 'wix uuid'"
    )
    return {row["platform_comment_id"]: row for row in rows(first.archive, sql)}


def test_every_public_comment_is_stored_once_and_none_that_was_withheld(
    first: Crawled, told: dict[str, Row], stored: dict[str, Row]
) -> None:
    assert set(stored) == set(told)
    assert value_of(first.archive, "SELECT count(*) FROM comments") == len(told)
    withheld = {comment["id"] for post in first.truth["posts"] for comment in post["withheld"]}
    assert withheld
    assert not withheld & set(stored)


def test_posts_and_parents(told: dict[str, Row], stored: dict[str, Row]) -> None:
    others = {key: (comment["post"], comment["parent_id"]) for key, comment in told.items()}
    ours = {key: (row["address"].removeprefix("wix:"), row["parent"]) for key, row in stored.items()}
    assert ours == others


def test_texts_but_for_what_is_masked(told: dict[str, Row], stored: dict[str, Row]) -> None:
    wrong = []
    for key, comment in told.items():
        text = words(stored[key]["body_text"])
        if MASKED.search(text):
            # Around a mask the text is as it was; behind it are a few words at most.
            pattern = r".{2,60}?".join(re.escape(part) for part in MASKED.split(text))
            good = re.fullmatch(pattern, words(comment["body_text"]), re.DOTALL) is not None
        else:
            good = text == words(comment["body_text"])
        if not good:
            wrong.append((key, comment["body_text"], text))
    assert wrong == []


def test_masks_are_the_exception(stored: dict[str, Row]) -> None:
    masked = [row["body_text"] for row in stored.values() if MASKED.search(row["body_text"] or "")]
    assert 0 < len(masked) < len(stored) / 2
    for mask in ("[name]", "[e-mail]", "[phone]"):
        assert any(mask in text for text in masked), mask


def test_deleted_comments_have_neither_author_nor_text(told: dict[str, Row], stored: dict[str, Row]) -> None:
    gone = [key for key, comment in told.items() if comment["status"] == "DELETED"]
    assert gone
    for key in gone:
        row = stored[key]
        assert (row["body_text"], row["body_html"], row["author"]) == (None, None, None)


@pytest.mark.parametrize("name", ["status", "likes", "edited", "posted_at"])
def test_field(told: dict[str, Row], stored: dict[str, Row], name: str) -> None:
    def others(comment: Row) -> object:
        value = comment[name]
        if name == "status":
            return value.lower()
        if name == "posted_at":
            return value[:19]
        return int(value)

    def ours(row: Row) -> object:
        return row[name][:19] if name == "posted_at" else row[name]

    wrong = [
        (key, others(comment), ours(stored[key]))
        for key, comment in told.items()
        if others(comment) != ours(stored[key])
    ]
    assert wrong == []


def test_staff_are_told_apart_and_named(told: dict[str, Row], stored: dict[str, Row]) -> None:
    staff = {key: comment["author_name"] for key, comment in told.items() if comment["author_kind"] == "staff"}
    assert staff
    assert {key: row["author"] for key, row in stored.items() if row["author_kind"] == "staff"} == staff


def test_members_and_guests_are_told_apart(told: dict[str, Row], stored: dict[str, Row]) -> None:
    others = {key: comment["author_kind"] for key, comment in told.items() if comment["author_kind"]}
    assert {key: stored[key]["author_kind"] for key in others} == others


def test_one_person_has_one_pseudonym(told: dict[str, Row], stored: dict[str, Row]) -> None:
    known: dict[str, set[str | None]] = {}
    for key, comment in told.items():
        if comment["author_kind"] == "member":
            known.setdefault(comment["person_id"], set()).add(stored[key]["author"])
    assert all(len(names) == 1 for names in known.values()), known
    given = [next(iter(names)) for names in known.values()]
    assert len(set(given)) == len(given)
    assert all(re.fullmatch(r"reader-[a-z2-7]{12}", name or "") for name in given), given


def _rows_on_disk(archive: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(archive.glob("archive.db*")))


def private_among(commenters: list[str], crawled: Crawled) -> list[str]:
    """What names a commenter and stands in no post: staff are named, and authors may share a first name."""
    public = " ".join(f"{post['title']} {post['author']} {post['body_text']}" for post in crawled.truth["posts"])
    held = [each for each in commenters if not occurring([each], public.encode())]
    assert len(held) > 20
    return held


@pytest.fixture(scope="module")
def private(first: Crawled, commenters: list[str]) -> list[str]:
    return private_among(commenters, first)


def test_no_commenter_is_named_in_the_database(first: Crawled, private: list[str]) -> None:
    assert occurring(private, _rows_on_disk(first.archive)) == []


def test_no_commenter_is_named_in_the_log_or_the_summary(first: Crawled, private: list[str]) -> None:
    logs = b"".join(path.read_bytes() for path in (first.archive / "log").rglob("*") if path.is_file())
    assert logs
    assert occurring(private, logs + first.done.out.encode() + first.done.err.encode()) == []


def test_no_raw_person_id_is_in_the_database(first: Crawled) -> None:
    people = {
        comment["person_id"]
        for post in first.truth["posts"]
        for comment in (*post["comments"], *post["withheld"])
        if comment["person_id"]
    }
    staff = {post["author_id"] for post in first.truth["posts"]}
    disk = _rows_on_disk(first.archive)
    assert people
    assert [person for person in people | staff if person.encode() in disk] == []


def test_the_key_is_readable_by_its_owner_alone(first: Crawled) -> None:
    assert (first.archive / "pseudonym.key").stat().st_mode & 0o777 == 0o600
