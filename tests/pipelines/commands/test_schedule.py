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
from pipelines.commands._options import Duration


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
    crawl, status, verify = commands(printed("--archive", archive, "--clinics-file", tmp_path / "clinics.toml"))
    pause, end, crawl = crawl.partition(')"; ')
    wait = subprocess.run(
        ["sh", "-c", pause.replace("sleep", "echo") + end], capture_output=True, text=True, check=True
    )
    assert 0 <= int(wait.stdout) < 900
    done = subprocess.run(["sh", "-c", crawl], cwd="/", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "every clinic is closed: nothing to visit"
    for line in (status, verify):
        done = subprocess.run(["sh", "-c", line], cwd="/", capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    assert archive.is_dir()


def test_an_archive_that_is_held_is_no_failure(tmp_path: Path) -> None:
    crawl, _, _ = commands(printed("--archive", tmp_path))
    _, _, after = crawl.rpartition(" || ")
    for code, expected in ((75, 0), (130, 0), (3, 1)):
        assert subprocess.run(["sh", "-c", f"(exit {code}) || {after}"], check=False).returncode == expected


def test_an_archive_keeps_its_minute(tmp_path: Path) -> None:
    assert printed("--archive", tmp_path) == printed("--cron", "--archive", tmp_path)
    texts = [printed("--archive", tmp_path / str(number)) for number in range(20)]
    minutes = {int(minute) for text in texts for minute in re.findall(r"^(\d+) 3 ", text, re.M)}
    assert len(minutes) > 5
    # With the pause of a quarter of an hour no run begins now before and now after midnight in UTC, where that is at
    # 3:30 or 4 o'clock.
    assert all(minute % 30 < 15 for minute in minutes)


def test_an_archive_in_a_checkout_is_refused_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "clinics.toml").touch()
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["schedule"])
    assert done.exit_code == 4
    assert str(tmp_path / "var") in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "var") in printed("--archive", "var")


@pytest.mark.parametrize("name", ["blogs", "50% of 'it', \"$HOME\" \\ more"])
def test_systemd_units(tmp_path: Path, name: str) -> None:
    archive = tmp_path / name
    archive.mkdir()
    text = printed("--systemd", "--archive", archive)
    files = dict(re.findall(r"^# (/etc/systemd/system/\S+?\.(?:service|timer)).*\n((?:(?!# /etc).*\n)+)", text, re.M))
    assert len(files) == 6
    for name, unit in files.items():
        parsed = configparser.ConfigParser(interpolation=None, strict=True)
        parsed.read_string(unit)
        if name.endswith(".service"):
            assert parsed["Service"]["SuccessExitStatus"] == "75 130"
            assert parsed["Service"]["User"] not in ("root", "")
            assert words(parsed["Service"]["ReadWritePaths"]) == [str(archive)]
            started = words(parsed["Service"]["ExecStart"].replace("$$", "$"))
            assert started[started.index("--archive") + 1] == str(archive)
        else:
            assert parsed["Timer"]["RandomizedDelaySec"] == "900"
    if shutil.which("systemd-analyze"):
        for unit in (text for place, text in files.items() if place.endswith(".timer")):
            when = re.search(r"OnCalendar=(.*)", unit)
            assert when is not None
            subprocess.run(["systemd-analyze", "calendar", when[1]], check=True, capture_output=True)


def test_two_archives_of_a_machine_have_units_of_their_own() -> None:
    """Also where their folders have the same name, or one that a unit cannot have."""
    folders = ("/srv/clinics", "/mnt/clinics", "/srv/50% of 'it'/../é", "/srv/" + 200 * "long ", "/")
    units = [
        re.findall(r"^# /etc/systemd/system/(\S+)", printed("--systemd", "--archive", folder), re.M)
        for folder in folders
    ]
    names = [name for found in units for name in found]
    assert len(set(names)) == len(names) == 6 * len(folders)
    assert [
        name for name in names if not re.fullmatch(r"clinic-archive-[A-Za-z0-9-]{4,60}\.(service|timer)", name)
    ] == []
    first = units[0][0].removesuffix(".service")
    assert first.startswith("clinic-archive-clinics-")
    assert units[0] == [f"{first}{part}.{kind}" for part in ("", "-status", "-verify") for kind in ("service", "timer")]


def test_where_the_address_of_a_watcher_goes(tmp_path: Path) -> None:
    """Into no list of processes: a line of the crontab, or a file that only root reads; `verify` has none."""
    crontab = printed("--archive", tmp_path)
    assert crontab.splitlines()[-1].startswith("# ")
    assert "CLINIC_ARCHIVE_PING_URL=https://" in crontab.splitlines()[-1]
    units = printed("--systemd", "--archive", tmp_path)
    (name,) = re.findall(r"^# /etc/systemd/system/(\S+)-verify.service", units, re.M)
    assert re.findall(r"^EnvironmentFile=.*", units, re.M) == [f"EnvironmentFile=-/etc/{name}.env"]
    assert units.index("EnvironmentFile") < units.index(f"{name}-verify.service")
    assert "--ping-url" not in crontab + units


def words(line: str) -> list[str]:
    """Words of a unit file as systemd reads them: quotes around a whole one, a backslash before what is meant."""
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', line)
    return [re.sub(r"\\(.)", r"\1", quoted or plain).replace("%%", "%") for quoted, plain in found]


def test_a_time_limit_is_checked_before_it_is_printed() -> None:
    assert "--time-limit 90m" in printed("--archive", "/srv/blogs", "--time-limit", "90m")
    assert CliRunner().invoke(main, ["schedule", "--archive", "/srv/blogs", "--time-limit", "soon"]).exit_code == 2


def test_what_it_cannot_print(tmp_path: Path) -> None:
    for arguments, code in ((("--cron", "--systemd"), 2), (("--clinics-file", tmp_path / "no.toml"), 4)):
        done = CliRunner().invoke(main, ["schedule", "--archive", "/srv/blogs", *map(str, arguments)])
        assert (done.exit_code, done.stdout) == (code, "")
    assert "--time-limit 6h" in printed("--archive", "/srv/blogs")


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("90m", 5400), ("1.5h", 5400), ("2d", 172800), ("0s", 0)])
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "90", "six hours", "-1h", "1h30m"])
def test_what_is_no_length_of_time(text: str) -> None:
    done = CliRunner().invoke(main, ["crawl", "--time-limit", text])
    assert done.exit_code == 2
    assert "write 90m, 6h or 2d" in done.stderr
