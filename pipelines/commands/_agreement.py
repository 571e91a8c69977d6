"""How the agreement of coders is printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from archive.study.agreement.coefficients import Estimate
from archive.study.agreement.overlap import Agreement
from archive.study.codebook import CodeBook
from pipelines.commands._table import table


def summary_of(codebook: str, found: Agreement) -> dict[str, Any]:
    """Return the agreement on a code for `--json`; `codebook`: the digest of its code book."""
    of_estimates = {name: estimate._asdict() for name, estimate in found.estimates.items()}
    fields = {"codebook": codebook, "code": found.code, "level": found.level, "n": found.n, "coders": found.coders}
    return {**fields, "left_out": found.several, **of_estimates}


def lines_of(codebook: CodeBook, found: Sequence[Agreement]) -> Iterator[str]:
    """Yield a table of the agreement on the codes of a code book, and a line for what was left out of it."""
    head = ("code", "n", "coders", "percent", "Cohen", "Fleiss", "alpha", "alpha ordinal", "AC1")
    yield codebook.name
    yield table(head, [_row(each) for each in found], numbers=head[1:3])
    yield from (
        f"{each.code}: {each.several} codings left out, with words of several values" for each in found if each.several
    )
    yield from (f"{each.code}: no post was coded by two coders" for each in found if not each.n)


def _row(found: Agreement) -> list[str]:
    names = ("percent", "cohen", "fleiss", "alpha_nominal", "alpha_ordinal", "ac1")
    nothing = Estimate(None, None, None)
    cells = [_estimate(found.estimates.get(name, nothing), 1 if name == "percent" else 3) for name in names]
    return [found.code, str(found.n), str(len(found.coders)), *cells]


def _estimate(estimate: Estimate, digits: int) -> str:
    if estimate.value is None:
        return "-"
    interval = "" if estimate.low is None else f" [{estimate.low:.{digits - 1}f}, {estimate.high:.{digits - 1}f}]"
    return f"{estimate.value:.{digits}f}{interval}"
