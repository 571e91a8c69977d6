"""How well the rules of the program's lexicon find what people labelled: the figures of docs/lexicon.md.

Half a of the labels was used to write the rules. Half b was read for the first time by this test, when the rules were
complete. A label is a category that a sentence states or denies. A sentence is put after its context, as a text of its
own, and goes the whole way: cut into sentences, matched, and all matches in it counted.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from archive.derived.sentences import split_sentences
from archive.lexicon import cues
from archive.lexicon.engine import Engine
from archive.lexicon.given import built_in
from archive.lexicon.patterns import Expression

ROOT = Path(__file__).parents[2]
LABELS = Path(__file__).with_name("labels.tsv")
RULES = Path(__file__).with_name("RULES")
PAGE = ROOT / "docs" / "lexicon.md"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"
KINDS = (
    "statement missed", "denial missed", "statement found as denial", "denial found as statement",
    "statement found, nothing labelled", "denial found, nothing labelled",
)  # fmt: skip


class Result(NamedTuple):
    """A sentence's labels and what was found: pairs of category and whether it is denied."""

    half: str
    labelled: frozenset[tuple[str, bool]]
    found: frozenset[tuple[str, bool]]
    rules: frozenset[str]


@cache
def results() -> tuple[Result, ...]:
    return tuple(_results())


def _results() -> Iterator[Result]:
    engine = Engine(built_in())
    with LABELS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            sentence, context = (row[name].replace("\\n", "\n") for name in ("sentence", "context"))
            text = f"{context}\n{sentence}" if context else sentence
            first = len(text) - len(sentence)
            places = [each[:2] for each in split_sentences(text)]
            matches = [match for match in engine.matches(None, text, places) if match.start >= first]
            labelled = {(name, False) for name in row["labels"].split(";") if name}
            labelled |= {(name, True) for name in row["negated"].split(";") if name}
            found = {(match.rule.category, match.negated) for match in matches}
            rules = frozenset(match.rule.name for match in matches)
            yield Result(row["half"], frozenset(labelled), frozenset(found), rules)


class Counts(NamedTuple):
    """How many labels a category has in a half, how many of them were found, and how many matches there were."""

    labels: int
    right: int
    found: int

    def cells(self) -> str:
        precision = f"{self.right / self.found:.2f}" if self.found else "-"
        recall = f"{self.right / self.labels:.2f}" if self.labels else "-"
        return f"{self.labels} | {precision} | {recall}"


def counts(half: str, category: str | None) -> Counts:
    labels = right = found = 0
    for each in results():
        if each.half == half:
            labelled = {pair for pair in each.labelled if category in (None, pair[0])}
            matched = {pair for pair in each.found if category in (None, pair[0])}
            labels, right, found = labels + len(labelled), right + len(labelled & matched), found + len(matched)
    return Counts(labels, right, found)


def misses(half: str) -> Counter[tuple[str, str]]:
    """The misses of a half by category and kind; a statement found as denial is one miss, not two."""
    missed: Counter[tuple[str, str]] = Counter()
    for each in (each for each in results() if each.half == half):
        for category in {name for name, _ in each.labelled ^ each.found}:
            labelled = {negated for name, negated in each.labelled if name == category}
            found = {negated for name, negated in each.found if name == category}
            missing, extra = labelled - found, found - labelled
            if missing and extra:
                missed[category, KINDS[2 + min(missing)]] += 1
            else:
                missed.update((category, KINDS[negated]) for negated in missing)
                missed.update((category, KINDS[4 + negated]) for negated in extra)
    return missed


def of(missed: Counter[tuple[str, str]], category: str | None, kind: str) -> int:
    return sum(number for key, number in missed.items() if key[1] == kind and category in (None, key[0]))


def figures() -> str:
    sentences = Counter(each.half for each in results())
    categories = sorted({rule.category for rule in built_in().rules})
    lines = [
        f"Sentences: {sentences['a']} in half a, {sentences['b']} in half b. n: labels, stated and denied together.",
        "",
        "| category | n (a) | precision (a) | recall (a) | n (b) | precision (b) | recall (b) |",
        "|---|---|---|---|---|---|---|",
    ]
    for category in (*categories, None):
        name = "all" if category is None else f"`{category}`"
        lines.append(f"| {name} | {counts('a', category).cells()} | {counts('b', category).cells()} |")
    of_a, of_b = misses("a"), misses("b")
    lines += [
        "",
        "Every miss, in a / in b:",
        "",
        f"| category | {' | '.join(KINDS)} |",
        "|---" * (len(KINDS) + 1) + "|",
    ]
    for category in (*categories, None):
        cells = [f"{of(of_a, category, kind)} / {of(of_b, category, kind)}" for kind in KINDS]
        lines.append(f"| {'all' if category is None else f'`{category}`'} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def test_the_figures_of_the_docs_are_those_of_the_rules() -> None:
    made = figures()
    print(made)
    recorded = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    assert recorded.strip() == made.strip(), f"put the printed figures into {PAGE.relative_to(ROOT)}"


def test_every_rule_finds_something_in_the_half_that_was_held_back() -> None:
    found = set[str]().union(*(each.rules for each in results() if each.half == "b"))
    assert sorted(rule.name for rule in built_in().rules if rule.name not in found) == []


def test_a_version_of_a_rule_never_changes_and_never_goes() -> None:
    """RULES has the digest of each version: a better rule gets a new version, and the old one stays beside it."""
    now = {f"{rule.name} {rule.digest}" for rule in built_in().rules}
    found = {name: value.compiled.pattern for name, value in vars(cues).items() if isinstance(value, Expression)}
    code = hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:16]
    now.add(f"cues@{cues.VERSION} {code}")
    if not RULES.exists():
        RULES.write_text("".join(f"{line}\n" for line in sorted(now)), "ascii")
    recorded = set(RULES.read_text("ascii").splitlines())
    assert recorded - now == set(), "these versions changed or went: write a new version beside the old one"
    assert now - recorded == set(), "add the lines of these versions to tests/lexicon/RULES"
