"""Comment services of which the mark alone is known: what is written there, and how much, stays unknown (NULL).

Their answers need a login or a key, or no form of them is known. Where the platform's pages are rendered in a browser,
what a visitor sees may still be read from there. Each class is found as those of other files are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from scraper.comments._answer import base_of
from scraper.comments._page import elements_with
from scraper.comments._service import CommentService
from scraper.items import Exchange, Item
from scraper.platforms._platform import Blog, Plan


class _Marked(CommentService):
    """A service that is recognised and not read."""

    is_read: ClassVar[bool] = False
    # Bytes of an element's opening tag, then the attribute that must contain them, "" for the element's own name.
    marks: ClassVar[tuple[tuple[bytes, str], ...]] = ()
    thread_in: ClassVar[tuple[str, ...]] = ()  # attributes that name the thread; without one it is the page's address

    def thread_of(self, page: Exchange) -> str | None:
        """The page's thread, or the page's address."""
        for mark, attribute in self.marks:
            for tag, found in elements_with(page, mark):
                if mark.decode().lower() in (found.get(attribute, "") if attribute else tag).lower():
                    named = next((found[name] for name in self.thread_in if found.get(name)), None)
                    return f"{self.name}:{named or base_of(page.url)}"
        return None

    def is_api_url(self, url: str) -> bool:
        """None of its addresses is read."""
        return False

    def read(self, exchange: Exchange) -> Iterator[Item]:
        """Nothing."""
        yield from ()

    def threads(self, blog: Blog, threads: Mapping[str, str]) -> Plan:
        """No request."""
        return
        yield


class Facebook(_Marked):
    """Facebook's comments plugin."""

    name: ClassVar[str] = "facebook"
    marks = ((b"fb-comments", "class"), (b"fb:comments", ""))
    thread_in = ("data-href", "href")


class Hyvor(_Marked):
    """Hyvor Talk: no list of comments is public without a key."""

    name: ClassVar[str] = "hyvor"
    marks = ((b"hyvor-talk-comment", ""), (b"hyvor-talk-view", "id"), (b"talk.hyvor.com", "src"))
    thread_in = ("page-id",)


class Commento(_Marked):
    """Commento, and its successor Comentario."""

    name: ClassVar[str] = "commento"
    marks = ((b"commento.js", "src"), (b"comentario.js", "src"), (b"comentario-comments", ""))


class Utterances(_Marked):
    """Utterances: issues of a GitHub repository."""

    name: ClassVar[str] = "utterances"
    marks = ((b"utteranc.es/client.js", "src"),)


class Cusdis(_Marked):
    """Cusdis."""

    name: ClassVar[str] = "cusdis"
    marks = ((b"cusdis_thread", "id"),)
    thread_in = ("data-page-id",)


class Coral(_Marked):
    """Coral, formerly Coral Talk."""

    name: ClassVar[str] = "coral"
    marks = ((b"coral_thread", "id"), (b"coral_talk_stream", "id"), (b"coral_stream", "id"))


class OpenWeb(_Marked):
    """OpenWeb, formerly Spot.IM."""

    name: ClassVar[str] = "openweb"
    marks = ((b"conversation", "data-spotim-module"), (b"launcher.spot.im", "src"))
    thread_in = ("data-post-id",)


class Vuukle(_Marked):
    """Vuukle."""

    name: ClassVar[str] = "vuukle"
    marks = ((b"vuukle-comments", "id"),)


class IntenseDebate(_Marked):
    """IntenseDebate."""

    name: ClassVar[str] = "intensedebate"
    marks = ((b"intensedebate.com/js", "src"), (b"idc-container", "id"))


class GraphComment(_Marked):
    """GraphComment."""

    name: ClassVar[str] = "graphcomment"
    marks = ((b"graphcomment", "id"), (b"graphcomment.com", "src"))


class Livefyre(_Marked):
    """Livefyre, which ended in 2022: what was written there is lost."""

    name: ClassVar[str] = "livefyre"
    marks = ((b"livefyre-comments", "id"), (b"livefyre.com", "src"))
