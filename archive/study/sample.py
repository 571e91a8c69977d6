"""Samples: posts drawn from the archive by a seed, frozen in a file that any rebuild of the archive gives again.

The posts of a stratum are ordered by SHA-256 of seed, clinic and first address, and the first ones are drawn: a simple
random sample without replacement. Nothing depends on the numbers of rows. As-of date is that of the last capture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from archive.study.folder import BadStudyFile, StudyFile
from archive.study.frame import BadCondition, Listed, frame
from archive.study.texts import text_sha256, texts_of

FORMAT = "clinic-archive sample"
VERSION = 1
LARGEST_SEED = 2**53


@dataclass(frozen=True, slots=True)
class Unit:
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
    units: tuple[Unit, ...]
    file: str

    def unit(self, name: str) -> Unit | None:
        """Return the unit of that name, None without one."""
        return next((unit for unit in self.units if unit.unit == name), None)


def draw(archive: Path, db: Database, *, n: int, seed: int, where: str | None, by: str | None) -> bytes:
    """Return the file of a sample of `n` posts, all of the frame where that has fewer.

    Raises `BadCondition` where the condition cannot be used or selects no post, `sqlite3.Error`.
    """
    listed = frame(archive, db, where, by)
    if not listed:
        raise BadCondition("no post with a text" + (" meets the condition" if where else " in this archive"))
    strata: dict[str | None, list[Listed]] = {}
    for post in listed:
        strata.setdefault(post.stratum, []).append(post)
    numbers = allocate({name: len(posts) for name, posts in strata.items()}, n)
    units = [
        _unit(db, post, len(posts), numbers[name])
        for name, posts in strata.items()
        for post in sorted(posts, key=lambda post: order(seed, post.clinic_id, post.address))[: numbers[name]]
    ]
    units.sort(key=lambda unit: order(seed, unit.clinic_id, unit.address))
    (as_of,) = db.execute("SELECT max(fetched_at) FROM captures").fetchone()
    document = {
        FORMAT: VERSION,
        "frame": len(listed),
        "frame_sha256": _list_sha256((post.clinic_id, post.address) for post in listed),
        "where": where,
        "by": by,
        "seed": seed,
        "as_of": as_of,
        "order": "SHA-256 of seed, clinic and first address, separated by NUL",
        "strata": [
            {"stratum": name, "frame": len(posts), "drawn": numbers[name], "probability": numbers[name] / len(posts)}
            for name, posts in strata.items()
        ],
        "units_sha256": _list_sha256((unit.clinic_id, unit.address) for unit in units),
        "units": [asdict(unit) | {"probability": unit.stratum_drawn / unit.stratum_frame} for unit in units],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass") + b"\n"


def order(seed: int | str, *key: str) -> str:
    """Return what posts are ordered by: SHA-256 (hex) of the seed and the key."""
    return hashlib.sha256("\0".join([str(seed), *key]).encode("utf-8", "surrogatepass")).hexdigest()


def allocate(sizes: dict[str | None, int], n: int) -> dict[str | None, int]:
    """Return how many of `n` are drawn in each stratum: in proportion to its size, by largest remainders.

    Each stratum gets one at least where `n` allows it, and none more than it has.
    """
    total, n = sum(sizes.values()), min(n, sum(sizes.values()))
    least = 1 if n >= len(sizes) else 0
    exact = {name: n * size / total for name, size in sizes.items()}
    drawn = {name: min(max(int(exact[name]), least), size) for name, size in sizes.items()}

    def lacks(name: str | None) -> tuple[float, str]:
        return exact[name] - drawn[name], name or ""

    while sum(drawn.values()) != n:
        if sum(drawn.values()) < n:
            drawn[max((name for name in drawn if drawn[name] < sizes[name]), key=lacks)] += 1
        else:
            drawn[min((name for name in drawn if drawn[name] > least), key=lacks)] -= 1
    return drawn


def _unit(db: Database, post: Listed, stratum_frame: int, drawn: int) -> Unit:
    (sha256, title, body) = db.execute(
        "SELECT r.content_sha256, r.title, r.body_text FROM posts JOIN revisions AS r ON r.revision_id ="
        " posts.revision_id WHERE posts.post_id = ?",
        [post.post_id],
    ).fetchone()
    text = next(
        text
        for text in reversed(texts_of(db, post.clinic_id, post.address))
        if (text.content_sha256, text.text_sha256) == (sha256, text_sha256(body))
    )
    return Unit(
        unit=order("unit", post.clinic_id, post.address)[:12],
        clinic_id=post.clinic_id,
        address=post.address,
        permalink=text.permalink,
        title=title,
        text_sha256=text.text_sha256,
        content_sha256=sha256,
        stratum=post.stratum,
        stratum_frame=stratum_frame,
        stratum_drawn=drawn,
    )


def _list_sha256(keys: Iterable[tuple[str, str]]) -> str:
    """The digest of a list of posts: a line each, clinic and first address."""
    lines = sorted(f"{clinic_id}\t{address}\n" for clinic_id, address in keys)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def read_sample(file: StudyFile, name: str) -> Sample:
    """Read the file of a sample; `name`: how people name it. Raises `BadStudyFile`."""
    try:
        data = json.loads(file.data)
        if data[FORMAT] != VERSION:
            raise BadStudyFile(f"{file.name}: a sample of another version of this program; update clinic-archive")
        names = Unit.__dataclass_fields__.keys()
        units = tuple(Unit(**{key: entry[key] for key in names}) for entry in data["units"])
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
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadStudyFile(f"{file.name}: no sample drawn by clinic-archive ({error!r})") from error
    if data["units_sha256"] != _list_sha256((unit.clinic_id, unit.address) for unit in units):
        raise BadStudyFile(f"{file.name}: its list does not have the digest that it gives")
    return sample


def rows(sample: Sample) -> Sequence[dict[str, Any]]:
    """Return the rows of the table `samples`: one a unit."""
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
        for position, unit in enumerate(sample.units, 1)
    ]
