"""One pace for a host, however many clinics have their blogs there."""

from __future__ import annotations

import pytest

from scraper.spiders import _throttle
from scraper.spiders._throttle import next_turn


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
