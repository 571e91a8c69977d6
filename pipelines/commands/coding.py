"""`clinic-archive coding`: sheets for coders, their return, how far they agree, and where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from archive.study.agreement.overlap import agreements, overlaps, reconciling
from archive.study.answers import CONSENSUS, Answers
from archive.study.codebook import CodeBook
from archive.study.folder import BadStudyFile, plain
from archive.study.label_studio import config, tasks_json
from archive.study.refi import qdc
from archive.study.sample import LARGEST_SEED, Sample
from archive.study.sheets import Handout, check_coders, shares, sheet_rows, write_sheet
from archive.study.tables import Study, study_of, take_codebook, take_codings
from archive.study.texts import Texts
from pipelines.commands._agreement import lines_of, summary_of
from pipelines.commands._archive import read_only
from pipelines.commands._errors import exit_on_error
from pipelines.commands._options import Share, archive_option, examples, json_option
from pipelines.commands._output import counted, finish, print_problems
from pipelines.commands._study import chosen_sample, opened_study
from pipelines.exit_codes import ExitCode
from pipelines.printing import echo
from scraper.config.clinics import PRODUCT, VERSION

sample_option = click.option("--sample", "sample_name", metavar="NAME", help="The sample; default: the only one.")
seed_option = click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="Default: the seed of the sample.")


@click.group(
    short_help="Sheets for coders, their codings, and how far coders agree.",
    epilog=examples("clinic-archive coding agreement"),
)
def command() -> None:
    """Hand out a sample to coders, read their codings, and compute their agreement."""


@command.command(
    short_help="Make the sheets of a sample, one for each coder.",
    epilog=examples(
        "clinic-archive coding sheet --codebook claims.toml --coder anna --coder ben --overlap 20% -o sheets",
        "clinic-archive coding sheet --codebook claims.toml --coder anna --format label-studio -o sheets",
    ),
)
@click.option(
    "--codebook",
    "codebook_file",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="The codes and their values, as TOML or CSV; a copy is stored below study/.",
)
@click.option("--coder", "coders", multiple=True, required=True, metavar="NAME", help="May be repeated.")
@click.option(
    "--overlap", type=Share(), default="100%", show_default=True, help="Share of the posts that every coder gets."
)
@click.option("--format", "form", type=click.Choice(["xlsx", "label-studio"]), default="xlsx", show_default=True)
@click.option("--hide-clinic", is_flag=True, help="Leave out the columns that name the clinic.")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Folder for the files; default: the current one.",
)
@sample_option
@seed_option
@archive_option
@json_option
def sheet(
    codebook_file: Path,
    coders: tuple[str, ...],
    overlap: float,
    form: str,
    hide_clinic: bool,
    folder: Path,
    sample_name: str | None,
    seed: int | None,
    archive: Path,
    as_json: bool,
) -> None:
    """Make a sheet for each coder, in which every code is a drop-down, and the code book as REFI-QDA (.qdc).

    The posts that not all coders get are dealt out among them. The order of a sheet follows from the seed and the
    coder's name. With --format label-studio: tasks to import into a project of Label Studio for each coder, and the
    configuration of its labels. No file is replaced: it may hold a coder's work.
    """
    with opened_study(archive) as (db, study), exit_on_error(folder, "no sheet made"):
        sample = chosen_sample(study, sample_name)
        check_coders(coders)
        sheets = _targets(folder, form, sample, coders)
        codebook = take_codebook(archive, codebook_file)
        handout = Handout(sample, codebook, hide_clinic)
        given = shares(sample.units, coders, overlap, sample.seed if seed is None else seed)
        rows = {coder: list(sheet_rows(handout, coder, units, Texts(db))) for coder, units in given.items()}
        files = _write(folder, form, codebook, sheets, rows)
    lines = [f"{file}" for file in files]
    lines += [f"{coder}: {counted(len(units), 'post')}" for coder, units in given.items()]
    summary = {"archive": str(archive), "sample": sample.digest, "codebook": codebook.digest}
    numbers = {coder: len(units) for coder, units in given.items()}
    finish({**summary, "files": [str(file) for file in files], "posts": numbers}, lines, as_json=as_json, always=True)


def _targets(folder: Path, form: str, sample: Sample, coders: Sequence[str]) -> dict[str, Path]:
    """The file of each coder. Raises `BadStudyFile` where one exists."""
    suffix = ".xlsx" if form == "xlsx" else ".json"
    names = {coder: plain(coder) if coder.isascii() else f"coder{place}" for place, coder in enumerate(coders, 1)}
    sheets = {coder: folder / f"{sample.name}-{name}{suffix}" for coder, name in names.items()}
    if len({*sheets.values()}) < len(sheets):
        raise BadStudyFile("two coders' files would have one name; choose names that differ in letters or digits")
    for path in sheets.values():
        if path.exists():
            raise BadStudyFile(f"{path}: exists, and may hold a coder's work; name another folder with -o")
    return sheets


def _write(
    folder: Path,
    form: str,
    codebook: CodeBook,
    sheets: Mapping[str, Path],
    rows: Mapping[str, Sequence[Mapping[str, str]]],
) -> list[Path]:
    about = {folder / f"{plain(codebook.name)}.qdc": qdc(codebook, f"{PRODUCT} {VERSION}")}
    if form != "xlsx":
        about[folder / f"{plain(codebook.name)}.xml"] = config(codebook)
    folder.mkdir(parents=True, exist_ok=True)
    for coder, path in sheets.items():
        if form == "xlsx":
            write_sheet(path, codebook, rows[coder])
        else:
            path.write_bytes(tasks_json(rows[coder]))
    for path, data in about.items():
        path.write_bytes(data)
    return [*sheets.values(), *about]


@command.command(
    "import",
    short_help="Read the sheets that coders return.",
    epilog=examples("clinic-archive coding import sheets/n20-seed7-anna.xlsx sheets/n20-seed7-ben.xlsx"),
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE...")
@click.option("--replace", is_flag=True, help="Let these take the place of codings that a coder returned before.")
@archive_option
@json_option
def import_(paths: tuple[Path, ...], replace: bool, archive: Path, as_json: bool) -> None:
    """Read codings from sheets (XLSX or CSV), or from the JSON that Label Studio exports.

    A file is read whole or not at all: every fault is named with its row, and nothing is stored. A copy of each file
    stays below study/, byte for byte. Exit code 1 means that a file could not be used; the others were imported.
    """
    results: dict[str, Any] = {}
    faults: list[str] = []
    lines: list[str] = []
    with opened_study(archive) as (db, study):
        texts = Texts(db)
        for path in paths:
            try:
                answers = take_codings(archive, study, texts, path, replace=replace)
            except BadStudyFile as error:
                faults += [*error.lines, f"{path}: nothing of it was imported"]
                results[str(path)] = {"refused": error.lines}
                continue
            results[str(path)] = _result(answers)
            lines.append(f"{path}: {_words(answers)}")
            for note in answers.notes if answers else ():
                echo(note, err=True)
    print_problems(faults, noun="fault", most=len(faults))
    code = ExitCode.UNEXPECTED if faults else ExitCode.DONE
    finish({"archive": str(archive), "files": results}, lines, as_json=as_json, code=code, always=True)


def _result(answers: Answers | None) -> dict[str, Any]:
    if answers is None:
        return {"codings": 0, "known": True}
    coders = sorted({coding.coder for coding in answers.codings})
    units = len({(coding.coder, coding.unit) for coding in answers.codings})
    return {"codings": len(answers.codings), "coders": coders, "posts": units, "left": answers.left}


def _words(answers: Answers | None) -> str:
    if answers is None:
        return "imported before; nothing new"
    result = _result(answers)
    left = f"; {counted(answers.left, 'code')} left empty" if answers.left else ""
    return f"{counted(len(answers.codings), 'coding')} of {counted(result['posts'], 'post')} by" + (
        f" {', '.join(result['coders'])}{left}"
    )


@command.command(
    short_help="Compute how far coders agree.",
    epilog=examples("clinic-archive coding agreement", "clinic-archive coding agreement --draws 5000 --seed 7 --json"),
)
@sample_option
@click.option("--draws", type=click.IntRange(0, 100_000), default=1000, show_default=True, help="Of the bootstrap.")
@seed_option
@archive_option
@json_option
def agreement(sample_name: str | None, draws: int, seed: int | None, archive: Path, as_json: bool) -> None:
    """Compute agreement for each code, on the posts that several coders coded; consensus does not count.

    percent: equal pairs in percent. Cohen's kappa: of more than two coders, the mean of their pairs. Fleiss' kappa,
    Krippendorff's alpha (nominal; ordinal for ordinal codes), Gwet's AC1. Intervals hold 95 % of samples of the posts
    drawn with replacement. "-": not defined, for example where all values are equal.
    """
    with closing(read_only(archive)) as db, exit_on_error(archive):
        study = study_of(archive, db)
        sample = chosen_sample(study, sample_name, coded=True)
        drawn_by = sample.seed if seed is None else seed
        found = {
            codebook: list(agreements(overlaps(db, sample.digest, codebook), seed=drawn_by, draws=draws))
            for codebook in _codebooks(study, sample)
        }
    lines = [line for codebook, codes in found.items() for line in lines_of(study.codebooks[codebook], codes)]
    codes = [summary_of(codebook, each) for codebook, made in found.items() for each in made]
    summary = {"archive": str(archive), "sample": sample.digest, "seed": drawn_by, "draws": draws, "codes": codes}
    finish(summary, lines, as_json=as_json, always=True)


def _codebooks(study: Study, sample: Sample) -> list[str]:
    """The code books by which the sample was coded. Raises `BadStudyFile` without one."""
    made = (coding for codings in study.codings.values() for coding in codings)
    found = list(dict.fromkeys(coding.codebook for coding in made if coding.sample == sample.digest))
    if not found:
        raise BadStudyFile(f"no codings of sample {sample.name} yet; `clinic-archive coding import` reads them")
    return found


@command.command(
    short_help="Make a sheet of the posts on which coders disagree.",
    epilog=examples("clinic-archive coding disagreements -o reconcile.xlsx"),
)
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE.xlsx",
    help="The sheet; it must not exist.",
)
@sample_option
@archive_option
@json_option
def disagreements(path: Path, sample_name: str | None, archive: Path, as_json: bool) -> None:
    """Make a sheet of the posts on which coders disagree, with what each of them chose.

    Codes on which all agree are filled in. Choose the others together, and read the sheet with `coding import`: its
    codes are those of the coder consensus, which no agreement counts.
    """
    with closing(read_only(archive)) as db, exit_on_error(path, "no sheet made"):
        study = study_of(archive, db)
        sample = chosen_sample(study, sample_name, coded=True)
        codebooks = _codebooks(study, sample)
        if len(codebooks) > 1:
            raise BadStudyFile(
                f"sample {sample.name} was coded by {len(codebooks)} code books; reconcile one at a time"
            )
        codebook = study.codebooks[codebooks[0]]
        found = overlaps(db, sample.digest, codebook.digest)
        disputed = {unit for overlap in found.values() for unit in overlap.disagreed()}
        units = [unit for unit in sample.units if unit.unit in disputed]
        if not units:
            finish(
                {"posts": 0},
                ["the coders agree on every post that several of them coded"],
                as_json=as_json,
                always=True,
            )
        rows = list(sheet_rows(Handout(sample, codebook), CONSENSUS, units, Texts(db)))
        write_sheet(path, codebook, rows, [reconciling(found, unit.unit) for unit in units])
    line = f"{path}: {counted(len(units), 'post')}"
    finish({"file": str(path), "posts": len(units)}, [line], as_json=as_json, always=True)


@command.command(
    short_help="List where codings stand in the texts of today.", epilog=examples("clinic-archive coding anchors")
)
@archive_option
@json_option
def anchors(archive: Path, as_json: bool) -> None:
    """Count the codings by how they are anchored, and list those whose text is no longer read as it was.

    exact: the text is there unchanged. re-anchored: a newer parser reads the same text with other white space, and the
    words stand there exactly once. unanchored: they do not; the coding stays as it was made.
    """
    sql = (
        "SELECT anchor, coder, code, permalink, text_start, text_end, anchor_permalink, anchor_start, anchor_end FROM"
        " codings WHERE replaced_by IS NULL ORDER BY anchor, permalink, coder, code"
    )
    with closing(read_only(archive)) as db, exit_on_error(archive):
        found = db.execute(sql).fetchall()
    numbers = {kind: sum(row[0] == kind for row in found) for kind in ("exact", "re-anchored", "unanchored")}
    lines = [f"{kind}: {number}" for kind, number in numbers.items()]
    for anchor, coder, code, permalink, start, end, now, now_start, now_end in found:
        if anchor != "exact":
            there = f"; now {now} {now_start}-{now_end}" if now else ""
            lines.append(f"{anchor}: {code} by {coder}: {permalink} {start}-{end}{there}")
    listed = [
        dict(zip(("anchor", "coder", "code", "permalink"), row, strict=False)) for row in found if row[0] != "exact"
    ]
    finish({"archive": str(archive), **numbers, "listed": listed}, lines, as_json=as_json, always=True)
