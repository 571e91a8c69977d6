"""The public address of the archive's site: `base_url` under [site] in clinics.toml, or `serve --base-url`."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# archive.example, 192.0.2.1, 2001:db8::1
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


def base_address(text: str) -> str:
    """Return an address such as https://archive.example without a slash at its end.

    Raises ValueError, with what is allowed, for anything but scheme, host and port: permalinks consist of that and a
    path of the site.
    """
    address = text.strip().rstrip("/")
    allowed = "write scheme and host, as in https://archive.example or http://archive.example:8001"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{_without_password(text)!r} is not the address of a site; {allowed}") from error
    host = parts.hostname or ""
    plain = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{'' if port is None else f':{port}'}"
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or plain != address.lower():
        raise ValueError(f"{_without_password(text)!r} is not the address of a site; {allowed}")
    return plain


def _without_password(text: str) -> str:
    """Return an address as a message may name it: "https://user:secret@a.example" becomes "https://a.example"."""
    return re.sub(r"//.*@", "//", text)
