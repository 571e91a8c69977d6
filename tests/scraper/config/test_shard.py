"""Which shard a clinic belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from scraper.config.clinics import parse_clinics
from scraper.config.shard import Shard, shard_from


@pytest.mark.parametrize("text", ["1/8", " 8/8 ", "1/1", "99999/99999"])
def test_a_shard_has_a_number_and_a_total(text: str) -> None:
    assert str(shard_from(text)) == text.strip()


@pytest.mark.parametrize("text", ["", "0/8", "9/8", "3", "3/0", "-1/8", "a/b", "1/8/2", "1 / 8", "١/٨"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no shard; write"):
        shard_from(text)


def test_every_clinic_is_in_one_shard_and_shards_are_of_like_size() -> None:
    slugs = [f"clinic-{number}" for number in range(2000)]
    shards = [Shard(number, 8) for number in range(1, 9)]
    assert all(sum(shard.has(slug) for shard in shards) == 1 for slug in slugs)
    sizes = [sum(shard.has(slug) for slug in slugs) for shard in shards]
    assert min(sizes) > 200
    assert max(sizes) < 300


def test_the_shard_of_a_slug_never_changes() -> None:
    """Archives were divided by it: another rule would make every clinic begin a second history."""
    slugs = ("riverside", "st-mary", "north", "lake", "hill")
    assert [slug for slug in slugs if Shard(1, 2).has(slug)] == ["hill"]


def test_the_clinics_of_a_shard() -> None:
    text = "".join(f'[clinics.c{n}]\nname = "C"\nurl = "https://c{n}.example"\n' for n in range(20))
    clinics = parse_clinics(text, Path("clinics.toml"))
    parts = [[clinic.slug for clinic in clinics.of_shard(Shard(number, 3))] for number in (1, 2, 3)]
    assert sorted(slug for part in parts for slug in part) == sorted(clinic.slug for clinic in clinics)
    assert all(parts)
