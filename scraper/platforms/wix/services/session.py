"""The visitor's token of a Wix site: fetched, sent, renewed, and omitted where there is none.

A page fetches `/_api/v1/access-tokens` (before 2024 `/_api/v2/dynamicmodel`) and finds in it one `instance` for each
app of the site; calls to the blog carry it in `Authorization`, without a scheme. Two apps have tokens for the blog, and
other readers use either. An instance lives for hours; a stale one is answered 401.
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
    """Makes the requests of one plan, each with the token that worked last.

    After a 401 the tokens are fetched again, once; then, as after a 403, the other app's token and no token are tried.
    When all fail, further answers of the host are returned as they are until one succeeds, so that a closed API costs
    a few requests in all, not a few for each post.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._tokens: list[str] | None = None  # None: not fetched yet; the last one is "", no token
        self._index = 0  # of the token that worked last
        self._path = 0  # which of TOKEN_PATHS gave tokens
        self._closed_hosts: set[str] = set()  # they refused every token

    def ask(self, url: str, body: Mapping[str, object] | None = None) -> Call:
        """GET `url`, or POST `body` to it as JSON; return the good answer, or the last one if none was good."""
        fresh = self._tokens is None
        if fresh:
            yield from self._fetch()
        answer = yield self._request(url, body, self._index)
        host = urlsplit(url).netloc
        if _status(answer) in (401, 403) and host not in self._closed_hosts:
            answer = yield from self._try_other_tokens(url, body, answer, fresh)
            if _status(answer) in (401, 403):
                self._closed_hosts.add(host)
        elif answer.ok:
            self._closed_hosts.discard(host)
        return answer

    def _try_other_tokens(self, url: str, body: Mapping[str, object] | None, answer: Answer, fresh: bool) -> Call:
        indexes = list(range(len(self._tokens or ())))
        indexes.remove(self._index)
        if _status(answer) == 401 and not fresh and indexes:
            yield from self._fetch()
            indexes = [self._index, *(index for index in range(len(self._tokens or ())) if index != self._index)]
        for index in indexes:
            answer = yield self._request(url, body, index)
            if _status(answer) not in (401, 403):
                self._index = index
                break
        return answer

    def _fetch(self) -> Generator[Ask, Answer, None]:
        """Fetch the tokens; where no address gives any, requests are made without one."""
        for path in range(self._path, len(TOKEN_PATHS)):
            answer = yield Ask(url=self._root + TOKEN_PATHS[path], headers={"Accept": "application/json"}, secret=True)
            found = _instances(answer.exchange) if answer.ok and answer.exchange else []
            if found:
                self._path = path
                self._tokens = [*found, ""]
                self._index = min(self._index, len(found) - 1)
                return
        if self._tokens is None:
            self._tokens = [""]

    def _request(self, url: str, body: Mapping[str, object] | None, index: int) -> Ask:
        headers = {"Accept": "application/json"}
        token = self._tokens[index] if self._tokens else ""
        if token:
            headers["Authorization"] = token
        if body is None:
            return Ask(url=url, headers=headers)
        headers["Content-Type"] = "application/json"
        return Ask(url=url, method="POST", headers=headers, body=json.dumps(body, separators=(",", ":")).encode())


def _status(answer: Answer) -> int | None:
    return answer.exchange.status if answer.exchange else None


def _instances(exchange: Exchange) -> list[str]:
    """Return the tokens of the blog's two apps, in the order to try them.

    A blank token counts as one: a replay, whose tokens are blanked, makes the same requests.
    """
    try:
        apps = mapping(dig(decode(exchange.body), "apps"))
    except ValueError:
        return []
    named = [mapping(apps[app]) for app in (BLOG_APP, FRONTEND_APP) if app in apps]
    return [string(app.get("instance")) or string(app.get("accessToken")) for app in named]
