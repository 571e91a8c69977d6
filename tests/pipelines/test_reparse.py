"""A parser is mended: only what it reads differently is new, and what the older one read stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.compare import canonical
from archive.db import open_archive
from pipelines import rebuild
from pipelines.commands.reparse import clinic_lines
from pipelines.imports.adopt import adopt
from pipelines.reparse import Reparsed, outdated, reparse
from pipelines.run.run import Run
from scraper.items import Exchange, Item, Post
from scraper.platforms.wix import Wix
from tests.making import faults
from tests.pipelines.test_rebuild import said, visit

READ = Wix.read


def mend(patch: pytest.MonkeyPatch, version: int, old: str, new: str, views: int = 0) -> None:
    """From now on the parser of that version reads `new` where it read `old`, and so many views more."""

    def read(self: Wix, exchange: Exchange) -> Iterator[Item]:
        for item in READ(self, exchange):
            if isinstance(item, Post) and item.body_text:
                more = None if item.views is None else item.views + views
                item = replace(item, body_text=item.body_text.replace(old, new), views=more)
            yield item

    patch.setattr(Wix, "read", read)
    patch.setattr(Wix, "extractor_version", version)


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    """An edit of one post, none of another."""
    for text in ("Sleep well.", "Sleep well.", "Sleep better."):
        steps: list[Any] = [
            ("post", ("sleep", text, 3)),
            ("post", ("rest", "Rest a while.", None)),
            ("thread", "sleep"),
        ]
        visit(tmp_path, steps, "ended")
    return tmp_path


def reparsed(archive: Path, *, dry_run: bool = False) -> Reparsed:
    run = Run(archive)
    try:
        assert outdated(run.db) == ["riverside"]
        done = reparse(run, "riverside", dry_run=dry_run)
        assert outdated(run.db) == (["riverside"] if dry_run else [])
        assert faults(run.db) == []
        return done
    finally:
        run.release()


def texts(archive: Path) -> list[tuple[str, str, int]]:
    with closing(open_archive(archive, "read")) as db:
        sql = "SELECT kind, body_text, extractor_version FROM revisions ORDER BY captured_at, extractor_version"
        return [tuple(row) for row in db.execute(sql).fetchall()]


V = Wix.extractor_version


def test_nothing_to_do(grown: Path) -> None:
    run = Run(grown)
    assert outdated(run.db) == []
    run.release()


def test_a_text_read_differently_stands_beside_the_old_one(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mend(monkeypatch, V + 1, "Sleep", "Slumber")
    done = reparsed(grown)
    assert done.texts == 2
    assert done.difference.changed == {"posts.body_text": 1}
    assert texts(grown) == [
        ("first", "Sleep well.", V),
        ("extractor", "Slumber well.", V + 1),
        ("first", "Rest a while.", V + 1),
        ("content", "Sleep better.", V),
        ("extractor", "Slumber better.", V + 1),
    ]
    with closing(open_archive(grown, "read")) as db:
        assert db.execute("SELECT body_text FROM posts ORDER BY slug DESC LIMIT 1").fetchone() == ("Slumber better.",)


def test_a_dry_run_says_it_and_writes_nothing(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (grown / "archive.db").read_bytes()
    mend(monkeypatch, V + 1, "Sleep", "Slumber", views=1)
    done = reparsed(grown, dry_run=True)
    assert done.difference.changed == {"posts.body_text": 1, "readings.views": 3}
    assert (grown / "archive.db").read_bytes() == before
    lines = "\n".join(clinic_lines("riverside", done, dry_run=True))
    assert "2 texts would be read differently" in lines
    assert "'Sleep better.' -> 'Slumber better.'" in lines


def test_counters_read_differently_leave_the_old_ones(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mend(monkeypatch, V + 1, "x", "x", views=1)
    assert reparsed(grown).difference.changed == {"readings.views": 3}
    with closing(open_archive(grown, "read")) as db:
        assert (
            db.execute("SELECT views, extractor_version FROM readings WHERE views IS NOT NULL").fetchall()
            == [(4, V + 1)] * 3
        )
        assert db.execute("SELECT views, extractor_version FROM superseded_readings").fetchall() == [(3, V)] * 3


def test_read_the_same_only_the_version_is_new(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = said(grown)
    mend(monkeypatch, V + 1, "x", "x")
    done = reparsed(grown)
    assert (bool(done.difference), done.texts) == (False, 0)
    assert said(grown) == before
    assert {row[2] for row in texts(grown)} == {V + 1}


def test_what_only_the_old_parser_took_for_an_edit(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both captures say the same to today's parser: the old one's reading stays, and stands corrected beside it."""
    mend(monkeypatch, V + 1, "better", "well")
    assert reparsed(grown).texts == 1
    assert texts(grown)[-2:] == [("content", "Sleep better.", V), ("extractor", "Sleep well.", V + 1)]


def test_twice_mended(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mend(monkeypatch, V + 1, "Sleep", "Slumber")
    reparsed(grown)
    mend(monkeypatch, V + 2, "Sleep", "Doze")
    reparsed(grown)
    sleep = [row for row in texts(grown) if "Rest" not in row[1]]
    assert sleep[:3] == [
        ("first", "Sleep well.", V),
        ("extractor", "Slumber well.", V + 1),
        ("extractor", "Doze well.", V + 2),
    ]


def test_a_rebuild_with_the_old_database_keeps_it_all(
    grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mend(monkeypatch, V + 1, "Sleep", "Slumber", views=1)
    reparsed(grown)
    before = texts(grown)
    done = rebuild.rebuild(grown)
    assert done.differs == []
    assert texts(grown) == before
    with closing(open_archive(grown, "read")) as db:
        assert db.execute("SELECT count(*) FROM superseded_readings").fetchone() == (3,)


def test_the_next_crawl_after_a_reparse_sees_no_edit(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mend(monkeypatch, V + 1, "better", "well")
    reparsed(grown)
    before = texts(grown)
    visit(grown, [("post", ("sleep", "Sleep better.", 3))], "ended")
    assert texts(grown) == before


def test_canonical_forms_agree_across_versions(
    grown: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    mend(monkeypatch, V + 1, "Sleep", "Slumber", views=1)
    reparsed(grown)
    new = tmp_path_factory.mktemp("new")
    adopt([grown], new, None)
    done = rebuild.rebuild(new)
    assert canonical.archive_digest(said(grown)) == done.digest
