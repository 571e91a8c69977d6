"""What becomes of a message, without Redis: Dramatiq's own broker for tests."""

from __future__ import annotations

import pytest

from tests.cluster.setting import needs_extra

pytestmark = needs_extra
QUEUE = "shard-1-of-1"


class Visits:
    """Answers as it was told to; remembers what was wanted."""

    def __init__(self, *verdicts: str) -> None:
        self.verdicts, self.wanted = list(verdicts), list[tuple[str, bool]]()

    def ask(self, due: tuple[str, str], given_up: str | None = None) -> object:
        from pipelines.commands._visits import Verdict

        self.wanted.append((due[0], given_up is not None))
        return Verdict[self.verdicts.pop(0)]


class Leases:
    """Every clinic is free but "leased"."""

    def __init__(self) -> None:
        self.dropped: list[str] = []

    def take(self, slug: str) -> str | None:
        return "shard-2-of-2" if slug == "leased" else None

    def drop(self, slug: str) -> None:
        self.dropped.append(slug)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.cluster import worker

    monkeypatch.setattr(worker, "AGAIN", 0.001)
    monkeypatch.setattr(worker, "SOON", 0.001)


def delivered(visits: Visits, **fields: object) -> tuple[Visits, int]:
    """Deliver a message until nothing is left; also the number of leases that were dropped."""
    from dramatiq import Message, Worker
    from dramatiq.brokers.stub import StubBroker

    from pipelines.cluster.worker import Actor

    broker, leases = StubBroker(middleware=[]), Leases()
    Actor(broker, QUEUE, visits, leases)  # type: ignore[arg-type]
    worker = Worker(broker, worker_timeout=10, worker_threads=1)
    broker.enqueue(Message(QUEUE, "visit", (), fields, {}))
    worker.start()
    try:
        broker.join(QUEUE)
        worker.join()
    finally:
        worker.stop()
    return visits, len(leases.dropped)


def test_a_visit_that_ended_is_acknowledged() -> None:
    visits, dropped = delivered(Visits("DONE"), slug="hill", due="", version=1, attempt=1)
    assert (visits.wanted, dropped) == ([("hill", False)], 1)


def test_one_that_cannot_be_made_now_is_delivered_again() -> None:
    visits, dropped = delivered(Visits("LATER", "LATER", "DONE"), slug="hill", due="", version=1, attempt=1)
    assert (visits.wanted, dropped) == ([("hill", False)] * 3, 3)


def test_after_three_errors_it_is_given_up() -> None:
    visits, _ = delivered(Visits("BROKEN", "BROKEN", "BROKEN", "DONE"), slug="hill", due="", version=1, attempt=1)
    assert visits.wanted == [("hill", False)] * 3 + [("hill", True)]


@pytest.mark.parametrize(
    "fields", [{"slug": "leased", "due": ""}, {"slug": 1, "due": ""}, {"slug": "hill"}, {}, {"attempt": "x"}]
)
def test_what_needs_no_visit_is_acknowledged(fields: dict[str, object]) -> None:
    visits, _ = delivered(Visits(), version=1, **fields)
    assert visits.wanted == []
