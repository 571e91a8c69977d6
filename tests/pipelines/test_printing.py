"""What is printed or logged is safe to read, and a stream that cannot be written changes nothing."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from pipelines.printing import LineFormatter, printable
from tests.waiting import HANG

ESCAPES = {
    "\x1b[31mred\x1b[0m": "\\u001b[31mred\\u001b[0m",
    "host\x9b1m": "host\\u009b1m",
    "a\rb": "a\\u000db",
    "bell\x07": "bell\\u0007",
    "\u202egpj.exe": "\\u202egpj.exe",
    "two\u2028lines": "two\\u2028lines",
    "half \ud800": "half \\ud800",
    "a\tb\nc": "a\tb\nc",
    "Schlaf für Schichtarbeit, 睡眠, שלום": "Schlaf für Schichtarbeit, 睡眠, שלום",
}
ADDRESSES = {
    "<GET http://user:secret@a.example/x>": "<GET http://a.example/x>",
    "https://token@a.example": "https://a.example",
    "https://a.example/@user": "https://a.example/@user",
    "https://a.example/?to=b@c.example": "https://a.example/?to=b@c.example",
    "write to a@b.example": "write to a@b.example",
    "http://u:p@ss@a.example/": "http://a.example/",
}


@pytest.mark.parametrize(("text", "expected"), [*ESCAPES.items(), *ADDRESSES.items()])
def test_a_line_holds_no_control_character_and_no_password(text: str, expected: str) -> None:
    assert printable(text) == expected
    assert printable(expected) == expected


def test_json_stays_json() -> None:
    document = {"title": "a\x1bb\x9bc\u2028"}
    assert json.loads(printable(json.dumps(document, ensure_ascii=False))) == document


def test_a_record_of_the_log_passes_the_filter() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "Redirecting to %s", ("http://u:p@a.example/\x1b",), None)
    assert LineFormatter("%(message)s").format(record) == "Redirecting to http://a.example/\\u001b"


PROGRAM = "import sys; from pipelines.printing import echo; echo('result'); echo('more'); sys.exit(3)"
LOGGING = """
import logging; from pipelines.printing import LogFile
logging.root.addHandler(LogFile('/dev/full'))
for number in range(3): logging.error('line %d', number)
"""


@pytest.mark.parametrize(
    ("redirection", "err"),
    [
        (">/dev/full", "stdout: No space left on device; the rest of the output is left out\n"),
        (">&-", ""),
        ("2>&-", ""),
        ("2>/dev/full", ""),
        ("| true", ""),
    ],
)
def test_output_that_cannot_be_written_leaves_the_exit_code(redirection: str, err: str) -> None:
    command = f'set -o pipefail; "{sys.executable}" -c "{PROGRAM}" {redirection}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=HANG, check=False)
    assert (done.returncode, done.stderr) == (3, err)


def test_a_log_that_cannot_be_written_is_reported_once() -> None:
    done = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, timeout=HANG, check=False)
    line = "/dev/full: No space left on device; the run continues without its log\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", line)
