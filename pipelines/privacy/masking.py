"""Finds and replaces names, e-mail addresses and phone numbers in the texts of comments."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MASK, MASKED_EMAIL, MASKED_PHONE = "[name]", "[e-mail]", "[phone]"
# "jane.roe+x@mail.example.org"; matched only at the start of a word, which avoids quadratic time on long texts
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# Digits that are no phone number: "2019-02-01 14:30", "01/02/2019", "12.5.2024 9"; matched first, and not masked.
DATE = r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d)(?!\d)(?:[ T]\d{1,2}(?![\d-]))?"
# "(555) 010-2368", "+1 555 010 2368", "555.010.2368"; masked if it has 9 digits or more. Not "100-200-300 mg".
PHONE = r"\+?(?:\(?\d{1,4}\)?[ .\u00a0/-]?){2,5}\d{2,4}(?![\w-]|\s?(?:mg|mcg|\u00b5g|ml|kg|iu|units?)\b)"
NUMBERS = re.compile(rf"(?<![\w-])(?:(?P<date>{DATE})|(?P<phone>{PHONE}))")
FEWEST_DIGITS = 9
# Parts of names that are common words, and are not masked alone ("de la Cruz" is masked as a whole).
PARTICLES = {"the", "and", "von", "van", "der", "den", "del", "las", "los", "bin", "dos", "dr", "mrs", "mr", "ms"}
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


def name_pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern that finds the names in a text or in HTML; None without names.

    It finds each name whole ("Marisol Vega") and by its parts ("Marisol"), in any case and either Unicode form.
    """
    wanted: set[str] = set()
    for name in names:
        whole = " ".join(name.split())
        for form in {whole, unicodedata.normalize("NFC", whole), unicodedata.normalize("NFD", whole)}:
            for part in _parts(form):
                wanted |= {part, part.upper(), part.lower()}  # upper() of "Weiß" is "WEISS"
    patterns = [_bounded(part) for part in sorted(wanted, key=lambda part: (-len(part), part))]
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def _parts(whole: str) -> Iterable[str]:
    """Yield the name, and its parts that are masked alone: words of three or more letters; no host of an e-mail."""
    if not any(letter.isalnum() for letter in whole):
        return
    yield whole
    address = EMAIL.fullmatch(whole)
    for part in re.split(r"[\s,._\u00b7-]+", whole.partition("@")[0] if address else whole):
        bare = re.sub(r"^\W+|\W+$", "", part)
        if len(bare) > 2 and bare.lower() not in PARTICLES and not bare.isdigit():
            yield bare


def _bounded(part: str) -> str:
    """Return a pattern of the part as a whole word; in scripts without spaces it matches anywhere."""
    written = "".join(WRITTEN.get(letter) or re.escape(letter) for letter in part)
    before = r"(?<!\w)" if _writes_blanks(part[0]) else ""
    after = r"(?!\w)" if _writes_blanks(part[-1]) else ""
    return f"{before}{written}{after}"


def _writes_blanks(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) not in "WF"


# Where the last words of a comment begin: a new line, sentence or dash. "Ask me. Anna Roe" ends with "Anna Roe".
LAST_WORDS = re.compile(r"\n|(?<=[.!?\u2026])\s+|\s(?=[\u2012-\u2015~]\s*\w)")
# "— Anna", "-- Anna", "~Anna"
DASHES = re.compile(r"^[-~\u2010-\u2015]+\s*")
CLOSINGS = {
    "thank",
    "thanks",
    "you",
    "best",
    "wishes",
    "kind",
    "warm",
    "regards",
    "love",
    "sincerely",
    "cheers",
    "yours",
    "gracias",
    "saludos",
    "obrigada",
    "obrigado",
    "abraços",
    "danke",
    "gruß",
    "grüße",
    "groetjes",
    "bedankt",
}
LONGEST_SIGNATURE = 4  # words


def signature(text: str | None) -> str | None:
    """Return the name that a comment is signed with in its last words; None without a signature.

    "— Philippa G.", "Clementine Abernethorpe" and "Thanks, Anna B." after a text are signatures. After a dash up to
    four words of any kind are one; else at least two words that all begin with a capital. "Wonderful" and "See you in
    May" are none.
    """
    pieces = [piece.strip() for piece in LAST_WORDS.split(text or "") if piece.strip()]
    if len(pieces) < 2:
        return None
    bare = DASHES.sub("", pieces[-1])
    words = [word for word in re.split(r"[\s,]+", bare) if word]
    names = [word for word in words if word.lower().strip(".!") not in CLOSINGS]
    if not names or len(words) > LONGEST_SIGNATURE or any(letter.isdigit() for word in names for letter in word):
        return None
    if any(len(word) > 2 and word[-1] in ".!?:;" for word in names):
        return None
    proper = all(word[0].isupper() or word.lower() in PARTICLES for word in names)
    return " ".join(names) if bare != pieces[-1] or (proper and len(words) > 1) else None


def masked(text: str | None, pattern: re.Pattern[str] | None) -> str | None:
    """Return the text with names, e-mail addresses and phone numbers replaced by [name], [e-mail], [phone]."""
    if text is None:
        return None
    text = EMAIL.sub(MASKED_EMAIL, text)
    text = NUMBERS.sub(_as_number, text)
    return pattern.sub(MASK, text) if pattern else text


def _as_number(found: re.Match[str]) -> str:
    is_phone = found["phone"] is not None and sum(map(str.isdigit, found[0])) >= FEWEST_DIGITS
    return MASKED_PHONE if is_phone else found[0]
