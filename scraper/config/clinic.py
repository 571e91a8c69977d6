"""A clinic, the crawler that visits it, and the list of all clinics, as clinics.toml gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

from scraper.addresses import is_loopback_host
from scraper.config.shard import Shard
from scraper.config.toml_file import ConfigError
from scraper.crawl.schedule import Schedule
from scraper.web_archive.memento import INTERNET_ARCHIVE

PRODUCT = "clinic-blog-archive"  # the product token of the User-Agent and of robots.txt (RFC 9309 2.2.1)
VERSION = "0.1.0"
DELAY = 2.0  # seconds between two requests to a host; sites accept this rate from public crawlers
SHORTEST_DELAY = 1.0  # seconds; no stanza may set less for a public host

Comments = Literal["threads", "counts", "none"]
Privacy = Literal["pseudonymous", "omit", "keep"]
Render = Literal["auto", "never", "always"]
Pages = Literal["auto", "never"]

STANZA_KEYS = (
    "name",
    "url",
    "attributes",
    "comments",
    "privacy",
    "render",
    "render_images",
    "delay",
    "allow_private",
    "timezone",
    "closed",
    "schedule",
    "pages",
)
# Names that RFC 2606 and RFC 6761 reserve, and "put yours here": you@clinic.edu, me@your-clinic.edu, CHANGE-ME
_PLACEHOLDER = re.compile(
    r"\bexample\.(?:com|net|org|edu)\b|\.(?:example|invalid|test)\b|\byou(?:r[-.\w]*)?@|@your\b|\bchange[-_ ]?me\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlerConfig:
    """Who crawls: what the User-Agent tells the sites."""

    contact: str = ""  # an e-mail address or a page with one
    project_url: str = ""  # a page about the project
    browser: str = ""  # path of the Chromium that renders pages; "": the first one on PATH
    web_archive: str = INTERNET_ARCHIVE  # where `backfill` looks for older captures; no trailing slash

    @property
    def is_placeholder(self) -> bool:
        """The contact is missing, or it or the project's page is the example's: nobody could be reached."""
        return not self.contact or any(map(_PLACEHOLDER.search, (self.contact, self.project_url)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """One stanza."""

    slug: str  # clinic_id in the archive
    name: str
    url: str  # canonical address of the site, as the stanza gives it
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    comments: Comments = "threads"  # with the other two the comments service is never requested
    privacy: Privacy = "pseudonymous"
    render: Render = "auto"  # a browser for what pages and services do not give; "always": for every post
    pages: Pages = "auto"  # "never": the page of a post that an API or a feed gives with its text is not requested
    render_images: bool = False  # the browser loads pictures, media and fonts as well
    delay: float | None = None  # least seconds between requests; None: `DELAY`
    allow_private: bool = False  # the site, and what it redirects to, may be on a private or loopback address
    timezone: str | None = None  # IANA name; None: the one that the platform gives
    closed: date | None = None  # from this day (UTC) on it is not requested; it remains in the archive
    schedule: Schedule = field(default_factory=Schedule)  # how often its posts are requested

    @property
    def is_loopback(self) -> bool:
        """The site is on this machine: it needs no delay and no contact."""
        return is_loopback_host(urlsplit(self.url).hostname or "")

    @property
    def delay_floor(self) -> float:
        """Least seconds between two requests, whatever robots.txt says: of the stanza, else `DELAY` (0 on loopback)."""
        if self.delay is not None:
            return self.delay
        return 0.0 if self.is_loopback else DELAY

    def is_closed(self, day: date) -> bool:
        """Return whether the clinic is not requested on that day."""
        return self.closed is not None and self.closed <= day

    def as_stanza(self) -> dict[str, Any]:
        """Return the stanza as plain values, for warcinfo and the archive, without keys that are None or false."""
        stanza = {key: value for key in STANZA_KEYS if (value := getattr(self, key)) is not None and value is not False}
        if self.pages == "auto":
            del stanza["pages"]  # notes of earlier versions do not have it
        stanza["attributes"] = dict(self.attributes)
        if self.closed:
            stanza["closed"] = self.closed.isoformat()
        stanza["schedule"] = {key: value for key, value in asdict(self.schedule).items() if value is not None}
        return stanza


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinics:
    """The whole file: the crawler and the clinics in the file's order."""

    crawler_config: CrawlerConfig = field(default_factory=CrawlerConfig)
    clinics: tuple[Clinic, ...] = ()
    path: Path | None = None
    base_url: str | None = None  # the public address of the archive's site
    key_id: str | None = None  # which key all archives of this frame make their pseudonyms with
    approval: str | None = None  # of a review board, for a release with the texts of comments
    maker: str | None = None  # who is cited as the author of a release
    failed_share: float = 0.0  # of a large frame, the share of failed clinics up to which a run counts as done

    def __iter__(self) -> Iterator[Clinic]:
        return iter(self.clinics)

    def __len__(self) -> int:
        return len(self.clinics)

    def to_visit(self, slugs: Iterable[str]) -> list[Clinic]:
        """Return the named clinics, closed or not; without names all that are not closed. Raises as `select`."""
        slugs, now = list(slugs), today()
        return list(self.select(slugs)) if slugs else [clinic for clinic in self if not clinic.is_closed(now)]

    def of_shard(self, shard: Shard) -> Clinics:
        """Return the file with the clinics of one shard alone."""
        return replace(self, clinics=tuple(clinic for clinic in self if shard.has(clinic.slug)))

    def select(self, slugs: Iterable[str]) -> tuple[Clinic, ...]:
        """Return the clinics of these slugs, in this order. Raises ConfigError for an unknown slug."""
        known = {clinic.slug: clinic for clinic in self.clinics}
        wanted = tuple(dict.fromkeys(slugs))
        for slug in wanted:
            if slug not in known:
                raise ConfigError(f"{self.path}: no clinic {slug!r}; known: {', '.join(known) or 'none'}")
        return tuple(known[slug] for slug in wanted)


def today() -> date:
    """Return the day by which clinics count as closed: of UTC, as all days of an archive are."""
    return datetime.now(UTC).date()
