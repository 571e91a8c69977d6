"""A sampling frame: CSV rows that become stanzas, all or none; the frame as `clinics list` shows it."""

from __future__ import annotations

import csv
import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archive.rows import runs
from pipelines.commands import main
from pipelines.commands._table import table
from scraper.addresses import post_key
from scraper.config.clinics import parse_clinics, read_clinics
from scraper.config.sampling_frame import DELIMITERS, SETTINGS, BadSamplingFrame, appended, new_rows, read_frame
from scraper.config.toml_file import ConfigError
from scraper.platforms import platform_named
from tests.making import CLINIC, Made, extraction, post
from tests.soak import SOAK
from tests.verbs import all_verbs

SAMPLES = 3000 if SOAK else 60
FILE = """\
# Ours; the order matters.
[crawler]
contact = "archive@uni.edu"   # a comment

[clinics.river]
name = "River"
url = "https://www.river-clinic.org/"
privacy = "omit"
attributes = { state = "NY", by_hand = "yes" }
"""


def cli(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["clinics", *map(str, arguments)], catch_exceptions=False)


class Folder:
    """A clinics.toml and a CSV file beside it."""

    def __init__(self, path: Path, text: str = FILE) -> None:
        self.toml, self.csv = path / "clinics.toml", path / "frame.csv"
        self.toml.write_bytes(text.encode())

    def take(self, frame: str | bytes, *more: str) -> Result:
        self.csv.write_bytes(frame if isinstance(frame, bytes) else frame.encode())
        return cli("import", self.csv, "--clinics-file", self.toml, *more)

    def refused(self, frame: str | bytes, code: int = 4) -> list[str]:
        """What is reported of a frame that is not taken, each line from the number of the CSV's on."""
        before = self.toml.read_bytes()
        done = self.take(frame, "--json")
        assert (done.exit_code, done.stdout) == (code, ""), done.output
        assert self.toml.read_bytes() == before
        assert sorted(path.name for path in self.toml.parent.iterdir()) == ["clinics.toml", "frame.csv"]
        *reported, last = done.stderr.splitlines()
        assert last == f"{self.csv}: nothing written to {self.toml}"
        return [line.removeprefix(f"{self.csv}:") for line in reported]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


class TestImport:
    def test_a_header_alone_is_no_frame(self, folder: Folder) -> None:
        assert folder.refused("slug,name,url\n") == ["1: no row below the header"]

    def test_a_private_address_is_its_stanzas_business(self, folder: Folder) -> None:
        """Written by hand, it makes the row unchanged; the advice for a new one is to do so."""
        row = "slug,name,url\nhome,Home,http://127.0.0.1:8000\n"
        (line,) = folder.refused(row)
        assert line == (
            "2: home: http://127.0.0.1:8000 is on a private address: write its stanza by hand, with"
            " allow_private = true"
        )
        folder.toml.write_text(
            f'{FILE}\n[clinics.home]\nname = "Home"\nurl = "http://127.0.0.1:8000"\nallow_private = true\n'
        )
        done = folder.take(row, "--json")
        assert (done.exit_code, json.loads(done.stdout)["unchanged"], json.loads(done.stdout)["added"]) == (0, 1, [])

    def test_rows_become_stanzas_at_the_end(self, folder: Folder) -> None:
        done = folder.take(
            "Slug, NAME ,url,State,note\nlake,Lake,https://lake.org,,\nhill,Hill,http://hill.org, CA ,n\n"
        )
        assert (done.exit_code, done.output) == (0, f"{folder.toml}: 2 added, 0 unchanged\n")
        assert folder.toml.read_text() == FILE + (
            '\n[clinics.lake]\nname = "Lake"\nurl = "https://lake.org"\n'
            '\n[clinics.hill]\nname = "Hill"\nurl = "http://hill.org"\n'
            '\n[clinics.hill.attributes]\nState = "CA"\nnote = "n"\n'
        )

    @pytest.mark.parametrize("delimiter", DELIMITERS)
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_as_spreadsheets_write_it(self, folder: Folder, delimiter: str, mark: bytes, end: str) -> None:
        rows = [
            ["kind", "slug", "name", "url", "a; b, c"],
            ["x,y;z", "lake", "Lake, \u00e9t\u00e9", "https://lake.org", "1\n2"],
            ["", "", "", "", ""], ["", "hill", "Hill; \u201chigh\u201d", "https://hill.org", ""],
        ]  # fmt: skip
        folder.csv.touch()
        with folder.csv.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
        assert folder.take(mark + folder.csv.read_bytes()).exit_code == 0
        _, lake, hill = read_clinics(folder.toml)
        assert (lake.name, dict(lake.attributes)) == ("Lake, \u00e9t\u00e9", {"kind": "x,y;z", "a; b, c": "1\n2"})
        assert (hill.name, dict(hill.attributes)) == ("Hill; \u201chigh\u201d", {})

    def test_a_second_time_nothing_changes(self, folder: Folder) -> None:
        frame = "slug,name,url,state\nriver,River,http://river-clinic.org,NY\nlake,Lake,https://lake.org,\n"
        frame = frame.replace("http://river", "https://www.river")
        first = json.loads(folder.take(frame, "--json").stdout)
        assert (first["added"], first["unchanged"], first["exit_code"]) == (["lake"], 1, 0)
        before, at = folder.toml.read_bytes(), folder.toml.stat().st_ino
        again = json.loads(folder.take(frame, "--json").stdout)
        assert (again["added"], again["unchanged"]) == ([], 2)
        assert (folder.toml.read_bytes(), folder.toml.stat().st_ino) == (before, at)

    def test_slugs_are_made_from_names_where_asked(self, folder: Folder) -> None:
        frame = "name,url,state\nThe River,https://river-clinic.org/,\nCafé St. Mary's!,https://a.org,NY\n"
        frame += "Cafe St Marys,https://b.org,\n糖,https://c.org,\nSite,https://d.org,\nRiver,https://e.org,\n"
        assert "--make-slugs makes slugs from the names" in folder.refused(frame)[0]
        differs = folder.take(frame, "--make-slugs")
        assert differs.exit_code == 4, "the site of a stanza has its slug"
        assert "river: name is 'The River' here, 'River' in" in differs.stderr
        frame = frame.replace("The River,https://river-clinic.org/,", "River,https://www.river-clinic.org/,NY")
        made = ["cafe-st-marys", "cafe-st-marys-2", "clinic", "site-2", "river-2"]
        assert json.loads(folder.take(frame, "--make-slugs", "--json").stdout)["added"] == made
        again = json.loads(folder.take(frame, "--make-slugs", "--json").stdout)
        assert (again["added"], again["unchanged"]) == ([], 6)
        assert folder.take("name,url\nX,http://[\n", "--make-slugs").exit_code == 4

    def test_a_dry_run_prints_what_would_be_added(self, folder: Folder) -> None:
        done = folder.take("slug,name,url\nlake,Lake,https://lake.org\n", "--dry-run")
        assert done.stdout == '[clinics.lake]\nname = "Lake"\nurl = "https://lake.org"\n'
        assert folder.toml.read_text() == FILE

    def test_mode_and_link_stay(self, folder: Folder, tmp_path: Path) -> None:
        folder.toml.rename(tmp_path / "real.toml")
        (tmp_path / "real.toml").chmod(0o640)
        folder.toml.symlink_to("real.toml")
        assert folder.take("slug,name,url\nlake,Lake,https://lake.org\n").exit_code == 0
        assert folder.toml.is_symlink()
        assert (tmp_path / "real.toml").stat().st_mode & 0o7777 == 0o640
        assert len(read_clinics(tmp_path / "real.toml")) == 2

    @pytest.mark.parametrize(
        ("text", "rest"),
        [
            ("", ""), ("[crawler]", "\n\n"), (FILE.replace("\n", "\r\n"), "\r\n"), ("# end\r\n# no end", "\r\n\r\n"),
            ("clinics.a.name = 'A'\nclinics.a.url = 'https://a.org'\n", "\n"),
        ],
    )  # fmt: skip
    def test_whatever_the_file_ends_with(self, tmp_path: Path, text: str, rest: str) -> None:
        folder = Folder(tmp_path, text)
        assert folder.take("slug,name,url\nlake,Lake,https://lake.org\n").exit_code == 0
        end = "\r\n" if "\r\n" in text else "\n"
        assert folder.toml.read_bytes().decode() == f"{text}{rest}" + (
            f'[clinics.lake]{end}name = "Lake"{end}url = "https://lake.org"{end}'
        )

    def test_a_file_that_cannot_be_continued_is_left(self, tmp_path: Path) -> None:
        text = "clinics = { a = { name = 'A', url = 'https://a.org' } }\n"
        done = Folder(tmp_path, text).take("slug,name,url\nlake,Lake,https://lake.org\n")
        assert done.exit_code == 4
        assert "nothing written" in done.stderr
        assert (tmp_path / "clinics.toml").read_text() == text

    def test_no_clinics_file(self, folder: Folder) -> None:
        folder.toml.unlink()
        done = folder.take("slug,name,url\n")
        assert done.exit_code == 4
        assert "no such file" in done.stderr
        assert not folder.toml.exists()


class TestFaults:
    """All reported with the CSV's line, nothing written."""

    def test_of_all_kinds_at_once(self, folder: Folder) -> None:
        reported = folder.refused(
            "slug,name,url,state\n"
            "river,Rivers,https://river-clinic.com,CA\n"
            "lake,Lake,https://lake.org,\n"
            'hill,"Hill\n(on the hill)",https://www.lake.org/,\n'
            "lake,Again,https://again.org,\n"
            "other,Other,http://river-clinic.org,\n"
            "Big Clinic,,lake.org,\n"
            "none,None,,\n"
            "archive,A,https://a.org,\n"
            "home,Home,http://localhost:80,\n"
            "short,Short,https://short.org\n"
            "long,Long,https://long.org,NY,more\n"
            ",Nameless,https://nameless.org,\n"
        )
        assert [line.partition(": ")[0] for line in reported] == (
            ["2", "2", "2", "4", "6", "7", "8", "8", "8", "9", "10", "11", "12", "13", "14"]
        )
        assert reported[:3] == [
            f"2: river: name is 'Rivers' here, 'River' in {folder.toml}",
            f"2: river: url is 'https://river-clinic.com' here, 'https://www.river-clinic.org' in {folder.toml}",
            f"2: river: state is 'CA' here, 'NY' in {folder.toml}",
        ]
        for line, words in zip(
            reported[3:],
            (
                "url of 'lake' (line 3) too", "lake: line 3 has this slug too", f"url of 'river' ({folder.toml}) too",
                "only a-z, 0-9 and -", "needs a name", "not an http or https address", "no url",
                "address of the archive's",
                "allow_private", "3 cells, but the header has 4", "5 cells", "the slug ''",
            ),
            strict=True,
        ):  # fmt: skip
            assert words in line

    @pytest.mark.parametrize(
        ("frame", "line", "words"),
        [
            ("", 1, "no column slug, name, url"),
            ("slug,name\n", 1, "no column url"),
            ("slug,name,url,url\n", 1, "more than one column is called 'url'"),
            ("slug,name,url,State,state\n", 1, "more than one column is called 'State'"),
            *((f"slug,name,url,{name.title()}\n", 1, "name of a setting") for name in sorted(SETTINGS)),
            ("slug,name,url,\na,A,https://a.org,x\n", 2, "column without a name"),
            (b"slug,name,url\na,\xe9t\xe9,https://a.org\n", 2, "not UTF-8"),
            ("slug,name,url\n".encode("utf-16"), 1, "not UTF-8"),
            ("slug,name,url\n".encode("utf-16-le"), 1, "NUL"),
            ('slug,name,url\n\n\na,"A,https://a.org\n', 4, "not CSV"),
            ('slug,name,url\na,"A"A,https://a.org\n', 2, "not CSV"),
            ('slug,name,url\n"a\nb",A,https://a.org\n', 2, "a-z, 0-9"),
            (f"slug,name,url\na,{'A' * 100_000},https://a.org\n", 2, "a cell of 100,000 characters"),
            ("slug,name,url,state\nriver,River,https://www.river-clinic.org,\n", 2, "nothing here, 'NY'"),
            ("slug,name,url,size\nriver,River,https://www.river-clinic.org,3\n", 2, "'3' here, nothing"),
        ],
    )
    def test_of_one_kind(self, folder: Folder, frame: str | bytes, line: int, words: str) -> None:
        (reported,) = folder.refused(frame)
        assert reported.startswith(f"{line}: ")
        assert words in reported


HOSTILE = st.sampled_from(
    [
        '"',
        '"""',
        "'''",
        "\\",
        "\\u0041",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufeff",
        "# x",
        "]",
        "=",
        "=1",
    ]
)
CELLS = st.lists(HOSTILE | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=4)
TEXTS = CELLS.map(lambda parts: "".join(parts).strip())
NAMES = TEXTS.filter(lambda text: text and text.lower() not in {"slug", "name", "url", *SETTINGS})
ROWS = st.tuples(st.from_regex(r"[a-z0-9-]{2,12}", fullmatch=True).filter(lambda slug: slug not in ("archive", "site")),
                 TEXTS.filter(bool), st.lists(TEXTS, min_size=4, max_size=4))  # fmt: skip


@settings(max_examples=SAMPLES)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=5, unique_by=lambda row: row[0]),
    names=st.lists(NAMES, max_size=4, unique_by=str.lower),
    before=st.sampled_from([FILE, FILE.replace("\n", "\r\n"), FILE.rstrip(), "", "# only a comment"]),
    delimiter=st.sampled_from(DELIMITERS),
)
@example(rows=[("lake", '"\x7f\\\nx', ["'\r\n\\"] * 4)], names=['a."b"\n]'], before=FILE, delimiter=",")
def test_any_text_comes_back_and_what_stood_there_stays(
    rows: list[tuple[str, str, list[str]]], names: list[str], before: str, delimiter: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(Path(name), before)
        with folder.csv.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
            writer.writerow([*names, "slug", "name", "url"])
            for slug, title, cells in rows:
                writer.writerow([*cells[: len(names)], slug, title, f"https://{slug.strip('-')}x.org/{slug}"])
        listed = read_clinics(folder.toml)
        frame = read_frame(folder.csv)
        assert frame.faults == []
        text = appended(folder.toml, listed, new_rows(frame, listed))
    assert text.startswith(before)
    assert [tomllib.loads(text).get("crawler")] == [tomllib.loads(before).get("crawler")]
    found = list(parse_clinics(text, folder.toml))
    assert found[: len(listed)] == list(listed)
    reported = [(clinic.slug, clinic.name, dict(clinic.attributes)) for clinic in found[len(listed) :]]
    assert reported == [
        (slug, title, {name: cell for name, cell in zip(names, cells, strict=False) if cell})
        for slug, title, cells in rows
    ]


@settings(max_examples=SAMPLES)
@given(st.binary() | TEXTS.map(lambda text: f"slug,name,url\n{text}".encode()))
def test_any_file_is_taken_or_every_fault_has_its_line(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(Path(name))
        folder.csv.write_bytes(data)
        listed = read_clinics(folder.toml)
        reported: tuple[str, ...] = ()
        try:
            new = list(new_rows(read_frame(folder.csv), listed))
            text = appended(folder.toml, listed, new)
        except BadSamplingFrame as error:
            reported = tuple(error.lines)
            assert reported
        else:
            assert len(list(parse_clinics(text, folder.toml))) == len(listed) + len(new)
        lines = data.count(b"\n") + data.count(b"\r") + 1
        numbers = [int(line.removeprefix(f"{folder.csv}:").partition(":")[0]) for line in reported]
        assert numbers == sorted(numbers)
        assert all(1 <= number <= lines for number in numbers)


def test_a_slug_that_is_there_and_a_new_one_at_its_site_are_two_faults(folder: Folder) -> None:
    """`post_key` is what tells sites apart, here as in clinics.toml."""
    assert post_key("https://river-clinic.org") == post_key("http://www.river-clinic.org/")
    with pytest.raises(ConfigError):
        parse_clinics(FILE + '[clinics.b]\nname = "B"\nurl = "http://river-clinic.org"\n', folder.toml)
    (reported,) = folder.refused("slug,name,url\nb,B,http://river-clinic.org\n")
    assert reported == f"2: b: http://river-clinic.org is the url of 'river' ({folder.toml}) too; list each site once"


class TestList:
    def listed(self, *arguments: object) -> dict[str, Any]:
        done = cli("list", "--json", *arguments)
        assert (done.exit_code, done.stderr) == (0, "")
        value: dict[str, Any] = json.loads(done.stdout)
        return value

    MORE = FILE + '[clinics.shut]\nname = "Shut"\nurl = "https://shut.org"\nclosed = 2026-01-01\n'

    def test_without_an_archive(self, tmp_path: Path) -> None:
        folder = Folder(tmp_path, self.MORE)
        reported = self.listed("--clinics-file", folder.toml, "--archive", tmp_path / "none")
        river, shut = reported["clinics"]
        assert river == {
            "slug": "river", "listed": True, "archived": False, "platform": None, "maker": None,
            "reads": None, "blog_status": "unknown", "posts": 0,
            "last_visit_at": None, "last_status": None, "last_note": None, "name": "River",
            "url": "https://www.river-clinic.org",
        }  # fmt: skip
        assert (shut["blog_status"], reported["blog_status"]) == ("closed", {"not visited yet": 1, "closed": 1})
        assert not (tmp_path / "none").exists()

    def test_with_an_archive(self, archive: Made, tmp_path: Path) -> None:
        """Riverside is in the archive alone; a visit is what asked the clinic, not an import."""
        archive.crawl("c1")
        archive.fold(extraction(1, post()), crawl_id="c1")
        ended = {"ended_at": "2026-03-01T10:00:00.000000Z", "status": "done", "complete": 1, "platform": "wix"}
        runs.save_clinic_run(archive.db, "c1", CLINIC, {**ended, "blog_status": "blog", "finished": True})
        runs.save_crawl(archive.db, "c2", "2027", "test", "import")
        runs.save_run_start(archive.db, "c2", CLINIC, "2027")
        folder = Folder(tmp_path, self.MORE)
        reported = self.listed("--clinics-file", folder.toml, "--archive", archive.folder)
        wix = platform_named("wix")
        reads = (wix and wix.reads) or {}
        assert [clinic["slug"] for clinic in reported["clinics"]] == ["river", "shut", CLINIC]
        assert reported["clinics"][2] == {
            "slug": CLINIC, "listed": False, "archived": True, "name": "Riverside", "url": "https://riverside.example",
            "platform": "wix", "maker": "wix", "reads": dict(reads), "blog_status": "blog", "posts": 1,
            "last_visit_at": "2026", "last_status": "done",
            "last_note": None,
        }  # fmt: skip
        lines = cli("list", "--clinics-file", folder.toml, "--archive", archive.folder).stdout.splitlines()
        assert [line.split()[0] for line in lines] == ["clinic", "river", "shut", CLINIC, "*", "known", "3"]
        assert lines[3].split()[:4] == [CLINIC, "*", "Riverside", "wix"]
        assert lines[3].endswith("done")
        assert lines[4] == f"* in the archive, not in {folder.toml}"
        assert lines[5].startswith("known of a wix blog: bodies ")
        assert lines[6] == "3 clinics: 1 not visited yet, 1 closed, 1 blog"
        folder.toml.unlink()
        assert len(self.listed("--clinics-file", folder.toml, "--archive", archive.folder)["clinics"]) == 1

    def test_neither_file_nor_archive(self, tmp_path: Path) -> None:
        done = cli("list", "--clinics-file", tmp_path / "none.toml", "--archive", tmp_path)
        assert (done.exit_code, done.stdout) == (4, "")

    def test_what_is_no_archive(self, tmp_path: Path) -> None:
        (tmp_path / "archive.db").write_bytes(b"something else" * 200)
        assert cli("list", "--clinics-file", tmp_path / "none.toml", "--archive", tmp_path).exit_code == 6

    def test_every_line_fits(self, tmp_path: Path) -> None:
        stanza = '[clinics.{0}]\nname = "{0} \\u001b[31m\\u202e\\n{1}"\nurl = "https://{0}.org"\n'
        folder = Folder(tmp_path, "".join(stanza.format(f"clinic-{n}", "\u65e5\u672c " * n) for n in range(0, 60, 12)))
        done = cli("list", "--clinics-file", folder.toml, "--archive", tmp_path)
        lines = done.stdout.splitlines()
        assert len(lines) == 7
        assert max(map(len, lines)) <= 120
        assert "\x1b" not in done.stdout
        assert "\u202e" not in done.stdout
        assert "\u2026" in lines[5]


def test_a_table() -> None:
    rows = [("a", "x" * 300, "1"), ("b-c", "y", "1,000")]
    lines = table(("one", "two", "three"), rows, narrowed="two", numbers=("three",)).splitlines()
    assert [len(line) for line in lines] == [120, 120, 120]
    assert lines[1].startswith("a    xxx")
    assert lines[1].endswith("x\u2026      1")
    assert table(("one", "two", "three"), rows).splitlines()[1].split() == list(rows[0])


def test_every_option_says_what_it_does() -> None:
    group = all_verbs()["clinics"]
    assert isinstance(group, click.Group)
    assert sorted(group.commands) == ["check", "import", "list"]
    for verb in group.commands.values():
        assert verb.help
        assert verb.short_help
        for parameter in verb.params:
            assert isinstance(parameter, click.Argument) or getattr(parameter, "help", None), parameter.name


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("", (), "no clinic to check"),
        (TestList.MORE.replace("[clinics.river]", "[clinics.r]"), ("river",), "no clinic 'river'"),
        (FILE.replace("archive@uni.edu", "you@example.org"), (), "placeholder"),
        ("[clinics", (), "not TOML"),
    ],
)
def test_a_check_that_cannot_begin(tmp_path: Path, text: str, arguments: tuple[str, ...], words: str) -> None:
    folder = Folder(tmp_path, text)
    done = cli("check", *arguments, "--clinics-file", folder.toml, "--archive", tmp_path / "var")
    assert (done.exit_code, done.stdout) == (4, "")
    assert words in done.stderr
    assert not (tmp_path / "var").exists()
