"""The sample clinic over a bad line: nothing is lost, nothing is called removed, and the next good crawl heals all.

A crawl on a good day, one under the fault, after which the archive verifies, one on a good day again. What happened is
written as a table to `faults.md` in the artefacts. A few faults of the list; with SOAK all, and another verification.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.commands import main
from pipelines.replay import parsing
from tests.clinic import Clinic
from tests.e2e.fault_cases import ALWAYS, CASES, KEPT, SOAK, Case, small_clinic
from tests.e2e.faulty import Line
from tests.e2e.product import ROOT, Done, column, rows, run, value_of
from tests.e2e.test_bad_setup import CRAWLER

TABLE = Path(os.environ.get("ARTEFACTS") or ROOT / "var") / "faults.md"
STANZA = CRAWLER + '[clinics.sample]\nname = "Sample"\nurl = "{url}"\nallow_private = true\nrender = "never"\n'

# What an archive says of the blog, by the blog's own names for things: neither row numbers nor moments.
FACTS = {
    "posts": "SELECT platform_post_id, url, title, author, published_at, body_text, language, excerpt, cover_image_url,"
    " removed_at FROM posts",
    "revisions": "SELECT platform_post_id, kind, source, content_sha256 FROM revisions JOIN posts USING (post_id)",
    "comments": "SELECT platform_comment_id, platform_post_id, comments.author, author_kind, comments.body_text,"
    " comments.status, posted_at, parent_platform_comment_id FROM comments JOIN posts USING (post_id)",
    "comment_revisions": "SELECT platform_comment_id, r.body_text, r.status FROM comment_revisions r"
    " JOIN comments USING (comment_id)",
    "tags": "SELECT platform_post_id, label FROM post_tags JOIN tags USING (tag_id) JOIN posts USING (post_id)",
    "categories": "SELECT platform_post_id, label FROM post_categories JOIN categories USING (category_id)"
    " JOIN posts USING (post_id)",
    "links": "SELECT platform_post_id, links.url, position FROM links JOIN revisions USING (revision_id)"
    " JOIN posts USING (post_id)",
    "images": "SELECT platform_post_id, images.url, images.kind FROM images JOIN posts USING (post_id)",
    "addresses": "SELECT address, platform_post_id FROM post_addresses JOIN posts USING (post_id)",
    "changes": "SELECT platform_post_id, field, old, new FROM post_changes JOIN posts USING (post_id)",
    "absences": "SELECT platform_post_id, platform_comment_id, answered FROM absences"
    " LEFT JOIN posts USING (post_id) LEFT JOIN comments USING (comment_id)",
}
Facts = dict[str, set[tuple[Any, ...]]]


def facts(archive: Path) -> Facts:
    return {name: {tuple(row.values()) for row in rows(archive, sql)} for name, sql in FACTS.items()}


def verify(archive: Path) -> Done:
    """`clinic-archive verify`, in this process: starting one takes longer than so small an archive."""
    done = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
    return Done(done.exit_code, done.stdout, done.stderr)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """To start more processes takes longer than to verify so small an archive."""
    monkeypatch.setattr(parsing, "FEWEST", 10**6)


@dataclass(frozen=True)
class Sample:
    """The clinic behind its line, and its archive after one good crawl."""

    line: Line
    clinic: Clinic
    archive: Path
    facts: Facts = field(repr=False)
    captures: frozenset[str] = field(repr=False)

    def crawl(self, archive: Path, case: Case | None = None) -> Done:
        """A crawl as `case` says; None: on a good day."""
        self.line.put(case.script if case else lambda path, number: None)
        file = archive.parent / "clinics.toml"
        file.write_text(STANZA.format(url=(case and case.url) or self.line.url), "utf-8")
        # The command as it is, less patience: the pauses of a week of faults would take hours.
        impatient = {"RETRY_PAUSE": 0.02, "DOWNLOAD_TIMEOUT": case.timeout if case else 60.0}
        return run(
            "clinic-archive", "crawl", "--all", "--archive", archive, "--clinics-file", file,
            cwd=ROOT, settings=impatient,
        )  # fmt: skip


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    folder = tmp_path_factory.mktemp("faults")
    with small_clinic(folder) as (line, clinic):
        found = Sample(line, clinic, folder / "archive", {}, frozenset())
        assert found.crawl(found.archive) == Done(0, "", "")
        assert value_of(found.archive, "SELECT count(*) FROM posts") == len(KEPT) - 1  # one is for members only
        captures = frozenset(column(found.archive, "SELECT capture_id FROM captures"))
        yield Sample(line, clinic, found.archive, facts(found.archive), captures)


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    """The lines of the table of what happened."""
    reported: list[str] = []
    yield reported
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    head = [
        "fault",
        "answers hit",
        "exit: expected, was",
        "clinic",
        "lines said",
        "lost",
        "removed",
        "verify",
        "healed",
    ]
    rule = "|".join("---" for _ in head)
    TABLE.write_text("\n".join([f"| {' | '.join(head)} |", f"|{rule}|", *reported, ""]), "utf-8")


@pytest.fixture
def archive(sample: Sample, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The archive of the good day, on a disk of its own where the case says how much room is left there."""
    case: Case = request.node.callspec.params["case"]
    where = tmp_path / "disk"
    where.mkdir()
    if case.disk is None:
        yield shutil.copytree(sample.archive, where / "archive")
        return
    taken = sum(path.stat().st_size for path in sample.archive.rglob("*") if path.is_file())
    size = f"size={taken + case.disk + 300_000}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", where], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield shutil.copytree(sample.archive, where / "archive")
    finally:
        subprocess.run(["umount", where], check=True)


@pytest.mark.parametrize("case", [case for case in CASES if SOAK or case.name in ALWAYS], ids=lambda case: case.name)
def test_a_fault(case: Case, sample: Sample, archive: Path, table: list[str]) -> None:
    bad = sample.crawl(archive, case)
    hit = sample.line.broken
    after = facts(archive)
    verified = verify(archive)
    status = column(archive, "SELECT status FROM clinic_runs ORDER BY started_at")[-1]
    if case.disk is not None:
        subprocess.run(["mount", "-o", "remount,size=500m", archive.parent], check=True)
    good = sample.crawl(archive)
    healed = facts(archive)
    again = verify(archive) if SOAK else verified
    missing = [f"{name}: {fact}" for name in FACTS for fact in sample.facts[name] - after[name]]
    removed = column(archive, "SELECT url FROM posts WHERE removed_at IS NOT NULL") + sorted(after["absences"])
    differs = [f"{name}: {fact}" for name in FACTS for fact in sample.facts[name] ^ healed[name]]
    cells = [case.name, hit, f"{case.code}, {bad.code}", status, len(bad.lines), len(missing), len(removed),
             verified.code, "yes" if not differs and not again.code else "NO"]  # fmt: skip
    table.append(f"| {' | '.join(map(str, cells))} |")

    assert (bad.code, bad.out, status) == (case.code, "", case.status), bad.err
    assert "Traceback" not in bad.err
    if case.says is None:
        assert bad.err == ""
    else:
        assert re.search(case.says, bad.err) and all(line.startswith(("sample: ", "/")) for line in bad.lines), bad.err
    if case.kind:
        assert case.kind in column(archive, "SELECT kind FROM problems")
    assert missing == []
    assert removed == []
    assert [name for name in FACTS if after[name] - sample.facts[name]] == [], "facts that the good day did not show"
    assert sample.captures <= set(column(archive, "SELECT capture_id FROM captures"))
    assert verified == Done(0, "", "")
    assert good.code == 0, good.err
    assert all("folded in" in line for line in good.lines), good.err
    assert differs == []
    assert again == Done(0, "", "")
