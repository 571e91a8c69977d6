"""How each comment service is read: one file a service, found by walking this folder, no list to edit."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from scraper.comments._service import CommentService


@cache
def services() -> tuple[CommentService, ...]:
    """One instance of every comment service in this folder, by name. Files that begin with `_` are machinery."""
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            import_module(f"{__name__}.{module.name}")
    return tuple(sorted((cls() for cls in CommentService.__subclasses__()), key=lambda service: service.name))


def service_of(url: str) -> CommentService | None:
    """The comment service whose machine interface the address is; None for any other address."""
    return next((service for service in services() if service.is_api_url(url)), None)
