"""The forms that a name has in a sentence: without its accents, transliterated, with the endings of its cases."""

from __future__ import annotations

import re
import unicodedata

# German letters and how they are written without them, and back.
_GERMAN = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"))
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")

# Endings by how a name ends: (ending that is removed, endings that take its place). The first that fits counts.
_RUSSIAN = (
    ("ия", "ии ию ией иею"),
    ("ая", "ой ую ою"),
    ("яя", "ей юю"),
    ("ий", "ого ому им ом его ему ем ия ию ием ии"),
    ("ый", "ого ому ым ом"),
    ("ой", "ого ому ым ом"),
    ("а", "ы и е у ой ою ей ею ин ина ину иным ино ины"),
    ("я", "и е ю ей ею ёй ин ина ину иным ино ины"),
    ("й", "я ю ем е ев ева еву евым ево"),
    ("ь", "я ю ем ём е и ью ев ева еву евым ево"),
    ("о", ""),
    ("", "а у ом ем е ы и ов ова ову овым ово овы ой ым ых"),
)
_CZECH = (
    ("ý", "ého ému ém ým ou á é"),
    ("á", "é ou ého ému"),
    ("í", "ího ímu ím"),
    ("a", "y u o ou e ě i in ina iny ině inu inou ino inin ovi ovo ově ův ova ovy ovu ovou"),
    ("e", "i í"),
    ("o", "a ovi u em"),
    ("", "a u e i ovi em ě y ův ova ovo ovy ově ovu ovou ovým ových ech ům"),
)
_RUSSIAN_ENDINGS_AFTER_FLEETING_VOWEL = ("а", "у", "ом", "ем", "ём", "е", "ы", "и", "ов", "ова")
_AFTER_LOST_E = ("a", "u", "ovi", "em", "e", "ův", "ova", "ovo", "ovy", "ově", "ovu")
# What a consonant becomes before "e" and "i": "Lenka" - "Lence", "Olga" - "Olze", "Petra" - "Petře".
_SOFTENED = {"k": "c", "h": "z", "g": "z", "r": "ř", "ch": "š"}
# A text in a Slavic language with Latin letters: letters of its own, or frequent words.
SLAVIC = re.compile(
    r"[ěščřžůťďňłąęśćńźż]|\b(?:se|je|jsem|jste|jsme|paní|pane|pan|děkuji|díky|není|nebo|jak|když|taky|také|už|jen)\b",
    re.IGNORECASE,
)


def spellings(name: str) -> set[str]:
    """Return the name with and without its accents and German letters."""
    small = name.lower()
    plain = _without_accents(name)
    found = {name, plain}
    for letter, written in _GERMAN:
        if letter in small:
            found |= {_replaced(each, letter, written) for each in tuple(found)}
    return found | {_without_accents(each) for each in found}


def _replaced(name: str, letter: str, written: str) -> str:
    return name.replace(letter, written).replace(letter.upper(), written.title())


def _without_accents(name: str) -> str:
    if _CYRILLIC.search(name):
        return name.replace("ё", "е").replace("Ё", "Е")
    parts = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFC", "".join(letter for letter in parts if not unicodedata.combining(letter)))


def russian(name: str) -> set[str]:
    """Return the forms of a name in Cyrillic letters; an empty set for any other."""
    if not _CYRILLIC.search(name) or len(name) < 3:
        return set()
    found = _declined(name.lower(), _RUSSIAN)
    # "Лев" - "Льву", "Павел" - "Павла": the vowel of the last syllable may fall out.
    fleeting = re.fullmatch(r"(.+?)([еёо])([^аеёиоуыэюяьй])", name.lower())
    if fleeting:
        stem, _, last = fleeting.groups()
        joined = (f"{stem}{last}", f"{stem}ь{last}") if stem[-1] == "л" else (f"{stem}{last}",)
        found |= {f"{each}{ending}" for each in joined for ending in _RUSSIAN_ENDINGS_AFTER_FLEETING_VOWEL}
    return found


def czech(name: str) -> set[str]:
    """Return the forms of a name in Latin letters in Czech and Slovak, with and without accents."""
    small = name.lower()
    if len(small) < 3 or not small[-1].isalpha() or _CYRILLIC.search(small):
        return set()
    found = _declined(small, _CZECH)
    if small.endswith("a"):
        stem = small[:-1]
        for hard, soft in _SOFTENED.items():
            if stem.endswith(hard):
                found |= {stem[: -len(hard)] + soft + ending for ending in ("e", "in", "ina", "iny", "ino", "inu")}
    if re.search(r"[^aeiouy]e[kclrn]$", small):  # "Radek" - "Radkovi"
        found |= {small[:-2] + small[-1] + ending for ending in _AFTER_LOST_E}
    return found | {_without_accents(each) for each in found}


def _declined(name: str, table: tuple[tuple[str, str], ...]) -> set[str]:
    for ending, endings in table:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            stem = name[: len(name) - len(ending)]
            return {stem + each for each in endings.split()}
    return set()
