"""What a public file has in place of a value: a keyed hash, or an address cut to its host."""

from __future__ import annotations

import hmac
import re

# "https://clinic.example:8080/post/sleep?x=1": scheme, host and port, and the rest up to a space, quote or bracket.
_ADDRESS = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*://)(?:[^\s/?#\"'<>()@]*@)?([^\s/?#\"'<>()@]+)[^\s\"'<>()]*")


def keyed(key: bytes, *values: str) -> str:
    """Return the HMAC-SHA256 of values under a key, 32 hexadecimal digits; without the key nobody can compute it."""
    text = "\0".join(values).encode("utf-8", "surrogatepass")
    return hmac.digest(key, text, "sha256").hex()[:32]


def host_of(address: str | None) -> str | None:
    """Return an address cut to its host, "https://clinic.example/"; None for what is no address with a host."""
    found = _ADDRESS.fullmatch(address or "")
    return f"{found[1]}{found[2]}/" if found else None


def hosts_in(text: str | None) -> str | None:
    """Return a text whose addresses are cut to their hosts; a last ":" or "," of an address goes with the rest."""
    return None if text is None else _ADDRESS.sub(_cut, text)


def _cut(found: re.Match[str]) -> str:
    end = re.search(r"[.,:;]+$", found[0])  # "at https://clinic.example/a: gone": the colon is not the address's
    return f"{found[1]}{found[2].rstrip('.,:;')}/{end[0] if end else ''}"
