"""The simulated frame against the policy's promises, and beside crawls of many sample clinics on loopback."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scraper.platforms._platform import KnownPost
from tests.e2e.product import rows
from tests.simulation.costs import SIZES, cost, lines
from tests.simulation.frame import KINDS, Simulated, frame
from tests.simulation.hosted import hosted
from tests.simulation.visits import FIRST, LISTS, Asked, simulate, visit
from tests.soak import SOAK
from tests.year.moved import warm

BEGAN = datetime(2026, 3, 1, 9, tzinfo=UTC)
OWNER = '[crawler]\ncontact = "a@uni.example"\nproject_url = "https://uni.example"\n'
STANZA = '[clinics.c{number}]\nname = "C{number}"\nurl = "{url}"\nallow_private = true\nrender = "never"\n'
DAYS, POSTS = 3 if SOAK else 2, 6
SIZES_CRAWLED = [10, 200] if SOAK else [4]


def test_a_frame_has_the_kinds_in_their_shares() -> None:
    clinics = [clinic.kind.name for clinic in frame(20, BEGAN)]
    assert {kind.name: clinics.count(kind.name) for kind in KINDS} == {
        kind.name: round(20 * kind.share) for kind in KINDS
    }
    assert [post.published_at for post in next(frame(1, BEGAN)).posts] == [
        post.published_at for post in next(frame(1, BEGAN)).posts
    ]


def test_every_post_is_read_within_its_longest_interval_and_new_ones_daily() -> None:
    clinic = Simulated(KINDS[1])
    old, fresh = ("2020-01-01T00:00:00+00:00", (BEGAN - timedelta(days=1)).isoformat())
    clinic.posts = [KnownPost(url=f"https://clinic.example/{n}", published_at=old) for n in range(40)]
    clinic.posts.append(KnownPost(url="https://clinic.example/new", published_at=fresh))
    assert visit(clinic, BEGAN) == Asked(1, LISTS + FIRST, 41, 0, 0)
    for day in range(1, 60):
        now = BEGAN + timedelta(days=day)
        requests = visit(clinic, now)
        read = [datetime.fromisoformat(post.last_seen_at or "") for post in clinic.posts]
        assert now - min(read) <= timedelta(days=30)
        assert (read[-1] == now) or day > 12
        assert requests.pages >= 3


def test_a_quiet_day_costs_a_fraction_of_the_first() -> None:
    days = simulate(10, 5, BEGAN)
    assert days[0].known == 0
    assert all(day.requests < days[0].requests / 3 for day in days[1:])
    assert simulate(10, 5, BEGAN) == days
    costs = [cost(size, 10, days) for size in SIZES]
    assert costs[2].a_day == pytest.approx(100 * costs[1].a_day)
    table = list(lines(costs))
    assert table[0] == "| clinics | 100 | 10,000 | 1,000,000 |"
    assert {line.count("|") for line in table} == {5}


@pytest.mark.parametrize("clinics", SIZES_CRAWLED)
def test_the_simulation_stands_beside_a_real_crawl(clinics: int, tmp_path: Path) -> None:
    """Pages are what the policy says, to the post; all requests are within a quarter."""
    with hosted(clinics, POSTS) as urls, warm(tmp_path / "runs") as launch:
        text = "".join(STANZA.format(number=number, url=url) for number, url in enumerate(urls))
        (tmp_path / "runs" / "clinics.toml").write_text(OWNER + text)
        began, archive = datetime.now(UTC), tmp_path / "runs" / "archive"
        for day in range(DAYS):
            done = launch(["crawl", "--archive", "archive"], began + timedelta(days=day), lambda _: None)
            assert (done.code, done.err) == (0, "")
    crawls = [row["crawl_id"] for row in rows(archive, "SELECT crawl_id FROM crawls ORDER BY started_at")]
    assert len(crawls) == DAYS
    simulated, figures = _like(archive), []
    for day, crawl_id in enumerate(crawls):
        (real,) = rows(
            archive,
            "SELECT count(*) AS requests, sum(warc_length) AS size,"
            " count(DISTINCT CASE WHEN url GLOB '*/post/*' THEN url END) AS pages"
            " FROM captures WHERE crawl_id = ? AND record_type <> 'failure'",  # what a busy machine did not answer
            crawl_id,
        )
        expected = visit(simulated, began + timedelta(days=day, minutes=day))
        assert real["pages"] == clinics * expected.pages, f"day {day}"
        assert real["requests"] == pytest.approx(clinics * expected.requests, rel=0.25), f"day {day}"
        figures.append((real["requests"], clinics * expected.requests, real["size"]))
    _note(clinics, figures)


def _like(archive: Path) -> Simulated:
    """A simulated clinic with the posts of the sample clinics, all of which are alike."""
    clinic = Simulated(KINDS[1])
    known = "SELECT p.post_id, p.url, p.published_at FROM posts AS p WHERE clinic_id = 'c0' ORDER BY published_at DESC"
    for row in rows(archive, known):
        clinic.posts.append(KnownPost(url=row["url"], published_at=row["published_at"]))
        if rows(archive, "SELECT 1 FROM comments WHERE post_id = ?", row["post_id"]):
            clinic.talked.add(row["url"])
    return clinic


def _note(clinics: int, figures: list[tuple[int, int, int]]) -> None:
    """Leave the figures of a soak for docs/scale.md: real and simulated requests, and the WARC files."""
    if not SOAK:
        return
    folder = Path(os.environ.get("ARTEFACTS") or Path(__file__).parents[2] / "var")
    folder.mkdir(exist_ok=True)
    rows = [
        f"| {clinics} | {day + 1} | {real:,} | {simulated:,} | {size / 1e6:.1f} MB |\n"
        for day, (real, simulated, size) in enumerate(figures)
    ]
    (folder / f"scale-{clinics}.md").write_text("".join(rows), "utf-8")
