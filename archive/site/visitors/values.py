"""Checks the values that a visitor gives to a question."""

from __future__ import annotations

from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import Request  # type: ignore[import-untyped]

from archive.export import known_values
from archive.questions import BadValue, check, questions
from archive.site.serving import read_database


async def why_refused(datasette: Datasette, request: Request, name: str) -> str | None:
    """Return why the values of the address are refused, and which the question allows; None if they are allowed."""
    question = questions()[name]
    values = {parameter: request.args.get(parameter) or "" for parameter in question.parameters}
    try:
        check(question, values, await read_database(datasette, known_values))
    except BadValue as error:
        return f"{question.title}: {error}"
    return None
