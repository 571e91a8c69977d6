"""What a run tells of a clinic beside its numbers: fields lost, posts that vanished many at once; the word on it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from archive.db import LostDatabase
from pipelines import rebuild
from pipelines.commands import main
from pipelines.run import report
from pipelines.run.outcome.field_coverage import LAST_READINGS
from pipelines.run.outcome.judgement import exit_code
from tests.pipelines.test_rebuild import Step, confirm, now_is, said, settle, take
from tests.visiting import HEXES, SITE, Visiting

SLUGS = tuple(HEXES)


def posts(**views: int | None) -> list[Step]:
    """Every post as the service gives it, with its views."""
    return [("post", (slug, f"On {slug}.", views.get(slug, 5))) for slug in SLUGS]


def run(archive: Path, made: list[Step], *, counting: bool = True, **values: Any) -> tuple[int, list[str]]:
    """A visit; its exit code, and the lines for cron."""
    settle(archive)
    with Visiting(archive) as visiting:
        for step in made:
            take(visiting, step)
        visiting.visit.fetched = visiting.visit.attempted = len(made)
        visiting.visit.counters_expected = {f"{SITE}/post/{slug}" for slug in SLUGS} if counting else set()
        for name, value in values.items():
            setattr(visiting.visit, name, value)
        visiting.end(status=values.get("blog_status", "blog"), finished=values.get("finished", True))
        code = exit_code(visiting.run)
        lines = report.problem_lines(visiting.run)
        visiting.run.close(code, report.summary(visiting.run))
        return code, lines


def rows(archive: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(archive / "archive.db")) as db:
        return db.execute(sql).fetchall()


def test_a_counter_that_falls_silent_is_told_at_the_first_run(tmp_path: Path) -> None:
    assert run(tmp_path, posts()) == (0, [])
    silent = posts(**dict.fromkeys(SLUGS, None))
    code, lines = run(tmp_path, silent)
    assert code == 5
    (line,) = lines
    assert line.startswith("riverside: degraded: no longer given: views (by 0 of 3 posts);")
    assert run(tmp_path, silent)[0] == 5  # the exit code stays
    assert run(tmp_path, [], counting=False)[0] == 5  # a run that cannot tell believes the last that could
    assert rows(tmp_path, "SELECT status, complete FROM clinic_runs ORDER BY started_at") == [
        ("done", 1), ("degraded", 0), ("degraded", 0), ("degraded", 0),
    ]  # fmt: skip
    fields = "SELECT expected, told, lost FROM run_fields WHERE field = 'views'"
    assert rows(tmp_path, fields) == [(3, 0, 1), (3, 0, 1)]
    assert run(tmp_path, posts()) == (0, [])  # the theme was mended


def test_a_counter_that_comes_back_after_a_long_silence(tmp_path: Path) -> None:
    """Nobody's last readings told it."""
    run(tmp_path, posts())
    for _ in range(LAST_READINGS + 2):
        assert run(tmp_path, posts(**dict.fromkeys(SLUGS, None)))[0] == 5
    assert run(tmp_path, posts()) == (0, [])


def test_a_visit_that_was_cut_short_misses_no_counters(tmp_path: Path) -> None:
    """It had read three pages, and not come to the service that counts."""
    run(tmp_path, posts())
    assert run(tmp_path, posts(**dict.fromkeys(SLUGS, None)), finished=False)[0] == 130
    assert rows(tmp_path, "SELECT count(*) FROM run_fields WHERE lost") == [(0,)]
    assert run(tmp_path, [("busy", 503)])[0] == 0  # nor is it believed when the next one cannot tell


def test_one_post_that_hides_its_counter_is_no_change_of_theme(tmp_path: Path) -> None:
    run(tmp_path, posts())
    assert run(tmp_path, posts(sleep=None)) == (0, [])


def test_a_loss_is_accepted_until_the_field_comes_back(tmp_path: Path) -> None:
    silent = posts(**dict.fromkeys(SLUGS, None))
    run(tmp_path, posts())
    run(tmp_path, silent)
    done = CliRunner().invoke(main, ["confirm", "riverside", "--archive", str(tmp_path), "--json"])
    assert (done.exit_code, '"accepted_fields": ["views"]' in done.output) == (0, True)
    assert run(tmp_path, silent) == (0, [])
    assert run(tmp_path, posts()) == (0, [])
    assert run(tmp_path, silent)[0] == 5


def test_posts_that_vanish_many_at_once_wait_for_a_word(tmp_path: Path) -> None:
    """Two such runs a day apart remove nothing; the operator's word does, and a rebuild says the same."""
    gone: list[Step] = [("gone", "sleep"), ("gone", "rest"), ("post", ("wake", "On wake.", 5))]
    removed = "SELECT count(*) FROM posts WHERE removed_at IS NOT NULL"
    with pytest.MonkeyPatch.context() as patch:
        run(tmp_path, posts())
        for day in (1, 2):
            now_is(patch, timedelta(days=day))
            code, lines = run(tmp_path, gone, gone=2)
            assert code == 3
            assert lines[0].startswith("riverside: moved or gone: 2 of 3 posts answer that they are gone")
        assert rows(tmp_path, removed) == [(0,)]
        confirm(tmp_path)
        assert rows(tmp_path, removed) == [(2,)]
        now_is(patch, timedelta(days=3))
        assert run(tmp_path, gone, gone=2) == (0, [])
    before = said(tmp_path)
    rebuild.rebuild(tmp_path)
    assert said(tmp_path) == before


def test_a_word_given_after_one_such_run_lets_the_next_one_count(tmp_path: Path) -> None:
    gone: list[Step] = [("gone", "sleep"), ("gone", "rest"), ("post", ("wake", "On wake.", 5))]
    with pytest.MonkeyPatch.context() as patch:
        run(tmp_path, posts())
        now_is(patch, timedelta(days=1))
        run(tmp_path, gone)
        confirm(tmp_path, killed=True)
        settle(tmp_path)
        now_is(patch, timedelta(days=2))
        assert run(tmp_path, gone) == (0, [])
    assert rows(tmp_path, "SELECT count(*) FROM posts WHERE removed_at IS NOT NULL") == [(2,)]
    before = said(tmp_path)
    rebuild.rebuild(tmp_path)
    assert said(tmp_path) == before


def test_a_blog_that_was_emptied_is_removed_after_a_word(tmp_path: Path) -> None:
    """No post is met any more, so that no visit will ever find one."""
    gone: list[Step] = [("gone", slug) for slug in SLUGS]
    removed = "SELECT count(*) FROM posts WHERE removed_at IS NOT NULL"
    with pytest.MonkeyPatch.context() as patch:
        run(tmp_path, posts())
        now_is(patch, timedelta(days=1))
        assert run(tmp_path, gone, gone=3, fetched=0)[0] == 3
        confirm(tmp_path)
        now_is(patch, timedelta(days=2))
        assert run(tmp_path, gone, gone=3, fetched=0) == (0, [])
        assert rows(tmp_path, removed) == [(3,)]
    before = said(tmp_path)
    rebuild.rebuild(tmp_path)
    assert said(tmp_path) == before


def test_what_a_word_accepts_was_told(tmp_path: Path) -> None:
    """Posts vanish of a blog whose fields were lost before: one word is for both."""
    run(tmp_path, posts())
    run(tmp_path, posts(**dict.fromkeys(SLUGS, None)))
    code, lines = run(tmp_path, [("gone", "sleep"), ("gone", "rest")], gone=2, counting=False)
    assert code == 3
    assert lines[0].endswith("confirms it; that also accepts the fields no longer given: views (by 0 of 3 posts)")


def test_a_home_that_leads_elsewhere(tmp_path: Path) -> None:
    run(tmp_path, posts())
    code, lines = run(tmp_path, [], moved="https://other.example/", counting=False)
    assert (code, lines[0][:65]) == (3, "riverside: moved or gone: its home page leads to https://other.ex")


def test_a_clinic_without_a_blog_fails_once(tmp_path: Path) -> None:
    none = {"failure": "no blog post was found", "blog_status": "none_found"}
    assert run(tmp_path, [], **none)[0] == 3
    assert run(tmp_path, [], **none) == (0, [])
    assert rows(tmp_path, "SELECT status FROM clinic_runs ORDER BY started_at") == [("failed",), ("no-blog",)]
    assert run(tmp_path, [], failure="timed out", blog_status="unreachable")[0] == 3


def test_a_word_about_a_clinic_that_a_new_database_does_not_know_hinders_nobody(tmp_path: Path) -> None:
    """It was killed, and then archive.db was lost: `rebuild` reads it from the WARC."""
    run(tmp_path, posts())
    confirm(tmp_path, killed=True)
    before = said(tmp_path)
    for file in tmp_path.glob("archive.db*"):
        file.unlink()
    with pytest.raises(LostDatabase):
        settle(tmp_path)
    rebuild.rebuild(tmp_path)
    assert said(tmp_path) == before


def test_nobody_confirms_what_is_not_there(tmp_path: Path) -> None:
    run(tmp_path, posts())
    done = CliRunner().invoke(main, ["confirm", "elsewhere", "--archive", str(tmp_path)])
    assert done.exit_code == 4
    assert "no clinic elsewhere in this archive; it has riverside" in done.output
    before = sorted(path.name for path in tmp_path.rglob("*"))
    done = CliRunner().invoke(main, ["confirm", "riverside", "--archive", str(tmp_path)])
    assert (done.exit_code, done.output) == (0, "riverside: nothing to confirm\n")
    done = CliRunner().invoke(main, ["confirm", "riverside", "--archive", str(tmp_path), "--json"])
    assert json.loads(done.stdout)["clinics"]["riverside"]["confirmed"] is False
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize("verb", [("confirm", "riverside"), ("reparse",)])
def test_no_archive_is_made_to_be_mended(verb: tuple[str, ...], tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [*verb, "--archive", str(tmp_path / "none")])
    assert (done.exit_code, len(done.stderr.splitlines())) == (4, 1)
    assert not (tmp_path / "none").exists()


def test_a_service_in_trouble_is_no_change_of_theme(tmp_path: Path) -> None:
    """A bad day is told by the lines of its answers; a service that refuses for good is a loss."""
    run(tmp_path, posts())
    silent = posts(**dict.fromkeys(SLUGS, None))
    assert run(tmp_path, [*silent, ("busy", 503)])[0] == 0
    assert run(tmp_path, [*silent, ("busy", 503), ("busy", 403)])[0] == 5
