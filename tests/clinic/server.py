"""The web server: which address answers with what, and in what state of mind (faults, redirects, not found)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote, unquote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from . import chrome, compose, feeds, pages, script, truth
from .api import Api, BadRequestError
from .delivery import Body, html_answer, text_answer, unchanged
from .model import Post
from .wire import label_slug
from .world import RefusedError, World

_XML = "application/xml; charset=utf-8"
_GHOST = "robots"
_KEPT = 120


class _Faults:
    """Answers the paths a test has broken before anything else sees them."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self.app = app
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self.world.fault(scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            await self.app(scope, receive, send)
            return
        headers = {"server": "Pepyaka"}
        if fault.retry_after is not None:
            headers["retry-after"] = str(fault.retry_after)
        await Response("upstream trouble", fault.status, headers)(scope, receive, send)


class Site:
    """The pages for people and crawlers."""

    def __init__(self, world: World, api: bool) -> None:
        self.world = world
        self.api = api
        self._cache: dict[tuple[str, str], Body] = {}
        self._version = -1

    def routes(self) -> list[Route]:
        """Every address of the site; the last one catches the rest."""
        made = [
            Route("/", self._page("home", lambda: pages.home_document(self.world))),
            Route("/robots.txt", self._text("text/plain", lambda: feeds.robots(self.world.base))),
            Route("/sitemap.xml", self._text(_XML, lambda: feeds.sitemap_index(self.world))),
            Route("/blog-posts-sitemap.xml", self._text(_XML, lambda: feeds.posts_sitemap(self.world))),
            Route("/blog-categories-sitemap.xml", self._text(_XML, lambda: feeds.categories_sitemap(self.world))),
            Route("/pages-sitemap.xml", self._text(_XML, lambda: feeds.pages_sitemap(self.world))),
            Route("/blog-feed.xml", self._text(_XML, lambda: feeds.rss(self.world, pages.utc_now()))),
            Route("/static/blog-viewer.js", self._text("application/javascript", lambda: script.source(self.api))),
            Route("/blog", self.blog),
            Route("/blog/page/{page:int}", self.blog),
            Route("/blog/categories/{label}", self.labelled),
            Route("/blog/categories/{label}/page/{page:int}", self.labelled),
            Route("/blog/tags/{label}", self.labelled),
            Route("/blog/tags/{label}/page/{page:int}", self.labelled),
            Route("/post/{slug:path}", self.post),
            Route("/profile/{member}/profile", self.profile),
            Route("/__truth__", self.truth),
            Route("/__control__", self.control, methods=["POST"]),
        ]
        for title, path in chrome.MENU:
            if path not in ("/", "/blog"):
                made.append(Route(path, self._page(path, partial(pages.plain_document, self.world, path, title))))
        return [*made, Route("/{rest:path}", self.missing)]

    def _body(self, kind: str, key: str, make: Callable[[], str]) -> Body:
        """A body that stays the same until something is changed. Printed relative dates are part of the key."""
        if self._version != self.world.version:
            self._cache.clear()
            self._version = self.world.version
        if (kind, key) not in self._cache:
            if len(self._cache) >= _KEPT:
                self._cache.pop(next(iter(self._cache)))
            self._cache[kind, key] = Body(make().encode())
        return self._cache[kind, key]

    def _page(self, name: str, make: Callable[[], str]) -> Callable[[Request], Awaitable[Response]]:
        async def page(request: Request) -> Response:
            return html_answer(request, self._body("page", name, make))

        return page

    def _text(self, media_type: str, make: Callable[[], str]) -> Callable[[Request], Awaitable[Response]]:
        async def text(request: Request) -> Response:
            return text_answer(request, make(), media_type)

        return text

    async def profile(self, request: Request) -> Response:
        """Staff have a page of their own; other people's profiles are not public."""
        for person in compose.people().values():
            if person.kind == "staff" and person.slug == request.path_params["member"]:
                path = f"/profile/{person.slug}/profile"
                make = partial(pages.plain_document, self.world, path, person.name)
                return html_answer(request, self._body("page", path, make))
        return await self.missing(request)

    async def missing(self, request: Request) -> Response:
        """The not-found page; one odd spelling gets it with status 200."""
        path = quote(request.url.path)
        body = Body(pages.not_found_document(self.world, path).encode())
        return html_answer(request, body, 200 if path == f"/post/{_GHOST}" else 404)

    def _dates(self, posts: list[Post], now: datetime) -> str:
        return "|".join("/".join(pages.printed(post, now)) for post in posts)

    async def _listing(self, request: Request, posts: list[Post], where: str, title: str) -> Response:
        page = request.path_params.get("page", 1)
        now = pages.utc_now()
        visible = posts[(page - 1) * pages.PAGE_SIZE : page * pages.PAGE_SIZE]
        if not visible:
            return await self.missing(request)
        key = f"{where} {page} {self._dates(visible, now)}"
        body = self._body("list", key, lambda: pages.list_document(self.world, posts, where, title, page, now) or "")
        return html_answer(request, body)

    async def blog(self, request: Request) -> Response:
        """The main listing."""
        return await self._listing(request, self.world.live(), "/blog", "Blog")

    async def labelled(self, request: Request) -> Response:
        """The listing of a category or tag."""
        kind = request.url.path.split("/")[2]
        wanted = unquote(request.path_params["label"])
        for label, posts in self.world.labels(kind).items():
            if label_slug(label) == wanted:
                return await self._listing(request, posts, f"/blog/{kind}/{quote(wanted)}", label)
        return await self.missing(request)

    async def post(self, request: Request) -> Response:
        """A post's page, or the redirect from its former address."""
        slug = unquote(request.path_params["slug"])
        post = self.world.find(slug)
        if post is None:
            moved = self.world.renamed(slug)
            if moved is None:
                return await self.missing(request)
            target = self.world.base + quote(moved.path)
            return Response(status_code=301, headers={"location": target, "server": "Pepyaka"})
        if post.generation == 2:
            return html_answer(request, self._still(post))
        return self._counting(request, post)

    def _still(self, post: Post) -> Body:
        """A page without numbers: the same bytes at every visit, but for the one page that carries a render id."""
        now = pages.utc_now()

        def make() -> str:
            return pages.post_document(self.world, post, self.world.peek(post), now)

        if "render-id" in post.flags:
            return Body(make().encode())
        return self._body("post", f"{post.post_id} {self._dates([post], now)}", make)

    def _counting(self, request: Request, post: Post) -> Response:
        """A page with numbers: a visit is counted only when its body really goes out."""
        counters = self.world.peek(post)
        body = Body(pages.post_document(self.world, post, counters, pages.utc_now()).encode())
        served = request.method == "GET" and not unchanged(request, body.tag)
        if served and (post.counters != "hidden"):
            self.world.visit(post, "html")
        return html_answer(request, body)

    async def truth(self, request: Request) -> Response:
        """The truth, for tests."""
        return JSONResponse(truth.truth(self.world, pages.utc_now()))

    async def control(self, request: Request) -> Response:
        """A change, for tests."""
        try:
            return JSONResponse(self.world.control(await request.json()))
        except (RefusedError, KeyError, ValueError, StopIteration) as problem:
            return JSONResponse({"ok": False, "problem": str(problem)}, 400)


async def _bad_request(request: Request, problem: Exception) -> Response:
    return JSONResponse({"message": str(problem), "details": {}}, 400)


def application(state: Path, base: str, api: bool) -> Starlette:
    """The whole clinic as an ASGI application."""
    world = World(state, base)
    routes = [*Api(world, api).routes(), *Site(world, api).routes()]
    return Starlette(
        routes=routes,
        middleware=[Middleware(_Faults, world=world)],
        exception_handlers={BadRequestError: _bad_request},
    )
