"""The sample clinic as a WACZ: valid to its makers' own validator, readable by others, and nobody's name in it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import ArchiveIterator

from tests.e2e.conftest import Crawled
from tests.e2e.product import column, rows, run, value_of


@pytest.fixture(scope="module")
def package(small: Crawled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wacz") / "clinic.wacz"
    done = run("clinic-archive", "wacz", "-o", path, "--archive", small.archive, cwd=path.parent)
    assert (done.code, done.err) == (0, "")
    return path


@pytest.fixture(scope="module")
def everything(package: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(package) as found:
        return {name: found.read(name) for name in found.namelist()}


def records(data: bytes) -> list[Any]:
    found = []
    for each in ArchiveIterator(io.BytesIO(data), parse_http=True):
        each.freeze()
        found.append(each)
    return found


def test_its_validator_accepts_it(package: Path, peers: Path) -> None:
    """Its exit code does not tell."""
    done = subprocess.run([peers / "wacz", "validate", "-f", package], capture_output=True, text=True, check=False)
    assert "Validation succeeded, the passed WACZ is valid" in done.stdout
    assert "failed" not in done.stdout


def test_every_post_is_a_page_with_its_text(small: Crawled, everything: dict[str, bytes]) -> None:
    header, *pages = [json.loads(line) for line in everything["pages/pages.jsonl"].decode().splitlines()]
    assert (header["format"], header["hasText"]) == ("json-pages-1.0", True)
    texts = column(small.archive, "SELECT body_text FROM revisions WHERE source = 'html' AND body_text IS NOT NULL")
    assert {page["text"] for page in pages} >= set(texts)
    assert len({(page["url"], page["ts"]) for page in pages}) == len(pages)


def test_the_index_leads_to_the_records(everything: dict[str, bytes]) -> None:
    lines = gzip.decompress(everything["indexes/index.cdx.gz"]).decode().splitlines()
    assert lines == sorted(lines) and len(lines) > 30
    for line in lines:
        entry = json.loads(line.split(" ", 2)[2])
        start = int(entry["offset"])
        member = everything[f"archive/{entry['filename']}"][start : start + int(entry["length"])]
        (record,) = records(member)
        assert record.headers["WARC-Target-URI"] == entry["url"]
        assert hashlib.sha256(member).hexdigest() == entry["recordDigest"].removeprefix("sha256:")


def test_records_are_those_of_the_archive(small: Crawled, everything: dict[str, bytes]) -> None:
    packed = everything["archive/data-00000.warc.gz"]
    for row in rows(small.archive, "SELECT * FROM captures WHERE holds_comments = 0 AND record_type != 'failure'"):
        with (small.archive / row["warc_file"]).open("rb") as file:
            file.seek(row["warc_offset"])
            assert file.read(row["warc_length"]) in packed


def test_a_revisit_never_comes_without_its_original(everything: dict[str, bytes]) -> None:
    found = records(everything["archive/data-00000.warc.gz"])
    ids = {record.record_id for record in found}
    revisits = [record for record in found if record.headers["WARC-Type"] == "revisit"]
    assert revisits
    assert {record.headers["WARC-Refers-To"] for record in revisits} <= ids


def test_nobody_who_comments_is_named_in_it(
    small: Crawled, everything: dict[str, bytes], commenters: list[str], tmp_path: Path
) -> None:
    texts = [data for name, data in everything.items() if name.endswith((".json", ".jsonl"))]
    for record in records(everything["archive/data-00000.warc.gz"]):
        body = record.reader.read()
        texts.append(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
    answer = b"\n".join(texts).decode("utf-8", "replace")
    staff = {comment["author_name"] for post in small.truth["posts"] for comment in post["comments"]
             if comment["author_kind"] == "staff"}  # fmt: skip
    assert [name for name in commenters if name in answer and name not in staff] == []
    whole = tmp_path / "whole.wacz"
    run("clinic-archive", "wacz", "-o", whole, "--archive", small.archive, "--with-comment-captures", cwd=tmp_path)
    assert whole.stat().st_size > len(b"".join(everything.values()))


def test_the_same_archive_gives_the_same_file(small: Crawled, package: Path, tmp_path: Path) -> None:
    slug = value_of(small.archive, "SELECT clinic_id FROM clinics")
    run("clinic-archive", "wacz", slug, "-o", tmp_path / "again.wacz", "--archive", small.archive, cwd=tmp_path)
    assert (tmp_path / "again.wacz").read_bytes() == package.read_bytes()


def test_it_can_be_imported(small: Crawled, package: Path, tmp_path: Path) -> None:
    done = run("clinic-archive", "import", package, "--archive", tmp_path / "a", "--url", small.url, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    wanted = column(small.archive, "SELECT title FROM posts ORDER BY title")
    assert column(tmp_path / "a", "SELECT title FROM posts ORDER BY title") == wanted


@pytest.mark.parametrize(("slug", "where", "code"), [("nobody", "x.wacz", 4), (None, "no/such/folder/x.wacz", 1)])
def test_refused_by_name(small: Crawled, tmp_path: Path, slug: str | None, where: str, code: int) -> None:
    named = [slug] if slug else []
    done = run("clinic-archive", "wacz", *named, "-o", tmp_path / where, "--archive", small.archive, cwd=tmp_path)
    assert done.code == code
    assert (slug or where) in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_record_writes_nothing(small: Crawled, tmp_path: Path) -> None:
    archive = shutil.copytree(small.archive, tmp_path / "archive")
    row = rows(archive, "SELECT * FROM captures WHERE holds_comments = 0 AND record_type = 'response' LIMIT 1")[0]
    path = archive / row["warc_file"]
    data = bytearray(path.read_bytes())
    data[row["warc_offset"] + 60] ^= 1
    path.write_bytes(data)
    done = run("clinic-archive", "wacz", "-o", tmp_path / "x.wacz", "--archive", archive, cwd=tmp_path)
    assert done.code == 6
    assert not list(tmp_path.glob("x*"))
