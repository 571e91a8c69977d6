"""What differs between the stored rows of an archive and those of a rebuild, and which differences are allowed.

A table or column that only the rebuild has is no difference. Words that are written for people are not compared.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from tests.gate.rows import Row, Table, Tables

WHOLE_TABLE, WHOLE_ROW = "(table)", "(row)"  # in the place of a column's name
ABSENT = "(absent)"
FEW = 3  # differences of a column that a message lists
WIDTH = 120  # characters of a value in a message

# Of these tables only some columns are compared: the others are words, or follow from those that are compared.
COMPARED = {
    "problems": ("kind", "field", "url", "capture_id"),
    "absences": ("post_id", "comment_id", "capture_id"),
}
# Words for people in other tables.
WORDS = {"clinic_runs": {"note"}, "crawls": {"summary"}}
# By which columns a row of the one side is found on the other side.
KEYS = {
    "absences": ("post_id", "comment_id", "capture_id"),
    "authors": ("clinic_id", "name"),
    "captures": ("capture_id",),
    "categories": ("clinic_id", "label"),
    "clinic_attributes": ("clinic_id", "name"),
    "clinic_runs": ("crawl_id", "clinic_id"),
    "clinics": ("clinic_id",),
    "comment_revisions": ("comment_id", "capture_id"),
    "comments": ("comment_id",),
    "confirmations": ("clinic_id", "confirmed_at"),
    "crawls": ("crawl_id",),
    "images": ("post_id", "kind", "url"),
    "links": ("revision_id", "position"),
    "post_addresses": ("clinic_id", "address"),
    "post_categories": ("post_id", "category_id"),
    "post_changes": ("post_id", "capture_id", "field"),
    "post_tags": ("post_id", "tag_id"),
    "posts": ("post_id",),
    "problems": ("kind", "field", "url", "capture_id"),
    "readings": ("post_id", "capture_id", "source"),
    "related_posts": ("post_id", "related_url"),
    "revisions": ("post_id", "source", "capture_id"),
    "run_fields": ("crawl_id", "clinic_id", "field"),
    "sightings": ("capture_id", "source", "url"),
    "tags": ("clinic_id", "label"),
    "unplaced": ("capture_id", "position"),
}


class Difference(NamedTuple):
    """A value that is not as it was."""

    table: str
    column: str
    key: str
    before: str
    after: str


@dataclass(frozen=True)
class Allowed:
    """A line of CHANGED.md."""

    archive: str
    table: str
    column: str
    number: int  # of rows; 0 where keys are listed
    keys: tuple[str, ...]
    extractor_version: str
    why: str


def differences(before: Tables, after: Tables) -> list[Difference]:
    """Each value that is not as it was, in the order of tables, columns and keys."""
    found: list[Difference] = []
    for name, table in before.items():
        if name in after:
            found += _in_table(name, table, after[name])
        else:
            found.append(Difference(name, WHOLE_TABLE, "", f"{len(table.rows)} rows", ABSENT))
    return sorted(found)


def _in_table(name: str, before: Table, after: Table) -> Iterator[Difference]:
    wanted = [column for column in before.columns if column in COMPARED.get(name, before.columns)]
    wanted = [column for column in wanted if column not in WORDS.get(name, ())]
    common = [column for column in wanted if column in after.columns]
    for column in set(wanted) - set(common):
        yield Difference(name, column, "", f"a column of {len(before.rows)} rows", ABSENT)
    key = [column for column in KEYS.get(name, wanted) if column in common]
    old, new = _by_key(before.rows, key, common), _by_key(after.rows, key, common)
    for value in old.keys() | new.keys():
        yield from _of_key(name, value, old.get(value, Counter()), new.get(value, Counter()))


def _by_key(rows: Iterable[Row], key: list[str], columns: list[str]) -> dict[str, Counter[str]]:
    """Rows with those columns alone, as JSON and by key; some keys are those of several rows."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        name = " ".join("-" if row[column] is None else str(row[column]) for column in key)
        found[name][_text({column: row[column] for column in columns})] += 1
    return found


def _of_key(name: str, key: str, before: Counter[str], after: Counter[str]) -> Iterator[Difference]:
    """Equal rows pair off; of the others the first of the one side is compared with the first of the other."""
    for old, new in zip_longest(sorted((before - after).elements()), sorted((after - before).elements())):
        if old is None or new is None:
            yield Difference(name, WHOLE_ROW, key, old or ABSENT, new or ABSENT)
            continue
        was, now = json.loads(old), json.loads(new)
        for column in was:
            if was[column] != now[column]:
                yield Difference(name, column, key, _text(was[column]), _text(now[column]))


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def read_allowed(text: str) -> list[Allowed]:
    """The lines of the table in CHANGED.md. Raises ValueError where a line is incomplete."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    found = []
    for line in lines[2:]:  # after the heads and the rule below them
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 6 or not all(cells):
            raise ValueError(f"CHANGED.md: six cells, none of them empty: {line}")
        archive, table, column, rows, version, why = cells
        keys = tuple(re.findall(r"`([^`]+)`", rows))
        if not keys and not (rows.isdecimal() and int(rows)):
            raise ValueError(f"CHANGED.md: a number of rows above 0, or keys in backticks: {line}")
        found.append(Allowed(archive, table, column, 0 if keys else int(rows), keys, version, why))
    return found


def complaints(archive: str, found: Iterable[Difference], allowed: Iterable[Allowed]) -> list[str]:
    """Differences without a line, and lines without their differences, each column of a table as one text."""
    groups: dict[tuple[str, str], list[Difference]] = defaultdict(list)
    for each in found:
        groups[each.table, each.column].append(each)
    lines: dict[tuple[str, str], list[Allowed]] = defaultdict(list)
    for line in allowed:
        if line.archive == archive:
            lines[line.table, line.column].append(line)
    texts = [_complaint(archive, place, groups[place], lines[place]) for place in sorted({*groups, *lines})]
    return [text for text in texts if text]


def _complaint(archive: str, place: tuple[str, str], found: list[Difference], allowed: list[Allowed]) -> str:
    listed = {key for line in allowed for key in line.keys}
    number = sum(line.number for line in allowed)
    left = [each for each in found if each.key not in listed]
    gone = sorted(listed - {each.key for each in found})
    parts = []
    if gone or len(left) < number:
        over = f"; no difference any more: {', '.join(gone)}" if gone else ""
        parts.append(f"CHANGED.md allows {number} rows and {len(listed)} keys, {len(found)} differ{over}")
    if len(left) > number:
        head = f"{len(left)} rows differ, CHANGED.md allows {number}" if number else f"{len(left)} rows differ"
        more = [f"  and {len(left) - FEW} more"] if len(left) > FEW else []
        parts.append("\n".join([head, *map(_pair, left[:FEW]), *more]))
    return f"{archive}: {place[0]}.{place[1]}: " + "\n".join(parts) if parts else ""


def _pair(each: Difference) -> str:
    """Key, before and after; long values from shortly before the place at which they part."""
    shorter = min(len(each.before), len(each.after))
    parting = next((at for at in range(shorter) if each.before[at] != each.after[at]), shorter)
    start = max(0, parting - WIDTH // 3)
    return f"  {each.key}\n    before: {_cut(each.before, start)}\n    after:  {_cut(each.after, start)}"


def _cut(text: str, start: int) -> str:
    part = text[start : start + WIDTH]
    if part == text:
        return text
    return f"{'...' if start else ''}{part}{'...' if start + WIDTH < len(text) else ''} ({len(text)} characters)"
