"""Mailboxes: plain ("anna@example.org"), and disguised with words or brackets ("anna (at) example [dot] org")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.privacy.finders.spans import Span

# A letter or two that Hebrew writes together with the next word: "to-anna@example.org".
_PREFIX = r"(?:[א-ת]{1,2}-)?"
# "jane.roe+x@mail.example.org"; matched only at the start of a word, which avoids quadratic time on long texts
EMAIL = re.compile(rf"(?<![\w.+@-]){_PREFIX}(?P<span>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)")
# "logo@2x.png" is a file, "name@1.3.0" a version: the last label of a host has letters, and is no suffix of a file.
_FILES = {"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json", "html", "pdf"}

_AT_WORDS = (
    "at",
    "ät",
    "arroba",
    "arobase",
    "arrobase",
    "chiocciola",
    "klammeraffe",
    "apenstaartje",
    "zavináč",
    "zavinac",
    "małpa",
    "собака",
    "собачка",
    "שטרודל",
    "כרוכית",
)
_DOT_WORDS = (
    "dot",
    "punkt",
    "point",
    "punto",
    "ponto",
    "punt",
    "kropka",
    "tečka",
    "tecka",
    "bodka",
    "точка",
    "נקודה",
)
_JOINING = (
    "underscore",
    "unterstrich",
    "dash",
    "hyphen",
    "minus",
    "bindestrich",
    "guión",
    "tiret",
    "podtržítko",
    "pomlka",
    "дефис",
    "подчеркивание",
)


def _words(words: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(words)})"


def _bracketed(inner: str) -> str:
    """Return a pattern of "(at)", " [ at ] ", "{at}", "<at>"."""
    return rf"\s{{0,2}}[\[({{<]\s{{0,2}}{inner}\s{{0,2}}[\])}}>]\s{{0,2}}"


_PART = r"[\w+-]{1,64}"
_DOT = (
    rf"(?:{_bracketed(f'(?:{_words(_DOT_WORDS)}|[.])')}|\s{{1,2}}{_words(_DOT_WORDS)}\s{{1,2}}|(?-i:[._-]DOT[._-])"
    r"|\s\.\s|\.)"
)
# The mailbox itself: "anna", "anna.roe", "anna underscore roe", "anna dot roe".
_JOINED = rf"(?:\.|\s{{1,2}}(?:{_words(_JOINING)}|{_words(_DOT_WORDS)})\s{{1,2}})"
_LOCAL = rf"(?<![\w.+@-]){_PREFIX}(?P<span>{_PART}(?:{_JOINED}{_PART}){{0,3}}?"
_HOST = rf"[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,3}}?{_DOT}(?P<last>[^\W\d_]{{2,12}})(?![\w@]))"
# Words for the sign that mean nothing else, brackets around a word, or the sign between blanks.
_CLEAR = re.compile(
    rf"{_LOCAL}(?:{_bracketed(f'(?:{_words(_AT_WORDS)}|@|a)')}|\s{{1,2}}{_words(_AT_WORDS[1:])}\s{{1,2}}"
    rf"|(?-i:[._-]AT[._-])|(?-i:\sAT\s)|\s{{1,2}}@\s{{1,2}}|@){_HOST}",
    re.IGNORECASE,
)
# "at" as a plain word: also what people write of a site ("we met at example dot org").
_PLAIN = re.compile(rf"{_LOCAL}\s{{1,2}}at\s{{1,2}}{_HOST}", re.IGNORECASE)
# What announces a mailbox: "my mail is", "write me".
_ANNOUNCED = re.compile(
    r"(?:e-?mail|mail|address|adress|inbox|write|reach|contact|ping)\b[^.!?\n]{0,30}$", re.IGNORECASE
)
_SPELLED = re.compile(rf"[\d_+.]|\s{_words(_JOINING)}\s", re.IGNORECASE)


def mailboxes(text: str) -> Iterator[Span]:
    """Yield the mailboxes in a text, at any host."""
    for match in EMAIL.finditer(text):
        last = match["span"].rpartition(".")[2]
        # A label of an international domain may be "xn--p1ai".
        if last.lower() not in _FILES and (last.isalpha() or last.startswith("xn--")):
            yield Span("email", *match.span("span"))
    for match in _CLEAR.finditer(text):
        if match["last"].lower() not in _FILES:
            yield Span("email", *match.span("span"))
    for match in _PLAIN.finditer(text):
        local = re.split(r"\sat\s", match["span"], maxsplit=1, flags=re.IGNORECASE)[0]
        before = text[max(0, match.start() - 60) : match.start("span")]
        if _SPELLED.search(local) or _ANNOUNCED.search(before):
            yield Span("email", *match.span("span"))
