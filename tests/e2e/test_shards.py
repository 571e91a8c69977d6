"""A frame on two machines: each clinic is visited by one of them, and the merged archive has what both recorded."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from scraper.config.shard import Shard
from tests.e2e.hostile import Blog, serving
from tests.e2e.product import Done, column, run, value_of

SLUGS = ("riverside", "hill", "lake")
PARTS = {number: [slug for slug in SLUGS if Shard(number, 2).has(slug)] for number in (1, 2)}
OWNER = '[crawler]\ncontact = "a@uni.example"\nproject_url = "https://uni.example"\n'


def verb(folder: Path, *arguments: str) -> Done:
    return run("clinic-archive", *arguments, cwd=folder)


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards with one key, each crawled, and merged into `whole`."""
    folder = tmp_path_factory.mktemp("frame")
    with ExitStack() as stack:
        text = OWNER
        for slug in SLUGS:
            blog = stack.enter_context(serving(Blog()))
            text += f'[clinics.{slug}]\nname = "{slug}"\nurl = "{blog.url}"\nallow_private = true\n'
        (folder / "clinics.toml").write_text(text)
        assert verb(folder, "crawl", "--shard", "1/2", "--archive", "one").code == 0
        found = verb(folder, "shard", "init", "--key", "one/pseudonym.key", "--archive", "two", "--json")
        (folder / "clinics.toml").write_text(f'{text}[shards]\nkey_id = "{found.json["key_id"]}"\n')
        assert verb(folder, "crawl", "--shard", "2/2", "--archive", "two").code == 0
        assert verb(folder, "merge", "one", "two", "--archive", "whole").code == 0
    return folder


def test_each_clinic_is_in_one_shard(frame: Path) -> None:
    assert all(PARTS.values())
    for name, slugs in (("one", PARTS[1]), ("two", PARTS[2])):
        assert sorted(column(frame / name, "SELECT clinic_id FROM clinics")) == sorted(slugs)
        assert value_of(frame / name, "SELECT count(*) FROM posts") > 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT capture_id || warc_file || warc_offset FROM captures",
        "SELECT clinic_id || url || title FROM posts",
        "SELECT content_sha256 || captured_at FROM revisions",
        "SELECT crawl_id || clinic_id || status FROM clinic_runs",
    ],
)
def test_the_whole_has_what_both_have(frame: Path, sql: str) -> None:
    both = [*column(frame / "one", sql), *column(frame / "two", sql)]
    assert sorted(column(frame / "whole", sql)) == sorted(both) != []


def test_the_whole_is_verified_and_merged_again_is_the_same(frame: Path) -> None:
    assert verb(frame, "verify", "--archive", "whole").code == 0
    before = value_of(frame / "whole", "SELECT count(*) FROM captures")
    assert verb(frame, "merge", "one", "two", "--archive", "whole").code == 0
    assert value_of(frame / "whole", "SELECT count(*) FROM captures") == before


def test_both_are_reported_as_the_whole(frame: Path) -> None:
    both, whole = (("--archive", "one", "--archive", "two", "--json"), ("--archive", "whole", "--json"))
    for name in ("coverage", "clinics list"):
        apart, together = (verb(frame, *name.split(), *where).json for where in (both, whole))
        assert apart.pop("archives", None) != together.pop("archive", None) or name == "clinics list"
        assert apart == together
    apart, together = (verb(frame, "status", *where).json for where in (both, whole))
    assert apart["stale"] == together["stale"] == []
    assert set(apart["clinics"]) == set(SLUGS)


def test_a_lake_has_the_rows_of_both(frame: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    both = ("--archive", "one", "--archive", "two", "--archive", "one/../one")
    done = verb(frame, "export", "--lake", "lake", *both, "--json")
    assert done.code == 0, done.err
    for table in ("posts", "captures", "clinic_runs", "clinics_overview"):
        assert done.json["tables"][table]["rows"] == value_of(frame / "whole", f"SELECT count(*) FROM {table}")
    again = verb(frame, "export", "--lake", "lake", *both, "--json").json["tables"]
    assert sum(table["written"] for table in again.values()) == 0
    refused = verb(frame, "export", "--lake", "lake", "--archive", "one", "--archive", "whole")
    assert (refused.code, "`clinic-archive merge`" in refused.err) == (4, True)


@pytest.mark.parametrize("arguments", [("posts", "--lake", "lake"), ("posts", "--archive", "one", "--archive", "two")])
def test_a_lake_stands_alone_and_only_it_takes_several_archives(frame: Path, arguments: tuple[str, ...]) -> None:
    assert verb(frame, "export", *arguments).code == 2


def test_shards_with_two_keys_are_refused_before_anything_is_written(frame: Path) -> None:
    assert verb(frame, "crawl", "--shard", "1/2", "--archive", "other", "--clinics-file", "none.toml").code == 4
    (frame / "other.toml").write_text(OWNER)
    closed = '[clinics.gone]\nname = "Gone"\nurl = "http://127.0.0.1:9"\nallow_private = true\nclosed = 2020-01-01\n'
    (frame / "other.toml").write_text(OWNER + closed)
    assert verb(frame, "crawl", "--archive", "other", "--clinics-file", "other.toml").code == 0
    done = verb(frame, "merge", "one", "other", "--archive", "refused")
    assert done.code == 4
    assert "two keys for the pseudonyms of one archive" in done.err
    assert not list((frame / "refused").rglob("*.warc.gz"))


def test_an_archive_with_another_key_is_not_crawled(frame: Path) -> None:
    text = (frame / "clinics.toml").read_text()
    (frame / "wrong.toml").write_text(text.replace("key_id = ", 'key_id = "0123456789abcdef" # '))
    done = verb(frame, "crawl", "--shard", "1/2", "--archive", "one", "--clinics-file", "wrong.toml")
    assert (done.code, "people would have two pseudonyms" in done.err) == (4, True)


def test_a_new_archive_gets_no_key_of_its_own_before_that_of_the_frame(frame: Path) -> None:
    done = verb(frame, "crawl", "--shard", "1/2", "--archive", "three")
    assert (done.code, "`clinic-archive shard init`" in done.err) == (4, True)
    assert not (frame / "three").exists()
    assert verb(frame, "shard", "init", "--key", "one/pseudonym.key", "--archive", "three").code == 0


@pytest.mark.parametrize("arguments", [("merge", "nowhere"), ("merge", "one", "--archive", "one")])
def test_no_archive_or_the_same(frame: Path, arguments: tuple[str, ...]) -> None:
    assert verb(frame, *arguments).code in (2, 4)
