"""One pace for a host, however many clinics have their blogs there."""

from __future__ import annotations

import pytest

from scraper.spiders import _throttle
from scraper.spiders._throttle import LONGEST_HOLD, PROVIDER_INTERVAL, hold, next_turn


@pytest.fixture(autouse=True)
def _no_requests_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_throttle, "_free_at", {})


def test_visits_of_one_host_take_turns() -> None:
    turns = [next_turn(f"https://blogs.example/clinic-{number}/", 2.0, 100.0) for number in range(4)]
    assert turns == [100.0, 102.0, 104.0, 106.0]
    assert next_turn("https://blogs.example:8443/other", 5.0, 103.0) == 108.0
    assert next_turn("https://BLOGS.example/clinic-1/post", 2.0, 103.0) == 113.0


def test_another_host_does_not_wait() -> None:
    next_turn("https://blogs.example/", 30.0, 100.0)
    assert next_turn("https://clinic.example/", 2.0, 100.5) == 100.5


def test_a_host_that_was_left_alone_is_free() -> None:
    next_turn("https://blogs.example/", 2.0, 100.0)
    assert next_turn("https://blogs.example/", 2.0, 500.0) == 500.0


def test_clinics_of_a_provider_take_turns_though_their_hosts_differ() -> None:
    turns = [next_turn(f"https://clinic-{number}.example/", 2.0, 100.0, "wix") for number in range(3)]
    assert turns == pytest.approx([100.0, 100.0 + PROVIDER_INTERVAL, 100.0 + 2 * PROVIDER_INTERVAL])
    assert next_turn("https://other.example/", 2.0, 100.0, "squarespace") == 100.0


def test_a_busy_provider_is_left_alone_by_all_its_clinics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_throttle, "monotonic", lambda: 100.0)
    hold("wix", 30.0)
    assert next_turn("https://clinic.example/", 2.0, 100.0, "wix") == 130.0
    hold("squarespace", 10_000.0)
    assert next_turn("https://other.example/", 2.0, 100.0, "squarespace") == 100.0 + LONGEST_HOLD


def test_each_port_of_this_machine_is_a_server_of_its_own() -> None:
    assert [next_turn(f"http://127.0.0.1:{port}/", 2.0, 100.0, "wix") for port in (8001, 8002)] == [100.0, 100.0]
    assert next_turn("http://127.0.0.1:8001/post", 2.0, 100.0, "wix") == 102.0
