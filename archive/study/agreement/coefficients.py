"""Coefficients of agreement between coders, with intervals by bootstrap.

A table of ratings is a mapping: a pattern, which is the value that each coder gave (an index, None where a coder gave
none) in the order of the coders, and the number of units that were rated so. Units with fewer than two ratings do not
count. A coefficient is None where it is not defined, for example because all ratings are the same.

Sources: Cohen 1960 (Educational and Psychological Measurement 20), Fleiss 1971 (Psychological Bulletin 76), Gwet 2008
(British Journal of Mathematical and Statistical Psychology 61: AC1, also for units with missing ratings), Krippendorff
2004 (Content Analysis, ch. 11).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, permutations
from typing import NamedTuple

Pattern = tuple[int | None, ...]
Ratings = Mapping[Pattern, int]
Coefficient = Callable[[Ratings, int], float | None]
LEVEL = 0.95  # of an interval


class Estimate(NamedTuple):
    """A coefficient and its interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


def paired(ratings: Ratings) -> dict[Pattern, int]:
    """Return the units with at least two ratings."""
    return {pattern: number for pattern, number in ratings.items() if len(_given(pattern)) > 1}


def percent(ratings: Ratings, _values: int = 0) -> float | None:
    """Return the observed agreement in percent."""
    share = observed(ratings)
    return None if share is None else 100 * share


def observed(ratings: Ratings) -> float | None:
    """Return the share of pairs of ratings that are equal, as a mean over units: the observed agreement."""
    units = paired(ratings)
    if not units:
        return None
    return sum(number * _agreement(pattern) for pattern, number in units.items()) / sum(units.values())


def cohen(ratings: Ratings, _values: int = 0) -> float | None:
    """Return Cohen's kappa: of two coders; of more, the mean over the pairs of coders for which it is defined."""
    coders = max(map(len, ratings), default=0)
    found = [kappa for a, b in combinations(range(coders), 2) if (kappa := _cohen(ratings, a, b)) is not None]
    return sum(found) / len(found) if found else None


def _cohen(ratings: Ratings, a: int, b: int) -> float | None:
    cells: Counter[tuple[int, int]] = Counter()
    for pattern, number in ratings.items():
        first, second = pattern[a], pattern[b]
        if first is not None and second is not None:
            cells[first, second] += number
    if not (total := cells.total()):
        return None
    rows, columns = Counter[int](), Counter[int]()
    for (first, second), number in cells.items():
        rows[first] += number
        columns[second] += number
    equal = sum(number for (first, second), number in cells.items() if first == second) / total
    return _above_chance(equal, sum(rows[value] * columns[value] for value in rows) / total**2)


def fleiss(ratings: Ratings, _values: int = 0) -> float | None:
    """Return Fleiss' kappa; a unit with fewer ratings counts as much as any other."""
    equal = observed(ratings)
    return None if equal is None else _above_chance(equal, sum(share**2 for share in _shares(ratings)))


def ac1(ratings: Ratings, values: int) -> float | None:
    """Return Gwet's AC1; `values`: how many values the code book offers."""
    equal = observed(ratings)
    if equal is None or values < 2:
        return None
    shares = [*_shares(ratings)]
    return _above_chance(equal, sum(share * (1 - share) for share in shares) / (values - 1))


def alpha_nominal(ratings: Ratings, _values: int = 0) -> float | None:
    """Return Krippendorff's alpha, in which any two different values are equally far apart."""
    return _alpha(ratings, lambda _totals, first, second: float(first != second))


def alpha_ordinal(ratings: Ratings, _values: int = 0) -> float | None:
    """Return Krippendorff's alpha of values in their order: the distance is the number of ratings between them."""

    def squared(totals: Counter[int], first: int, second: int) -> float:
        low, high = sorted((first, second))
        between = sum(number for value, number in totals.items() if low <= value <= high)
        return (between - (totals[low] + totals[high]) / 2) ** 2 if low != high else 0.0

    return _alpha(ratings, squared)


def _alpha(ratings: Ratings, distance: Callable[[Counter[int], int, int], float]) -> float | None:
    """Alpha of the matrix of coincidences: each unit's ordered pairs, weighted by 1 / (ratings - 1)."""
    coincidences: dict[tuple[int, int], float] = {}
    totals: Counter[int] = Counter()
    for pattern, number in paired(ratings).items():
        given = _given(pattern)
        for pair in permutations(given, 2):
            coincidences[pair] = coincidences.get(pair, 0.0) + number / (len(given) - 1)
        for value in given:
            totals[value] += number
    total = totals.total()
    found = sum(weight * distance(totals, *pair) for pair, weight in coincidences.items())
    expected = sum(totals[a] * totals[b] * distance(totals, a, b) for a in totals for b in totals if a != b)
    return 1 - (total - 1) * found / expected if expected else None


def _given(pattern: Pattern) -> list[int]:
    return [value for value in pattern if value is not None]


def _agreement(pattern: Pattern) -> float:
    """The share of equal pairs among the ratings of a unit."""
    given = _given(pattern)
    equal = sum(number * (number - 1) for number in Counter(given).values())
    return equal / (len(given) * (len(given) - 1))


def _shares(ratings: Ratings) -> Iterator[float]:
    """The share of each value, as a mean over units."""
    units = paired(ratings)
    shares: dict[int, float] = {}
    for pattern, number in units.items():
        given = _given(pattern)
        for value in given:
            shares[value] = shares.get(value, 0.0) + number / len(given)
    total = sum(units.values())
    return (share / total for share in shares.values())


def _above_chance(equal: float, chance: float) -> float | None:
    return (equal - chance) / (1 - chance) if chance < 1 else None


COEFFICIENTS: Mapping[str, Coefficient] = {
    "percent": percent,
    "cohen": cohen,
    "fleiss": fleiss,
    "alpha_nominal": alpha_nominal,
    "alpha_ordinal": alpha_ordinal,
    "ac1": ac1,
}


def estimates(ratings: Ratings, values: int, *, names: tuple[str, ...], seed: int, draws: int) -> dict[str, Estimate]:
    """Return coefficients with their intervals: percentiles over samples of the units, drawn with replacement.

    A drawn sample in which a coefficient is not defined is left out; with fewer than two units there is no interval.
    """
    units = paired(ratings)
    patterns, weights, number = list(units), list(units.values()), sum(units.values())
    generator = random.Random(seed)  # noqa: S311  not used for secrets
    drawn: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(draws if number > 1 else 0):
        again = Counter(generator.choices(patterns, weights, k=number))
        for name in names:
            value = COEFFICIENTS[name](again, values)
            if value is not None:
                drawn[name].append(value)
    return {name: Estimate(COEFFICIENTS[name](units, values), *_interval(drawn[name])) for name in names}


def _interval(values: list[float]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    ordered = sorted(values)
    cut = (1 - LEVEL) / 2
    low, high = int(cut * len(ordered)), min(int((1 - cut) * len(ordered)), len(ordered) - 1)
    return ordered[low], ordered[high]
