"""Names that are known in a thread, wherever its texts have them: whole, in part, in any case, with endings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pipelines.privacy.finders.inflections import SLAVIC, czech, russian, spellings
from pipelines.privacy.finders.mail import EMAIL
from pipelines.privacy.finders.phrases import is_ordinary, is_phrase, read_phrase
from pipelines.privacy.finders.spans import Span
from pipelines.privacy.finders.words import COMMON, is_double_name, is_other_sense

# Parts of names that are common words, and are not masked alone ("de la Cruz" is masked as a whole).
PARTICLES = {
    "the",
    "and",
    "von",
    "van",
    "der",
    "den",
    "del",
    "las",
    "los",
    "bin",
    "dos",
    "dr",
    "mrs",
    "mr",
    "ms",
    "de",
    "da",
    "di",
    "du",
    "la",
    "le",
    "el",
    "al",
    "zu",
    "zur",
    "zum",
    "van't",
    "st",
    "jr",
    "sr",
    "ii",
    "iii",
    "md",
    "rn",
    "do",
}
# Characters of names, and the forms in which HTML may write them.
WRITTEN = {
    "'": "(?:['\u2019]|&#39;|&#x27;|&apos;|&rsquo;)",
    "\u2019": "(?:['\u2019]|&#39;|&#x27;|&apos;|&rsquo;)",
    "&": "(?:&amp;|&)",
    "<": "(?:&lt;|<)",
    ">": "(?:&gt;|>)",
    '"': '(?:&quot;|&#34;|")',
    " ": r"(?:\s|&nbsp;|&#160;)+",
}
# A word without the signs around it; its letters may be written with combining accents.
_TOKEN = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")
_HEBREW = re.compile(r"[\u05d0-\u05ea]")
_PREFIXES = frozenset("ושהכלבמ")  # letters that Hebrew writes together with the next word: "and", "that", "to", "from"
_LATIN_END = re.compile(r"[a-rt-wy\u00e0-\u024f]$", re.IGNORECASE)  # what the "s" of a genitive may follow
_SEPARATORS = r"[\s,._\u00b7-]+"


class _Form(NamedTuple):
    """A word that names a person."""

    large: bool  # only where it is written with a capital
    common: bool  # it, or the name that it is a case of, is a word in another sense, too


class NamePattern:
    """Finds the names of a thread in a text or in HTML."""

    def __init__(
        self, words: Mapping[str, _Form], slavic: Mapping[str, _Form], full_names: re.Pattern[str] | None
    ) -> None:
        self._words, self._slavic, self._wholes = words, slavic, full_names

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the names in the text: those of several words first."""
        if self._wholes:
            yield from (Span("name", *match.span()) for match in self._wholes.finditer(text))
        is_slavic = SLAVIC.search(text) is not None
        tokens = [(match[0], match.start()) for match in _TOKEN.finditer(text)]
        for index, (token, start) in enumerate(tokens):
            word, form = self._known(token, is_slavic=is_slavic)
            if form is None:
                continue
            first, end = start + len(token) - len(word), start + len(token)
            if form.large and word[0].islower():
                continue
            if form.common and self._is_other(text, tokens, index, word):
                continue
            if not self._is_of_double_name(text, tokens, index, end):
                yield Span("name", first, end)

    def _known(self, token: str, *, is_slavic: bool) -> tuple[str, _Form | None]:
        """Return the name in a token, which is the token or what follows its Hebrew prefixes, and its form."""
        small = unicodedata.normalize("NFC", token).lower()
        form = self._words.get(small) or (self._slavic.get(small) if is_slavic else None)
        if form is None and _HEBREW.match(token):
            for length in range(1, min(4, len(token) - 1)):
                if token[length - 1] not in _PREFIXES:
                    break
                rest = token[length:]
                if (form := self._words.get(rest)) and (len(rest) > 2 or token[:length] in {"ו", "ל"}):
                    is_article = token[length - 1] == "ה" and form.common  # "the light"
                    return (rest, None if is_article else form)
        return token, form

    def _is_other(self, text: str, tokens: list[tuple[str, int]], index: int, word: str) -> bool:
        token, start = tokens[index]
        before, after = "", ""
        if index:
            previous, at = tokens[index - 1]
            before = previous if not text[at + len(previous) : start].strip() else ""
        if index + 1 < len(tokens):
            following, at = tokens[index + 1]
            after = following if not text[start + len(token) : at].strip() else ""
        return is_other_sense(word, before, after)

    def _is_of_double_name(self, text: str, tokens: list[tuple[str, int]], index: int, end: int) -> bool:
        """Return whether the token is the first half of a double name of somebody else: "Jo-Ann" is not "Jo".

        Any other word after the hyphen ("Jo-Thanks for this") leaves the name what it is, and so does a name that is
        known: then both are masked.
        """
        if index + 1 == len(tokens) or text[end : end + 1] != "-" or not text[end + 1 : end + 2].isupper():
            return False
        second = tokens[index + 1][0]
        return is_double_name(tokens[index][0], second) and self._known(second, is_slavic=True)[1] is None


def name_pattern(names: Iterable[str]) -> NamePattern | None:
    """Return what finds the names in a text or in HTML; None without names.

    It finds each name whole ("Marisol Vega") and by its parts ("Marisol"), in any case and either Unicode form, without
    its accents, and with the endings of cases in Czech, Russian and German. A name that is a word, too ("Will"), is
    found only where it is written with a capital.
    """
    words: dict[str, _Form] = {}
    slavic: dict[str, _Form] = {}
    full_names: dict[str, str] = {}  # by their forms without regard to case: pattern
    for name in names:
        whole = unicodedata.normalize("NFC", " ".join(name.split()))
        if not any(letter.isalnum() for letter in whole):
            continue
        if _is_word(whole):
            _add_forms(words, slavic, whole, large=len(whole) == 1)
            continue
        if is_phrase(whole):
            _add_phrase(words, slavic, full_names, whole)
            continue
        _add_full_name(full_names, whole, any_case=True)
        for part in _parts(whole):
            _add_part(words, slavic, full_names, part, large=len(part) < 3)
    ordered = [full_names[form] for form in sorted(full_names, key=lambda form: (-len(form), form))]
    pattern = re.compile("|".join(ordered)) if ordered else None
    return NamePattern(words, slavic, pattern) if words or pattern else None


def _is_word(name: str) -> bool:
    """Return whether the name is one word of a script that writes blanks between words."""
    return _TOKEN.fullmatch(name) is not None and all(map(_writes_blanks, name))


def _add_full_name(full_names: dict[str, str], whole: str, *, any_case: bool) -> None:
    """Add a name of several words."""
    for form in {whole, unicodedata.normalize("NFD", whole)} | spellings(whole):
        full_names.setdefault(form.lower() if any_case else form, _bounded(form, any_case=any_case))


def _add_phrase(words: dict[str, _Form], slavic: dict[str, _Form], full_names: dict[str, str], whole: str) -> None:
    """Add a nickname that is a phrase: whole, and what in it may be a name.

    In doubt, a word before the preposition is one ("Sarah in Texas"). What follows is rarely a name, and is masked only
    where it is written with a capital, unless the nickname has none ("nguyen thi my linh").
    """
    phrase = read_phrase(whole)
    _add_full_name(full_names, whole, any_case=phrase.tells)
    if phrase.start:
        _add_full_name(full_names, phrase.start, any_case=phrase.tells)
    for word in (*phrase.before, *phrase.after):
        for part in _parts(word):
            if part == word or not is_ordinary(part):
                large = len(part) < 3 or (word not in phrase.before and not part[0].islower())
                _add_part(words, slavic, full_names, part, large=large)


def _add_part(
    words: dict[str, _Form], slavic: dict[str, _Form], full_names: dict[str, str], part: str, *, large: bool
) -> None:
    """Add a part of a name."""
    if _is_word(part):
        _add_forms(words, slavic, part, large=large)
        return
    for form in {part, unicodedata.normalize("NFD", part)}:
        full_names.setdefault(form.lower(), _bounded(form, any_case=True))


def _add_forms(words: dict[str, _Form], slavic: dict[str, _Form], name: str, *, large: bool) -> None:
    """Add the forms of a name of one word; a form that is matched in any case stays so."""
    common = name.lower() in COMMON
    plain = spellings(name)
    forms = {form: _Form(large=large or common, common=common or form.lower() in COMMON) for form in plain}
    forms |= dict.fromkeys((form.upper() for form in plain), forms[name])
    declined = dict.fromkeys(russian(name), _Form(large=large or common, common=common))
    if not common and len(name) > 2 and _LATIN_END.search(name):
        declined |= dict.fromkeys((f"{form}s" for form in plain), _Form(large=True, common=False))
    for form, kind in {**declined, **forms}.items():
        _add(words, form.lower(), kind)
    for form in czech(name):
        _add(slavic, form, _Form(large=True, common=common))


def _add(words: dict[str, _Form], form: str, kind: _Form) -> None:
    before = words.get(form, kind)
    words[form] = _Form(large=before.large and kind.large, common=before.common and kind.common)


def _parts(whole: str) -> Iterator[str]:
    """Yield the parts of a name that are masked alone: words of two or more letters; no host of an e-mail."""
    address = EMAIL.fullmatch(whole)
    for part in re.split(_SEPARATORS, whole.partition("@")[0] if address else whole):
        bare = re.sub(r"^\W+|\W+$", "", part)
        if len(bare) > 1 and bare.lower() not in PARTICLES and not bare.isdigit():
            yield bare


def _bounded(part: str, *, any_case: bool) -> str:
    """Return a pattern of the part as whole words; in scripts without spaces it matches anywhere."""
    written = "".join(WRITTEN.get(letter) or re.escape(letter) for letter in part)
    if any_case:
        upper = "".join(WRITTEN.get(letter) or re.escape(letter) for letter in part.upper())
        written = f"(?i:{written}|{upper})"  # upper() of "Weiß" is "WEISS"
    before = r"(?<!\w)" if _writes_blanks(part[0]) else ""
    after = r"(?!\w)" if _writes_blanks(part[-1]) else ""
    return f"{before}{written}{after}"


def _writes_blanks(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) not in "WF"
