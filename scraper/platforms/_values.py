"""Readers of printed values: text, counts, labels of counters, dates, reading times, and HTML made safe.

Pure functions of what a page prints (and, for dates, of when it was captured). A reader that cannot tell gives `None`;
it never guesses and never raises on odd input.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Literal

import nh3
from bs4 import Tag
from bs4.element import NavigableString, PageElement, PreformattedString

Event = tuple[Literal["open", "close", "text"], Tag | str]
Counter = Literal["views", "comments", "likes"]

# "\u200bHands\u200d" -> nothing to see: zero-width characters alone make no text.
_INVISIBLE = re.compile("[\\s\u200b-\u200f\u2060\ufeff]*")

# --- text -----------------------------------------------------------------------------------------------------------


def clean(text: str | None) -> str | None:
    """The text in NFC with every run of white space as one space; `None` where nothing is left."""
    if text is None:
        return None
    joined = " ".join(text.split())
    if not joined.isascii():
        joined = unicodedata.normalize("NFC", joined)
    return joined or None


def visible(text: str) -> bool:
    """Something of the text can be seen: it is more than white space and zero-width characters."""
    return not _INVISIBLE.fullmatch(text)


# --- HTML -----------------------------------------------------------------------------------------------------------

# Elements that begin and end a line of text.
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "button", "caption", "center", "dd", "details", "dialog",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "html", "legend", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip
# Elements whose content is no text of the page.
SILENT = frozenset({
    "head", "iframe", "link", "meta", "noscript", "object", "script", "style", "svg", "template", "textarea",
    "title",
})  # fmt: skip

_TAGS = {
    "a", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "div", "dl", "dt", "em", "figcaption",
    "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "mark", "ol", "p", "pre", "q", "s",
    "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}


def sanitise_html(html: str) -> str:
    """Article markup without anything that runs, styles or tracks: no script, style, class, id or event handler.

    Links keep `href` and pictures `src` and `alt`, both with http, https, mailto or tel addresses (or relative ones).
    """
    return nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel=None)


def events(nodes: Iterable[PageElement]) -> Iterator[Event]:
    """Nodes as a flat stream of ("open", tag), ("text", string), ("close", tag), however deep they nest.

    Silent elements (scripts, styles, drawings), comments and declarations are left out.
    """
    stack: list[tuple[Tag | None, Iterator[PageElement]]] = [(None, iter(nodes))]
    while stack:
        owner, children = stack[-1]
        for node in children:
            if isinstance(node, Tag):
                if node.name not in SILENT:
                    yield "open", node
                    stack.append((node, iter(node.contents)))
                    break
            elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
                yield "text", str(node)
        else:
            stack.pop()
            if owner is not None:
                yield "close", owner


def text_lines(nodes: Iterable[PageElement]) -> list[str]:
    """The text of HTML nodes, a block a line: inline elements run on, `<br>` is a space, empty lines fall away."""
    lines: list[str] = []
    run: list[str] = []

    def flush() -> None:
        line = clean("".join(run))
        run.clear()
        if line is not None and visible(line):
            lines.append(line)

    for kind, what in events(nodes):
        if isinstance(what, str):
            run.append(what)
        elif what.name in BLOCKS:
            flush()
        elif what.name == "br" and kind == "open":
            run.append(" ")
    flush()
    return lines


def text_of(tag: Tag | None) -> str | None:
    """The whole text of one element on one line, blocks parted by a space; `None` for no element or no text."""
    return None if tag is None else clean(" ".join(text_lines(tag.contents)))


# --- counts ---------------------------------------------------------------------------------------------------------

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
    """The text with every decimal digit of any script as 0-9: "٤ مشاهدات" gives "4 مشاهدات"."""
    if text.isascii():
        return text
    return "".join(char if char.isascii() or not char.isdecimal() else str(unicodedata.decimal(char)) for char in text)


def count(text: str | None) -> int | None:
    """The one whole number printed in a short text; `None` where there is none, several, or a fraction.

    "1,261 views", "1.261 Ansichten", "1 261 vues" give 1261; "٤ مشاهدات" 4; "مشاهدة واحدة (١)" 1; "0 visualização" 0.
    Abbreviations were not seen on Wix and are read defensively: "1.2K" gives 1200, "1,2 mil" 1200.
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


def _plain_number(text: str) -> str:
    """Lower case without accents, so that one stem finds "Commentaire", "comentário" and "Komentář"."""
    return "".join(char for char in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(char))


# Stems of the words printed beside the three counters. The first six languages of each are from captured pages or
# the widget's own dictionaries (en, es, pt, nl, ar, de); the others are the ordinary words of the language.
_STEMS: dict[Counter, tuple[str, ...]] = {
    "comments": tuple(map(_plain_number, (
        "comment", "comentari", "comentário", "opmerking", "تعليق", "kommentar", "reactie", "commento", "komentář",
        "komentarz", "komentar", "kommentti", "コメント", "댓글", "留言", "评论", "評論", "תגוב", "комментар",
        "коментар",
        "yorum", "hozzászólás", "megjegyzés", "σχόλι", "ความคิดเห็น", "bình luận", "टिप्पण",
    ))),
    "likes": tuple(map(_plain_number, (
        "like", "me gusta", "curtid", "vind-ik-leuk", "vind ik leuk", "leuk", "إعجاب", "gefällt", "j’aime", "j'aime",
        "mi piace", "lajk", "to se mi líbí", "polubi", "gilla", "synes godt om", "liker", "tykkä", "いいね", "좋아요",
        "讚", "赞", "לייק", "נравится", "нрав", "лайк", "вподоб", "beğen", "aprecier", "kedvel", "μου αρέσει", "thích",
    ))),
    "views": tuple(map(_plain_number, (
        "view", "visualizaci", "visualiza", "weergave", "مشاهد", "ansicht", "aufruf", "vista", "vue", "visualizzazion",
        "zobrazen", "zhlédnut", "wyświetle", "odsłon", "visning", "näyttö", "katselu", "閲覧", "表示", "조회", "瀏覽",
        "浏览", "觀看", "צפי", "просмотр", "перегляд", "görüntüle", "vizualiz", "megtekint", "προβολ", "การดู",
        "lượt xem", "tayangan", "दृश्य",
    ))),
}  # fmt: skip


def counter_kind(text: str) -> Counter | None:
    """Which counter a printed text is of: "2 weergaven" gives "views", "٠ تعليق" "comments"; `None` for other words."""
    plain = _plain_number(text[:200])
    for kind, stems in _STEMS.items():
        if any(stem in plain for stem in stems):
            return kind
    return None


def minutes(text: str | None) -> int | None:
    """Minutes of a printed reading time: "2 min read", "1 minuten om te lezen", "Minut čtení: 5", "1 دقائق قراءة"."""
    return count(text)


# --- dates ----------------------------------------------------------------------------------------------------------

# The languages tried after the page's own, the ones Wix sites were seen in first.
_LANGUAGES = (
    "en", "es", "pt", "nl", "ar", "de", "cs", "fr", "it", "pl", "sv", "da", "nb", "fi", "he", "ja", "ko", "zh", "ru",
    "uk", "tr", "ro", "hu", "el",
)  # fmt: skip
# "2019", "2019年": a year is printed
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
# "03/04/2019", "3.4.2019": day and month in an order that only the language tells
_NUMERIC = re.compile(r"(\d{1,2})[/.\-]\s?(\d{1,2})[/.\-]\s?\d{4}")


def utc(moment: datetime) -> str:
    """A moment as the archive writes it, "2024-03-01T10:00:00Z": UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_date(text: str | None) -> str | None:
    """An ISO 8601 date as the archive writes it: "2024-03-01T10:00:00.123Z" gives "2024-03-01T10:00:00Z".

    Fractions of a second are dropped. A time without a zone says no moment, so that its date alone is kept. `None`
    for anything that is not ISO 8601.
    """
    printed = clean(text)
    if printed is None or len(printed) > 40 or not printed[:4].isdecimal():
        return None
    try:
        if len(printed) == len("2019-02-01"):
            return date.fromisoformat(printed).isoformat()
        moment = datetime.fromisoformat(printed)
        return moment.date().isoformat() if moment.tzinfo is None else utc(moment)
    except (ValueError, OverflowError):
        return None


def read_date(text: str | None, captured_at: datetime | None = None, language: str | None = None) -> str | None:
    """The date of a printed text, with the precision it was printed with; `None` where it says none.

    ISO 8601 as in `iso_date`. "Feb 1, 2019", "9 sept 2021", "٦ مايو ٢٠٢١" give a bare date. "Sep 11" is of the year of
    `captured_at`, or of the year before if it would lie in the future; "5 hours ago" is a bare date counted from
    `captured_at`. Without `captured_at` those two are `None`: a date is never guessed. `language` is the page's.
    """
    exact = iso_date(text)
    printed = clean(text)
    if exact is not None or printed is None or len(printed) > 60:
        return exact
    printed = western_digits(printed)
    if not any(char.isdigit() for char in printed) and captured_at is None:
        return None
    own = (language or "").lower().split("-")[0]
    numeric = _NUMERIC.fullmatch(printed)
    if numeric and own in ("", "en") and int(numeric[1]) <= 12 and int(numeric[2]) <= 12 and numeric[1] != numeric[2]:
        return None  # "03/04/2019": March or April, the page does not say
    base = None if captured_at is None else captured_at.astimezone(UTC).replace(tzinfo=None)
    for languages in _tries(own):
        found = _parse_date(printed, base, languages)
        if found is not None:
            return found
    return None


def _tries(own: str) -> list[tuple[str, ...]]:
    """The page's own language alone first, then all: "6 mar" must not be read in another language than the page's."""
    rest = tuple(language for language in _LANGUAGES if language != own)
    return [(own,), rest] if own in _LANGUAGES else [rest]


@lru_cache(maxsize=256)
def _parse_date(printed: str, base: datetime | None, languages: tuple[str, ...]) -> str | None:
    import dateparser  # noqa: PLC0415  slow to load, and needed only by pages without a machine-readable date

    def parse(parsers: list[str], parts: list[str]) -> datetime | None:
        settings = {"PARSERS": parsers, "RETURN_AS_TIMEZONE_AWARE": False, "PREFER_DATES_FROM": "current_period"}
        if parts:
            settings["REQUIRE_PARTS"] = parts
        if base is not None:
            settings["RELATIVE_BASE"] = base
        try:
            return dateparser.parse(printed, languages=list(languages), settings=settings)
        except (ValueError, OverflowError, RecursionError):
            return None

    if _YEAR.search(printed):
        found = parse(["absolute-time"], ["day", "month", "year"])
        return found.date().isoformat() if found else None
    if base is None:
        return None
    found = parse(["absolute-time"], ["day", "month"])
    if found is not None:
        day = found.date()
        if day > base.date():
            try:
                day = day.replace(year=base.year - 1)
            except ValueError:  # 29 February
                return None
        return day.isoformat()
    found = parse(["relative-time"], [])
    return found.date().isoformat() if found is not None and found <= base else None
