"""Who wrote a comment: the account, or the name together with the hash of the e-mail address in the avatar's address.

The hash alone joins people: many visitors give an address that is none ("no@no.example"), and families share one. A
name alone ("Anna") is no identity.
"""

from __future__ import annotations

import re

# ".../avatar/0bc83cb571cd1c50ba6f3e8a78ef1346?s=96": MD5, or SHA-256 from WordPress 6.8 on
_AVATAR = re.compile(r"/avatar/([0-9a-f]{64}|[0-9a-f]{32})(?![0-9a-f])", re.IGNORECASE)
# Hashes of an empty address, which every commenter without one has.
_NOBODY = frozenset(
    {
        "d41d8cd98f00b204e9800998ecf8427e",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }
)


def visitor(avatar: str, site: str, name: str | None) -> str | None:
    """Return the identity of a commenter without an account, for the pseudonym alone; None where nothing tells it.

    `avatar`: address of the picture; `site`: address that the commenter gave as the own one.
    """
    found = _AVATAR.search(avatar)
    if found is not None and found[1].lower() not in _NOBODY:
        return f"avatar:{found[1].lower()}:{name or ''}"
    return f"site:{site.strip()}:{name or ''}" if site.strip() else None
