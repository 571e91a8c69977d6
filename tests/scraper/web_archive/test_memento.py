"""Answers of a web archive: which are mementos, whose and when; its lists, and what is worth asking for of them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scraper.crawl.state import VisitState
from scraper.http import redirect_target
from scraper.items import Exchange, Problem
from scraper.platforms._platform import Answer
from scraper.web_archive.backfill import Backfill, distinct_captures, plan
from scraper.web_archive.memento import INTERNET_ARCHIVE as BASE
from scraper.web_archive.memento import CdxEntry, Header, cdx_url, memento_of, memento_target, own_answer, read_cdx

RECORDED = Path(__file__).parents[4] / "shared" / "wayback-exchanges"
recorded_only = pytest.mark.skipif(not RECORDED.is_dir(), reason="../shared/wayback-exchanges is not here")
SITE = "https://www.riverside.example"


def exchanges(name: str) -> Iterator[tuple[str, Exchange, Header]]:
    """The recorded exchanges of a file: what was asked, what came, its headers."""
    for each in yaml.safe_load((RECORDED / name).read_text("utf-8"))["interactions"]:
        reported = {key.lower(): ", ".join(values) for key, values in each["response"]["headers"].items()}
        body = each["response"]["body"]["string"]
        body = body if isinstance(body, bytes) else body.encode()
        url = each["request"]["uri"]
        location = reported.get("location")
        yield url, Exchange(
            url=url, body=gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body,
            content_type=reported.get("content-type", ""), status=each["response"]["status"]["code"],
            location=redirect_target(url, location.encode() if location else None),
        ), lambda header, reported=reported: reported.get(header.lower())  # type: ignore[misc]  # fmt: skip


@recorded_only
def test_a_recorded_memento() -> None:
    ((_, exchange, header),) = exchanges("test_get_memento.yaml")
    memento = memento_of(exchange, header, BASE)
    assert memento is not None
    assert (memento.url, memento.at.isoformat()) == ("https://www.fws.gov/birds/", "2017-11-24T15:13:15+00:00")
    assert (memento.exchange.url, memento.exchange.fetched_at) == (memento.url, memento.at)
    assert memento.exchange.body == exchange.body


@recorded_only
def test_the_archives_redirects_are_none_and_archived_ones_are() -> None:
    found = list(exchanges("test_get_memento_follows_historical_redirects.yaml"))
    mementos = [memento_of(exchange, header, BASE) for _, exchange, header in found]
    assert [memento is not None for memento in mementos] == [False, True, False, True]
    assert mementos[1] is not None
    assert mementos[1].exchange.status == 301
    assert mementos[1].exchange.location == "https://www.epa.gov/sites/production/files/signpost/cc.html"
    assert [
        own_answer(exchange, header) for (_, exchange, header), item in zip(found, mementos, strict=True) if not item
    ] == [(), ()]


@recorded_only
def test_an_archived_refusal_is_a_capture() -> None:
    ((_, exchange, header),) = exchanges("test_get_memento_works_on_archived_rate_limit_responses.yaml")
    memento = memento_of(exchange, header, BASE)
    assert memento is not None and memento.exchange.status == 429


@recorded_only
def test_a_page_of_the_archives_own_is_none() -> None:
    ((_, exchange, header),) = exchanges("test_get_memento_raises_blocked_error.yaml")
    assert memento_of(exchange, header, BASE) is None
    (problem,) = own_answer(exchange, header)
    assert isinstance(problem, Problem) and problem.kind == "no-capture"


@recorded_only
def test_a_blocked_site() -> None:
    ((_, exchange, header),) = exchanges("test_search_raises_for_blocked_urls.yaml")
    (problem,) = own_answer(exchange, header)
    assert isinstance(problem, Problem) and problem.kind == "blocked-capture"


@recorded_only
@pytest.mark.parametrize("name", ["test_search_multipage.yaml", "test_search_with_date.yaml"])
def test_recorded_lists_lead_to_their_next_page(name: str) -> None:
    """Each list's key, given back as it came, is what the recorded client asked with next."""
    pages = list(exchanges(name))
    for (_, exchange, _), (following, _, _) in pairwise(pages):
        listed, resume = read_cdx(exchange.body)
        assert listed and resume
        assert urlsplit(cdx_url(BASE, "https://x.example", "2001", None, 25, resume)).query.endswith(
            following.partition("&resumeKey=")[2]
        )
    assert read_cdx(pages[-1][1].body)[1] is None


@recorded_only
def test_a_recorded_list() -> None:
    listed, resume = read_cdx(next(exchanges("test_search_multipage.yaml"))[1].body)
    assert listed[0] == CdxEntry("20010410213930", "http://www.cnn.com:80/", "200", "YTEQQRWKL47VHUWFV2NXX7XLEOHMNWZ6")
    assert (len(listed), resume) == (25, "com%2Ccnn%29%2F+2001041400593%3A")


def test_a_site_on_a_shared_host_is_asked_for_by_its_folder() -> None:
    requests = parse_qs(urlsplit(cdx_url(BASE, "https://ada.wixsite.com/clinic", "2019", "202012", 5, None)).query)
    assert (requests["url"], requests["matchType"], requests["to"]) == (
        ["ada.wixsite.com/clinic/"],
        ["prefix"],
        ["202012"],
    )
    assert parse_qs(urlsplit(cdx_url(BASE, SITE, "2019", None, 5, None)).query)["matchType"] == ["host"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{BASE}/web/20171124151315id_/https://a.example/post/b?x=1", ("20171124151315", "https://a.example/post/b?x=1")),
        (f"{BASE}/web/2017/https://a.example/", ("2017", "https://a.example/")),
        (f"{BASE}/web/sometime/https://a.example/", None), (f"{BASE}/cdx/search/cdx?url=a", None),
        ("https://elsewhere.example/web/20171124151315id_/https://a.example/", None),
        (f"{BASE}.evil.example/web/20171124151315id_/https://a.example/", None),
    ],
)  # fmt: skip
def test_addresses(url: str, expected: tuple[str, str] | None) -> None:
    assert memento_target(url, BASE) == expected


@given(st.binary(max_size=300))
def test_any_list_is_read(body: bytes) -> None:
    listed, _ = read_cdx(body)
    assert all(len(item.timestamp) == 14 for item in listed)


@pytest.mark.parametrize("date", ["yesterday", "", "Fri, 99 Nov 2017 15:13:15 GMT"])
def test_a_memento_without_a_readable_date_has_that_of_its_address(date: str) -> None:
    exchange = Exchange(url=f"{BASE}/web/20171124151315id_/{SITE}/post/a", body=b"")
    reported: dict[str, str] = {"Memento-Datetime": date}
    memento = memento_of(exchange, reported.get, BASE)
    assert memento is not None and memento.at.isoformat() == "2017-11-24T15:13:15+00:00"
    short = Exchange(url=f"{BASE}/web/2017id_/{SITE}/post/a", body=b"")
    assert memento_of(short, reported.get, BASE) is None


def listed(stamp: int, digest: str, slug: str = "a", status: str = "200") -> CdxEntry:
    return CdxEntry(f"2019010100{stamp:04}", f"{SITE}/post/{slug}", status, digest)


def test_changed_and_changed_back_is_three_texts() -> None:
    texts = [listed(1, "A"), listed(2, "A"), listed(3, "B"), listed(4, "A"), listed(5, "A", "b")]
    assert [item.timestamp[-1] for item in distinct_captures(texts)] == ["1", "3", "4", "5"]


def ask(wanted: Backfill, *answers: Any) -> tuple[list[str], VisitState]:
    """The addresses that a plan asks for, given (status, body or as-if URL) for each."""
    visit, requests = VisitState(clinic_id="riverside"), []
    steps = plan(wanted, visit)
    try:
        question = next(steps)
        for status, url, body in answers:
            requests.append(question.url)
            question = steps.send(Answer(ask=question, exchange=Exchange(url=url, body=body, status=status)))
    except StopIteration:
        pass
    return requests, visit


LIST = "\n".join(
    [
        f"k 20190101000001 {SITE}/post/a text/html 200 A 1", f"k 20190101000002 {SITE}/about text/html 200 B 1",
        "k 20190101000003 https://other.example/post/a text/html 200 C 1",
        f"k 20190101000004 {SITE}/post/b text/html 503 D 1",
        f"k 20190101000005 {SITE}/post/a text/html 404 E 1", "nonsense",
    ]
).encode()  # fmt: skip


def test_only_posts_of_the_site_are_asked_for() -> None:
    wanted = Backfill(base=BASE, site=SITE, first="2019")
    requests, visit = ask(wanted, (200, "", LIST), (200, f"{SITE}/post/a", b""), (404, f"{SITE}/post/a", b""))
    assert requests[1:] == [f"{BASE}/web/2019010100000{n}id_/{SITE}/post/a" for n in (1, 5)]
    assert (visit.fetched, visit.failed, wanted.listed) == (2, 0, 2)


def test_a_list_that_leads_to_itself_ends() -> None:
    wanted = Backfill(base=BASE, site=SITE, first="2019")
    again = LIST + b"\n\nkey\n"
    requests, _ = ask(
        wanted, (200, "", again), (200, "", again), (200, f"{SITE}/post/a", b""), (404, f"{SITE}/post/a", b"")
    )
    assert ["cdx" in url for url in requests] == [True, True, False, False]


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 -0500", "soon", ""])
def test_a_date_beyond_the_calendar_is_none(date: str) -> None:
    exchange = Exchange(url=f"{BASE}/web/2017id_/https://a.example/", body=b"")
    assert memento_of(exchange, {"Memento-Datetime": date}.get, BASE) is None
