"""Faults of a line, each with what a crawl under it is to come to; and the posts of the sample clinic that are kept."""

from __future__ import annotations

import random
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clinic import Clinic, running
from tests.e2e import faulty
from tests.e2e.faulty import Fault, Line, Script
from tests.soak import SOAK

# A few of each kind: every generation of page, threads, labels, counters that are hidden, members only, other scripts.
KEPT = {
    "what-six-weeks-of-questionnaires-taught-us", "garden-sale-thank-you", "ask-us-anything-november", "why-socks",
    "members-archive-breathing-scripts", "how-we-keep-notes-private", "qué-esperar-de-su-primera-visita",
    "quiet-numbers", "2019/06/06/we-are-open", "snow-day-policy", "was-kostet-eine-infusion",
}  # fmt: skip
TIMEOUT = 1.0  # seconds; where a fault is about waiting, else as long as a busy machine may need


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


@contextmanager
def small_clinic(folder: Path) -> Iterator[tuple[Line, Clinic]]:
    """The sample clinic, cut to a few posts of each kind, behind a line that is well; until the block ends."""
    with faulty.line() as made, running(folder / "clinic", base=made.url) as clinic:
        made.upstream = clinic.url.removeprefix("http://")
        keep_few(clinic)
        yield made, clinic


def keep_few(clinic: Clinic, kept: Container[str] = KEPT) -> None:
    """The clinic deletes all but those posts: a few of each kind."""
    for post in clinic.truth()["posts"]:
        if post["slug"] not in kept:
            clinic.control("delete", slug=post["slug"])


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
UNREAD = "the connection was lost"
ENDED = "ended early|connection was lost"
CASES = [
    Case("reset before headers, third of posts", on(posts, Fault(faulty.reset_at_once)), 0, "done", UNREAD,
         "broken-connection"),
    Case("reset before headers, once each", on(everywhere, Fault(faulty.reset_at_once), 1), 0, "done", None),
    Case("reset in mid-body, third of posts", on(posts, Fault(faulty.reset_in_the_middle)), 0, "done", ENDED),
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
         "failed", "asks for no requests for 86400 s", "http-429"),
    Case("503 with a Retry-After of a century", on(home, Fault(faulty.busy(503, "Fri, 31 Dec 2125 23:59:59 GMT"))), 3,
         "failed", "answered 503", "http-503"),
    Case("gzip cut in half, third of posts", on(posts, Fault(faulty.cut_whole)), 0, "done", "gzip data end early",
         "cut-short"),
    Case("gzip cut in half, all lists", on(at("/sitemap", "/blog"), Fault(faulty.cut_whole)), 0, "done",
         "gzip data end early", "cut-short"),
    Case("page cut in half, third of posts", on(posts, Fault(faulty.cut_whole, plain=True)), 0, "done", HALF),
    Case("Content-Length too long, third of posts", on(posts, Fault(faulty.too_long)), 0, "done", ENDED),
    Case("Content-Length too short, third of posts", on(posts, Fault(faulty.too_short)), 0, "done",
         "gzip data end early", "cut-short"),
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
    "reset in mid-body, third of posts", "slow bytes without end, one post", "changing weather 0",
    "503 for ever, the services behind the blog", "Content-Length too short, plain, third of posts",
}  # fmt: skip
