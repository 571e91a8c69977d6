"""The runs as wholes, read from their own WARC files: what `pipelines.run.run_file` records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.warc._file import OPEN_SUFFIX
from archive.warc.joining import joined_in, overlapping
from pipelines.events import Lifted, PolicySet, Purged, Retroactive, Withdrawn
from pipelines.replay.files import FileScan, note_fields, scan_runs

RUNS = "_runs"  # the folder below warc/ for files of whole runs; no slug begins with "_"


@dataclass(frozen=True, slots=True)
class RunFileContents:
    """A run as a whole, as its own WARC file records it."""

    crawl_id: str
    started_at: str
    software: str
    kind: str
    closed: Mapping[str, Any]  # stanzas of closed clinics, by slug
    end: Mapping[str, Any] | None  # ended_at, exit_code, summary
    # Stanzas of clinics that the archive did not know, by slug.
    new_clinics: Mapping[str, Any] = field(default_factory=dict)
    confirmed: tuple[tuple[str, str], ...] = ()  # (slug, when) of each clinic whose reports the operator confirmed
    decisions: tuple[Retroactive | Purged, ...] = ()  # that concern what was captured before
    file: str = ""  # its path in the archive; "" for a run whose file is not written yet

    @property
    def policies(self) -> list[PolicySet]:
        """The policies that were set."""
        return [each for each in self.decisions if isinstance(each, PolicySet)]


_OF_NOTES: dict[str, Callable[[Mapping[str, Any]], Retroactive | Purged]] = {
    "policy-set": PolicySet.of_note,
    "withdrawn": Withdrawn.of_note,
    "lifted": lambda fields: Lifted(**fields),
    "purged": Purged.of_note,
}


def takedowns_in_force(run_files: Iterable[RunFileContents]) -> list[Withdrawn]:
    """Return the takedowns that were not lifted, oldest first."""
    decisions = [each for run_file in run_files for each in run_file.decisions]
    lifted = {each.takedown_id for each in decisions if isinstance(each, Lifted)}
    # A later note of the same takedown has more addresses of its post.
    found = {each.takedown_id: each for each in decisions if isinstance(each, Withdrawn)}
    return sorted((each for each in found.values() if each.takedown_id not in lifted), key=lambda each: each.at)


def purges(run_files: Iterable[RunFileContents]) -> list[Purged]:
    """Return the purges that were performed, oldest first; each once, although a kill may have recorded it twice."""
    found = {each.purge_id: each for run_file in run_files for each in run_file.decisions if isinstance(each, Purged)}
    return sorted(found.values(), key=lambda each: each.at)


def replaced_files(run_files: Iterable[RunFileContents]) -> dict[str, str]:
    """Return the files that purges replaced, by their paths in the archive, each with the file in its place now."""
    steps = {old: new for each in purges(run_files) for old, new in each.files.items()}
    last: dict[str, str] = {}
    for old, new in steps.items():
        while new in steps:
            new = steps[new]
        last[old] = new
    return last


def is_there(archive: Path, file: str) -> bool:
    """Return whether a WARC file of the archive is there, or its records are in a packed file. Raises OSError."""
    path = archive / file
    return path.exists() or path.name in joined_in(path.parent)


def runs_of(archive: Path, *, unclosed: bool = False) -> list[RunFileContents]:
    """Return the runs that have a file of their own, oldest first; `unclosed`: only those whose file is not closed.

    Raises OSError.
    """
    ending = ".warc.gz" + OPEN_SUFFIX * unclosed
    sidecars = sorted((archive / "warc" / RUNS).glob(f"*{ending}"))
    paths = [sidecar.with_name(sidecar.name.removesuffix(OPEN_SUFFIX)) for sidecar in sidecars]
    scanned = scans_of(archive, (path for path in paths if path.exists()))
    found = [contents for each in scanned if (contents := _contents(each)) is not None]
    return sorted(found, key=lambda contents: contents.started_at)


def scans_of(archive: Path, paths: Iterable[Path]) -> list[FileScan]:
    """Read files of one folder run by run, without those whose runs are all in a file that a pack made of them.

    Such a file is a copy from elsewhere, or a pack of fewer of them, from an archive that was packed apart. Raises
    OSError.
    """
    found = {path.name: scan_runs(archive, path.relative_to(archive).as_posix()) for path in paths}
    runs = {name: {each.name for each in scanned if not each.is_head} for name, scanned in found.items()}
    joined = {name: names for name, scanned in found.items() if (names := {n for s in scanned for n in s.joined})}

    within = {(path.name, other.name) for path, other in overlapping({Path(name): of for name, of in joined.items()})}

    def is_copy(name: str) -> bool:
        others = ((packed, names) for packed, names in joined.items() if packed != name and runs[name] <= runs[packed])
        return any(name in names or (name, packed) in within for packed, names in others)

    return [each for name, scanned in found.items() if not is_copy(name) for each in scanned]


def _contents(written: FileScan) -> RunFileContents | None:
    notes = {note.kind: note_fields(note) for note in written.notes}
    confirmed = [note_fields(note) for note in written.notes if note.kind == "confirmed"]
    decisions = tuple(_OF_NOTES[note.kind](note_fields(note)) for note in written.notes if note.kind in _OF_NOTES)
    start = notes.get("crawl-started")
    if start is None:
        return None
    return RunFileContents(
        **{name: start[name] for name in ("started_at", "software", "kind", "closed")},
        crawl_id=start["crawl"],
        new_clinics=start.get("listed", {}),  # runs of older versions recorded none
        end=notes.get("crawl-ended"),
        confirmed=tuple((fields["clinic"], fields["at"]) for fields in confirmed),
        decisions=decisions,
        file=written.file,
    )
