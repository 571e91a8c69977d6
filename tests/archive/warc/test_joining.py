"""Files that are joined: what the new one begins with, and how much memory it takes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from archive.warc import Info, Note, Writer, records
from archive.warc.joining import head_of, is_whole, join, joined_in, joined_names
from tests.archive.warc.test_warc import NOON, exchange
from tests.memory import forget_peak, megabytes

MEGABYTE = 1 << 20


def written(folder: Path, crawl_id: str, *bodies: bytes) -> Path:
    with Writer(folder, "riverside", crawl_id, {"software": "x"}, last=None) as writer:
        for body in bodies:
            writer.write_exchange(exchange(body=body, response_headers=[(b"Content-Type", b"image/png")]))
    return next((folder / "warc" / "riverside").glob(f"*-{crawl_id[:8]}-*"))


def joined(folder: Path, *paths: Path, name: str = "new.warc.gz") -> tuple[Path, dict[Path, int]]:
    target = paths[0].with_name(name)
    given = {"pack_id": "0" * 32, "clinic_id": "riverside", "software": "x"}
    return target, join(paths, target, name=name, **given)


def test_a_head_names_all_files(tmp_path: Path) -> None:
    one, two, three = (written(tmp_path, f"{number:08}", b"x") for number in range(3))
    first, shifts = joined(tmp_path, one, two)
    head = head_of(first)
    assert head is not None
    assert (head.files, head.size) == ((one.name, two.name), shifts[one])
    second, shifts = joined(tmp_path, first, three, name="newer.warc.gz")
    again = head_of(second)
    assert again is not None
    assert again.files == (one.name, two.name, first.name, three.name)
    assert shifts[first] == again.size - head.size  # the former head is not copied
    infos = [record for record in records(second) if isinstance(record, Info)]
    assert [record.filename for record in infos] == ["newer.warc.gz", one.name, two.name, three.name]
    assert joined_in(one.parent) == {one.name, two.name, three.name, first.name}
    assert head_of(one) is None
    with pytest.raises(FileExistsError):
        joined(tmp_path, one, two)


@pytest.mark.parametrize(
    "text", ["", "[", "{}", "[" * 99_999, json.dumps(["../a.warc.gz", "a/b.warc.gz", 7, None, "x"])]
)
def test_a_head_that_no_pack_wrote_names_nothing(text: str) -> None:
    assert joined_names(Note("", "joined", NOON, "", 0, 0, {"files": text})) == ()
    assert joined_names(Note("", "joined", NOON, "", 0, 0, {})) == ()


def test_memory_is_bounded(tmp_path: Path) -> None:
    chance = random.Random(1)
    bodies = [chance.randbytes(MEGABYTE) for _ in range(8)]
    paths = [written(tmp_path, f"{number:08}", *bodies) for number in range(5)]
    del bodies
    forget_peak()
    before = megabytes("VmRSS")
    target, _ = joined(tmp_path, *paths)
    assert target.stat().st_size > 40 * MEGABYTE
    assert megabytes("VmHWM") - before < 20
    assert is_whole(target)
