"""The generated pages of docs/: commands from the help texts, tables from the live schema and metadata.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import yaml

from archive.db import open_archive, sentences
from archive.export import declared
from archive.questions import questions
from pipelines.commands import main
from pipelines.commands._headings import HEADINGS
from tests.docs.schema import Column, columns_of
from tests.verbs import all_verbs

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
METADATA = ROOT / "archive" / "site" / "metadata.yaml"
NOTE = "<!-- Written by `make docs`; do not edit. -->"

# Page of the commands, what its commands are for, and the commands.
COMMANDS = {page: (heading, verbs) for page, heading, verbs in HEADINGS}
# Page of the tables, what its tables are about, and the tables and views. Those that are on none are on "more".
TABLES = {
    "clinics": ("Clinics and runs", (
        "clinics", "clinic_attributes", "crawls", "clinic_runs", "run_fields", "confirmations", "withdrawals",
        "withdrawn_permalinks",
    )),
    "captures": ("Captures and evidence", ("captures", "sightings", "absences", "problems", "unplaced")),
    "posts": ("Posts and their texts", ("posts", "post_addresses", "revisions", "post_changes", "authors")),
    "counters": ("Counters and comments", ("readings", "superseded_readings", "comments", "comment_revisions")),
    "derived": ("Sentences and edits, derived from the texts", (
        "cache_derived", "cache_sentences", "cache_edits", "cache_sentence_fates", "cache_site_edits", "cache_due",
    )),
    "claims": ("Claims, by the rules of lexicons", ("claims", "lexicon_rules", "cache_matches", "cache_matched")),
    "labels": ("Labels, links and pictures", (
        "categories", "post_categories", "tags", "post_tags", "links", "images", "related_posts",
    )),
    "study": ("Samples and codings", ("samples", "codebooks", "codings")),
    "views-counters": ("Views of counters", (
        "posts_with_counts", "counts_over_time", "counts_by_week", "own_page_views",
    )),
    "views-posts": ("Views of posts and edits", ("most_discussed", "edited_posts", "changed_fields")),
    "views-edits": ("Views of edits and sentences", ("edits", "sentence_fates", "site_wide_edits")),
    "views-links": ("Views of comments, links and evidence", (
        "comment_threads", "edited_comments", "related_edges", "linked_domains", "missing_posts", "provenance",
        "fetch_policies",
    )),
    "views-clinics": ("Views of clinics and runs", (
        "clinics_overview", "crawl_history", "coverage", "doubtful_captures", "repeated_problems", "field_coverage",
        "unplaced_items",
    )),
}  # fmt: skip


def pages() -> dict[str, str]:
    """Every generated page by its path below docs/."""
    schema = live_schema()
    descriptions = _descriptions()
    found = {"commands.md": _commands(), "tables.md": _tables(schema, descriptions), "questions.md": _questions()}
    for name, (title, verbs) in COMMANDS.items():
        found[f"commands/{name}.md"] = _page(title, "../commands.md", "All commands", map(_command, verbs))
    for name, (title, tables) in _groups(schema).items():
        parts = (_table(table, descriptions[table], schema[table]) for table in tables)
        found[f"tables/{name}.md"] = _page(title, "../tables.md", "All tables and views", parts)
    return found


def live_schema() -> dict[str, list[Column]]:
    """The tables and views of an archive that was just made."""
    with TemporaryDirectory() as folder, closing(open_archive(Path(folder), "write")) as db:
        return columns_of(db.conn)


def _groups(schema: Mapping[str, list[Column]]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The pages of tables and views, every table and view on one of them."""
    listed = {table for _, tables in TABLES.values() for table in tables}
    others = tuple(sorted(schema.keys() - listed))
    return TABLES | ({"more": ("More tables and views", others)} if others else {})


def _page(title: str, parent: str, back: str, parts: Iterable[str]) -> str:
    return "\n".join([f"# {title}", "", NOTE, "", f"[{back}]({parent})", "", "\n\n".join(parts), ""])


def _cell(text: str) -> str:
    """The text as a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


# --- commands


def _commands() -> str:
    lines = [
        "# Commands", "", NOTE, "",
        "Each command has `--help`. Each command on an archive takes `--archive DIR`, the archive's folder (default",
        "`var`). Most take `--json`, which prints one summary object. An option that may be given several times is",
        "repeated. [Exit codes](exit-codes.md) are the same for all.",
    ]  # fmt: skip
    for name, (title, verbs) in COMMANDS.items():
        lines += ["", f"## {title}", "", "| command | what it does |", "|---|---|"]
        for verb in verbs:
            anchor = f"clinic-archive-{verb}"
            what = _cell(all_verbs()[verb].get_short_help_str(200))
            lines.append(f"| [`clinic-archive {verb}`](commands/{name}.md#{anchor}) | {what} |")
    lines += ["", "## make", "", "In a checkout, `make` runs these. Each sets up first what it needs.", ""]
    lines += ["| target | what it does |", "|---|---|"]
    for target, what in re.findall(r"^([a-z-]+):.*?## (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE):
        lines.append(f"| `make {target}` | {_cell(what)} |")
    return "\n".join([*lines, ""])


def _command(verb: str) -> str:
    command = all_verbs()[verb]
    if not isinstance(command, click.Group):
        return _help(f"clinic-archive {verb}", command, "##")
    parts = [f"## clinic-archive {verb}\n\n{_prose(command)}"]
    for name, subcommand in sorted(command.commands.items()):
        parts.append(_help(f"clinic-archive {verb} {name}", subcommand, "###"))
    return "\n\n".join(parts)


def _help(name: str, command: click.Command, level: str) -> str:
    context = click.Context(command, info_name=name, **main.context_settings)
    usage = " ".join(command.collect_usage_pieces(context))
    options = [parameter for parameter in command.get_params(context) if isinstance(parameter, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    lines = [f"{level} {name}", "", f"`{name} {usage}`", "", _prose(command), "", "| option | meaning |", "|---|---|"]
    # `--help` is everywhere.
    lines += [f"| `{_cell(option)}` | {_cell(what)} |" for option, what in records if "--help" not in option]
    return "\n".join(lines)


def _prose(command: click.Command) -> str:
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


# --- tables


def _descriptions() -> dict[str, dict[str, Any]]:
    """The entries of metadata.yaml for each table and view; a view's sentence comes from its SQL."""
    metadata = yaml.safe_load(METADATA.read_text("utf-8"))
    descriptions: dict[str, dict[str, Any]] = metadata["databases"]["archive"]["tables"]
    for name, sentence in sentences().items():
        descriptions[name]["description"] = sentence
    return descriptions


def _tables(schema: Mapping[str, list[Column]], descriptions: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [
        "# Tables and views", "", NOTE, "",
        "Times are ISO 8601 in UTC. NULL: no page gave the value. 0: a page printed zero. Text is never empty.",
        "[For analysts](for-analysts.md) has queries to begin with; [questions](questions.md) are ready ones.",
    ]  # fmt: skip
    for name, (title, tables) in _groups(schema).items():
        head = "view" if name.startswith("views") else "table"
        lines += ["", f"## {title}", "", f"| {head} | what it holds | columns |", "|---|---|---|"]
        for table in tables:
            what = _cell(str(descriptions[table]["description"]))
            lines.append(f"| [`{table}`](tables/{name}.md#{table}) | {what} | {len(schema[table])} |")
    return "\n".join([*lines, ""])


def _questions() -> str:
    lines = [
        "# Ready questions",
        "",
        NOTE,
        "",
        "On the site, and with `clinic-archive export NAME --param ...`. Those of",
    ]
    lines += ["the column DuckDB also run [on a lake](analysis.md); the others need the search index of SQLite.", ""]
    lines += ["| question | what it asks | parameters | DuckDB |", "|---|---|---|---|"]
    for question in questions().values():
        parameters = ", ".join(f"`{field.name}`{' (required)' * field.required}" for field in question.fields)
        lake = "yes" if question.duckdb else "no"
        lines.append(f"| `{question.name}` | {_cell(question.title)} | {parameters} | {lake} |")
    return "\n".join([*lines, ""])


def _table(name: str, entry: Mapping[str, Any], columns: list[Column]) -> str:
    lines = [f"## {name}", "", " ".join(str(entry["description"]).split()), ""]
    lines += ["| column | type | meaning |", "|---|---|---|"]
    for column in columns:
        what = _cell(str(entry["columns"].get(column.name, "")))
        lines.append(f"| `{column.name}` | {column.kind(declared()[name].get(column.name, ''))} | {what} |")
    return "\n".join(lines)


def described(schema: Mapping[str, list[Column]]) -> tuple[set[str], set[str]]:
    """Columns (`table.column`) of the schema, and those that the pages describe."""
    existing = {f"{table}.{column.name}" for table, columns in schema.items() for column in columns}
    descriptions = _descriptions()
    return existing, {f"{table}.{column}" for table in schema for column in descriptions[table]["columns"]}
