"""A lexicon: rules as data.

A rule has an id, a version, a category, patterns, a source and examples. The patterns of a version never change: a
better rule is the same id with the next version, and stands beside the old one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property

from archive.lexicon.patterns import Expression, compiled

KINDS = ("claim", "topic")
ABOUT = ("context", "sentence", "any")
PATTERNS = ("pattern", "requires", "unless", "denied")  # keys with patterns


@dataclass(frozen=True, slots=True)
class Examples:
    """Short texts: the rule matches those of `match`, matches those of `negated` as denied, and none of `none`."""

    match: tuple[str, ...] = ()
    negated: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    def all(self) -> tuple[tuple[str, ...], ...]:
        """Return the texts of each kind."""
        return self.match, self.negated, self.none


@dataclass(frozen=True)
class Rule:
    """A version of a rule, as its file has it.

    kind      "claim": no match where the sentence asks, or reports what others say; "topic": it matches there, too
    about     where the treatment must be named: "context" (the sentence or what is before it), "sentence", or "any"
    pattern   patterns of which one must match; the match is their place
    requires  patterns of which one must match elsewhere in the sentence
    unless    where one of these matches in the sentence, `pattern` does not
    denied    patterns that say the opposite: they match as denied
    negation  whether a denial before the pattern makes it a denied match
    """

    lexicon: str
    id: str
    version: int
    category: str
    meaning: str
    source: str
    pattern: tuple[str, ...]
    kind: str = "claim"
    about: str = "context"
    requires: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    negation: bool = True
    examples: Examples = Examples()
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The rule and its version: not-addictive@2."""
        return f"{self.id}@{self.version}"

    @cached_property
    def definition(self) -> str:
        """The rule as JSON, without its examples and with the lists that it names."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "examples"}
        values["lists"] = {name: list(words) for name, words in self._named_lists().items()}
        return json.dumps(values, ensure_ascii=False, sort_keys=True)

    @cached_property
    def digest(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of what decides over matches."""
        values = {name: value for name, value in json.loads(self.definition).items() if name not in _WORDS_ONLY}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

    def _named_lists(self) -> dict[str, Sequence[str]]:
        named: dict[str, Sequence[str]] = {}
        due = list(self.pattern + self.requires + self.unless + self.denied)
        if self.about != "any":
            due.append("@treatment @likely @other")
        while due:
            for name in re.findall(r"@([\w-]+)", due.pop()):
                if name in self.lists and name not in named:
                    named[name] = self.lists[name]
                    due += self.lists[name]
        return dict(sorted(named.items()))

    @cached_property
    def found_by(self) -> Expression:
        """What the patterns match."""
        return compiled(self.pattern, self.lists)

    @cached_property
    def denied_by(self) -> Expression | None:
        """What the patterns of the opposite match."""
        return compiled(self.denied, self.lists) if self.denied else None

    @cached_property
    def required(self) -> Expression | None:
        """What the sentence needs beside the pattern."""
        return compiled(self.requires, self.lists) if self.requires else None

    @cached_property
    def excluded(self) -> Expression | None:
        """What the sentence must not have."""
        return compiled(self.unless, self.lists) if self.unless else None


_WORDS_ONLY = {"meaning", "source"}


@dataclass(frozen=True)
class Lexicon:
    """The rules of a lexicon.

    Of its lists, `treatment` names what the rules are about, `other` what they are not about, and `likely` what is the
    treatment unless the sentence names something of `other`.
    """

    id: str
    title: str
    lists: Mapping[str, Sequence[str]]
    rules: tuple[Rule, ...]

    @cached_property
    def treatment(self) -> Expression | None:
        """What names the treatment; None where the lexicon has no such list."""
        return compiled(["@treatment"], self.lists) if "treatment" in self.lists else None

    @cached_property
    def likely(self) -> Expression | None:
        """What names the treatment where nothing else is named."""
        return compiled(["@likely"], self.lists) if "likely" in self.lists else None

    @cached_property
    def other(self) -> Expression | None:
        """What names another treatment."""
        return compiled(["@other"], self.lists) if "other" in self.lists else None
