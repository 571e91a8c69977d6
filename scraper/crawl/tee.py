"""Observe the answers that a plan receives."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from scraper.platforms._platform import Answer, Ask, Plan


def tee(plan: Plan, on_answer: Callable[[Ask, Answer], Answer]) -> Plan:
    """Return the same plan, except that it receives `on_answer(ask, answer)` in place of each answer."""
    answer: Answer | None = None
    with suppress(StopIteration):
        while True:
            ask = next(plan) if answer is None else plan.send(answer)
            answer = on_answer(ask, (yield ask))
