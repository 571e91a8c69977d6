"""The spider of a backfill: it visits a web archive instead of the clinic, under the same politeness rules."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from scrapy.http import Response

from scraper.addresses import is_loopback_host
from scraper.config.clinics import DELAY, Clinic
from scraper.http import exchange_of, origin_of
from scraper.items import Exchange, Item
from scraper.platforms import recognise_alone
from scraper.platforms._platform import Plan, Platform
from scraper.spiders._clinic import ClinicSpider
from scraper.spiders._driver import RETRIED
from scraper.web_archive.backfill import Backfill, plan
from scraper.web_archive.memento import Header, memento_of, own_answer


class WaybackSpider(ClinicSpider):
    """Started by `clinic-archive backfill`."""

    name = "wayback"
    kind = "backfill"

    def __init__(self, clinic: Clinic, backfill: Backfill, **kwargs: Any) -> None:
        super().__init__(clinic, **kwargs)
        self.backfill = backfill
        self.web_archive = backfill.base

    def plan(self) -> Plan:
        """Return the plan of the backfill."""
        return plan(self.backfill, self.visit)

    @property
    def floor(self) -> float:
        """Minimum politeness delay to the web archive, in seconds."""
        setting = self.settings["DELAY"]
        if setting is not None:
            return float(setting)
        own = self.clinic.delay if self.clinic.delay is not None else DELAY
        return 0.0 if is_loopback_host(urlsplit(self.backfill.base).hostname or "") else max(own, DELAY)

    def exchange(self, response: Response) -> Exchange:
        """Return a memento as the clinic answered at that time; any other response as served."""
        exchange = exchange_of(response)
        memento = memento_of(exchange, header_of(response), self.backfill.base)
        return memento.exchange if memento else exchange

    def on_response(self, response: Response, exchange: Exchange) -> tuple[Item, ...]:
        """Return the items of a memento; for an answer by the web archive itself, its problem."""
        if self._is_own(exchange):
            return own_answer(exchange, header_of(response))
        return super().on_response(response, exchange)

    def platform_for(self, exchange: Exchange) -> Platform | None:
        """Return the platform of the capture itself: the site may have run on another one at that time."""
        return recognise_alone(exchange, self.backfill.platform)

    def leads_on(self, exchange: Exchange) -> str | None:
        """Return where the web archive itself redirects, to its nearest capture; an archived redirect is a capture."""
        target = exchange.location if self._is_own(exchange) and 300 <= exchange.status < 400 else None
        return target if target and origin_of(target) == origin_of(self.backfill.base) else None

    def is_busy(self, exchange: Exchange) -> bool:
        """Return whether the web archive is busy; an archived answer of a busy clinic is a capture."""
        return self._is_own(exchange) and exchange.status in RETRIED

    def _is_own(self, exchange: Exchange) -> bool:
        return exchange.url.startswith(self.backfill.base + "/")


def header_of(response: Response) -> Header:
    """Return a function that gives the value of a response header by its name, or None."""

    def header(name: str) -> str | None:
        value = response.headers.get(name)
        return value.decode("latin-1") if value is not None else None

    return header
