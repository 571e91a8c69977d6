"""A platform that claims too much, or fails in one of its methods, changes no row of another platform's clinic."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from archive.compare import canonical
from archive.db import open_archive
from pipelines.commands import main
from pipelines.rebuild import rebuild
from pipelines.run.key import KEY_FILE
from tests.dummies import FAILING, registered
from tests.e2e.product import column, value_of
from tests.gate import rows
from tests.gate.compare import differences
from tests.gate.make import BEGIN, KEY, SLUG
from tests.gate.sample import clinic_at
from tests.pipelines.test_importer import Foreign
from tests.soak import SOAK, sampled
from tests.wayback import Captured, WebArchive, serving
from tests.year.moved import Ended, Launch, warm

# warcio's writer leaves its temporary files to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
GATE = Path(__file__).parents[1] / "gate"
POSTS = ("snow-day-policy", "why-socks", "garden-sale-thank-you")
DUMMIES = ("greedy", *(f"greedy:{method}" for method in FAILING))
# Without the query: cursors of comments are made for one visit.
REQUESTED = "substr(url, 1, instr(url || '?', '?'))"
ADDRESSES = f"SELECT method || ' ' || {REQUESTED} FROM captures ORDER BY fetched_at, capture_id"


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    with warm(tmp_path_factory.mktemp("runs")) as launcher:
        yield launcher


@dataclass
class Past:
    """What others captured of the clinic at `site`: in a WARC file of another tool, and in a web archive."""

    site: str
    web_archive_port: int
    foreign: Path
    captures: list[Captured]


def unused_port() -> int:
    """A port that no program is given by chance while nobody listens there: below those that a system hands out."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def port_of(site: str) -> tuple[str, str]:
    return "--port", site.rpartition(":")[2]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    folder = tmp_path_factory.mktemp("past")
    ports = [unused_port(), unused_port()]  # one address for all histories of this module
    site = f"http://127.0.0.1:{ports[0]}"
    with clinic_at(BEGIN, folder / "clinic", POSTS, *port_of(site)):
        pages = {slug: httpx.get(f"{site}/post/{slug}", headers={"Accept-Encoding": "identity"}) for slug in POSTS}
        home = httpx.get(f"{site}/blog", headers={"Accept-Encoding": "identity"}).content
    foreign = Foreign(folder / "foreign.warc.gz")
    at = BEGIN - timedelta(days=300)
    html = "text/html; charset=UTF-8"
    foreign.page(f"{site}/blog", home, at, mime=html)
    for hours, slug in enumerate(POSTS[:2], 1):  # no two at one moment: their ids would order them
        foreign.page(f"{site}/post/{slug}", pages[slug].content, at + timedelta(hours=hours), mime=html)
    foreign.page(f"{site}/menu.json", b'{"a": 1}', at + timedelta(hours=3))
    about = b"<html><head></head><body><a href='/team'>Team</a></body></html>"
    foreign.page(f"{site}/about", about, at + timedelta(hours=4), mime="text/html")
    copied = "top of page\n\nWhy socks\n\nText.\n\n3 views\n\nbottom of page"
    foreign.text(f"{site}/post/why-socks", copied, at + timedelta(hours=5))
    captures = [
        Captured("20250501000000", f"{site}/post/why-socks", pages["why-socks"].content),
        Captured("20250502000000", f"{site}/post/gone", b"<html>gone</html>", status=404),
        Captured("20250502000001", f"{site}/post/old-socks", status=301, location=f"{site}/post/why-socks"),
        Captured("20250503000000", f"{site}/contact", b"<html><a href='/post/x'>x</a></html>"),
    ]
    return Past(site, ports[1], foreign.done(), captures)


class History:
    """One archive of the clinic: a crawl, an import, a backfill, another crawl."""

    def __init__(self, folder: Path, launch: Launch, past: Past, *dummies: str) -> None:
        self.archive, self._folder = folder / "archive", folder
        self._launch, self._past, self._dummies = launch, past, dummies
        self.archive.mkdir(parents=True)
        (self.archive / KEY_FILE).write_text(KEY + "\n", "ascii")
        (self.archive / KEY_FILE).chmod(0o600)
        stanza = f'[clinics.{SLUG}]\nname = "Juniper Lane"\nurl = "{past.site}"\nallow_private = true\n'
        (folder / "clinics.toml").write_text(stanza, "utf-8")

    def run(self, day: int, *arguments: str, begin: object = None) -> Ended:
        started = begin if callable(begin) else lambda _: None
        given = [*arguments, "--archive", str(self.archive)]
        return self._launch(given, BEGIN + timedelta(days=day, minutes=1), started, self._dummies)

    def make(self) -> None:
        """All of it, one after another."""
        self.crawl()
        self.import_and_backfill()

    def crawl(self) -> None:
        with clinic_at(BEGIN, self._folder / "clinic", POSTS, *port_of(self._past.site)):
            crawled = self.run(0, "crawl", *self.listed, "--all")
        assert (crawled.code, crawled.err) == (0, "")

    def import_and_backfill(self) -> None:
        imported = self.run(1, "import", str(self._past.foreign), *self.listed)
        assert imported.code == 0, imported.err
        with serving(WebArchive(list(self._past.captures)), self._past.web_archive_port) as web:
            given = ("--from", "2015", "--web-archive", web.url, "--allow-private")
            filled = self.run(2, "backfill", SLUG, *given, *self.listed)
            self.backfilled = [path.split("/http", 1)[1].split("/", 3)[3] for path in web.mementos()]
        assert filled.code == 0, filled.err

    @property
    def listed(self) -> tuple[str, str]:
        return "--clinics-file", str(self._folder / "clinics.toml")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, launch: Launch, past: Past) -> History:
    """The history without a dummy."""
    history = History(tmp_path_factory.mktemp("plain"), launch, past)
    history.make()
    return history


def assert_the_same_by_any(archive: Path, *dummies: str) -> None:
    """The rows are what a rebuild without dummies makes, and what one with them makes; verify finds no fault."""
    with closing(open_archive(archive, "read")) as db:
        live = canonical.archive_digest(canonical.digests(db))
    without = rebuild(archive, cores=1)
    assert (without.problems, without.differs, without.digest) == ([], [], live)
    with registered(*dummies):
        present = rebuild(archive, cores=1)
        verified = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
    assert (present.problems, present.differs, present.digest) == ([], [], live)
    assert (verified.exit_code, verified.output) == (0, "")


@pytest.mark.parametrize("dummies", [DUMMIES[:1], DUMMIES] if SOAK else [DUMMIES], ids=len)
def test_crawl_import_and_backfill_give_the_rows_they_give_without_it(
    dummies: tuple[str, ...], plain: History, tmp_path: Path, launch: Launch, past: Past
) -> None:
    history = History(tmp_path, launch, past, *dummies)
    history.make()
    assert column(history.archive, ADDRESSES) == column(plain.archive, ADDRESSES)
    assert history.backfilled == plain.backfilled
    for table, name in (
        ("posts", "url"),
        ("revisions", "content_sha256"),
        ("readings", "comments_count"),
        ("sightings", "url || source"),
        ("comments", "body_text"),
        ("absences", "answered"),
        ("problems", "message"),
        ("post_addresses", "address || matched_by"),
    ):
        values = f"SELECT {name} FROM {table} ORDER BY 1"
        assert column(history.archive, values) == column(plain.archive, values), table
    assert column(history.archive, "SELECT DISTINCT platform FROM clinics") == ["wix"]
    assert_the_same_by_any(history.archive, *dummies)


def test_an_archive_of_what_others_captured_alone(tmp_path: Path, launch: Launch, past: Past) -> None:
    """No run of ours recognised the platform: the first capture that carries a mark tells it."""
    history = History(tmp_path, launch, past, *DUMMIES)
    history.import_and_backfill()
    assert value_of(history.archive, "SELECT count(*) FROM readings WHERE views = 999") == 0
    assert_the_same_by_any(history.archive, *DUMMIES)


def test_a_killed_run_is_read_by_the_same_platform(tmp_path: Path, launch: Launch, past: Past) -> None:
    """It has no note that names its platform: the platform is recognised again from its captures."""
    history = History(tmp_path, launch, past, *DUMMIES)

    def kill_at_first_post(pid: int) -> None:
        def watch() -> None:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not any(post["served"] for post in clinic.truth()["posts"]):
                time.sleep(0.01)
            os.kill(pid, signal.SIGKILL)

        threading.Thread(target=watch).start()

    with clinic_at(BEGIN, tmp_path / "clinic", POSTS, *port_of(past.site)) as clinic:
        killed = history.run(0, "crawl", *history.listed, "--all", "--delay", "0.3", begin=kill_at_first_post)
        assert killed.code == -signal.SIGKILL
        with registered(*DUMMIES):
            assert rebuild(history.archive, cores=1).problems == []
        done = history.run(1, "crawl", *history.listed, "--all")
    assert done.code == 0, done.err
    assert column(history.archive, "SELECT DISTINCT platform FROM clinic_runs") == ["wix"]
    assert value_of(history.archive, "SELECT count(*) FROM readings WHERE views = 999") == 0
    assert_the_same_by_any(history.archive, *DUMMIES)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kept archives, rebuilt without a dummy."""
    folder = tmp_path_factory.mktemp("kept")
    for name in ("visits", "rendered", "imported"):
        archive = shutil.copytree(GATE / name, folder / name, ignore=shutil.ignore_patterns(rows.FILE))
        (archive / KEY_FILE).chmod(0o600)
        assert rebuild(archive, cores=1).problems == []
    return folder


@pytest.mark.parametrize(
    ("name", "dummies"),
    [("visits", DUMMIES), *sampled([("rendered", DUMMIES), *(("imported", (dummy,)) for dummy in DUMMIES)], 4)],
    ids=lambda value: value if isinstance(value, str) else value[0] if len(value) == 1 else "all",
)
def test_kept_archives_rebuild_to_the_same_rows(name: str, dummies: tuple[str, ...], kept: Path) -> None:
    before = rows.tables(kept / name)
    with registered(*dummies):
        done = rebuild(kept / name, cores=1)
        assert (done.problems, done.differs) == ([], [])
    assert differences(before, rows.tables(kept / name)) == []
