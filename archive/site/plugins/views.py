"""Views on the site: described by the first comment line of their SQL, with keys as links to the rows they name."""

from __future__ import annotations

from typing import Any

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils import tilde_encode  # type: ignore[import-untyped]
from markupsafe import Markup

from archive.db import sentences
from archive.site.serving import DATABASE

# Datasette links the foreign keys of tables. A view has none: here the name of a column decides which table it refers
# to.
TABLE_OF_COLUMN = {
    "clinic_id": "clinics",
    "post_id": "posts",
    "related_post_id": "posts",
    "revision_id": "revisions",
    "old_revision_id": "revisions",
    "comment_id": "comments",
    "parent_id": "comments",
    "crawl_id": "crawls",
}
# Read once: the files do not change while a server runs, and `render_cell` is called for each cell.
SENTENCES = sentences()


@hookimpl  # type: ignore[untyped-decorator]
def get_metadata() -> dict[str, Any]:
    """Return the descriptions of the views, where Datasette looks for them."""
    return {
        "databases": {DATABASE: {"tables": {name: {"description": sentence} for name, sentence in SENTENCES.items()}}}
    }


@hookimpl  # type: ignore[untyped-decorator]
def render_cell(
    row: Any, value: object, column: str, table: str | None, database: str, datasette: Datasette
) -> Markup | None:
    """Return a key of a view as a link to its row, and a post's title as a link to its page.

    None leaves the cell to Datasette.
    """
    if value is None or database != DATABASE:
        return None
    if column in ("title", "post_title") and "post_id" in row.keys() and str(row["post_id"]).isdigit():  # noqa: SIM118
        title = f"{str(value)[:119]}…" if len(str(value)) > 120 else value
        return Markup('<a href="{}">{}</a>').format(datasette.urls.path(f"/-/post/{row['post_id']}"), title)
    if column not in TABLE_OF_COLUMN or (table is not None and table not in SENTENCES):
        return None
    key = str(value)
    if TABLE_OF_COLUMN[column] == "posts" and key.isdigit():
        path = datasette.urls.path(f"/-/post/{key}")
        return Markup('<a href="{}" title="Page of the post">{}</a>').format(path, key)
    return Markup('<a href="{}" title="{}">{}</a>').format(
        datasette.urls.row(database, TABLE_OF_COLUMN[column], tilde_encode(key)), key, key
    )
