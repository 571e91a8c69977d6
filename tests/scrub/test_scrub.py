"""The masking rules find what is labelled, in the half that they were written with and in the half held back."""

from __future__ import annotations

import pytest

from tests.scrub.score import KINDS, LABELS, Score, rows, scores

# (recall, precision, labels that may stay legible), measured when the rules were written. A floor of half b is never
# a reason to look at its texts and to change a rule for them: new rules need new labels.
FLOORS = {
    "a": {
        "email": (1.0, 1.0, 0),
        "phone": (1.0, 1.0, 0),
        "handle": (1.0, 1.0, 0),
        "profile": (1.0, 1.0, 0),
        "name-known": (1.0, 0.93, 0),
    },
    "b": {
        "email": (0.92, 0.92, 2),
        "phone": (0.94, 0.91, 2),
        "handle": (0.96, 0.96, 1),
        "profile": (0.85, 0.92, 4),
        "name-known": (0.88, 0.78, 5),
    },
}


@pytest.fixture(name="measured", scope="module")
def fixture_measured() -> dict[str, dict[str, Score]]:
    return {half: scores(rows(half)) for half in FLOORS}


@pytest.mark.parametrize("half", FLOORS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_as_well_as_it_was(measured: dict[str, dict[str, Score]], half: str, kind: str) -> None:
    score, (recall, precision, legible) = measured[half][kind], FLOORS[half][kind]
    assert (score.recall >= recall, score.precision >= precision, score.legible <= legible) == (True,) * 3, score


def test_every_label_is_counted() -> None:
    lines = LABELS.read_text("utf-8").splitlines()[1:]
    assert len(rows("a")) + len(rows("b")) == len(lines)
    assert {span.kind for half in FLOORS for row in rows(half) for span in row.spans} == set(KINDS)
