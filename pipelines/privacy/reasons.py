"""Reasons that an operator gives for a decision; they are recorded for good, and must not name anybody."""

from __future__ import annotations

import re

from pipelines.privacy.masking import EMAIL, masked

# "@anna_roe", "u/anna-roe": the name of a person at a service
_HANDLE = re.compile(r"(?<![\w@.])(?:@\w|u/\w)")
LONGEST = 500  # characters


def fault_of(reason: str) -> str | None:
    """Return why the reason may not be recorded, in words; None if it may.

    A person's e-mail address, phone number or handle would stay in the files that a removal cannot reach.
    """
    if not reason.strip():
        return "is empty"
    if len(reason) > LONGEST:
        return f"has more than {LONGEST} characters"
    if any(ord(letter) < 32 for letter in reason):
        return "contains a control character"
    if EMAIL.search(reason):
        return "contains an e-mail address"
    if masked(reason, None) != reason:
        return "contains a phone number"
    return "contains a handle" if _HANDLE.search(reason) else None
