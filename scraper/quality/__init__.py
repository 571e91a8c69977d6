"""Quality of a capture: a page that answers, and yet is not what the site publishes.

A bot wall, a parked domain, an expired plan, "coming soon", maintenance, a consent or login wall, a server's error with
the status 200, and a page without any content say nothing about posts: they make no revision, no absence, no reading
and no sighting, only a problem whose kind is the capture's quality. Pure: only the answer is judged.

Three judges, in this order:

1. Response headers with which a firewall or a parking service names its own answer (`_headers`).
2. Markup that only one maker's walls contain (`_makers`). It outweighs the marks of a post.
3. What the page shows (`_shown`): little text, no posts, few links, and words of at least two different notions of one
   kind, one of them in the title or a heading. A page with the marks of a post is never judged so.
"""

from __future__ import annotations

from scraper.items import Exchange
from scraper.not_a_post import BotChallenge, ConsentWall, NotAPost, Unreadable
from scraper.quality._doubt import KINDS as _NAMED
from scraper.quality._doubt import Doubt, Kind
from scraper.quality._headers import by_header
from scraper.quality._makers import LARGEST, by_maker, by_scaffold, by_test, has_test
from scraper.quality._page import shown_page
from scraper.quality._shown import by_emptiness, by_words

# Every value of `captures.quality`.
KINDS = frozenset({*_NAMED, Unreadable.kind})

# Those that answer for a whole site. A page without content says only that its own content is not in it.
EMPTY_SHELL: Kind = "empty-shell"
OF_SITE = KINDS - {EMPTY_SHELL, Unreadable.kind}
_NOUNS: dict[Kind, str] = {
    "login-wall": "a demand for a login",
    "parked": "the page of a registrar or host",
    "suspended": "the notice of a suspended or expired site",
    "coming-soon": "the notice of a site that is not there yet",
    "maintenance": "a maintenance notice",
    "error-page": "an error of the server",
    "empty-shell": "a page without content",
}


# <form action="https://a.example/wp-login.php?action=postpass">: WordPress asks for the password of this post alone.
_OF_ONE_POST = b"?action=postpass"


class Doubtful(NotAPost):
    """A page that answers in place of what the site publishes; `kind` names what it is."""

    def __init__(self, doubt: Doubt) -> None:
        super().__init__(
            f"answered with {_NOUNS[doubt.kind]} in place of the page ({doubt.reason}); nothing is stored from it, the"
            " next run requests it again"
        )
        self.kind = doubt.kind


def refusal_of(exchange: Exchange, *, may_be_post: bool) -> NotAPost | None:
    """Return the error that says why the page is doubtful, or None where nothing is. Never raises it itself.

    `may_be_post`: the address may be a post's, so that a page without content is doubtful; a home page or a listing may
    have nothing but data for scripts.
    A page that answers with an error status is judged only as a bot wall: its status is reason enough.
    """
    doubt = doubt_of(exchange, may_be_post=may_be_post)
    if doubt is None:
        return None
    if doubt.kind == BotChallenge.kind:
        return BotChallenge(
            f"{doubt.maker or 'the site'} asks whether the visitor is human ({doubt.reason}); not stored; try again"
            " later or with a longer delay"
        )
    if doubt.kind == ConsentWall.kind:
        return ConsentWall(f"a page that shows nothing but a consent dialogue ({doubt.reason}); not stored")
    return Doubtful(doubt)


def doubt_of(exchange: Exchange, *, may_be_post: bool) -> Doubt | None:
    """Return what makes the page doubtful, None where nothing does. `may_be_post`: see `refusal_of`."""
    wall = _bot_wall(exchange)
    if wall is not None or exchange.status >= 400:
        return wall
    doubt = by_header(exchange)
    if doubt is not None or len(exchange.body) > LARGEST or not exchange.body.strip():
        return doubt
    doubt = by_maker(exchange.body)
    if doubt is not None:
        return doubt
    page = shown_page(exchange)
    if page is None or page.is_post:
        return None
    page.has_test = has_test(exchange, page)
    doubt = by_words(page) or by_scaffold(exchange, page) or by_test(page)
    if doubt is not None and doubt.kind == "login-wall" and _OF_ONE_POST in exchange.body:
        return None
    # A browser runs the scripts of its document, and gives the page again as it is then: it may be empty now.
    return doubt or (by_emptiness(page) if may_be_post and exchange.via != "document" else None)


def _bot_wall(exchange: Exchange) -> Doubt | None:
    """Return the bot wall that headers or markup of its maker prove, whatever the status; None for other answers."""
    doubt = by_header(exchange)
    if doubt is None and len(exchange.body) <= LARGEST:
        doubt = by_maker(exchange.body)
    return doubt if doubt is not None and doubt.kind == BotChallenge.kind else None
