"""Why a page gives no post: what a parser raises."""

from __future__ import annotations


class NotAPost(Exception):
    """The page is not a post; the message says what it is instead."""

    kind = "not-a-post"


class NotFoundPage(NotAPost):
    """The site's own "not found" page, whatever its status."""

    kind = "not-found-page"


class Paywall(NotAPost):
    """A members-only or paid page."""

    kind = "paywall"


class BotChallenge(NotAPost):
    """A page that tests whether the visitor is human; no evidence of a post or of a removal."""

    kind = "bot-challenge"


class ConsentWall(NotAPost):
    """A page that shows only a consent dialogue."""

    kind = "consent-wall"


class Unreadable(NotAPost):
    """Bytes that cannot be read as what they claim to be: cut off, empty, in a wrong charset, not HTML."""

    kind = "unreadable"


class UnsupportedPlatform(NotAPost):
    """A blog on a platform that is not supported yet."""

    kind = "unsupported-platform"
