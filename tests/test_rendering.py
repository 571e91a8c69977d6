"""What a browser is asked for, and what is told of what the cheaper routes did not give."""

from __future__ import annotations

from typing import Any

import pytest

from scraper.clinics import Clinic
from scraper.items import Item, Post, Problem, Reading
from scraper.plan import Surroundings, Visit
from scraper.platforms import platforms
from scraper.platforms._platform import Answer, Blog, Known
from scraper.rendering import complete

SITE = "https://riverside.example"
PAGE = f"{SITE}/post/sleep"
REFUSED = "post-page-metadata/sleep: answered 404; what it would have told stays unknown"


def completed(*shown: Item, reason: str | None = None) -> Visit:
    """A visit whose services refuse, and whose one page shows these items in a browser."""
    known = Known(url=PAGE, addresses=(PAGE,), counters_pending=True)
    blog = Blog(root=SITE, posts={PAGE: known}, read_comments=True)
    visit = Visit(clinic_id="riverside")
    start = Surroundings(clinic=Clinic(slug="riverside", name="R", url=SITE), private=False, known=[])
    (wix,) = (platform for platform in platforms() if platform.name == "wix")
    plan = complete(wix, blog, start, visit)
    answer: Any = None
    try:
        while True:
            ask = plan.send(answer)
            items = shown if ask.wanted else (Problem(kind="api-refused", message=REFUSED),)
            exchange: Any = object() if ask.wanted else None
            answer = Answer(ask=ask, exchange=exchange, items=items, reason=reason if ask.wanted else REFUSED)
    except StopIteration:
        return visit


@pytest.mark.parametrize("reason", [None, "comments never came"])
def test_what_services_refused_is_no_news_where_a_page_showed_it_all(reason: str | None) -> None:
    """Also where the page has no list of comments to wait for, since it says that it has none."""
    visit = completed(Reading(post=(PAGE,), views=9, comments_count=0, source="rendered"), reason=reason)
    assert (visit.rendered, visit.unknown, visit.unknown_line) == (1, [], None)
    assert REFUSED in visit.mended


def test_what_services_refused_is_told_where_something_stays_unknown() -> None:
    visit = completed(Post(platform="wix", url=PAGE, addresses=(PAGE,)), reason="counters never came")
    assert [one.field for one in visit.unknown] == ["views"]
    assert visit.mended == set()
    assert visit.unknown_line is not None and "counters never came" in visit.unknown_line
