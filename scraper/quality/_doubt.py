"""What is doubtful about a page: the kind, which is the problem's kind and `captures.quality`, and the signal."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from scraper.not_a_post import BotChallenge, ConsentWall

Kind = Literal[
    "bot-challenge",
    "consent-wall",
    "login-wall",
    "parked",
    "suspended",
    "coming-soon",
    "maintenance",
    "error-page",
    "empty-shell",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
assert {BotChallenge.kind, ConsentWall.kind} <= set(KINDS)


class Doubt(NamedTuple):
    """Why a page is doubtful."""

    kind: Kind
    reason: str  # the signal, in words of this program: no text of the page is in it
    maker: str | None = None  # whose wall it is, where the signal names it
