"""A release: the same bytes from the same archive, checked by the field's own tools, and nobody named in it."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import bagit
import frictionless
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from archive.release import bag, builder
from archive.release.register import Change, changes
from pipelines.commands import main
from tests.pipelines.test_rebuild import visit

pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
APPROVAL = '[release]\napproval = "IRB 2026-17"\nmaker = "Sleep Lab"\n'
FIRST = [("post", ("sleep", "Sleep well.", 3)), ("post", ("rest", "Rest.", 1)), ("thread", "sleep")]
SECOND = [("post", ("sleep", "Sleep better.", 5)), ("thread", "rest")]


def run(verb: str, *arguments: object, code: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(main, [*verb.split(), *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return {"err": done.stderr} if code else json.loads(done.stdout)


def release(archive: Path, name: str, *more: object, code: int = 0) -> dict[str, Any]:
    config = archive.parent / "clinics.toml"
    return run("release", name, "--archive", archive, "--clinics-file", config, "--json", *more, code=code)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two visits, the first of which was released."""
    archive = tmp_path_factory.mktemp("grown") / "archive"
    (archive.parent / "clinics.toml").write_text(APPROVAL)
    visit(archive, FIRST, "ended")
    release(archive, "first", "--to", "a colleague")
    visit(archive, SECOND, "ended")
    return archive


@pytest.fixture
def archive(grown: Path, tmp_path: Path) -> Path:
    shutil.copytree(grown, tmp_path / "archive")
    shutil.copy(grown.parent / "clinics.toml", tmp_path)
    return tmp_path / "archive"


def test_the_tools_of_the_field_accept_it(archive: Path) -> None:
    done = release(archive, "second")
    bundle = Path(done["folder"])
    bagit.Bag(str(bundle)).validate()
    report = frictionless.validate(str(bundle / "data" / "datapackage.json"))
    assert report.valid, report.flatten(["path", "rowNumber", "fieldName", "type", "message"])[:5]
    described = json.loads((bundle / "data" / "datapackage.json").read_text())
    fields = [(r["name"], f["name"]) for r in described["resources"] for f in r["schema"]["fields"]
              if not f.get("description")]  # fmt: skip
    assert fields == []
    assert described["created"] == done["date"]
    cited = yaml.safe_load((bundle / "data" / "CITATION.cff").read_text())
    assert {"cff-version", "title", "message", "authors"} <= set(cited)
    assert (cited["version"], cited["authors"], str(cited["date-released"])) == (
        "second", [{"name": "Sleep Lab"}], done["date"][:10],
    )  # fmt: skip
    with closing(sqlite3.connect(bundle / "data" / "release.db")) as db:
        for name, number in done["rows"].items():
            assert db.execute(f"SELECT count(*) FROM [{name}]").fetchone() == (number,)
            assert pq.read_metadata(bundle / "data" / "parquet" / f"{name}.parquet").num_rows == number
        assert db.execute("SELECT views FROM readings ORDER BY read_at, post").fetchall() != []
        ((revision,),) = db.execute("SELECT revision FROM posts WHERE title = 'On rest'").fetchall()
        assert revision.startswith("/riverside/rest/2")
    assert done["rows"]["comments"] > 0
    everything = b"".join(files(bundle).values())
    assert [word for word in (b"Vega", b"Roe", b"warc.gz", str(archive).encode()) if word in everything] == []


def test_the_same_archive_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    """Built twice, after rebuild, after backup and restore."""
    first = Path(release(archive, "second")["folder"])
    again = Path(release(archive, "second", "-o", tmp_path / "again")["folder"])
    assert files(again) == files(first)
    run("backup", tmp_path / "backup", "--archive", archive, "--json")
    run("restore", tmp_path / "backup", "--archive", tmp_path / "restored", "--json")
    run("rebuild", "--archive", archive, "--json")
    for number, folder in enumerate((archive, tmp_path / "restored")):
        assert files(Path(release(folder, "second", "-o", tmp_path / f"n{number}")["folder"])) == files(first)
    assert [entry["name"] for entry in run("release list", "--archive", archive, "--json")["releases"]] == [
        "first", "second",
    ]  # fmt: skip


def test_changes_are_counted_by_table(archive: Path) -> None:
    first = (archive / "releases" / "first" / "data" / "CHANGES.md").read_text()
    text = (Path(release(archive, "second")["folder"]) / "data" / "CHANGES.md").read_text()
    assert "first release" in first
    assert "since release first" in text
    assert "| posts | 2 | 0 | 0 | 1 |" in text or "| posts | 2 | 0 | 0 | 2 |" in text
    assert "| revisions | 3 | 1 | 0 | 0 |" in text


def test_row_hashes_tell_added_removed_and_changed() -> None:
    def rows(**by_key: str) -> bytes:
        return f"t {len(by_key)}\n".encode() + b"".join(f"{k:8}{v:8}".encode() for k, v in by_key.items())

    assert list(changes(rows(a="1", b="1", c="1"), rows(b="1", c="2", d="1"))) == [Change("t", 3, 1, 1, 1)]


def test_texts_of_comments_need_an_approval(archive: Path) -> None:
    config = archive.parent / "clinics.toml"
    config.write_text('[release]\nmaker = "Sleep Lab"\n')
    assert "approval" in release(archive, "text", "--comments", "text", code=4)["err"]
    config.write_text(APPROVAL)
    bundle = Path(release(archive, "text", "--comments", "text")["folder"])
    assert "IRB 2026-17" in (bundle / "data" / "DATASHEET.md").read_text()
    with closing(sqlite3.connect(bundle / "data" / "release.db")) as db:
        people = db.execute("SELECT post, author FROM comments WHERE author IS NOT NULL").fetchall()
        assert len({post for post, _ in people}) == 2
        assert all(not {a for p, a in people if p != post} & {author} for post, author in people)  # one a thread
    everything = b"".join(files(bundle).values())
    assert [word for word in (b"Vega", b"Ada Roe") if word in everything] == []


def test_a_takedown_says_which_releases_hold_it(archive: Path) -> None:
    """By what the register has of them: the second has a comment that the first lacks."""
    release(archive, "second", "--to", "a journal")
    with closing(sqlite3.connect(archive / "archive.db")) as db:
        posts = dict(db.execute("SELECT slug, url FROM posts"))
        new = "SELECT platform_comment_id, c.author FROM comments AS c JOIN posts USING (post_id) WHERE slug = 'rest'"
        comment, person = db.execute(f"{new} AND c.author LIKE 'reader-%' LIMIT 1").fetchone()

    def found(subject: str, *more: str) -> dict[str, Any]:
        return run(
            "takedown add", subject, "--grade", "hide", "--reason", "asked", "--archive", archive, *more, "--json"
        )

    assert found(posts["sleep"])["releases"] == ["first", "second"]
    assert found(comment)["releases"] == ["second"]
    assert found(person)["releases"] == ["first", "second"]  # who wrote in both threads
    assert found("riverside")["releases"] == ["first", "second"]
    answer = (
        CliRunner()
        .invoke(main, ["takedown", "add", comment, "--grade", "hide", "--reason", "asked", "--archive", str(archive)])
        .stdout
    )
    assert "also in releases second (a journal)" in answer
    found(posts["sleep"], "--yes")
    (listed,) = run("takedown list", "--archive", archive, "--json")["takedowns"]
    assert listed["releases"] == ["first", "second"]
    release(archive, "third")
    (archive / "study" / "release.key").unlink()
    assert found(comment)["releases"] == ["first", "second", "third"]  # nobody can tell: the clinic is in all


def test_a_release_that_was_touched_is_found(archive: Path) -> None:
    bundle = Path(release(archive, "second")["folder"])
    assert run("release verify", bundle, "--archive", archive, "--json")["registered"] is True
    with (bundle / "data" / "csv" / "posts.csv").open("ab") as file:
        file.write(b"more")
    (bundle / "data" / "new.txt").write_text("")
    (bundle / "data" / "LICENCE.txt").unlink()
    err = run("release verify", bundle, "--archive", archive, code=6)["err"]
    assert [
        word for word in ("posts.csv: changed", "new.txt: not part", "LICENCE.txt: missing") if word not in err
    ] == []


def test_links_are_no_part_of_a_sealed_folder(tmp_path: Path) -> None:
    folder, other = tmp_path / "sealed", tmp_path / "other"
    for path in (folder / "data" / "warc" / "a.gz", folder / "data" / "b.txt", other / "c.txt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("bytes")
    bag.seal(folder, {})
    (tmp_path / "link").symlink_to(folder)
    assert bag.verify(folder) == bag.verify(tmp_path / "link") == []
    (folder / "data" / "log").symlink_to(other)
    (folder / "data" / "nowhere").symlink_to("none")
    (folder / "data" / "warc").rename(tmp_path / "warc")
    (folder / "data" / "warc").symlink_to(tmp_path / "warc")
    (folder / "tagmanifest-sha256.txt").rename(tmp_path / "tags")
    (folder / "tagmanifest-sha256.txt").symlink_to(tmp_path / "tags")
    assert bag.verify(folder) == [
        "data/warc/a.gz: not a file of this folder",
        "data/log: not part of the folder as it was sealed",
        "data/nowhere: not part of the folder as it was sealed",
        "data/warc: not part of the folder as it was sealed",
        "tagmanifest-sha256.txt: not part of the folder as it was sealed",
    ]


def test_what_cannot_be_released_is_refused_by_name(archive: Path, tmp_path: Path) -> None:
    bundles = archive / "releases"
    assert "exists" in release(archive, "first", code=4)["err"]
    assert "other content" in release(archive, "first", "-o", tmp_path / "other", code=4)["err"]
    assert "not a name" in release(archive, "../x", code=2)["err"]
    key = archive / "study" / "release.key"
    key.write_text(f"{'0' * 64}\n")
    assert "not the key of first" in release(archive, "second", code=4)["err"]
    key.unlink()
    assert "restore it from your backup" in release(archive, "second", code=4)["err"]
    assert not key.exists()
    assert {path.name for path in bundles.iterdir()} == {"first", ".lock"}
    assert not (tmp_path / "other").exists()


def test_an_empty_archive_has_no_release(tmp_path: Path, template: Path) -> None:
    shutil.copytree(template, tmp_path / "empty")
    assert "no post" in release(tmp_path / "empty", "first", code=4)["err"]
    assert [path.name for path in (tmp_path / "empty" / "releases").iterdir()] == [".lock"]


def test_a_full_disk_leaves_nothing(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(builder, "seal", full)
    assert "free some space" in release(archive, "second", code=1)["err"]
    assert {path.name for path in (archive / "releases").iterdir()} == {"first", ".lock"}
    assert {path.stem for path in (archive / "study" / "releases").iterdir()} == {"first"}


def test_no_local_key_is_in_a_release(archive: Path) -> None:
    """Of whatever table: a number that ends in _id is valid in one file only."""
    bundle = Path(release(archive, "second")["folder"])
    with closing(sqlite3.connect(bundle / "data" / "release.db")) as db:
        found = db.execute(
            "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table' AND"
            " c.type = 'INTEGER' AND c.name LIKE '%\\_id' ESCAPE '\\'"
        ).fetchall()
    assert found == []


def test_the_newest_reading_of_a_text_is_given(archive: Path) -> None:
    """By the kind that the oldest had, as after a rebuild."""
    with closing(sqlite3.connect(archive / "archive.db")) as db, db:
        db.execute(
            "INSERT INTO revisions SELECT 99, post_id, capture_id, 'extractor', source, captured_at,"
            " 'ffffffff' || substr(content_sha256, 9), title, author, 'Sleep very well.', body_html, word_count,"
            " modified_at, extractor_version + 1 FROM revisions ORDER BY revision_id LIMIT 1"
        )
    bundle = Path(release(archive, "second")["folder"])
    with closing(sqlite3.connect(bundle / "data" / "release.db")) as db:
        texts = db.execute("SELECT kind, body_text FROM revisions WHERE post LIKE '%sleep' ORDER BY captured_at")
        assert [text for _, text in texts.fetchall()] == ["Sleep very well.", "Sleep better."]
        assert db.execute("SELECT kind FROM revisions WHERE revision LIKE '%-ffffffff'").fetchall() == [("first",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
