"""Finds platforms and comment services by importing every file of their folder: there is no list to edit."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any


def readers_in(package: str, path: Iterable[str], base: Any) -> list[Any]:
    """Return an instance of every named class below `base`, an abstract `Reader`, from all files of a package.

    Files and folders that begin with `_` hold none. A class without a name is a base class of several.
    """
    for module in pkgutil.iter_modules(path):
        if not module.name.startswith("_"):
            import_module(f"{package}.{module.name}")
    return [cls() for cls in _below(base) if cls.name]


def _below(base: Any) -> Iterator[Any]:
    for cls in base.__subclasses__():
        yield cls
        yield from _below(cls)
