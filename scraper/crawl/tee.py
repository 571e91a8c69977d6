"""Listening to a plan: what its answers say is noted on their way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from scraper.platforms._platform import Answer, Ask, Plan


def tee(plan: Plan, on_answer: Callable[[Ask, Answer], Answer]) -> Plan:
    """The same plan; each answer passes through `on_answer` before the plan receives it."""
    answer: Answer | None = None
    with suppress(StopIteration):
        while True:
            ask = next(plan) if answer is None else plan.send(answer)
            answer = on_answer(ask, (yield ask))
