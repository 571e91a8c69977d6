"""The codings in a file that a person returns: checked as a whole, so that a file with one fault gives none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from archive.study.cells import Row, cells
from archive.study.codebook import Code, CodeBook
from archive.study.folder import BadStudyFile, StudyFile
from archive.study.label_studio import Task, tasks
from archive.study.sample import Sample, SamplingUnit
from archive.study.texts import Texts, text_sha256

CONSENSUS = "consensus"  # the coder of reconciled codes
AROUND = 32  # characters on either side of a quote
SUFFIXES = (".xlsx", ".csv", ".json")
NEEDED = ("unit", "text", "coder", "sample", "codebook")
OPTIONAL = ("clinic", "permalink", "title", "published", "note")
WORDS = " words"  # ends the name of a code's column for the words that show it
# "yes; no", "yes / no", two lines
_BETWEEN = re.compile(r"\s*[,;/|\n]\s*")
# "text 2": what did not fit into the first cell; "risk: anna" of a sheet of disagreements
_MORE_TEXT, _OF_CODER = re.compile(r"text \d+"), re.compile(r"[a-z0-9_]+: .+")
# What spreadsheet programs change in a text: white space, control characters as "_x000d_", characters without XML
_SPREADSHEET_ALTERED = re.compile("_x[0-9a-fA-F]{4}_|[\\s\x00-\x1f\x7f-\xa0\ufeff\ufffd-\uffff]+")
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Coding:
    """A value that a coder gave to a text, or to some words of it. Offsets count Unicode code points."""

    sample: str
    codebook: str
    unit: str
    coder: str
    code: str
    value: str
    start: int | None
    end: int | None
    quote: str | None
    before: str | None
    after: str | None
    note: str | None


@dataclass(slots=True)
class Answers:
    """The codings of a file in their order, and what is worth a line."""

    codings: list[Coding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: int = 0  # codes without a value


@dataclass(slots=True)
class _Reader:
    """Reads the answers of one file; `faults` gathers what is wrong."""

    file: StudyFile
    samples: Mapping[str, Sample]
    codebooks: Mapping[str, CodeBook]
    texts: Texts
    is_new: bool
    faults: list[str] = field(default_factory=list)
    done: Answers = field(default_factory=Answers)
    _seen: dict[tuple[str, str], str] = field(default_factory=dict)

    def read(self, task: Task) -> None:
        """Add the codings of a coder on one text."""
        sample, codebook = self.samples.get(task.sample), self.codebooks.get(task.codebook)
        if sample is None or codebook is None:
            kind, name = ("sample", task.sample) if sample is None else ("code book", task.codebook)
            known = ", ".join(sorted(self.samples if sample is None else self.codebooks)) or "none"
            self._fault(task, f"it belongs to {kind} {name[:40]!r}, which this archive does not have (it has {known})")
            return
        unit = sample.unit(task.unit)
        if unit is None:
            self._fault(task, f"no unit {task.unit[:40]!r} in sample {sample.name}")
            return
        coder = " ".join(task.coder.split())
        if not coder or len(coder) > LONGEST_NAME or not coder.isprintable():
            self._fault(task, "the coder's name is missing, or too long")
            return
        if (earlier := self._seen.setdefault((unit.unit, coder), task.place)) != task.place:
            self._fault(task, f"{coder} coded unit {unit.unit} already in {earlier}; delete one of the two")
            return
        whole = self._whole(task, unit)
        if whole is None:
            self._fault(task, f"its text is not the one that was handed out as unit {unit.unit}; put the text back")
            return
        for name in sorted((task.values.keys() | task.spans.keys()) - {code.code for code in codebook.codes}):
            self._fault(task, f"no code {name[:40]!r} in the code book")
        for code in codebook.codes:
            self._code(task, code, whole, coder)

    def _whole(self, task: Task, unit: SamplingUnit) -> str | None:
        """The text as the archive exports it; None where the file has another one."""
        exact = self.texts.exact(unit.clinic_id, unit.address, unit.text_sha256)
        if exact is None:
            return task.text if not self.is_new or text_sha256(task.text) == unit.text_sha256 else None
        same = exact.body == task.text or _SPREADSHEET_ALTERED.sub("", exact.body) == _SPREADSHEET_ALTERED.sub(
            "", task.text
        )
        return exact.body if same else None

    def _code(self, task: Task, code: Code, whole: str, coder: str) -> None:
        given = task.values.get(code.code, "").strip()
        spans = task.spans.get(code.code, ())
        quote = task.quotes.get(code.code, "").strip()
        if not given and not spans:
            if quote:
                self._fault(task, f"{code.code}: words without a value; choose one of {', '.join(code.values)}")
            self.done.left += 1
            return
        value = self._value(task, code, given) if given else None
        if value is not None:
            start, end = self._find(task, code, whole, quote) if quote else (0, len(whole))
            self._add(task, coder, code, value, whole, start, end, bool(quote))
        for span in spans:
            value = self._value(task, code, span.value)
            place = span.place_in(whole)
            if place is None:
                self._fault(task, f"{code.code}: characters {span.start} to {span.end} are not the words that it names")
            elif value is not None:
                self._add(task, coder, code, value, whole, *place, True)

    def _value(self, task: Task, code: Code, given: str) -> str | None:
        by_fold = {value.casefold(): value for value in code.values}
        value = by_fold.get(given.casefold())
        if value is None:
            parts = [part for part in _BETWEEN.split(given) if part]
            offered = ", ".join(code.values)
            if len(parts) > 1 and all(part.casefold() in by_fold for part in parts):
                self._fault(
                    task, f"{code.code}: {len(parts)} codes in one cell ({given[:60]!r}); choose one of {offered}"
                )
            else:
                self._fault(task, f"{code.code}: {given[:60]!r} is not in the code book, which has {offered}")
        return value

    def _find(self, task: Task, code: Code, whole: str, quote: str) -> tuple[int, int]:
        """Where the words stand in the text; white space in them matches any other."""
        words = [re.escape(word) for word in quote.split()]
        found = list(re.finditer(r"\s+".join(words), whole))
        if len(found) != 1:
            times = (
                f"{len(found)} times in the text; name more words" if found else "not in the text; copy them from it"
            )
            self._fault(task, f"{code.code}: the words {quote[:60]!r} are {times}")
            return 0, 0
        return found[0].span()

    def _add(
        self, task: Task, coder: str, code: Code, value: str, whole: str, start: int, end: int, is_quote: bool
    ) -> None:
        self.done.codings.append(
            Coding(
                sample=task.sample,
                codebook=task.codebook,
                unit=task.unit,
                coder=coder,
                code=code.code,
                value=value,
                start=start,
                end=end,
                quote=whole[start:end] if is_quote else None,
                before=(whole[max(start - AROUND, 0) : start] or None) if is_quote else None,
                after=(whole[end : end + AROUND] or None) if is_quote else None,
                note=task.note.strip().encode("utf-8", "replace").decode() or None,  # halves of characters are no text
            )
        )

    def _fault(self, task: Task, why: str) -> None:
        self.faults.append(f"{self.file.name}: {task.place}: {why}")


def codings_of(
    file: StudyFile,
    samples: Mapping[str, Sample],
    codebooks: Mapping[str, CodeBook],
    texts: Texts,
    *,
    is_new: bool = False,
) -> Answers:
    """Read the codings of a sheet or of an export of Label Studio.

    `is_new`: the file is being imported, so that its texts must be those of the archive. Raises `BadStudyFile` with
    every fault, `sqlite3.Error`.
    """
    if file.suffix not in SUFFIXES:
        raise BadStudyFile(f"{file.name}: not a sheet (.xlsx, .csv) nor an export of Label Studio (.json)")
    reader = _Reader(file, samples, codebooks, texts, is_new)
    found = tasks(file) if file.suffix == ".json" else _of_sheet(file, codebooks, reader.done)
    for task in found:
        reader.read(task)
    if reader.faults:
        raise BadStudyFile(*reader.faults)
    if not reader.done.codings:
        raise BadStudyFile(f"{file.name}: no coding in it: every cell of its codes is empty")
    return reader.done


def _of_sheet(file: StudyFile, codebooks: Mapping[str, CodeBook], done: Answers) -> list[Task]:
    """The rows of a sheet. Raises `BadStudyFile` where its head is not as it was handed out."""
    (_, head), *rows = cells(file)
    names = [" ".join(name.split()).casefold() for name in head]
    _check_head(file, names, NEEDED)
    if not rows:
        raise BadStudyFile(f"{file.name}: no row below the names of the columns")
    first = dict(zip(names, rows[0][1], strict=False))
    codebook = codebooks.get(first.get("codebook", "").strip())
    codes = codebook.codes if codebook else ()
    _check_head(file, names, [code.code for code in codes])
    expected = {*NEEDED, *OPTIONAL, *(code.code for code in codes), *(code.code + WORDS for code in codes)}
    others = [name for name in names if name and name not in expected and not _MORE_TEXT.fullmatch(name)]
    done.notes += [
        f"{file.name}: column {name[:40]!r} is not of the code book; not imported"
        for name in others
        if not _OF_CODER.fullmatch(name)
    ]
    return [_task(names, row, [code.code for code in codes]) for row in rows]


def _check_head(file: StudyFile, names: Sequence[str], needed: Iterable[str]) -> None:
    missing = [name for name in needed if name not in names]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if missing:
        found = ", ".join(repr(name[:40]) for name in names if name)
        raise BadStudyFile(
            f"{file.name}: no column {', '.join(map(repr, missing))} in it (it has {found[:400]}); give the columns the"
            " names with which the sheet was handed out"
        )
    if twice:
        raise BadStudyFile(f"{file.name}: two columns have the name {twice[0][:40]!r}; delete one")


def _task(names: Sequence[str], row: Row, codes: Sequence[str]) -> Task:
    number, values = row
    given = dict(zip(names, values, strict=False))
    # "text", "text 2", "text 3": the parts of one text
    parts = [name for name in names if _MORE_TEXT.fullmatch(name)]
    return Task(
        place=f"row {number}",
        unit=given.get("unit", "").strip(),
        coder=given.get("coder", ""),
        sample=given.get("sample", "").strip(),
        codebook=given.get("codebook", "").strip(),
        text=given.get("text", "") + "".join(given.get(name, "") for name in sorted(parts, key=lambda n: int(n[5:]))),
        note=given.get("note", ""),
        values={code: given.get(code, "") for code in codes},
        quotes={code: given.get(code + WORDS, "") for code in codes},
    )
