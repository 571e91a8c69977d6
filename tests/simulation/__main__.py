"""`python -m tests.simulation [--clinics N] [--days N]` prints the table of docs/scale.md."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from tests.simulation.costs import SIZES, cost, lines
from tests.simulation.visits import simulate

BEGAN = datetime(2026, 3, 1, 9, tzinfo=UTC)


def main() -> None:
    """Simulate a sample of clinics, and scale what they cost."""
    parser = argparse.ArgumentParser(prog="tests.simulation", description="What a frame of many clinics costs.")
    parser.add_argument("--clinics", type=int, default=100, help="clinics that are simulated; the table scales them")
    parser.add_argument("--days", type=int, default=62, help="days, so that every 30 days' round is in it twice")
    requests = parser.parse_args()
    days = simulate(requests.clinics, requests.days, BEGAN)
    sys.stdout.write("\n".join(lines([cost(size, requests.clinics, days) for size in SIZES])) + "\n")


if __name__ == "__main__":
    main()
