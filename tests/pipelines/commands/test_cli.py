"""The commands as a person meets them: help, usage errors, and `parse` on files that are posts or are not."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click
import filelock
import pytest
from click.testing import CliRunner, Result

from archive.lock import LOCK_FILE
from pipelines.commands import crawl, main
from pipelines.commands._headings import HEADINGS
from pipelines.commands._options import archive_option, clinics_file_option, json_option
from pipelines.commands.parse import document
from scraper.config.clinics import parse_clinics
from tests.making import Made, comment, extraction, post
from tests.verbs import all_verbs, verb_of

PAGES = Path(__file__).parents[2] / "pages" / "wix"


def cli(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.mark.parametrize("verb", [(), *((verb,) for verb in sorted(all_verbs()))])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_says_what_it_does_and_changes_nothing(
    verb: tuple[str, ...], option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli(*verb, option)
    assert list(tmp_path.iterdir()) == []
    assert done.exit_code == 0
    assert "Usage:" in done.stdout
    assert done.stderr == ""


def test_the_verbs_stand_under_headings_a_line_each() -> None:
    lines = CliRunner().invoke(main, ["--help"], terminal_width=80).stdout.splitlines()
    for _, heading, verbs in HEADINGS:
        at = lines.index(f"{heading}:")
        assert [line.split()[0] for line in lines[at + 1 : at + 1 + len(verbs)]] == list(verbs)
        assert lines[at + 1 + len(verbs)] == ""
    assert "More:" not in lines, "a verb is under no heading of pipelines/commands/_headings.py"


def test_what_is_made_is_named_without_a_terminal(archive: Made, tmp_path: Path) -> None:
    archive.fold(extraction(1, post()))
    key, new, folder = tmp_path / "key", tmp_path / "new", archive.folder
    key.write_text("ab" * 32 + "\n")
    key.chmod(0o600)
    made = cli("shard", "init", "--key", key, "--archive", new).stdout.splitlines()
    assert made[0].startswith(f"{new}: has the key ")
    table, tables = tmp_path / "posts.csv", tmp_path / "all"
    assert cli("export", "posts", "--archive", folder, "-o", table).stdout.startswith(f"{table}: 1 row, ")
    (line, _) = cli("export", "--all", tables, "--archive", folder).stdout.splitlines()
    assert line.startswith(f"{tables}: ")
    edits = tmp_path / "edits.csv"
    assert cli("edits", "--archive", folder, "-o", edits).stdout.startswith(f"{edits}: 0 edits")


def test_every_command_is_documented() -> None:
    listed = cli("--help").stdout
    for name, command in all_verbs().items():
        assert name in listed
        assert command.help, name
        assert command.short_help, name
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert getattr(parameter, "help", None), f"{name} {parameter.name}"


VERBS = [
    *((name,) for name, command in sorted(all_verbs().items())),
    *(
        (name, verb)
        for name, command in sorted(all_verbs().items())
        if isinstance(command, click.Group)
        for verb in sorted(command.commands)
    ),
]


@pytest.mark.parametrize("verb", VERBS, ids="-".join)
def test_help_ends_with_examples_that_can_be_typed(verb: tuple[str, ...]) -> None:
    """One or two, each on a line of its own; every option in them exists, and no argument is missing."""
    _, title, examples = cli(*verb, "--help").stdout.rpartition("  Examples:\n")
    assert title, "give the command an epilog=examples(...)"
    lines = [line.strip() for line in examples.splitlines()]
    assert 1 <= len(lines) <= 2
    for line in lines:
        program, *words = shlex.split(line)
        assert (program, tuple(words[: len(verb)])) == ("clinic-archive", verb)
        command: click.Command = main
        while isinstance(command, click.Group):
            command = verb_of(command, words.pop(0))
        required = [parameter for parameter in command.params if parameter.required]
        context = click.Context(command, **main.context_settings)
        values, _, _ = command.make_parser(context).parse_args(words)
        assert [parameter.name for parameter in required if not values.get(parameter.name or "")] == []


@pytest.mark.parametrize("verb", VERBS, ids="-".join)
def test_shared_options_are_the_same_in_every_verb(verb: tuple[str, ...]) -> None:
    """One name, one help text: an option is defined once."""
    command: click.Command = main
    for name in verb:
        assert isinstance(command, click.Group)
        command = verb_of(command, name)
    shared = {"as_json": json_option, "clinics_file": clinics_file_option, "archive": archive_option}
    if verb == ("schedule",):
        del shared["archive"]  # it has no default inside a checkout
    for parameter in command.params:
        if parameter.name in shared:
            (option,) = click.command(shared[parameter.name](lambda: None)).params
            assert parameter.to_info_dict() == option.to_info_dict()


def test_version() -> None:
    assert cli("--version").stdout.startswith("clinic-archive, version ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",), ("crawl", "--limit", "0"), ("crawl", "--limit", "x"), ("crawl", "--delay", "-1"),
        ("crawl", "--nope"),
        ("crawl", "a", "--url", "https://a.example"), ("parse",), ("parse", "--captured-at", "soon", __file__),
        ("serve", "--port", "70000"),
    ],
)  # fmt: skip
def test_usage_errors_exit_2_and_say_why(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli(*arguments)
    assert list(tmp_path.iterdir()) == []
    assert done.exit_code == 2
    assert "Error:" in done.stderr
    assert done.stdout == ""


class TestCrawlRefuses:
    """Before anything is fetched."""

    def crawl(self, folder: Path, stanza: str, *arguments: object) -> Result:
        file = folder / "clinics.toml"
        file.write_text(stanza)
        return cli("crawl", "--clinics-file", file, "--archive", folder / "var", *arguments)

    GOOD = '[crawler]\ncontact = "a@uni.edu"\n[clinics.riverside]\nname = "R"\nurl = "https://riverside-clinic.org"\n'

    @pytest.mark.parametrize(
        ("stanza", "arguments", "message"),
        [
            ("not toml", (), "clinics.toml:1"),
            ("", (), "no clinic to visit"),
            (GOOD, ("elsewhere",), "no clinic 'elsewhere'"),
            (GOOD.replace("a@uni.edu", "you@example.edu"), (), "placeholder"),
            (GOOD + "colour = 1\n", (), "unknown key 'colour'"),
            (GOOD, ("--url", "ftp://x"), "not an http or https address"),
        ],
    )
    def test_bad_configuration_with_4(
        self, tmp_path: Path, stanza: str, arguments: tuple[str, ...], message: str
    ) -> None:
        done = self.crawl(tmp_path, stanza, *arguments)
        assert (done.exit_code, done.stdout) == (4, "")
        assert message in done.stderr
        assert not (tmp_path / "var").exists()

    def test_no_file_with_4(self, tmp_path: Path) -> None:
        done = cli("crawl", "--clinics-file", tmp_path / "none.toml", "--archive", tmp_path / "var")
        assert done.exit_code == 4
        assert "no such file" in done.stderr

    def test_a_held_archive_with_75(self, tmp_path: Path) -> None:
        (tmp_path / "var").mkdir()
        with filelock.FileLock(tmp_path / "var" / LOCK_FILE):
            done = self.crawl(tmp_path, self.GOOD)
        assert (done.exit_code, done.stdout) == (75, "")
        assert "nothing done" in done.stderr

    def test_what_is_no_archive_with_6(self, tmp_path: Path) -> None:
        (tmp_path / "var").mkdir()
        (tmp_path / "var" / "archive.db").write_bytes(b"something else" * 200)
        done = self.crawl(tmp_path, self.GOOD)
        assert done.exit_code == 6
        assert "not a SQLite database" in done.stderr

    def test_a_newer_archive_with_4(self, tmp_path: Path, archive: Made) -> None:
        archive.db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('archive', 'm999_later', '2030')"
        )
        archive.close()
        (tmp_path / "var").mkdir()
        archive_file = archive.folder / "archive.db"
        archive_file.rename(tmp_path / "var" / "archive.db")
        assert self.crawl(tmp_path, self.GOOD).exit_code == 4

    def test_a_lost_or_damaged_key_with_4(self, tmp_path: Path, template: Path) -> None:
        import shutil

        (tmp_path / "var").mkdir()
        shutil.copy(template / "archive.db", tmp_path / "var" / "archive.db")
        made = Made(tmp_path / "var")
        made.fold(extraction(1, post()), extraction(2, comment(author="reader-x")))
        made.close()
        assert self.crawl(tmp_path, self.GOOD).exit_code == 4
        (tmp_path / "var" / "pseudonym.key").write_text("")
        done = self.crawl(tmp_path, self.GOOD)
        assert done.exit_code == 4
        assert "backup" in done.stderr

    def test_a_place_that_cannot_be_written_with_1(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("a file")
        done = self.crawl(tmp_path, self.GOOD, "--archive", tmp_path / "file" / "var")
        assert done.exit_code == 1
        assert "choose another --archive" in done.stderr


class TestParse:
    def test_a_page_prints_its_post(self) -> None:
        path = sorted(PAGES.glob("g1_*.html"))[0]
        done = cli("parse", path, "--url", "https://a.example/post/x")
        assert done.exit_code == 0
        (line,) = done.stdout.splitlines()
        document = json.loads(line)
        assert document["platform"] == "wix"
        assert document["title"]
        assert list(document)[:4] == ["platform", "platform_post_id", "url", "slug"]
        assert not {"addresses", "author_person", "comments_key"} & document.keys()

    def test_an_answer_of_the_service(self, tmp_path: Path) -> None:
        from tests.visiting import post_answer, post_url

        path = tmp_path / "answer.json"
        path.write_bytes(post_answer("sleep", "Cut \\ud83d here"))
        done = cli("parse", path, "--url", post_url("sleep"))
        assert done.exit_code == 0
        assert json.loads(done.stdout)["views"] is None

    def test_a_text_copy(self, tmp_path: Path) -> None:
        seed = Path(__file__).parents[4] / "shared" / "seed"
        copies = sorted(seed.glob("*.txt"))
        if not copies:
            pytest.skip("no text copy on this machine")
        done = cli("parse", copies[0], "--captured-at", "2024-06-01")
        assert done.exit_code == 0
        document = json.loads(done.stdout)
        assert document["title"]
        assert document["body_text"]
        assert set(document["sources"].values()) == {"text"}

    @pytest.mark.parametrize(
        "body", [b"", b"\0\xff\xfe" * 99, b"<html><body>Hello</body></html>", b"plain words", b"{}"]
    )
    def test_what_is_no_post_is_named_and_exits_1(self, tmp_path: Path, body: bytes) -> None:
        for name in ("page.html", "page.txt", "page.json", "page"):
            path = tmp_path / name
            path.write_bytes(body)
            done = cli("parse", path)
            assert (done.exit_code, done.stdout) == (1, ""), name
            assert done.stderr.startswith(f"{path}: not a post: ")
            assert len(done.stderr.splitlines()) == 1

    def test_one_bad_file_does_not_hide_the_others(self, tmp_path: Path) -> None:
        good = sorted(PAGES.glob("g1_*.html"))[0]
        done = cli("parse", tmp_path / "none.html", good, tmp_path)
        assert done.exit_code == 1
        assert len(done.stdout.splitlines()) == 1
        assert [line.rpartition(": ")[2] for line in done.stderr.splitlines()] == [
            "No such file or directory", "Is a directory",
        ]  # fmt: skip

    def test_without_a_date_relative_dates_stay_null(self) -> None:
        path = sorted(PAGES.glob("g1_*.html"))[0]
        assert cli("parse", path).exit_code in (0, 1)
        assert cli("parse", path, "--captured-at", "2024-06-01T00:00:00+02:00").exit_code in (0, 1)


def test_serve_without_an_archive_says_how_to_make_one(tmp_path: Path) -> None:
    done = cli("serve", "--archive", tmp_path)
    assert done.exit_code == 4
    assert "clinic-archive crawl" in done.stderr
    (tmp_path / "archive.db").write_bytes(b"something else" * 200)
    assert cli("serve", "--archive", tmp_path).exit_code == 6


def test_a_blog_with_a_stanza_is_that_clinic_however_it_is_named(tmp_path: Path) -> None:
    """`--url` of a listed blog visits the stanza's clinic: one blog, one history."""
    listed = parse_clinics('[clinics.river]\nname = "River"\nurl = "https://www.river.example"\n', tmp_path / "c.toml")
    (chosen,) = crawl._choose(listed, (), "https://river.example/", False, tmp_path / "c.toml")
    assert chosen.slug == "river"
    (other,) = crawl._choose(listed, (), "https://lake.example/", False, tmp_path / "c.toml")
    assert other.slug == "lake-example"


def test_where_every_clinic_is_closed_there_is_nothing_to_visit(tmp_path: Path) -> None:
    """And nothing wrong; a file without any clinic is named."""
    listed = tmp_path / "mine.toml"
    listed.write_text('[clinics.shut]\nname = "S"\nurl = "https://s.org"\nclosed = 2026-01-01\n')
    arguments = ["crawl", "--archive", str(tmp_path / "archive"), "--clinics-file", str(listed), "--time-limit", "6h"]
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, done.output) == (0, "")
    listed.write_text("")
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, done.stdout) == (4, "")
    assert f"add a stanza to {listed}" in done.stderr
    done = CliRunner().invoke(main, ["clinics", "list", *arguments[3:5], "--archive", str(tmp_path / "none")])
    assert done.output.splitlines()[-1] == "0 clinics"


def test_parse_prints_comments_without_what_tells_a_person() -> None:
    written = document(post(comments=(comment("c1", person="avatar:0123456789abcdef0123456789abcdef"),)))
    (printed,) = written["comments"]
    assert printed["platform_comment_id"] == "c1"
    assert not {"person", "post"} & printed.keys()
