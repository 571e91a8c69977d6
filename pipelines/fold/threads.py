"""Holds captures until their thread of comments, or their rendered page, is whole.

The names to be masked in a thread's texts come in its last answer. So its captures are held from the first comment
until the visit requests another post's comments, or something else than comments. Captures of another run (an import of
the same day) do not end a thread. The comments of a whole site are held like a thread, until they end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from archive.rows.posts.counters import COUNTERS
from archive.warc import Capture
from pipelines.events import ClinicVisit
from pipelines.fold.parts import join_parts
from pipelines.privacy.threads import mask_thread, names_complete
from scraper.items import (
    OF_SCRIPT,
    Alias,
    Comment,
    Extraction,
    Gone,
    Item,
    Names,
    Post,
    PostPart,
    Reading,
    Sighting,
    Site,
    Thread,
    ThreadPage,
)

# Items that no answer of a comment service gives: where one occurs, the thread has ended.
ELSEWHERE = (Post, Reading, Sighting, Alias, Gone, Site)

ReadyCaptures = list[tuple[ClinicVisit, Extraction]]
_WHOLE_SITE = ""  # in `_Held.posts`, for a list of the comments of all posts; no address is empty


@dataclass(slots=True)
class _Held:
    """Captures of one run that are held together."""

    captures: list[Extraction] = field(default_factory=list)
    page: str | None = None  # URL of the page that they were rendered with
    posts: set[str] = field(default_factory=set)  # first addresses of the posts whose comments they hold

    def ends_before(self, extraction: Extraction, page: str | None, posts: set[str]) -> bool:
        """Return whether the thread or page ends before the run's next capture.

        Tokens, refusals and empty pages belong to the thread: they come between its answers.
        """
        if not self.captures or page != self.page:
            return bool(self.captures)
        if page is not None:
            return False
        if posts:
            return bool(self.posts) and self.posts.isdisjoint(posts)
        return any(isinstance(item, ELSEWHERE) for item in extraction.items)


class Threads:
    """The held captures of a clinic, by run."""

    def __init__(self) -> None:
        self._held: dict[ClinicVisit, _Held] = {}

    @property
    def are_held(self) -> bool:
        """Whether any captures are held."""
        return any(held.captures for held in self._held.values())

    def take(self, visit: ClinicVisit, extraction: Extraction) -> ReadyCaptures:
        """Take the run's next capture; return the captures that are ready to be stored, in order."""
        page = extraction.capture.page if isinstance(extraction.capture, Capture) else None
        posts = _posts_of(extraction)
        ready: ReadyCaptures = []
        held = self._held.setdefault(visit, _Held())
        if held.ends_before(extraction, page, posts):
            ready = self.release(visit, ended=True)
            held = self._held[visit] = _Held()
        named = any(isinstance(item, Names) for item in extraction.items)
        # A rendered page is held whole: its last answer may give names to be masked in the others.
        if page is not None or held.captures or posts or named:
            held.captures.append(extraction)
            held.page = page
            held.posts |= posts
            return ready
        return [*ready, (visit, extraction)]

    def release(self, visit: ClinicVisit, *, ended: bool) -> ReadyCaptures:
        """Return the held captures of the run, masked: no more of them will come. `ended`: as in `mask_thread`."""
        held = self._held.pop(visit, None)
        if held is None or not held.captures:
            return []
        thread = held.captures
        if held.page is not None:
            ended = ended and names_complete(thread)
            thread = without_repeats(thread)
        thread = mark_complete(join_parts(thread))
        return [(visit, extraction) for extraction in mask_thread(thread, visit.policy.privacy, ended=ended)]

    def release_all(self, *, ended: bool) -> ReadyCaptures:
        """Return the held captures of all runs, masked."""
        return [ready for run in list(self._held) for ready in self.release(run, ended=ended)]


def _posts_of(extraction: Extraction) -> set[str]:
    """Return the first addresses of the posts whose comments the capture holds; of a whole site `_WHOLE_SITE` alone."""
    named = [item.post for item in extraction.items if isinstance(item, Comment | ThreadPage)]
    parts = {item.post for item in extraction.items if isinstance(item, PostPart)}
    return {_WHOLE_SITE} if () in named else {post[0] for post in named} | parts


def mark_complete(thread: list[Extraction]) -> list[Extraction]:
    """Return the captures of one thread; a `Thread` is added if they reach from its beginning to its last cursor."""
    items = [item for extraction in thread for item in extraction.items]
    whole: list[Item] = []
    for post, first in {item.post: item for item in items if isinstance(item, ThreadPage)}.items():
        pages = [item for item in items if isinstance(item, ThreadPage) and item.post == post]
        read = {page.cursor for page in pages}
        left = {cursor for page in pages for cursor in page.following} - read
        if None in read and not left:
            seen = (item.platform_comment_id for item in items if isinstance(item, Comment) and post in ((), item.post))
            whole.append(Thread(post=post, comments=tuple(seen), source=first.source, counts=first.counts))
    bare = [_without_pages(extraction) for extraction in thread]
    return [*bare[:-1], replace(bare[-1], items=(*bare[-1].items, *whole))]


def _without_pages(extraction: Extraction) -> Extraction:
    return replace(extraction, items=tuple(item for item in extraction.items if not isinstance(item, ThreadPage)))


def without_repeats(visit: Iterable[Extraction]) -> list[Extraction]:
    """Return the captures of one rendered page without the items of the DOM that an answer gives as well.

    The DOM is made of the answers that the page's script received. Where such an answer was read, its values are exact,
    and those of the DOM are phrased for people ("5 hours ago"). The other items of the DOM stay.
    """
    captures = list(visit)
    scripted = [item for extraction in captures if _via(extraction) in OF_SCRIPT for item in extraction.items]
    in_dom = [item for extraction in captures if _is_dom(extraction) for item in extraction.items]
    addresses = {address for item in in_dom if isinstance(item, Post) for address in item.addresses}
    readings = [item for item in scripted if isinstance(item, Reading) and not addresses.isdisjoint(item.post)]
    counted = {name for name in COUNTERS if any(getattr(reading, name) is not None for reading in readings)}
    commented = {item.platform_comment_id for item in scripted if isinstance(item, Comment)}
    return [
        replace(extraction, items=tuple(_without_scripted(extraction.items, counted, commented)))
        if _is_dom(extraction)
        else extraction
        for extraction in captures
    ]


def _is_dom(extraction: Extraction) -> bool:
    return _via(extraction) == "dom"


def _via(extraction: Extraction) -> str | None:
    return extraction.capture.via if isinstance(extraction.capture, Capture) else None


def _without_scripted(items: Iterable[Item], counted: set[str], commented: set[str]) -> Iterator[Item]:
    """Yield the items of a DOM without the counters and comments that an answer gave."""
    named = counted | {f"{name}_raw" for name in counted}
    for item in items:
        if isinstance(item, Comment) and item.platform_comment_id in commented:
            continue
        if counted and isinstance(item, Post):
            sources = {name: source for name, source in item.sources.items() if name not in named}
            item = replace(item, **dict.fromkeys(named), sources=sources)  # type: ignore[arg-type]
        yield item
