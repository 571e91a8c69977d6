"""What a clinic's stanza permits to be stored about commenters, and which of several policies is in force.

In force for a capture is the strictest of the policy that it was made under and of every later one in the log. A looser
policy holds from its day on. Only a policy that is marked `loosens` also holds for what was captured before it
(`clinic-archive privacy apply --loosen`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

# From the loosest to the strictest.
COMMENTS = ("threads", "counts", "none")
PRIVACY = ("keep", "pseudonymous", "omit")


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of a stanza for comments and for the names of commenters."""

    comments: str = "threads"
    privacy: str = "pseudonymous"

    @classmethod
    def of(cls, stanza: Mapping[str, Any]) -> Self:
        """Return the policy of a stanza; a setting that it does not have is the default."""
        return cls(stanza.get("comments") or "threads", stanza.get("privacy") or "pseudonymous")

    def strictest(self, other: Policy) -> Policy:
        """Return the stricter of each of the two settings."""
        return Policy(
            max(self.comments, other.comments, key=COMMENTS.index), max(self.privacy, other.privacy, key=PRIVACY.index)
        )

    def is_stricter_than(self, other: Policy) -> bool:
        """Return whether a setting of this policy is stricter than that of the other."""
        return self.strictest(other) != other

    def words(self) -> str:
        """Return the two settings as a stanza writes them."""
        return f'comments = "{self.comments}", privacy = "{self.privacy}"'


@dataclass(frozen=True, slots=True)
class Statement:
    """A policy, and from when it holds. `loosens`: it also holds for what was captured before."""

    at: datetime
    policy: Policy
    loosens: bool = False


def in_force(made_under: Policy, since: datetime, statements: Iterable[Statement]) -> Policy:
    """Return the policy in force for captures made under `made_under`, the oldest of them at `since`.

    `statements`: of the clinic's whole log, in any order.
    """
    policy = made_under
    for later in sorted(statements, key=lambda statement: statement.at):
        if later.at > since:
            policy = later.policy if later.loosens else policy.strictest(later.policy)
    return policy
