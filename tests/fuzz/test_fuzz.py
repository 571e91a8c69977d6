"""Mutated inputs: no reader raises, none takes long or much memory; an import of any file verifies and rebuilds.

A few hundred inputs and three files, other ones each day of a soak: 50,000 and 500.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.commands import main
from pipelines.rebuild import rebuild
from tests.fuzz.mutation import mutated
from tests.fuzz.readers import WARCS
from tests.pipelines.test_importer import bring
from tests.soak import SOAK
from tests.waiting import HANG

ROOT = Path(__file__).parents[2]
INPUTS = 50_000 if SOAK else 250
FILES = 500 if SOAK else 3
SEED = int(os.environ.get("FUZZ_SEED", "1"))
LARGEST = 500  # MB
PROCESSES = 4 if SOAK else 1


@pytest.mark.parametrize("part", range(PROCESSES))
def test_the_readers_of_bytes_of_others(part: int) -> None:
    command = [sys.executable, "-m", "tests.fuzz.readers", str(INPUTS // PROCESSES), str(SEED * 100 + part)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=None if SOAK else HANG, check=True)
    found = json.loads(done.stdout)
    assert (found["raised"], found["slow"]) == ({}, [])
    assert found["memory"] < LARGEST


@pytest.mark.parametrize("seed", range(SEED * 1000, SEED * 1000 + FILES))
def test_a_mutated_file_is_imported_verified_and_rebuilt(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    sound, bad = (tmp_path / f"{name}.warc.gz" for name in ("sound", "bad"))
    sound.write_bytes(WARCS[0])
    data = mutated(WARCS, chance)
    bad.write_bytes(gzip.compress(data) if chance.random() < 0.3 else data)
    archive = tmp_path / "archive"
    results = bring(archive, bad, sound)
    assert results[1].refused is None
    for _ in range(2):
        done = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
        assert (done.exit_code, done.output) == (0, "")
        built = rebuild(archive)
        assert (built.differs, built.problems) == ([], [])
