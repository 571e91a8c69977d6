"""Code books, strata, the parts of long texts, offsets in UTF-16: what needs no archive."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.study.codebook import read_codebook
from archive.study.draw import allocate
from archive.study.folder import BadStudyFile, StudyFile, plain
from archive.study.label_studio import code_points
from archive.study.sample import Sample, SamplingUnit, list_sha256, read_sample
from archive.study.sheets import check_coders, shares, split_text
from tests.scaling import assert_linear

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.just("\U0001f9e0"), max_size=40)


def test_a_code_book_is_the_same_as_toml_and_as_csv() -> None:
    toml = read_codebook(
        StudyFile(
            "b.toml",
            b'[[codes]]\ncode = "risk"\nlabel = "Risk"\nvalues = ["yes", "no"]\nwords = true\n[[codes]]\n'
            b'code = "force"\nvalues = [1, 2]\nlevel = "ordinal"\n',
        ),
        "Claims",
    )
    csv = read_codebook(
        StudyFile(
            "b.csv",
            b"\xef\xbb\xbfcode;value;label;level;words\r\nrisk;yes;Risk;;true\r\nrisk;no;;;\r\n\r\nforce;1;;ordinal;\r\n"
            b"force;2;;;\r\n",
        ),
        "Claims",
    )
    assert (csv.codes, csv.name) == (toml.codes, toml.name)
    assert [(code.code, code.values, code.level, code.words) for code in toml.codes] == [
        ("risk", ("yes", "no"), "nominal", True), ("force", ("1", "2"), "ordinal", False)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no codes"),
        ("codes = 1", "no codes"),
        ("codes = [1]", "is no section"),
        ('[[codes]]\ncode = "text"\nvalues = ["a", "b"]', "no name for a code"),
        ('[[codes]]\ncode = "Risk 1"\nvalues = ["a", "b"]', "no name for a code"),
        ('[[codes]]\ncode = "risk"\nvalues = ["a"]', "1 values"),
        ('[[codes]]\ncode = "risk"\nvalues = ["a", "A"]', "there twice"),
        ('[[codes]]\ncode = "risk"\nvalues = ["a", "b\\n"]\nlevel = "ratio"', "write nominal or ordinal"),
        ('[[codes]]\ncode = "risk"\nvalues = "a"', "must be a list"),
        ('[[codes]]\ncode = "risk"\nvalues = ["a", "b"]\ncolour = "red"', "unknown key 'colour'"),
        ('[[codes]]\ncode = "risk"\nvalues = ["a", "b"]\n' * 2, "defined twice"),
        (
            '[[codes]]\ncode = "risk"\nvalues = ["a", "b"]\nwords = true\n'
            '[[codes]]\ncode = "risk_words"\nvalues = ["a", "b"]\n',
            "has the name of the labels",
        ),
        ("name = ", "cannot be read as TOML"),
    ],
)
def test_what_is_wrong_with_a_code_book_is_said(text: str, why: str) -> None:
    with pytest.raises(BadStudyFile, match=r"^b\.toml: ") as found:
        read_codebook(StudyFile("b.toml", text.encode()), "b")
    assert why in str(found.value)


@given(st.dictionaries(st.text("abcd", min_size=1, max_size=2), st.integers(1, 40), min_size=1), st.integers(1, 60))
def test_strata_get_their_share(sizes: dict[str | None, int], number: int) -> None:
    drawn = allocate(sizes, number)
    total = min(number, sum(sizes.values()))
    assert sum(drawn.values()) == total
    assert all(0 <= drawn[name] <= sizes[name] for name in sizes)
    if total >= len(sizes):
        assert min(drawn.values()) >= 1


def test_a_proportional_share_is_exact_where_it_can_be() -> None:
    assert allocate({"a": 50, "b": 30, "c": 20}, 10) == {"a": 5, "b": 3, "c": 2}
    assert allocate({"a": 98, "b": 1, "c": 1}, 10) == {"a": 8, "b": 1, "c": 1}


@given(TEXT, st.integers(2, 7))
def test_the_parts_of_a_text_are_whole_characters(text: str, most: int) -> None:
    found = split_text(text, most)
    assert "".join(found) == text
    assert all(len(part.encode("utf-16-le")) <= 2 * most for part in found)


@given(TEXT, st.data())
def test_offsets_of_javascript_become_code_points(text: str, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(text)))
    assert code_points(text, len(text[:number].encode("utf-16-le")) // 2) == number
    assert code_points(text, len(text.encode("utf-16-le")) // 2 + 1) is None


def test_an_offset_within_a_character_is_none() -> None:
    assert [code_points("a\U0001f9e0b", place) for place in range(5)] == [0, 1, None, 2, 3]


def sample_of(number: int) -> Sample:
    units = [
        SamplingUnit(str(place), "a", str(place), "", None, "", "", None, number, number) for place in range(number)
    ]
    data = {
        "clinic-archive sample": 1, "units": [asdict(unit) for unit in units], "seed": 7, "where": None, "by": None,
        "as_of": "", "frame": number, "frame_sha256": "",
        "units_sha256": list_sha256((unit.clinic_id, unit.address) for unit in units),
    }  # fmt: skip
    return read_sample(StudyFile("s.json", json.dumps(data).encode()), "s")


def test_all_units_of_a_sample_are_found_in_time_by_their_number() -> None:
    samples = {number: sample_of(number) for number in (2_500, 20_000)}

    def look_up(number: int) -> None:
        sample = samples[number]
        assert [sample.unit(unit.unit) for unit in sample.units] == list(sample.units)

    assert_linear(look_up, 20_000)
    assert samples[2_500].unit("none") is None


def test_units_are_dealt_out_by_the_seed() -> None:
    units = [
        SamplingUnit(f"u{number}", "riverside", f"a{number}", "/", None, "", "", None, 10, 10) for number in range(10)
    ]
    given = shares(units, ["anna", "ben", "cleo"], 0.2, 7)
    assert given == shares(units, ["anna", "ben", "cleo"], 0.2, 7)
    assert given != shares(units, ["anna", "ben", "cleo"], 0.2, 8)
    names = {coder: {unit.unit for unit in each} for coder, each in given.items()}
    assert len(names["anna"] & names["ben"] & names["cleo"]) == 2
    assert sorted(map(len, names.values())) == [4, 5, 5]
    assert set().union(*names.values()) == {unit.unit for unit in units}
    assert [unit.unit for unit in given["anna"]] != sorted(names["anna"])


@pytest.mark.parametrize("coders", [["consensus"], ["Consensus"], [""], ["a" * 61], ["a\nb"], ["anna", "Anna"]])
def test_names_that_no_coder_may_have(coders: list[str]) -> None:
    with pytest.raises(BadStudyFile):
        check_coders(coders)


def test_names_of_files_are_plain() -> None:
    assert [plain(name) for name in ("Anna's sheet (1)", "../../x", "日本")] == ["Anna-s-sheet-1", "x", "file"]
