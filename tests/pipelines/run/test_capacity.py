"""How many clinics are visited at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.run import capacity
from pipelines.run.capacity import FILES_EACH, FILES_KEPT, MAX_VISITS, MEMORY_EACH, available_memory, parallel_visits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MemTotal:       24680 kB\nMemAvailable:   12340 kB\n", 12340 * 1024),
        ("MemTotal:       24680 kB\n", None),
        ("MemAvailable: many kB\n", None),
        ("", None),
    ],
)
def test_the_line_of_the_kernel(text: str, expected: int | None, tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(text)
    assert available_memory(tmp_path / "meminfo") == expected


def test_where_the_kernel_does_not_say_memory_is_no_bound(tmp_path: Path) -> None:
    assert available_memory(tmp_path / "none") is None


def test_little_memory_means_few_visits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meminfo = tmp_path / "meminfo"
    monkeypatch.setattr(capacity, "MEMINFO", meminfo)
    meminfo.write_text(f"MemAvailable: {10 * 2 * MEMORY_EACH // 1024} kB\n")
    assert parallel_visits() == 10
    meminfo.write_text("MemAvailable: 100 kB\n")
    assert parallel_visits() == 1


def test_few_open_files_mean_few_visits() -> None:
    """In a process of its own, whose hard limit cannot be raised again."""
    limit = FILES_KEPT + 5 * FILES_EACH
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (50, {0}));"
        " from pipelines.run.capacity import parallel_visits; print(parallel_visits())"
    )
    done = subprocess.run([sys.executable, "-c", code.format(limit)], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 5 <= MAX_VISITS
