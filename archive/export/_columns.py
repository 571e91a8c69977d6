"""What is declared of tables, views, questions and their columns: what each is for, means, and holds.

The file is archive/site/metadata.yaml for tables and views, and the head of its SQL for a question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml

from archive.export._source import Source
from archive.questions import questions

try:  # a tenth of the time; absent where PyYAML was built without libyaml
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

SITE = Path(__file__).parents[1] / "site"
VIEWS = Path(__file__).parents[1] / "views"

# The types of columns. A value of a boolean is 0 or 1 in SQLite; a date is a text as 2026-03-01, a timestamp a text as
# 2026-03-01T09:30:00Z.
TYPES = ("integer", "number", "text", "boolean", "date", "timestamp")
PUBLIC = ("yes", "day", "keyed", "no")  # what a public copy gives of a column (metadata.yaml, `public`)
DATE_ALONE = "timestamp or date"  # a timestamp that is a date alone where a page prints no time
# Names of columns that no table has, by the names that times have in this archive: "last_read_at", "closed_on", "day".
_BY_NAME = ((re.compile(r".+_at"), "timestamp"), (re.compile(r".+_on|(?:.+_)?(?:day|date)"), "date"))


@cache
def _metadata() -> dict[str, Any]:
    metadata: dict[str, Any] = yaml.load((SITE / "metadata.yaml").read_text("utf-8"), SafeLoader)
    return metadata


def _tables() -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = _metadata()["databases"]["archive"]["tables"]
    return tables


def archive_description() -> tuple[str, str]:
    """Return title and description of every archive, with what is said of rights in its texts."""
    metadata = _metadata()
    return str(metadata["title"]), " ".join(f"{metadata['description']} {metadata['license']}.".split())


@cache
def declared() -> Mapping[str, Mapping[str, str]]:
    """Return the declared type of each column of each table and view: one of `TYPES`, or `DATE_ALONE`."""
    return {
        name: {column: kind for kind, columns in table.get("types", {}).items() for column in columns}
        for name, table in _tables().items()
    }


@cache
def publicity() -> Mapping[str, Mapping[str, str]]:
    """Return what a public copy gives of each column of each table that says so: yes, day, keyed or no.

    A table whose every column is `no` says the word alone. The default of a table holds for columns without text: a
    column of text that no list names is not here.
    """
    found = {}
    for name, table in _tables().items():
        said = table.get("public")
        if said is None:
            continue
        by_word = {_word(key): value for key, value in said.items()} if isinstance(said, dict) else {}
        words = {column: word for word in PUBLIC for column in by_word.get(word, ())}
        default = _word(by_word["default"] if by_word else said)
        for column, kind in declared()[name].items():
            if kind != "text" or not by_word:
                words.setdefault(column, default)
        found[name] = words
    return found


def _word(written: object) -> str:
    """Return a word as it was written: YAML reads a bare yes and no as true and false."""
    return {True: "yes", False: "no"}.get(written, str(written)) if isinstance(written, bool) else str(written)


@cache
def of_any_table() -> Mapping[str, str]:
    """Return the type of each column whose name has the same type in all tables and views."""
    found: dict[str, set[str]] = {}
    for columns in declared().values():
        for column, kind in columns.items():
            found.setdefault(column, set()).add(kind)
    return {column: kinds.pop() for column, kinds in found.items() if len(kinds) == 1}


def type_of(source: Source, column: str) -> str | None:
    """Return the type of a source's column, one of `TYPES`; None if nothing declares one.

    It comes from the source's own mapping, else from the declarations of its name; else the column has the type of all
    columns of that name, or the one that its name says (`..._at`, `..._on`). It never depends on values.
    """
    kind = _declared(source, column) or of_any_table().get(column)
    if kind is None:
        kind = next((kind for pattern, kind in _BY_NAME if pattern.fullmatch(column)), None)
    return "timestamp" if kind == DATE_ALONE else kind


def may_be_date(source: Source, column: str) -> bool:
    """Whether a timestamp of this column may be a date alone."""
    return (_declared(source, column) or of_any_table().get(column)) == DATE_ALONE


def _declared(source: Source, column: str) -> str | None:
    if column in source.types:
        return source.types[column]
    if source.name in questions():
        return questions()[source.name].types.get(column)
    return declared().get(source.name, {}).get(column)


def purpose(name: str) -> str:
    """Return what a table, view or question is for: the first sentence of its description; "" without one."""
    if name in questions():
        return questions()[name].title
    view = next(VIEWS.glob(f"*[0-9]_{name}.sql"), None)
    if view is not None:
        lines = takewhile(lambda line: line.startswith("--"), view.read_text("utf-8").splitlines())
        description = " ".join(line.removeprefix("--").strip() for line in lines)
    else:
        description = " ".join(str(_tables().get(name, {}).get("description") or "").split())
    return re.split(r"(?<=\.)\s", description, maxsplit=1)[0]


def describe_column(source: Source, column: str) -> str | None:
    """Return the description of a column in metadata.yaml, None without one.

    A column of a question has the description of the first table with a column of that name.
    """
    if source.listing is not None:
        return source.listing.columns.get(column)
    own = _tables().get(source.name)
    if own is not None:
        meaning: str | None = own.get("columns", {}).get(column)
        return meaning
    return next((table["columns"][column] for table in _tables().values() if column in table.get("columns", {})), None)
