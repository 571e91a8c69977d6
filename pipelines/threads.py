"""Captures that are held until a thread of comments, or a rendered page, is whole.

The names to be masked in a thread's texts come in its last answer, so its captures are held from the first comment on,
until the visit turns to another post's comments or to anything but comments. Captures of another run (what somebody
else recorded on the same day) leave a thread as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from archive.rows.counters import COUNTERS
from archive.warc import Capture
from pipelines.events import ClinicRun
from pipelines.privacy.threads import mask_thread, names_shown
from scraper.items import (
    OF_SCRIPT,
    Alias,
    Comment,
    Extraction,
    Gone,
    Item,
    Names,
    Post,
    Reading,
    Sighting,
    Site,
    Thread,
    ThreadPage,
)

# What no answer of a comments service gives: where one occurs, the visit has turned to something else.
ELSEWHERE = (Post, Reading, Sighting, Alias, Gone, Site)

Ready = list[tuple[ClinicRun, Extraction]]


@dataclass(slots=True)
class _Held:
    """Captures of one run that are held together."""

    captures: list[Extraction] = field(default_factory=list)
    page: str | None = None  # the page that they were rendered with
    posts: set[str] = field(default_factory=set)  # posts of the comments in them

    def ends_before(self, extraction: Extraction, page: str | None, posts: set[str]) -> bool:
        """Whether the run's next capture is no part of it. Tokens, refusals, an empty page are: they come between its
        answers."""
        if not self.captures or page != self.page:
            return bool(self.captures)
        if page is not None:
            return False
        if posts:
            return bool(self.posts) and self.posts.isdisjoint(posts)
        return any(isinstance(item, ELSEWHERE) for item in extraction.items)


class Threads:
    """The captures of a clinic's runs that are held."""

    def __init__(self) -> None:
        self._held: dict[ClinicRun, _Held] = {}

    @property
    def are_held(self) -> bool:
        """Some captures are held."""
        return any(held.captures for held in self._held.values())

    def take(self, run: ClinicRun, extraction: Extraction) -> Ready:
        """Take the run's next capture; those that are ready to be stored, in order."""
        page = extraction.capture.page if isinstance(extraction.capture, Capture) else None
        posts = {item.post[0] for item in extraction.items if isinstance(item, Comment | ThreadPage)}
        ready: Ready = []
        held = self._held.setdefault(run, _Held())
        if held.ends_before(extraction, page, posts):
            ready = self.release(run, ended=True)
            held = self._held[run] = _Held()
        named = any(isinstance(item, Names) for item in extraction.items)
        # A rendered page is one visit: whatever its answers say, its last one may tell names to be masked in them.
        if page is not None or held.captures or posts or named:
            held.captures.append(extraction)
            held.page = page
            held.posts |= posts
            return ready
        return [*ready, (run, extraction)]

    def release(self, run: ClinicRun, *, ended: bool) -> Ready:
        """What is held of the run is as whole as it gets; `ended`: as in `mask_thread`."""
        held = self._held.pop(run, None)
        if held is None or not held.captures:
            return []
        thread = held.captures
        if held.page is not None:
            ended = ended and names_shown(thread)
            thread = without_repeats(thread)
        return [(run, extraction) for extraction in mask_thread(mark_complete(thread), run.privacy, ended=ended)]

    def release_all(self, *, ended: bool) -> Ready:
        """What is held of all runs."""
        return [ready for run in list(self._held) for ready in self.release(run, ended=ended)]


def mark_complete(thread: list[Extraction]) -> list[Extraction]:
    """The captures of one thread, the last of them saying so where they reach from its beginning to its last cursor."""
    items = [item for extraction in thread for item in extraction.items]
    whole: list[Item] = []
    for post in dict.fromkeys(item.post for item in items if isinstance(item, ThreadPage)):
        pages = [item for item in items if isinstance(item, ThreadPage) and item.post == post]
        read = {page.cursor for page in pages}
        left = {cursor for page in pages for cursor in page.following} - read
        if None in read and not left:
            seen = (item.platform_comment_id for item in items if isinstance(item, Comment) and item.post == post)
            whole.append(Thread(post=post, comments=tuple(seen)))
    bare = [replace(one, items=tuple(item for item in one.items if not isinstance(item, ThreadPage))) for one in thread]
    return [*bare[:-1], replace(bare[-1], items=(*bare[-1].items, *whole))]


def without_repeats(visit: Iterable[Extraction]) -> list[Extraction]:
    """The captures of one rendered page, with what they say twice left to the better witness.

    The DOM is made of the answers that the page's script got: where one of those was read, it says the same to the
    letter, and the DOM in words that were made for people ("5 hours ago"). It is believed for the rest.
    """
    captures = list(visit)
    scripted = [item for one in captures if _via(one) in OF_SCRIPT for item in one.items]
    shown = {address for one in captures if _is_dom(one) for item in one.items if isinstance(item, Post)
             for address in item.addresses}  # fmt: skip
    readings = [item for item in scripted if isinstance(item, Reading) and not shown.isdisjoint(item.post)]
    counted = {name for name in COUNTERS if any(getattr(one, name) is not None for one in readings)}
    commented = {item.platform_comment_id for item in scripted if isinstance(item, Comment)}
    return [
        replace(one, items=tuple(_left(one.items, counted, commented))) if _is_dom(one) else one for one in captures
    ]


def _is_dom(extraction: Extraction) -> bool:
    return _via(extraction) == "dom"


def _via(extraction: Extraction) -> str | None:
    return extraction.capture.via if isinstance(extraction.capture, Capture) else None


def _left(items: Iterable[Item], counted: set[str], commented: set[str]) -> Iterator[Item]:
    named = counted | {f"{name}_raw" for name in counted}
    for item in items:
        if isinstance(item, Comment) and item.platform_comment_id in commented:
            continue
        if counted and isinstance(item, Post):
            sources = {name: source for name, source in item.sources.items() if name not in named}
            item = replace(item, **dict.fromkeys(named), sources=sources)  # type: ignore[arg-type]
        yield item
