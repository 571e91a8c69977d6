"""The date on which an article was published.

Dates are read in this order: JSON-LD of the article, `article:published_time`, `<time>` and printed dates in the
article's own header, htmldate. A date of htmldate may come from anywhere in the page: its source is "text", which every
other source outranks, and it is no evidence that the page is a post.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass

from lxml.html import HtmlElement

from scraper.items import Source
from scraper.platforms._article.dom import Tree, classes_of, text_of
from scraper.platforms._article.fields import ArticleScope, HeadFields, Shape
from scraper.platforms._article.ld import LinkedData
from scraper.platforms._dates import iso_date, read_date
from scraper.platforms._values import clean


@dataclass(frozen=True, slots=True)
class Dated:
    """A date of publication: ISO 8601, as printed, and where it was read."""

    at: str | None = None
    raw: str | None = None
    source: Source = "html"


_DATES = (
    '[itemprop~="datePublished"]',
    ".dt-published",
    "time[pubdate]",
    "time.published",
    "time.entry-date",
    "time[datetime]",
    "time",
    ".published",
    ".entry-date",
    ".post-date",
    ".posted-on",
    ".publish-date",
    ".article-date",
    ".blog-date",
    ".post-meta",
    ".entry-meta",
    ".date",
    '[class*="publish"]',
    '[class*="-date"]',
    '[class*="date-"]',
    '[class*="_date"]',
)
# "Posted on May 3, 2024", "Published: 3 May 2024", "Last updated on ..." is no date of publication
_BEFORE_DATE = re.compile(
    r"^(?:(?:posted|published|written|created|added|publicado|veröffentlicht|publié)\b[^\d:]{0,12}[:\s]|date:|on\s)\s*",
    re.I,
)
_UPDATED = re.compile(r"\b(?:updated|modified|aktualisiert|actualizado|mis à jour)\b", re.IGNORECASE)
# A printed date without its year is none: the page was not made on the day on which it is read.
_YEAR = re.compile(r"(?:19|20|١٩|٢٠|۱۹|۲۰)\d\d|\d{1,2}[./-]\d{1,2}[./-]\d\d(?!\d)")
# a date inside a byline: "By Ann Lee | May 3, 2024 | 5 min read"
_INSIDE = re.compile(
    r"\b(?:[A-Z][a-z]{2,8}\.? \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d\d"
    r"|\d{1,2}(?:st|nd|rd|th|\.)? [^\W\d]{3,10}\.?,? (?:19|20)\d\d"
    r"|(?:19|20)\d\d-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d|(?:19|20)\d\d年\d{1,2}月\d{1,2}日)"
)


def date_of(tree: Tree, scope: ArticleScope, head: HeadFields, ld: LinkedData, shape: Shape) -> Dated:
    """Return the date on which the article was published, without what htmldate finds."""
    language = head.language
    for element in tree.all(*shape.date):
        found = printed_date(element, language)
        if found.at is not None:
            return found
    for raw in (ld.string("datePublished"), head.metas.get("article:published_time"), head.metas.get("datepublished")):
        at = read_date(clean(raw), language=language) if raw else None
        if at is not None:
            return Dated(at, clean(raw))
    for element in scope.candidates(_DATES):
        if not _UPDATED.search(classes_of(element)):
            found = printed_date(element, language)
            if found.at is not None:
                return found
    return _printed_near(scope, language)


def printed_date(element: HtmlElement, language: str | None) -> Dated:
    """Return the date of an element: of its `datetime` or `content`, else of its text."""
    stamp = element.get("datetime") or element.get("content") or ""
    if element.tag == "abbr":  # microformats before HTML5
        stamp = stamp or element.get("title") or ""
    at = iso_date(clean(stamp)) or (read_date(clean(stamp), language=language) if stamp else None)
    text = text_of(element)
    if at is not None:
        return Dated(at, text if text and len(text) <= 60 else clean(stamp))
    if text is None or len(text) > 200 or not _YEAR.search(text) or _UPDATED.search(text):
        return Dated()
    plain = _BEFORE_DATE.sub("", text)
    inside = _INSIDE.search(plain)
    for raw in (plain, inside[0] if inside else None):
        at = read_date(raw, language=language) if raw and any(char.isdigit() for char in raw) else None
        if at is not None and raw:
            return Dated(at, text if len(text) <= 60 else raw)
    return Dated()


def _printed_near(scope: ArticleScope, language: str | None) -> Dated:
    for element in scope.candidates(("p", "span", "div", "li", "small", "h4", "h5", "h6", "em", "a")):
        text = text_of(element) if len(element) < 4 else None
        if text and len(text) <= 100 and _INSIDE.search(text):
            found = printed_date(element, language)
            if found.at is not None:
                return found
    return Dated()


def guessed_date(tree: Tree) -> Dated:
    """Return the date that htmldate finds in structured parts of the page; its source is "text", the weakest."""
    from htmldate import find_date  # noqa: PLC0415  slow to load, and needed only by pages without a date

    page = deepcopy(tree.root)
    for element in list(page.iter("img", "source", "picture", "meta")):  # names of files contain dates, too
        if element.tag != "meta" or "image" in (element.get("property") or element.get("name") or ""):
            element.drop_tree()
    try:
        found = find_date(page, url=None, original_date=True, extensive_search=False, outputformat="%Y-%m-%d")
    except Exception:  # the library is given pages of any shape
        return Dated()
    return Dated(iso_date(found), None, "text") if found else Dated()
