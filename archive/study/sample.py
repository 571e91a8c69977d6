"""Samples: posts drawn from the archive by a seed (`archive.study.draw`), frozen in a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

from archive.study.folder import BadStudyFile, StudyFile

FORMAT = "clinic-archive sample"
VERSION = 1
LARGEST_SEED = 2**53


@dataclass(frozen=True, slots=True)
class SamplingUnit:
    """A post of a sample, and the text that it had then."""

    unit: str
    """Beginning of the SHA-256 of clinic and first address: it names the post without naming the clinic."""
    clinic_id: str
    address: str
    permalink: str
    title: str | None
    text_sha256: str
    content_sha256: str
    stratum: str | None
    stratum_frame: int
    stratum_drawn: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A frozen sample. `digest`: the beginning of the SHA-256 of its file, which identifies it."""

    digest: str
    name: str
    seed: int
    condition: str | None
    by: str | None
    as_of: str
    frame: int
    frame_sha256: str
    units: tuple[SamplingUnit, ...]
    file: str
    gone: frozenset[int] = frozenset()
    """The positions of the units that a purge removed."""
    _by_name: Mapping[str, SamplingUnit] = field(default_factory=dict, repr=False, compare=False)

    def unit(self, name: str) -> SamplingUnit | None:
        """Return the unit of that name, None without one."""
        return self._by_name.get(name)


def order(seed: int | str, *key: str) -> str:
    """Return what posts are ordered by: SHA-256 (hex) of the seed and the key."""
    return hashlib.sha256("\0".join([str(seed), *key]).encode("utf-8", "surrogatepass")).hexdigest()


def list_sha256(keys: Iterable[tuple[str, str]]) -> str:
    """Return the SHA-256 (hex) of a list of posts: a line each, clinic, tab and first address, sorted."""
    lines = sorted(f"{clinic_id}\t{address}\n" for clinic_id, address in keys)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def read_sample(file: StudyFile, name: str) -> Sample:
    """Read the file of a sample; `name`: how people name it. Raises `BadStudyFile`."""
    try:
        data = json.loads(file.data)
        if data[FORMAT] != VERSION:
            raise BadStudyFile(f"{file.name}: a sample of another version of this program; update clinic-archive")
        names = SamplingUnit.__dataclass_fields__.keys()
        units = tuple(SamplingUnit(**{key: entry[key] for key in names}) for entry in data["units"])
        sample = Sample(
            digest=file.digest,
            name=name,
            seed=int(data["seed"]),
            condition=data["where"],
            by=data["by"],
            as_of=str(data["as_of"]),
            frame=int(data["frame"]),
            frame_sha256=str(data["frame_sha256"]),
            units=units,
            file=file.name,
            _by_name={unit.unit: unit for unit in reversed(units)},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadStudyFile(f"{file.name}: no sample drawn by clinic-archive ({error!r})") from error
    if data["units_sha256"] != list_sha256((unit.clinic_id, unit.address) for unit in units):
        raise BadStudyFile(f"{file.name}: its list does not have the digest that it gives")
    return sample


def rows(sample: Sample) -> Sequence[dict[str, Any]]:
    """Return the rows of the table `samples`: one a unit."""
    positions = (number for number in count(1) if number not in sample.gone)
    return [
        {
            "sample": sample.digest,
            "name": sample.name,
            "position": position,
            **asdict(unit),
            "probability": unit.stratum_drawn / unit.stratum_frame,
            "seed": sample.seed,
            "condition": sample.condition,
            "by": sample.by,
            "as_of": sample.as_of,
            "frame": sample.frame,
            "frame_sha256": sample.frame_sha256,
            "file": sample.file,
        }
        for position, unit in zip(positions, sample.units, strict=False)
    ]
