"""Label Studio: tasks that it imports, a configuration of its labels, and the JSON that it exports.

A code is a single choice for the whole text; a code with `words` also has labels for words of it. Label Studio counts
characters as JavaScript does, in UTF-16 units; offsets of the archive count Unicode code points.

Source of the formats: https://labelstud.io/guide/tasks, https://labelstud.io/guide/export (Raw JSON format).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from archive.study.codebook import LABELS, CodeBook
from archive.study.folder import BadStudyFile, StudyFile


@dataclass(frozen=True, slots=True)
class CodedSpan:
    """Words that a coder marked; offsets in UTF-16 units, as the file gives them."""

    value: str
    start: int
    end: int
    words: str

    def place_in(self, text: str) -> tuple[int, int] | None:
        """Return start and end in code points; None where the text does not have the words there."""
        place = code_points(text, self.start), code_points(text, self.end)
        if None in place or place[0] == place[1]:
            return None
        start, end = place[0] or 0, place[1] or 0
        return (start, end) if not self.words or text[start:end].split() == self.words.split() else None


@dataclass(frozen=True, slots=True)
class Task:
    """What a coder returns of one text. `place` says where it stands in the file."""

    place: str
    unit: str
    coder: str
    sample: str
    codebook: str
    text: str
    note: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    """By code: the value of the whole text, "" where none was chosen."""
    quotes: Mapping[str, str] = field(default_factory=dict)
    """By code: the words of the text that show it."""
    spans: Mapping[str, Sequence[CodedSpan]] = field(default_factory=dict)


def code_points(text: str, units: int) -> int | None:
    """Return how many code points the first UTF-16 units are; None within a pair of surrogates, or after the end."""
    encoded = text.encode("utf-16-le", "surrogatepass")
    if not 0 <= 2 * units <= len(encoded):
        return None
    return len(encoded[: 2 * units].decode("utf-16-le", "surrogatepass")) if _is_whole(encoded, units) else None


def _is_whole(encoded: bytes, units: int) -> bool:
    """Whether no pair of surrogates is cut in two: 0xD800 to 0xDBFF is the first half of one."""
    before = encoded[2 * units - 1] if units else 0
    after = encoded[2 * units + 1] if 2 * units < len(encoded) else 0
    return not (0xD8 <= before <= 0xDB and 0xDC <= after <= 0xDF)


def config(codebook: CodeBook) -> bytes:
    """Return the labelling configuration of a project: paste it into its settings."""
    root = ElementTree.Element("View")
    ElementTree.SubElement(root, "Header", {"value": "$title"})
    for code in codebook.codes:
        if code.words:
            labels = ElementTree.SubElement(root, "Labels", {"name": code.code + LABELS, "toName": "text"})
            for value in code.values:
                ElementTree.SubElement(labels, "Label", {"value": f"{code.code}: {value}"})
    ElementTree.SubElement(root, "Text", {"name": "text", "value": "$text"})
    for code in codebook.codes:
        ElementTree.SubElement(root, "Header", {"value": code.label or code.code, "size": "5"})
        choices = {"name": code.code, "toName": "text", "choice": "single", "showInline": "true"}
        parent = ElementTree.SubElement(root, "Choices", choices)
        for value in code.values:
            ElementTree.SubElement(parent, "Choice", {"value": value})
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8")) + b"\n"


def tasks_json(data: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the tasks of a project; `data`: the columns of a row of the sheet, by name."""
    return (
        json.dumps([{"data": dict(row)} for row in data], ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
        + b"\n"
    )


def tasks(file: StudyFile) -> list[Task]:
    """Read the JSON that Label Studio exports. Raises `BadStudyFile`."""
    try:
        exported = json.loads(file.data)
    except (ValueError, RecursionError) as error:
        raise BadStudyFile(f"{file.name}: cannot be read as JSON: {error}") from error
    if not isinstance(exported, list) or not exported:
        raise BadStudyFile(f"{file.name}: not an export of Label Studio; export the project as JSON")
    if not all(isinstance(task, dict) and isinstance(task.get("data"), dict) for task in exported):
        raise BadStudyFile(f"{file.name}: its tasks have no data; export the project as JSON, not as JSON-MIN")
    found, faults = list[Task](), list[str]()
    for number, task in enumerate(exported, 1):
        try:
            found.append(_task(f"task {number}", task))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            faults.append(f"{file.name}: task {number}: {_why(error)}")
    if faults:
        raise BadStudyFile(*faults)
    return found


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"not as Label Studio writes it ({error!r})"


def _task(place: str, task: Mapping[str, Any]) -> Task:
    data = task["data"]
    named = {name: data[name] for name in ("unit", "coder", "sample", "codebook", "text")}
    if not all(isinstance(value, str) for value in named.values()):
        raise ValueError("unit, coder, sample, codebook and text must be texts")
    made = [each for each in task.get("annotations") or [] if not each.get("was_cancelled")]
    if len(made) > 1:
        raise ValueError(f"{len(made)} annotations of one task: each coder has a project of their own; delete one")
    values: dict[str, str] = {}
    spans: dict[str, list[CodedSpan]] = {}
    for result in made[0]["result"] if made else []:
        _result(result, values, spans)
    return Task(place=place, values=values, spans=spans, **named)


def _result(result: Mapping[str, Any], values: dict[str, str], spans: dict[str, list[CodedSpan]]) -> None:
    name, value = str(result["from_name"]), result["value"]
    if result["type"] == "choices":
        chosen = list(map(str, value["choices"]))
        values[name] = "; ".join(filter(None, [values.get(name), *chosen]))
    elif result["type"] == "labels":
        code = name.removesuffix(LABELS)
        for label in map(str, value["labels"]):
            span = CodedSpan(
                label.removeprefix(f"{code}: "), int(value["start"]), int(value["end"]), str(value.get("text", ""))
            )
            spans.setdefault(code, []).append(span)
    else:
        raise ValueError(f"a result of type {str(result['type'])[:40]!r}; only choices and labels are imported")
