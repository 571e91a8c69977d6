"""What `rebuild` and `merge` share: all rows made from WARC files, those of other archives among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from pipelines.commands._archive import lock_or_exit
from pipelines.commands._errors import exit_on_error
from pipelines.commands._output import fail, finish, print_problems
from pipelines.derive import DERIVED_LATER, derive_whole
from pipelines.exit_codes import ExitCode
from pipelines.imports.adopt import adopt
from pipelines.rebuild import Rebuilt, rebuild


def rebuild_from(sources: Iterable[Path], archive: Path, key_file: Path | None = None) -> Rebuilt:
    """Copy the WARC files of the sources into the archive, make its rows and what is derived from them.

    Ends the process where another one holds the archive, where it has no WARC file, and where a step fails.
    """
    lock = lock_or_exit(archive)
    try:
        with exit_on_error(archive, "archive.db is unchanged"):
            adopt(sources, archive, key_file)
            if not any((archive / "warc").rglob("*.warc.gz")):
                fail(f"{archive}: no WARC files in its folder warc/; name some with --from", ExitCode.BAD_CONFIG)
            result = rebuild(archive)
        with exit_on_error(archive, DERIVED_LATER):
            result.notes += derive_whole(archive)
    finally:
        lock.release()
    return result


def finish_rebuilt(result: Rebuilt, archive: Path, line: str, more: Mapping[str, Any], *, as_json: bool) -> NoReturn:
    """Print notes, faults and the result, `more` in its JSON, and end the process: 6 where a record is damaged."""
    print_problems(result.notes, about=archive, noun="note", most=len(result.notes))
    print_problems(result.problems, about=archive, noun="record")
    summary = {
        "archive": str(archive),
        "clinics": result.clinics,
        "captures": sum(result.clinics.values()),
        "sha256": result.digest,
        "problems": result.problems,
        **more,
    }
    code = ExitCode.INTEGRITY if result.problems else ExitCode.DONE
    finish(summary, [f"{archive}: {line}"], as_json=as_json, code=code, always=True)
