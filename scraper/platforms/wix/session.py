"""The visitor's token of a Wix site: how one is got, sent, renewed, and done without.

A page fetches `/_api/v1/access-tokens` (before 2024 `/_api/v2/dynamicmodel`) and finds in it one `instance` for each
app of the site; calls to the blog carry it bare in `Authorization`. Two apps sign for the blog, and working readers
use either. An instance lives for hours; a stale one is answered 401.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from urllib.parse import urlsplit

from scraper.items import Exchange
from scraper.platforms._json import decode, dig, mapping, string
from scraper.platforms._platform import Answer, Ask

BLOG_APP = "14bcded7-0066-7c35-14d7-466cb3f09103"  # also the `appId` that blog comments are filed under
FRONTEND_APP = "22bef345-3c5b-4c18-b782-74d4085112ff"
TOKEN_PATHS = ("/_api/v1/access-tokens", "/_api/v2/dynamicmodel")

Call = Generator[Ask, Answer, Answer]


class Session:
    """Makes the requests of one conversation, each with the token that worked last.

    A 401 has the tokens fetched anew once; then, as after a 403, the other app's token and no token are tried. When
    nothing helps, the host's answers are taken as they are until one succeeds: a closed API costs a handful of
    requests, not a handful for each post.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._tokens: list[str] | None = None  # None: not fetched yet; the last one is "", no token
        self._turn = 0
        self._path = 0  # which of TOKEN_PATHS gave tokens
        self._hopeless: set[str] = set()  # hosts that refused every token

    def ask(self, url: str, body: Mapping[str, object] | None = None) -> Call:
        """GET `url`, or POST `body` to it as JSON; returns the answer that counts (the last one, if none was good)."""
        fresh = self._tokens is None
        if fresh:
            yield from self._fetch()
        answer = yield self._request(url, body, self._turn)
        host = urlsplit(url).netloc
        if _status(answer) in (401, 403) and host not in self._hopeless:
            answer = yield from self._insist(url, body, answer, fresh)
            if _status(answer) in (401, 403):
                self._hopeless.add(host)
        elif answer.ok:
            self._hopeless.discard(host)
        return answer

    def _insist(self, url: str, body: Mapping[str, object] | None, answer: Answer, fresh: bool) -> Call:
        turns = list(range(len(self._tokens or ())))
        turns.remove(self._turn)
        if _status(answer) == 401 and not fresh and turns:
            yield from self._fetch()
            turns = [self._turn, *(turn for turn in range(len(self._tokens or ())) if turn != self._turn)]
        for turn in turns:
            answer = yield self._request(url, body, turn)
            if _status(answer) not in (401, 403):
                self._turn = turn
                break
        return answer

    def _fetch(self) -> Generator[Ask, Answer, None]:
        """Fetch the tokens; where no address gives any, the requests go without."""
        for path in range(self._path, len(TOKEN_PATHS)):
            answer = yield Ask(url=self._root + TOKEN_PATHS[path], headers={"Accept": "application/json"}, secret=True)
            found = _instances(answer.exchange) if answer.ok and answer.exchange else []
            if found:
                self._path = path
                self._tokens = [*found, ""]
                self._turn = min(self._turn, len(found) - 1)
                return
        if self._tokens is None:
            self._tokens = [""]

    def _request(self, url: str, body: Mapping[str, object] | None, turn: int) -> Ask:
        headers = {"Accept": "application/json"}
        token = self._tokens[turn] if self._tokens else ""
        if token:
            headers["Authorization"] = token
        if body is None:
            return Ask(url=url, headers=headers)
        headers["Content-Type"] = "application/json"
        return Ask(url=url, method="POST", headers=headers, body=json.dumps(body, separators=(",", ":")).encode())


def _status(answer: Answer) -> int | None:
    return answer.exchange.status if answer.exchange else None


def _instances(exchange: Exchange) -> list[str]:
    """Tokens of the blog's two apps, in the order to try them.

    An app that is named counts though its token be blank: a replay, whose tokens are blanked, asks the same questions.
    """
    try:
        apps = mapping(dig(decode(exchange.body), "apps"))
    except ValueError:
        return []
    named = [mapping(apps[app]) for app in (BLOG_APP, FRONTEND_APP) if app in apps]
    return [string(app.get("instance")) or string(app.get("accessToken")) for app in named]
