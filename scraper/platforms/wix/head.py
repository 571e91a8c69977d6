"""What the head of a Wix page says: metas, canonical link, JSON-LD, and the time zone of the site.

`og:url` is the canonical address (also in mirrors, where the canonical link is rewritten to a local file);
`article:published_time` and JSON-LD `BlogPosting` give the dates with their seconds. Pages in a language that the post
does not belong to have generic metas ("Post | Site", `og:type` website) that describe the site, not the post.
[reference: sections 1.5, 1.6, 2.3]
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from bs4 import Tag

from scraper.addresses import is_web_address
from scraper.items import Problem
from scraper.platforms._values import clean
from scraper.platforms.wix import address
from scraper.platforms.wix.hooks import inside

_MOST_ISLANDS = 20
# "Europe/London", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5"
_ZONE = re.compile(r"[A-Za-z_]+(?:/[A-Za-z0-9_+\-]+){0,2}")


@dataclass(slots=True)
class Head:
    """The head of a page, by name; what it does not have is None or empty."""

    metas: dict[str, str] = field(default_factory=dict)  # property or name -> content, the first of each
    language: str | None = None  # `<html lang>` as printed
    canonical: str | None = None  # as written, in mirrors a local file
    posting: Mapping[str, Any] = field(default_factory=dict)  # the JSON-LD object of the post
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_article(self) -> bool:
        """The metas describe a post; pages of other kinds say `og:type` website and describe the site."""
        kind = self.metas.get("og:type")
        return kind == "article" or (kind is None and "article:published_time" in self.metas)

    def linked(self, *path: str) -> str | None:
        """A string inside the JSON-LD object, HTML escapes undone (Wix escapes them); None where there is none."""
        value: Any = self.posting
        for key in path:
            value = value[0] if isinstance(value, list) and value else value
            value = value.get(key) if isinstance(value, dict) else None
        return clean(unescape(value)) if isinstance(value, str) else None

    def url(self, requested: str) -> str:
        """The canonical address: `og:url`, else the canonical link, else JSON-LD, else what was asked for.

        Where the request had a post's address and an owner's `og:url` names another kind of page, it is passed over.
        """
        written = (self.metas.get("og:url"), self.canonical, self.linked("mainEntityOfPage", "@id"), self.linked("url"))
        stated = [url for url in written if url and is_web_address(url)]
        if address.is_post(requested):
            stated = [url for url in stated if address.is_post(url)]
        return stated[0] if stated else requested


def read_head(tree: Tag, linked: Iterable[str], url: str) -> Head:
    """Read the head's tags from `tree`, and the texts of its JSON-LD scripts. Broken JSON is a problem, no error."""
    head = Head()
    root = link = None  # the first of each
    for tag in inside(tree, "meta", "html", "link"):
        if tag.name == "meta":
            name, content = tag.get("property") or tag.get("name"), tag.get("content")
            if isinstance(name, str) and isinstance(content, str) and content.strip():
                head.metas.setdefault(name.strip().lower(), content)
        elif tag.name == "html":
            root = root or tag
        elif "canonical" in tag.get_attribute_list("rel"):
            link = link or tag
    if root is not None:
        head.language = clean(str(root.get("lang") or ""))
    if link is not None:
        head.canonical = str(link.get("href") or "").strip() or None
    for text in linked:
        try:
            found = json.loads(text, strict=False)
        except (ValueError, RecursionError) as error:
            head.problems.append(Problem(kind="malformed-json", message=f"JSON-LD cannot be read: {error}", url=url))
            continue
        posting = next(_postings(found), None)
        if posting is not None and not head.posting:
            head.posting = posting
    return head


def scripts(body: bytes, mark: bytes, encoding: str, *, after: int = 0) -> Iterator[str]:
    """The texts of the scripts whose opening tag contains `mark`, e.g. `id="wix-warmup-data"`, from `after` on."""
    position = after
    for _ in range(_MOST_ISLANDS):
        position = body.find(mark, position)
        if position < 0:
            return
        opened = body.find(b">", position)
        closed = body.find(b"</script", opened)
        tag = body.rfind(b"<", 0, position)
        position += len(mark)
        if opened < 0 or closed < 0 or not body.startswith(b"<script", tag):
            continue
        yield body[opened + 1 : closed].decode(encoding, "replace")
        position = closed


def _postings(found: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a JSON-LD script that describe an article (`BlogPosting`, `Article`, `NewsArticle`)."""
    queue = [found]
    for value in queue:
        if isinstance(value, list):
            queue.extend(value[:50])
        elif isinstance(value, dict):
            kind = str(value.get("@type"))
            if "Posting" in kind or "Article" in kind or "datePublished" in value:
                yield value
            elif isinstance(value.get("@graph"), list):
                queue.extend(value["@graph"][:50])


def timezone(body: bytes, *, after: int = 0) -> str | None:
    """The IANA zone of the site, `siteFeaturesConfigs.siteWixCodeSdk.timezone` of the viewer model; None where unsaid.

    Read without decoding the model, which is half a megabyte: it is the only `"timezone"` with a zone's name there.
    The model stands behind the article, so that the search may begin `after` it.
    """
    position = after
    for _ in range(10):
        position = body.find(b'"timezone":"', position)
        if position < 0:
            break
        position += len(b'"timezone":"')
        end = body.find(b'"', position, position + 64)
        zone = body[position:end].decode("ascii", "replace").replace("\\/", "/") if end > 0 else ""
        if _ZONE.fullmatch(zone):
            return zone
    return timezone(body) if after else None
