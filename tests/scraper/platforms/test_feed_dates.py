"""Dates of feeds, in the forms and zones that servers write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.feeds import read_feed
from scraper.items import Exchange
from scraper.platforms._dates import feed_date

TEN = "2024-03-01T10:00:00Z"


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("Fri, 01 Mar 2024 10:00:00 GMT", TEN), ("Fri, 01 Mar 2024 10:00:00 Z", TEN), ("1 Mar 24 10:00 UT", TEN),
        ("Fri, 1 March 2024 10:00:00 UTC", TEN), ("Fri, 01 Mar 2024 12:00:00 CEST", TEN),
        ("Fri, 01 Mar 2024 11:00:00 CET", TEN), ("Fri, 01 Mar 2024 12:00:00 +0200", TEN),
        ("Fri, 01 Mar 2024 12:00:00 +02:00", TEN), ("Fri, 01 Mar 2024 12:00:00 GMT+2", TEN),
        ("Fri, 01 Mar 2024 12:00:00 UTC+02:00", TEN), ("Fri, 01 Mar 2024 04:30:00 UTC-0530", TEN),
        ("Fri, 01 Mar 2024 05:00:00 EST", TEN), ("Fri, 01 Mar 2024 02:00:00 PST", TEN),
        ("Fri, 01 Mar 2024 19:00:00 JST", TEN), ("Fri, 01 Mar 2024 20:30:00 ACDT", TEN),
        ("Fri, 01 Mar 2024 10:00:00 -0000", TEN), ("Fri, 01 Mar 2024 10:00:00 GMT (Greenwich Mean Time)", TEN),
        ("Fri Mar 01 12:00:00 CEST 2024", TEN), ("Fri Mar  1 12:00:00 +0200 2024", TEN),
        ("2024-03-01 12:00:00 CEST", TEN), ("2024-03-01T12:00:00+02:00", TEN), ("2024-03-01T10:00:00.5Z", TEN),
        ("Fri, 01 Mar 2024 10:00:00 AM GMT", TEN), ("Fri, 01 Mar 2024 10:00:00 p.m. +1200", TEN),
        ("Fri, 01 Mar 2024 22:00:00 PM GMT", "2024-03-01T22:00:00Z"),
        ("Fri, 01 Mar 2024 10:00:00 PM GMT", "2024-03-01T22:00:00Z"),
        ("Fri, 01 Mar 2024 12:05:00 AM GMT", "2024-03-01T00:05:00Z"),
        ("Fri, 01 Mar 2024 12:05:00 PM GMT", "2024-03-01T12:05:00Z"),
        ("Sat, 31 Dec 1994 23:00:00 PST", "1995-01-01T07:00:00Z"), ("31 Dec 94 23:00 PST", "1995-01-01T07:00:00Z"),
    ],
)  # fmt: skip
def test_a_moment(printed: str, expected: str) -> None:
    assert feed_date(printed) == expected


@pytest.mark.parametrize(
    "printed",
    [
        "Fri, 01 Mar 2024 10:00:00", "Fri, 01 Mar 2024 10:00:00 PM", "01 Mar 2024", "1 March 2024", "2024-03-01",
        "2024-03-01T10:00:00", "2024-03-01 10:00:00 PM", "Fri Mar 1 10:00:00 2024", "01-Mar-2024 10:00",
    ],
)  # fmt: skip
def test_a_time_without_a_zone_is_its_day(printed: str) -> None:
    assert feed_date(printed) == "2024-03-01"


@pytest.mark.parametrize(
    "printed",
    [
        None, "", "00", "2024", "soon", "03/01/2024", "Fri, 01 Mar 2024 10:00:00 BST", "Fri, 01 Mar 2024 10:00:00 IST",
        "Fri, 01 Mar 2024 10:00:00 A", "Fri, 01 Mar 2024 10:00:00 XYZT", "Fri, 01 Mar 2024 10:00:00 Europe/Berlin",
        "Fri, 01 Mar 2024 10:00:00 +9999", "Fri, 01 Mar 2024 13:00:00 AM GMT", "Fri, 01 Mar 2024 24:00:00 GMT",
        "Fri, 30 Feb 2024 10:00:00 GMT", "Fri, 01 Abc 2024 10:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 1970 01:00:00 CET", "0001-01-01T00:00:00Z",
        "2024-13-01 10:00 CET", "Fri, 01 Mar 2024 10:00:00 PM PM", "1" * 200,
    ],
)  # fmt: skip
def test_what_is_not_sure_is_none(printed: str | None) -> None:
    assert feed_date(printed) is None


@given(st.integers(800_000_000, 2_200_000_000), st.integers(-14 * 60, 14 * 60))
def test_what_a_server_formats_reads_back(seconds: int, minutes: int) -> None:
    local = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes)))
    expected = local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert feed_date(format_datetime(local)) == feed_date(local.isoformat()) == expected


@given(st.text("0123456789:,+- AMPJanFebCESTGZ/()", max_size=40))
def test_any_text_is_a_date_or_none(printed: str) -> None:
    found = feed_date(printed)
    assert found is None or datetime.fromisoformat(found)


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<pubDate>Fri, 01 Mar 2024 12:00:00 CEST</pubDate>", TEN),
        ("<pubDate>Fri, 01 Mar 2024 10:00:00 PM</pubDate>", "2024-03-01"),
        ("<pubDate>Fri, 01 Mar 2024 10:00:00 BST</pubDate>", None),
        ("<pubDate>0001-01-01T00:00:00Z</pubDate>", None),
        ("", None),
    ],
)
def test_of_an_item(inside: str, expected: str | None) -> None:
    item = f"<item><title>Tea</title><link>https://a.example/post/a</link>{inside}</item>"
    body = f'<rss version="2.0"><channel>{item}</channel></rss>'.encode()
    (sighting,) = read_feed(Exchange(url="https://a.example/blog-feed.xml", body=body)).sightings
    assert sighting.published_at == expected
