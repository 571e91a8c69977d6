"""A sentence on every page of a public copy about what it lacks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]

from archive.public import withheld
from archive.site.serving import DATABASE


@hookimpl  # type: ignore[untyped-decorator]
def extra_template_vars(datasette: Datasette) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Return `withheld` for the templates: the sentence, or None for an archive and a full copy."""

    async def found() -> dict[str, Any]:
        return {"withheld": await datasette.get_database(DATABASE).execute_fn(withheld)}

    return found
