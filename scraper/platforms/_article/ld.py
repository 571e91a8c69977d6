"""JSON-LD of a page: the object that describes its article, and values inside it.

Plugins of search engines describe the whole site in one graph, whose objects refer to one another by `@id`. Lists of
other posts (`Blog`, `ItemList`) hold objects of the same types as the page's own: only top-level objects, members of a
graph and the main entity of a page are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Any

from scraper.addresses import post_key
from scraper.items import Problem
from scraper.platforms._values import clean

_LARGEST = 4_000_000  # characters of a script
_MAX_OBJECTS = 200  # objects of one page
_KINDS = ("Posting", "Article", "Recipe", "Report", "HowTo")


class LinkedData:
    """The JSON-LD objects of a page."""

    def __init__(self, scripts: Sequence[str], url: str) -> None:
        """Read the scripts. JSON that cannot be read is a problem, not an error; `url` is what problems name."""
        self.problems: list[Problem] = []
        self.objects: list[Mapping[str, Any]] = []
        for script in scripts:
            self._read(script, url)
        self._by_id = {str(entry["@id"]): entry for entry in self.objects if entry.get("@id") and len(entry) > 1}
        self.article = self._article(url)

    def _read(self, script: str, url: str) -> None:
        if '"@type"' not in script and "'@type'" not in script:
            return
        text = script.strip().removeprefix("<!--").removesuffix("-->").strip().rstrip(";")
        if not text.startswith(("{", "[")):
            return
        try:
            if len(text) > _LARGEST:
                raise ValueError(f"more than {_LARGEST} characters")
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError) as error:
            message = f"{url}: JSON-LD cannot be read: {error}"
            self.problems.append(Problem(kind="malformed-json", message=message, url=url))
            return
        self.objects += _objects(value)

    def _article(self, url: str) -> Mapping[str, Any]:
        """Return the object of the article, the one that names this address first; empty where there is none."""
        found = [entry for entry in self.objects if any(kind in type_of(entry) for kind in _KINDS)]
        own = [entry for entry in found if post_key(url) in map(post_key, self._urls(entry))]
        return next(iter(own or found), {})

    def _urls(self, entry: Mapping[str, Any]) -> Iterator[str]:
        for value in (entry.get("url"), entry.get("mainEntityOfPage"), entry.get("@id")):
            value = value.get("@id") if isinstance(value, dict) else value
            if isinstance(value, str):
                yield value.partition("#")[0]

    @property
    def is_posting(self) -> bool:
        """The page describes itself as a blog post or an article."""
        return any(kind in type_of(self.article) for kind in ("Posting", "Article"))

    def string(self, *path: str) -> str | None:
        """Return a string inside the article's object, HTML escapes undone; None where there is none."""
        value: Any = self.article
        for key in path:
            value = self._resolved(value)
            value = value.get(key) if isinstance(value, dict) else None
        value = value[0] if isinstance(value, list) and value else value
        return clean(unescape(value)) if isinstance(value, str) else None

    def strings(self, key: str) -> tuple[str, ...]:
        """Return the strings of a list, or of one string with commas, such as `keywords`."""
        value = self.article.get(key)
        values = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else ()
        return tuple(text for entry in values if isinstance(entry, str) and (text := clean(unescape(entry))))

    def names(self, key: str) -> tuple[str, ...]:
        """Return the names of persons or organisations, such as those of `author`."""
        value = self.article.get(key)
        found = []
        for entry in value if isinstance(value, list) else [value]:
            entry = self._resolved(entry)
            name = entry.get("name") if isinstance(entry, dict) else entry
            text = clean(unescape(name)) if isinstance(name, str) else None
            if text and not text.startswith(("http://", "https://")):
                found.append(text)
        return tuple(dict.fromkeys(found))

    def counts(self) -> dict[str, Any]:
        """Return the numbers of `interactionStatistic` by kind: {"LikeAction": 5, "CommentAction": 2}, as printed."""
        value = self.article.get("interactionStatistic")
        return interactions(value)

    def _resolved(self, value: Any) -> Any:
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, dict) and "@id" in value and "name" not in value:
            return self._by_id.get(str(value["@id"]), value)
        return value


def interactions(value: Any) -> dict[str, Any]:
    """Return the numbers of an `interactionStatistic` by the kind of action, as printed; empty for any other value."""
    found = {}
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            kind = entry.get("interactionType")
            kind = kind.get("@type") if isinstance(kind, dict) else kind
            if isinstance(kind, str):
                found[kind.rpartition("/")[2]] = entry.get("userInteractionCount")
    return found


def type_of(entry: Mapping[str, Any]) -> str:
    """Return the type of an object: "BlogPosting", or several with a space between."""
    value = entry.get("@type")
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    queue = [value]
    for entry in queue:
        if isinstance(entry, list):
            queue.extend(entry[: _MAX_OBJECTS - len(queue)] if len(queue) < _MAX_OBJECTS else ())
        elif isinstance(entry, dict):
            found.append(entry)
            for key in ("@graph", "mainEntity"):
                if isinstance(entry.get(key), (list, dict)) and len(queue) < _MAX_OBJECTS:
                    queue.append(entry[key])
    return found
