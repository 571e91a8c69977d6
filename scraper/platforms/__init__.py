"""How each blog platform is read: one file (or package) a platform, found by walking this folder, no list to edit."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from scraper.platforms._platform import Platform


@cache
def platforms() -> tuple[Platform, ...]:
    """One instance of every platform in this folder, by name. Files that begin with `_` are machinery."""
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            import_module(f"{__name__}.{module.name}")
    return tuple(sorted((cls() for cls in Platform.__subclasses__()), key=lambda platform: platform.name))
