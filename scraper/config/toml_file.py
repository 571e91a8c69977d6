"""A TOML file whose errors name the line of the faulty key; tomllib gives values without their lines."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NoReturn, cast


class ConfigError(Exception):
    """clinics.toml cannot be used. The message says where (`clinics.toml:12`), what is wrong and what to do; exit 4."""


Where = tuple[str, ...]


class TomlFile:
    """The text of a clinics.toml, to find the line of a key."""

    def __init__(self, text: str, path: Path) -> None:
        self.path = path
        self.lines = [f"{line}\n" for line in text.split("\n")]  # as TOML counts them, not as str.splitlines does

    def fail(self, where: Where, what: str) -> NoReturn:
        """Raise ConfigError at the line of a key, or of the nearest table above it."""
        line = next((found for n in range(len(where), 0, -1) if (found := self.line(where[:n]))), 1)
        raise ConfigError(f"{self.path}:{line}: {what}")

    def line(self, where: Where) -> int | None:
        """Return the line (from 1) of a key; None where the file does not have it.

        tomllib itself decides, so that strings over several lines, quoted keys and inline tables cannot mislead: the
        line contains the key's name, the text before it is valid TOML without the key, and the text with it has it.
        """
        for start, line in enumerate(self.lines):
            if where[-1] not in line or self._has(self.lines[:start], where) is not False:
                continue
            for end in range(start + 1, len(self.lines) + 1):  # a value may continue on further lines
                has = self._has(self.lines[:end], where)
                if has is not None:
                    break
            if has:
                return start + 1
        return None

    @staticmethod
    def _has(lines: list[str], where: Where) -> bool | None:
        """Return whether the text has the key; None where it is cut inside a value."""
        try:
            value: Any = tomllib.loads("".join(lines))
        except tomllib.TOMLDecodeError:
            return None
        for key in where:
            if not isinstance(value, dict) or key not in value:
                return False
            value = value[key]
        return True

    def only(self, table: Mapping[str, Any], where: Where, known: tuple[str, ...]) -> None:
        """Raise ConfigError at the first unknown key."""
        for key in table:
            if key not in known:
                table_name = f"[{'.'.join(where)}]" if where else "the file"
                self.fail((*where, key), f"unknown key {key!r} in {table_name}; known: {', '.join(known)}")

    def table(self, parent: Mapping[str, Any], where: Where) -> Mapping[str, Any]:
        """Return the table of that name; an empty one where it is missing."""
        return cast(Mapping[str, Any], self.value(parent, where, dict, {}))

    def value(self, table: Mapping[str, Any], where: Where, kind: type | tuple[type, ...], default: Any) -> Any:
        """Return the value of a key. Raises ConfigError for another type (true is no number, a time of day no date)."""
        value = table.get(where[-1], default)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if value is not default and type(value) not in kinds:
            names = {str: "a text in quotes", bool: "true or false", dict: "a table", date: "a date such as 2026-03-31"}
            self.fail(where, f"{where[-1]} must be {names.get(kinds[0], 'a number')}, not {value!r}")
        return value

    def choice(self, table: Mapping[str, Any], where: Where, choices: tuple[str, ...]) -> str:
        """Return the value of a key that is one of `choices`; the first of them where the key is missing."""
        value = self.value(table, where, str, choices[0])
        if value not in choices:
            self.fail(where, f"{where[-1]} = {value!r}: use one of {', '.join(choices)}")
        return cast(str, value)
