"""The memory of this process, as the kernel counts it (Linux).

`ru_maxrss` is useless where a process was started by a larger one: a child has it from its parent, past an exec.
"""

from __future__ import annotations

import re
from pathlib import Path


def forget_peak() -> None:
    """Set the high-water mark (VmHWM) back to what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def megabytes(name: str) -> float:
    """VmRSS (now) or VmHWM (the most since the mark was set back, or since the program started)."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1000
