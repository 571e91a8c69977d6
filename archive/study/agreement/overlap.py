"""What several coders gave to the same units: the ratings of each code, its agreement, and the disagreements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlite_utils import Database

from archive.study.agreement.coefficients import Estimate, Pattern, estimates, paired
from archive.study.answers import CONSENSUS

ORDINAL = "alpha_ordinal"
NAMES = ("percent", "cohen", "fleiss", "alpha_nominal", ORDINAL, "ac1")
_CODINGS = (
    "SELECT unit, coder, code, value, quote IS NULL FROM codings WHERE sample = ? AND codebook = ? AND replaced_by IS"
    " NULL ORDER BY file, position"
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement on one code. `estimates`: by coefficient, percent first; the ordinal alpha only of ordinal codes."""

    code: str
    level: str
    values: tuple[str, ...]
    coders: tuple[str, ...]
    n: int
    """Units with a value of at least two coders."""
    several: int
    """Codings left out because a coder gave words of one text different values, and the text none."""
    estimates: dict[str, Estimate]


@dataclass(slots=True)
class Overlap:
    """The values of a code: by unit, then by coder. `reconciled`: by unit, the value of the consensus."""

    values: tuple[str, ...]
    level: str
    ratings: dict[str, dict[str, str]] = field(default_factory=dict)
    reconciled: dict[str, str] = field(default_factory=dict)
    several: int = 0

    @property
    def coders(self) -> tuple[str, ...]:
        """Who coded a unit that somebody else coded, too."""
        return tuple(sorted({coder for given in self.ratings.values() if len(given) > 1 for coder in given}))

    def patterns(self) -> Counter[Pattern]:
        """Return the number of units by the values that the coders gave, as places in the code book."""
        places = {value: place for place, value in enumerate(self.values)}
        coders = self.coders
        return Counter(
            tuple(places[given[coder]] if coder in given else None for coder in coders)
            for given in self.ratings.values()
        )

    def disagreed(self) -> list[str]:
        """Return the units to which coders gave different values, in their order."""
        return [unit for unit, given in self.ratings.items() if len(set(given.values())) > 1]


def overlaps(db: Database, sample: str, codebook: str) -> dict[str, Overlap]:
    """Return the values of each code of a code book that coders gave to a sample. Raises `sqlite3.Error`."""
    found: dict[str, Overlap] = {}
    sql = "SELECT code, value, level FROM codebooks WHERE codebook = ? ORDER BY position, value_position"
    for code, value, level in db.execute(sql, [codebook]).fetchall():
        before = found.get(code)
        found[code] = Overlap((*before.values, value) if before else (value,), level)
    given: dict[tuple[str, str, str], tuple[list[str], list[str]]] = {}
    for unit, coder, code, value, is_whole in db.execute(_CODINGS, [sample, codebook]).fetchall():
        given.setdefault((code, unit, coder), ([], []))[0 if is_whole else 1].append(value)
    for (code, unit, coder), (of_text, of_words) in given.items():
        values = set(of_text) or set(of_words)
        if len(values) > 1:
            found[code].several += 1
        elif coder == CONSENSUS:
            found[code].reconciled[unit] = values.pop()
        else:
            found[code].ratings.setdefault(unit, {})[coder] = values.pop()
    return found


def reconciling(found: dict[str, Overlap], unit: str) -> dict[str, str]:
    """Return the cells of a unit in a sheet of disagreements: what all agree on or was reconciled; what each gave."""
    given = {code: overlap.ratings.get(unit, {}) for code, overlap in found.items()}
    agreed = {code: values.copy().popitem()[1] for code, values in given.items() if len(set(values.values())) == 1}
    reconciled = {code: overlap.reconciled[unit] for code, overlap in found.items() if unit in overlap.reconciled}
    return {**agreed, **reconciled} | {
        f"{code}: {coder}": value
        for code, values in given.items()
        if len(set(values.values())) > 1
        for coder, value in sorted(values.items())
    }


def agreements(found: dict[str, Overlap], *, seed: int, draws: int) -> Iterator[Agreement]:
    """Yield the agreement on each code, on the units alone that several coders coded."""
    for code, overlap in found.items():
        patterns = overlap.patterns()
        names = tuple(name for name in NAMES if name != ORDINAL or overlap.level == "ordinal")
        yield Agreement(
            code=code,
            level=overlap.level,
            values=overlap.values,
            coders=overlap.coders,
            n=sum(paired(patterns).values()),
            several=overlap.several,
            estimates=estimates(patterns, len(overlap.values), names=names, seed=seed, draws=draws),
        )
