"""Reads clinics.toml: which clinics are archived, and who crawls them.

    [crawler]
    contact = "archive@our-university.edu"
    project_url = "https://our-university.edu/clinic-blogs"

    [clinics.riverside]
    name = "Riverside Clinic"
    url = "https://www.riverside-clinic.com"

A clinic is a table named by its slug, not an entry of a list: the slug is its identity in the archive, and TOML itself
refuses a second one and names its line. An unknown key is an error too (a misspelt `privcy` must not publish names),
except in `attributes`, which holds what a study groups by.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from scraper.addresses import canonical_url, is_private_host, is_web_address, post_key
from scraper.config.clinic import (
    DELAY,
    PRODUCT,
    SHORTEST_DELAY,
    STANZA_KEYS,
    VERSION,
    Clinic,
    Clinics,
    Comments,
    CrawlerConfig,
    Pages,
    Privacy,
    Render,
    today,
)
from scraper.config.site import base_address
from scraper.config.toml_file import ConfigError, TomlFile
from scraper.crawl.schedule import Schedule
from scraper.platforms import site_root
from scraper.web_archive.memento import INTERNET_ARCHIVE

__all__ = [
    "DELAY",
    "PRODUCT",
    "VERSION",
    "Clinic",
    "Clinics",
    "CrawlerConfig",
    "clinic_from_url",
    "parse_clinics",
    "read_clinics",
    "refuse_placeholder",
    "today",
    "user_agent",
]

LEAST_REQUESTS = 30  # a day; about twenty find a blog's posts and read their counters
_SLUG = re.compile(r"[a-z0-9-]+")  # riverside, st-mary-2, 127-0-0-1-8000
# A clinic's page is /SLUG on the archive's site, where these addresses have other pages.
RESERVED = {"-", "archive", "site"}


def refuse_placeholder(
    crawler: CrawlerConfig, clinics: Iterable[Clinic], clinics_file: Path = Path("clinics.toml")
) -> None:
    """Raise ConfigError where public sites would be crawled and the contact is a placeholder."""
    public = [clinic.slug for clinic in clinics if not clinic.is_loopback]
    if crawler.is_placeholder and public:
        contact = f"contact or project_url is a placeholder ({crawler.contact}, {crawler.project_url or 'no page'})"
        raise ConfigError(
            f"{clinics_file}: {contact if crawler.contact else 'the contact is missing'}: "
            f"set contact and project_url under [crawler] there before crawling {public[0]}"
        )


def user_agent(crawler: CrawlerConfig) -> str:
    """Return the User-Agent header: `clinic-blog-archive/0.1.0 (+PROJECT_URL; contact: CONTACT)`."""
    about = [f"+{crawler.project_url}"] if crawler.project_url else []
    return f"{PRODUCT}/{VERSION} ({'; '.join([*about, f'contact: {crawler.contact}'])})"


def clinic_from_url(url: str) -> Clinic:
    """Return the clinic of `--url`.

    Its slug is the host with `-` for `.`, the port unless it is the scheme's default, and the site's name where sites
    share a host (`user-wixsite-com-clinic`).

    `http://127.0.0.1:8000` gives `127-0-0-1-8000`; it is fetched only where the run permits private addresses.
    Raises ConfigError for anything but an http(s) address.
    """
    address = canonical_url(url)
    if not is_web_address(address):
        raise ConfigError(f"--url {url}: not an http or https address; write it in full, as in https://www.example.com")
    parts = urlsplit(address)
    host = parts.hostname or ""
    slug = re.sub(r"[^a-z0-9-]", "-", host.strip("[]")) + (f"-{parts.port}" if parts.port else "")
    # Where sites share a host, the path separates them: user.wixsite.com/clinic and user.wixsite.com/other.
    site_path = urlsplit(site_root(address)).path
    slug += re.sub(r"[^a-z0-9-]", "-", site_path.lower().rstrip("/").replace("/", "-"))
    if slug in RESERVED:
        raise ConfigError(
            f"--url {url}: {slug!r} is an address of the archive's site; give the clinic a stanza and a slug"
        )
    return Clinic(slug=slug, name=host, url=address.rstrip("/"))


def read_clinics(path: Path) -> Clinics:
    """Read clinics.toml. Raises ConfigError, with file and line, for any fault in it, or if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; copy the clinics.toml of the project") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    return parse_clinics(text, path)


def parse_clinics(text: str, path: Path) -> Clinics:
    """Read the text of a clinics.toml; errors name `path`."""
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{path}:1: its arrays or tables are nested too deeply to be read") from None
    except tomllib.TOMLDecodeError as error:
        # The error says: Cannot declare ('clinics', 'riverside') twice (at line 9, column 19)
        found = re.search(r"^(.*) \(at line (\d+), column \d+\)$", str(error), re.DOTALL)
        what, line = (found[1], int(found[2])) if found else (str(error), text.count("\n") + 1)
        twice = re.search(r"\('clinics', '([^']+)'\) twice", what)
        raise ConfigError(
            f"{path}:{line}: two clinics have the slug {twice[1]!r}: give each its own"
            if twice
            else f"{path}:{line}: not TOML: {what}"
        ) from error
    file = TomlFile(text, path)
    file.only(data, (), ("crawler", "clinics", "site", "alert", "shards", "release"))
    crawler = _crawler(file, file.table(data, ("crawler",)))
    clinics: list[Clinic] = []
    seen: dict[str, str] = {}
    for slug in file.table(data, ("clinics",)):
        clinic = _clinic(file, slug, file.table(data["clinics"], ("clinics", slug)))
        other = seen.setdefault(post_key(clinic.url), slug)
        if other != slug:
            file.fail(("clinics", slug, "url"), f"{clinic.url} is the url of {other!r} too; list each site once")
        clinics.append(clinic)
    return Clinics(
        crawler_config=crawler,
        clinics=tuple(clinics),
        path=path,
        base_url=_base_url(file, file.table(data, ("site",))),
        key_id=_key_id(file, file.table(data, ("shards",))),
        failed_share=_failed_share(file, file.table(data, ("alert",))),
        **_release(file, file.table(data, ("release",))),
    )


def _release(file: TomlFile, table: Mapping[str, Any]) -> dict[str, str | None]:
    file.only(table, ("release",), ("approval", "maker"))
    found: dict[str, str | None] = {}
    for key in ("approval", "maker"):
        found[key] = file.value(table, ("release", key), str, None)
        if found[key] is not None and not (found[key] or "").strip().isprintable():
            file.fail(("release", key), f"{key} is one line of text")
        found[key] = (found[key] or "").strip() or None
    return found


def _key_id(file: TomlFile, table: Mapping[str, Any]) -> str | None:
    file.only(table, ("shards",), ("key_id",))
    key_id: str | None = file.value(table, ("shards", "key_id"), str, None)
    if key_id is not None and not re.fullmatch("[0-9a-f]{16}", key_id):
        file.fail(("shards", "key_id"), "key_id has 16 hexadecimal digits, as `clinic-archive shard init` prints it")
    return key_id


def _failed_share(file: TomlFile, table: Mapping[str, Any]) -> float:
    file.only(table, ("alert",), ("failed_share",))
    share = file.value(table, ("alert", "failed_share"), (int, float), 0.0)
    if not 0 <= share < 1:
        file.fail(("alert", "failed_share"), f"failed_share = {share}: a share of the clinics, 0 or more and below 1")
    return float(share)


def _base_url(file: TomlFile, table: Mapping[str, Any]) -> str | None:
    file.only(table, ("site",), ("base_url",))
    text = file.value(table, ("site", "base_url"), str, None)
    try:
        return None if text is None else base_address(text)
    except ValueError as error:
        file.fail(("site", "base_url"), f"base_url = {error}")


def _crawler(file: TomlFile, table: Mapping[str, Any]) -> CrawlerConfig:
    file.only(table, ("crawler",), ("contact", "project_url", "browser", "web_archive"))
    for key in ("contact", "project_url"):
        value = file.value(table, ("crawler", key), str, "") or ""
        # The value is part of a header, inside parentheses: line ends would forge headers, brackets end the comment.
        if not re.fullmatch(r"[\x20-\x7e]*", value) or re.search(r"[()\\;]", value):
            file.fail(("crawler", key), f"{key} is part of a header: use plain ASCII without ( ) ; or backslash")
    project_url = table.get("project_url", "")
    if project_url and not is_web_address(project_url):
        file.fail(("crawler", "project_url"), "project_url must be an http or https address")
    web_archive = table.get("web_archive", INTERNET_ARCHIVE)
    if not isinstance(web_archive, str) or not is_web_address(web_archive):
        file.fail(("crawler", "web_archive"), "web_archive must be an http or https address")
    browser = file.value(table, ("crawler", "browser"), str, "") or ""
    return CrawlerConfig(
        contact=table.get("contact", "").strip(),
        project_url=project_url.strip(),
        browser=browser.strip(),
        web_archive=web_archive.strip().rstrip("/"),
    )


def _clinic(file: TomlFile, slug: str, table: Mapping[str, Any]) -> Clinic:
    at = ("clinics", slug)
    if not _SLUG.fullmatch(slug):
        file.fail(at, f"the slug {slug!r} may contain only a-z, 0-9 and -")
    if slug in RESERVED:
        file.fail(at, f"the slug {slug!r} is an address of the archive's site: choose another")
    file.only(table, at, STANZA_KEYS)
    for key in ("name", "url"):
        if not (file.value(table, (*at, key), str, "") or "").strip():
            file.fail((*at, key), f"clinic {slug!r} needs a {key}")
    url = canonical_url(table["url"]).rstrip("/")
    if not is_web_address(url):
        file.fail((*at, "url"), f"url = {table['url']!r} is not an http or https address")
    delay = file.value(table, (*at, "delay"), (int, float), None)
    clinic = Clinic(
        slug=slug,
        name=table["name"].strip(),
        url=url,
        attributes=MappingProxyType(dict(file.value(table, (*at, "attributes"), dict, {}))),
        comments=cast(Comments, file.choice(table, (*at, "comments"), ("threads", "counts", "none"))),
        privacy=cast(Privacy, file.choice(table, (*at, "privacy"), ("pseudonymous", "omit", "keep"))),
        render=cast(Render, file.choice(table, (*at, "render"), ("auto", "never", "always"))),
        pages=cast(Pages, file.choice(table, (*at, "pages"), ("auto", "never"))),
        render_images=file.value(table, (*at, "render_images"), bool, False),
        delay=None if delay is None else float(delay),
        allow_private=file.value(table, (*at, "allow_private"), bool, False),
        timezone=file.value(table, (*at, "timezone"), str, None),
        closed=file.value(table, (*at, "closed"), date, None),
        schedule=_schedule(file, at, file.value(table, (*at, "schedule"), dict, {})),
    )
    for name, value in clinic.attributes.items():
        if not isinstance(value, str) or not value:
            file.fail((*at, "attributes", name), f"attribute {name} must be a text in quotes that is not empty")
    if clinic.delay is not None and not (
        SHORTEST_DELAY <= clinic.delay < 3600 or (clinic.is_loopback and clinic.delay >= 0)
    ):
        file.fail((*at, "delay"), f"delay is in seconds, {SHORTEST_DELAY:g} or more and less than an hour")
    if clinic.timezone is not None and clinic.timezone not in available_timezones():
        file.fail((*at, "timezone"), f"no time zone {clinic.timezone!r}: use an IANA name such as America/New_York")
    if is_private_host(urlsplit(url).hostname or "") and not clinic.allow_private:
        file.fail((*at, "url"), f"{url} is on a private address: add allow_private = true if that is intended")
    return clinic


def _schedule(file: TomlFile, at: tuple[str, ...], table: Mapping[str, Any]) -> Schedule:
    """Read `[clinics.SLUG.schedule]`: whole numbers, each at least 1; finding the posts takes requests too."""
    at = (*at, "schedule")
    names = tuple(field.name for field in fields(Schedule))
    file.only(table, at, names)
    given: dict[str, int] = {}
    for name in names:
        number = file.value(table, (*at, name), int, None)
        least = LEAST_REQUESTS if name == "requests_a_day" else 1
        if number is not None and number < least:
            file.fail((*at, name), f"{name} = {number}: at least {least}")
        given |= {} if number is None else {name: number}
    return Schedule(**given)
