"""The rules of a robots.txt for one crawler: RFC 9309, and what Google's parser accepts beyond it.

protego compares product tokens by substring, ends a group at any line and decodes octets before it compares, so that
the rules are read and matched here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from urllib.parse import quote, urlsplit

# Names of the lines that count, with the misspellings that Google's parser accepts.
_NAMES = {
    "user-agent": "agent",
    "useragent": "agent",
    "user agent": "agent",
    "allow": "allow",
    "disallow": "disallow",
    "dissallow": "disallow",
    "dissalow": "disallow",
    "disalow": "disallow",
    "diasllow": "disallow",
    "disallaw": "disallow",
    "crawl-delay": "delay",
    "sitemap": "sitemap",
    "site-map": "sitemap",
}
# "clinic-blog-archive/0.1.0" -> "clinic-blog-archive" (RFC 9309 2.2.1)
_TOKEN = re.compile(r"[A-Za-z_-]*")
# "*", "* # all": the group of all crawlers
_EVERYONE = re.compile(r"\*(?:\s|$)")
# An octet such as "%c3" or "%7E"
_OCTET = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986 2.3


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The path of one rule: `*` stands for any octets, `$` at its end for the end of the address."""

    parts: tuple[str, ...]  # between the asterisks
    ends: bool  # the address must end where the pattern does
    length: int  # octets of the pattern, by which the most specific rule is found

    def matches(self, path: str) -> bool:
        """Return whether the path begins as the pattern says; takes time in proportion to both lengths."""
        first, *others = self.parts
        if not path.startswith(first):
            return False
        if not others:
            return not self.ends or len(path) == len(first)
        position = len(first)
        last = others.pop() if self.ends else ""
        for part in others:
            position = path.find(part, position)
            if position < 0:
                return False
            position += len(part)
        return not self.ends or (path.endswith(last) and len(path) - len(last) >= position)


@dataclass(slots=True)
class _Group:
    """The rules of every group for one product token, joined (RFC 9309 2.2.1), and the last Crawl-delay."""

    allowed: list[_Pattern] = field(default_factory=list)
    disallowed: list[_Pattern] = field(default_factory=list)  # each as written, and with unreserved octets decoded
    delay: float | None = None  # seconds


@dataclass(frozen=True, slots=True)
class RobotsRules:
    """The rules for one crawler, and the sitemaps that the file names, as written."""

    _group: _Group = field(default_factory=_Group, repr=False)
    sitemaps: tuple[str, ...] = ()

    @property
    def crawl_delay(self) -> float | None:
        """Seconds between two requests; None where no group states them."""
        return self._group.delay

    def allows(self, url: str) -> bool:
        """Return whether the address may be requested: by the longest rule that matches; Allow wins a tie.

        Allow compares octets as they are written, like Google's parser. Disallow also matches where both sides are the
        same address with other octets encoded (RFC 9309 2.2.2: `/%62az` is `/baz`).
        """
        path = _path_of(url)
        spellings = {path, _normalised(path)}
        allowed = max((rule.length for rule in self._group.allowed if rule.matches(path)), default=0)
        refused = max((rule.length for rule in self._group.disallowed if any(map(rule.matches, spellings))), default=0)
        return refused <= allowed


def read_rules(body: bytes, product: str) -> RobotsRules:
    """Read the rules for the crawler of this product token, else those for all. Never raises.

    Octets that are not UTF-8 are compared as they are; those of a Disallow also as Windows-1252.
    """
    own, everyone, sitemaps = _Group(), _Group(), list[str]()
    agents: list[_Group] = []  # groups of the user-agent lines to which a rule belongs
    delayed: list[_Group] = []  # those to which a Crawl-delay belongs
    named = rules_began = delay_began = False
    for name, value in _lines(body):
        if name == "agent":
            agents = [] if rules_began else agents
            delayed = [] if rules_began or delay_began else delayed
            rules_began = delay_began = False
            token = _TOKEN.match(_text(value))
            if token is not None and token[0].lower() == product.lower():
                named = True
                agents, delayed = [*agents, own], [*delayed, own]
            elif _EVERYONE.match(_text(value)):
                agents, delayed = [*agents, everyone], [*delayed, everyone]
        elif name == "delay":
            delay_began = True
            for group in delayed:
                group.delay = _seconds(value) if group.delay is None else group.delay
        elif name == "sitemap":
            sitemaps.append(_text(value))
        else:
            rules_began = True
            _add(agents, name, value)
    return RobotsRules(own if named else everyone, tuple(sitemaps))


def _lines(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the name (`agent`, `allow`, `disallow`, `delay`, `sitemap`) and the value of each line that has one."""
    for line in re.split(rb"\r\n|\r|\n", body.removeprefix(b"\xef\xbb\xbf")):
        text = line.partition(b"#")[0].strip(b" \t\f\v")
        name, colon, value = text.partition(b":")
        if not colon:  # "Disallow /": a forgotten colon, where there are two words and no more
            words = text.split()
            name, value = (words[0], words[1]) if len(words) == 2 else (b"", b"")
        known = _NAMES.get(name.strip(b" \t").decode("latin-1").lower())
        if known is not None:
            yield known, value.strip(b" \t\f\v")


def _add(groups: list[_Group], name: str, value: bytes) -> None:
    """Add a rule to the groups; an empty one forbids and allows nothing."""
    if not value or not groups:
        return
    pattern = _pattern(_escaped(value))
    for group in groups:
        if name == "allow":
            group.allowed.append(pattern)
            if value.endswith(b"/index.html"):  # as Google's parser: the page has two addresses
                group.allowed.append(_pattern(_escaped(value.removesuffix(b"index.html")) + "$"))
        else:
            group.disallowed.append(pattern)
            if b"%" in value or not value.isascii():
                others = {_normalised(_escaped(value)), _escaped(_text(value).encode())} - {_escaped(value)}
                group.disallowed += [_pattern(spelling, pattern.length) for spelling in sorted(others)]


def _pattern(path: str, length: int | None = None) -> _Pattern:
    """Return the pattern of a rule's path; `length`: of the path as written, where that is another spelling."""
    ends = path.endswith("$")
    parts = (path[:-1] if ends else path).split("*")
    return _Pattern(tuple(parts), ends, len(path) if length is None else length)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def _escaped(value: bytes) -> str:
    """Return octets beyond ASCII percent-encoded, digits of all octets in upper case: `/ca%c3%b1` -> `/ca%C3%B1`."""
    text = "".join(chr(octet) if octet < 0x80 else f"%{octet:02X}" for octet in value)
    return _OCTET.sub(lambda octet: octet[0].upper(), text)


def _normalised(path: str) -> str:
    """Return the spelling of a path in which unreserved characters alone are decoded (RFC 3986 6.2.2)."""

    def spell(octet: re.Match[str]) -> str:
        char = chr(int(octet[1], 16))
        return char if char in _UNRESERVED else octet[0].upper()

    return quote(_OCTET.sub(spell, path), safe="%:/?#[]@!$&'()*+,;=-._~|\\^`{}\"<> ")


def _path_of(url: str) -> str:
    """Return path and query of an address as it is spelled; "/" where it has none, or cannot be parsed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "/"
    return (parts.path or "/") + (f"?{parts.query}" if parts.query or url.partition("#")[0].endswith("?") else "")


def _seconds(value: bytes) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if isfinite(seconds) and seconds >= 0 else None
