"""Printed values: text, counts, labels of counters and reading times.

Pure functions of what a page prints. A function that cannot tell the value returns `None`; it never guesses and never
raises on unexpected input.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from scraper.platforms._scales import WORD, Scale, folded, scale_of

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


# "1,261", "1.261", "1 261", "1’261", "1,23,456" (whole numbers in groups), "12", "1.2" of "1.2K"
_NUMBER = re.compile(
    r"(?P<whole>\d{1,3}(?:[.,'’٬\u00a0\u202f\u2009 ]\d{2,3})*[.,'’٬\u00a0\u202f\u2009 ]\d{3}(?!\d)|\d{1,15})"
    r"(?:[.,٫](?P<part>\d{1,2})(?!\d))?"
)
# Signs around a number that is not exact: "999+", ">99", "~5", "-5", ".5"
_INEXACT_BEFORE = ("-", "−", ".", ",", "+", "＋", "<", ">", "~", "≈", "≥", "≤", "±")
_INEXACT_AFTER = ("+", "＋", "%", "٪")
# "over 999 views", "más de 12 mil": words before a number that is not exact
_ABOUT = re.compile(
    r"(?:over|above|about|around|almost|nearly|(?:more|less|fewer) than|at least|up to|ca|circa|uber|mehr als|fast|etwa"
    r"|mas de|menos de|mais de|plus de|moins de|environ|piu di|meer dan|ruim|ponad|okolo|vice nez|более|больше|около"
    r"|اكثر من|حوالي)\.?\s*$"
)


def western_digits(text: str) -> str:
    """Return the text with the decimal digits of any script as 0-9: "٤ مشاهدات" gives "4 مشاهدات"."""
    if text.isascii():
        return text
    return "".join(char if char.isascii() or not char.isdecimal() else str(unicodedata.decimal(char)) for char in text)


@lru_cache(maxsize=4096)  # pages print the same few again and again
def count(text: str | None) -> int | None:
    """Return the whole number printed in a short text; `None` where there is none, several, or one that is not exact.

    "1,261 views", "1.261 Ansichten", "1 261 vues" give 1261; "٤ مشاهدات" 4; "مشاهدة واحدة (١)" 1; "0 visualização" 0.
    Words that multiply are counted in: "1.2K" gives 1200, "1,2 mil" 1200, "15 ألف" 15000. A word between the number and
    what is counted may multiply, too: where it is not known, or means several numbers, there is no count ("2 mil.",
    "5 B"). Nor is there one for "999+" and "over 999".
    """
    found = _only_number(text)
    if found is None:
        return None
    match, before, behind = found
    if before.endswith(_INEXACT_BEFORE) or _ABOUT.search(before):
        return None
    scale = Scale(1, behind) if _is_counted(behind) else scale_of(behind)
    if scale.factor is None or scale.rest.startswith(_INEXACT_AFTER):
        return None
    if scale.factor == 1 and not _is_counted(scale.rest):
        return None
    part, whole = match["part"], match["whole"]
    if scale.factor == 1:
        return None if part else int("".join(char for char in whole if char.isdigit()))
    if not whole.isdigit():  # "1.234 mil" may be 1,234 or 1,234,000
        return None
    return int(whole) * scale.factor + (int(part) * scale.factor // 10 ** len(part) if part else 0)


def _only_number(text: str | None) -> tuple[re.Match[str], str, str] | None:
    """Return the only number of a short text, and the text before and behind it in the form of `folded`."""
    if not text or len(text) > 200:
        return None
    found = list(_NUMBER.finditer(western_digits(text)))
    if len(found) != 1:
        return None
    match = found[0]
    return match, folded(match.string[: match.start()]).strip(), folded(match.string[match.end() :]).strip()


def _is_counted(behind: str) -> bool:
    """Return whether the text behind a number begins with what is counted, as far as can be told.

    The stem of a counter; nothing but signs; or a word of an unknown language that is too long for an abbreviation and
    not followed by a counter, before which it might multiply.
    """
    if behind.startswith(_INEXACT_AFTER):
        return False
    if any(behind.startswith(stem) for stems in _STEMS.values() for stem in stems):
        return True
    word = WORD.match(behind)
    if word is None:
        return True
    if scale_of(behind) != (1, behind):
        return False
    return (len(word[0]) > 3 or not word[0].isascii()) and counter_kind(behind[word.end() :]) is None


# Stems of the words printed beside the three counters. The first six languages of each are from captured pages or
# the widget's own dictionaries (en, es, pt, nl, ar, de); the others are the ordinary words of the language.
_STEMS: dict[Counter, tuple[str, ...]] = {
    "comments": tuple(
        map(
            folded,
            (
                "comment",
                "comentari",
                "comentário",
                "opmerking",
                "تعليق",
                "kommentar",
                "reactie",
                "commento",
                "komentář",
                "komentarz",
                "komentar",
                "kommentti",
                "コメント",
                "댓글",
                "留言",
                "评论",
                "評論",
                "תגוב",
                "комментар",
                "коментар",
                "yorum",
                "hozzászólás",
                "megjegyzés",
                "σχόλι",
                "ความคิดเห็น",
                "bình luận",
                "टिप्पण",
            ),
        )
    ),
    "likes": tuple(
        map(
            folded,
            (
                "like",
                "me gusta",
                "curtid",
                "vind-ik-leuk",
                "vind ik leuk",
                "leuk",
                "إعجاب",
                "gefällt",
                "j’aime",
                "j'aime",
                "mi piace",
                "lajk",
                "to se mi líbí",
                "polubi",
                "gilla",
                "synes godt om",
                "liker",
                "tykkä",
                "いいね",
                "좋아요",
                "讚",
                "赞",
                "לייק",
                "נравится",
                "нрав",
                "лайк",
                "вподоб",
                "beğen",
                "aprecier",
                "kedvel",
                "μου αρέσει",
                "thích",
            ),
        )
    ),
    "views": tuple(
        map(
            folded,
            (
                "view",
                "visualizaci",
                "visualiza",
                "weergave",
                "مشاهد",
                "ansicht",
                "aufruf",
                "vista",
                "vue",
                "visualizzazion",
                "zobrazen",
                "zhlédnut",
                "wyświetle",
                "odsłon",
                "visning",
                "näyttö",
                "katselu",
                "閲覧",
                "表示",
                "조회",
                "瀏覽",
                "浏览",
                "觀看",
                "צפי",
                "просмотр",
                "перегляд",
                "görüntüle",
                "vizualiz",
                "megtekint",
                "προβολ",
                "การดู",
                "lượt xem",
                "tayangan",
                "दृश्य",
            ),
        )
    ),
}


def counter_kind(text: str) -> Counter | None:
    """Return which counter a printed text is of: "2 weergaven" gives "views", "٠ تعليق" "comments"; else `None`."""
    plain = folded(text[:200])
    for kind, stems in _STEMS.items():
        if any(stem in plain for stem in stems):
            return kind
    return None


def minutes(text: str | None) -> int | None:
    """Return the minutes of a reading time: "2 min read", "Minut čtení: 5", "1 دقائق قراءة"."""
    found = _only_number(text)
    if found is None or found[0]["part"] or found[1].endswith(_INEXACT_BEFORE):
        return None
    return int("".join(char for char in found[0]["whole"] if char.isdigit()))
