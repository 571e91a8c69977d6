"""Names, e-mail addresses and phone numbers in the texts of comments, found and replaced."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MASK, MASKED_EMAIL, MASKED_PHONE = "[name]", "[e-mail]", "[phone]"
# "jane.roe+x@mail.example.org"; looked for only where a word begins, or a long text would be read again and again
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# What has many digits and is no number to call: "2019-02-01 14:30", "01/02/2019", "12.5.2024 9"; taken first, and left.
DATE = r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d)(?!\d)(?:[ T]\d{1,2}(?![\d-]))?"
# "(555) 010-2368", "+1 555 010 2368", "555.010.2368"; of these only what has 9 digits or more. Not "100-200-300 mg".
PHONE = r"\+?(?:\(?\d{1,4}\)?[ .\u00a0/-]?){2,5}\d{2,4}(?![\w-]|\s?(?:mg|mcg|\u00b5g|ml|kg|iu|units?)\b)"
NUMBERS = re.compile(rf"(?<![\w-])(?:(?P<date>{DATE})|(?P<phone>{PHONE}))")
FEWEST_DIGITS = 9
# Parts of a name that are ordinary words too often to be masked alone ("de la Cruz" is masked as a whole).
PARTICLES = {"the", "and", "von", "van", "der", "den", "del", "las", "los", "bin", "dos", "dr", "mrs", "mr", "ms"}
# How HTML may write what names hold.
WRITTEN = {
    "'": "(?:['\u2019]|&#39;|&#x27;|&apos;|&rsquo;)", "\u2019": "(?:['\u2019]|&#39;|&#x27;|&apos;|&rsquo;)",
    "&": "(?:&amp;|&)", "<": "(?:&lt;|<)", ">": "(?:&gt;|>)", '"': '(?:&quot;|&#34;|")', " ": r"(?:\s|&nbsp;|&#160;)+",
}  # fmt: skip


def name_pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """What finds the names in a text or in HTML: each whole ("Marisol Vega") and by its parts ("Marisol"), in any case
    and either Unicode form; None without names."""
    wanted: set[str] = set()
    for name in names:
        whole = " ".join(name.split())
        for form in {whole, unicodedata.normalize("NFC", whole), unicodedata.normalize("NFD", whole)}:
            for part in _parts(form):
                wanted |= {part, part.upper(), part.lower()}  # "WEISS" is how "Weiß" shouts
    patterns = [_bounded(part) for part in sorted(wanted, key=lambda one: (-len(one), one))]
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def _parts(whole: str) -> Iterable[str]:
    """The name, and what of it is masked alone: words of three letters and more, of an e-mail address what names."""
    if not any(letter.isalnum() for letter in whole):
        return
    yield whole
    address = EMAIL.fullmatch(whole)
    for part in re.split(r"[\s,._\u00b7-]+", whole.partition("@")[0] if address else whole):
        bare = re.sub(r"^\W+|\W+$", "", part)
        if len(bare) > 2 and bare.lower() not in PARTICLES and not bare.isdigit():
            yield bare


def _bounded(part: str) -> str:
    """The part as a pattern that matches in no longer word; scripts that write no blanks have no words to go by."""
    written = "".join(WRITTEN.get(letter) or re.escape(letter) for letter in part)
    before = r"(?<!\w)" if _writes_blanks(part[0]) else ""
    after = r"(?!\w)" if _writes_blanks(part[-1]) else ""
    return f"{before}{written}{after}"


def _writes_blanks(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) not in "WF"


# Where a comment's last words begin: a new line, or a sentence after another. "Ask me. Anna Roe" ends with "Anna Roe".
LAST_WORDS = re.compile(r"\n|(?<=[.!?\u2026])\s+|\s(?=[\u2012-\u2015~]\s*\w)")
DASHES = re.compile(r"^[-~\u2010-\u2015]+\s*")
CLOSINGS = {
    "thank", "thanks", "you", "best", "wishes", "kind", "warm", "regards", "love", "sincerely", "cheers", "yours",
    "gracias", "saludos", "obrigada", "obrigado", "abraços", "danke", "gruß", "grüße", "groetjes", "bedankt",
}  # fmt: skip
LONGEST_SIGNATURE = 4  # words


def signature(text: str | None) -> str | None:
    """The name that a comment is signed with in its last words, where no account tells one; None without.

    "— Philippa G.", "Clementine Abernethorpe" and "Thanks, Anna B." after a text are signatures. After a dash any few
    words are one; else only words that all begin with a capital, two at least: "Wonderful" and "See you in May" stay.
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
    """The text with names, e-mail addresses and phone numbers replaced by `[name]`, `[e-mail]`, `[phone]`."""
    if text is None:
        return None
    text = EMAIL.sub(MASKED_EMAIL, text)
    text = NUMBERS.sub(_as_number, text)
    return pattern.sub(MASK, text) if pattern else text


def _as_number(found: re.Match[str]) -> str:
    is_phone = found["phone"] is not None and sum(map(str.isdigit, found[0])) >= FEWEST_DIGITS
    return MASKED_PHONE if is_phone else found[0]
