"""A sampling frame: the rows of a CSV file as stanzas of clinics.toml, all of them or none.

The columns slug, name and url are keys of the stanza, any other column is an attribute. Stanzas are appended to
clinics.toml, which is never rewritten: comments, order and spelling are its owner's.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from scraper.addresses import post_key
from scraper.config.clinics import Clinic, Clinics, parse_clinics
from scraper.config.made_slugs import MadeSlugs
from scraper.config.toml_file import ConfigError

OWN = ("slug", "name", "url")
# Other keys of a stanza. A column of such a name ("privacy") would look like a setting, and is refused.
SETTINGS = {field.name for field in fields(Clinic)} - set(OWN)
DELIMITERS = ",;\t"
# Characters. A longer cell is most often a quotation mark that nothing closes. The limit of the csv module is the
# process's own, and other libraries raise it.
LONGEST_CELL = 10_000
NO_URL = (
    "no url: every clinic of clinics.toml needs the address of its site; add it, or remove the row and count the"
    " clinic elsewhere as one without a site"
)


Faults = list[tuple[int, str]]  # the line of the file, and what is wrong there


class BadSamplingFrame(Exception):
    """The file cannot be imported. `lines`: every fault in the file's order, each with its line, `frame.csv:7: ...`."""

    def __init__(self, path: Path, faults: Faults) -> None:
        self.lines = [f"{path}:{line}: {what}" for line, what in sorted(faults, key=lambda fault: fault[0])]
        super().__init__("\n".join(self.lines))


@dataclass(frozen=True, slots=True)
class Row:
    """One clinic of the frame."""

    line: int  # of the file, from 1; the first of a row with line ends in its cells
    clinic: Clinic  # as `parse_clinics` reads its stanza
    stanza: str  # lines that end with LF


@dataclass(frozen=True, slots=True)
class SamplingFrame:
    """The content of a file."""

    path: Path
    attributes: tuple[str, ...]  # names of columns, as the header writes them
    rows: tuple[Row, ...]  # those that can be stanzas
    faults: Faults  # of the other rows, and between rows


def read_frame(path: Path, made: MadeSlugs | None = None) -> SamplingFrame:
    """Read a CSV file: UTF-8, with or without byte order mark; comma, semicolon or tab; a header.

    Cells are stripped of white space, rows without any text are skipped. `made` gives the slugs of a file that has no
    such column. Raises OSError.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return SamplingFrame(path, (), (), [(line, "not UTF-8; save the file as CSV in UTF-8")])
    faults: Faults = []
    records = _records(text, faults)
    header_line, header = next(records, (1, []))
    names = [cell.lower() if cell.lower() in OWN else cell for cell in header]
    has_slugs = made is None or "slug" in names
    if not faults:
        faults += [(header_line, what) for what in _header_faults(names if has_slugs else ["slug", *names])]
    if faults:
        return SamplingFrame(path, (), (), faults)
    rows: list[Row] = []
    slugs: dict[str, int] = {}
    for line, cells in records:
        if len(cells) < len(names) or any(cells[len(names) :]):
            faults.append((line, f"{len(cells)} cells, but the header has {len(names)}"))
            continue
        cell = {name: text for name, text in zip(names, cells, strict=False) if text}
        if "" in cell:
            faults.append((line, f"{cell.pop('')!r} is in a column without a name"))
        if made is not None and not has_slugs:
            cell["slug"] = made.of(cell.get("name", ""), cell.get("url", ""))
        slug = cell.get("slug", "")
        if slug and slugs.setdefault(slug, line) != line:
            faults.append((line, f"{slug}: line {slugs[slug]} has this slug too"))
            continue
        found = _row(line, cell)
        if isinstance(found, Row):
            rows.append(found)
        else:
            label = slug if slug.isprintable() else repr(slug)  # a fault takes one line
            faults += [(line, f"{label}: {what}" if label else what) for what in found]
    if not rows and not faults:
        faults.append((header_line, "no row below the header"))
    return SamplingFrame(path, tuple(name for name in names if name and name not in OWN), tuple(rows), faults)


def _records(text: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of every record with any text; append to `faults` what ends the reading."""
    if "\0" in text:
        faults.append((text[: text.index("\0")].count("\n") + 1, "holds a NUL; save the file as CSV in UTF-8"))
        return
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=_delimiter(text), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            faults.append((line, f"not CSV: {error}; nothing after it was read"))
            return
        longest = max(map(len, cells), default=0)
        if longest > LONGEST_CELL:
            faults.append(
                (line, f"a cell of {longest:,} characters; is a quotation mark missing? Nothing after it was read")
            )
            return
        if any(cells):
            yield line, cells


def _delimiter(text: str) -> str:
    """Return the delimiter by which the header names most of our columns.

    csv.Sniffer counts characters, and a name with commas or an attribute with semicolons misleads it.
    """

    def named(delimiter: str) -> int:
        records = csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter)
        with contextlib.suppress(csv.Error, StopIteration):
            return len({cell.strip().lower() for cell in next(records)} & set(OWN))
        return 0

    return max(DELIMITERS, key=named)


def _header_faults(names: list[str]) -> Iterator[str]:
    missing = [name for name in OWN if name not in names]
    if missing:
        can_be_made = "; --make-slugs makes slugs from the names" if "slug" in missing else ""
        yield f"no column {', '.join(missing)}: the first line must name slug, name and url{can_be_made}"
    seen: dict[str, str] = {}
    for name in filter(None, names):
        if seen.setdefault(name.lower(), name) != name or names.count(name) > 1:
            yield f"more than one column is called {seen[name.lower()]!r}"
            return
        if name.lower() in SETTINGS:
            yield (
                f"the column {name!r} has the name of a setting, which is written by hand in clinics.toml: rename"
                " it if it is an attribute"
            )


def _row(line: int, cells: dict[str, str]) -> Row | list[str]:
    """Return the row as a stanza, or its faults."""
    slug, name, url = (cells.pop(own, "") for own in OWN)
    stanza = format_stanza(slug, name, url, cells)
    # A private address is not a fault of the row: an existing stanza may permit it (`new_rows`).
    for text in (stanza, _with_private_permitted(stanza)):
        with contextlib.suppress(ConfigError):
            return Row(line, _parsed(text), stanza)
    # Each of the three is checked alone, so that every fault is reported.
    valid_url = "https://clinic.org"
    faults = [*_faults(format_stanza(slug, "-", valid_url)), *_faults(format_stanza("a", name, valid_url))]
    return faults + (_faults(_with_private_permitted(format_stanza("a", "-", url))) if url else [NO_URL])


def _with_private_permitted(stanza: str) -> str:
    """Return the stanza with private addresses permitted."""
    return stanza.replace("\n", "\nallow_private = true\n", 1)


def _parsed(stanza: str) -> Clinic:
    (clinic,) = parse_clinics(stanza, Path("row"))
    return clinic


def _faults(stanza: str) -> list[str]:
    try:
        _parsed(stanza)
    except ConfigError as error:
        # The error says: row:2: clinic 'a' needs a name
        return [re.sub(r"^row:\d+: (?:clinic 'a' )?", "", str(error))]
    return []


def format_stanza(slug: str, name: str, url: str, attributes: Mapping[str, str] | None = None) -> str:
    """Return the stanza's text; its lines end with LF."""
    lines = [f"[clinics.{_key(slug)}]", f"name = {_quoted(name)}", f"url = {_quoted(url)}"]
    if attributes:
        lines += ["", f"[clinics.{_key(slug)}.attributes]"]
        lines += [f"{_key(name)} = {_quoted(value)}" for name, value in attributes.items()]
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    """Return a basic string of TOML: that of JSON with DEL escaped too, and non-ASCII characters as they are."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _quoted(text)


def new_rows(frame: SamplingFrame, listed: Clinics) -> list[Row]:
    """Return the rows whose clinics have no stanza yet.

    An existing stanza must agree with its row in the columns that the file has; its other keys are free. Raises
    `BadSamplingFrame` with all faults: in the file, between its rows, and between it and clinics.toml.
    """
    known = {clinic.slug: clinic for clinic in listed}
    sites = {post_key(clinic.url): (clinic.slug, str(listed.path)) for clinic in listed}
    found: list[Row] = []
    faults = list(frame.faults)
    for row in frame.rows:
        clinic, stanza = row.clinic, known.get(row.clinic.slug)
        if stanza is not None:
            differences = _differences(frame, clinic, stanza)
            faults += [(row.line, f"{clinic.slug}: {what} in {listed.path}") for what in differences]
            continue
        if clinic.allow_private:
            what = f"{clinic.url} is on a private address: write its stanza by hand, with allow_private = true"
            faults.append((row.line, f"{clinic.slug}: {what}"))
            continue
        other, where = sites.setdefault(post_key(clinic.url), (clinic.slug, f"line {row.line}"))
        if other == clinic.slug:
            found.append(row)
        else:
            what = f"{clinic.url} is the url of {other!r} ({where}) too; list each site once"
            faults.append((row.line, f"{clinic.slug}: {what}"))
    if faults:
        raise BadSamplingFrame(frame.path, faults)
    return found


def _differences(frame: SamplingFrame, row: Clinic, stanza: Clinic) -> Iterator[str]:
    pairs: dict[str, tuple[str | None, str | None]] = {
        "name": (row.name, stanza.name),
        "url": (row.url, stanza.url),
        **{name: (row.attributes.get(name), stanza.attributes.get(name)) for name in frame.attributes},
    }
    for what, (here, there) in pairs.items():
        if here != there:
            yield f"{what} is {_quoted_or_nothing(here)} here, {_quoted_or_nothing(there)}"


def _quoted_or_nothing(value: str | None) -> str:
    return "nothing" if value is None else repr(value)


def appended(path: Path, listed: Clinics, rows: Iterable[Row]) -> str:
    """Return the text of clinics.toml with the rows' stanzas at its end.

    Raises ConfigError where the result would not hold exactly the old clinics and these (a file with all clinics in
    one inline table cannot be extended), OSError.
    """
    rows = list(rows)
    text = path.read_bytes().decode("utf-8")
    end = "\r\n" if "\r\n" in text else "\n"
    more = "\n".join(row.stanza for row in rows).replace("\n", end)
    gap = "" if not text else end if text.endswith("\n") else end + end
    whole = text + (gap + more if rows else "")
    try:
        found = parse_clinics(whole.replace("\r\n", "\n").replace("\r", "\n"), path)  # lines as `read_clinics` has them
    except ConfigError as error:
        raise ConfigError(f"{error}; stanzas cannot be added at the end of this file, nothing written") from error
    if (found.crawler_config, *found) != (listed.crawler_config, *listed, *(row.clinic for row in rows)):
        raise ConfigError(f"{path}: with the stanzas at its end the file would have another meaning; nothing written")
    return whole
