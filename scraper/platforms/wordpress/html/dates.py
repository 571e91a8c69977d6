"""When a WordPress post was published and last changed, as its page says; and dates that are printed for people.

Exact dates come first: JSON-LD of the article, `article:published_time`, `time datetime`. Recipe plugins write local
time as if it were UTC, so that of their dates the day alone is taken. A printed time without a zone is no moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from bs4 import Tag

from scraper.platforms._dates import PrintedDate, iso_date, printed_date
from scraper.platforms._html import text_of
from scraper.platforms._tree import descendants
from scraper.platforms._values import clean
from scraper.platforms.wordpress.html.head import PageHead, text
from scraper.platforms.wordpress.html.markup import classes
from scraper.platforms.wordpress.html.scope import PostScope

_PUBLISHED = (
    "wp-block-post-date",
    "published",
    "entry-date",
    "entry-time",
    "posted-on",
    "post-date",
    "date-published",
    "elementor-post-info__item--type-date",
    "td-post-date",
    "dt-published",
    "published-date",
    "post-meta-date",
    "meta-date",
    "entry-meta-date",
    "single-date",
    "the-date",
    "post-time",
    "article-date",
    "date",
)
_MODIFIED = ("updated", "entry-modified-time", "modified", "last-updated", "dt-updated", "modified-date")
# Lines below or above the title in which a theme prints the date without a mark of its own.
_META_LINES = (
    "entry-meta",
    "post-meta",
    "fusion-meta-info",
    "meta-info",
    "post-info",
    "entry-header-meta",
    "post-header-meta",
    "article-meta",
    "single-meta",
    "post__meta",
    "entry__meta",
    "blog-meta",
    "byline",
    "posted-by",
    "author-box",
)
# Elements beside the text.
MARKED = (*_PUBLISHED, *_MODIFIED, *_META_LINES)
# "August 10, 2023 at 11:21 pm", "1. November 2023 um 10:29 Uhr": the time of day behind a date
_TIME = re.compile(
    r"(?:\s+(?:at|um|à|a las|alle|om|kl\.?|às)|\s*[@,·|-])?\s+\d{1,2}[:.h]\d\d(?::\d\d)?(?:\s*[ap]\.?m\.?)?"
    r"(?:\s*uhr)?\s*$",
    re.IGNORECASE,
)
# Before a date: Posted on May 3, 2024; Updated: May 3, 2024; Veröffentlicht am 3. Mai 2024
_LABEL = re.compile(
    r"^(?:(?:posted|published|updated|date|veröffentlicht|publié|publicado|last (?:modified|updated)|stand)"
    r"(?:\s*:\s*|\s+(?:on|am|le|el|em)\s+|\s+)|(?:on|am|le|el)\s+)",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
# "01 . Apr . 2023"
_SPACED_POINT = re.compile(r"\s+\.\s+")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_OFFSET = re.compile(r"T.*[+-](?!00:?00)\d\d:?\d\d$")  # 2024-07-21T12:14:21+02:00, not ...+00:00
_LONGEST = 80  # characters of a printed date


class Dated(NamedTuple):
    """A date in ISO 8601, as printed, and whether it depends on the day of the capture (`PrintedDate`)."""

    at: str | None = None
    raw: str | None = None
    is_relative: bool = False
    counted_to: str | None = None


def published(scope: PostScope, head: PageHead, captured_at: datetime | None) -> Dated:
    """Return when the post was published; a bare date where no zone is stated."""
    stated = _stated(head, "datePublished", "article:published_time")
    printed = next(_printed(scope, head, captured_at, "datepublished"), Dated())
    if stated is not None:
        return Dated(iso_date(stated), printed.raw or stated)
    if printed.at is not None and not printed.is_relative:
        return printed
    page = text(head.web_page.get("datePublished"))
    if iso_date(page) is not None:
        return Dated(iso_date(page), page)
    return (printed if printed.at is not None else None) or _in_meta_lines(scope, head, captured_at) or _of_recipe(head)


def _of_recipe(head: PageHead) -> Dated:
    stated = text(head.recipe.get("datePublished"))
    exact = iso_date(stated)
    return Dated() if exact is None else Dated(exact[:10], stated)


def modified(scope: PostScope, head: PageHead, captured_at: datetime | None) -> str | None:
    """Return when the post was last changed, in ISO 8601; None where the page does not say."""
    stated = _stated(head, "dateModified", "article:modified_time") or iso_date(head.metas.get("og:updated_time"))
    if stated is not None:
        return iso_date(stated)
    return next(_printed(scope, head, captured_at, "datemodified"), Dated()).at


def _stated(head: PageHead, key: str, meta: str) -> str | None:
    values = (text(head.article.get(key)), text(head.metas.get(meta)))
    return next((value for value in values if iso_date(value) is not None), None)


def _printed(scope: PostScope, head: PageHead, captured_at: datetime | None, item: str) -> Iterator[Dated]:
    """Yield dates of marked elements: ISO 8601, and as printed. `item`: their `itemprop` in lower case."""
    changed = item == "datemodified"
    marked = [tag for tag in scope.page.elements("time", "meta", "span", "div") if _item(tag) == item]
    tags = [tag for tag in marked if scope.is_own(tag)]
    tags += scope.own(*(_MODIFIED if changed else _PUBLISHED))
    tags += [] if changed else scope.named("time")
    for tag in tags:
        # "published updated": the date of a post that was never changed, or whose change the theme does not print
        if _is_of_change(tag) is changed:
            found = _date_of(tag, head, captured_at)
            if found is not None:
                yield found


def _is_of_change(tag: Tag) -> bool:
    tokens = classes(tag)
    return bool(tokens & set(_MODIFIED)) and "published" not in tokens


def _item(tag: Tag) -> str:
    return str(tag.attrs.get("itemprop") or "").lower()


def _date_of(tag: Tag, head: PageHead, captured_at: datetime | None) -> Dated | None:
    times = [tag, *(time for time in descendants(tag, "time") if not _is_of_change(time))]
    for time in times:
        stated = str(time.get("datetime") or time.get("content") or "")
        exact = iso_date(stated)
        if exact is not None:
            # A time with its offset says the site's own day, too: "2024-07-21T12:14:21+02:00".
            return Dated(exact, stated if _OFFSET.search(stated) else text_of(time) or stated)
    printed = text_of(times[-1])
    found = _day_in(printed, captured_at, head.language)
    return None if found is None else Dated(found.at[:10], printed, found.is_relative, found.counted_to)


def _in_meta_lines(scope: PostScope, head: PageHead, captured_at: datetime | None) -> Dated | None:
    for line in scope.own(*_META_LINES):
        for tag in (line, *descendants(line)):
            if _is_of_change(tag):
                continue
            for string in tag.find_all(string=True, recursive=False):
                printed = clean(str(string))
                day = printed_day(printed, captured_at, head.language) if printed and _YEAR.search(printed) else None
                if day is not None and printed is not None:
                    return Dated(day, printed)
    return None


def printed_day(printed: str | None, captured_at: datetime | None, language: str | None) -> str | None:
    """Return the day that a text prints, with or without a time of day and words around it; None where there is none.

    "August 10, 2023 at 11:21 pm" gives "2023-08-10": a time without a zone is no moment.
    """
    found = _day_in(printed, captured_at, language)
    return None if found is None else found.at[:10]


def _day_in(printed: str | None, captured_at: datetime | None, language: str | None) -> PrintedDate | None:
    if printed is None or len(printed) > _LONGEST or not any(char.isdigit() for char in printed):
        return None
    bare = _SPACED_POINT.sub(" ", _ORDINAL.sub("", _LABEL.sub("", _TIME.sub("", printed)))).strip(" ,|·-–:")
    return printed_date(bare, captured_at, language)
