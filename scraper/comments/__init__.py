"""The comment services: one file a service, found by importing every file of this folder; there is no list to edit."""

from __future__ import annotations

import logging
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from scraper.comments._service import CommentService
from scraper.items import Exchange

logger = logging.getLogger(__name__)


@cache
def services() -> tuple[CommentService, ...]:
    """Return one instance of every comment service in this folder, by name. Files that begin with `_` hold none."""
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            import_module(f"{__name__}.{module.name}")
    base: Any = CommentService  # abstract
    found = (cls() for cls in _subclasses(base) if cls.name)
    return tuple(sorted(found, key=lambda service: service.name))


def _subclasses(cls: type[CommentService]) -> Iterator[type[CommentService]]:
    for each in cls.__subclasses__():
        yield each
        yield from _subclasses(each)


def service_of(url: str) -> CommentService | None:
    """Return the comment service whose API has this address; None for any other address."""
    return next((service for service in services() if service.is_api_url(url)), None)


def threads_in(page: Exchange) -> dict[str, str]:
    """Return the threads that a post's page embeds, by the name of the comment service. Never raises.

    Those of services that are read come last.
    """
    threads: dict[str, str] = {}
    for service in sorted(services(), key=lambda service: service.is_read):
        try:
            thread = service.thread_of(page)
        except Exception:  # a fault of one service must not end the visit
            logger.exception("%s: the comment service %s failed to look for a thread", page.url, service.name)
            continue
        if thread is not None:
            threads[service.name] = thread
    return threads
