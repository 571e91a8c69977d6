"""What a day of a clinic came to, how days are counted, and what the paragraph for a paper says of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.reports.coverage import DAY_STATES, OUTSIDE, read_coverage
from archive.reports.methods import paragraph
from archive.reports.status import clinics as clinic_statuses
from archive.site.pages import clinic as page
from pipelines.commands import main
from scraper.items import Gone
from tests.making import CLINIC, Made, extraction, made, post, reading, sighting
from tests.soak import SOAK

HOME = "https://riverside.example"
FORBIDDEN = f"{HOME}: robots.txt forbids it; not fetched"
EXAMPLES = 1000 if SOAK else 60
_numbers = count()


def visited(archive: Made, day: str, status: str = "done", *, clinic: str = CLINIC, kind: str | None = "crawl",
            **row: Any) -> str:  # fmt: skip
    """A run at a clinic that began at nine, or when the day says, and took six minutes."""
    at = day if "T" in day else f"{day}T09:00:00.000000Z"
    crawl_id = f"{next(_numbers):032x}"
    values = {"complete": int(status == "done"), "fetched": 5, "failed": 0, "discovered": 5, "limited": 0} | row
    values |= {"crawl_id": crawl_id, "clinic_id": clinic, "started_at": at, "status": status}
    values |= {"ended_at": None if status == "running" else at.replace("T09:00", "T09:06")}
    archive.db.execute(
        "INSERT OR IGNORE INTO clinics (clinic_id, name, url, blog_status) VALUES (?, ?, ?, 'blog')",
        [clinic, clinic, HOME],
    )
    archive.db.execute(
        "INSERT INTO crawls (crawl_id, started_at, software, kind) VALUES (?, ?, 'clinic-blog-archive/0.1.0', ?)",
        [crawl_id, at, kind],
    )
    archive.db.execute(
        f"INSERT INTO clinic_runs ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", list(values.values())
    )
    return crawl_id


def problem(archive: Made, crawl_id: str, message: str, url: str, kind: str = "robots-refused") -> None:
    archive.db.execute(
        "INSERT INTO problems (clinic_id, crawl_id, kind, message, url, happened_at) SELECT clinic_id, crawl_id, ?, ?,"
        " ?, started_at FROM clinic_runs WHERE crawl_id = ?",
        [kind, message, url, crawl_id],
    )


def days(archive: Made, columns: str = "day, state", clinic: str = CLINIC) -> list[tuple[Any, ...]]:
    return archive.rows(f"SELECT {columns} FROM coverage WHERE clinic_id = ? ORDER BY day", clinic)


# --- a day ---


@pytest.mark.parametrize(
    ("status", "row", "state", "reason"),
    [
        ("done", {}, "observed", None),
        ("done", {"note": "1 post is for members only"}, "observed", "1 post is for members only"),
        ("done", {"complete": 0, "limited": 1}, "partial", "a limit was reached: posts may have been left out"),
        ("done", {"complete": 0, "failed": 2}, "partial", "2 posts could not be read"),
        ("done", {"waiting": 3}, "partial", "3 posts that were due wait for a later visit"),
        ("done", {"waiting": 0, "not_due": 9, "fetched": 0}, "observed", None),
        ("cut-short", {"note": "ended early"}, "partial", "ended early"),
        ("degraded", {"note": "told no more: views"}, "partial", "told no more: views"),
        ("moved_or_gone", {"note": "9 of 9 gone"}, "partial", "9 of 9 gone"),
        ("running", {"fetched": None, "failed": None}, "failed", "running, or its end was not recorded"),
        ("cut-short", {"fetched": None, "failed": None, "note": "killed"}, "failed", "killed"),
        ("cut-short", {"fetched": 0, "gone": 2, "note": "killed"}, "partial", "killed"),
        ("failed", {"note": "no such host"}, "failed", "no such host"),
        ("failed", {"note": None}, "failed", None),
        ("no-blog", {"note": "no blog post was found"}, "no-blog", "no blog post was found"),
        ("done", {"complete": 0, "limited": 1, "discovered": 0, "note": "none found"}, "no-blog", "none found"),
    ],
)
def test_what_a_visit_comes_to(archive: Made, status: str, row: dict[str, Any], state: str, reason: str | None) -> None:
    visited(archive, "2026-03-01", status, **row)
    assert days(archive, "day, state, runs, reason") == [("2026-03-01", state, 1, reason)]


def test_the_best_visit_of_a_day_counts_and_the_worst_gives_the_reason(archive: Made) -> None:
    visited(archive, "2026-03-01T01:00:00.000000Z", "failed", note="no such host", fetched=0)
    visited(archive, "2026-03-01T02:00:00.000000Z", "cut-short", note="ended early", fetched=3, failed=1)
    visited(archive, "2026-03-01T23:59:59.999999Z", note="fine", fetched=5)
    visited(archive, "2026-03-02T00:00:00.000000Z", "failed", note="again")
    columns = "day, state, runs, complete_runs, posts_read, not_read, reason"
    assert days(archive, columns) == [
        ("2026-03-01", "observed", 3, 1, 5, 1, "no such host"), ("2026-03-02", "failed", 1, 0, 5, 0, "again"),
    ]  # fmt: skip


def test_a_refusal_by_robots_txt_is_no_failure_of_the_site(archive: Made) -> None:
    home = visited(archive, "2026-03-01", "failed", note=f"{FORBIDDEN}; and a note", fetched=0)
    problem(archive, home, FORBIDDEN, HOME)
    trouble = visited(archive, "2026-03-02", "failed", note=f"{HOME}: robots.txt answered 503", fetched=0)
    problem(archive, trouble, f"{HOME}: robots.txt answered 503", HOME)
    problem(archive, trouble, "robots.txt answered 503: the host is not crawled in this run", f"{HOME}/robots.txt")
    # Of the posts that were not read two are forbidden, then one of two; a feed is no post.
    for number in (1, 2):
        archive.fold(extraction(number, post(f"p{number}", addresses=(f"{HOME}/post/p{number}",))))
    for day, slugs in (("2026-03-03", ("p1", "p2", "p2")), ("2026-03-04", ("p1", "feed"))):
        posts = visited(archive, day, "failed", note="2 of 2 posts could not be read", failed=2, fetched=0)
        for slug in slugs:
            problem(archive, posts, f"{HOME}/post/{slug}: robots.txt forbids it; not fetched", f"{HOME}/post/{slug}")
    # A forbidden page beside posts that are read changes nothing.
    well = visited(archive, "2026-03-05")
    problem(archive, well, f"{HOME}/x: robots.txt forbids it; not fetched", f"{HOME}/x")
    assert [state for _, state in days(archive)] == ["refused", "failed", "refused", "failed", "observed"]


@pytest.mark.parametrize("status", ["running", "cut-short"])
def test_of_a_visit_that_told_no_numbers_its_rows_say_what_it_saw(archive: Made, status: str) -> None:
    """It goes on, or it was killed, and an older version left no number of what was folded in afterwards."""
    runs = [visited(archive, f"2026-03-0{day}", status, fetched=None, failed=None) for day in (1, 2, 3)]
    archive.fold(extraction(1, post()), extraction(2, post("rest", addresses=(f"{HOME}/post/rest",))), crawl_id=runs[0])
    archive.fold(extraction(3, Gone(url=f"{HOME}/post/rest", answered="404")), crawl_id=runs[1])
    archive.fold(extraction(4, sighting()), crawl_id=runs[2])
    assert days(archive, "day, state, posts_read") == [
        ("2026-03-01", "partial", 2), ("2026-03-02", "partial", 0), ("2026-03-03", "failed", 0)
    ]  # fmt: skip


@pytest.mark.parametrize(("status", "row"), [("no-blog", {}), ("done", {"complete": 0, "limited": 1, "discovered": 0})])
def test_that_no_blog_is_found_where_posts_are_known_is_a_failure(
    archive: Made, status: str, row: dict[str, Any]
) -> None:
    """A blog that is out of order for a day was not without posts on that day."""
    archive.fold(extraction(1, post()))  # on 1 March
    for day in ("2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"):
        visited(archive, day, status, note="none was found", **row)
    visited(archive, "2026-03-03", "failed", note="none was found")
    assert days(archive, "state, reason") == [
        (state, "none was found") for state in ("no-blog", "no-blog", "failed", "failed", "failed")
    ]
    assert read_coverage([archive.db.conn]).days == 3


def test_a_visit_that_left_posts_waiting_is_not_complete(archive: Made) -> None:
    visited(archive, "2026-03-01", waiting=40)
    visited(archive, "2026-03-02", waiting=0)
    assert days(archive, "state, complete_runs") == [("partial", 0), ("observed", 1)]
    assert "2 visits were made, of which 1 was complete." in paragraph(read_coverage([archive.db.conn]))


def test_every_day_from_the_first_visit_to_the_last_of_the_archive(archive: Made) -> None:
    """That cron was silent, and that a clinic was forgotten, shows."""
    visited(archive, "2026-02-27", clinic="other")
    visited(archive, "2026-02-28")
    visited(archive, "2026-03-03", clinic="other")
    assert days(archive) == [
        ("2026-02-28", "observed"), ("2026-03-01", "not-attempted"), ("2026-03-02", "not-attempted"),
        ("2026-03-03", "not-attempted"),
    ]  # fmt: skip
    assert [day for day, _ in days(archive, clinic="other")] == [
        "2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"
    ]  # fmt: skip
    (none,) = days(archive, "runs, complete_runs, posts_read, not_read, reason")[1:2]
    assert none == (0, 0, None, None, None)


SEEN, MISSED, CLOSED = "observed", "not-attempted", "closed"


@pytest.mark.parametrize(
    ("closed_on", "states"),
    [
        ("2026-03-05", [SEEN, MISSED, SEEN, MISSED, CLOSED, CLOSED]),
        ("2026-03-02", [SEEN, CLOSED, SEEN, CLOSED, CLOSED, CLOSED]),  # and it was visited all the same
        ("2026-02-01", [SEEN, CLOSED, SEEN, CLOSED, CLOSED, CLOSED]),
        ("2027-01-31", [SEEN, MISSED, SEEN, MISSED, MISSED, MISSED]),
        (None, [SEEN, MISSED, SEEN, CLOSED, CLOSED, CLOSED]),  # as older versions left it
    ],
)
def test_a_retired_clinic_is_closed_from_its_day_on_where_it_is_not_visited(
    archive: Made, closed_on: str | None, states: list[str]
) -> None:
    for day in ("01", "03"):
        visited(archive, f"2026-03-{day}", clinic="mill")
    archive.db.execute(
        "UPDATE clinics SET closed_on = ?1, blog_status = CASE WHEN ?1 > '2026-03-06' THEN 'blog' ELSE 'closed' END"
        " WHERE clinic_id = 'mill'",
        [closed_on],
    )
    visited(archive, "2026-03-06")
    assert [state for _, state in days(archive, clinic="mill")] == states


def test_captures_of_others_are_no_visits(archive: Made) -> None:
    for kind in ("import", "backfill"):
        visited(archive, "2019-01-01", kind=kind)
    assert days(archive) == []
    visited(archive, "2026-03-01", kind=None)  # as older versions wrote it
    assert days(archive) == [("2026-03-01", "observed")]


# --- days counted ---


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with made(tmp_path_factory.mktemp("coverage")) as archive:
        yield archive


START = date(2026, 2, 20)
VISITS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]), st.integers(0, 25),
        st.sampled_from(["done", "partial", "failed", "no-blog", "cut-short", "degraded", "import"]),
    ),
    max_size=25,
)  # fmt: skip
RANK = {"observed": 1, "partial": 2, "no-blog": 3, "failed": 5}
CAME_TO = {"done": "observed", "cut-short": "partial", "degraded": "partial"}


@given(visits=VISITS, first=st.integers(-3, 28), length=st.integers(0, 30), closed=st.none() | st.integers(-3, 28))
@settings(max_examples=EXAMPLES)
def test_states_partition_the_days(
    visits: list[tuple[str, int, str]], first: int, length: int, closed: int | None, emptied: Made
) -> None:
    for table in ("clinic_runs", "crawls", "clinics"):
        emptied.db.execute(f"DELETE FROM {table}")
    for clinic, day, status in visits:
        at = (START + timedelta(days=day)).isoformat()
        if status == "partial":
            visited(emptied, at, "done", clinic=clinic, complete=0)
        elif status == "import":
            visited(emptied, at, clinic=clinic, kind="import")
        else:
            visited(emptied, at, status, clinic=clinic)
    if closed is not None:
        closed_on = (START + timedelta(days=closed)).isoformat()
        emptied.db.execute(
            "UPDATE clinics SET blog_status = 'closed', closed_on = ? WHERE clinic_id = 'a'", [closed_on]
        )

    made_by_us = [visit for visit in visits if visit[2] != "import"]
    last = max((day for _, day, _ in made_by_us), default=0)
    expected: dict[str, dict[str, str]] = {}
    for clinic in sorted({visit[0] for visit in made_by_us}):
        own = [(day, CAME_TO.get(status, status)) for who, day, status in made_by_us if who == clinic]
        for day in range(min(own)[0], last + 1):
            found = [state for at, state in own if at == day]
            over = closed is not None and clinic == "a" and day >= closed
            state = min(found, key=RANK.__getitem__) if found else "closed" if over else "not-attempted"
            expected.setdefault(clinic, {})[(START + timedelta(days=day)).isoformat()] = state
    got: dict[str, dict[str, str]] = {}
    for clinic, day, state in emptied.rows("SELECT clinic_id, day, state FROM coverage"):
        assert day not in got.setdefault(clinic, {}), "a day is told once"
        got[clinic][day] = state
    assert got == expected

    for clinic_status in clinic_statuses(emptied.db.conn, datetime(2026, 6, 1, tzinfo=UTC)):
        well = [
            day for who, day, status in made_by_us if who == clinic_status.clinic_id and status in ("done", "partial")
        ]
        last_well = (START + timedelta(days=max(well))).isoformat() if well else ""
        assert (clinic_status.observed_at or "")[:10] == last_well, "status counts each visit that ended well"

    begin = START + timedelta(days=first)
    end = begin + timedelta(days=length)
    coverage = read_coverage([emptied.db.conn], (), begin, end)
    chosen = {
        clinic: {day: state for day, state in of.items() if begin.isoformat() <= day <= end.isoformat()}
        for clinic, of in expected.items()
    }
    assert {covered.clinic_id for covered in coverage.clinics} == {clinic for clinic, of in chosen.items() if of}
    for covered in coverage.clinics:
        of = chosen[covered.clinic_id]
        assert sum(covered.states.values()) == len(of)
        assert {state: number for state, number in covered.states.items() if number} == {
            state: list(of.values()).count(state) for state in set(of.values())
        }
        inside = [
            (date.fromisoformat(gap.first) + timedelta(days=n)).isoformat()
            for gap in covered.gaps
            for n in range(gap.days)
        ]
        missed = [day for day, state in of.items() if state != "observed" and state not in OUTSIDE]
        assert sorted(inside) == missed, "gaps hold each day without observation once"
        assert [gap.days for gap in covered.gaps] == sorted((gap.days for gap in covered.gaps), reverse=True)
        edges = {(date.fromisoformat(gap.last) + timedelta(days=1)).isoformat() for gap in covered.gaps}
        assert not edges & {gap.first for gap in covered.gaps}, "a gap is as long as it can be"
    assert sum(coverage.states.values()) == sum(sum(covered.states.values()) for covered in coverage.clinics)
    assert paragraph(coverage)


# --- the paragraph, and the page ---


@pytest.fixture
def studied(archive: Made) -> Made:
    """Ten days of a clinic that was missed for three, beside one without a blog; two posts, an edit, readings."""
    run = ""
    for day in range(1, 11):
        at = f"2026-03-{day:02}"
        if day not in (4, 5, 6):
            run = visited(archive, at, "failed" if day == 9 else "done", note="no such host" if day == 9 else None,
                          not_due=0 if day == 9 else 2)  # fmt: skip
        visited(archive, at, "failed" if day == 1 else "no-blog", clinic="mill", fetched=0)
    archive.db.execute("UPDATE clinics SET blog_status = CASE clinic_id WHEN 'mill' THEN 'none_found' ELSE 'blog' END")
    archive.fold(
        extraction(1, post(text="Sleep heals.", views=5)), extraction(2, reading(views=7)),
        extraction(3, post(text="Sleep heals, mostly.", views=9)),
        extraction(4, post("rest", addresses=(f"{HOME}/post/rest",))), crawl_id=run,
    )  # fmt: skip
    # What others had captured on one of these days is not ours.
    visited(archive, "2026-03-02", kind="import")
    archive.db.execute("UPDATE captures SET crawl_id = ? WHERE crawl_id IS NULL", [run])
    return archive


def test_the_paragraph_says_what_the_rows_say(studied: Made) -> None:
    text = paragraph(read_coverage([studied.db.conn]))
    assert text == (
        "From 2026-03-01 to 2026-03-10 (10 days, UTC) 2 clinics were followed, 1 with a blog and 1 without one."
        " 17 visits were made, of which 6 were complete. A clinic-day counts as observed if at least one visit that"
        " began on that day ended normally, had no limit, deferred no post that was due, and received an answer for"
        " every post that it requested. Of 10 clinic-days"
        " (counted from each clinic's first visit, without days on which it had no blog or was closed) 6 (60.0%) were"
        " observed; 1 was visited without success and 3 were not visited. The longest interval without an observed day"
        " lasted 3 days (riverside, 2026-03-04 to 2026-03-06). Posts without a sign of change were not"
        " requested at every visit (a post was left until it was due 12 times). In this period 2 posts were read;"
        " 1 edit of their texts and 3 readings of their counters (views, likes, comments; answers of 304 Not Modified"
        " are not counted) were recorded. The rules of"
        " each host's robots.txt were obeyed: what they disallow was not requested. The visits were made with"
        " clinic-blog-archive 0.1.0."
    )
    page = (Path(__file__).parents[3] / "docs" / "coverage.md").read_text("utf-8")
    assert text in " ".join(page.replace("\n> ", " ").split()), "docs/coverage.md shows this paragraph"


def test_a_blog_that_is_not_read_is_neither_one_nor_none(studied: Made) -> None:
    """Also in the archive of an older version, whose later visits ended as `no-blog`."""
    sites = {"spa": ("none_found", "wix"), "clay": ("unsupported", "wordpress"), "reed": ("unsupported", "wordpress"),
             "fern": ("unsupported", None)}  # fmt: skip
    for name, (blog_status, platform) in sites.items():
        for day, status in ((1, "failed"), (2, "no-blog"), (3, "failed")):
            visited(studied, f"2026-03-{day:02}", status, clinic=name, fetched=0)
        studied.db.execute(
            "UPDATE clinics SET blog_status = ?, platform = ? WHERE clinic_id = ?", [blog_status, platform, name]
        )
    coverage = read_coverage([studied.db.conn])
    found = {clinic.clinic_id: (clinic.blog, clinic.platform, clinic.days) for clinic in coverage.clinics}
    assert found == {
        "riverside": ("blog", None, 10), "mill": ("none", None, 0), "spa": ("none", "wix", 0),
        "clay": ("unread", "wordpress", 10), "reed": ("unread", "wordpress", 10), "fern": ("unread", None, 10),
    }  # fmt: skip
    assert days(studied, clinic="clay")[:4] == [
        ("2026-03-01", "failed"), ("2026-03-02", "failed"), ("2026-03-03", "failed"), ("2026-03-04", "not-attempted"),
    ]  # fmt: skip
    assert [state for _, state in days(studied, clinic="spa")[:3]] == ["failed", "no-blog", "failed"]
    text = paragraph(coverage)
    assert (
        "6 clinics were followed, 1 with a blog, 2 without one and 3 on a platform that the program does not read"
        " (2 wordpress, 1 not recognised)." in text
    )
    assert "Of 40 clinic-days" in text
    alone = paragraph(read_coverage([studied.db.conn], ["clay"]))
    assert "0 with a blog, 0 without one and 1 on a platform that the program does not read (1 wordpress)" in alone
    assert "There was no blog to observe" not in alone


def test_a_period_counts_what_was_read_in_it_alone(studied: Made) -> None:
    coverage = read_coverage([studied.db.conn], [CLINIC], date(2026, 3, 4), date(2026, 3, 9))
    assert (coverage.first, coverage.last, coverage.days, coverage.posts, coverage.edits, coverage.readings) == (
        "2026-03-04", "2026-03-09", 6, 0, 0, 0
    )  # fmt: skip
    assert [(gap.first, gap.days) for gap in coverage.gaps] == [("2026-03-04", 3), ("2026-03-09", 1)]
    assert read_coverage([studied.db.conn], (), date(2030, 1, 1)).clinics == []
    alone = paragraph(read_coverage([studied.db.conn], ["mill"]))
    assert "1 clinic was followed, 0 with a blog and 1 without one" in alone
    assert "There was no blog to observe on any day." in alone
    one_day = paragraph(read_coverage([studied.db.conn], [CLINIC], date(2026, 3, 1), date(2026, 3, 1)))
    assert "(1 day, UTC) 1 clinic was followed" in one_day
    assert "1 visit was made, of which 1 was complete." in one_day
    assert "Of 1 clinic-day " in one_day
    assert "1 (100.0%) was observed." in one_day
    assert "interval" not in one_day


def test_the_clinics_page_shows_the_same_days(studied: Made) -> None:
    chart = page.coverage(studied.db.conn, CLINIC)
    assert [(row[0], row[1].replace(" ", "-")) for row in chart.rows] == days(studied)
    assert chart.svg is not None
    assert {"var(--seen)", "var(--failed)", "var(--gap)"} <= set(re.findall(r"var\(--\w+\)", chart.svg))


def test_an_archive_of_before_the_view_is_counted_all_the_same(studied: Made) -> None:
    before = paragraph(read_coverage([studied.db.conn])), page.coverage(studied.db.conn, CLINIC).rows
    studied.db.execute("DROP VIEW coverage")
    assert (paragraph(read_coverage([studied.db.conn])), page.coverage(studied.db.conn, CLINIC).rows) == before


# --- the command ---


def cover(archive: Made, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["coverage", "--archive", str(archive.folder), *arguments], catch_exceptions=False)


def test_the_command_prints_clinics_gaps_and_the_paragraph(studied: Made) -> None:
    done = cover(studied)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split()[:6] == ["clinic", "blog", "from", "to", "days", "observed"]
    assert lines[1].split() == ["mill", "none", "2026-03-01", "2026-03-10", "0", "0", "-", "0", "1", "0", "0", "0", "-"]
    assert lines[2].split()[:7] == ["riverside", "yes", "2026-03-01", "2026-03-10", "10", "6", "60.0"]
    assert "2 gaps without an observed day:" in lines
    assert lines[-1] == paragraph(read_coverage([studied.db.conn]))


def test_the_command_as_json(studied: Made) -> None:
    done = cover(studied, CLINIC, "--from", "2026-03-02", "--json")
    summary = json.loads(done.stdout)
    assert (done.exit_code, summary["from"], summary["to"]) == (0, "2026-03-02", "2026-03-10")
    assert (summary["clinic_days"], summary["observed_share"]) == (9, round(5 / 9, 4))
    of_clinic = summary["clinics"][CLINIC]
    assert list(of_clinic["states"]) == list(DAY_STATES)
    assert of_clinic["gaps"][0] == {"from": "2026-03-04", "to": "2026-03-06", "days": 3}
    assert summary["paragraph"].startswith("From 2026-03-02 to 2026-03-10 (9 days, UTC) 1 clinic was followed")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--from", "soon"), 2, "'soon' is no day"), (("--to", "2026-02-30"), 2, "is no day"),
        (("--from", "2026-03-02", "--to", "2026-03-01"), 2, "--from 2026-03-02 is later than --to 2026-03-01"),
        (("nobody",), 4, "no clinic nobody in this archive; it has riverside"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(archive: Made, arguments: tuple[str, ...], code: int, message: str) -> None:
    done = cover(archive, *arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert message in done.stderr


def test_an_archive_without_visits_says_so(archive: Made, tmp_path: Path) -> None:
    done = cover(archive)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "No visit was made in this period.\n", "")
    assert json.loads(cover(archive, "--json").stdout)["clinics"] == {}
    none = CliRunner().invoke(main, ["coverage", "--archive", str(tmp_path / "none")])
    assert none.exit_code == 4
