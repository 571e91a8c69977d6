"""No spelling of a private address gets past the guards: those of plain requests, and the browser's connector."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlsplit

import pytest
from scrapy.http import Request

from scraper.addresses import canonical_url, is_private_host, refuse_private
from scraper.browser._connector import Connector, ProxyRefused
from tests.spellings import ESCAPED, LEVELLED, NAMES, NEIGHBOURS, NUMBERS, SIX

FORBIDDEN = (*NUMBERS, *NEIGHBOURS, *SIX, *LEVELLED, *NAMES)


def asked_host(host: str) -> str:
    """What is left to look up or connect to when Scrapy has made a request of it."""
    return urlsplit(Request(f"http://{host}:8000/x").url).hostname or ""


@pytest.mark.parametrize("host", FORBIDDEN)
def test_it_is_private_by_its_spelling(host: str) -> None:
    assert is_private_host(asked_host(host))


@pytest.mark.parametrize("host", FORBIDDEN)
def test_the_canonical_spelling_is_as_private(host: str) -> None:
    """A link is stored and asked for in this spelling."""
    assert is_private_host(urlsplit(canonical_url(f"http://{host}:8000/x")).hostname or "")


@pytest.mark.parametrize("host", ESCAPED)
def test_what_is_no_address_has_none(host: str) -> None:
    """The system's resolver does not undo escapes; if one did, what it gives would still be looked at."""
    try:
        found = socket.gethostbyname(asked_host(host))
    except (OSError, UnicodeError):
        return
    assert refuse_private(found)


@pytest.mark.parametrize("host", [*FORBIDDEN, *ESCAPED])
def test_the_browsers_connector_refuses_it(host: str) -> None:
    connector = Connector(seconds=5)
    with pytest.raises(ProxyRefused):
        asyncio.run(connector.connect(asked_host(host), 9))
    assert connector.peers == {}


@pytest.mark.parametrize("ip", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "fd00:ec2::254"])
def test_a_name_with_one_private_address_among_its_own_is_refused(ip: str) -> None:
    """Such as the names below nip.io, which are whatever address they are spelled as."""

    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.216.34", ip]

    connector = Connector(resolve=resolve)
    with pytest.raises(ProxyRefused) as refused:
        asyncio.run(connector.connect(f"{ip.replace(':', '-')}.nip.io", 80))
    assert refused.value.status == 403


@pytest.mark.parametrize("ip", ["8.8.8.8", "93.184.216.34", "64:ff9b:1::8.8.8.8", "2606:4700::1111", "2002:808:808::"])
def test_public_addresses_pass(ip: str) -> None:
    assert refuse_private(ip) is None
