"""`clinic-archive schedule`: what it prints is what cron and systemd take, and it runs."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.commands import main
from pipelines.commands._held import Duration


def printed(*arguments: object) -> str:
    done = CliRunner().invoke(main, ["schedule", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def commands(crontab: str) -> list[str]:
    """What cron gives to sh: the sixth field, its escaped percent signs plain."""
    lines = [line for line in crontab.splitlines() if re.match(r"\d", line)]
    return [re.sub(r"\\%", "%", line.split(maxsplit=5)[5]) for line in lines]


def test_cron_runs_what_is_printed(tmp_path: Path) -> None:
    """Through sh, in another folder, with an odd name; only the pause at random is left out."""
    archive = tmp_path / "50% of 'it'"
    (tmp_path / "clinics.toml").write_text('[clinics.shut]\nname = "S"\nurl = "https://s.org"\nclosed = 2026-01-01\n')
    crawl, verify = commands(printed("--archive", archive, "--clinics-file", tmp_path / "clinics.toml"))
    pause, _, crawl = crawl.partition("; ")
    assert pause == 'sleep "$(shuf -i 0-900 -n 1)"'
    done = subprocess.run(["sh", "-c", crawl], cwd="/", capture_output=True, text=True, check=False)
    assert "no clinic to visit" in done.stderr
    done = subprocess.run(["sh", "-c", verify], cwd="/", capture_output=True, text=True, check=False)
    assert str(archive) in done.stderr


def test_an_archive_that_is_held_is_no_failure(tmp_path: Path) -> None:
    crawl, _ = commands(printed("--archive", tmp_path))
    _, _, after = crawl.rpartition(" || ")
    for code, expected in ((75, 0), (3, 1)):
        assert subprocess.run(["sh", "-c", f"(exit {code}) || {after}"], check=False).returncode == expected


def test_an_archive_keeps_its_minute(tmp_path: Path) -> None:
    assert printed("--archive", tmp_path) == printed("--cron", "--archive", tmp_path)
    minutes = {printed("--archive", tmp_path / str(number)).splitlines()[3].split()[0] for number in range(20)}
    assert len(minutes) > 5


def test_an_archive_in_a_checkout_is_refused_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["schedule"])
    assert done.exit_code == 4
    assert str(tmp_path / "var") in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "var") in printed("--archive", "var")


def test_systemd_units(tmp_path: Path) -> None:
    text = printed("--systemd", "--archive", tmp_path)
    files = dict(re.findall(r"^# (/etc/systemd/system/\S+?\.(?:service|timer)).*\n((?:(?!# /etc).*\n)+)", text, re.M))
    assert len(files) == 4
    for name, unit in files.items():
        parsed = configparser.ConfigParser(interpolation=None, strict=True)
        parsed.read_string(unit)
        if name.endswith(".service"):
            assert parsed["Service"]["SuccessExitStatus"] == "75"
            assert parsed["Service"]["User"] not in ("root", "")
        else:
            assert parsed["Timer"]["RandomizedDelaySec"] == "900"
    if shutil.which("systemd-analyze"):
        for name in ("clinic-archive", "clinic-archive-verify"):
            when = re.search(r"OnCalendar=(.*)", files[f"/etc/systemd/system/{name}.timer"])
            assert when is not None
            subprocess.run(["systemd-analyze", "calendar", when[1]], check=True, capture_output=True)


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("90m", 5400), ("1.5h", 5400), ("2d", 172800), ("0s", 0)])
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "90", "six hours", "-1h", "1h30m"])
def test_what_is_no_length_of_time(text: str) -> None:
    done = CliRunner().invoke(main, ["crawl", "--time-limit", text])
    assert done.exit_code == 2
    assert "write 90m, 6h or 2d" in done.stderr
