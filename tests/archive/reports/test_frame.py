"""Several archives of one frame in one status, one coverage and one list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from archive.reports.united import united
from pipelines.commands import main
from tests.archive.reports.test_coverage import visited
from tests.archive.reports.test_status import ago, keep
from tests.making import Made, made


@pytest.fixture
def shards(tmp_path: Path, template: Path) -> Iterator[tuple[Made, Made]]:
    """Two archives without a clinic."""
    with made(tmp_path / "one", template) as first, made(tmp_path / "two", template) as two:
        for shard in (first, two):
            shard.db.execute("DELETE FROM clinics")
        yield first, two


def verb(name: str, *shards: Made | Path, more: tuple[str, ...] = ()) -> Result:
    folders = [str(shard.folder if isinstance(shard, Made) else shard) for shard in shards]
    options = [option for folder in folders for option in ("--archive", folder)]
    return CliRunner().invoke(main, [*name.split(), *options, *more], catch_exceptions=False)


def test_every_clinic_has_one_row_and_all_have_one_judgement(shards: tuple[Made, Made]) -> None:
    first, two = shards
    visited(first, ago(2), clinic="harbour")
    visited(two, ago(3), clinic="juniper")
    visited(two, ago(90), clinic="zenith")
    done = verb("status", first, two)
    assert done.exit_code == 7
    assert "1 of 3 clinics was not observed in the last 36 h" in done.stdout
    assert "zenith: not observed for 4 d" in done.stderr
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("juniper")]
    assert row.endswith(str(two.folder))
    found = json.loads(verb("status", first, two, more=("--json",)).stdout)
    assert found["clinics"]["harbour"]["archive"] == str(first.folder)
    assert found["stale"] == ["zenith"]
    assert set(found["archives"]) == {str(first.folder), str(two.folder)}
    alone = json.loads(verb("status", first, first, more=("--json",)).stdout)
    assert alone["archive"] == str(first.folder)


def test_a_clinic_that_moved_stands_where_it_was_observed_last(shards: tuple[Made, Made]) -> None:
    first, two = shards
    visited(first, ago(90), clinic="harbour")
    visited(two, ago(2), clinic="harbour")
    for order in ((first, two), (two, first)):
        found = json.loads(verb("status", *order, more=("--json",)).stdout)
        assert (found["exit_code"], found["clinics"]["harbour"]["archive"]) == (0, str(two.folder))
        listed = json.loads(verb("clinics list", *order, more=("--json", "--clinics-file", "none.toml")).stdout)
        assert [clinic["slug"] for clinic in listed["clinics"]] == ["harbour"]
        assert listed["clinics"][0]["last_visit_at"] > ago(3)


def test_a_shard_whose_clinics_are_all_stale_has_one_line(shards: tuple[Made, Made]) -> None:
    first, two = shards
    visited(first, ago(2), clinic="juniper")
    for clinic in ("harbour", "hill", "lake"):
        visited(two, "2026-03-01", clinic=clinic)
    done = verb("status", first, two, more=("--quiet",))
    assert done.exit_code == 7
    assert done.stderr.splitlines() == [
        f"{two.folder}: none of its 3 clinics was observed since 2026-03-01 09:00; is its machine up?"
    ]
    assert len(verb("status", two, more=("--quiet",)).stderr.splitlines()) == 3


def test_an_archive_that_cannot_be_read_is_named_and_the_others_are_judged(
    shards: tuple[Made, Made], tmp_path: Path
) -> None:
    first, two = shards
    visited(first, ago(2), clinic="harbour")
    done = verb("status", first, tmp_path / "gone")
    assert done.exit_code == 4
    assert f"{tmp_path}/gone/archive.db: no archive here" in done.stderr
    assert "Every clinic" in done.stdout
    keep(two, "a fault")
    assert verb("status", two, tmp_path / "gone", first).exit_code == 6


def test_coverage_counts_a_frame_as_one_archive(shards: tuple[Made, Made], tmp_path: Path, template: Path) -> None:
    """The same visits, on two machines and on one: a machine that stopped leaves days without a visit."""
    visits = (
        (0, "2026-03-01", "harbour", "done"),
        (0, "2026-03-02", "harbour", "failed"),
        (1, "2026-03-02", "harbour", "done"),
        (1, "2026-03-03", "juniper", "done"),
        (1, "2026-03-05", "harbour", "done"),
        (1, "2026-03-06", "juniper", "done"),
    )
    with made(tmp_path / "whole", template) as whole:
        for place, day, clinic, status in visits:
            visited(shards[place], day, status, clinic=clinic)
            visited(whole, day, status, clinic=clinic)
        whole.db.execute("DELETE FROM clinics WHERE clinic_id = 'riverside'")
        expected = json.loads(verb("coverage", whole, more=("--json",)).stdout)
        found = json.loads(verb("coverage", *shards, more=("--json",)).stdout)
        assert found.pop("archives") == [str(shard.folder) for shard in shards]
        assert expected.pop("archive") == str(whole.folder)
        assert found == expected
        item = json.loads(verb("coverage", *shards, more=("--json", "juniper")).stdout)
        assert list(item["clinics"]) == ["juniper"]
    done = verb("coverage", *shards, more=("nobody",))
    assert done.exit_code == 4
    assert "no clinic nobody in these archives; they have harbour, juniper" in done.stderr


def row(clinic: str, day: str, state: str, runs: int = 0) -> tuple[Any, ...]:
    return (clinic, f"2026-03-0{day}", state, runs, 0, 0)


ONE, NONE = row("a", "1", "observed", 1), "not-attempted"


@pytest.mark.parametrize(("archives", "expected"), [
    ([[ONE], [row("b", "3", "failed")]], [ONE, row("a", "2", NONE), row("a", "3", NONE), row("b", "3", "failed")]),
    ([[row("a", "1", "closed")], [row("b", "2", NONE)]],
     [row("a", "1", "closed"), row("a", "2", "closed"), row("b", "2", NONE)]),
    ([[row("a", "1", "failed", 1)], [ONE, row("a", "2", "partial", 1)]],
     [row("a", "1", "observed", 2), row("a", "2", "partial", 1)]),
    ([[], []], []),
])  # fmt: skip
def test_days_of_two_archives(archives: list[list[Any]], expected: list[Any]) -> None:
    assert united(archives) == expected
