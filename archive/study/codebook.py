"""A code book: the codes of a study, each with the values that a coder chooses from. People write it as TOML or CSV.

    name = "Claims"

    [[codes]]
    code = "risk"
    label = "States a risk"
    description = "Yes if the text names at least one risk or side effect."
    values = ["yes", "no"]
    level = "nominal"       # or "ordinal": the values are in their order
    words = true            # coders may name the words that show it

The same as CSV: a row a value, with the columns code, value, label, description, level, words; what holds for the whole
code stands in its first row.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from archive.study.folder import BadStudyFile, StudyFile

Level = Literal["nominal", "ordinal"]
LEVELS = ("nominal", "ordinal")
MAX_CODES, MAX_VALUES, LONGEST_VALUE, LONGEST_TEXT = 100, 200, 100, 5_000
SUFFIXES = (".toml", ".csv")
# Columns of a sheet, which no code may be named like.
RESERVED = {"unit", "clinic", "permalink", "title", "published", "text", "note", "coder", "sample", "codebook"}
# "risk", "off_label_use"
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
LABELS = "_words"  # ends the name that Label Studio has for the labels of a code with words
_KEYS = {"code", "label", "description", "values", "level", "words"}


@dataclass(frozen=True, slots=True)
class Code:
    """A code, and the values that a coder chooses from, in their order."""

    code: str
    values: tuple[str, ...]
    label: str | None = None
    description: str | None = None
    level: Level = "nominal"
    words: bool = False
    """Whether coders may name the words of the text that show it."""


@dataclass(frozen=True, slots=True)
class CodeBook:
    """The codes of a study. `digest`: the beginning of the SHA-256 of its file, which identifies it."""

    digest: str
    name: str
    codes: tuple[Code, ...]
    file: str

    def code(self, name: str) -> Code | None:
        """Return the code of that name, None without one."""
        return next((code for code in self.codes if code.code == name), None)


def read_codebook(file: StudyFile, title: str) -> CodeBook:
    """Read a code book; `title` is its name where the file gives none. Raises `BadStudyFile`, naming every fault."""
    try:
        text = file.data.decode("utf-8-sig")
        data = tomllib.loads(text.replace("\r\n", "\n")) if file.suffix == ".toml" else _of_csv(text)
    except UnicodeDecodeError as error:
        raise BadStudyFile(f"{file.name}: not UTF-8 text; save it as UTF-8") from error
    except (tomllib.TOMLDecodeError, csv.Error, RecursionError) as error:
        raise BadStudyFile(f"{file.name}: cannot be read as {file.suffix[1:].upper()}: {error}") from error
    faults: list[str] = []
    unknown = sorted(data.keys() - {"name", "codes"})
    faults += [f"unknown key {key!r}; a code book has name and [[codes]]" for key in unknown]
    listed = data.get("codes")
    entries = listed if isinstance(listed, list) else []
    if not entries:
        faults.append("no codes in it; write a section [[codes]] for each")
    if len(entries) > MAX_CODES:
        faults.append(f"{len(entries)} codes; at most {MAX_CODES} fit into a sheet")
    codes = [code for number, entry in enumerate(entries[:MAX_CODES], 1) if (code := _code(entry, number, faults))]
    names = [code.code for code in codes]
    twice = sorted({name for name in names if names.count(name) > 1})
    faults += [f"the code {name!r} is defined twice" for name in twice]
    faults += [
        f"the code {code.code + LABELS!r} has the name of the labels for words of {code.code!r}; name it otherwise"
        for code in codes
        if code.words and code.code + LABELS in names
    ]
    name = data.get("name", title)
    if not _is_text(name):
        faults.append("name must be a text")
    if faults:
        raise BadStudyFile(*(f"{file.name}: {fault}" for fault in faults))
    return CodeBook(file.digest, str(name).strip(), tuple(codes), file.name)


def _of_csv(text: str) -> dict[str, Any]:
    """The rows of a CSV file as the TOML file would give them."""
    head = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ",")
    codes: dict[str, dict[str, Any]] = {}
    for row in reader:
        cells = {(key or "").strip().lower(): cell.strip() for key, cell in row.items() if isinstance(cell, str)}
        name = cells.pop("code", "")
        value = cells.pop("value", "")
        if not (name or value):
            continue
        code = codes.setdefault(name, {"code": name, "values": []})
        code["values"].append(value)
        for key, given in cells.items():
            if given:
                code.setdefault(key, given.lower() in ("true", "yes", "1") if key == "words" else given)
    return {"codes": list(codes.values())}


def _code(entry: object, number: int, faults: list[str]) -> Code | None:
    """One code; what is wrong with it is added to the faults."""
    if not isinstance(entry, Mapping):
        faults.append(f"code {number} is no section; write [[codes]]")
        return None
    name = entry.get("code")
    if not isinstance(name, str) or not _CODE.fullmatch(name) or name in RESERVED:
        faults.append(
            f"code {number}: {_short(name)} is no name for a code: write a lower-case word such as off_label (not the"
            " name of a sheet's column)"
        )
        return None
    before = len(faults)
    faults += [f"{name}: unknown key {key!r}; it may have {', '.join(sorted(_KEYS))}" for key in entry.keys() - _KEYS]
    values = _values(name, entry.get("values"), faults)
    level = entry.get("level", "nominal")
    if level not in LEVELS:
        faults.append(f"{name}: level {_short(level)}; write nominal or ordinal")
    words = entry.get("words", False)
    if not isinstance(words, bool):
        faults.append(f"{name}: words must be true or false")
    texts = [entry.get(key) for key in ("label", "description")]
    if not all(text is None or _is_text(text) for text in texts):
        faults.append(f"{name}: label and description must be texts of at most {LONGEST_TEXT} characters")
    if len(faults) > before:
        return None
    label, description = (str(text).strip() if text else None for text in texts)
    return Code(name, tuple(values), label, description, cast(Level, level), words)


def _values(name: str, given: object, faults: list[str]) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(value, str | int) for value in given):
        faults.append(f'{name}: values must be a list of texts, such as values = ["yes", "no"]')
        return []
    values = [str(value).strip() for value in given]
    if len(values) < 2 or len(values) > MAX_VALUES:
        faults.append(f"{name}: {len(values)} values; a code has 2 to {MAX_VALUES}")
    if any(not value or len(value) > LONGEST_VALUE or not value.isprintable() for value in values):
        faults.append(f"{name}: a value is empty, of several lines, or longer than {LONGEST_VALUE} characters")
    folded = [value.casefold() for value in values]
    twice = sorted({value for value in folded if folded.count(value) > 1})
    faults += [f"{name}: the value {value!r} is there twice (upper and lower case count as equal)" for value in twice]
    return values


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= LONGEST_TEXT


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def rows(codebook: CodeBook) -> Iterable[dict[str, Any]]:
    """Yield the rows of the table `codebooks`: one a value."""
    for position, code in enumerate(codebook.codes, 1):
        for number, value in enumerate(code.values, 1):
            yield {
                "codebook": codebook.digest,
                "name": codebook.name,
                "code": code.code,
                "position": position,
                "label": code.label,
                "description": code.description,
                "level": code.level,
                "words": int(code.words),
                "value": value,
                "value_position": number,
                "file": codebook.file,
            }
