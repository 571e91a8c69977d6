"""Judge a page by what it shows: little text, few links, and words of two notions of one kind.

One of the words stands in the title, in a heading or, where there is no heading, at the beginning of the text: an
article about suspended accounts names them, too, but shows more than a wall does. Kinds whose pages have a form (a
password, a button of consent) need that form or a third notion.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from scraper.quality._doubt import Doubt, Kind
from scraper.quality._page import Page, folded
from scraper.quality._words import NOTIONS


class _Measure(NamedTuple):
    """How much a page of a kind may show, and how many notions it takes."""

    length: int  # characters of text
    links: int  # to other pages of the site
    blocks: int  # blocks of a sentence or more
    notions: int = 2


# A page that shows little, whatever its kind; consent dialogues name purposes and partners at length.
_BARREN: dict[Kind, _Measure] = {
    "bot-challenge": _Measure(900, 2, 5),
    "consent-wall": _Measure(1500, 2, 5, 3),
    "login-wall": _Measure(700, 3, 1),
    "parked": _Measure(1500, 2, 4),
    "suspended": _Measure(900, 2, 4),
    "maintenance": _Measure(700, 2, 4),
    "coming-soon": _Measure(700, 2, 3),
    "error-page": _Measure(1500, 2, 4),
}
# A page inside the site's own frame: its menu is there, but the middle holds nothing except the notice.
_FRAMED: dict[Kind, _Measure] = {
    "maintenance": _Measure(600, 12, 2, 2),
    "error-page": _Measure(700, 12, 2, 3),
    "coming-soon": _Measure(300, 4, 1, 3),
    "login-wall": _Measure(500, 12, 1, 3),
}
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


def by_words(page: Page) -> Doubt | None:
    """Return what the page is, judged by its words; None for a page that may be the site's own."""
    headline, text = folded(page.headline), folded(f"{page.title} {page.text} {page.unscripted}")
    found = [
        (len(notions), kind, notions)
        for kind in _BARREN
        if (notions := _notions(kind, page, headline, text)) is not None
    ]
    if not found:
        return None
    # The kind with most notions; of equal ones the first, which is the more particular.
    number = max(number for number, _, _ in found)
    kind, notions = next((kind, notions) for count, kind, notions in found if count == number)
    return Doubt(kind, f"the page shows nearly nothing but words for {_and(notions)}")


def _notions(kind: Kind, page: Page, headline: str, text: str) -> list[str] | None:
    """Return the names of the kind's notions that the page names, None where it is not of the kind."""
    measures = [
        measure for measure in (_BARREN[kind], _FRAMED.get(kind)) if measure is not None and _fits(page, measure)
    ]
    if not measures:
        return None
    names = [name for name, pattern in NOTIONS[kind] if pattern.search(text)]
    in_headline = any(pattern.search(headline) for _, pattern in NOTIONS[kind])
    in_headline |= kind == "suspended" and _DOMAIN.search(headline) is not None
    names += _forms(kind, page, headline)
    wanted = min(measure.notions for measure in measures)
    return names if in_headline and len(names) >= wanted else None


def _fits(page: Page, measure: _Measure) -> bool:
    return page.length <= measure.length and page.links <= measure.links and page.blocks <= measure.blocks


def _forms(kind: Kind, page: Page, headline: str) -> list[str]:
    """Return what the page has beside words that belongs to the kind."""
    if kind == "login-wall" and page.has_password:
        return ["a field for a password"]
    if kind == "consent-wall" and page.buttons:
        return ["a button"]
    if kind == "coming-soon" and page.has_countdown:
        return ["a countdown"]
    if kind == "parked" and _DOMAIN.search(headline):
        return ["the name of a domain"]
    return []


def by_emptiness(page: Page) -> Doubt | None:
    """Return whether nothing is shown: no text, or hardly any beside an element that a script would fill."""
    if page.media:
        return None
    left = len(_LOADING.sub("", folded(page.text)))
    is_frame = page.has_root and page.scripts > 0 and page.links == 0
    if left > (_LEFT if is_frame else 0):
        return None
    return Doubt("empty-shell", "the page has no content, only an empty frame")


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
