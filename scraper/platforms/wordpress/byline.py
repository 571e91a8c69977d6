"""Title, author, dates, labels and cover of a WordPress post, as its page prints them.

*Sources*   JSON-LD of the article, the metas, then the elements that core and its themes mark: `.entry-title`,
            `.entry-date`, `.author`, `rel=tag`. What lies in comments, widgets and other posts is never read.
*Caveats*   Hidden dates of the last change have class `updated`; cards of related posts may come before the post.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from bs4 import Tag

from scraper.platforms._dates import iso_date, read_date
from scraper.platforms._html import text_of
from scraper.platforms._images import image_source
from scraper.platforms._tree import descendants
from scraper.platforms._values import clean
from scraper.platforms.wordpress.head import PageHead, text
from scraper.platforms.wordpress.markup import Markup, classes, is_elsewhere, is_inside

# "Protected: TITLE" in the languages of WordPress: its core puts this before the title of a post with a password.
_PROTECTED = re.compile(
    r"(?:protected|geschützt|protegid[oa]|protégé|protetto|beveiligd|beschermd|skyddad|beskyttet|suojattu"
    r"|zabezpieczone|zabezpieczony|chronione|chráněno|chránené|защищено|захищено|מוגן|محمي|保護中|密码保护|保護|보호된 글"
    r"|korumalı|védett|protejat|προστατευμένο|protegit|zaštićeno|zaščiteno)\s?[:：]\s*",
    re.IGNORECASE,
)
_TITLE_CLASSES = (
    "wp-block-post-title", "entry-title", "post-title", "single-title", "td-post-title", "tdb-title-text",
    "fusion-post-title", "page-title", "headline", "p-name", "post__title", "entry__title", "article-title",
)  # fmt: skip
_NAME_CLASSES = (
    "wp-block-post-author-name", "wp-block-post-author__name", "entry-author-name", "elementor-post-info__item--type-author",
    "author-name", "post-author-name", "tdb-author-name", "td-post-author-name", "byline-author", "entry-author", "post-author",
    "byline", "author", "posted-by", "meta-author", "fn", "p-author",
)  # fmt: skip
_DATE_CLASSES = (
    "wp-block-post-date", "published", "entry-date", "entry-time", "posted-on", "post-date", "date-published",
    "elementor-post-info__item--type-date", "td-post-date", "dt-published", "published-date", "post-meta-date",
    "meta-date", "entry-meta-date", "single-date", "the-date", "date", "post-time", "time", "article-date",
)  # fmt: skip
_CHANGE_CLASSES = ("updated", "entry-modified-time", "modified", "last-updated", "dt-updated", "modified-date")
# "by Anna Example", "Written by: Anna", "Von Anna"
_BY = re.compile(
    r"^(?:(?:written|posted|published|words|text|story|article)\s+)?"
    r"(?:by|von|par|por|di|door|av|af|przez|автор|author|autor|auteur|autore|verfasst von)\b[\s:]*",
    re.IGNORECASE,
)
# A byline that goes on after the name: "Anna15,219 Comments", "Anna | May 3", "Anna on May 3, 2024"
_AFTER_NAME = re.compile(
    r"\s*(?:[|·•–—/]|\s(?:on|am|le|el|il|op|den)\s+\S*\d|\d[\d.,]*\s*(?:comment|kommentar|views?)|(?:19|20)\d\d).*$",
    re.IGNORECASE,
)
_LONGEST_NAME = 80  # characters


class Byline:
    """Reads what stands above and below the text of a post. `others`: elements of comments."""

    def __init__(
        self, page: Markup, head: PageHead, area: Tag, others: Iterable[Tag], captured_at: datetime | None
    ) -> None:
        self.page = page
        self.head = head
        self.area = area
        self.others = list(others)
        self.captured_at = captured_at

    def own(self, *tokens: str) -> Iterator[Tag]:
        """Yield the elements with these classes in the post's area that lie in no comment, widget or other post."""
        return (tag for tag in self.page.with_class(*tokens) if self.is_own(tag))

    def is_own(self, tag: Tag) -> bool:
        """Return whether the element lies in the post's area, and in no comment, widget or other post there."""
        if not is_inside(tag, [self.area]) or is_inside(tag, self.others):
            return False
        for parent in (tag, *tag.parents):
            if parent is self.area:
                return True
            if parent.name == "aside" or is_elsewhere(parent):
                return False
        return True

    # --- title

    def title(self) -> str | None:
        """Return the visible heading; without one, the title that the head states."""
        headings = [tag for tag in self.page.elements("h1") if self._may_be_title(tag)]
        stated = self._stated_title()
        wanted = _words(stated)
        marked = [tag for tag in self.page.with_class(*_TITLE_CLASSES) if tag.name in ("h1", "h2", "h3", "div", "span")]
        own = [tag for tag in (*headings, *marked) if self._may_be_title(tag)]
        if not wanted:
            return text_of(own[0]) if own else None
        second = [tag for tag in self.page.elements("h2", "h3") if self._may_be_title(tag)]
        for candidates, least in ((own, 0.5), (second, 0.85), (headings[:1], 0.0)):
            scored = [(_overlap(_words(text_of(tag)), wanted), tag) for tag in candidates]
            best = max(scored, key=lambda pair: pair[0], default=None)
            if best is not None and best[0] >= least:
                return text_of(best[1])
        return stated

    def _may_be_title(self, tag: Tag) -> bool:
        return not is_inside(tag, self.others) and not classes(tag) & {"site-title", "logo", "widget-title"}

    def _stated_title(self) -> str | None:
        ours = text(self.head.article.get("headline")) or text(self.head.metas.get("og:title")) or self.head.title
        site = text(self.head.metas.get("og:site_name"))
        if ours and site and ours.casefold().endswith(site.casefold()):
            ours = ours[: -len(site)].rstrip(" |-–—·»:") or ours
        return ours

    # --- author

    def author(self) -> str | None:
        """Return the author's display name: of the article's JSON-LD, else as printed, else of the metas."""
        named = self.head.author()
        if named is not None:
            return named
        printed = next(filter(None, map(self._name, self._name_elements())), None)
        return printed or self._meta_author() or self.head.person(self.head.recipe.get("author"))

    def is_signed(self) -> bool:
        """Return whether the page prints the name of an author near the post."""
        return next(filter(None, map(self._name, self._name_elements())), None) is not None

    def _name_elements(self) -> Iterator[Tag]:
        for tag in self.page.elements("a"):
            if "author" in str(tag.get("rel") or "").lower().split() and self.is_own(tag):
                yield tag
        yield from (tag for tag in self.page.elements("span", "a", "div", "meta") if self._is_item(tag, "author"))
        yield from self.own(*_NAME_CLASSES)
        for tag in self.page.elements("a"):
            if "/author/" in str(tag.get("href") or "") and self.is_own(tag):
                yield tag

    def _is_item(self, tag: Tag, item: str) -> bool:
        return str(tag.get("itemprop") or "").lower() == item and self.is_own(tag)

    def _name(self, tag: Tag) -> str | None:
        inner = next(
            (part for part in descendants(tag) if classes(part) & {"fn", "author-name", "entry-author-name"}), None
        )
        link = next((a for a in descendants(tag, "a") if "author" in str(a.get("href") or a.get("rel") or "")), None)
        name = next((part for part in descendants(tag) if part.get("itemprop") == "name"), None)
        printed = text_of(name or inner or link or tag) or clean(str(tag.get("content") or ""))
        if printed is None or len(printed) > 2 * _LONGEST_NAME:
            return None
        found = clean(_AFTER_NAME.sub("", _BY.sub("", printed))) or None
        return found if found and len(found) <= _LONGEST_NAME and not found[0].isdigit() else None

    def _meta_author(self) -> str | None:
        metas = self.head.metas
        named = text(metas.get("author"))
        if named is None and re.search(
            r"(?i)written|author|verfasst|geschrieben|écrit|escrito|scritto|autor", metas.get("twitter:label1", "")
        ):
            named = text(metas.get("twitter:data1"))
        if named is None:
            named = next((text(metas[key]) for key in ("article:author", "dc.creator") if metas.get(key)), None)
        return None if named is None or "/" in named.replace(" // ", "") or "@" in named.split()[0] else named

    # --- dates

    def published(self) -> tuple[str | None, str | None]:
        """Return when the post was published (`iso_date`), and that as printed."""
        stated = self._stated("datePublished", "article:published_time")
        printed = next(self._printed(_DATE_CLASSES, "datepublished"), (None, None))
        if stated is not None:
            return iso_date(stated), printed[1] or stated
        if printed[0] is not None:
            return printed
        page = text(self.head.web_page.get("datePublished"))
        day = (iso_date(text(self.head.recipe.get("datePublished"))) or "")[:10] or None
        return (iso_date(page), page) if iso_date(page) else (day, day)

    def modified(self) -> str | None:
        """Return when the post was last changed, in ISO 8601."""
        stated = self._stated("dateModified", "article:modified_time") or self.head.metas.get("og:updated_time")
        if stated is not None and iso_date(stated) is not None:
            return iso_date(stated)
        return next(self._printed(_CHANGE_CLASSES, "datemodified"), (None, None))[0]

    def _stated(self, key: str, meta: str) -> str | None:
        values = (text(self.head.article.get(key)), text(self.head.metas.get(meta)))
        return next((value for value in values if iso_date(value) is not None), None)

    def _printed(self, tokens: tuple[str, ...], item: str) -> Iterator[tuple[str, str]]:
        """Yield dates of marked elements, (ISO 8601, as printed); those of the last change only where asked for."""
        changes = tokens is _CHANGE_CLASSES
        marked = [tag for tag in self.page.elements("time", "meta", "span") if self._is_item_of_date(tag, item)]
        own = [*marked, *self.own(*tokens)]
        if not changes:
            own += [tag for tag in self.page.elements("time") if self.is_own(tag)]
        for tag in own:
            if bool(classes(tag) & set(_CHANGE_CLASSES)) is not changes and "published" not in classes(tag):
                continue
            found = self._date_of(tag)
            if found is not None:
                yield found

    def _is_item_of_date(self, tag: Tag, item: str) -> bool:
        return str(tag.get("itemprop") or "").lower() == item and self.is_own(tag)

    def _date_of(self, tag: Tag) -> tuple[str, str] | None:
        times = [tag, *descendants(tag, "time")] if tag.name != "time" else [tag]
        for time in times:
            stated = str(time.get("datetime") or time.get("content") or "")
            exact = iso_date(stated)
            printed = text_of(time)
            if exact is not None:
                return exact, printed or stated
        inner = next((time for time in times[1:] if "updated" not in classes(time)), tag)
        printed = text_of(inner)
        day = _day(printed, self.captured_at, self.head.language)
        return (day, printed) if day is not None and printed is not None else None

    # --- labels and picture

    def labels(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of the post's categories and of its tags."""
        categories: dict[str, None] = {}
        tags: dict[str, None] = {}
        for link in self.page.elements("a"):
            relations = str(link.get("rel") or "").lower().split()
            if "tag" in relations or "category" in relations or relations == ["category"]:
                name = text_of(link)
                if name is not None and self.is_own(link):
                    (categories if self._is_category(link, relations) else tags).setdefault(name.removeprefix("#"))
        if not tags:
            tags = dict.fromkeys(self.head.labels)
        if not categories:
            section = self.head.article.get("articleSection") or self.head.metas.get("article:section")
            found = map(text, section if isinstance(section, list) else [section])
            categories = dict.fromkeys(name for name in found if name is not None)
        return tuple(categories), tuple(tags)

    def _is_category(self, link: Tag, relations: list[str]) -> bool:
        if "category" in relations or re.search(r"[/?&](?:category(?:_name)?|cat)[/=]", str(link.get("href") or "")):
            return True
        return any(
            classes(parent) & {"taxonomy-category", "cat-links", "entry-categories", "post-categories"}
            for parent in link.parents
        )

    def cover(self) -> str | None:
        """Return the address of the featured picture, as written; the head's where the page marks none."""
        for tag in self.page.with_class("wp-post-image", "wp-block-post-featured-image", "post-thumbnail"):
            image = tag if tag.name == "img" else next(descendants(tag, "img"), None)
            if image is not None and image_source(image) is not None and self._is_cover(image):
                return image_source(image)
        return text(self.head.metas.get("og:image"))

    def _is_cover(self, image: Tag) -> bool:
        links = (parent for parent in image.parents if parent.name == "a")
        return self.is_own(image) and next(links, None) is None


def without_protection(title: str | None) -> str | None:
    """Return the title of a post with a password as the API gives it: "Protected: Sleep" gives "Sleep"."""
    return None if title is None else clean(_PROTECTED.sub("", title, count=1)) or title


# "August 10, 2023 at 11:21 pm", "1. November 2023 10:29", "June 19th, 2018": a date, and a time without a zone
_TIME = re.compile(
    r"(?:\s+(?:at|um|à|a las|alle|om|kl\.?|às)|\s*[@,·|-])?\s+\d{1,2}[:.h]\d\d(?::\d\d)?(?:\s*[ap]\.?m\.?)?(?:\s*uhr)?\s*$",
    re.I,
)
_LABEL = re.compile(
    r"^(?:posted|published|updated|date|veröffentlicht|publié|publicado|last modified)?\s*(?:on|am|le|el)?\s*:?\s+(?=\S)",
    re.I,
)
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
# "01-11-2023 10:29": day first, as a template prints it; ambiguous numbers are left to `read_date`
_AGO = re.compile(r"(?i)\bago\b|\bvor\b|\bil y a\b|\bhace\b")


def _day(printed: str | None, captured_at: datetime | None, language: str | None) -> str | None:
    """Return the day of a printed date; the time is dropped where no zone is printed."""
    return printed_day(printed, captured_at, language)


def printed_day(printed: str | None, captured_at: datetime | None, language: str | None) -> str | None:
    """Return the day that a text prints, with or without a time of day and words around it; None where there is none.

    "August 10, 2023 at 11:21 pm" gives "2023-08-10": a time without a zone is no moment.
    """
    if printed is None or len(printed) > 80 or not any(char.isdigit() for char in printed):
        return None
    bare = _ORDINAL.sub("", _LABEL.sub("", _TIME.sub("", printed))).strip(" ,|·-–")
    found = read_date(bare, captured_at, language) or read_date(printed, captured_at, language)
    return None if found is None else found[:10]


def _words(value: str | None) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", (value or "").casefold()))


def _overlap(words: frozenset[str], wanted: frozenset[str]) -> float:
    """Return how alike two sets of words are: 1.0 for equal ones, less for each that only one of them has."""
    return 2 * len(words & wanted) / (len(words) + len(wanted)) if words or wanted else 0.0
