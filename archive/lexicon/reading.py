"""A lexicon read from TOML, and what is wrong with a file that cannot be used."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archive.lexicon.patterns import BadPattern, check_patterns
from archive.lexicon.rules import ABOUT, KINDS, PATTERNS, Examples, Lexicon, Rule

MAX_RULES, MAX_BYTES, MAX_VERSIONS = 1_000, 2_000_000, 1_000_000
Lists = Mapping[str, Sequence[str]]

_KEYS = {"id", "version", "category", "meaning", "source", "kind", "about", "negation", "examples", *PATTERNS}
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")  # not-addictive-2
# Control characters, ends of lines, and marks that turn the direction of writing: a message never has them.
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class BadLexicon(ValueError):
    """A lexicon cannot be used; `faults` has a sentence for each thing that is wrong."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = [_UNPRINTED.sub(" ", fault) for fault in faults]
        super().__init__("; ".join(self.faults))


def read_lexicon(texts: Iterable[str | bytes]) -> Lexicon:
    """Return the lexicon that TOML texts describe, the parts of one lexicon. Raises `BadLexicon`."""
    head: dict[str, Any] = {}
    lists: dict[str, list[str]] = {}
    tables: list[Any] = []
    for text in texts:
        data = _toml(text)
        head.update(_table(data.get("lexicon", {}), "lexicon"))
        for name, words in _table(data.get("lists", {}), "lists").items():
            lists[name] = _texts(words, f"list {name}")
        found = data.get("rule", [])
        tables += found if isinstance(found, list) else [found]
    lexicon = head.get("id")
    if not isinstance(lexicon, str) or not _ID.fullmatch(lexicon):
        raise BadLexicon(['[lexicon] needs id = "...", of lower-case letters, digits and hyphens'])
    if not 1 <= len(tables) <= MAX_RULES:
        raise BadLexicon([f"the lexicon has {len(tables) or 'no'} [[rule]]; it needs 1 to {MAX_RULES}"])
    faults: list[str] = []
    rules = []
    for number, table in enumerate(tables, 1):
        try:
            rules.append(_rule(table, number, lexicon, lists))
        except BadLexicon as error:
            faults += error.faults
    counted = Counter(rule.name for rule in rules)
    faults += [
        f"rule {name} is there {times} times; each version of a rule needs its own number"
        for name, times in counted.items()
        if times > 1
    ]
    if faults:
        raise BadLexicon(faults)
    return Lexicon(lexicon, str(head.get("title", lexicon)), lists, tuple(rules))


def _toml(text: str | bytes) -> dict[str, Any]:
    if len(text) > MAX_BYTES:
        raise BadLexicon([f"a file of {len(text)} bytes; at most {MAX_BYTES} are read"])
    try:
        return tomllib.loads(text if isinstance(text, str) else text.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadLexicon(["the file is not UTF-8"]) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadLexicon([f"not valid TOML: {error}"]) from None


def _rule(table: Any, number: int, lexicon: str, lists: Lists) -> Rule:
    """Return a rule; its faults are collected so that a person sees all of them at once."""
    if not isinstance(table, dict):
        raise BadLexicon([f"rule {number} is no table; write [[rule]]"])
    name = table.get("id")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise BadLexicon([f"rule {number} needs an id of lower-case letters, digits and hyphens"])
    where = f"rule {name}"
    faults = [f"{where}: unknown key {key[:80]!r}" for key in table if key not in _KEYS]
    values = _words(table, where, faults) | _choices(table, where, faults) | _patterns(table, where, lists, faults)
    try:
        values["examples"] = _examples(table.get("examples"), where)
    except BadLexicon as error:
        faults += error.faults
    if values["about"] != "any" and "treatment" not in lists:
        faults.append(f'{where}: the lexicon has no list "treatment"; add it, or write about = "any"')
    if faults:
        raise BadLexicon(faults)
    return Rule(lexicon=lexicon, id=name, lists=lists, **values)


def _words(table: dict[str, Any], where: str, faults: list[str]) -> dict[str, Any]:
    values = {key: table.get(key) for key in ("category", "meaning", "source")}
    for key, value in values.items():
        if not isinstance(value, str) or not value.strip():
            faults.append(f'{where} needs {key} = "..."')
    return values


def _choices(table: dict[str, Any], where: str, faults: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"version": table.get("version"), "negation": table.get("negation", True)}
    if type(values["version"]) is not int or not 1 <= values["version"] < MAX_VERSIONS:
        faults.append(f"{where} needs version = 1, or a higher whole number")
    if not isinstance(values["negation"], bool):
        faults.append(f"{where}: negation is true or false")
    for key, allowed in (("kind", KINDS), ("about", ABOUT)):
        values[key] = table.get(key, allowed[0])
        if values[key] not in allowed:
            faults.append(f"{where}: {key} is one of {', '.join(allowed)}")
    return values


def _patterns(table: dict[str, Any], where: str, lists: Lists, faults: list[str]) -> dict[str, Any]:
    values: dict[str, tuple[str, ...]] = {}
    for key in PATTERNS:
        try:
            values[key] = tuple(_texts(table.get(key, []), f"{where}: {key}"))
            check_patterns(values[key], lists)
        except BadLexicon as error:
            faults += error.faults
        except BadPattern as error:
            faults.append(f"{where}: {key}: {error}")
    if values.get("pattern") == ():
        faults.append(f"{where} needs pattern = [...]")
    return values


def _examples(table: Any, where: str) -> Examples:
    if not isinstance(table, dict) or not table.get("match") or not table.get("none"):
        raise BadLexicon([f"{where} has no examples: it needs [rule.examples] with match = [...] and none = [...]"])
    if unknown := sorted(set(table) - {"match", "negated", "none"}):
        raise BadLexicon([f"{where}: unknown examples {', '.join(unknown)}"])
    return Examples(*(tuple(_texts(table.get(key, []), f"{where}: {key}")) for key in ("match", "negated", "none")))


def _texts(value: Any, where: str) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(each, str) and each.strip() for each in values):
        raise BadLexicon([f'{where}: expected a list of texts, ["...", "..."]'])
    return values


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadLexicon([f"[{where}] is no table"])
    return value
