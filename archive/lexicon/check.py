"""A lexicon run on its own examples, and on sentences of which no rule may match most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from archive.derived.sentences import split_sentences
from archive.lexicon.engine import Engine
from archive.lexicon.rules import Lexicon, Rule

FEWEST = 20  # sentences from which a share is computed
# What any clinic may write: of these sentences, too, no rule may match over half.
SAMPLE = (
    "Our new opening hours start in May.",
    "Ketamine is one of the medicines that we give.",
    "Please bring your card.",
    "Depression is an illness, and it can be treated.",
    "Does the treatment hurt?",
    "Ask your doctor about ketamine.",
    "The nurse measures your blood pressure before each session.",
    "We are closed on public holidays.",
    "Read more",
    "How ketamine acts on the brain",
    "Sleep well, eat well, and walk every day.",
    "Our team has ten people.",
    "A session costs less than you may think.",
    "Some patients feel better after a week.",
    "Contact us today!",
    "Ketamine was first made in 1962.",
    "There is parking behind the house.",
    "What should I wear?",
    "Frequently asked",
    "You may listen to music during the infusion.",
    "Breathe in slowly, and count to four.",
    "Posted in News",
    "The study had sixty participants.",
    "Pain that lasts for months needs a plan.",
    "We never share your data.",
    "Esketamine is a nasal spray.",
    "Winter can be hard for many of us.",
    "Book your first visit online.",
)


def example_faults(lexicon: Lexicon) -> list[str]:
    """Return a sentence for each example that a rule does not treat as its lexicon says."""
    return [fault for rule in lexicon.rules for fault in _faults(rule, Engine(replace(lexicon, rules=(rule,))))]


def _faults(rule: Rule, engine: Engine) -> Iterator[str]:
    for kind, texts, wanted in (
        ("match", rule.examples.match, {False}),
        ("negated", rule.examples.negated, {True}),
        ("none", rule.examples.none, set[bool]()),
    ):
        for text in texts:
            found = {
                match.negated for match in engine.matches(None, text, [each[:2] for each in split_sentences(text)])
            }
            if found != wanted:
                got = " and ".join("denied" if negated else "a match" for negated in sorted(found)) or "no match"
                yield f"rule {rule.name}: the example of {kind} {text!r} is {got}"


def too_wide(lexicon: Lexicon, sentences: Sequence[str] = ()) -> list[str]:
    """Return a sentence for each rule that matches over half of the sentences, or of those of `SAMPLE`."""
    found = []
    for rule in lexicon.rules:
        engine = Engine(replace(lexicon, rules=(replace(rule, about="any", unless=(), requires=()),)))
        for sample in (SAMPLE, sentences):
            number = sum(any(engine.matches(None, text, [(0, len(text))])) for text in sample)
            if len(sample) >= FEWEST and 2 * number > len(sample):
                found.append(
                    f"rule {rule.name} matches everything: {number} of {len(sample)} sentences of a sample; write what"
                    " only the claim has"
                )
                break
    return found
