"""Judge a page by what it shows: little text, few links, and words of two notions of one kind.

One of the words stands in the title, in a heading or, where there is no heading, at the beginning of the text: an
article about suspended accounts names them, too, but shows more than a wall does. The more a page shows, the more
notions it takes. A form that belongs to the kind (a password, a button of consent) counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from scraper.quality._doubt import Doubt, Kind
from scraper.quality._page import ShownPage, folded
from scraper.quality._words import NOTIONS


class _Measure(NamedTuple):
    """How much a page of a kind may show, and how many notions it takes."""

    length: int  # characters of text
    links: int  # to other pages of the site
    blocks: int  # blocks of a sentence or more
    notions: int


_NOTICE = _Measure(450, 2, 1, 2)
# For each kind, how much its pages may show: a notice of a few words; the longer pages of some makers (consent
# dialogues name purposes and partners); a notice inside the site's own frame, whose menu links to other pages.
_MEASURES: dict[Kind, Sequence[_Measure]] = {
    "bot-challenge": (_NOTICE, _Measure(900, 2, 5, 3)),
    "consent-wall": (_Measure(450, 2, 2, 3), _Measure(1500, 2, 5, 4)),
    "login-wall": (_NOTICE, _Measure(700, 12, 1, 3)),
    "parked": (_NOTICE, _Measure(1500, 2, 4, 3)),
    "suspended": (_NOTICE, _Measure(900, 2, 4, 3)),
    "maintenance": (_NOTICE, _Measure(600, 12, 2, 3), _Measure(350, 12, 1, 2)),
    "coming-soon": (_NOTICE, _Measure(700, 4, 3, 3)),
    "error-page": (_Measure(140, 2, 1, 2), _Measure(1500, 12, 4, 3)),
}
# Notions of which one is enough on a page that says nothing else and leads nowhere.
_CORE = frozenset({"nothing put there", "soon", "being built", "work"})
_SINGLE = _Measure(130, 0, 1, 1)
_SHORT = 200  # characters of a text that is all headline
# "brightsmile.example" in a title or heading
_DOMAIN = re.compile(r"(?<![\w@.-])(?:[\w-]+\.)+[a-z]{2,12}(?![\w-])")
# "Loading...", "Please wait", "You need to enable JavaScript to run this app."
_LOADING = re.compile(
    r"\b(?:loading|please wait|you need to enable javascript to run this app|javascript is required|laden|wird geladen|"
    r"chargement|cargando|carregando|caricamento|yukleniyor|ladowanie|nacitani|загрузка|завантаження|جار التحميل|"
    r"טוען|dang tai|memuat|laddar)\b|読み込み中|로딩 ?중|불러오는 ?중|加载中|載入中|กำลังโหลด|[\W\d_]+"
)
# At most so much of something else on a page whose content a script would fill in.
_LEFT = 25


def by_words(page: ShownPage) -> Doubt | None:
    """Return what the page is, judged by its words; None for a page that may be the site's own.

    A page with a date that leads to other pages of the site may be a post about a wall, and is not judged.
    """
    if page.is_dated and page.links:
        return None
    headline, text = folded(page.headline), folded(f"{page.title} {page.text} {page.unscripted}")
    found = [
        (len(notions), kind, notions)
        for kind in _MEASURES
        if (notions := _notions(kind, page, headline, text)) is not None
    ]
    if not found:
        return None
    # The kind with most notions; of equal ones the first, which is the more particular.
    number = max(number for number, _, _ in found)
    kind, notions = next((kind, notions) for count, kind, notions in found if count == number)
    return Doubt(kind, f"the page shows nearly nothing but words for {_and(notions)}")


def _notions(kind: Kind, page: ShownPage, headline: str, text: str) -> list[str] | None:
    """Return the names of the kind's notions that the page names, None where it is not of the kind."""
    wanted = [measure.notions for measure in _MEASURES[kind] if _fits(page, measure)]
    if not wanted:
        return None
    names = [name for name, pattern in NOTIONS[kind] if pattern.search(text)]
    if _fits(page, _SINGLE) and _CORE.intersection(names):
        wanted.append(_SINGLE.notions)
    if page.length > _SHORT:
        in_headline = any(pattern.search(headline) for _, pattern in NOTIONS[kind])
        if not in_headline and not (kind == "suspended" and _DOMAIN.search(headline)):
            return None
    names += _forms(kind, page, headline)
    return names if len(names) >= min(wanted) else None


def _fits(page: ShownPage, measure: _Measure) -> bool:
    return page.length <= measure.length and page.links <= measure.links and page.blocks <= measure.blocks


def _forms(kind: Kind, page: ShownPage, headline: str) -> list[str]:
    """Return what the page has beside words that belongs to the kind."""
    if kind == "bot-challenge" and page.has_test:
        return ["a test"]
    if kind == "login-wall" and page.has_password:
        return ["a field for a password"]
    if kind == "consent-wall" and page.buttons:
        return ["a button"]
    if kind == "coming-soon" and page.has_countdown:
        return ["a countdown"]
    if kind == "parked" and _DOMAIN.search(headline):
        return ["the name of a domain"]
    return []


def by_emptiness(page: ShownPage) -> Doubt | None:
    """Return whether nothing is shown: no text, or hardly any beside an element that a script would fill."""
    if page.media or page.has_fields or page.buttons:
        return None
    left = len(_LOADING.sub("", folded(page.text)))
    is_frame = page.has_root and page.scripts > 0 and page.links == 0
    if left > (_LEFT if is_frame else 0):
        return None
    return Doubt("empty-shell", "the page has no content, only an empty frame")


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
