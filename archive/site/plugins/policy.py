"""What a browser may do with a page of this site: show it. No script runs, nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import handle_exception as faults  # type: ignore[import-untyped]
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
# Pages for whoever develops Datasette: they hold scripts of their own, and forms that nobody needs here.
CLOSED = r"/-/(?:patterns|messages|permissions|allow-debug|logout|auth-token)$"


# Where rich is installed, Datasette prints a page of local variables for each address that is not there; a fault of
# ours still prints its traceback.
faults.rich = None


@hookimpl(trylast=True)  # type: ignore[untyped-decorator]
def asgi_wrapper(datasette: Datasette) -> Callable[[Any], Any]:
    """Headers on every answer."""

    def wrap(app: Any) -> Callable[[Any, Any, Any], Awaitable[None]]:
        async def with_policy(scope: Any, receive: Any, send: Any) -> None:
            async def sending(message: Any) -> None:
                if message["type"] == "http.response.start":
                    others = [pair for pair in message.get("headers", []) if bytes(pair[0]).lower() not in OURS]
                    message = {**message, "headers": [*others, *HEADERS]}
                await send(message)

            await app(scope, receive, sending)

        return with_policy

    return wrap


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Pages that are closed, and what robots may read."""
    return [(CLOSED, closed), (r"/robots\.txt$", robots)]


async def robots() -> Response:
    """An archive of what private persons wrote is not for search engines, wherever it may come to stand."""
    return Response.text("User-agent: *\nDisallow: /\n")


async def closed(request: Request) -> None:
    """Nothing is here."""
    raise NotFound(f"{request.path} is not part of this site")
