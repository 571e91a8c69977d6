"""lake.sql: what makes a lake usable in DuckDB: a view of each table, a macro of each ready question.

.read lake.sql                                       in the folder of the lake
SELECT * FROM posts WHERE clinic_hash = '3';         only the files of that partition are read
FROM views_gained(clinic := 'riverside');            a question, its parameters by name
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archive.export import declared, purpose
from archive.lake._partitions import FILE
from archive.lake._routes import Route
from archive.questions import Question, questions

SCRIPT = "lake.sql"
_HEAD = (
    "-- Views of the tables of this lake and macros of its questions, for DuckDB. Run it in this folder:",
    "--     duckdb lake.duckdb -c '.read lake.sql' -c 'FROM posting_rhythm()'",
    "-- A timestamp that is a date alone is the beginning of the day in UTC.",
    "SET TimeZone = 'UTC';",
)
# A parameter in the SQL of a question, ":clinic", but not "::DATE" or a time in a string "09:30".
_PARAMETER = re.compile(r"(?<![:\w]):([a-z]\w*)")
_READ = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")  # what a question reads: "FROM posts AS p"
_COMMENT = re.compile(r"^\s*--.*$\n?", re.MULTILINE)  # -- Posts that were removed


def script(routes: Sequence[Route]) -> str:
    """Return the text of lake.sql for those tables."""
    known = {way.source.name for way in routes}
    lines = [*_HEAD]
    for way in routes:
        lines += ["", *_view(way)]
    for question in questions().values():
        lines += ["", *_macro(question, known)]
    return "\n".join([*lines, ""])


def _view(way: Route) -> Iterator[str]:
    name = way.source.name
    types = {"clinic_hash": "VARCHAR"} if way.by_clinic else {}
    types |= {"year": "BIGINT"} if way.by_year else {}
    said = ", ".join(f"'{column}': {kind}" for column, kind in types.items())
    hive = f", hive_partitioning = true, hive_types = {{{said}}}" if types else ""
    if what := purpose(name):
        yield f"-- {what}"
    yield f'CREATE OR REPLACE VIEW "{name}" AS'
    yield f"  SELECT * FROM read_parquet('{name}/**/{FILE}'{hive});"


def _macro(question: Question, known: set[str]) -> Iterator[str]:
    """Yield a question as a table macro, or why there is none."""
    if question.duckdb is None:
        yield f"-- {question.name}: needs the search index, and runs on SQLite alone."
        return
    if needs := sorted(set(_READ.findall(question.duckdb)) & declared().keys() - known):
        yield f"-- {question.name}: needs {', '.join(needs)}, which `export --lake --derived` adds."
        return
    quoted = {name: value.replace("'", "''") for name, value in question.parameters.items()}
    given = ", ".join(f"\"{name}\" := '{value}'" for name, value in quoted.items())
    yield f"-- {question.title}"
    yield f'CREATE OR REPLACE MACRO "{question.name}"({given}) AS TABLE'
    yield f"{_body(question.duckdb)};"


def _body(sql: str) -> str:
    """Return the SQL of a question as the body of a macro: without comments, a parameter as a quoted name."""
    return _PARAMETER.sub(r'"\1"', _COMMENT.sub("", sql)).strip()
