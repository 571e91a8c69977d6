"""Checks the values that a visitor gives to a question, or as filters of search, words in context and edits."""

from __future__ import annotations

from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import Request  # type: ignore[import-untyped]
from datasette.views.base import DatasetteError  # type: ignore[import-untyped]

from archive.export import known_values
from archive.questions import BadValue, Parameter, Question, check_value, questions
from archive.site.serving import read_database

_FILTERS = Question(
    "filters",
    "Filters",
    "",
    "",
    fields=(
        Parameter("clinic", "clinic", "", "a clinic, empty for all"),
        Parameter("from", "date", "", "first day, empty for all"),
        Parameter("to", "date", "", "last day, empty for all"),
    ),
)


async def why_refused(datasette: Datasette, request: Request, name: str) -> str | None:
    """Return why the values of the address are refused, and which the question allows; None if they are allowed."""
    question = questions()[name]
    values = {parameter: request.args.get(parameter) or "" for parameter in question.parameters}
    try:
        check_value(question, values, await read_database(datasette, known_values))
    except BadValue as error:
        return f"{question.title}: {error}"
    return None


async def why_filters_refused(datasette: Datasette, request: Request) -> str | None:
    """Return why `clinic`, `from` or `to` of the address is refused, and what is allowed; None if they are allowed."""
    values = {field.name: (request.args.get(field.name) or "").strip() for field in _FILTERS.fields}
    if not any(values.values()):
        return None
    try:
        check_value(_FILTERS, values, await read_database(datasette, known_values))
    except BadValue as error:
        return str(error)
    return None


async def check_filters(datasette: Datasette, request: Request) -> None:
    """Raise `DatasetteError` (400) where `why_filters_refused` says why."""
    if (why := await why_filters_refused(datasette, request)) is not None:
        raise DatasetteError(why, title="A value that is not allowed", status=400)
