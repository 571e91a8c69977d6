"""The sheets that coders fill in: one a coder, each a share of a sample, part of which all of them code.

Which units a coder gets, and in which order, follows from the seed alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from archive.study.answers import CONSENSUS, WORDS
from archive.study.cells import SHEET
from archive.study.codebook import CodeBook
from archive.study.folder import BadStudyFile
from archive.study.sample import Sample, SamplingUnit, order
from archive.study.texts import Texts

MAX_UNITS = 32_000  # UTF-16 units of a text in one cell; Excel's limit is 32,767
WIDTHS = {"unit": 14, "clinic": 16, "permalink": 30, "title": 30, "text": 100, "note": 30}
LINE, HIGHEST = 15.0, 300.0  # points; Excel's limit is 409
TECHNICAL = ("coder", "sample", "codebook")  # the last columns, which are hidden
BLINDING = ("clinic", "permalink")  # columns that name the clinic
_LONGEST_HELP = 255  # characters of a message beside a cell, Excel's limit


@dataclass(frozen=True, slots=True)
class Handout:
    """What a sheet is made of. `blind`: without the columns that name the clinic."""

    sample: Sample
    codebook: CodeBook
    blind: bool = False


def shares(
    units: Sequence[SamplingUnit], coders: Sequence[str], overlap: float, seed: int
) -> dict[str, list[SamplingUnit]]:
    """Return the units of each coder, in an order of the coder's own.

    `overlap`: the share of the units, 0 to 1, that every coder gets; at least one where it is above 0. The others are
    dealt out in turn.
    """
    dealt = _shuffled(units, seed, "\0deal")
    number = min(ceil(round(overlap * len(units), 9)), len(units))
    common, rest = dealt[:number], dealt[number:]
    dealt_out = {coder: [*common, *rest[place :: len(coders)]] for place, coder in enumerate(coders)}
    return {coder: _shuffled(units, seed, coder) for coder, units in dealt_out.items()}


def _shuffled(units: Sequence[SamplingUnit], seed: int, key: str) -> list[SamplingUnit]:
    return sorted(units, key=lambda unit: order(seed, key, unit.unit))


def sheet_rows(handout: Handout, coder: str, units: Iterable[SamplingUnit], texts: Texts) -> Iterator[dict[str, str]]:
    """Yield the columns of each unit by name, without those of the codes.

    Raises `BadStudyFile` where the archive no longer has a text, `sqlite3.Error`.
    """
    for unit in units:
        text = texts.exact(unit.clinic_id, unit.address, unit.text_sha256)
        if text is None:
            raise BadStudyFile(
                f"{handout.sample.file}: unit {unit.unit} ({unit.permalink}): this archive no longer has the text that"
                " was drawn; draw a new sample"
            )
        row = {
            "unit": unit.unit,
            "clinic": unit.clinic_id,
            "permalink": unit.permalink,
            "title": unit.title or "",
            "text": text.body,
            "coder": coder,
            "sample": handout.sample.digest,
            "codebook": handout.codebook.digest,
        }
        yield {name: value for name, value in row.items() if not (handout.blind and name in BLINDING)}


def split_text(text: str, most: int = MAX_UNITS) -> list[str]:
    """Return a text in parts of at most `most` UTF-16 units, none of which ends within a pair of surrogates."""
    found, start, size = [], 0, 0
    for place, character in enumerate(text):
        width = 2 if ord(character) > 0xFFFF else 1
        if size + width > most:
            found.append(text[start:place])
            start, size = place, 0
        size += width
    return [*found, text[start:]]


def write_sheet(
    path: Path, codebook: CodeBook, rows: Sequence[Mapping[str, str]], codes: Sequence[Mapping[str, str]] = ()
) -> None:
    """Write an XLSX file that must not exist, with a drop-down for each code; every cell is text, never a formula.

    `codes`: for each row the cells that are filled in already; columns that no code has come after the codes, as notes
    for the coder. Raises `FileExistsError`, OSError.
    """
    if path.exists():
        raise FileExistsError(f"{path}: exists, and may hold a coder's work; name another folder or file")
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    part = path.with_name(path.name + ".part")
    try:
        with xlsxwriter.Workbook(part, options) as workbook:
            _fill(workbook, codebook, rows, codes)
        part.replace(path)
    except xlsxwriter.exceptions.FileCreateError as error:
        raise OSError(f"{path}: cannot be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def _fill(
    workbook: Any, codebook: CodeBook, rows: Sequence[Mapping[str, str]], codes: Sequence[Mapping[str, str]]
) -> None:
    sheet = workbook.add_worksheet(SHEET)
    bold, wrapped = workbook.add_format({"bold": True}), workbook.add_format({"text_wrap": True, "valign": "top"})
    texts = [split_text(row["text"]) for row in rows]
    columns = _columns(codebook, rows, max(map(len, texts), default=1), codes)
    for place, name in enumerate(columns):
        hidden = {"hidden": name in TECHNICAL}
        sheet.set_column(place, place, WIDTHS.get(name.split(" ")[0], max(len(name) + 2, 12)), wrapped, hidden)
        sheet.write_string(0, place, name, bold)
    for number, row in enumerate(rows, 1):
        sheet.set_row(number, _height(texts[number - 1]))
        filled = codes[number - 1] if codes else {}
        more = {"text" if place == 0 else f"text {place + 1}": text for place, text in enumerate(texts[number - 1])}
        for place, name in enumerate(columns):
            value = {**row, **more, **filled}.get(name)
            if value:
                sheet.write_string(number, place, value, wrapped)
    sheet.freeze_panes(1, 1)
    _add_choices(workbook, sheet, codebook, columns, len(rows))


def _height(text: Sequence[str]) -> float:
    """The height of a row in points: all lines of its text, up to `HIGHEST`, so that a long post fills no screen."""
    lines = max(part.count("\n") + len(part) // WIDTHS["text"] + 1 for part in text)
    return min(LINE * lines, HIGHEST)


def _columns(
    codebook: CodeBook, rows: Sequence[Mapping[str, str]], texts: int, codes: Sequence[Mapping[str, str]]
) -> list[str]:
    names = [name for name in (rows[0] if rows else {}) if name not in (*TECHNICAL, "text")]
    names += ["text", *(f"text {number}" for number in range(2, texts + 1))]
    own = [name for code in codebook.codes for name in (code.code, *([code.code + WORDS] if code.words else []))]
    more = dict.fromkeys(name for row in codes for name in row if name not in own)
    return [*names, *own, *more, "note", *TECHNICAL]


def _add_choices(workbook: Any, sheet: Any, codebook: CodeBook, columns: Sequence[str], rows: int) -> None:
    """The code book as a sheet of its own, from which the drop-downs take their values."""
    codes = workbook.add_worksheet("codes")
    bold = workbook.add_format({"bold": True})
    for place, name in enumerate(("code", "value", "label", "level", "description")):
        codes.set_column(place, place, (16, 20, 30, 12, 100)[place])
        codes.write_string(0, place, name, bold)
    row = 1
    for code in codebook.codes:
        first = row
        for value in code.values:
            about = (code.code, value, code.label, code.level, code.description)
            for place, text in enumerate(about if row == first else about[:2]):
                codes.write_string(row, place, text or "")
            row += 1
        offered = ", ".join(code.values)
        place = columns.index(code.code)
        sheet.data_validation(
            1,
            place,
            max(rows, 1),
            place,
            {
                "validate": "list",
                "source": f"=codes!$B${first + 1}:$B${row}",
                "input_title": code.code[:32],
                "input_message": _shortened(code.description or offered),
                "error_title": "Not in the code book",
                "error_message": _shortened(f"Choose one of: {offered}"),
            },
        )


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_HELP else f"{text[: _LONGEST_HELP - 1]}…"


def check_coders(coders: Sequence[str]) -> None:
    """Raise `BadStudyFile` for names that cannot stand in a sheet."""
    faults = [
        f"{coder[:40]!r} is no name for a coder: write up to 60 characters"
        for coder in coders
        if not coder.strip() or len(coder) > 60 or not coder.isprintable() or coder != " ".join(coder.split())
    ]
    if CONSENSUS in [coder.casefold() for coder in coders]:
        faults.append(f"{CONSENSUS!r} is the coder of reconciled codes; `clinic-archive coding disagreements` makes it")
    if len({coder.casefold() for coder in coders}) < len(coders):
        faults.append("a coder is named twice")
    if faults:
        raise BadStudyFile(*faults)
