"""Tasks 27 to 30: a frame, a sample, two coders, data to cite; and that the page has thirty tasks, each with a test."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path

import openpyxl
import pytest

from tests.docs.markdown import ROOT
from tests.tasks import known, test_numbers, test_words
from tests.tasks.known import ALL, CLINICS, Known
from tests.tasks.recipes import follow, recipes, run

CODE_BOOK = """
name = "Claims"

[[codes]]
code = "cure"
description = "Whether the text says that ketamine eases low mood."
values = ["yes", "no"]
"""


def test_27_a_frame_of_ten_without_slugs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "clinics.toml", tmp_path)
    names = [f"Mill Street {number}" for number in range(8)] + ["Twin Clinic", "Twin Clinic"]
    rows = [f"{name},https://c{place}.example,{'NY' if place % 2 else 'CA'}" for place, name in enumerate(names)]
    Path("frame.csv").write_text("\n".join(["name,url,state", *rows]), "utf-8")
    follow(27)
    made = tomllib.loads(Path("clinics.toml").read_text("utf-8"))["clinics"]
    slugs = [*(f"mill-street-{number}" for number in range(8)), "twin-clinic", "twin-clinic-2"]
    assert {slug: (stanza["name"], stanza["attributes"]["state"]) for slug, stanza in made.items()} == {
        slug: (name, "NY" if place % 2 else "CA") for place, (slug, name) in enumerate(zip(slugs, names, strict=True))
    }


def drawn(folder: Path) -> bytes:
    (sample,) = (folder / "var" / "study" / "samples").iterdir()
    return sample.read_bytes()


def test_28_a_sample_drawn_twice(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    follow(28)
    first = drawn(copy)
    frozen = json.loads(first)
    again = tmp_path_factory.mktemp("again")
    known.make(again / "var")  # another archive.db of the same captures
    run(f"{recipes()[28].typed[0]} --archive {again / 'var'}")
    assert drawn(again) == first
    assert frozen["frame"] == len(ALL)
    assert {(each["frame"], each["drawn"]) for each in frozen["strata"]} == {(40, 4)}
    assert len({unit["address"] for unit in frozen["units"]}) == 20


def test_29_two_coders_to_alpha(copy: Path) -> None:
    """The coders agree on 6 of 8 posts: "yes" is given three times by each."""
    Path("claims.toml").write_text(CODE_BOOK, "utf-8")
    run("clinic-archive sample --n 8 --seed 1")
    coders = "--coder a --coder b --overlap 100%"
    run(f"clinic-archive coding sheet --codebook claims.toml --sample n8-seed1 {coders} -o sheets")
    order: list[str] = []
    for coder, yes in (("a", {0, 1, 2}), ("b", {0, 1, 3})):
        path = Path(f"sheets/n8-seed1-{coder}.xlsx")
        workbook = openpyxl.load_workbook(path)
        sheet = workbook["coding"]
        place = {cell.value: cell.column for cell in sheet[1]}
        order = order or [str(sheet.cell(row, place["permalink"]).value) for row in range(2, sheet.max_row + 1)]
        for row in range(2, sheet.max_row + 1):
            number = order.index(str(sheet.cell(row, place["permalink"]).value))
            sheet.cell(row, place["cure"]).value = "yes" if number in yes else "no"
        workbook.save(path)
    run("clinic-archive coding import sheets/n8-seed1-a.xlsx sheets/n8-seed1-b.xlsx")
    (code,) = json.loads(follow(29))["codes"]
    # By hand: 16 values, 6 "yes", 10 "no"; observed disagreement 2 / 8, expected 2 * 6 * 10 / (16 * 15).
    assert code["n"] == 8
    assert code["percent"]["value"] == pytest.approx(75.0)
    assert code["alpha_nominal"]["value"] == pytest.approx(1 - (2 / 8) / (2 * 6 * 10 / (16 * 15)))


def test_30_data_to_cite(copy: Path) -> None:
    follow(30)
    release = copy / "var" / "releases" / "2026-11"
    cited = (release / "data" / "CITATION.cff").read_text("utf-8")
    assert "cff-version" in cited and "2026-11" in cited
    assert json.loads(run(f"clinic-archive release verify {release} --json"))["faults"] == []
    posts = (release / "data" / "csv" / "posts.csv").read_text("utf-8")
    assert posts.count(".example/post/note-") >= len(ALL)
    assert "roe@example.org" not in posts


def test_the_page_has_thirty_tasks_and_each_a_test() -> None:
    tests = [name for module in (test_words, test_numbers) for name in vars(module)] + list(globals())
    numbers = [int(found[1]) for name in tests if (found := re.match(r"test_(\d\d)_", name))]
    assert sorted(recipes()) == sorted(numbers) == list(range(1, 31))


def test_the_known_archive_is_what_it_says() -> None:
    assert (len(ALL), len(CLINICS), len(known.EDITS)) == (200, 5, 40)
    assert all(Known(*each) in ALL for each in known.EDITS)
