"""What platforms and comment services have in common: how their answers are recognised and read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from scraper.items import Exchange, Item
from scraper.platforms._without import Inseparable, without_rows


class Reader(ABC):
    """Base class of platforms and comment services: how their answers are recognised and read."""

    name: ClassVar[str] = ""  # unique, lower case; `clinics.platform` and the prefix of platform ids
    # Raised by hand when a parser reads anything differently; a test fails when expected output changes without it.
    extractor_version: ClassVar[int] = 0

    @abstractmethod
    def claims(self, exchange: Exchange) -> bool:
        """Return whether the exchange is this reader's: by generator tag, head, headers, or an address only it has.

        Words in a page's body are no evidence, and neither is a single asset of another host. Called with any exchange,
        including robots.txt, redirects, errors and pages of other platforms. Must not raise.
        """

    @abstractmethod
    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Return every item that the exchange gives, each with the facts of this exchange only.

        Called in crawls and in rebuilds, with exchanges for which `claims` is true, and of a comment service with those
        for which `is_api_url` is. Pure: no clock, no state. May raise `NotAPost` or a subclass, immediately or during
        iteration, where a page is not a post or cannot be used; any other exception is reported as a fault of the
        parser.
        """

    def is_api_url(self, url: str) -> bool:
        """Return whether the address is an API, whose error answers (404) say nothing about a page. Must not raise."""
        return False

    def without(self, exchange: Exchange, ids: Collection[str]) -> bytes:
        """Return the body of an answer without the comments of these ids, and without the people of these ids.

        `ids`: of comments as `Comment.platform_comment_id`, of people as the keys of `Names`. Everything else is as it
        was served. Called where a comment is removed for good from what is recorded; the result is read again and
        compared. Pure. Raises `Inseparable` where a comment is no part of its own (HTML): then the whole body goes.
        """
        return without_rows(exchange.body, lambda row: self.row_id(row) in ids)

    def row_id(self, row: Mapping[str, Any]) -> str | None:
        """Return the id of the comment, or of the person, that a JSON object of its answers is; None for any other."""
        raise Inseparable(f"{self.name}: comments cannot be removed one by one")

    def holds_tokens(self, url: str, body: bytes) -> bool:
        """Return whether the answer contains tokens: its texts are then blanked before it is recorded.

        `body`: decoded. Called for every answer before it is recorded. Must not raise.
        """
        return False
