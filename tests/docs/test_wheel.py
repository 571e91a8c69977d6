"""The wheel, installed outside the checkout: everything that the program reads at run time is in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.clinic import running
from tests.docs.markdown import ROOT
from tests.e2e.browsing import served_by
from tests.e2e.product import environment

SOURCES = ("archive", "pipelines", "scraper", "pyproject.toml", "README.md", "LICENSE")
# Files that are no Python, of which a wheel holds only those that pyproject.toml names.
DATA = {".sql", ".yaml", ".html", ".css", ".sh"}


def run(*command: str | Path, cwd: Path) -> None:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, folder)
    build = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "wheel", ".", *build, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel; the libraries are those of the present environment."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=ROOT)
    python = folder / "bin" / "python"
    install = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", python, "install", *install, wheel, cwd=folder)
    # A path line of a .pth file adds the libraries, but not the .pth files there: the checkout stays out.
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_the_wheel_holds_every_data_file(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = [
        path.relative_to(ROOT).as_posix()
        for package in ("archive", "pipelines", "scraper")
        for path in (ROOT / package).rglob("*")
        if path.suffix in DATA
    ]
    assert [name for name in wanted if name not in packed] == []


def test_the_installed_program_works_in_an_empty_folder(programs: Path, tmp_path: Path) -> None:
    program, folder = programs / "clinic-archive", tmp_path / "empty"
    folder.mkdir()
    script = "import archive, sys; sys.exit(not archive.__file__.startswith(sys.prefix))"
    run(programs / "python", "-c", script, cwd=folder)
    with running(tmp_path / "clinic") as clinic:
        run(program, "crawl", "--url", clinic.url, "--allow-private", "--limit", "3", cwd=folder)
    with served_by(program, folder / "var") as url:
        for page in ("/", "/archive", "/-/status", "/site/archive.css"):
            answer = httpx.get(url + page, timeout=60)
            assert answer.status_code == 200, f"{page}: {answer.text[:500]}"
        assert httpx.get(f"{url}/archive/views_gained", timeout=60).status_code == 200
    pytest.importorskip("pyarrow")
    run(program, "export", "posts_with_counts", "--format", "parquet", cwd=folder)
    assert (folder / "posts_with_counts.parquet").stat().st_size > 0
