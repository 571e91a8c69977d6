"""Addresses: the canonical spelling of each post's, the key of each site, and which addresses must not be fetched.

w3lib (`canonicalize_url`) and courlan's list of tracking parameters do the spelling; this module chooses among their
rules. The rules for private addresses are those of Python's `ipaddress`, which follows the IANA registries.
"""

from __future__ import annotations

import re
import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urljoin, urlsplit, urlunsplit

from courlan.clean import TRACKERS_RE
from w3lib.url import canonicalize_url

DEFAULT_PORTS = {"http": 80, "https": 443}

# courlan's pattern ends with its stem, so that `gl` would match `gallery` and `ref` would match `reference`. What may
# follow the stem: nothing, an id, or no letter. "gad_campaignid" and "utm_source" match, "gallery" and "page" do not.
_END_OF_NAME = re.compile(r"(?<=_)|(?:_?id)?(?![a-z])")
# Not on courlan's list: parameters of HubSpot, Google Shopping and Meta; a WordPress "reply" link to the same page;
# Wix's overlay of one picture, which its robots.txt disallows (`Disallow: *?lightbox=`).
_MORE_TRACKERS = frozenset({"_hsenc", "_hsmi", "hsctatracking", "srsltid", "mibextid", "replytocom", "lightbox"})

# Names of session ids: `?PHPSESSID=...`, `;jsessionid=...`. Each visit gets a new one, so that a site that writes them
# into its links would seem to have new posts at every visit.
_SESSION = (
    r"phpsessid|jsessionid|aspsessionid\w*|asp\.net_sessionid|session_?id|sessid|oscsid|zenid|xtcsid|cfid|cftoken"
)
_SESSION_NAME = re.compile(_SESSION, re.IGNORECASE)
_SESSION_IN_PATH = re.compile(rf";(?:{_SESSION}|sid)=[^/?#;]*", re.IGNORECASE)
# `?sid=12` is the number of a story on some sites: it is dropped only with the value of a session.
_SESSION_VALUE = re.compile(r"(?=[^\d]*\d)(?=[^a-z]*[a-z])[0-9a-z]{16,}", re.IGNORECASE)
# Relative links can lead deeper without end: "/a/a/a/a", "/x/a/b/a/b/a/b/a/b".
_CIRCLES = re.compile(r"(/[^/]+(?:/[^/]+){0,2}?)\1{3}(?=/|$)")


@lru_cache(maxsize=8_192)  # a page names the same addresses several times
def canonical_url(url: str, base: str | None = None) -> str:
    """Return the canonical spelling of an address: two spellings of a post's address give equal strings.

    Scheme and host in lower case (international names as `xn--`), default port, userinfo, fragment, tracking parameters
    and session ids dropped, query sorted, percent-encoding as RFC 3986 6.2.2 has it (`ó` and `%c3%b3` become `%C3%B3`,
    `%7Emv2` becomes `~mv2`), dot segments resolved, no slash at the end of a path unless it is the root. The scheme is
    kept, and so is a query that chooses a page, such as `?lang=es`.

    `base`: the address of the document that contains `url`, for relative ones.
    What is not an http(s) address, or cannot be parsed as one (`mailto:`, `http://[x`), is returned unchanged but for
    the spaces around it. Never raises; canonical_url(canonical_url(x)) == canonical_url(x).
    """
    try:
        url = urljoin(base, url.strip()) if base else url.strip()
    except ValueError:  # "http://[x"
        return url.strip()
    # w3lib is not idempotent on odd paths (`/;\\` gives `/;`, and that `/`): repeat until nothing changes.
    for _ in range(8):
        before, url = url, _canonical(url)
        if url == before:
            break
    return url


def _canonical(url: str) -> str:
    if not is_web_address(url):
        return url
    try:
        parts = urlsplit(canonicalize_url(_without_tracking(url)))
        host, port = _bracketed((parts.hostname or "").rstrip(".")), parts.port
    except ValueError:  # "http://x:99999", a label too long for DNS
        return url
    if not host:
        return url
    netloc = host if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/") or "/", parts.query, ""))


def is_web_address(url: str) -> bool:
    """Return whether this is an absolute http or https address with a host."""
    try:
        parts = urlsplit(url.strip())
        return parts.scheme in DEFAULT_PORTS and bool(parts.hostname)
    except ValueError:
        return False


@lru_cache(maxsize=8_192)  # the same few hundred are compared many times
def host_key(url: str) -> str:
    """Return the site of an address: host in lower case without `www.`, and the port unless it is the scheme's default.

    `https://www.Example.com/x` gives `example.com`, `http://127.0.0.1:8000/` gives `127.0.0.1:8000`; what is not a web
    address gives the empty string. On shared hosts (`user.wixsite.com/site`) a host may hold several sites.
    """
    canonical = canonical_url(url)
    if not is_web_address(canonical):
        return ""
    return urlsplit(canonical).netloc.removeprefix("www.")


def same_site(url: str, other: str) -> bool:
    """Return whether both are web addresses of one site, with `www.` or not, http or https."""
    site = host_key(url)
    return site != "" and site == host_key(other)


@lru_cache(maxsize=50_000)  # a merge needs the keys of the same addresses many times
def post_key(url: str) -> str:
    """Return a key that two spellings of a post's address share even if scheme and `www.` differ, to compare lists by.

    `http://www.example.com/post/a` and `https://example.com/post/a` both give `example.com/post/a`. What is not a
    web address (`wix:64ddbf6a1737d98af033206f`) is its own key.
    """
    canonical = canonical_url(url)
    if not is_web_address(canonical):
        return canonical
    parts = urlsplit(canonical)
    return urlunsplit(("", "", parts.netloc.removeprefix("www.") + parts.path, parts.query, ""))


def is_tracker(name: str) -> bool:
    """Return whether a parameter of this name says where a reader came from, not which page: `utm_source`, `fbclid`."""
    name = name.lower()
    return name in _MORE_TRACKERS or any(_END_OF_NAME.match(name, hit.end()) for hit in TRACKERS_RE.finditer(name))


def _is_dropped(name: str, value: str) -> bool:
    if is_tracker(name) or _SESSION_NAME.fullmatch(name):
        return True
    return name.lower() == "sid" and _SESSION_VALUE.fullmatch(value) is not None


def as_listed(url: str, base: str | None = None) -> str:
    """Return the address to request: as `canonical_url`, but a slash at the end of the path, as a list has it, stays.

    `https://a.example/sleep/#top` gives `https://a.example/sleep/`. Servers redirect from the other spelling, or do not
    answer it at all.
    """
    canonical = canonical_url(url, base)
    try:
        listed = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        parts = urlsplit(canonical)
    except ValueError:  # "http://[x"
        return canonical
    if not is_web_address(canonical) or not listed.path.endswith("/") or parts.path.endswith("/"):
        return canonical
    return urlunsplit((parts.scheme, parts.netloc, parts.path + "/", parts.query, ""))


def is_within(url: str, root: str) -> bool:
    """Return whether the address is of this site: on its host, below its path where sites share one; no `/a/a/a/a`."""
    path = urlsplit(root).path
    return same_site(url, root) and f"{urlsplit(url).path}/".startswith(f"{path}/") and not goes_in_circles(url)


def goes_in_circles(url: str) -> bool:
    """Return whether one to three parts of the path occur four times in a row, as in `/a/a/a/a`: a faulty link."""
    return _CIRCLES.search(urlsplit(url).path) is not None


def _without_tracking(url: str) -> str:
    head, mark, rest = url.partition("?")
    query, hash_mark, fragment = rest.partition("#")
    pairs = [pair for pair in query.split("&") if pair and not _is_dropped(*pair.partition("=")[::2])]
    if "#" in head or not mark:  # a question mark inside a fragment begins no query
        return _SESSION_IN_PATH.sub("", url)
    return _SESSION_IN_PATH.sub("", head) + ("?" + "&".join(pairs) if pairs else "") + hash_mark + fragment


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


# Prefixes whose last 32 bits are an IPv4 address that a gateway connects to.
_NAT64_LOCAL = ip_network("64:ff9b:1::/48")  # RFC 8215
_NAT64 = (ip_network("64:ff9b::/96"), _NAT64_LOCAL)  # RFC 6052
_THIS_NETWORK = ip_network("0.0.0.0/8")
_IPV4_COMPATIBLE = ip_network("::/96")  # RFC 4291 2.5.5.1, deprecated: ::127.0.0.1
_GATEWAYS = (*_NAT64, ip_network("::ffff:0:0/96"))
_SHARED = ip_network("100.64.0.0/10")  # RFC 6598, between a carrier and its customers
# Ranges that older Pythons call global, and global ones that answer only from inside a cloud.
_NEVER = (
    ip_network("192.0.0.0/24"),  # IETF protocol assignments; Oracle's metadata service is 192.0.0.192
    ip_network("192.88.99.0/24"),  # RFC 7526, relays of 6to4, deprecated
    ip_network("168.63.129.16/32"),  # Azure's own services, for its virtual machines
    ip_network("3fff::/20"),  # RFC 9637, documentation
)


def refuse_private(ip: str) -> str | None:
    """Return why a public crawler must not connect to this IP address; None where it may.

    Refused: loopback, private (RFC 1918, unique local), link-local (the metadata services of clouds), carrier-grade
    NAT, multicast, unspecified, reserved and documentation ranges, and IPv6 addresses that carry such an IPv4 address
    (mapped, compatible, 6to4, Teredo, NAT64). Raises ValueError where `ip` is not an IP address.
    """
    address = ip_address(ip.strip().strip("[]"))
    if isinstance(address, IPv6Address) and not address.is_loopback and not address.is_unspecified:
        carried = _carried(address)
        for inner in carried:
            if reason := _not_public(inner):
                return f"{address} carries {reason}, {inner}"
        if carried and any(address in prefix for prefix in _GATEWAYS):
            return None  # a gateway to a public address; the prefix itself need not be global
    reason = _not_public(address)
    return f"{address} is {reason}" if reason else None


# In this order: the first that is true names the range best.
_RANGES = (
    ("is_unspecified", "the unspecified address"),
    ("is_loopback", "a loopback address"),
    ("is_link_local", "a link-local address"),
    ("is_multicast", "a multicast address"),
    ("is_site_local", "a site-local address"),  # IPv6 alone
    ("is_private", "a private address"),
    ("is_reserved", "a reserved address"),
)


def _not_public(address: IPv4Address | IPv6Address) -> str | None:
    if address in _SHARED:
        return "an address of carrier-grade NAT"
    if any(address in network for network in _NEVER):
        return "an address of no public site"
    reason = next((words for name, words in _RANGES if getattr(address, name, False)), None)
    return reason or (None if address.is_global else "not a global address")


def _carried(address: IPv6Address) -> list[IPv4Address]:
    """Return the IPv4 addresses inside an IPv6 address, by the scheme of its prefix."""
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _IPV4_COMPATIBLE or any(address in prefix for prefix in _NAT64):
        inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
    if address in _NAT64_LOCAL:
        inner += _with_shorter_prefixes(int(address))
    return [ipv4 for ipv4 in inner if ipv4 is not None]


def _with_shorter_prefixes(number: int) -> list[IPv4Address]:
    """Return the IPv4 addresses that gateways with a prefix of 48, 56 or 64 bits read from an address (RFC 6052 2.2).

    The octet of bits 64 to 71 is skipped. With a prefix of 96 bits it is zero, and what is read is in 0.0.0.0/8, which
    is left out.
    """
    without_octet = (number >> 64 << 56) | (number & ((1 << 56) - 1))
    found = [IPv4Address(without_octet >> (88 - length) & 0xFFFFFFFF) for length in (48, 56, 64)]
    return [ipv4 for ipv4 in found if ipv4 not in _THIS_NETWORK]


def literal_ip(host: str) -> str | None:
    """Return the IP address that a host is written as; None for a name.

    Beside the usual forms, those that resolvers read as IPv4 (`127.1`, `0x7f000001`, `2130706433`), as inet_aton(3).
    """
    host = host.strip().strip("[]").rstrip(".")
    try:
        return str(ip_address(host))
    except ValueError:
        if not re.fullmatch(r"[0-9a-fx.]+", host, re.IGNORECASE) or not host[:1].isdigit():
            return None
    try:
        return str(IPv4Address(socket.inet_aton(host)))
    except OSError:
        return None


# RFC 6761 (localhost), RFC 6762 (local), ICANN 2024 (internal), RFC 8375 (home.arpa).
_PRIVATE_NAMES = re.compile(r"(?:^|\.)(?:localhost|localdomain|local|internal|home\.arpa)$")


def is_private_host(host: str) -> bool:
    """Return whether a host is private by its spelling alone: a private IP address, or a name of local networks.

    A public name may still resolve to a private address: the resolver refuses that.
    """
    ip = literal_ip(host)
    if ip is not None:
        return refuse_private(ip) is not None
    return _PRIVATE_NAMES.search(host.lower().rstrip(".")) is not None


def is_loopback_host(host: str) -> bool:
    """Return whether the host is this machine: `localhost` and names below it, 127.0.0.0/8, ::1."""
    ip = literal_ip(host)
    if ip is not None:
        return ip_address(ip).is_loopback
    return re.search(r"(?:^|\.)localhost$", host.lower().rstrip(".")) is not None
