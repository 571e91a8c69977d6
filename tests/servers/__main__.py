"""`python -m tests.servers [CASE ...]`: crawl each blog twice, score it, rebuild it, verify it; 1 if any falls short.

The servers and their scorer are in ../shared/servers; where that is absent there is nothing to do. `SERVERS_HOME` is
the folder in which they are built (default: var/servers).
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

from tests.leaks import given, hashes_of, not_in, occurring, pages, people_of, recorded
from tests.servers.cases import CASES, Case

ROOT = Path(__file__).parents[2]
SERVERS = ROOT.parent / "shared" / "servers"
HOME = Path(os.environ.get("SERVERS_HOME", ROOT / "var" / "servers")).absolute()
COMMAND = (sys.executable, "-c", "from pipelines.commands import main; main()")
# A second crawl of an unchanged blog makes none of these.
NEW_REVISIONS = "SELECT count(*) FROM revisions WHERE kind IN ('content', 'extractor')"


def script(case: Case, *arguments: str) -> None:
    """Run the script of a server. Raises `CalledProcessError`."""
    environment = {**os.environ, **case.environment, "SERVERS_HOME": str(HOME)}
    subprocess.run([str(SERVERS / case.script), *arguments], env=environment, check=True, stdout=sys.stderr)


def command(archive: Path, *arguments: str) -> tuple[int, str]:
    """Run a verb of the product on the archive; return its exit code and what it printed."""
    done = subprocess.run(
        [*COMMAND, *arguments, "--archive", str(archive)], cwd=ROOT, text=True, capture_output=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def count(archive: Path, sql: str) -> int:
    """Return the number that a query of the archive gives."""
    with closing(sqlite3.connect(archive / "archive.db")) as db:
        return int(db.execute(sql).fetchone()[0])


def score(archive: Path, truth: Path) -> dict[str, Any]:
    """Return what the scorer says."""
    done = subprocess.run(
        [sys.executable, SERVERS / "score.py", archive / "archive.db", truth, "--json"],
        text=True, capture_output=True, check=True,
    )  # fmt: skip
    scored: dict[str, Any] = json.loads(done.stdout)
    return scored


def named(folder: Path, truth: Path) -> list[str]:
    """Return a line for each thing that the archive gives away and in which a commenter is named.

    The archive that was scored has names: a copy of it gets the default policy. Each person must be in the recorded
    bytes, or nothing is proven.
    """
    people = people_of(json.loads(truth.read_text("utf-8")))
    archive = shutil.copytree(folder / "archive", folder / "pseudonymous" / "archive")
    missing, hashes = not_in(people, recorded(archive)), hashes_of(recorded(archive))
    if missing or not people:
        return [f"nobody to look for, or not recorded: {', '.join(missing) or 'no commenter'}"]
    print(f"{folder.name}: {len(people)} names, addresses and numbers, and {len(hashes)} hashes and ids to look for")
    listed = folder / "pseudonymous" / "clinics.toml"
    listed.write_text((folder / "clinics.toml").read_text("utf-8").replace('privacy = "keep"\n', ""), "utf-8")

    def verb(*arguments: object) -> None:
        code, printed = command(archive, *map(str, arguments))
        if code:
            raise RuntimeError(f"{arguments[0]}: exit {code}: {printed}")

    verb("privacy", "apply", "--clinics-file", listed)
    found, number = list[str](), 0
    for name, data in chain(given(archive, folder / "pseudonymous", verb), pages(archive, most=3)):
        number += 1
        if those := occurring([*people, *hashes], data):
            found.append(f"{name} names {', '.join(those)}")
    print(f"{folder.name}: {number} files and pages searched, {len(found)} with one of them")
    return found


def run(name: str, case: Case) -> bool:
    """Crawl one blog, print what was read right, and return whether nothing is wrong that never may be."""
    folder = HOME / "archives" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive, truth, listed = folder / "archive", folder / "truth.json", folder / "clinics.toml"
    listed.write_text(
        f'[clinics.server]\nname = "Server"\nurl = "{case.url}"\nallow_private = true\nprivacy = "keep"\n', "utf-8"
    )
    script(case, "up")
    try:
        if case.seed is not None:
            site = HOME / "wordpress" / case.environment["WP_NAME"] / "htdocs"
            program = Path(__file__).with_name(case.seed)
            subprocess.run(["php", "-d", "memory_limit=512M", program, site], check=True, stdout=sys.stderr)
        for key, value in case.settings:
            script(case, "set", key, value)
        script(case, "truth", str(truth))
        crawl = ("crawl", "--clinics-file", str(listed))
        codes = {"first crawl": command(archive, *crawl)}
        requests = count(archive, "SELECT count(*) FROM captures")
        before = count(archive, NEW_REVISIONS)
        codes["second crawl"] = command(archive, *crawl)
        new = count(archive, NEW_REVISIONS) - before
        quiet = count(archive, "SELECT count(*) FROM captures") - requests
        codes["rebuild"] = command(archive, "rebuild")
        codes["verify"] = command(archive, "verify")
        leaks = named(folder, truth)
        scored = score(archive, truth)
    finally:
        script(case, "destroy")
    print(f"\n== {name}: {requests} requests, then {quiet}; new revisions of the second crawl: {new}")
    forbidden = {field: verdicts for field, verdicts in scored["fields"].items() if field.startswith(("spur", "leak"))}
    for field, verdicts in scored["fields"].items():
        total, rest = sum(verdicts.values()), {key: value for key, value in verdicts.items() if key != "right"}
        print(f"  {field:42} {verdicts.get('right', 0):>5} of {total:<5} {rest or ''}")
    for verb, (code, printed) in codes.items():
        if code:
            print(f"  {verb}: exit {code}\n    " + printed.strip().replace("\n", "\n    "))
    print("".join(f"  {line}\n" for line in leaks), end="")
    wrong = any(sum(verdicts.values()) for verdicts in forbidden.values()) or new or codes["verify"][0] or leaks
    return not wrong


def main(names: list[str]) -> int:
    """Run the named cases, or all."""
    if not SERVERS.exists():
        print(f"{SERVERS} is absent: there are no servers to crawl; nothing done")
        return 0
    unknown = [name for name in names if name not in CASES]
    if unknown:
        print(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
        return 2
    HOME.mkdir(parents=True, exist_ok=True)
    results = {name: run(name, CASES[name]) for name in names or CASES}
    wrong = [name for name, is_right in results.items() if not is_right]
    print(
        f"\n{len(results) - len(wrong)} of {len(results)} without a fault"
        + (f"; faults: {', '.join(wrong)}" if wrong else "")
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
