"""Settings for comments that become stricter hold for an archive that is already there: rows, search index, exports.

What `privacy = "omit"` alone leaves is `test_omitted`'s.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Crawled
from tests.e2e.killing import cli
from tests.e2e.product import run, value_of
from tests.e2e.test_sample_comments import private_among
from tests.leaks import occurring


def apply(archive: Path, slug: str, settings: str, *more: str) -> dict[str, object]:
    (archive.parent / "clinics.toml").write_text(
        f'[clinics.{slug}]\nname = "Sample"\nurl = "https://sample.example"\n{settings}\n', "utf-8"
    )
    done = run("clinic-archive", "privacy", "apply", "--archive", archive, "--json", *more, cwd=archive.parent)
    assert (done.code, done.err) == (0, "")
    found: dict[str, object] = json.loads(done.out)["clinics"][slug]
    return found


def everything(archive: Path) -> bytes:
    """The bytes of the database and of all exports."""
    target = archive.parent / "csv"
    shutil.rmtree(target, ignore_errors=True)
    assert run("clinic-archive", "export", "--all", target, "--archive", archive, cwd=archive.parent).code == 0
    files = [*archive.glob("archive.db*"), *(path for path in target.rglob("*") if path.is_file())]
    return b"\n".join(path.read_bytes() for path in files)


@pytest.mark.usefixtures("one_process")
def test_names_and_comments_leave_the_rows(small: Crawled, commenters: list[str], tmp_path: Path) -> None:
    archive = shutil.copytree(small.archive, tmp_path / "archive")
    slug = value_of(archive, "SELECT clinic_id FROM clinics")
    private = private_among(commenters, small)
    given = ("--loosen", slug, "--reason", "A control of this test")
    assert apply(archive, slug, 'privacy = "keep"', *given)["changed"]
    assert len(occurring(private, everything(archive))) > 10  # the control
    assert value_of(archive, "SELECT count(*) FROM comments")
    applied = apply(archive, slug, 'privacy = "omit"\ncomments = "none"')
    assert applied["comments"] == 0
    assert applied["unwanted"]
    assert occurring(private, everything(archive)) == []
    done = cli("rebuild", "--archive", archive)
    assert (done.code, done.err) == (0, "")
    assert value_of(archive, "SELECT count(*) FROM comments") == 0
