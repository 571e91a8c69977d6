"""`clinic-archive clinics check` of sites on this machine: a blog, a site without one, another platform, nobody."""

from __future__ import annotations

import json
import resource
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.clinic import Clinic, running
from tests.e2e.hostile import MISSING, Blog, Reply, page, serving
from tests.e2e.product import Done, Row, column, faults, rows, run, value_of


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with running(tmp_path_factory.mktemp("clinic")) as clinic:
        yield clinic


def verb(folder: Path, *arguments: str) -> Done:
    return run("clinic-archive", "clinics", *arguments, "--archive", folder / "archive", cwd=folder)


def stanza(slug: str, url: str, *more: str) -> str:
    return "\n".join(
        [f"[clinics.{slug}]", f'name = "{slug.title()}"', f'url = "{url}"', "allow_private = true", *more, ""]
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frame")


@pytest.fixture(scope="module")
def done(folder: Path, sample: Clinic) -> Done:
    """Four clinics asked together, and a closed one that is not."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with serving(Blog()) as bare, serving(Blog()) as other:
        bare.answers.clear()
        bare.answers["/"] = Reply(page("<p>Welcome.</p>").encode())
        other.answers.clear()
        other.answers["/"] = Reply(b'<!DOCTYPE html><html><meta name="generator" content="Hostinger"/></html>')
        closed = stanza("shut", "http://127.0.0.1:9", "closed = 2026-01-01")
        text = stanza("sample", sample.url) + stanza("bare", bare.url) + stanza("other", other.url)
        (folder / "clinics.toml").write_text(text + stanza("nobody", nobody) + closed)
        return verb(folder, "check", "--json")


class TestFrame:
    """What is told of them is what the archive holds."""

    def test_answers(self, done: Done) -> None:
        reported = done.json["clinics"]
        keys = ("reached", "blog_status", "platform", "status")
        assert {slug: tuple(item[key] for key in keys) for slug, item in reported.items()} == {
            "sample": (True, "blog", "wix", "done"),
            "bare": (True, "none_found", "wix", "done"),
            "other": (True, "none_found", None, "done"),
            "nobody": (False, "unreachable", None, "failed"),
        }  # fmt: skip
        assert "no blog post was found" in reported["bare"]["why"]
        assert "Hostinger" in reported["other"]["why"]
        assert "no server listens" in reported["nobody"]["why"]

    def test_posts_are_named_and_one_is_read(self, done: Done, sample: Clinic) -> None:
        reported, truth = done.json["clinics"]["sample"], sample.truth()
        assert reported["found_in"]["sitemap"] == sum(post["listed_in"]["sitemap"] for post in truth["posts"])
        assert reported["discovered"] >= reported["found_in"]["sitemap"]
        assert (reported["fetched"], reported["posts"]) == (1, 1)

    def test_only_the_dead_one_is_a_failure(self, done: Done) -> None:
        assert (done.code, done.json["exit_code"]) == (3, 3)
        assert [line.partition(":")[0] for line in done.lines] == ["nobody"], done.err

    def test_the_archive_holds_the_same(self, done: Done, folder: Path) -> None:
        assert done.json
        archive = folder / "archive"
        found = {
            row["clinic_id"]: row for row in rows(archive, "SELECT * FROM clinics JOIN clinic_runs USING (clinic_id)")
        }
        assert {slug: (row["blog_status"], row["status"], row["complete"]) for slug, row in found.items()} == {
            "sample": ("blog", "done", 0), "bare": ("none_found", "done", 0), "other": ("none_found", "done", 0),
            "nobody": ("unreachable", "failed", 0),
        }  # fmt: skip
        assert "no blog post was found" in found["bare"]["note"]
        assert value_of(archive, "SELECT blog_status FROM clinics WHERE clinic_id = 'shut'") == "closed"
        assert column(archive, "SELECT DISTINCT kind FROM crawls") == ["crawl"]
        assert faults(archive) == []

    def test_the_list_tells_it(self, done: Done, folder: Path) -> None:
        assert done.json
        reported: list[Row] = verb(folder, "list", "--json").json["clinics"]
        assert [(row["slug"], row["blog_status"], row["posts"], row["last_status"]) for row in reported] == [
            ("sample", "blog", 1, "done"), ("bare", "none_found", 0, "done"), ("other", "none_found", 0, "done"),
            ("nobody", "unreachable", 0, "failed"), ("shut", "closed", 0, None),
        ]  # fmt: skip

    def test_a_rebuild_says_the_same(self, done: Done, folder: Path) -> None:
        assert done.json
        sql = "SELECT clinic_id, blog_status, status, note FROM clinics LEFT JOIN clinic_runs USING (clinic_id)"
        before = rows(folder / "archive", sql)
        rebuilt = run("clinic-archive", "rebuild", "--archive", folder / "archive", cwd=folder)
        assert (rebuilt.code, rebuilt.err) == (0, "")
        assert sorted(map(str, rows(folder / "archive", sql))) == sorted(map(str, before))


def test_a_clinic_by_name_in_words(tmp_path: Path) -> None:
    """Nothing else is asked; that there is no blog is no failure; a closed one is asked where it is named."""
    with serving(Blog()) as bare, serving(Blog()) as shut:
        bare.answers["/sitemap.xml"] = bare.answers["/blog-feed.xml"] = bare.answers["/blog"] = MISSING
        text = stanza("bare", bare.url) + stanza("shut", shut.url, "closed = 2026-01-01")
        (tmp_path / "clinics.toml").write_text(text)
        done = verb(tmp_path, "check", "bare")
        assert (done.code, done.err, shut.paths) == (0, "", [])
        header, line, known = done.out.splitlines()
        assert header.split("  ")[0] == "clinic"
        assert line.split()[:8] == ["bare", "up", "wix", "wix", "(pages,", "API)", "none", "found"]
        assert known.startswith("known of a wix blog: bodies all, ")
        assert line.endswith("no blog post was found in sitemap, feed or listing")
        done = verb(tmp_path, "check", "shut")
        assert (done.code, done.err) == (0, "")
        assert done.out.splitlines()[1].split()[:8] == ["shut", "up", "wix", "wix", "(pages,", "API)", "blog", "3"]
        assert "sitemap 3" in done.out
        assert sum(path.startswith("/post/") for path in shut.paths) == 1
        shut.answers["/post/note-3"] = Reply(b"<html>Off for today</html>")
        done = verb(tmp_path, "check", "shut")
        assert (done.code, done.out.splitlines()[1].split()[6:8]) == (3, ["blog", "3"])
        assert f"{shut.url}/post/note-3" in done.out.splitlines()[1]
        assert json.loads(verb(tmp_path, "list", "--json").out)["clinics"][1]["blog_status"] == "closed"


def test_where_every_clinic_is_closed_nothing_is_asked_and_nothing_wrong(tmp_path: Path) -> None:
    with serving(Blog()) as shut:
        (tmp_path / "clinics.toml").write_text(stanza("shut", shut.url, "closed = 2026-01-01"))
        done = verb(tmp_path, "check")
        assert (done.code, done.out, done.err) == (0, "every clinic is closed: none was asked\n", "")
        done = verb(tmp_path, "check", "--json")
        assert (done.code, json.loads(done.out)["clinics"], shut.paths) == (0, {}, [])
        stored = {"blog_status": "closed", "closed_on": "2026-01-01"}
        assert rows(tmp_path / "archive", "SELECT blog_status, closed_on FROM clinics") == [stored]
        rebuilt = run("clinic-archive", "rebuild", "--archive", tmp_path / "archive", "--json", cwd=tmp_path)
        assert (rebuilt.code, rebuilt.json["differs"]) == (0, [])


def test_a_clinic_is_asked_until_the_day_it_closes(tmp_path: Path) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    with serving(Blog()) as soon:
        (tmp_path / "clinics.toml").write_text(stanza("soon", soon.url, f"closed = {tomorrow}"))
        done = verb(tmp_path, "check", "--json")
        assert (done.code, done.json["clinics"]["soon"]["blog_status"]) == (0, "blog")
        assert any(path.startswith("/post/") for path in soon.paths)
    assert verb(tmp_path, "list", "--json").json["clinics"][0]["blog_status"] == "blog"
    assert value_of(tmp_path / "archive", "SELECT closed_on FROM clinics") == str(tomorrow)


def test_a_blog_that_is_known_and_not_found_is_a_failure(tmp_path: Path) -> None:
    """Whoever asks: a check of that day must not take the day out of what shares are taken of."""
    with serving(Blog()) as shop:
        (tmp_path / "clinics.toml").write_text(stanza("shop", shop.url))
        assert verb(tmp_path, "check").code == 0
        shop.answers["/"] = Reply(b'<html><meta name="generator" content="Hostinger"/>Welcome</html>')
        done = verb(tmp_path, "check", "--json")
        reported = done.json["clinics"]["shop"]
        assert (done.code, reported["status"], reported["blog_status"]) == (3, "failed", "unsupported")
        assert "Hostinger" in reported["why"]
    assert column(tmp_path / "archive", "SELECT DISTINCT state FROM coverage") == ["partial"]
    assert column(tmp_path / "archive", "SELECT status FROM clinic_runs ORDER BY started_at") == ["done", "failed"]


def test_a_full_disk_leaves_the_file(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the new text does not fit, the old one stays."""
    before = stanza("a", "http://127.0.0.1:9") + "# " + "x" * 2000 + "\n"
    (tmp_path / "clinics.toml").write_text(before)
    (tmp_path / "frame.csv").write_text("slug,name,url\nlake,Lake,https://lake.org\n")
    done = run(
        "clinic-archive", "clinics", "import", "frame.csv", cwd=tmp_path,
        preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )  # fmt: skip
    assert (done.code, done.out, len(done.lines)) == (1, "", 1)
    assert "nothing written" in done.err
    assert (tmp_path / "clinics.toml").read_text() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clinics.toml", "frame.csv"]
