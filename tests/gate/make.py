"""Makes the three archives of the gate anew: `python -m tests.gate.make DIR`.

It makes new archives with new record ids, by the code as it is now. The archives that lie beside this file stay as they
are: they say what an earlier state of the code recorded, and are never replaced.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from pipelines.rebuild import rebuild
from pipelines.run.key import KEY_FILE
from tests.clinic import Clinic
from tests.gate import rows
from tests.gate.sample import PORT, clinic_at
from tests.pipelines.test_importer import Foreign
from tests.wayback import Captured, serving
from tests.wayback import WebArchive as Wayback
from tests.year.moved import Launch, warm

BEGIN = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
SLUG, SITE = "juniper-lane", f"http://127.0.0.1:{PORT}"
WAYBACK_PORT = PORT + 1
KEY = "0123456789abcdef" * 4
STANZA = f"""[clinics.{SLUG}]
name = "Juniper Lane"
url = "{SITE}"
allow_private = true

[clinics.{SLUG}.attributes]
state = "ID"
"""
VISITS = (
    "winter-hours-and-the-new-quiet-room", "what-six-weeks-of-questionnaires-taught-us",
    "a-nurse-s-notes-from-a-slow-thursday", "garden-sale-thank-you", "members-archive-breathing-scripts",
    "how-we-keep-notes-private", "why-socks", "snow-day-policy", "quiet-numbers", "comments-are-closed-here-on-purpose",
    "2019/06/06/we-are-open", "ماذا-تتوقع-في-الجلسة-الأولى",
)  # fmt: skip
RENDERED = ("what-six-weeks-of-questionnaires-taught-us", "garden-sale-thank-you", "integration-without-incense")
IMPORTED = ("snow-day-policy", "why-socks", "after-the-fire-season", "2019/06/06/we-are-open")


class Making:
    """An archive in the making: a clinic that changes from visit to visit, and the product at moved moments."""

    def __init__(self, folder: Path, launch: Launch, slugs: tuple[str, ...], *more: str) -> None:
        self.archive, self._state = folder / "archive", folder / "clinic"
        self._launch, self._slugs, self._more = launch, slugs, more
        self.archive.mkdir()
        (self.archive / KEY_FILE).write_text(KEY + "\n", "ascii")
        (self.archive / KEY_FILE).chmod(0o600)
        (folder / "clinics.toml").write_text(STANZA, "utf-8")

    @contextmanager
    def clinic(self, at: datetime) -> Iterator[Clinic]:
        """The clinic from that moment on."""
        with clinic_at(at, self._state, self._slugs, *self._more) as clinic:
            yield clinic

    def run(self, at: datetime, *arguments: str) -> None:
        """The product's command line at that moment; it must end well."""
        done = self._launch([*arguments, "--archive", str(self.archive)], at, lambda _: None)
        print(f"{at:%Y-%m-%d %H:%M} {' '.join(arguments)}: exit {done.code}\n{done.err}", end="", file=sys.stderr)
        assert done.code == 0, done.err


def visits(folder: Path, launch: Launch) -> Making:
    """Three visits; before the second an edit, a removal, a rename, and comments more and fewer."""
    made = Making(folder, launch, VISITS)
    with made.clinic(BEGIN):
        made.run(BEGIN + timedelta(minutes=1), "crawl", "--all")
    with made.clinic(BEGIN + timedelta(hours=23)) as clinic:
        clinic.control("edit", slug="why-socks", text="We rewrote this paragraph after a reader asked about wool.")
        clinic.control("edit", slug="winter-hours-and-the-new-quiet-room", title="Winter hours, corrected")
        clinic.control("delete", slug="2019/06/06/we-are-open")
        clinic.control("rename", slug="snow-day-policy", new_slug="what-we-do-when-it-snows")
        clinic.control("add_comment", slug="garden-sale-thank-you", text="Parking behind the house was easy to find.")
        posts = {post["slug"]: post for post in clinic.truth()["posts"]}
        clinic.control("delete_comment", comment_id=posts["why-socks"]["comments"][-1]["id"])
        answered = posts["what-six-weeks-of-questionnaires-taught-us"]["comments"][0]
        clinic.control("delete_comment", comment_id=answered["id"])
        made.run(BEGIN + timedelta(days=1), "crawl", "--all")
    with made.clinic(BEGIN + timedelta(days=2, hours=1)) as clinic:
        clinic.control("publish", slug="spring-is-near", title="Spring is near", text="The garden opens in April.")
        made.run(BEGIN + timedelta(days=2, hours=2), "crawl")
    return made


def rendered(folder: Path, launch: Launch) -> Making:
    """Two visits of a clinic whose counters and comments only a browser sees."""
    made = Making(folder, launch, RENDERED, "--no-api")
    with made.clinic(BEGIN):
        made.run(BEGIN + timedelta(minutes=1), "crawl", "--all")
    with made.clinic(BEGIN + timedelta(days=1)) as clinic:
        clinic.control("add_comment", slug="garden-sale-thank-you", text="My son still talks about the tomatoes.")
        made.run(BEGIN + timedelta(days=1, minutes=1), "crawl")
    return made


def imported(folder: Path, launch: Launch) -> Making:
    """One visit; then a WARC file by another tool, and the captures of a web archive, both from before the visit."""
    made = Making(folder, launch, IMPORTED)
    with made.clinic(BEGIN) as clinic:
        foreign, memory = _past(folder, clinic)
        clinic.control("edit", slug="snow-day-policy", text="This paragraph was rewritten in 2026.")
        clinic.control("delete", slug="after-the-fire-season")
        clinic.control("rename", slug="2019/06/06/we-are-open", new_slug="we-are-open")
        memory += [
            Captured("20251101000000", f"{SITE}/post/after-the-fire-season", b"<html>gone</html>", status=404),
            Captured("20251101000001", f"{SITE}/post/2019/06/06/we-are-open", status=301,
                     location=f"{SITE}/post/we-are-open"),
        ]  # fmt: skip
        made.run(BEGIN + timedelta(minutes=1), "crawl", "--all")
    made.run(BEGIN + timedelta(days=1), "import", str(foreign))
    with serving(Wayback(memory, missing={"20250601000000"}), WAYBACK_PORT) as web:
        given = ("--from", "2015", "--web-archive", web.url, "--allow-private")
        made.run(BEGIN + timedelta(days=2), "backfill", SLUG, *given)
    return made


def _past(folder: Path, clinic: Clinic) -> tuple[Path, list[Captured]]:
    """Pages as the clinic served them before it changed: in another tool's WARC file, and in a web archive."""

    def page(slug: str) -> bytes:
        return httpx.get(f"{SITE}/post/{slug}", headers={"Accept-Encoding": "identity"}).content

    foreign = Foreign(folder / "before-2026.warc.gz")
    at = datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
    for days, slug in enumerate(("snow-day-policy", "why-socks", "why-socks")):
        foreign.page(f"{SITE}/post/{slug}", page(slug), at + timedelta(days=days), mime="text/html; charset=UTF-8")
    foreign.page(f"{SITE}/logo.png", b"\x89PNG", at, mime="image/png")
    foreign.page("https://elsewhere.example/post/x", b"{}", at)
    foreign.text(f"{SITE}/post/after-the-fire-season", "top of page\n\nAfter the fire season\n\nbottom of page", at)
    memory = [
        Captured("20250501000000", f"{SITE}/post/snow-day-policy", page("snow-day-policy")),
        Captured("20250601000000", f"{SITE}/post/snow-day-policy", page("snow-day-policy")),
        Captured("20250701000000", f"{SITE}/post/after-the-fire-season", page("after-the-fire-season")),
        Captured("20250702000000", f"{SITE}/post/2019/06/06/we-are-open", page("2019/06/06/we-are-open")),
    ]
    return foreign.done(), memory


MADE: dict[str, Callable[[Path, Launch], Making]] = {"visits": visits, "rendered": rendered, "imported": imported}


def keep(made: Making, place: Path) -> None:
    """Copy what is recorded, rebuild an archive of it, and write that archive's rows.

    The archive that the visits made says the same as one that is rebuilt.
    """
    place.mkdir(parents=True)
    for name in ("warc", "imports"):
        if (made.archive / name).exists():
            shutil.copytree(made.archive / name, place / name)
    shutil.copy(made.archive / KEY_FILE, place)
    with tempfile.TemporaryDirectory() as aside:
        copy = shutil.copytree(place, Path(aside) / "archive")
        done = rebuild(copy)
        assert not done.problems, done.problems
        rows.write(rows.tables(copy), place / rows.FILE)
    compared = rebuild(made.archive)
    assert compared.differs == [], compared.differs


def main() -> None:
    """Make all three, or those that are named."""
    parser = argparse.ArgumentParser(prog="tests.gate.make", description="Makes NEW archives; the old ones stay.")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MADE)}; all where none is given")
    given = parser.parse_args()
    for name in given.names or MADE:
        with tempfile.TemporaryDirectory() as aside, warm(Path(aside)) as launch:
            keep(MADE[name](Path(aside), launch), given.folder / name)


if __name__ == "__main__":
    main()
