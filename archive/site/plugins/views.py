"""Views on the site: described by the first comment line of their SQL, and their keys lead to the rows they name."""

from __future__ import annotations

from typing import Any

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils import tilde_encode  # type: ignore[import-untyped]
from markupsafe import Markup

from archive.db import sentences
from archive.site.serving import DATABASE

# Datasette links foreign keys of tables; a view has none, so a column's name says whose row it means.
ROWS = {
    "clinic_id": "clinics", "post_id": "posts", "related_post_id": "posts", "revision_id": "revisions",
    "old_revision_id": "revisions", "comment_id": "comments", "parent_id": "comments", "crawl_id": "crawls",
}  # fmt: skip
# Read once: these files do not change while a server runs, and cells are many.
SENTENCES = sentences()


@hookimpl  # type: ignore[untyped-decorator]
def get_metadata(datasette: Datasette) -> dict[str, Any]:
    """The views' descriptions, and a list of them for the database's page, where Datasette shows bare names."""
    items = Markup("").join(
        Markup('<li><a href="{}">{}</a>: {}</li>').format(
            datasette.urls.table(DATABASE, name), name.replace("_", " "), sentence
        )
        for name, sentence in SENTENCES.items()
    )
    listing = Markup("<p>Questions that the archive answers, each a view over the tables below:</p><ul>{}</ul>")
    return {
        "databases": {
            DATABASE: {
                "description_html": str(listing.format(items)),
                "tables": {name: {"description": sentence} for name, sentence in SENTENCES.items()},
            }
        }
    }


@hookimpl  # type: ignore[untyped-decorator]
def render_cell(
    row: Any, value: object, column: str, table: str | None, database: str, datasette: Datasette
) -> Markup | None:
    """A key in a view as a link to its row, a post's title as one to its page; None leaves the cell to Datasette."""
    if table in ("posts", "posts_with_counts") and column == "title" and value and database == DATABASE:
        place = datasette.urls.path(f"/-/post/{row['post_id']}") if "post_id" in row.keys() else None  # noqa: SIM118
        shown = f"{str(value)[:119]}…" if len(str(value)) > 120 else value
        return Markup('<a href="{}">{}</a>').format(place, shown) if place else None
    if value is None or database != DATABASE or column not in ROWS or (table is not None and table not in SENTENCES):
        return None
    key = str(value)
    if ROWS[column] == "posts" and key.isdigit():
        place = datasette.urls.path(f"/-/post/{key}")
        return Markup('<a href="{}" title="The post, to read">{}</a>').format(place, key)
    return Markup('<a href="{}" title="{}">{}</a>').format(
        datasette.urls.row(database, ROWS[column], tilde_encode(key)), key, key
    )
