"""Which codings count for the agreement on a code, from rows of the tables alone."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

import pytest
from sqlite_utils import Database

from archive.db import open_scratch
from archive.study.agreement.overlap import agreements, overlaps, reconciling


def coded(db: Database, codings: Iterable[tuple[str, str, str, str, str | None]]) -> None:
    """(unit, coder, code, value, words) of each coding."""
    for code, level, values in (("risk", "nominal", ("yes", "no")), ("force", "ordinal", ("low", "mid", "high"))):
        for place, value in enumerate(values, 1):
            db.table("codebooks").insert(
                {
                    "codebook": "b", "name": "B", "code": code, "position": place if code == "risk" else 9,
                    "level": level, "words": 0, "value": value, "value_position": place, "file": "f",
                }
            )  # fmt: skip
    for position, (unit, coder, code, value, quote) in enumerate(codings):
        db.table("codings").insert(
            {
                "file": "f", "position": position, "sample": "s", "codebook": "b", "unit": unit, "clinic_id": "c",
                "permalink": f"/c/{unit}", "text_sha256": "t", "coder": coder, "code": code, "value": value,
                "quote": quote, "anchor": "exact",
            }
        )  # fmt: skip


def test_only_units_of_several_coders_count() -> None:
    with closing(open_scratch()) as db:
        coded(
            db,
            [
                ("u1", "anna", "risk", "yes", None), ("u1", "ben", "risk", "yes", None),
                ("u2", "anna", "risk", "yes", None), ("u2", "ben", "risk", "no", None),
                ("u3", "anna", "risk", "no", None), ("u4", "cleo", "risk", "no", None),
                ("u2", "consensus", "risk", "no", None),
                ("u5", "anna", "risk", "no", None), ("u5", "ben", "risk", "no", "so"),
                ("u6", "anna", "risk", "yes", "a"), ("u6", "anna", "risk", "no", "b"),
                ("u6", "ben", "risk", "no", None),
                ("u1", "anna", "force", "low", None), ("u1", "ben", "force", "high", None),
            ],
        )  # fmt: skip
        db.execute("INSERT INTO codings SELECT file, 100 + position, 'other', codebook, unit, clinic_id, permalink,"
                   " text_sha256, coder, code, value, text_start, text_end, quote, text_before, text_after, note,"
                   " replaced_by, anchor, anchor_permalink, anchor_start, anchor_end FROM codings")  # fmt: skip
        db.execute("UPDATE codings SET replaced_by = 'g' WHERE coder = 'cleo'")
        found = overlaps(db, "s", "b")
        risk, force = agreements(found, seed=1, draws=20)
    assert found["risk"].disagreed() == ["u2"]
    assert found["risk"].reconciled == {"u2": "no"}
    assert "u4" not in found["risk"].ratings
    assert (risk.n, risk.coders, risk.several) == (3, ("anna", "ben"), 1)
    assert risk.estimates["percent"].value == pytest.approx(200 / 3)
    assert (force.n, force.values, force.estimates["percent"].value) == (1, ("low", "mid", "high"), 0.0)
    assert "alpha_ordinal" in force.estimates and "alpha_ordinal" not in risk.estimates
    assert reconciling(found, "u2") == {"risk": "no", "risk: anna": "yes", "risk: ben": "no"}
    assert reconciling(found, "u1") == {"risk": "yes", "force: anna": "low", "force: ben": "high"}
