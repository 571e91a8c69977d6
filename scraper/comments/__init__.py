"""The comment services: one file a service, found by importing every file of this folder; there is no list to edit."""

from __future__ import annotations

import logging
from functools import cache

from scraper.comments._service import CommentService
from scraper.items import Exchange
from scraper.platforms._readers import readers_in

logger = logging.getLogger(__name__)


@cache
def services() -> tuple[CommentService, ...]:
    """Return one instance of every comment service in this folder, by name."""
    found: list[CommentService] = readers_in(__name__, __path__, CommentService)
    return tuple(sorted(found, key=lambda service: service.name))


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
