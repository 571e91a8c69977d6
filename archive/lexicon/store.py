"""Rules and matches as rows: which revisions are due, and what was found in them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from archive.lexicon import cues
from archive.lexicon.engine import Engine, Match
from archive.lexicon.given import Given
from archive.lexicon.rules import Lexicon

# A revision is due where its sentences, or the rules, are not those that it was matched with.
_DUE = (
    "SELECT d.revision_id FROM cache_derived AS d LEFT JOIN cache_matched AS m ON m.revision_id = d.revision_id"
    " WHERE m.sentences IS NOT d.digest OR m.rules IS NOT ? ORDER BY d.revision_id"
)
_COLUMNS = (
    "lexicon",
    "rule",
    "name",
    "version",
    "category",
    "kind",
    "meaning",
    "source",
    "definition",
    "digest",
    "file",
)


class Ruleset(NamedTuple):
    """The rules of an archive: its lexicons, the number of each rule's row, and a digest of them all."""

    lexicons: Sequence[Lexicon]
    numbers: Mapping[tuple[str, str], int]
    digest: str


def fold_rules(connection: sqlite3.Connection, lexicons: Sequence[Given]) -> Ruleset:
    """Make the rows of `lexicon_rules` those of the lexicons, in the caller's transaction.

    A rule that no lexicon has any more loses its row and its matches. Raises `sqlite3.Error`.
    """
    rules = {
        (rule.lexicon, rule.name): (
            rule.lexicon,
            rule.name,
            rule.id,
            rule.version,
            rule.category,
            rule.kind,
            rule.meaning,
            rule.source,
            rule.definition,
            rule.digest,
            given.file,
        )
        for given in lexicons
        for rule in given.lexicon.rules
    }
    stored = {
        tuple(row[1:3]): (row[0], row[1:])
        for row in connection.execute(f"SELECT rule_number, {', '.join(_COLUMNS)} FROM lexicon_rules")
    }
    for key, (number, row) in stored.items():
        if key not in rules:
            connection.execute("DELETE FROM cache_matches WHERE rule_number = ?", (number,))
            connection.execute("DELETE FROM lexicon_rules WHERE rule_number = ?", (number,))
        elif row != rules[key]:
            values = ", ".join(f"{column} = ?" for column in _COLUMNS)
            connection.execute(f"UPDATE lexicon_rules SET {values} WHERE rule_number = ?", (*rules[key], number))
    marks = ", ".join("?" * len(_COLUMNS))
    connection.executemany(
        f"INSERT INTO lexicon_rules ({', '.join(_COLUMNS)}) VALUES ({marks})",
        [row for key, row in rules.items() if key not in stored],
    )
    return ruleset(connection, lexicons)


def ruleset(connection: sqlite3.Connection, lexicons: Sequence[Given]) -> Ruleset:
    """Return the rules of the lexicons, with the numbers of their rows. Raises `sqlite3.Error`."""
    found = connection.execute("SELECT lexicon, rule, rule_number FROM lexicon_rules").fetchall()
    rules = [rule for given in lexicons for rule in given.lexicon.rules]
    names = sorted(f"{rule.lexicon}/{rule.name} {rule.digest}" for rule in rules)
    digest = hashlib.sha256("\n".join([f"cues {cues.VERSION}", *names]).encode()).hexdigest()[:16]
    numbers = {(lexicon, name): number for lexicon, name, number in found}
    return Ruleset([given.lexicon for given in lexicons], numbers, digest)


def due_revisions(connection: sqlite3.Connection, rules: Ruleset) -> list[int]:
    """Return the revisions that were cut into sentences and not matched with these rules. Raises `sqlite3.Error`."""
    return [number for (number,) in connection.execute(_DUE, (rules.digest,))]


def match_revision(connection: sqlite3.Connection, rules: Ruleset, engines: Sequence[Engine], revision_id: int) -> int:
    """Match a revision with the engines of the rules, write its rows in place of those that there are, return how many.

    In the caller's transaction. Raises `sqlite3.Error`.
    """
    found = _matches(connection, engines, revision_id)
    connection.execute("DELETE FROM cache_matches WHERE revision_id = ?", (revision_id,))
    connection.executemany("INSERT INTO cache_matches VALUES (?,?,?,?,?,?)", _rows(revision_id, rules, found))
    connection.execute(
        "INSERT OR REPLACE INTO cache_matched SELECT revision_id, digest, ? FROM cache_derived WHERE revision_id = ?",
        (rules.digest, revision_id),
    )
    return len(found)


def _matches(connection: sqlite3.Connection, engines: Sequence[Engine], revision_id: int) -> list[Match]:
    title, text = connection.execute(
        "SELECT title, coalesce(body_text, '') FROM revisions WHERE revision_id = ?", (revision_id,)
    ).fetchone()
    worth = [engine for engine in engines if engine.is_worth(title, text)]
    if not worth:
        return []
    places = connection.execute(
        "SELECT start, end FROM cache_sentences WHERE revision_id = ? ORDER BY position", (revision_id,)
    ).fetchall()
    return [match for engine in worth for match in engine.matches(title, text, places)]


def _rows(revision_id: int, rules: Ruleset, found: Iterable[Match]) -> Iterable[tuple[int, ...]]:
    for match in found:
        number = rules.numbers[match.rule.lexicon, match.rule.name]
        yield revision_id, match.position, number, int(match.negated), match.start, match.end


def sentences_of(connection: sqlite3.Connection, most: int = 1_000) -> list[str]:
    """Return sentences of the archive, different ones, the same for the same archive. Raises `sqlite3.Error`."""
    return [
        sentence
        for (sentence,) in connection.execute(
            "SELECT substr(r.body_text, s.start + 1, s.end - s.start) FROM (SELECT min(revision_id) AS revision_id,"
            " position, start, end, hash FROM cache_sentences GROUP BY hash ORDER BY hash LIMIT ?) AS s JOIN revisions"
            " AS r ON r.revision_id = s.revision_id",
            (most,),
        )
    ]


def faults(connection: sqlite3.Connection, rules: Ruleset, sample: int) -> Iterator[str]:
    """Yield a line for each revision of a sample whose stored matches are not those of its text.

    Only revisions that were matched with these rules are read. Raises `sqlite3.Error`.
    """
    missing = [rule.name for each in rules.lexicons for rule in each.rules if (each.id, rule.name) not in rules.numbers]
    matched = connection.execute(
        "SELECT m.revision_id FROM cache_matched AS m JOIN cache_derived AS d ON d.revision_id = m.revision_id AND"
        " d.digest = m.sentences WHERE m.rules = ? ORDER BY (m.revision_id * 2654435761) % 4294967296 LIMIT ?",
        (rules.digest, sample),
    ).fetchall()
    if matched and missing:
        yield f"lexicon_rules: no row for {', '.join(missing)}; `clinic-archive derive` makes it"
        return
    engines = [Engine(lexicon) for lexicon in rules.lexicons] if matched else []
    for (revision_id,) in matched:
        stored = connection.execute("SELECT * FROM cache_matches WHERE revision_id = ?", (revision_id,)).fetchall()
        found = _matches(connection, engines, revision_id)
        if sorted(stored) != sorted(_rows(revision_id, rules, found)):
            yield (
                f"cache_matches: the matches of revision {revision_id} are not those of its text;"
                " `clinic-archive derive --again` makes the derived rows again"
            )
