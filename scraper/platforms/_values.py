"""Printed values: text, counts, labels of counters and reading times.

Pure functions of what a page prints. A function that cannot tell the value returns `None`; it never guesses and never
raises on unexpected input.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Counter = Literal["views", "comments", "likes"]

# "\u200b\u200d", zero-width characters alone: nothing that can be seen.
_INVISIBLE = re.compile("[\\s\u200b-\u200f\u2060\ufeff]*")


def clean(text: str | None) -> str | None:
    """Return the text in NFC with every run of white space as one space; `None` where nothing is left."""
    if text is None:
        return None
    joined = " ".join(text.split())
    if not joined.isascii():
        joined = unicodedata.normalize("NFC", joined)
    return joined or None


def visible(text: str) -> bool:
    """Return whether the text holds more than white space and zero-width characters."""
    return not _INVISIBLE.fullmatch(text)


# "1,261", "1.261", "1 261", "1’261", "1,23,456" (whole numbers in groups), "12", "1.2K", "1,2 mil", "3万"
_NUMBER = re.compile(
    r"(?P<whole>\d{1,3}(?:[.,'’٬\u00a0\u202f\u2009 ]\d{2,3})*[.,'’٬\u00a0\u202f\u2009 ]\d{3}(?!\d)|\d{1,15})"
    r"(?:[.,٫](?P<part>\d{1,2})(?!\d))?"
    r"(?:\s?(?P<scale>[KkMm](?![^\W\d_])|mil(?![^\W\d_])|mln|Mio|Mrd|tys|tis|Tsd|тыс|тис|млн|천|만|千|万|萬))?"
)
_SCALES = {
    "k": 1000, "mil": 1000, "tys": 1000, "tis": 1000, "tsd": 1000, "тыс": 1000, "тис": 1000, "천": 1000, "千": 1000,
    "만": 10_000, "万": 10_000, "萬": 10_000, "m": 10**6, "mln": 10**6, "mio": 10**6, "млн": 10**6, "mrd": 10**9,
}  # fmt: skip


def western_digits(text: str) -> str:
    """Return the text with the decimal digits of any script as 0-9: "٤ مشاهدات" gives "4 مشاهدات"."""
    if text.isascii():
        return text
    return "".join(char if char.isascii() or not char.isdecimal() else str(unicodedata.decimal(char)) for char in text)


def count(text: str | None) -> int | None:
    """Return the whole number printed in a short text; `None` where there is none, several, or a fraction.

    "1,261 views", "1.261 Ansichten", "1 261 vues" give 1261; "٤ مشاهدات" 4; "مشاهدة واحدة (١)" 1; "0 visualização" 0.
    Abbreviations were not seen on Wix, but are read: "1.2K" gives 1200, "1,2 mil" 1200.
    """
    if not text or len(text) > 200:
        return None
    found = list(_NUMBER.finditer(western_digits(text)))
    if len(found) != 1:
        return None
    match = found[0]
    before = match.string[: match.start()]
    if before.endswith(("-", "−", ".", ",")):  # "-5", ".5": no count
        return None
    whole = int("".join(char for char in match["whole"] if char.isdigit()))
    scale = _SCALES.get((match["scale"] or "").lower())
    part = match["part"]
    if scale is None:
        return None if part else whole
    return whole * scale + (int(part) * scale // 10 ** len(part) if part else 0)


def _without_accents(text: str) -> str:
    """Return the text in lower case without accents, so that a stem finds "Commentaire", "comentário", "Komentář"."""
    return "".join(char for char in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(char))


# Stems of the words printed beside the three counters. The first six languages of each are from captured pages or
# the widget's own dictionaries (en, es, pt, nl, ar, de); the others are the ordinary words of the language.
_STEMS: dict[Counter, tuple[str, ...]] = {
    "comments": tuple(map(_without_accents, (
        "comment", "comentari", "comentário", "opmerking", "تعليق", "kommentar", "reactie", "commento", "komentář",
        "komentarz", "komentar", "kommentti", "コメント", "댓글", "留言", "评论", "評論", "תגוב", "комментар",
        "коментар",
        "yorum", "hozzászólás", "megjegyzés", "σχόλι", "ความคิดเห็น", "bình luận", "टिप्पण",
    ))),
    "likes": tuple(map(_without_accents, (
        "like", "me gusta", "curtid", "vind-ik-leuk", "vind ik leuk", "leuk", "إعجاب", "gefällt", "j’aime", "j'aime",
        "mi piace", "lajk", "to se mi líbí", "polubi", "gilla", "synes godt om", "liker", "tykkä", "いいね", "좋아요",
        "讚", "赞", "לייק", "נравится", "нрав", "лайк", "вподоб", "beğen", "aprecier", "kedvel", "μου αρέσει", "thích",
    ))),
    "views": tuple(map(_without_accents, (
        "view", "visualizaci", "visualiza", "weergave", "مشاهد", "ansicht", "aufruf", "vista", "vue", "visualizzazion",
        "zobrazen", "zhlédnut", "wyświetle", "odsłon", "visning", "näyttö", "katselu", "閲覧", "表示", "조회", "瀏覽",
        "浏览", "觀看", "צפי", "просмотр", "перегляд", "görüntüle", "vizualiz", "megtekint", "προβολ", "การดู",
        "lượt xem", "tayangan", "दृश्य",
    ))),
}  # fmt: skip


def counter_kind(text: str) -> Counter | None:
    """Return which counter a printed text is of: "2 weergaven" gives "views", "٠ تعليق" "comments"; else `None`."""
    plain = _without_accents(text[:200])
    for kind, stems in _STEMS.items():
        if any(stem in plain for stem in stems):
            return kind
    return None


def minutes(text: str | None) -> int | None:
    """Return the minutes of a reading time: "2 min read", "Minut čtení: 5", "1 دقائق قراءة"."""
    return count(text)
