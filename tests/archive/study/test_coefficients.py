"""Agreement against tables printed in the literature, and against the package krippendorff."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from archive.study.agreement.coefficients import (
    Pattern,
    ac1,
    alpha_nominal,
    alpha_ordinal,
    cohen,
    estimates,
    fleiss,
    observed,
    percent,
)


def table(*coders: str) -> Counter[Pattern]:
    """The values of each coder, a character a unit; "." where there is none."""
    return Counter(tuple(None if value == "." else int(value) for value in unit) for unit in zip(*coders, strict=True))


def test_krippendorffs_four_coders_and_twelve_units() -> None:
    """Computing Krippendorff's Alpha-Reliability (2011), part C: with missing values; nominal 0.743, ordinal 0.815."""
    units = [
        (1, 1, None, 1), (2, 2, 3, 2), (3, 3, 3, 3), (3, 3, 3, 3), (2, 2, 2, 2), (1, 2, 3, 4), (4, 4, 4, 4),
        (1, 1, 2, 1), (2, 2, 2, 2), (None, 5, 5, 5), (None, None, 1, 1), (None, None, 3, None),
    ]  # fmt: skip
    ratings = Counter[Pattern](units)
    assert alpha_nominal(ratings) == pytest.approx(0.743, abs=0.0005)
    assert alpha_ordinal(ratings) == pytest.approx(0.815, abs=0.0005)


# Fleiss 1971: 30 patients, 6 psychiatrists, 5 diagnoses; the number of psychiatrists that gave each.
FLEISS = (
    "00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031 00501 30012 51000 02040"
    " 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"
)


def test_fleiss_thirty_patients_and_six_psychiatrists() -> None:
    units = Counter[Pattern]()
    for patient in FLEISS.split():
        units[tuple(value for value, number in enumerate(patient) for _ in range(int(number)))] += 1
    totals = [sum(int(patient[value]) for patient in FLEISS.split()) for value in range(5)]
    assert totals == [26, 26, 30, 55, 43]  # the last row of the table
    assert observed(units) == pytest.approx(0.5556, abs=0.0001)
    assert fleiss(units) == pytest.approx(0.430, abs=0.0005)


def crossed(*rows: tuple[int, ...]) -> Counter[Pattern]:
    """The table of two coders, the first in rows."""
    return Counter({(a, b): number for a, row in enumerate(rows) for b, number in enumerate(row) if number})


def test_cohens_psychiatrists() -> None:
    """Cohen 1960, table 1 (200 patients, as proportions of 100): kappa 0.492."""
    ratings = crossed((88, 14, 18), (10, 40, 10), (2, 6, 12))
    assert observed(ratings) == pytest.approx(0.70)
    assert cohen(ratings) == pytest.approx(0.492, abs=0.0005)


def test_gwets_paradox() -> None:
    """Gwet 2008, table 1: 125 subjects, agreement 0.944 with hardly any negative rating; AC1 0.9408, kappa -0.0234."""
    ratings = crossed((118, 5), (2, 0))
    assert observed(ratings) == pytest.approx(0.944)
    assert cohen(ratings) == pytest.approx(-0.0234, abs=0.0001)
    assert ac1(ratings, 2) == pytest.approx(0.9408, abs=0.0001)


@pytest.mark.parametrize("seed", range(20))
def test_alpha_equals_the_package(seed: int) -> None:
    """Run where the package is installed; it needs numpy, which would slow every start of the program here."""
    krippendorff = pytest.importorskip("krippendorff")
    generator = random.Random(seed)
    units = [
        tuple(generator.choice([0, 1, 2, 3, None]) if generator.random() < 0.6 else unit % 4 for _ in range(3))
        for unit in range(25)
    ]
    matrix = [[float("nan") if unit[coder] is None else unit[coder] for unit in units] for coder in range(3)]
    for level, own in (("nominal", alpha_nominal), ("ordinal", alpha_ordinal)):
        expected = krippendorff.alpha(reliability_data=matrix, level_of_measurement=level)
        assert own(Counter(units)) == pytest.approx(expected)


def test_what_is_not_defined_is_none() -> None:
    nothing, alone, same = Counter[Pattern](), table("12", ".."), table("111", "111")
    for measure in (percent, cohen, fleiss, alpha_nominal, alpha_ordinal):
        assert measure(nothing) is None
        assert measure(alone) is None
    assert (percent(same), cohen(same), fleiss(same), alpha_nominal(same)) == (100.0, None, None, None)
    assert ac1(same, 2) == 1.0


def test_intervals_are_repeatable_and_hold_the_value() -> None:
    ratings = crossed((40, 5, 2), (4, 30, 3), (1, 2, 13))
    names = ("percent", "cohen", "alpha_nominal", "ac1")
    first = estimates(ratings, 3, names=names, seed=7, draws=500)
    assert first == estimates(ratings, 3, names=names, seed=7, draws=500)
    assert first != estimates(ratings, 3, names=names, seed=8, draws=500)
    for name, found in first.items():
        assert found.low is not None and found.value is not None and found.high is not None
        assert found.low < found.value < found.high
        assert found.high - found.low < (35 if name == "percent" else 0.35)
    alone = estimates(crossed((1,)), 3, names=("percent",), seed=7, draws=50)["percent"]
    assert alone == (100.0, None, None)
