"""Who is archived: reads clinics.toml.

    [crawler]
    contact = "archive@our-university.edu"
    project_url = "https://our-university.edu/clinic-blogs"

    [clinics.riverside]
    name = "Riverside Clinic"
    url = "https://www.riverside-clinic.com"

A clinic is a table named by its slug, not an entry of a list: the slug is its identity in the archive, and TOML itself
then refuses a second one, with its line. A key that is not known here is an error too (a misspelt `privcy` must not
publish names), save in `attributes`, which holds what the study groups by.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from scraper.addresses import canonical_url, is_loopback_host, is_private_host, is_web_address, post_key
from scraper.config.toml_file import ConfigError, TomlFile
from scraper.crawl.memento import INTERNET_ARCHIVE
from scraper.crawl.schedule import Schedule
from scraper.platforms import site_root

PRODUCT = "clinic-blog-archive"  # the product token of the User-Agent, and what robots.txt knows us by (RFC 9309 2.2.1)
VERSION = "0.1.0"
DELAY = 2.0  # seconds between two requests to a host; public crawlers of Wix sites get on with this
SHORTEST_DELAY = 1.0  # seconds; no stanza may ask a public host more often

LEAST_REQUESTS = 30  # a day; some twenty find a blog's posts and count them

Comments = Literal["threads", "counts", "none"]
Privacy = Literal["pseudonymous", "omit", "keep"]
Render = Literal["auto", "never", "always"]

_SLUG = re.compile(r"[a-z0-9-]+")  # riverside, st-mary-2, 127-0-0-1-8000
# A clinic's page is /SLUG on the archive's site, where these lead elsewhere.
RESERVED = {"-", "archive", "site"}
# RFC 2606 and RFC 6761 names that belong to nobody, and "put yours here": you@clinic.edu, me@your-clinic.edu, CHANGE-ME
_PLACEHOLDER = re.compile(
    r"\bexample\.(?:com|net|org|edu)\b|\.(?:example|invalid|test)\b|\byou(?:r[-.\w]*)?@|@your\b|\bchange[-_ ]?me\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawler:
    """Who crawls, as the sites that are crawled are told."""

    contact: str = ""  # an e-mail address or a page with one
    project_url: str = ""  # a page about the project
    browser: str = ""  # the Chromium to start where a page must be rendered; "": the one that is found
    web_archive: str = INTERNET_ARCHIVE  # where `backfill` looks for older captures; no trailing slash

    @property
    def is_placeholder(self) -> bool:
        """The contact is missing or the example's, or the project's page is the example's: nobody could be reached."""
        return not self.contact or any(map(_PLACEHOLDER.search, (self.contact, self.project_url)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """One stanza."""

    slug: str  # clinic_id in the archive
    name: str
    url: str  # canonical address of the site, as the stanza gives it
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    comments: Comments = "threads"  # with the other two the comments service is never called
    privacy: Privacy = "pseudonymous"
    render: Render = "auto"  # a browser for what pages and services do not give; "always": for every post
    render_images: bool = False  # the browser loads pictures, media and fonts as well
    delay: float | None = None  # seconds between requests, at least; None: the house's
    allow_private: bool = False  # the site, and what it redirects to, may be on a private or loopback address
    timezone: str | None = None  # IANA name; the platform may tell
    closed: date | None = None  # from this day (UTC) on it is asked for no more; it stays in the archive
    schedule: Schedule = field(default_factory=Schedule)  # how often its posts are looked at

    @property
    def is_loopback(self) -> bool:
        """The site is on this machine: no delay is needed, and no contact."""
        return is_loopback_host(urlsplit(self.url).hostname or "")

    @property
    def delay_floor(self) -> float:
        """Seconds to leave between two requests, whatever robots.txt says: the stanza's, else the house's (0 here)."""
        if self.delay is not None:
            return self.delay
        return 0.0 if self.is_loopback else DELAY

    def is_closed(self, day: date) -> bool:
        """The clinic is asked for no more on that day."""
        return self.closed is not None and self.closed <= day

    def as_stanza(self) -> dict[str, Any]:
        """The stanza as plain values, for warcinfo and the archive; keys that say nothing are left out."""
        stanza = {key: value for key in _KEYS if (value := getattr(self, key)) is not None and value is not False}
        stanza["attributes"] = dict(self.attributes)
        if self.closed:
            stanza["closed"] = self.closed.isoformat()
        stanza["schedule"] = {key: value for key, value in asdict(self.schedule).items() if value is not None}
        return stanza


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinics:
    """The whole file: the crawler and the clinics in the file's order."""

    crawler: Crawler = field(default_factory=Crawler)
    clinics: tuple[Clinic, ...] = ()
    path: Path | None = None

    def __iter__(self) -> Iterator[Clinic]:
        return iter(self.clinics)

    def __len__(self) -> int:
        return len(self.clinics)

    def to_visit(self, slugs: Iterable[str]) -> list[Clinic]:
        """The clinics that are named, closed or not; without a name all that are not closed. Raises as `select`."""
        slugs, now = list(slugs), today()
        return list(self.select(slugs)) if slugs else [one for one in self if not one.is_closed(now)]

    def select(self, slugs: Iterable[str]) -> tuple[Clinic, ...]:
        """The clinics of these slugs, in the order asked for. Raises ConfigError for a slug that is not there."""
        known = {clinic.slug: clinic for clinic in self.clinics}
        wanted = tuple(dict.fromkeys(slugs))
        for slug in wanted:
            if slug not in known:
                raise ConfigError(f"{self.path}: no clinic {slug!r}; there are: {', '.join(known) or 'none'}")
        return tuple(known[slug] for slug in wanted)


def today() -> date:
    """The day by which clinics are closed: that of UTC, as all days of an archive are."""
    return datetime.now(UTC).date()


def refuse_placeholder(crawler: Crawler, clinics: Iterable[Clinic], clinics_file: Path = Path("clinics.toml")) -> None:
    """Raises ConfigError where clinics of other people would be crawled by somebody who cannot be reached."""
    public = [clinic.slug for clinic in clinics if not clinic.is_loopback]
    if crawler.is_placeholder and public:
        contact = f"contact or project_url is a placeholder ({crawler.contact}, {crawler.project_url or 'no page'})"
        raise ConfigError(
            f"{clinics_file}: {contact if crawler.contact else 'the contact is missing'}: "
            f"set contact and project_url under [crawler] there before crawling {public[0]}"
        )


def user_agent(crawler: Crawler) -> str:
    """The User-Agent header: `clinic-blog-archive/0.1.0 (+PROJECT_URL; contact: CONTACT)`."""
    about = [f"+{crawler.project_url}"] if crawler.project_url else []
    return f"{PRODUCT}/{VERSION} ({'; '.join([*about, f'contact: {crawler.contact}'])})"


def clinic_from_url(url: str) -> Clinic:
    """The clinic of `--url`: its slug is the host with `-` for `.`, the port unless it is the scheme's own, and the
    site's name where sites share a host (`user-wixsite-com-clinic`).

    `http://127.0.0.1:8000` gives `127-0-0-1-8000`; it may be fetched only where the run permits private addresses.
    Raises ConfigError where it is no http(s) address.
    """
    address = canonical_url(url)
    if not is_web_address(address):
        raise ConfigError(f"--url {url}: not an http or https address; write it out, as in https://www.example.com")
    parts = urlsplit(address)
    host = parts.hostname or ""
    slug = re.sub(r"[^a-z0-9-]", "-", host.strip("[]")) + (f"-{parts.port}" if parts.port else "")
    # Where sites share a host, the path tells them apart: user.wixsite.com/clinic and user.wixsite.com/other.
    below = urlsplit(site_root(address)).path
    slug += re.sub(r"[^a-z0-9-]", "-", below.lower().rstrip("/").replace("/", "-"))
    if slug in RESERVED:
        raise ConfigError(
            f"--url {url}: {slug!r} is an address of the archive's site; give the clinic a stanza and a slug"
        )
    return Clinic(slug=slug, name=host, url=address.rstrip("/"))


def read_clinics(path: Path) -> Clinics:
    """Reads clinics.toml. Raises ConfigError, with file and line, for whatever is wrong in it or with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; copy the clinics.toml of the project") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    return parse_clinics(text, path)


def parse_clinics(text: str, path: Path) -> Clinics:
    """`read_clinics` of a text; `path` is what errors name."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # It says: Cannot declare ('clinics', 'riverside') twice (at line 9, column 19)
        found = re.search(r"^(.*) \(at line (\d+), column \d+\)$", str(error), re.DOTALL)
        what, line = (found[1], int(found[2])) if found else (str(error), text.count("\n") + 1)
        twice = re.search(r"\('clinics', '([^']+)'\) twice", what)
        raise ConfigError(
            f"{path}:{line}: the clinic {twice[1]!r} is there twice: give each its own slug"
            if twice
            else f"{path}:{line}: not TOML: {what}"
        ) from error
    file = TomlFile(text, path)
    file.only(data, (), ("crawler", "clinics"))
    crawler = _crawler(file, file.table(data, ("crawler",)))
    clinics: list[Clinic] = []
    seen: dict[str, str] = {}
    for slug in file.table(data, ("clinics",)):
        clinic = _clinic(file, slug, file.table(data["clinics"], ("clinics", slug)))
        other = seen.setdefault(post_key(clinic.url), slug)
        if other != slug:
            file.fail(("clinics", slug, "url"), f"{clinic.url} is the url of {other!r} too: a site is archived once")
        clinics.append(clinic)
    return Clinics(crawler=crawler, clinics=tuple(clinics), path=path)


_KEYS = (
    "name", "url", "attributes", "comments", "privacy", "render", "render_images", "delay", "allow_private", "timezone",
    "closed", "schedule",
)  # fmt: skip


def _crawler(file: TomlFile, table: Mapping[str, Any]) -> Crawler:
    file.only(table, ("crawler",), ("contact", "project_url", "browser", "web_archive"))
    for key in ("contact", "project_url"):
        value = file.value(table, ("crawler", key), str, "") or ""
        # The value goes into a header, inside parentheses: line ends would forge headers, brackets end the comment.
        if not re.fullmatch(r"[\x20-\x7e]*", value) or re.search(r"[()\\;]", value):
            file.fail(("crawler", key), f"{key} goes into a header: plain ASCII without ( ) ; or backslash")
    project_url = table.get("project_url", "")
    if project_url and not is_web_address(project_url):
        file.fail(("crawler", "project_url"), "project_url must be an http or https address")
    web_archive = table.get("web_archive", INTERNET_ARCHIVE)
    if not isinstance(web_archive, str) or not is_web_address(web_archive):
        file.fail(("crawler", "web_archive"), "web_archive must be an http or https address")
    browser = file.value(table, ("crawler", "browser"), str, "") or ""
    return Crawler(
        contact=table.get("contact", "").strip(), project_url=project_url.strip(), browser=browser.strip(),
        web_archive=web_archive.strip().rstrip("/"),
    )  # fmt: skip


def _clinic(file: TomlFile, slug: str, table: Mapping[str, Any]) -> Clinic:
    at = ("clinics", slug)
    if not _SLUG.fullmatch(slug):
        file.fail(at, f"the slug {slug!r} may hold a-z, 0-9 and - only")
    if slug in RESERVED:
        file.fail(at, f"the slug {slug!r} is an address of the archive's site: choose another")
    file.only(table, at, _KEYS)
    for key in ("name", "url"):
        if not (file.value(table, (*at, key), str, "") or "").strip():
            file.fail((*at, key), f"clinic {slug!r} needs a {key}")
    url = canonical_url(table["url"]).rstrip("/")
    if not is_web_address(url):
        file.fail((*at, "url"), f"url = {table['url']!r} is no http or https address")
    delay = file.value(table, (*at, "delay"), (int, float), None)
    clinic = Clinic(
        slug=slug,
        name=table["name"].strip(),
        url=url,
        attributes=MappingProxyType(dict(file.value(table, (*at, "attributes"), dict, {}))),
        comments=cast(Comments, file.choice(table, (*at, "comments"), ("threads", "counts", "none"))),
        privacy=cast(Privacy, file.choice(table, (*at, "privacy"), ("pseudonymous", "omit", "keep"))),
        render=cast(Render, file.choice(table, (*at, "render"), ("auto", "never", "always"))),
        render_images=file.value(table, (*at, "render_images"), bool, False),
        delay=None if delay is None else float(delay),
        allow_private=file.value(table, (*at, "allow_private"), bool, False),
        timezone=file.value(table, (*at, "timezone"), str, None),
        closed=file.value(table, (*at, "closed"), date, None),
        schedule=_schedule(file, at, file.value(table, (*at, "schedule"), dict, {})),
    )
    for name, value in clinic.attributes.items():
        if not isinstance(value, str) or not value:
            file.fail((*at, "attributes", name), f"attribute {name} must be a text in quotes, and not empty")
    if clinic.delay is not None and not (
        SHORTEST_DELAY <= clinic.delay < 3600 or (clinic.is_loopback and clinic.delay >= 0)
    ):
        file.fail((*at, "delay"), f"delay is in seconds, {SHORTEST_DELAY:g} or more and less than an hour")
    if clinic.timezone is not None and clinic.timezone not in available_timezones():
        file.fail((*at, "timezone"), f"no time zone {clinic.timezone!r}: an IANA name, as America/New_York")
    if is_private_host(urlsplit(url).hostname or "") and not clinic.allow_private:
        file.fail((*at, "url"), f"{url} is on a private address: add allow_private = true if that is meant")
    return clinic


def _schedule(file: TomlFile, at: tuple[str, ...], table: Mapping[str, Any]) -> Schedule:
    """`[clinics.SLUG.schedule]`: whole numbers, each at least 1; what finds the posts takes requests, too."""
    at = (*at, "schedule")
    names = tuple(one.name for one in fields(Schedule))
    file.only(table, at, names)
    given: dict[str, int] = {}
    for name in names:
        number = file.value(table, (*at, name), int, None)
        least = LEAST_REQUESTS if name == "requests_a_day" else 1
        if number is not None and number < least:
            file.fail((*at, name), f"{name} = {number}: at least {least}")
        given |= {} if number is None else {name: number}
    return Schedule(**given)
