"""Security headers on every answer: a browser runs no script and loads nothing from another site."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import handle_exception as error_handling  # type: ignore[import-untyped]
from datasette import hookimpl
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import NotFound, Request, Response  # type: ignore[import-untyped]

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
OURS = {name for name, _ in HEADERS}
# Answers are about one archive at one moment, and hold comments by private persons: nobody between may store them.
CACHE = (b"cache-control", b"private, no-cache")
# Datasette's pages for its developers: they contain scripts and forms that this site does not need, or paths of files.
CLOSED = r"/-/(?:patterns|messages|permissions|allow-debug|logout|auth-token|threads|databases)(?:\.\w+)?$"


# If rich is installed, Datasette prints a page of local variables for each address that does not exist. Without rich
# an error in our code still prints its traceback.
error_handling.rich = None


@hookimpl(trylast=True)  # type: ignore[untyped-decorator]
def asgi_wrapper(datasette: Datasette) -> Callable[[Any], Any]:
    """Add the headers to every answer."""

    def wrap(app: Any) -> Callable[[Any, Any, Any], Awaitable[None]]:
        async def with_policy(scope: Any, receive: Any, send: Any) -> None:
            async def send_with_headers(message: Any) -> None:
                if message["type"] == "http.response.start":
                    others = [pair for pair in message.get("headers", []) if bytes(pair[0]).lower() not in OURS]
                    if b"no-store" not in [bytes(value) for name, value in others if bytes(name).lower() == CACHE[0]]:
                        others = [*(pair for pair in others if bytes(pair[0]).lower() != CACHE[0]), CACHE]
                    message = {**message, "headers": [*others, *HEADERS]}
                await send(message)

            await app(scope, receive, send_with_headers)

        return with_policy

    return wrap


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Return the routes of the closed pages and of robots.txt."""
    return [(CLOSED, closed), (r"/robots\.txt$", robots)]


async def robots() -> Response:
    """Answer that no robot may read anything: comments by private persons do not belong into search engines."""
    return Response.text("User-agent: *\nDisallow: /\n")


async def closed(request: Request) -> None:
    """Answer 404 for a closed page."""
    raise NotFound(f"{request.path} is not part of this site")
