"""What a reader of the docs relies on: pages that are short, up to date, linked, and name only what exists."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from tests.docs.generated import DOCS, METADATA, described, live_schema, pages
from tests.docs.markdown import ROOT, documents, name
from tests.verbs import all_verbs

GENERATED = pages()
LONGEST = 150  # lines
# A link or a picture, such as [Visits](visits.md#who-comes-first)
LINK = re.compile(r"(?<!!)\[[^]]*\]\(([^)\s]+)\)|!\[[^]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", GENERATED)
def test_generated_pages_are_up_to_date(page: str) -> None:
    path = DOCS / page
    assert path.exists(), f"docs/{page} is missing: run `make docs`"
    assert path.read_text("utf-8") == GENERATED[page], f"docs/{page} is out of date: run `make docs`"


def test_every_column_is_described() -> None:
    existing, descriptions = described(live_schema())
    assert existing - descriptions == set(), f"describe these in {name(METADATA)}"
    assert descriptions - existing == set(), f"these are in {name(METADATA)} and in no archive"


def test_every_command_is_on_a_page() -> None:
    text = "".join(GENERATED.values())
    assert [verb for verb in all_verbs() if f"\n## clinic-archive {verb}\n" not in text] == []


@pytest.mark.parametrize("path", documents(), ids=name)
def test_pages_are_short(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST, "split it: one subject a page"


@pytest.mark.parametrize("path", documents(), ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    for match in LINK.finditer(path.read_text("utf-8")):
        target, _, anchor = (match[1] or match[2]).partition("#")
        if "://" in target:
            continue
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), f"{target} does not exist"
        assert not anchor or anchor in anchors(file), f"{target} has no heading #{anchor}"


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        targets = (match[1] for match in LINK.finditer(path.read_text("utf-8")) if match[1])
        waiting += [(path.parent / target.partition("#")[0]).resolve() for target in targets if "://" not in target]
    assert [name(path) for path in documents() if path not in reached] == []


@pytest.mark.parametrize("path", documents(), ids=name)
def test_only_commands_options_and_targets_that_exist_are_named(path: Path) -> None:
    text = path.read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for mentioned in re.findall(r"`make ([a-z-]+)", text):
        assert mentioned in targets, f"there is no `make {mentioned}`"
    for line in re.findall(r"clinic-archive ([a-z]+ [^`\n]*|[a-z]+)", text):
        words = line.split("#")[0].split()
        command = all_verbs().get(words[0])
        if command is None:
            continue  # a sentence: "clinic-archive is ..."
        subcommand = command.commands.get(words[1]) if isinstance(command, click.Group) and words[1:] else None
        known = {option for parameter in (subcommand or command).params for option in parameter.opts} | {"--help", "-h"}
        for option in re.findall(r"(?<=\s)(--?[a-z][a-z-]*)", re.split(r"[|;)&]", line)[0]):
            assert option in known, f"clinic-archive {words[0]} has no {option}"


def test_every_exit_code_is_explained() -> None:
    text = (DOCS / "exit-codes.md").read_text("utf-8")
    for code in (0, 1, 2, 3, 4, 5, 6, 7, 75, 130):
        assert re.search(rf"^\| {code} \|", text, re.MULTILINE), f"docs/exit-codes.md does not explain {code}"


@pytest.mark.parametrize("path", [ROOT / "pyproject.toml", *documents()], ids=name)
def test_no_package_is_named_that_no_registry_has(path: Path) -> None:
    installs = re.findall(r"pip install [^`\n]*", path.read_text("utf-8"))
    assert [line for line in installs if "clinic-blog-archive" in line] == []
