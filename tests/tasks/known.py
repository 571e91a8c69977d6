"""An archive of 200 posts of 5 clinics over four weekly visits, with 40 edits; what is true of it is written here.

The rows are made by the fold from captures written by hand. `EDITS` and the other constants follow from the plan of the
texts alone, and from nothing that the program computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from archive.db import open_archive
from archive.times import utc
from pipelines.derive import derive_whole
from pipelines.events import Captured, ClinicVisit, VisitEnded, VisitStarted
from pipelines.fold.fold import Fold
from scraper.items import Comment, Extraction, Gone, Item, Link, Names, Post
from tests.making import capture

STATES = {"riverside": "NY", "lakeside": "NY", "hilltop": "CA", "harbor": "CA", "meadow": None}
CLINICS = tuple(STATES)
POSTS = 40  # of each clinic
VISITS = tuple(datetime(2026, 3, day, 9, tzinfo=UTC) for day in (2, 9, 16, 23))  # Mondays
WEEKS = ("2026-W10", "2026-W11", "2026-W12", "2026-W13")
FIRST_DAY = date(2025, 1, 15)  # of publication; each next post of a clinic is nine days younger

CURED = {(clinic, number) for clinic in CLINICS for number in (0, 4)}  # edited between the first and the second visit
SAFE = {(clinic, number) for clinic in CLINICS[:3] for number in range(8, 13)}  # had the sentence `NO_HARM`
DROPPED = {(clinic, number) for clinic, number in SAFE if clinic != "hilltop"}  # lost it before the third visit
HOURS = {("harbor", number) for number in range(20, 30)}  # edited alike before the second visit
TITLED = {("meadow", number) for number in range(20, 30)}  # another title at the fourth visit
EDITS = CURED | DROPPED | HOURS | TITLED
REMOVED = ("lakeside", 39)  # answered 410 at the last two visits
FELL = ("hilltop", 5)  # had three views less at the last visit than at the one before
CITING = {("hilltop", 2), ("hilltop", 3), ("meadow", 2)}
PROMISED = {("harbor", 30), ("meadow", 30)}
CLAIMED = {("hilltop", number) for number in (16, 17, 18)}

CURES, EASES = "Ketamine cures low mood in a week.", "Ketamine may ease low mood after some weeks."
NO_HARM = "There are no side effects at all."
NINE, EIGHT = "The door is open from nine to five.", "The door is open from eight to six."
PROMISE = "Our promise is a calm room and time."
CLAIM = "Ketamine is safe."
CITED = "https://trials.example.org/sleep"


class Known(NamedTuple):
    """A post of the plan."""

    clinic: str
    number: int

    @property
    def slug(self) -> str:
        return f"note-{self.number:02}"

    @property
    def published(self) -> date:
        return FIRST_DAY + timedelta(days=9 * self.number)

    def url(self) -> str:
        return f"https://{self.clinic}.example/post/{self.slug}"

    def title(self, visit: int) -> str:
        return f"Note {self.number} of {self.clinic}" + (", revised" if visit == 3 and self in TITLED else "")

    def text(self, visit: int) -> str:
        lines = [f"Note {self.number} of {self.clinic} is about sleep and rest."]
        if self in CURED:
            lines.append(CURES if visit == 0 else EASES)
        if self in SAFE and (visit < 2 or self not in DROPPED):
            lines.append(NO_HARM)
        if self in HOURS:
            lines.append(NINE if visit == 0 else EIGHT)
        lines += [PROMISE] if self in PROMISED else []
        lines += [CLAIM] if self in CLAIMED else []
        return "\n".join([*lines, "Call the clinic to ask for an appointment."])

    def views(self, visit: int) -> int:
        """A post of the first clinic gains one view a week, of the second two, and so on."""
        return (
            10 * (self.number + 1) + visit * gain(self.clinic) - (gain(self.clinic) + 3) * (self == FELL and visit == 3)
        )


def gain(clinic: str) -> int:
    """The views that each post of a clinic gains a week."""
    return CLINICS.index(clinic) + 1


ALL = tuple(Known(clinic, number) for clinic in CLINICS for number in range(POSTS))


def make(folder: Path) -> None:
    """Make the archive, derived texts included."""
    with closing(open_archive(folder, "write")) as db:
        db.execute("PRAGMA synchronous = OFF")
        for place, clinic in enumerate(CLINICS):
            fold = Fold(db, clinic, lambda _: None)
            for visit, at in enumerate(VISITS):
                started = at + timedelta(minutes=10 * place)
                attributes = {"state": STATES[clinic]} if STATES[clinic] else {}
                stanza: dict[str, Any] = {
                    "name": clinic.title(), "url": f"https://{clinic}.example", "timezone": "UTC",
                    "comments": "threads", "privacy": "pseudonymous", "attributes": attributes,
                }  # fmt: skip
                run = ClinicVisit(
                    clinic_id=clinic, crawl_id=f"{visit:032}", started_at=utc(started), software="test", stanza=stanza
                )
                fold.apply(VisitStarted(run))
                for number, items in enumerate(_captures(clinic, visit), 1):
                    identity = f"{place:08}-{visit:04}-4000-8000-{number:012}"
                    at_second = started + timedelta(seconds=number)
                    name = f"warc/{clinic}/{visit}.warc.gz"
                    took = capture(number, capture_id=identity, fetched_at=at_second, warc_file=name)
                    fold.apply(
                        Captured(run, Extraction(clinic_id=clinic, capture=took, items=items, extractor_version=4))
                    )
                end = {
                    "ended_at": utc(started + timedelta(minutes=9)), "status": "done", "complete": 1,
                    "platform": "wix", "blog_status": "blog", "finished": True,
                }  # fmt: skip
                fold.apply(VisitEnded(run, end, "wix"))
        for visit, at in enumerate(VISITS):
            db.execute(
                "UPDATE crawls SET ended_at = ? WHERE crawl_id = ?", [utc(at + timedelta(hours=1)), f"{visit:032}"]
            )
        db.conn.commit()
    assert derive_whole(folder) == []


def _captures(clinic: str, visit: int) -> Iterator[tuple[Item, ...]]:
    """The items of each capture of a visit."""
    for known in ALL:
        if known.clinic != clinic:
            continue
        if known == REMOVED and visit > 1:
            yield (Gone(url=known.url(), answered="410"),)
        else:
            yield (_post(known, visit),)
    if clinic == "riverside" and visit:
        yield from _comments()


def _post(known: Known, visit: int) -> Post:
    text = known.text(visit)
    links = (Link(url=CITED, text="trial"),) if known in CITING else ()
    values: dict[str, Any] = {
        "platform": "wix", "url": known.url(), "slug": known.slug, "title": known.title(visit), "body_text": text,
        "body_html": f"<p>{text}</p>", "links": links, "views": known.views(visit), "word_count": len(text.split()),
        "published_at": f"{known.published}T09:00:00Z", "addresses": (known.url(),), "categories": ("Notes",),
    }  # fmt: skip
    sources = {name: "html" for name, value in values.items() if value not in (None, ())}
    return Post(**values, sources=sources)


def _comments() -> Iterator[tuple[Item, ...]]:
    """A reader and the clinic under the second note of riverside, and a reader under the third."""
    second, third = (Known("riverside", number) for number in (1, 2))
    answer: dict[str, Any] = {"status": "published", "author_kind": "member"}
    day = second.published + timedelta(days=2)
    yield (
        Comment(post=(second.url(),), platform_comment_id="c1", body_text="Thank you, it helped.", person="p1",
                author="reader-aaaaaaaaaaaa", posted_at=f"{day}T09:00:00Z", **answer),
        Comment(post=(second.url(),), platform_comment_id="c2", body_text="You are welcome.", person="p2",
                author="reader-bbbbbbbbbbbb", posted_at=f"{day}T15:00:00Z", parent_id="c1",
                **{**answer, "author_kind": "staff"}),
        Names(names={"p1": "Ada Roe", "p2": "The Clinic"}),
    )  # fmt: skip
    yield (
        Comment(post=(third.url(),), platform_comment_id="c3", body_text="Ask me by mail, roe@example.org.",
                person="p1", author="reader-aaaaaaaaaaaa", posted_at=f"{third.published}T21:00:00Z", **answer),
        Names(names={"p1": "Ada Roe"}),
    )  # fmt: skip
