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
    stems: ClassVar[tuple[bytes, ...]] = ()  # one of them is in the opening tag of each element with a mark
    # What an attribute must contain, then the attribute, "" for the element's own name.
    marks: ClassVar[tuple[tuple[str, str], ...]] = ()
    thread_in: ClassVar[tuple[str, ...]] = ()  # attributes that name the thread; without one it is the page's address

    def thread_of(self, page: Exchange) -> str | None:
        """The page's thread, or the page's address."""
        elements = [element for stem in self.stems for element in elements_with(page, stem)]
        for mark, attribute in self.marks:
            for tag, found in elements:
                if mark in (found.get(attribute, "") if attribute else tag).lower():
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
    stems = (b"fb-comments", b"fb:comments")
    marks = (("fb-comments", "class"), ("fb:comments", ""))
    thread_in = ("data-href", "href")


class Hyvor(_Marked):
    """Hyvor Talk: no list of comments is public without a key."""

    name: ClassVar[str] = "hyvor"
    stems = (b"hyvor",)
    marks = (("hyvor-talk-comment", ""), ("hyvor-talk-view", "id"), ("talk.hyvor.com", "src"))
    thread_in = ("page-id",)


class Commento(_Marked):
    """Commento, and its successor Comentario."""

    name: ClassVar[str] = "commento"
    stems = (b"commento.js", b"comentario")
    marks = (("commento.js", "src"), ("comentario.js", "src"), ("comentario-comments", ""))


class Utterances(_Marked):
    """Utterances: issues of a GitHub repository."""

    name: ClassVar[str] = "utterances"
    stems = (b"utteranc.es/client.js",)
    marks = (("utteranc.es/client.js", "src"),)


class Cusdis(_Marked):
    """Cusdis."""

    name: ClassVar[str] = "cusdis"
    stems = (b"cusdis_thread",)
    marks = (("cusdis_thread", "id"),)
    thread_in = ("data-page-id",)


class Coral(_Marked):
    """Coral, formerly Coral Talk."""

    name: ClassVar[str] = "coral"
    stems = (b"coral_",)
    marks = (("coral_thread", "id"), ("coral_talk_stream", "id"), ("coral_stream", "id"))


class OpenWeb(_Marked):
    """OpenWeb, formerly Spot.IM."""

    name: ClassVar[str] = "openweb"
    stems = (b"data-spotim-module", b"launcher.spot.im")
    marks = (("conversation", "data-spotim-module"), ("launcher.spot.im", "src"))
    thread_in = ("data-post-id",)


class Vuukle(_Marked):
    """Vuukle."""

    name: ClassVar[str] = "vuukle"
    stems = (b"vuukle-comments",)
    marks = (("vuukle-comments", "id"),)


class IntenseDebate(_Marked):
    """IntenseDebate."""

    name: ClassVar[str] = "intensedebate"
    stems = (b"intensedebate.com/js", b"idc-container")
    marks = (("intensedebate.com/js", "src"), ("idc-container", "id"))


class GraphComment(_Marked):
    """GraphComment."""

    name: ClassVar[str] = "graphcomment"
    stems = (b"graphcomment",)
    marks = (("graphcomment", "id"), ("graphcomment.com", "src"))


class Livefyre(_Marked):
    """Livefyre, which ended in 2022: what was written there is lost."""

    name: ClassVar[str] = "livefyre"
    stems = (b"livefyre",)
    marks = (("livefyre-comments", "id"), ("livefyre.com", "src"))
