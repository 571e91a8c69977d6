"""The spider of a backfill: it asks a web archive instead of the clinic, under the same manners."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from scrapy.http import Response

from scraper.addresses import is_loopback_host
from scraper.config.clinics import DELAY, Clinic
from scraper.crawl.backfill import Backfill, plan
from scraper.crawl.memento import Header, memento_of, own_answer
from scraper.http import exchange_of, origin_of
from scraper.items import Exchange, Item
from scraper.platforms import recognise_alone
from scraper.platforms._platform import Plan, Platform
from scraper.spiders._clinic import ClinicSpider
from scraper.spiders._driver import RETRIED


class WaybackSpider(ClinicSpider):
    """Started by `clinic-archive backfill`."""

    name = "wayback"
    kind = "backfill"

    def __init__(self, clinic: Clinic, wanted: Backfill, **kwargs: Any) -> None:
        super().__init__(clinic, **kwargs)
        self.wanted = wanted
        self.web_archive = wanted.base

    def plan(self) -> Plan:
        """The order of a backfill."""
        return plan(self.wanted, self.visit)

    @property
    def floor(self) -> float:
        """Seconds between two requests to the web archive."""
        asked = self.settings["DELAY"]
        if asked is not None:
            return float(asked)
        own = self.clinic.delay if self.clinic.delay is not None else DELAY
        return 0.0 if is_loopback_host(urlsplit(self.wanted.base).hostname or "") else max(own, DELAY)

    def exchange(self, response: Response) -> Exchange:
        """A memento as if the clinic had answered then; anything else as it came."""
        exchange = exchange_of(response)
        memento = memento_of(exchange, header_of(response), self.wanted.base)
        return memento.exchange if memento else exchange

    def on_response(self, response: Response, exchange: Exchange) -> tuple[Item, ...]:
        """The items of a memento; of the archive's own answers, what is wrong with them."""
        if self._is_own(exchange):
            return own_answer(exchange, header_of(response))
        return super().on_response(response, exchange)

    def platform_for(self, exchange: Exchange) -> Platform | None:
        """Each capture is recognised alone: the site may have run on another platform at the time."""
        return recognise_alone(exchange, self.wanted.platform)

    def leads_on(self, exchange: Exchange) -> str | None:
        """The archive's own redirects, to the nearest capture, are followed; those that it archived are captures."""
        target = exchange.location if self._is_own(exchange) and 300 <= exchange.status < 400 else None
        return target if target and origin_of(target) == origin_of(self.wanted.base) else None

    def is_busy(self, exchange: Exchange) -> bool:
        """The archive is; that the clinic was so once is a capture."""
        return self._is_own(exchange) and exchange.status in RETRIED

    def _is_own(self, exchange: Exchange) -> bool:
        return exchange.url.startswith(self.wanted.base + "/")


def header_of(response: Response) -> Header:
    """The headers of a response by name."""

    def header(name: str) -> str | None:
        value = response.headers.get(name)
        return value.decode("latin-1") if value is not None else None

    return header
