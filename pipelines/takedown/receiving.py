"""Removes what is purged from the answers that a crawl receives, before their digests are taken and they are recorded.

Everything later in the crawl sees the answer as it is recorded, so that a rebuild reads the same.
"""

from __future__ import annotations

from dataclasses import replace

from scrapy.http import Request, Response

from archive.warc.rewrite import headers_without_body
from pipelines.decoding import decoded
from pipelines.events import Withdrawn
from pipelines.run.visits import Visits
from pipelines.takedown.purge.blanking import NOTHING, Blanking, decodable_part
from pipelines.takedown.withheld import PURGE, Withheld, withheld_at
from scraper.http import exchange_of, fetch_of
from scraper.items import Exchange
from scraper.platforms import recognise_alone
from scraper.platforms._platform import Platform
from scraper.web_archive.memento import memento_of


class Receiving:
    """What is purged at the clinic of a crawl; it is looked up once."""

    def __init__(self) -> None:
        self._withheld: dict[str, Withheld | None] = {}
        self._recorded: set[Withdrawn] = set()

    def _at(self, run: Visits, clinic_id: str) -> Blanking | None:
        if clinic_id not in self._withheld:
            self._withheld[clinic_id] = withheld_at(run.db, run.archive, clinic_id, run.key, (PURGE,))
        held = self._withheld[clinic_id]
        return Blanking(clinic_id, run.key, held) if held is not None and held.is_any else None

    def left_of(self, run: Visits, clinic_id: str, exchange: Exchange, platform: Platform | None) -> bytes | None:
        """Return the new body of an exchange of which something is purged; None for any other. Raises `BadKey`."""
        return self._left_of(run, clinic_id, exchange, platform) if exchange.body else None

    def _left_of(
        self, run: Visits, clinic_id: str, exchange: Exchange, platform: Platform | None, part: bytes | None = b""
    ) -> bytes | None:
        blanking = self._at(run, clinic_id)
        if blanking is None:
            return None
        blanked, held = blanking.blanked(exchange, platform, part=part), self._withheld[clinic_id]
        for more in held.extended() if held is not None else ():
            # What is removed here is seen by no fold.
            if more not in self._recorded:
                run.record_unapplied(more, "crawl")
                self._recorded.add(more)
        return blanked.body if blanked is not None else None

    def response(self, run: Visits, clinic_id: str, request: Request, response: Response) -> Response | None:
        """Return the answer without what is purged; None where it holds nothing of it. Raises `BadKey`.

        The `Fetch` of an answer of which nothing is left says so.
        """
        if self._at(run, clinic_id) is None or not response.body:
            return None
        plain, fault = decoded(response.replace(request=request))  # Scrapy sets it later
        exchange, platform = replace(exchange_of(plain), fault=fault), run.outcomes[clinic_id].visit.recognised
        base = run.visit_at(clinic_id).web_archive
        if base is not None:
            memento = memento_of(exchange, lambda name: exchange.headers.get(name.lower()), base)
            exchange = memento.exchange if memento is not None else exchange
            platform = recognise_alone(exchange, platform)
        encoding = b", ".join(response.headers.getlist("Content-Encoding")).decode("latin-1")
        part = b"" if exchange.body else decodable_part(response.body, encoding)
        body = self._left_of(run, clinic_id, exchange, platform, part)
        if body is None:
            return None
        fetch = fetch_of(request)
        if fetch is not None:
            fetch.is_emptied = body == NOTHING
        pairs = [(name, value) for name, values in response.headers.items() for value in values]
        headers: dict[bytes, list[bytes]] = {}
        for name, value in headers_without_body(pairs, body):
            headers.setdefault(name, []).append(value)
        return response.replace(body=body, headers=headers)
