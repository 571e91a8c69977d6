"""When a backfill ends: by what a web archive answers, or does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scraper.crawl.state import VisitState
from scraper.items import Exchange, Problem
from scraper.platforms import platform_named
from scraper.platforms._platform import Answer, Ask
from scraper.web_archive.backfill import MAX_UNANSWERED, Backfill, plan

BASE, SITE = "https://web.example", "https://a.example"
CAPTURES = 20
LIST = "\n".join(
    f"example,a)/post/{n} 2020010100{n:04} {SITE}/post/{n} text/html 200 DIGEST{n} 100" for n in range(CAPTURES)
)


def requested(answers: Callable[[int], Answer | None]) -> tuple[int, VisitState]:
    """Carry out a backfill of twenty captures; return the number of captures requested, and the result.

    `answers`: the answer to the n-th capture, from 0; None: the web archive does not answer.
    """
    backfill, visit = (
        Backfill(base=BASE, site=SITE, first="2020", platform=platform_named("wix")),
        VisitState(clinic_id="a"),
    )
    steps = plan(backfill, visit)
    ask, number = next(steps), 0
    answer = Answer(ask=ask, exchange=Exchange(url=ask.url, body=LIST.encode(), content_type="text/plain"))
    while True:
        try:
            ask = steps.send(answer)
        except StopIteration:
            return number, visit
        answer = answers(number) or Answer(ask=ask, exchange=None, reason=f"{ask.url}: connection refused")
        number += 1


def memento(number: int) -> Answer:
    url = f"{SITE}/post/{number}"
    return Answer(ask=Ask(url=url), exchange=Exchange(url=url, body=b"<html></html>", content_type="text/html"))


def test_a_web_archive_that_no_longer_answers_is_left() -> None:
    number, visit = requested(lambda number: memento(number) if number < 4 else None)
    assert number == 4 + MAX_UNANSWERED
    assert visit.failure is not None
    assert "connection refused" in visit.failure
    assert f"{CAPTURES - number} captures are left" in visit.failure
    assert visit.failure_lines == []
    assert visit.fetched == 4


@pytest.mark.parametrize("every", [2, 3])
def test_single_requests_without_an_answer_end_nothing(every: int) -> None:
    number, visit = requested(lambda number: None if number % every else memento(number))
    assert (number, visit.failure) == (CAPTURES, None)
    assert len(visit.failure_lines) == sum(1 for number in range(CAPTURES) if number % every)


def test_answers_whose_bodies_are_at_fault_end_nothing() -> None:
    def cut(number: int) -> Answer:
        problem = Problem(kind="cut-short", message=f"{SITE}/post/{number}: the gzip data end early", url=SITE)
        return Answer(ask=Ask(url=SITE), exchange=None, items=(problem,), reason=problem.message)

    number, visit = requested(cut)
    assert (number, visit.failure, visit.failed) == (CAPTURES, None, CAPTURES)
    assert visit.failure_lines[0] == f"{SITE}/post/0: the gzip data end early"
