"""What keeps a crawl from starting or from going on: configuration, addresses, the archive's files, the disk."""

from __future__ import annotations

import random
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.hostile import Blog, Reply, post
from tests.e2e.product import Done, column, crawl, crawl_command, faults, lost, rows, run, script, value_of

CRAWLER = '[crawler]\ncontact = "crawler@loopback.localdomain"\nproject_url = "https://loopback.localdomain/about"\n'
PLACEHOLDER = '[crawler]\ncontact = "you@example.org"\nproject_url = "https://example.org/about-our-archive"\n'
PUBLIC = '[clinics.away]\nname = "Away"\nurl = "https://clinic.invalid"\n'


def configured(folder: Path, text: str, *more: str) -> Done:
    """A crawl with this clinics.toml, into `folder/archive`."""
    file = folder / "clinics.toml"
    file.write_text(text, "utf-8")
    return run("clinic-archive", "crawl", *more, "--archive", folder / "archive", "--clinics-file", file, cwd=folder)


def stanza(blog: Blog, *more: str) -> str:
    return "\n".join(["[clinics.elder]", 'name = "Elderflower"', f'url = "{blog.url}"', *more, ""])


class TestConfiguration:
    """Exit 4, one line that says where, nothing asked for and nothing made."""

    def refused(self, folder: Path, done: Done, *says: str) -> None:
        assert (done.code, done.out, len(done.lines)) == (4, "", 1), done.err
        assert [each for each in says if each not in done.err] == []
        assert not (folder / "archive").exists()

    def test_placeholder_contact_and_a_public_clinic(self, tmp_path: Path) -> None:
        done = configured(tmp_path, PLACEHOLDER + PUBLIC)
        self.refused(tmp_path, done, "placeholder", "contact", "[crawler]", "away")

    def test_a_public_url_without_any_contact(self, tmp_path: Path) -> None:
        done = run(
            "clinic-archive", "crawl", "--url", "https://clinic.invalid", "--archive", tmp_path / "archive",
            cwd=tmp_path,
        )  # fmt: skip
        self.refused(tmp_path, done, "the contact is missing", "clinics.toml")

    def test_unknown_key(self, tmp_path: Path, blog: Blog) -> None:
        text = CRAWLER + stanza(blog, "allow_private = true", 'privcy = "keep"')
        line = text.split("\n").index('privcy = "keep"') + 1
        self.refused(tmp_path, configured(tmp_path, text), f"clinics.toml:{line}:", "'privcy'", "privacy")
        assert blog.paths == []

    def test_unknown_clinic(self, tmp_path: Path, blog: Blog) -> None:
        text = CRAWLER + stanza(blog, "allow_private = true")
        self.refused(tmp_path, configured(tmp_path, text, "elders"), "'elders'", "elder")

    def test_private_address_without_leave(self, tmp_path: Path, blog: Blog) -> None:
        text = CRAWLER + stanza(blog)
        self.refused(tmp_path, configured(tmp_path, text), "clinics.toml:6:", "allow_private = true")
        assert blog.paths == []

    def test_not_toml(self, tmp_path: Path) -> None:
        self.refused(tmp_path, configured(tmp_path, CRAWLER + "[clinics.x\n"), "clinics.toml:4:", "TOML")

    def test_no_file(self, tmp_path: Path) -> None:
        done = run(
            "clinic-archive", "crawl", "--archive", tmp_path / "archive", "--clinics-file", tmp_path / "none.toml",
            cwd=tmp_path,
        )  # fmt: skip
        self.refused(tmp_path, done, "none.toml", "no such file")

    @pytest.mark.parametrize("url", ["ftp://clinic.invalid/", "clinic", "file:///etc/passwd", "https://"])
    def test_no_web_address(self, tmp_path: Path, url: str) -> None:
        done = run("clinic-archive", "crawl", "--url", url, "--archive", tmp_path / "archive", cwd=tmp_path)
        self.refused(tmp_path, done, url)

    def test_a_stanza_that_may_is_crawled(self, tmp_path: Path, blog: Blog) -> None:
        """The counterpart: the same file, right."""
        done = configured(tmp_path, CRAWLER + stanza(blog, "allow_private = true", 'attributes = { state = "NY" }'))
        assert (done.code, done.err) == (0, "")
        assert column(tmp_path / "archive", "SELECT clinic_id FROM clinics") == ["elder"]
        assert value_of(tmp_path / "archive", "SELECT value FROM clinic_attributes") == "NY"
        agent = {each.headers["user-agent"] for each in blog.asked}
        assert agent == {
            "clinic-blog-archive/0.1.0 (+https://loopback.localdomain/about; contact: crawler@loopback.localdomain)"
        }


class TestAddresses:
    """Exit 3, one line, one problem."""

    def failed(self, archive: Path, done: Done, kind: str, *says: str) -> None:
        assert (done.code, done.out, len(done.lines)) == (3, "", 1), done.err
        assert [each for each in says if each not in done.err] == []
        assert kind in column(archive, "SELECT kind FROM problems")
        assert column(archive, "SELECT status FROM clinic_runs") == ["failed"]
        assert column(archive, "SELECT blog_status FROM clinics") == ["unreachable"]

    def test_no_such_host(self, tmp_path: Path) -> None:
        done = configured(tmp_path, CRAWLER + PUBLIC)
        self.failed(tmp_path / "archive", done, "dns", "away:", "clinic.invalid: no such host", "check the address")

    def test_nobody_listens(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        done = crawl(tmp_path / "archive", f"http://127.0.0.1:{port}")
        self.failed(tmp_path / "archive", done, "refused", f"127.0.0.1:{port}", "no server listens there")

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    def test_a_private_url_without_leave(self, tmp_path: Path, blog: Blog, host: str) -> None:
        url = blog.url.replace("127.0.0.1", host)
        done = run("clinic-archive", "crawl", "--url", url, "--archive", tmp_path / "archive", cwd=tmp_path)
        assert (done.code, done.out, len(done.lines)) == (4, "", 1), done.err
        assert blog.paths == []
        assert not (tmp_path / "archive").exists()
        assert host in done.err
        assert "--allow-private" in done.err, "the line says what to do for --url"

    @pytest.mark.parametrize("address", ["http://169.254.169.254/", "http://10.0.0.1/", "http://[::1]/", "http://0/"])
    def test_other_private_addresses(self, tmp_path: Path, address: str) -> None:
        done = configured(tmp_path, CRAWLER, "--url", address)
        assert (done.code, len(done.lines)) == (4, 1), done.err
        assert "private address" in done.err

    def test_a_post_that_redirects_to_a_private_name(self, tmp_path: Path, blog: Blog) -> None:
        """A site on a public name cannot send the crawler into this machine: see the refusal above; here its twin,
        a scheme that reads files."""
        blog.answers["/"] = Reply(b"", 302, headers=(("Location", "file:///etc/hostname"),))
        done = crawl(tmp_path / "archive", blog.url)
        self.failed(tmp_path / "archive", done, "foreign-scheme", "file:///etc/hostname", "not fetched")


class TestArchiveFiles:
    def test_not_a_database(self, tmp_path: Path, blog: Blog) -> None:
        archive = tmp_path / "archive"
        archive.mkdir()
        (archive / "archive.db").write_bytes(b"my shopping list\n" * 300)
        done = crawl(archive, blog.url)
        assert (done.code, done.out, len(done.lines)) == (6, "", 1)
        assert "archive.db: not a SQLite database" in done.err
        assert "--archive" in done.err
        assert (archive / "archive.db").read_bytes() == b"my shopping list\n" * 300
        assert blog.paths == []

    def test_another_programs_database(self, tmp_path: Path, blog: Blog) -> None:
        archive = tmp_path / "archive"
        archive.mkdir()
        with closing(sqlite3.connect(archive / "archive.db")) as other:
            other.execute("CREATE TABLE recipes (name TEXT)")
            other.commit()
        done = crawl(archive, blog.url)
        assert (done.code, len(done.lines)) == (6, 1)
        assert "not one of clinic-archive" in done.err
        assert column(archive, "SELECT name FROM sqlite_master") == ["recipes"]

    def test_a_newer_schema(self, archive: Path, notes_archive: Path, blog: Blog) -> None:
        with closing(sqlite3.connect(archive / "archive.db")) as newer:
            newer.execute(
                "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('archive', 'm999_x', '2099')"
            )
            newer.commit()
        done = crawl(archive, blog.url)
        assert (done.code, done.out, len(done.lines)) == (4, "", 1)
        assert "m999_x is newer than this program" in done.err
        assert "update" in done.err
        assert blog.paths == []
        assert lost(notes_archive, archive) == []

    def test_a_lost_key(self, archive: Path, blog: Blog) -> None:
        """Without pseudonyms in the archive a new key harms nobody; the crawl goes on."""
        (archive / "pseudonym.key").unlink(missing_ok=True)
        assert crawl(archive, blog.url).code == 0

    def test_an_archive_that_cannot_be_written(self, tmp_path: Path, blog: Blog) -> None:
        done = crawl(Path("/proc/clinic-archive-test"), blog.url) if Path("/proc").exists() else None
        if done is None:
            pytest.skip("no /proc here")
        assert done.code == 1
        assert len(done.lines) == 1
        assert "--archive" in done.err


# The command on a disk that takes no file larger than so many bytes.
LIMITED = """
import resource, signal, sys
from pipelines.commands import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
main(sys.argv[2:])
"""


@pytest.mark.parametrize("size", [400_000, 900_000])
def test_a_full_disk(archive: Path, notes_archive: Path, blog: Blog, size: int) -> None:
    """The run ends at once with one line; what was acknowledged is whole; the next run goes on."""
    noise = random.Random(7)
    for number in (1, 2, 3):
        islands = f"<script>{noise.randbytes(500_000).hex()}</script>"
        blog.answers[f"/post/note-{number}"] = Reply(post(blog.url, number, islands=islands).encode())
    done = script(LIMITED, size, *crawl_command(archive, blog.url))
    assert (done.code, done.out) == (1, "")
    assert len(done.lines) == 1, done.err
    assert ".warc.gz: could not be written" in done.err
    assert "Free space" in done.err
    assert lost(notes_archive, archive) == []
    requests = len(blog.asked)
    again = crawl(archive, blog.url)
    assert again.code == 0
    assert [line for line in again.lines if "folded in" in line] == again.lines
    assert lost(notes_archive, archive) == []
    assert faults(archive) == []
    assert column(archive, "SELECT status FROM clinic_runs ORDER BY started_at") == ["done", "cut-short", "done"]
    assert value_of(archive, "SELECT count(*) FROM readings WHERE evidence = 'read'") >= 6
    assert requests < len(blog.asked) - requests, "it asked for as much as a visit that could be recorded"


def test_a_full_disk_at_the_database(archive: Path, notes_archive: Path, blog: Blog) -> None:
    """The write-ahead log cannot grow: the rows are lost, not their bytes, and the next run folds them in."""
    text = " ".join(f"word{number}" for number in range(60_000))
    blog.answers["/post/note-2"] = Reply(post(blog.url, 2, text=text).encode())
    done = script(LIMITED, 500_000, *crawl_command(archive, blog.url))
    assert done.code == 1, done.err
    assert len(done.lines) == 1, done.err
    assert "written" in done.err
    assert lost(notes_archive, archive) == []
    again = crawl(archive, blog.url)
    assert again.code == 0
    assert [each for each in lost(notes_archive, archive) if not each.startswith("posts:")] == []
    assert column(archive, "SELECT kind FROM revisions WHERE kind != 'first'") == ["content"]
    assert rows(archive, "SELECT 1 FROM posts_fts WHERE posts_fts MATCH 'word59999'")


def test_an_archive_can_be_moved(archive: Path, notes_archive: Path, blog: Blog, tmp_path: Path) -> None:
    """Nothing in it depends on where it lies."""
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    shutil.move(archive, moved)
    assert crawl(moved, blog.url).code == 0
    assert lost(notes_archive, moved) == []
    assert column(moved, "SELECT warc_file FROM captures WHERE warc_file LIKE '/%'") == []
