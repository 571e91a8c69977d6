"""What is left of an answer from which takedowns of grade purge remove something: a new body, or none.

The step is the same for stored records and for answers that a crawl receives. A reader of comments removes them from
JSON (`Reader.without`). The result is read again: where it still gives what is to be removed, or no longer gives what
is to stay, and where the answer is no JSON (HTML, DOM, feed), the whole body goes. It goes, too, where such an answer,
or one that nobody read, has words of what is removed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from archive.warc import Capture, CutShort, TooLarge, Undecodable
from archive.warc import decode as decode_body
from pipelines.privacy.pseudonyms import pseudonymous
from pipelines.takedown.phrases import LENGTH, has_marked_phrase, plain, words_in
from pipelines.takedown.withheld import Withheld
from scraper.comments import service_of, services
from scraper.comments._listed import listed, without_lists
from scraper.extract import extract
from scraper.items import Comment, Exchange, Extraction, Item, Names, Post, PostPart, Problem, Reading, Sighting
from scraper.platforms import platforms
from scraper.platforms._json import decode
from scraper.platforms._platform import Platform
from scraper.platforms._reader import Reader
from scraper.platforms._without import Inseparable, with_texts, without_rows

NOTHING = b""
# Items for whose sake an answer that holds a purged post is taken apart.
_WORTH = (Post, PostPart, Sighting, Reading, Comment)
_IDS = ("id", "internalId", "uuid")  # names under which APIs give the id of a post


class Blanked(NamedTuple):
    """The new body of an answer."""

    body: bytes  # NOTHING: the whole body is removed
    is_exact: bool  # whatever else the answer gives is given by the new body, too


@dataclass(frozen=True, slots=True)
class PurgedParts:
    """What an answer holds of what is purged."""

    comments: frozenset[str] = frozenset()  # ids of comments
    people: frozenset[str] = frozenset()  # ids of people, as the platform gives them
    # Comments by others whose texts contain the name of a purged person: id -> addresses of their post.
    naming: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    has_post: bool = False  # a post, with its text or its title
    names: frozenset[str] = frozenset()  # display names of purged people
    threads: frozenset[tuple[str, ...]] = frozenset()  # addresses of the posts on which purged people commented
    texts: frozenset[str] = frozenset()  # of purged comments
    posts: frozenset[str] = frozenset()  # texts of purged posts

    @property
    def is_any(self) -> bool:
        """Whether something is to be removed."""
        return bool(self.comments or self.people or self.naming or self.has_post)


class Blanking:
    """The takedowns of grade purge that hold at a clinic."""

    def __init__(self, clinic_id: str, key: bytes, withheld: Withheld) -> None:
        self._clinic_id, self._key, self._withheld = clinic_id, key, withheld

    @property
    def empties_unread(self) -> bool:
        """Whether all comments of the clinic are purged, so that no answer that nobody read stays."""
        return "comments" in self._withheld.purged

    def may_have_words(self, url: str) -> bool:
        """Return whether an answer may have the texts of what is purged: those of posts are at their addresses."""
        return self._withheld.purged != {"post"} or self._withheld.names(url)

    def blanked(
        self, exchange: Exchange, platform: Platform | None, capture: Capture | None = None, part: bytes | None = b""
    ) -> Blanked | None:
        """Return what is left of an answer with a body; None where nothing of it is purged.

        `capture`: of its record, where there is one. `part`: what `decodable_part` returns, where the body is
        empty because it cannot be decoded.
        """
        if self._withheld.is_whole:
            return Blanked(NOTHING, is_exact=True)
        items = extract(exchange, platform)
        found, wanted = self.purged_in(items), self._left(items, capture)
        emptied = Blanked(NOTHING, is_exact=not wanted)
        addresses = [exchange.url, exchange.page, *([capture.url, capture.retrieved_from] if capture else [])]
        if self._withheld.is_withdrawn_post(addresses) or self._may_hide_purged(exchange, items, addresses):
            return emptied
        if self._is_named_in(exchange, items, part):
            return emptied
        if found.has_post and not any(isinstance(each, _WORTH) for each in wanted):
            return emptied
        is_listed = self._is_listed_in(exchange.body)
        body = self._without(exchange, platform, found) if found.is_any else exchange.body
        body = _without_lists(body) if body is not None and is_listed else body
        if body is None or (is_listed and self._is_listed_in(body)):
            return emptied
        if body == exchange.body:
            return None if not found.is_any else emptied
        after = extract(replace(exchange, body=body), platform)
        left = self._left(after, capture)
        if self.purged_in(after).is_any or not set(map(_identity, wanted)) <= set(map(_identity, left)):
            return emptied
        return Blanked(body, is_exact=left == wanted)

    def _may_hide_purged(self, exchange: Exchange, items: Collection[Item], addresses: Collection[str | None]) -> bool:
        """Return whether an answer may hold what is purged, and was not read to its end."""
        is_api = is_at_api(exchange.url)
        if not is_api and not any(map(self._withheld.names, addresses)):
            return False
        return _is_doubtful(exchange, items) or (is_api and not items and not is_json(exchange.body))

    def _is_named_in(self, exchange: Exchange, items: Collection[Item], part: bytes | None) -> bool:
        """Return whether words of what is purged are in an answer from which no parser takes them."""
        withheld, is_doubtful = self._withheld, _is_doubtful(exchange, items)
        if is_doubtful and self.empties_unread:
            return True
        if not is_doubtful and (withheld.purged <= {"post", "comments"} or is_json(exchange.body)):
            return False
        if not exchange.body and part is None:
            return bool(withheld.purged)  # nobody can tell what is in it
        words = words_in(plain(exchange.body or part or b""))
        lengths = {"quote": [LENGTH], "words": range(1, LENGTH + 1) if is_doubtful else []}
        return has_marked_phrase(words, withheld.is_marked, lengths)

    def _is_listed_in(self, body: bytes) -> bool:
        """Return whether a list of newest comments, which no parser reads, has a purged comment or person."""
        names, texts = listed(body)
        if self.empties_unread and (names or texts):
            return True
        named = (f"listed {' '.join(words_in(name)[:LENGTH])}" for name in names)
        return any(map(self._withheld.is_marked, named)) or any(
            has_marked_phrase(words_in(t), self._withheld.is_marked, {"quote": [LENGTH]}) for t in texts
        )

    def purged_in(self, items: Collection[Item]) -> PurgedParts:
        """Return what is purged among the items of an answer, as its parser gives them."""
        pairs = list(zip(items, self._pseudonymous(items), strict=False))  # names that were made of items come last
        withheld = self._withheld
        gone = [(raw, own) for raw, own in pairs if isinstance(own, Comment) and withheld.is_withdrawn_comment(own)]
        by_person = [raw for raw, own in gone if isinstance(raw, Comment) and _is_by(own, withheld)]
        named = {
            name: display
            for raw, own in pairs
            if isinstance(raw, Names) and isinstance(own, Names)
            for (name, display), pseudonym in zip(raw.names.items(), own.names, strict=False)
            if withheld.is_withdrawn_person(pseudonym)
        }
        left = [own for _, own in pairs if isinstance(own, Comment) and not withheld.is_withdrawn_comment(own)]
        return PurgedParts(
            comments=frozenset(raw.platform_comment_id for raw, _ in gone if isinstance(raw, Comment)),
            people=frozenset(named),
            naming={item.platform_comment_id: item.post for item in left if self._names_people(item)},
            has_post=any(isinstance(raw, Post | PostPart) and withheld.is_of_post(raw) for raw, _ in pairs),
            names=frozenset(filter(None, [*named.values(), *(raw.author for raw in by_person)])),
            threads=frozenset(raw.post for raw in by_person),
            texts=frozenset(raw.body_text for raw, _ in gone if isinstance(raw, Comment) and raw.body_text),
            posts=frozenset(filter(None, map(self._text_of_post, items))),
        )

    def _text_of_post(self, item: Item) -> str | None:
        if not isinstance(item, Post | PostPart) or not self._withheld.is_of_post(item):
            return None
        return item.body_text if isinstance(item, Post) else item.page.body_text

    def _pseudonymous(self, items: Collection[Item]) -> tuple[Item, ...]:
        return pseudonymous(Extraction(clinic_id=self._clinic_id, capture=None, items=tuple(items)), self._key).items

    def _names_people(self, item: Comment) -> bool:
        texts = (each for each in (item.body_text, item.body_html) if each)
        return any(self._withheld.without_names(text, item.post) != text for text in texts)

    def _left(self, items: Collection[Item], capture: Capture | None) -> list[Item]:
        """Return the items that stay, as the fold takes them; the names of people only mask texts."""
        extraction = Extraction(clinic_id=self._clinic_id, capture=capture, items=self._pseudonymous(items))
        left = self._withheld.left_of(extraction).extraction.items
        return [item for item in left if not isinstance(item, Names)]

    def _without(self, exchange: Exchange, platform: Platform | None, found: PurgedParts) -> bytes | None:
        """Return the body without what was found; None where it cannot be taken apart."""
        reader = reader_of(exchange, platform)
        body = exchange.body
        try:
            if found.has_post:
                body = without_rows(body, lambda row: self._is_post_row(row, platform))
            if reader is not None and (found.comments or found.people):
                body = reader.without(replace(exchange, body=body), {*found.comments, *found.people})
            if reader is not None and found.naming:
                body = self._without_names(reader, body, found.naming)
        except Inseparable:
            return None
        return body

    def _without_names(self, reader: Reader, body: bytes, naming: Mapping[str, tuple[str, ...]]) -> bytes:
        for post in set(naming.values()):
            ids = {comment for comment, of_post in naming.items() if of_post == post}
            change = partial(self._withheld.without_names, post=post)
            body = with_texts(body, partial(_is_row_of, reader, ids), change)
        return body

    def _is_post_row(self, row: Mapping[str, Any], platform: Platform | None) -> bool:
        """Return whether a JSON object states an address, or the id, of a purged post as a value of its own."""
        values = [value for value in row.values() if isinstance(value, str)]
        prefix = f"{platform.name}:" if platform is not None else ""
        ids = [f"{prefix}{value}" for name, value in row.items() if name in _IDS and isinstance(value, str | int)]
        return self._withheld.is_withdrawn_post([*(value for value in values if "://" in value), *ids])


def _without_lists(body: bytes) -> bytes | None:
    """Return a JSON answer whose texts have no lists of newest comments; None for any other."""
    try:
        return with_texts(body, lambda _: True, without_lists)
    except Inseparable:
        return None


def _is_doubtful(exchange: Exchange, items: Collection[Item]) -> bool:
    """Return whether an answer was not read to its end, or is not what was requested."""
    if exchange.fault is not None or not 200 <= exchange.status < 300:
        return True
    problems = [item for item in items if isinstance(item, Problem)]
    return any(each.kind == "parser-error" for each in problems) or 0 < len(problems) == len(items)


def decodable_part(body: bytes, encoding: str | None) -> bytes | None:
    """Return as much of a body as can be decoded; None where its coding is broken. `encoding`: its Content-Encoding."""
    try:
        return decode_body(body, encoding)
    except CutShort as error:
        return error.part
    except (TooLarge, Undecodable):
        return None


def _is_row_of(reader: Reader, ids: Collection[str], row: Mapping[str, Any]) -> bool:
    return reader.row_id(row) in ids


def _is_by(item: Item, withheld: Withheld) -> bool:
    return isinstance(item, Comment) and (
        withheld.is_withdrawn_person(item.person) or withheld.is_withdrawn_person(item.author)
    )


def _identity(item: Item) -> tuple[object, ...]:
    """Return what an item is about, and its text: numbers and the order of a thread may change with what is removed."""
    match item:
        case Comment():
            return "comment", item.platform_comment_id, item.body_text, item.author
        case Post():
            return "post", item.url, item.title, item.body_text
        case Sighting():
            return "sighting", item.url
    return (type(item),)


def reader_of(exchange: Exchange, platform: Platform | None) -> Reader | None:
    """Return the platform or comment service that reads an exchange, as `extract` chooses it."""
    service = service_of(exchange.url)
    return service if service is not None and not (platform and platform.is_api_url(exchange.url)) else platform


def is_at_api(url: str) -> bool:
    """Return whether an address is that of an API of any platform, or of a thread at a comment service."""
    return any(reader.is_api_url(url) for reader in (*platforms(), *services()))


def is_json(body: bytes) -> bool:
    """Return whether a body is JSON to its last byte, and not too large to be read."""
    try:
        decode(body)
    except ValueError:
        return False
    return True
