"""The JSON addresses behind the pages (reference, section 3).

Every blog address wants a visitor's token. The page's script has a second spelling of the same answers under
`/_srv/reader-pulse/`, without tokens, which no document names; it keeps working when the known addresses are off.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import compose, pages, wire
from .chrome import BLOG_APP
from .delivery import json_answer
from .model import Comment, Post
from .ricos import Json
from .tokens import Signer
from .world import World

PULSE = "/_srv/reader-pulse"
_BLOG = "/_api/blog-frontend-adapter-public/v2"
_ORDERS = ("NEWEST_FIRST", "OLDEST_FIRST", "REACTION_COUNT", "NET_VOTE_COUNT", "RATING")


class BadRequestError(ValueError):
    """A request the API answers with 400."""


def _integer(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isdigit() or not 0 <= int(text) <= most:
        raise BadRequestError(f"{name} must be a number from 0 to {most}")
    return int(text)


class Api:
    """The API of one clinic."""

    def __init__(self, world: World, known: bool) -> None:
        self.world = world
        self.known = known
        self.signer = Signer(f"juniper {world.state.first_start.isoformat()}")

    def routes(self) -> list[Route]:
        """The known addresses, if they are on, and always the script's own spelling."""
        both = [
            (f"{_BLOG}/post-page/{{slug:path}}", f"{PULSE}/card/{{slug:path}}", self.post_page, "GET"),
            (f"{_BLOG}/post-page-metadata/{{slug:path}}", f"{PULSE}/beat/{{slug:path}}", self.metadata, "GET"),
            ("/_api/comments/v1/comments/list-by-resource", f"{PULSE}/voices", self.comments, "GET"),
            ("/_api/members/v1/members/query", f"{PULSE}/faces", self.members, "POST"),
        ]
        made = [Route(path, handler, methods=[method]) for _, path, handler, method in both]
        if self.known:
            made += [Route(path, self._guarded(handler), methods=[method]) for path, _, handler, method in both]
            made += [
                Route("/_api/v1/access-tokens", self.access_tokens, methods=["GET"]),
                Route(f"{_BLOG}/post-feed-page", self._guarded(self.feed_page), methods=["GET"]),
                Route(f"{_BLOG}/post-feed-page-metadata", self._guarded(self.feed_metadata), methods=["GET"]),
            ]
        made.append(Route("/_api/{rest:path}", self.unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
        return made

    def _guarded(self, handler: Any) -> Any:
        async def guarded(request: Request) -> Response:
            token = request.headers.get("authorization") or request.headers.get("instance") or ""
            if not self.signer.accepts(token, self.world.token_age):
                return json_answer(request, {"message": "UNAUTHENTICATED", "details": {}}, 401)
            try:
                answer: Response = await handler(request)
            except BadRequestError as problem:
                return json_answer(
                    request,
                    {
                        "message": str(problem),
                        "details": {"applicationError": {"code": "INVALID_ARGUMENT", "description": str(problem)}},
                    },
                    400,
                )
            return answer

        return guarded

    async def unknown(self, request: Request) -> Response:
        """The answer of an address that is not there."""
        return json_answer(request, {"message": "Not Found", "details": {}}, 404)

    async def access_tokens(self, request: Request) -> Response:
        """Fresh tokens for any visitor."""
        return json_answer(request, self.signer.access_tokens(self.world.token_age))

    # ---- posts

    def _post(self, request: Request) -> Post | None:
        slug = unquote(request.path_params["slug"])
        return self.world.find(slug) or self.world.renamed(slug)

    async def post_page(self, request: Request) -> Response:
        """The whole post; under the other spelling only the keys the script needs."""
        post = self._post(request)
        if post is None:
            return await self.unknown(request)
        if request.url.path.startswith(PULSE):
            return json_answer(request, {"postPage": {"post": {"id": post.post_id, "internalId": post.internal_id}}})
        return json_answer(request, wire.post_page(self.world, post))

    async def metadata(self, request: Request) -> Response:
        """A post whose owner hides its counters has none to give."""
        post = self._post(request)
        if post is None or post.counters == "hidden":
            return await self.unknown(request)
        route = "script" if request.url.path.startswith(PULSE) else "metadata"
        counters = self.world.peek(post) if request.method == "HEAD" else self.world.visit(post, route)
        return json_answer(request, wire.post_page_metadata(self.world, post, counters))

    def _window(self, request: Request) -> tuple[int, int]:
        page, size = _integer(request, "page", 1, 10_000), _integer(request, "pageSize", 20, 100)
        if page < 1 or size < 1:
            raise BadRequestError("page and pageSize begin at 1")
        return page, size

    async def feed_page(self, request: Request) -> Response:
        """A page of the list of posts."""
        page, size = self._window(request)
        answer = pages.feed_page(self.world, self.world.live(), page, size)
        if request.query_params.get("includeContent") == "true":
            visible = answer["postFeedPage"]["posts"]
            selected = self.world.live()[(page - 1) * size : page * size]
            visible["posts"] = [wire.post_object(post, self.world.base) for post in selected]
        return json_answer(request, answer)

    async def feed_metadata(self, request: Request) -> Response:
        """The counters of a page of posts: one visit for each."""
        page, size = self._window(request)
        visible = self.world.live()[(page - 1) * size : page * size]
        count = self.world.peek if request.method == "HEAD" else lambda post: self.world.visit(post, "feed-metadata")
        metrics = {post.post_id: wire.metrics(count(post)) for post in visible if post.counters != "hidden"}
        answer = {"postFeedMetadataPage": {"id": str(page), "postMetrics": metrics, "postLikes": {}}}
        return json_answer(request, answer)

    # ---- comments

    def _sorted(self, comments: list[Comment], order: str, marked_first: bool) -> list[Comment]:
        made = sorted(comments, key=lambda comment: comment.posted, reverse=order != "OLDEST_FIRST")
        if order == "REACTION_COUNT":
            made.sort(key=lambda comment: comment.likes, reverse=True)
        if marked_first:
            made.sort(key=lambda comment: not comment.marked)
        return made

    def _cursor(self, post: Post, top: str, order: str, after: Comment, at: int) -> str:
        return self.signer.sign({"r": post.internal_id, "t": top, "o": order, "a": after.id, "n": at})

    def _page(self, post: Post, top: str, order: str, start: int, limit: int) -> tuple[list[Comment], Json]:
        """Comments of one level from a place on, and where to go on."""
        level = [comment for comment in post.public_comments() if comment.top == top]
        ordered = self._sorted(level, order, marked_first=not top)
        visible = ordered[start : start + limit]
        more = start + limit < len(ordered)
        cursors = {}
        if more:
            anchor = visible[-1] if visible else ordered[start]
            cursors["next"] = self._cursor(post, top, order, anchor, start + limit)
        return visible, {"count": len(visible), "hasNext": more, "cursors": cursors}

    def _resume(self, post: Post, cursor: str) -> tuple[str, str, int]:
        """Level, order and place of a cursor. A comment added meanwhile does not shift the place."""
        value = self.signer.read(cursor)
        if not isinstance(value, dict) or value.get("r") != post.internal_id:
            raise BadRequestError("cursor is not valid")
        top, order, place = value["t"], value["o"], value["n"]
        level = [comment for comment in post.public_comments() if comment.top == top]
        known = [comment.id for comment in self._sorted(level, order, marked_first=not top)]
        if place and value["a"] in known:
            place = known.index(value["a"]) + 1
        return top, order, place

    async def comments(self, request: Request) -> Response:
        """Top comments of a resource with their first replies, or the continuation a cursor names."""
        ask = request.query_params
        resource = ask.get("resourceId", "")
        if ask.get("appId") != BLOG_APP or not resource or ask.get("contextId") != resource:
            raise BadRequestError("appId, contextId and resourceId are required")
        limit = _integer(request, "cursorPaging.limit", 10, 100)
        replies_limit = _integer(request, "cursorPaging.repliesLimit", 0, 100)
        order = ask.get("commentSort.order", "NEWEST_FIRST")
        if order not in _ORDERS or limit < 1:
            raise BadRequestError("commentSort.order or cursorPaging.limit is not valid")
        post = self.world.find_internal(resource)
        if post is None or post.counters == "views-only":
            empty = {"count": 0, "hasNext": False, "cursors": {}}
            return json_answer(request, {"comments": [], "pagingMetadata": empty, "commentReplies": {}})
        top, start = "", 0
        if ask.get("cursorPaging.cursor"):
            top, order, start = self._resume(post, ask["cursorPaging.cursor"])
        visible, paging = self._page(post, top, order, start, limit)
        replies = {}
        if not top:
            for comment in visible:
                first, seam = self._replies(post, comment, replies_limit)
                if first or seam["hasNext"]:
                    found = [wire.comment_object(post, reply) for reply in first]
                    replies[comment.id] = {"replies": found, "pagingMetadata": seam}
        found = [wire.comment_object(post, comment) for comment in visible]
        return json_answer(request, {"comments": found, "pagingMetadata": paging, "commentReplies": replies})

    def _replies(self, post: Post, comment: Comment, limit: int) -> tuple[list[Comment], Json]:
        """Replies are oldest first, whatever the order of the top comments."""
        return self._page(post, comment.id, "OLDEST_FIRST", 0, limit)

    async def members(self, request: Request) -> Response:
        """The public profiles behind member ids."""
        try:
            body = await request.json()
            wanted = body["query"]["filter"]["id"]
            ids = (
                list(wanted["$in"])
                if isinstance(wanted, dict) and "$in" in wanted
                else [wanted["$eq"] if isinstance(wanted, dict) else wanted]
            )
        except (ValueError, KeyError, TypeError) as problem:
            raise BadRequestError("query.filter.id is required") from problem
        known = {person.person_id: person for person in compose.people().values() if person.kind != "guest"}
        found = [wire.member_object(known[each]) for each in ids if isinstance(each, str) and each in known]
        meta = {"count": len(found), "offset": 0, "total": len(found)}
        return json_answer(request, {"members": found, "metadata": meta})
