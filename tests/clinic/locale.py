"""Counts, dates and labels as each language prints them (section 5 of the reference).

Where the reference has no capture of a form (German read time, relative dates other than English), the form is the
one the browser's own Intl gives for that language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Boise")

Forms = dict[str, str]


@dataclass(frozen=True)
class Language:
    """The words and forms of one language."""

    code: str
    views: Forms
    comments: Forms
    read: Forms
    recent: str
    see_all: str
    updated: str
    months: tuple[str, ...]
    date: str
    short_date: str
    hours: Forms
    days: Forms
    group: str
    tags: str = "Tags:"
    writer: str = "Writer"
    direction: str = "ltr"


_EN_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_ES_MONTHS = "ene feb mar abr may jun jul ago sept oct nov dic"
_PT_MONTHS = "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez."
_NL_MONTHS = "jan feb mrt apr mei jun jul aug sep okt nov dec"
_DE_MONTHS = "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez."
_AR_MONTHS = "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر"

LANGUAGES = {
    "en": Language(
        code="en",
        group=",",
        views={"one": "# view", "other": "# views"},
        comments={"one": "# comment", "other": "# comments"},
        read={"other": "# min read"},
        recent="Recent Posts",
        see_all="See All",
        updated="Updated: ",
        months=tuple(_EN_MONTHS.split()),
        date="{month} {day}, {year}",
        short_date="{month} {day}",
        hours={"one": "# hour ago", "other": "# hours ago"},
        days={"one": "# day ago", "other": "# days ago"},
    ),
    "es": Language(
        code="es",
        group=".",
        views={"one": "# visualización", "other": "# visualizaciones"},
        comments={"one": "# comentario", "other": "# comentarios"},
        read={"one": "# Min. de lectura", "other": "# min de lectura"},
        recent="Entradas recientes",
        see_all="Ver todo",
        updated="Actualizado: ",
        months=tuple(_ES_MONTHS.split()),
        date="{day} {month} {year}",
        short_date="{day} {month}",
        hours={"one": "hace # hora", "other": "hace # horas"},
        days={"one": "hace # día", "other": "hace # días"},
        tags="Etiquetas:",
        writer="Escritor",
    ),
    "pt": Language(
        code="pt",
        group=".",
        views={"one": "# visualização", "other": "# visualizações"},
        comments={"one": "# comentário", "other": "# comentários"},
        read={"one": "# min de leitura", "other": "# min de leitura"},
        recent="Posts recentes",
        see_all="Ver tudo",
        updated="Atualizado: ",
        months=tuple(_PT_MONTHS.split()),
        date="{day} de {month} de {year}",
        short_date="{day} de {month}",
        hours={"one": "há # hora", "other": "há # horas"},
        days={"one": "há # dia", "other": "há # dias"},
        writer="Escritor",
    ),
    "nl": Language(
        code="nl",
        group=".",
        views={"one": "# weergave", "other": "# weergaven"},
        comments={"one": "# opmerking", "other": "# opmerkingen"},
        read={"other": "# minuten om te lezen"},
        recent="Recente blogposts",
        see_all="Alles weergeven",
        updated="Bijgewerkt op: ",
        months=tuple(_NL_MONTHS.split()),
        date="{day} {month} {year}",
        short_date="{day} {month}",
        hours={"other": "# uur geleden"},
        days={"one": "# dag geleden", "other": "# dagen geleden"},
        writer="Schrijver",
    ),
    "de": Language(
        code="de",
        group=".",
        views={"one": "# Ansicht", "other": "# Ansichten"},
        comments={"one": "# Kommentar", "other": "# Kommentare"},
        read={"other": "# Min. Lesezeit"},
        recent="Aktuelle Beiträge",
        see_all="Alle ansehen",
        updated="Aktualisiert: ",
        months=tuple(_DE_MONTHS.split()),
        date="{day}. {month} {year}",
        short_date="{day}. {month}",
        hours={"one": "vor # Stunde", "other": "vor # Stunden"},
        days={"one": "vor # Tag", "other": "vor # Tagen"},
        tags="Schlagwörter:",
        writer="Autor",
    ),
    "ar": Language(
        code="ar",
        group="٬",
        views={"one": "مشاهدة واحدة (#)", "two": "مشاهدتان (#)", "few": "# مشاهدات", "other": "# مشاهدة"},
        comments={"one": "تعليق واحد (#)", "two": "تعليقان (#)", "few": "# تعليقات", "other": "# تعليق"},
        read={"other": "# دقائق قراءة"},
        recent="أحدث منشورات",
        see_all="عرض الكل",
        updated="تاريخ التحديث: ",
        months=tuple(_AR_MONTHS.split()),
        date="{day} {month} {year}",
        short_date="{day} {month}",
        hours={"one": "قبل ساعة واحدة", "two": "قبل ساعتين", "few": "قبل # ساعات", "other": "قبل # ساعة"},
        days={"one": "قبل يوم واحد", "two": "قبل يومين", "few": "قبل # أيام", "other": "قبل # يومًا"},
        tags="الوسوم:",
        writer="الكاتب",
        direction="rtl",
    ),
}

_ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def _digits(language: str, text: str) -> str:
    return text.translate(_ARABIC_DIGITS) if language == "ar" else text


def plural(language: str, count: int) -> str:
    """The plural class of a count: the CLDR rule, as far as these six languages need it."""
    if language == "ar":
        if count in (1, 2):
            return "one" if count == 1 else "two"
        return "few" if 3 <= count % 100 <= 10 else "other"
    if language == "pt":
        return "one" if count < 2 else "other"
    return "one" if count == 1 else "other"


def grouped(language: str, count: int) -> str:
    """A full integer with the language's own grouping. Spanish leaves four-digit numbers ungrouped."""
    if language == "es" and count < 10_000:
        return str(count)
    return _digits(language, f"{count:,}".replace(",", LANGUAGES[language].group))


def phrase(language: str, forms: Forms, count: int) -> str:
    """A count within its phrase."""
    pattern = forms.get(plural(language, count), forms["other"])
    return pattern.replace("#", grouped(language, count))


def views(language: str, count: int) -> str:
    """A view count as printed."""
    return phrase(language, LANGUAGES[language].views, count)


def comments(language: str, count: int) -> str:
    """A comment count as printed."""
    return phrase(language, LANGUAGES[language].comments, count)


def read_time(language: str, minutes: int) -> str:
    """Western digits in every language: the captured Arabic page prints `1`, not `١`, here."""
    forms = LANGUAGES[language].read
    return forms.get(plural(language, minutes), forms["other"]).replace("#", str(minutes))


def printed_date(language: str, moment: datetime, now: datetime) -> str:
    """What a page prints: hours, then days ago within a week; then the date, without the year in the current year."""
    words = LANGUAGES[language]
    age = (now - moment).total_seconds()
    if age < 86_400:
        return phrase(language, words.hours, max(1, int(age // 3600)))
    if age < 7 * 86_400:
        return phrase(language, words.days, int(age // 86_400))
    local = moment.astimezone(ZONE)
    pattern = words.short_date if local.year == now.astimezone(ZONE).year else words.date
    return _digits(language, pattern.format(day=local.day, month=words.months[local.month - 1], year=local.year))
