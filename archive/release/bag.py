"""A folder as BagIt says (RFC 8493): files under data/, and lists of their hashes by which anybody can check them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

DATA, INFO = "data", "bag-info.txt"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"


def seal(folder: Path, info: Mapping[str, str]) -> str:
    """Write the lists of hashes of a folder with data/, and `info`; return the digest of all. Raises OSError."""
    (folder / "bagit.txt").write_bytes(b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    content = _hashes(folder, DATA)
    size = sum((folder / name).stat().st_size for name in content)
    lines = {**info, "Payload-Oxum": f"{size}.{len(content)}"}
    (folder / INFO).write_bytes("".join(f"{name}: {value}\n" for name, value in lines.items()).encode())
    (folder / MANIFEST).write_bytes(_lines(content))
    tags = {name: _sha256(folder / name) for name in (INFO, "bagit.txt", MANIFEST)}
    (folder / TAG_MANIFEST).write_bytes(_lines(tags))
    return bag_digest(folder)


def bag_digest(folder: Path) -> str:
    """Return the digest of a sealed folder: the SHA-256 of the list that names all others. Raises OSError."""
    return _sha256(folder / TAG_MANIFEST)


def verify(folder: Path) -> list[str]:
    """Return what is wrong with a sealed folder, a line each. Raises OSError where its lists cannot be read."""
    if not (folder / TAG_MANIFEST).is_file():
        return [f"{folder}: no release ({TAG_MANIFEST} is missing)"]
    faults: list[str] = []
    listed: set[str] = set() if (folder / TAG_MANIFEST).is_symlink() else {TAG_MANIFEST}
    for manifest in (TAG_MANIFEST, MANIFEST):
        if not (folder / manifest).is_file():
            continue  # reported by the list that names it
        for name, sha256 in _read(folder / manifest):
            listed.add(name)
            if (fault := _fault(folder, name, sha256)) is not None:
                faults.append(f"{name}: {fault}")
    present = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()  # a link to a folder is none of the folder
    }
    return faults + [f"{name}: not part of the folder as it was sealed" for name in sorted(present - listed)]


def _fault(folder: Path, name: str, sha256: str) -> str | None:
    path = folder / name
    if not _is_inside(name) or _is_behind_link(folder, PurePosixPath(name)):
        return "not a file of this folder"
    if not path.is_file():
        return "missing"
    try:
        return None if _sha256(path) == sha256 else "changed since the folder was sealed"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def info_of(folder: Path) -> dict[str, str]:
    """Return the entries of bag-info.txt. Raises OSError."""
    lines = (folder / INFO).read_text("utf-8", "replace").splitlines()
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}


def payload_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 (hex) of each file below data/, as the sealed folder lists it. Raises OSError."""
    return dict(_read(folder / MANIFEST))


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _is_behind_link(folder: Path, name: PurePosixPath) -> bool:
    return any((folder / part).is_symlink() for part in (name, *name.parents) if part.name)


def _read(manifest: Path) -> Iterator[tuple[str, str]]:
    for line in manifest.read_text("utf-8", "replace").splitlines():
        sha256, _, name = line.partition("  ")
        yield name, sha256


def _hashes(folder: Path, part: str) -> dict[str, str]:
    paths = sorted(path.relative_to(folder).as_posix() for path in (folder / part).rglob("*") if path.is_file())
    return {name: _sha256(folder / name) for name in paths}


def _lines(hashes: Mapping[str, str]) -> bytes:
    return "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes.items())).encode()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
