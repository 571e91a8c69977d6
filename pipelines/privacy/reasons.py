"""Reasons that an operator gives for a decision; they are recorded for good, and must not name anybody."""

from __future__ import annotations

from pipelines.privacy.masking import identifiers

_FAULTS = {
    "email": "contains an e-mail address",
    "phone": "contains a phone number",
    "handle": "contains a handle",
    "profile": "contains the address of a profile",
}
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
    found = identifiers(reason, None)
    return _FAULTS[found[0].kind] if found else None
