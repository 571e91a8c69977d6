"""The tables and views of the archive for those who write SQL: names, sentences, columns; and errors in words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive.db import sentences

# Messages of SQLite: "no such column: titel", "no such table: post", 'near "form": syntax error'.
_MISSING = re.compile(r"no such (?P<what>column|table|function): (?P<name>.+)")
_SYNTAX = re.compile(r'near "(?P<name>.*)": syntax error', re.DOTALL)
# Each gives rows in any archive that has posts; a date and a number give a chart.
EXAMPLES = (
    (
        "Posts a month",
        "SELECT substr(published_on, 1, 7) AS month, count(*) AS posts\nFROM posts WHERE published_on IS NOT NULL\n"
        "GROUP BY month ORDER BY month",
    ),
    (
        "The longest posts",
        "SELECT title, word_count, clinic_id, post_id\nFROM posts ORDER BY word_count DESC LIMIT 20",
    ),
    (
        "Views of all posts, day by day",
        "SELECT day, sum(views) AS views, count(*) AS posts\nFROM counts_over_time GROUP BY day ORDER BY day",
    ),
    (
        "Posts that contain a word",
        "SELECT title, published_on, clinic_id, post_id\nFROM posts WHERE body_text LIKE '%' || :word || '%'\n"
        "ORDER BY published_on DESC",
    ),
)


@dataclass(frozen=True, slots=True)
class Described:
    """A table or view with the sentence that describes it and its columns (name to meaning)."""

    name: str
    sentence: str
    columns: Mapping[str, str]


def described(tables: Mapping[str, Mapping[str, Any]]) -> tuple[list[Described], list[Described]]:
    """Return the views and the stored tables of the metadata, which hidden ones are not among."""
    of_views = sentences()
    views = [Described(name, of_views[name], tables[name]["columns"]) for name in of_views if name in tables]
    stored = [
        Described(name, table.get("description", ""), table["columns"])
        for name, table in tables.items()
        if name not in of_views and not table.get("hidden")
    ]
    return views, stored


def in_words(error: str, views: Sequence[Described], stored: Sequence[Described]) -> str:
    """Return an error of SQLite as a sentence that says what to do, with the names nearest to one that is not there."""
    if match := _MISSING.fullmatch(error):
        what, name = match["what"], match["name"].rsplit(".", 1)[-1]
        tables = [*views, *stored]
        known = {table.name for table in tables} if what == "table" else {c for table in tables for c in table.columns}
        near = difflib.get_close_matches(name.lower(), sorted(known), 3, 0.6) if what != "function" else []
        also = f" Near to it: {', '.join(near)}." if near else ""
        return f"There is no {what} {name[:80]}.{also}"
    if match := _SYNTAX.fullmatch(error):
        return f"SQLite does not understand the query at “{match['name'][:80]}”."
    if error == "incomplete input":
        return "The query ends too early: a part of it, or a closing parenthesis, is missing."
    return error[:1].upper() + error[1:]
