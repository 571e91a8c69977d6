"""The rules of the house that a machine can see. A rule that fails says what to do."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scraper.platforms import platforms

ROOT = Path(__file__).parents[1]
PACKAGES = ("scraper", "pipelines", "archive")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES})
OF_ONE_KIND = {"pipelines/commands", "scraper/platforms", "archive/site/plugins"}  # a walk finds their files
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def names(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_every_module_and_public_name_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), f"{names(path)}: say in its first line what this file is for"
    public = [node for node in tree.body if isinstance(node, DEFINITIONS) and not node.name.startswith("_")]
    for parent in [node for node in public if isinstance(node, ast.ClassDef)]:
        public += [node for node in parent.body if isinstance(node, DEFINITIONS) and not node.name.startswith("_")]
    for node in public:
        # Scrapy's own entry points are described by Scrapy.
        scrapys = node.name in {"from_crawler", "process_response"}
        assert scrapys or ast.get_docstring(node), f"{names(path)}:{node.lineno}: {node.name} wants a docstring"


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_files_are_short_and_named_for_what_they_do(path: Path) -> None:
    appended = path.name == "migrations.py"  # grows by one step at a time, and no step is ever edited
    assert appended or len(path.read_text("utf-8").splitlines()) <= 320, f"{names(path)}: too long; one reason a file"
    assert path.stem not in {"utils", "helpers", "misc", "common"}
    assert not re.search(r"^class \w*(Manager|Helper)\b", path.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_folders_are_small(folder: Path) -> None:
    files = list(folder.glob("*.py"))
    assert names(folder) in OF_ONE_KIND or len(files) <= 14, f"{names(folder)}: put files of one reason into a folder"


def test_the_halves_meet_only_in_the_hinge() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_sample_clinic_is_a_stranger() -> None:
    for path in (ROOT / "tests" / "clinic").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {module.split(".")[0] for module in modules} & set(PACKAGES), f"{names(path)} imports ours"


@pytest.mark.parametrize("platform", platforms(), ids=lambda platform: platform.name)
def test_every_platform_owns_pages(platform: object) -> None:
    folder = ROOT / "tests" / "pages" / platform.name  # type: ignore[attr-defined]
    assert list(folder.glob("*.json")), f"{names(folder)}: a page and its expected JSON are missing"


@pytest.mark.parametrize("platform", platforms(), ids=lambda platform: platform.name)
def test_other_output_means_another_extractor_version(platform: object) -> None:
    """The digest of all expected outputs is kept with the version that gives them."""
    folder = ROOT / "tests" / "pages" / platform.name  # type: ignore[attr-defined]
    record = folder / "EXTRACTOR_VERSION"
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.json")):
        digest.update(path.name.encode() + b"\0" + json.dumps(json.loads(path.read_text("utf-8"))).encode())
    now = f"{platform.extractor_version} {digest.hexdigest()}\n"  # type: ignore[attr-defined]
    if not record.exists():
        record.write_text(now, "ascii")
    stored = record.read_text("ascii")
    if stored != now and stored.partition(" ")[0] != now.partition(" ")[0]:
        record.write_text(now, "ascii")
        pytest.fail(f"{names(record)} written for the new version; review the expected output, then run again")
    assert stored == now, (
        f"expected output of {platform.name} changed: raise extractor_version if a page is read differently,"  # type: ignore[attr-defined]
        f" or delete {names(record)} if only pages were added, and run again"
    )


def test_locks_record_no_addresses() -> None:
    for path in ROOT.glob("requirements*.txt"):
        text = path.read_text("utf-8")
        assert "://" not in text
        assert all("--hash=" in block for block in re.split(r"\n(?=\S)", text.strip()))


def test_no_machine_path_in_what_is_kept() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".sql"} and path.exists():
            found = re.search(r"(?<![\w./])/(?:home|root|work)/\w+", path.read_text("utf-8"))
            assert found is None, f"{name}: {found[0] if found else ''}"
