"""A Wix post page saved as plain text -> the post.

*Recognised by*  the first line "top of page" and the last "bottom of page": the names of Wix's two scroll anchors,
                 which are English in every language. [reference: section 1.1]
*Sources*        in between, a line a block: title (in older pages after author, date and reading time), body, counters
                 ("16 views0 comments": two elements side by side), "Recent Posts", "See All", cards.
*Caveats*        no markup separates the parts: the counters and the heading of the cards locate them, in the languages
                 of section 5 of the reference and some more. What follows them belongs to other posts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from scraper.addresses import canonical_url, is_web_address
from scraper.items import Exchange, Item, Post, Related
from scraper.not_a_post import NotAPost
from scraper.platforms._dates import PrintedDate, printed_date
from scraper.platforms._page import encoding_of, utf8
from scraper.platforms._values import (
    Counter,
    clean,
    count,
    counter_kind,
    minutes,
    visible,
    western_digits,
)
from scraper.platforms.wix import address

TOP, BOTTOM = "top of page", "bottom of page"
_RECENT = frozenset(
    (
        "recent posts, related posts, recent blog posts, entradas recientes, entradas relacionadas, "
        "posts recentes, posts relacionados, recente blogposts, recente berichten, أحدث منشورات, "
        "منشورات ذات صلة, aktuelle beiträge, ähnliche beiträge, nejnovější příspěvky, posts récents, "
        "articles récents, posts similaires, post recenti, post correlati, ostatnie posty, najnowsze posty, "
        "senaste inlägg, seneste opslag, seneste indlæg, siste innlegg, nylige innlegg, "
        "viimeisimmät päivitykset, 最新記事, 関連記事, 최근 게시물, 전체 게시물, 最新文章, 相關文章, "
        "פוסטים אחרונים, "
        "недавние посты, похожие посты, останні пости, son yazılar, son paylaşımlar, ilgili yazılar, postări recente, "
        "legutóbbi bejegyzések"
    ).split(", ")
)
_ALL = frozenset(
    (
        "see all, ver todo, ver todos, ver tudo, alles weergeven, alles bekijken, عرض الكل, alle ansehen, "
        "alle anzeigen, zobrazit vše, voir tout, tout voir, mostra tutti, vedi tutti, zobacz wszystkie, "
        "visa alla, se alla, se alle, vis alle, näytä kaikki, すべて表示, 전체 보기, 查看全部, הצג הכול, הצג הכל, "
        "смотреть все, дивитися всі, tümünü gör, vezi tot, összes megtekintése"
    ).split(", ")
)
# Lines of the site's header that a copy contains.
_SITE_HEADER = frozenset(
    (
        "all posts, search, log in / sign up, log in, sign up, todas las entradas, buscar, "
        "iniciar sesión / registrarse, todos posts, entrar / inscrever-se, alle posts, zoeken, "
        "inloggen / registreren, alle beiträge, suche, anmelden/registrieren, tous les posts, rechercher, "
        "tutti i post, cerca, •"
    ).split(", ")
)
# "2 min read", "3 min de lectura", "1 minuten om te lezen", "Minut čtení: 5", "1 دقائق قراءة"; any "5 min ..." line
_READ_TIME = re.compile(
    r"\d{1,3}\s?(?:min\b|mins\b|minut|minuut|dakika|perc|분|分|דק|мин|хв|دقائق|دقيقة)|^minut\w* \w+: \d+", re.I
)
# A line such as "Updated: Jan 7" or "Actualizado: 16 sept 2022"
_UPDATED = re.compile(r"^[^\W\d]{4,20}(?: [^\W\d]{2,10})?: (?=.*\d)")
# A line such as "Tags:" or "Etiquetas:"
_TAGS = re.compile(r"^(?:tags|etiquetas|tagi|schlagwörter|mots-clés|štítky|etiketler|العلامات):?\s*", re.I)
# "16", "1,261"
_NUMBER = re.compile(r"\d[\d.,'’٬\u00a0\u202f]*")
_LONGEST_TITLE = 160  # characters; longer lines are rarely titles, and excerpts are rarely shorter
_MAX_HEADER_LINES = 14


def is_text_copy(exchange: Exchange) -> bool:
    """Return whether the exchange is the text of a page, with the anchors that Wix puts at its ends."""
    head = exchange.body[:400].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith(TOP.encode()) and b"<html" not in exchange.body[:4096].lower()


@dataclass(slots=True)
class _Footer:
    """The counters below a text, and the first and last line that hold them."""

    numbers: dict[Counter, tuple[int | None, str]] = field(default_factory=dict)
    first: int = 0
    last: int = 0


def read_text(exchange: Exchange) -> Iterator[Item]:
    """Read a text copy: one `Post` of source "text". Raises `NotAPost` where the text is not of exactly one post."""
    lines = _lines(exchange)
    heading = _find(lines, _RECENT)
    own = lines[:heading] if heading is not None else lines
    footers = _footers(own)
    if len(footers) > 1 and heading is None:
        raise NotAPost("the text of a page with several posts")
    footer = footers[-1] if footers else None
    if footer is not None and heading is None:
        heading = _unknown_heading(lines, footer.last + 1)
    cards = lines[heading + 1 :] if heading is not None else []
    content = own[: footer.first] if footer is not None else own
    post = Post(platform="wix")
    content = _header(post, content, exchange)
    content = _take_labels(post, content)
    is_post = (
        footer is not None or heading is not None or post.published_raw is not None or post.minutes_to_read is not None
    )
    if post.title is None or not is_post:
        raise NotAPost("the text of a page, but not of a post: it has neither counters nor recent posts nor a date")
    post.body_text = "\n".join(content) or None
    post.word_count = len(post.body_text.split()) if post.body_text else None
    for kind, (number, raw) in (footer.numbers if footer is not None else {}).items():
        name = "comments_count" if kind == "comments" else kind
        setattr(post, name, number)
        setattr(post, f"{name}_raw", raw)
    post.related_posts = tuple(_cards(cards))
    if is_web_address(exchange.url):
        post.url = canonical_url(exchange.url)
        post.slug = address.slug(post.url)
        post.addresses = (post.url,)
    names = (
        "title author published_at published_raw minutes_to_read body_text word_count categories tags views views_raw"
        " likes likes_raw comments_count comments_count_raw related_posts"
    )
    given = (name for name in names.split() if getattr(post, name) not in (None, ()))
    post.sources = {**dict.fromkeys(given, "text"), **post.sources}
    yield post


def _lines(exchange: Exchange) -> list[str]:
    """Return the lines between the anchors, cleaned, without empty ones."""
    body = utf8(exchange)
    text = body.decode(encoding_of(exchange, body), "replace").lstrip("\ufeff")
    lines = [line for line in map(clean, text.splitlines()) if line is not None and visible(line)]
    start = next((at for at, line in enumerate(lines) if line.casefold() == TOP), -1)
    end = next((at for at, line in enumerate(lines) if line.casefold() == BOTTOM), len(lines))
    own = lines[start + 1 : end]
    return [line for at, line in enumerate(own) if at >= _MAX_HEADER_LINES or line.casefold() not in _SITE_HEADER]


def _find(lines: list[str], phrases: frozenset[str]) -> int | None:
    """Return the last line that is exactly one of the phrases; an author may use one as a heading before it."""
    return next((at for at in range(len(lines) - 1, -1, -1) if lines[at].casefold() in phrases), None)


def _unknown_heading(lines: list[str], after: int) -> int | None:
    """Return the line "Recent Posts" in an unknown language: two short lines after the counters, then cards."""
    rest = lines[after : after + 3]
    return after + 1 if len(rest) == 3 and len(rest[0]) <= 30 and len(rest[1]) <= 25 else None


def _counts(line: str) -> dict[Counter, tuple[int | None, str]]:
    """Return the counters of a line that holds nothing else, "16 views0 comments"; empty for any other line."""
    if len(line) > 90 or line[-1] in "!?;:":
        return {}
    plain = western_digits(line)
    numbers = list(_NUMBER.finditer(plain))
    if not 1 <= len(numbers) <= 3:
        return {}
    found: dict[Counter, tuple[int | None, str]] = {}
    start = 0
    for at, match in enumerate(numbers):
        end = numbers[at + 1].start() if at + 1 < len(numbers) else len(plain)
        behind = plain[match.end() : end]
        kind = counter_kind(behind)
        if kind is None:  # "مشاهدة واحدة (١)٠ تعليق": the number follows its word
            kind, behind = counter_kind(plain[start : match.start()]), plain[start : match.start()]
            end = match.end() + (1 if plain[match.end() : match.end() + 1] == ")" else 0)
        elif plain[start : match.start()].strip():  # "Last year the film had 5,000 views": a sentence
            return {}
        if kind is None or kind in found or len(behind.split()) > (8 if kind == "likes" else 3):
            return {}
        raw = line[start:end].strip()
        found[kind] = (count(raw), raw)
        start = end
    return found


def _footers(lines: list[str]) -> list[_Footer]:
    """Return the runs of counter lines: "16 views0 comments" on one line, or one line each."""
    found: list[_Footer] = []
    for at, line in enumerate(lines):
        numbers = _counts(line)
        if not numbers:
            continue
        if found and found[-1].last == at - 1 and not numbers.keys() & found[-1].numbers.keys():
            found[-1].numbers.update(numbers)
            found[-1].last = at
        else:
            found.append(_Footer(numbers, at, at))
    return [footer for footer in found if footer.numbers.keys() & {"views", "comments"}]


def _header(post: Post, lines: list[str], exchange: Exchange) -> list[str]:
    """Read title, author, dates and reading time at the beginning; return the other lines.

    Newer pages print the title, then author, date and reading time; older ones the title last.
    """
    meta: list[int] = []
    for at, line in enumerate(lines[:_MAX_HEADER_LINES]):
        if len(line) > 50 or (meta and at > meta[-1] + 2):
            continue
        updated = _UPDATED.sub("", line)
        if _READ_TIME.search(western_digits(line)) and minutes(line) is not None:
            post.minutes_to_read = minutes(line)
        elif (read := printed_date(updated, exchange.fetched_at)) is not None or _looks_like_date(updated):
            if post.published_raw is None:
                _set_date(post, line, read)
            elif post.modified_at is None and updated != line:
                post.modified_at = read.at if read else None
        else:
            continue
        meta.append(at)
    if not meta:
        post.title = lines[0] if lines and len(lines[0]) <= 2 * _LONGEST_TITLE else None
        return lines[1:]
    before, after = lines[: meta[0]], [line for at, line in enumerate(lines) if at > meta[0] and at not in meta]
    if before and (len(before) > 1 or not (after and _is_title(after[0]) and _is_name(before[0]))):
        if len(before) > 1 and _is_name(before[-1]):
            post.author = before.pop()
        post.title = before[-1]
        return after
    post.author = before[0] if before else None
    post.title = after[0] if after else None
    return after[1:]


def _set_date(post: Post, line: str, read: PrintedDate | None) -> None:
    post.published_raw = line
    if read is not None:
        post.published_at, post.counted_to = read.at, read.counted_to
        if read.is_relative:
            post.sources |= {"published_at": "relative", "published_raw": "relative"}


def _looks_like_date(line: str) -> bool:
    """Return whether it is a date without a year, "Sep 11", unreadable where the time of the copy is unknown."""
    return len(line) <= 16 and re.fullmatch(r"[^\W\d]{3,9}\.? \d{1,2}|\d{1,2}\.? [^\W\d]{3,9}\.?", line) is not None


def _is_name(line: str) -> bool:
    return len(line) <= 40 and len(line.split()) <= 5 and line[-1] not in ".?!:…"


def _is_title(line: str) -> bool:
    return len(line) <= _LONGEST_TITLE and line[-1] not in ".,;"


def _take_labels(post: Post, lines: list[str]) -> list[str]:
    """Read tags ("Tags:", then one a line) and categories ("A•B") at the end; return the other lines."""
    tail = max(0, len(lines) - 12)
    start = next((at for at in range(len(lines) - 1, tail - 1, -1) if _TAGS.match(lines[at])), None)
    if start is not None and all(len(line) <= 60 for line in lines[start:]):
        named = [_TAGS.sub("", lines[start]), *lines[start + 1 :]]
        post.tags = tuple(dict.fromkeys(tag for line in named if (tag := line.strip())))
        lines = lines[:start]
    if lines and "•" in lines[-1].strip("•") and len(lines[-1]) <= 120:
        post.categories = tuple(label for part in lines[-1].split("•") if (label := part.strip()))
        lines = lines[:-1]
    return lines


def _cards(lines: list[str]) -> Iterator[Related]:
    """Yield the cards after the heading: a title, sometimes an excerpt (a long line), their own numbers."""
    title: str | None = None
    excerpt: str | None = None
    position = 0
    for line in [*lines, ""]:
        numbers = bool(line) and (not any(char.isalpha() for char in line) or bool(_counts(line)))
        if line.casefold() in _ALL or (numbers and title is None):
            continue
        if line and not numbers and title is not None and excerpt is None and len(line) > _LONGEST_TITLE:
            excerpt = line
            continue
        if title is not None:
            position += 1
            yield Related(position=position, title=title, url=None, excerpt=excerpt)
        title, excerpt = (None if numbers else line or None), None
        if position >= 12:
            return
