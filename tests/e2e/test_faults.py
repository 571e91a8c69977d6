"""The sample clinic over a bad line: nothing is lost, nothing is called removed, and the next good crawl heals all.

A crawl on a good day, one under the fault, one on a good day again; after each of the last two the archive verifies.
What happened is written as a table to `faults.md` in the artefacts. Six faults of the list, all with SOAK.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.commands import main
from tests.clinic import Clinic, running
from tests.e2e import faulty
from tests.e2e.faulty import Fault, Line, Script
from tests.e2e.product import BIN, ROOT, Done, column, environment, one, rows

SOAK = bool(os.environ.get("SOAK"))
TABLE = Path(os.environ.get("ARTEFACTS") or ROOT / "var") / "faults.md"
# A few of each kind: every generation of page, threads, labels, counters that are hidden, members only, other scripts.
KEPT = {
    "what-six-weeks-of-questionnaires-taught-us", "garden-sale-thank-you", "ask-us-anything-november", "why-socks",
    "members-archive-breathing-scripts", "how-we-keep-notes-private", "qué-esperar-de-su-primera-visita",
    "quiet-numbers", "2019/06/06/we-are-open", "snow-day-policy", "was-kostet-eine-infusion",
}  # fmt: skip
CONTACT = '[crawler]\ncontact = "crawler@loopback.localdomain"\nproject_url = "https://loopback.localdomain/about"\n'
STANZA = CONTACT + '[clinics.sample]\nname = "Sample"\nurl = "{url}"\nallow_private = true\nrender = "never"\n'
TIMEOUT = 1.0  # seconds; where a fault is about waiting, else as long as a busy machine may need
# The command as it is, less patience: the pauses of a week of faults would take hours.
IMPATIENT = (
    "import scraper.settings as s; s.RETRY_PAUSE, s.DOWNLOAD_TIMEOUT = 0.02, {timeout};"
    "from pipelines.commands import main; main(prog_name='clinic-archive')"
)
Prepare = Callable[[Path], Any]


@dataclass(frozen=True)
class Case:
    """A fault, and what is to come of it."""

    name: str
    script: Script
    code: int
    status: str
    says: str | None  # in a line on stderr; None: nothing is said
    kind: str | None = None  # a row of `problems`
    url: str | None = None  # another address of the clinic
    disk: int | None = None  # bytes left on it
    timeout: float = 20.0


def posts(path: str) -> bool:
    """A third of the posts, always the same."""
    return path.startswith("/post/") and sum(path.encode()) % 3 == 0


def on(which: Callable[[str], bool], fault: Fault, times: int | None = None) -> Script:
    """The fault, at those paths, the first `times` that each is asked for; None: always."""
    return lambda path, number: fault if which(path) and (times is None or number <= times) else None


def everywhere(path: str) -> bool:
    return True


def at(*begins: str) -> Callable[[str], bool]:
    return lambda path: path.startswith(begins)


def home(path: str) -> bool:
    return path == "/"


def weather(seed: int) -> Script:
    """Something else each time, at a third of all requests, never the same one three times."""
    chance = random.Random(seed)
    bad = [
        Fault(faulty.reset_at_once), Fault(faulty.reset_in_the_middle), Fault(faulty.busy(503)),
        Fault(faulty.busy(429, "0")), Fault(faulty.cut_whole), Fault(faulty.too_long), Fault(faulty.nothing),
        Fault(faulty.drip(8, 0.005)), Fault(faulty.garbage),
    ]  # fmt: skip
    return lambda path, number: chance.choice(bad) if number < 3 and chance.random() < 0.3 else None


ONE = "/post/why-socks"
HALF = "cut off|without the text of a post"
UNREAD = "the connection broke off"
CASES = [
    Case("reset before headers, third of posts", on(posts, Fault(faulty.reset_at_once)), 0, "done", UNREAD,
         "broken-connection"),
    Case("reset before headers, once each", on(everywhere, Fault(faulty.reset_at_once), 1), 0, "done", None),
    Case("reset in mid-body, third of posts", on(posts, Fault(faulty.reset_in_the_middle)), 0, "done", "broke off"),
    Case("reset in mid-body, once each", on(everywhere, Fault(faulty.reset_in_the_middle), 1), 0, "done", None),
    Case("closed without a word, third of posts", on(posts, Fault(faulty.nothing, asked=False)), 0, "done", UNREAD),
    Case("stall, one post", on(at(ONE), Fault(faulty.stall)), 0, "done", "no answer in time", "timeout",
         timeout=TIMEOUT),
    Case("stall in mid-body, one post", on(at(ONE), Fault(faulty.stall_in_the_middle)), 0, "done",
         "no answer in time", "timeout",
         timeout=TIMEOUT),
    Case("stall, home page", on(home, Fault(faulty.stall)), 3, "failed", "no answer in time", "timeout",
         timeout=TIMEOUT),
    Case("slow bytes that end, everywhere", on(everywhere, Fault(faulty.drip(10, 0.003))), 0, "done", None),
    Case("slow bytes without end, one post", on(at(ONE), Fault(faulty.drip(400, 0.05))), 0, "done",
         "no answer in time", "timeout",
         timeout=TIMEOUT),
    Case("burst of 503 that ends", on(everywhere, Fault(faulty.busy(503), asked=False), 2), 0, "done", None),
    Case("503 for ever, third of posts", on(posts, Fault(faulty.busy(503))), 0, "done", "answered 503", "http-503"),
    Case("503 for ever, all but robots.txt", on(lambda path: path != "/robots.txt", Fault(faulty.busy(503))), 3,
         "failed", "answered 503", "http-503"),
    Case("503 for ever, the services behind the blog", on(at("/_api/"), Fault(faulty.busy(503))), 0, "done", "503"),
    Case("reset, all lists", on(at("/sitemap", "/blog"), Fault(faulty.reset_at_once)), 0, "done", UNREAD),
    Case("429 with a short Retry-After, once each", on(at(ONE), Fault(faulty.busy(429, "1")), 1), 0, "done", None),
    Case("429 without Retry-After, once each", on(everywhere, Fault(faulty.busy(429)), 1), 0, "done", None),
    Case("429 without Retry-After, third of posts", on(posts, Fault(faulty.busy(429))), 0, "done", "answered 429",
         "http-429"),
    Case("429 with a Retry-After of a day, home page", on(home, Fault(faulty.busy(429, "86400"))), 3, "failed",
         "answered 429", "http-429"),
    Case("429 with a Retry-After of a day, first post", on(at("/post/"), Fault(faulty.busy(429, "86400"))), 3,
         "failed", "left alone for 86400 s", "http-429"),
    Case("503 with a Retry-After of a century", on(home, Fault(faulty.busy(503, "Fri, 31 Dec 2125 23:59:59 GMT"))), 3,
         "failed", "answered 503", "http-503"),
    Case("gzip cut in half, third of posts", on(posts, Fault(faulty.cut_whole)), 0, "done", "ends in its middle",
         "cut-short"),
    Case("gzip cut in half, all lists", on(at("/sitemap", "/blog"), Fault(faulty.cut_whole)), 0, "done",
         "ends in its middle", "cut-short"),
    Case("page cut in half, third of posts", on(posts, Fault(faulty.cut_whole, plain=True)), 0, "done", HALF),
    Case("Content-Length too long, third of posts", on(posts, Fault(faulty.too_long)), 0, "done", "broke off"),
    Case("Content-Length too short, third of posts", on(posts, Fault(faulty.too_short)), 0, "done",
         "ends in its middle", "cut-short"),
    Case("Content-Length too short, plain, third of posts", on(posts, Fault(faulty.too_short, plain=True)), 0, "done",
         HALF),
    Case("garbage for a status line, third of posts", on(posts, Fault(faulty.garbage)), 0, "done", UNREAD,
         "broken-connection"),
    Case("garbage for a status line, robots.txt", on(at("/robots.txt"), Fault(faulty.garbage)), 3, "failed",
         "robots.txt gave no answer"),
    Case("no such host", on(everywhere, Fault(faulty.well)), 3, "failed", "sample.invalid: no such host", "dns",
         url="http://sample.invalid"),
    Case("robots.txt answers 500", on(at("/robots.txt"), Fault(faulty.busy(500))), 3, "failed",
         "robots.txt answered 500", "robots-refused"),
    Case("robots.txt answers 503", on(at("/robots.txt"), Fault(faulty.busy(503))), 3, "failed",
         "robots.txt answered 503", "robots-refused"),
    Case("disk full", on(everywhere, Fault(faulty.well)), 1, "running", "could not be written", disk=600_000),
    *(Case(f"changing weather {seed}", weather(seed), 0, "done", ".*") for seed in range(6 if SOAK else 1)),
]  # fmt: skip
ALWAYS = {
    "reset in mid-body, third of posts", "slow bytes without end, one post", "no such host", "changing weather 0",
    "503 for ever, the services behind the blog", "Content-Length too short, plain, third of posts",
}  # fmt: skip

# What an archive says of the blog, by the blog's own names for things: neither row numbers nor moments.
FACTS = {
    "posts": "SELECT platform_post_id, url, title, author, published_at, body_text, language, excerpt, cover_image_url,"
    " removed_at FROM posts",
    "revisions": "SELECT platform_post_id, kind, source, content_sha256 FROM revisions JOIN posts USING (post_id)",
    "comments": "SELECT platform_comment_id, platform_post_id, comments.author, author_kind, comments.body_text,"
    " comments.status, posted_at, parent_platform_comment_id FROM comments JOIN posts USING (post_id)",
    "comment_revisions": "SELECT platform_comment_id, r.body_text, r.status FROM comment_revisions r"
    " JOIN comments USING (comment_id)",
    "tags": "SELECT platform_post_id, label FROM post_tags JOIN tags USING (tag_id) JOIN posts USING (post_id)",
    "categories": "SELECT platform_post_id, label FROM post_categories JOIN categories USING (category_id)"
    " JOIN posts USING (post_id)",
    "links": "SELECT platform_post_id, links.url, position FROM links JOIN revisions USING (revision_id)"
    " JOIN posts USING (post_id)",
    "images": "SELECT platform_post_id, images.url, images.kind FROM images JOIN posts USING (post_id)",
    "addresses": "SELECT address, platform_post_id FROM post_addresses JOIN posts USING (post_id)",
    "changes": "SELECT platform_post_id, field, old, new FROM post_changes JOIN posts USING (post_id)",
    "absences": "SELECT platform_post_id, platform_comment_id, answered FROM absences"
    " LEFT JOIN posts USING (post_id) LEFT JOIN comments USING (comment_id)",
}
Facts = dict[str, set[tuple[Any, ...]]]


def facts(archive: Path) -> Facts:
    return {name: {tuple(row.values()) for row in rows(archive, sql)} for name, sql in FACTS.items()}


def verify(archive: Path) -> Done:
    """`clinic-archive verify`, in this process: starting one takes longer than so small an archive."""
    done = CliRunner().invoke(main, ["verify", "--archive", str(archive)])
    return Done(done.exit_code, done.stdout, done.stderr)


@dataclass(frozen=True)
class Sample:
    """The clinic behind its line, and its archive after one good crawl."""

    line: Line
    clinic: Clinic
    archive: Path
    facts: Facts = field(repr=False)
    captures: frozenset[str] = field(repr=False)

    def crawl(self, archive: Path, case: Case | None = None) -> Done:
        """A crawl as `case` says; None: on a good day."""
        self.line.put(case.script if case else lambda path, number: None)
        file = archive.parent / "clinics.toml"
        file.write_text(STANZA.format(url=(case and case.url) or self.line.url), "utf-8")
        begin = [str(BIN / "python"), "-c", IMPATIENT.format(timeout=case.timeout if case else 60.0)]
        done = subprocess.run(
            [*begin, "crawl", "--archive", str(archive), "--clinics-file", str(file)],
            cwd=ROOT, capture_output=True, timeout=120, env=environment(), check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    folder = tmp_path_factory.mktemp("faults")
    with faulty.line() as line, running(folder / "clinic", base=line.url) as clinic:
        line.upstream = clinic.url.removeprefix("http://")
        for post in clinic.truth()["posts"]:
            if post["slug"] not in KEPT:
                clinic.control("delete", slug=post["slug"])
        found = Sample(line, clinic, folder / "archive", {}, frozenset())
        assert found.crawl(found.archive) == Done(0, "", "")
        assert one(found.archive, "SELECT count(*) FROM posts") == len(KEPT) - 1  # one is for members only
        captures = frozenset(column(found.archive, "SELECT capture_id FROM captures"))
        yield Sample(line, clinic, found.archive, facts(found.archive), captures)


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    """The lines of the table of what happened."""
    told: list[str] = []
    yield told
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    head = [
        "fault",
        "answers hit",
        "exit: expected, was",
        "clinic",
        "lines said",
        "lost",
        "removed",
        "verify",
        "healed",
    ]
    rule = "|".join("---" for _ in head)
    TABLE.write_text("\n".join([f"| {' | '.join(head)} |", f"|{rule}|", *told, ""]), "utf-8")


@pytest.fixture
def archive(sample: Sample, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The archive of the good day, on a disk of its own where the case says how much room is left there."""
    case: Case = request.node.callspec.params["case"]
    where = tmp_path / "disk"
    where.mkdir()
    if case.disk is None:
        yield shutil.copytree(sample.archive, where / "archive")
        return
    taken = sum(path.stat().st_size for path in sample.archive.rglob("*") if path.is_file())
    size = f"size={taken + case.disk + 300_000}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", where], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield shutil.copytree(sample.archive, where / "archive")
    finally:
        subprocess.run(["umount", where], check=True)


@pytest.mark.parametrize("case", [case for case in CASES if SOAK or case.name in ALWAYS], ids=lambda case: case.name)
def test_a_fault(case: Case, sample: Sample, archive: Path, table: list[str]) -> None:
    bad = sample.crawl(archive, case)
    hit = sample.line.broken
    after = facts(archive)
    verified = verify(archive)
    status = column(archive, "SELECT status FROM clinic_runs ORDER BY started_at")[-1]
    if case.disk is not None:
        subprocess.run(["mount", "-o", "remount,size=500m", archive.parent], check=True)
    good = sample.crawl(archive)
    healed = facts(archive)
    again = verify(archive)
    lost = [f"{name}: {fact}" for name in FACTS for fact in sample.facts[name] - after[name]]
    removed = column(archive, "SELECT url FROM posts WHERE removed_at IS NOT NULL") + sorted(after["absences"])
    differs = [f"{name}: {fact}" for name in FACTS for fact in sample.facts[name] ^ healed[name]]
    cells = [case.name, hit, f"{case.code}, {bad.code}", status, len(bad.lines), len(lost), len(removed),
             verified.code, "yes" if not differs and not again.code else "NO"]  # fmt: skip
    table.append(f"| {' | '.join(map(str, cells))} |")

    assert (bad.code, bad.out, status) == (case.code, "", case.status), bad.err
    assert "Traceback" not in bad.err
    if case.says is None:
        assert bad.err == ""
    else:
        assert re.search(case.says, bad.err) and all(line.startswith(("sample: ", "/")) for line in bad.lines), bad.err
    if case.kind:
        assert case.kind in column(archive, "SELECT kind FROM problems")
    assert lost == []
    assert removed == []
    assert [name for name in FACTS if after[name] - sample.facts[name]] == [], "facts that the good day did not show"
    assert sample.captures <= set(column(archive, "SELECT capture_id FROM captures"))
    assert verified == Done(0, "", "")
    assert good.code == 0, good.err
    assert all("folded in" in line for line in good.lines), good.err
    assert differs == []
    assert again == Done(0, "", "")
