"""What the fold leaves out of a clinic's captures because a takedown names it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import date
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from archive.rows.withdrawals import withdrawn_here
from archive.warc import Capture
from pipelines.events import Withdrawn
from pipelines.run.key import BadKey
from pipelines.run.recorded_runs import runs_of, takedowns_in_force
from pipelines.takedown.marks import (
    ADDRESS,
    address_values,
    key_check,
    mark,
    permalinks,
    post_values,
    redacted,
    without_names,
)
from scraper.addresses import post_key
from scraper.items import (
    Alias,
    Author,
    Comment,
    EmbeddedThread,
    Extraction,
    Gone,
    Item,
    Names,
    Post,
    PostPart,
    Problem,
    Reading,
    Sighting,
    Thread,
    ThreadPage,
)

GRADES = ("hide", "block", "purge")  # each does what the ones before it do
BLOCKING = GRADES[1:]  # grades of what is never requested again
HIDDEN_EVERY = 30  # days between two requests of a hidden post: that of any page that does not change
PURGE = GRADES[2]  # of what is removed from the recorded bytes, too
# <a href="https://clinic.example/post/a">
_HREF = re.compile(r"""\shref=("[^"]*"|'[^']*')""")


class Left(NamedTuple):
    """What is left of a capture."""

    extraction: Extraction
    holds_withdrawn: bool = False  # its bytes hold something withdrawn: the record is not given out
    is_cut: bool = False  # its address names something withdrawn: the row has the host alone


class Withheld:
    """The takedowns that hold at a clinic."""

    def __init__(self, clinic_id: str, takedowns: Iterable[Withdrawn], key: bytes | None) -> None:
        """`takedowns`: those of the clinic that were not lifted. Raises `BadKey` for another key than theirs."""
        held = self._held = list(takedowns)
        self.is_whole = any(each.kind == "clinic" for each in held)
        self._all_comments = next((each.takedown_id for each in held if each.kind == "comments"), None)
        self._owners = {subject: each.takedown_id for each in held for subject in each.subjects}
        self._marks = set(self._owners)
        self.purged = frozenset(each.kind for each in held if each.grade == PURGE)  # kinds of what is purged
        self._learned: dict[str, set[str]] = {}  # further addresses, by takedown that got more marks
        if self._marks and (key is None or any(each.key_check != key_check(key) for each in held if each.subjects)):
            raise BadKey(
                f"{clinic_id}: takedowns hold here, and pseudonym.key is missing or of another archive, so that what is"
                " withdrawn cannot be recognised; restore the key from your backup"
            )
        self._mark = lru_cache(maxsize=65_536)(lambda value: mark(key or b"", clinic_id, value))

    def is_marked(self, value: str) -> bool:
        """Return whether a takedown names a value (`pipelines.takedown.marks`)."""
        return self._mark(value) in self._marks

    @property
    def is_any(self) -> bool:
        """Whether anything is withheld."""
        return self.is_whole or self._all_comments is not None or bool(self._marks)

    def is_withdrawn_person(self, pseudonym: str | None) -> bool:
        """Return whether a pseudonym is that of a withdrawn person."""
        return pseudonym is not None and (self._all_comments is not None or self.is_marked(f"person {pseudonym}"))

    def is_withdrawn_comment(self, item: Comment) -> bool:
        """Return whether a pseudonymous comment is withdrawn, by itself, with its author or with its post."""
        value = f"comment {item.platform_comment_id}"
        if self._all_comments is not None or self.is_marked(value):
            return True
        person = next((each for each in (item.person, item.author) if self.is_withdrawn_person(each)), None)
        if person is not None:  # other answers give the same comment without its author
            self._add(self._owners[self._mark(f"person {person}")], {value})
        return person is not None or self.is_withdrawn_post(item.post)

    def without_names(self, text: str, post: Iterable[str]) -> str:
        """Return a text of the comments on a post without the names of people who were purged there."""
        return without_names(text, post, self.is_marked) if "person" in self.purged else text

    def _learn(self, addresses: Iterable[str | None]) -> None:
        """Remember further addresses of a withdrawn post; only an id of the platform proves whose they are."""
        named = [address for address in addresses if address]
        ids = (self._mark(f"post {address}") for address in named if "://" not in address)
        owner = next((self._owners[each] for each in ids if each in self._owners), None)
        if owner is not None and not all(self.is_withdrawn_post([address]) for address in named):
            self._add(owner, post_values(named), named)

    def _add(self, owner: str, values: Iterable[str], addresses: Iterable[str] = ()) -> None:
        """Add values to what a takedown names."""
        self._learned.setdefault(owner, set()).update(addresses)
        new = {self._mark(value) for value in values} - self._marks
        self._marks |= new
        self._owners |= dict.fromkeys(new, owner)

    def extended(self) -> list[Withdrawn]:
        """Return the takedowns of which captures gave more: further addresses of posts, comments of people."""
        return [
            replace(
                each,
                subjects=tuple(sorted(mark for mark, owner in self._owners.items() if owner == each.takedown_id)),
                permalinks=tuple(dict.fromkeys((*each.permalinks, *permalinks(each.clinic_id, addresses)))),
            )
            for each in self._held
            if (addresses := self._learned.get(each.takedown_id)) is not None
        ]

    def is_withdrawn_post(self, addresses: Iterable[str | None]) -> bool:
        """Return whether one of the addresses, or ids, is that of a withdrawn post."""
        return any(self.is_marked(f"post {post_key(address)}") for address in addresses if address)

    def is_withdrawn_address(self, url: str) -> bool:
        """Return whether an address is that of a withdrawn post."""
        return self.is_withdrawn_post([url])

    def names(self, url: str | None) -> bool:
        """Return whether an address is that of a withdrawn post, or contains its name or id (an API's address)."""
        if not url or not self._marks:
            return False
        return self.is_withdrawn_post([url]) or any(self.is_marked(f"word {word}") for word in address_values(url))

    def redacted(self, text: str) -> str:
        """Return words about a run or a visit without the addresses of withdrawn posts."""
        return redacted(text, self.names)

    def left_of(self, extraction: Extraction) -> Left:
        """Return what is left of a capture whose items are pseudonymous."""
        if not self.is_any:
            return Left(extraction)
        if extraction.is_emptied:  # its address may name the post that it held
            has_post = "post" in self.purged
            return Left(extraction, holds_withdrawn=has_post, is_cut=has_post)
        capture = extraction.capture
        urls = (capture.url, capture.page, capture.retrieved_from) if isinstance(capture, Capture) else ()
        is_cut = any(map(self.names, urls))
        remaining = [left for item in extraction.items if (left := self._left(item, is_cut)) is not None]
        holds_withdrawn = (
            is_cut
            or len(remaining) < len(extraction.items)
            or any(new is not old for new, old in zip(remaining, extraction.items, strict=True))
            or any(
                self.is_withdrawn_person(name)
                for item in extraction.items
                if isinstance(item, Names)
                for name in item.names
            )
        )
        if not holds_withdrawn:
            return Left(extraction)
        if any(self.is_of_post(item) for item in extraction.items) and not any(
            isinstance(item, Post | PostPart | Sighting | Reading) for item in remaining
        ):
            is_cut = True  # nothing but the withdrawn post was read from it
        if is_cut:  # the people of a page are those of its post
            remaining = [item for item in remaining if not isinstance(item, Author)]
        return Left(replace(extraction, items=tuple(remaining)), holds_withdrawn, is_cut)

    def is_of_post(self, item: Item) -> bool:
        """Return whether an item is about a withdrawn post."""
        match item:
            case Post():
                return self.is_withdrawn_post((item.url, *item.addresses))
            case Reading() | EmbeddedThread() | Thread() | ThreadPage() | Comment():
                return self.is_withdrawn_post(item.post)
            case Sighting():
                return self.is_withdrawn_post((item.url, item.listed_url, *item.addresses))
            case Alias():
                return self.is_withdrawn_post(item.addresses)
            case Gone():
                return self.is_withdrawn_post([item.url])
            case PostPart():
                return self.is_withdrawn_post([item.post]) or self.is_of_post(item.page)
        return False

    def _left(self, item: Item, is_cut: bool) -> Item | None:
        """Return what is left of an item; itself if nothing is withdrawn. `is_cut`: of the page of a withdrawn post."""
        if self.is_of_post(item):
            if isinstance(item, Post | Sighting):
                self._learn((item.url, *item.addresses))
            return None
        match item:
            case Comment():
                return self._left_of_comment(item)
            case Post():
                return self._left_of_post(item)
            case PostPart():
                page = self._left_of_post(item.page)
                return item if page is item.page else replace(item, page=page)
            case Problem():
                named = item.url is None and is_cut
                named = named or self.names(item.url) or any(map(self.names, ADDRESS.findall(item.message)))
                return None if named else item
        return item

    def scrub(self, db: Database, clinic_id: str) -> None:
        """Remove what leads to withdrawn posts from texts that an older version read, which no fold makes.

        Raises `sqlite3.Error`.
        """
        mine = "IN (SELECT r.revision_id FROM revisions AS r JOIN posts USING (post_id) WHERE clinic_id = ?)"
        links = db.execute(f"SELECT rowid, url FROM links WHERE revision_id {mine}", [clinic_id]).fetchall()
        gone = [(rowid,) for rowid, url in links if self.is_withdrawn_address(url)]
        db.conn.executemany("DELETE FROM links WHERE rowid = ?", gone)
        texts = db.execute(f"SELECT revision_id, body_html FROM revisions WHERE revision_id {mine}", [clinic_id])
        for revision_id, html in texts.fetchall():
            left = self._without_links(html)
            if left is not html:
                db.execute("UPDATE revisions SET body_html = ? WHERE revision_id = ?", [left, revision_id])

    def _left_of_post(self, item: Post) -> Post:
        """Return another post without what leads to a withdrawn one; itself if nothing does."""
        related = tuple(card for card in item.related_posts if not self.is_withdrawn_post([card.url]))
        html = self._without_links(item.body_html)
        if len(related) == len(item.related_posts) and html is item.body_html:
            return item
        return replace(item, related_posts=related, body_html=html)

    def _left_of_comment(self, item: Comment) -> Comment | None:
        if self.is_withdrawn_comment(item):
            return None
        parent = item.parent_id
        if parent is not None and self.is_marked(f"comment {parent}"):
            parent = None
        html = self._without_links(item.body_html)
        text, html = (self.without_names(each, item.post) if each else each for each in (item.body_text, html))
        left = replace(item, parent_id=parent, body_text=text, body_html=html)
        return item if left == item else left

    def _without_links(self, html: str | None) -> str | None:
        """Return the HTML without the addresses of links to withdrawn posts; itself if there is none."""
        if not html:
            return html
        found = _HREF.sub(lambda link: "" if self.is_withdrawn_post([link[1][1:-1]]) else link[0], html)
        return html if found == html else found


def withheld_from(takedowns: Iterable[Withdrawn], clinic_id: str, key: bytes | None) -> Withheld | None:
    """Return what takedowns withhold at a clinic; None if none of them is of the clinic. Raises `BadKey`."""
    held = [each for each in takedowns if each.clinic_id == clinic_id]
    return Withheld(clinic_id, held, key) if held else None


def is_not_requested(
    db: Database, archive: Path, clinic_id: str, key: bytes | None, day: date | None
) -> Callable[[str], bool] | None:
    """Return which addresses of a clinic are not requested on a day; None if all may be. Raises `BadKey`, OSError.

    Blocked posts never are. Hidden posts have no rows that say when they were read last: they are requested on one day
    of thirty, another one for each clinic; `day` None: every day.
    """
    if not withdrawn_here(db, clinic_id):
        return None
    held = list(takedowns_in_force(runs_of(archive)))
    blocked = withheld_from((each for each in held if each.grade in BLOCKING), clinic_id, key)
    hidden = withheld_from((each for each in held if each.grade not in BLOCKING), clinic_id, key)

    offset = int.from_bytes(sha256(clinic_id.encode()).digest()[:8])
    is_turn = day is None or (day.toordinal() + offset) % HIDDEN_EVERY == 0

    def is_skipped(url: str) -> bool:
        if blocked is not None and blocked.names(url):
            return True
        return hidden is not None and not is_turn and hidden.names(url)

    return is_skipped


def withheld_at(
    db: Database, archive: Path, clinic_id: str, key: bytes | None, grades: Collection[str] = GRADES
) -> Withheld | None:
    """Return what takedowns of these grades withhold at a clinic; None if none holds. Raises `BadKey`, OSError."""
    if not withdrawn_here(db, clinic_id):  # most archives have none, and many files of runs
        return None
    return withheld_from(
        (each for each in takedowns_in_force(runs_of(archive)) if each.grade in grades), clinic_id, key
    )
