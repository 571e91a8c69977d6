"""Words that multiply a printed number: "12 mil", "15 ألف", "3億", "2.5M".

The short forms of the Unicode CLDR (compact decimals) and the full words, of the languages that printed values are read
in. What means different numbers in different languages is not in the table, and neither is a single letter other than
K and M: "B" is a thousand in Turkish and a billion in English, "mil." a million in Czech and a thousand in Spanish.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_WORDS = {
    100: "百 ร้อย",
    1_000: (
        "k mil mille mila milhar milhares thousand thousands tsd tausend duizend tys tysiąc tysiące tysięcy tis tisíc"
        " tisíce ezer mii mie tuhat tuhatta tusen tusind bin χιλ χιλιάδες χίλια тыс тысяч тысяча тысячи тис тисяч"
        " тисяча тисячі ألف ألفا آلاف הלף אלף אלפים हज़ार हजार พัน nghìn ngàn rb ribu 천 千"
    ),
    10_000: "만 万 萬 หมื่น",
    100_000: "lakh lakhs lac लाख แสน",
    1_000_000: (
        "m mi mn mln mlj milj mio mill million millions millionen millón millones milhão milhões milione milioni"
        " miljoen miljon miljoner miljoona miljoonaa millioner milion miliony milionů milionów millió milioane milyon"
        " εκ εκατομμύριο εκατομμύρια млн миллион миллиона миллионов мільйон мільйони мільйонів مليون مليونا ملايين"
        " מיליון ล้าน triệu jt juta 백만 百万 百萬"
    ),
    10_000_000: "crore crores cr करोड़ 천만 千万 千萬",
    100_000_000: "억 億 亿",
    1_000_000_000: (
        "bn bi mld mlrd mrd md mia milliard milliards milliarde milliarden miliard miliardi miliardo miliardy miliardů"
        " miliardów miljard miljarder miljardia milliarder milliárd miliarde milyar bilhão bilhões billion δισ"
        " δισεκατομμύρια млрд миллиард миллиарда миллиардов мільярд мільярди мільярдів مليار مليارات بليون מיליארד"
        " พันล้าน tỷ miliar"
    ),
}
# Beginnings of words that multiply by an amount that is not known here: "billones", "bilionů", "триллион", "trillion".
_UNKNOWN = (
    "mil",
    "bil",
    "tril",
    "quadril",
    "милл",
    "милья",
    "билл",
    "трил",
    "трлн",
    "εκατομ",
    "χιλ",
    "δισ",
    "τρισ",
    "מיל",
)


def folded(text: str) -> str:
    """Return the text in lower case without accents, so that a stem finds "Commentaire", "comentário", "Komentář"."""
    return "".join(char for char in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(char))


_SCALES = {folded(word): scale for scale, words in _WORDS.items() for word in words.split()}
_LONGEST = max(map(len, _SCALES))
# "mil visualizaciones" -> "mil"; "M+" -> "M"; in Indian scripts with the signs of the vowels
WORD = re.compile("(?:[^\\W\\d_]|[\u0900-\u0dff])+")
# Scripts that put no space between a number's word and the next one: Thai, Kana, Han, Hangul (also taken apart).
_UNSPACED = re.compile("[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Scale(NamedTuple):
    """What follows a number: the factor (None where a word multiplies by an unknown one) and the rest of the text."""

    factor: int | None
    rest: str


def scale_of(text: str) -> Scale:
    """Return by what the words at the beginning of a text multiply the number before it; `text` as of `folded`.

    Two words multiply each other: "mil millones" is a billion. A text that begins with no such word has the factor 1.
    """
    factor, rest = 1, text.lstrip()
    for _ in range(3):
        word = _first(rest)
        if word is None:
            return Scale(None if rest.startswith(_UNKNOWN) else factor, rest)
        factor *= _SCALES[word]
        rest = rest[len(word) :].lstrip(" .\u200f\u00a0")
    return Scale(None, rest)


def _first(text: str) -> str | None:
    """Return the word of the table that the text begins with; None where it begins with none."""
    word = WORD.match(text)
    if word is not None and word[0] in _SCALES:
        # "5 mil." is Spanish for 5,000 and Czech for 5,000,000.
        return None if word[0] == "mil" and text[word.end() : word.end() + 1] == "." else word[0]
    if not _UNSPACED.match(text):
        return None
    return next((text[:end] for end in range(_LONGEST, 0, -1) if text[:end] in _SCALES), None)
