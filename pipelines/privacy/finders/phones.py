"""Phone numbers: national and international, told apart from doses, prices, dates, orders and other numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.privacy.finders.spans import Span

_GAP = r"(?: ?[-\u2010-\u2013/.] ?|[ \u00a0\u202f\u2009])"
# Digits that are no phone number: "2019-02-01 14:30", "01/02/2019", "12.5.2024 9"; matched first.
_DATE = r"(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d)(?!\d)(?:[ T]\d{1,2}(?![\d-]))?"
# With brackets and gaps: "(555) 010-2368", "+1 555 010 2368", "+49 (0)30/5550102", "(+34) 600 00 01 77", "5550102368"
_DIGITS = rf"\(?\+?[ \u00a0]?\(?\d{{1,15}}\)?(?:(?:{_GAP}|(?=\()|(?<=\)))\(?\d{{1,12}}\)?){{0,8}}"
# "ext. 12", "x12", "Durchwahl 12", "klapka 12"
_EXTENSION = (
    r"(?:,?[ \u00a0]?(?:ext(?:ension)?|x|durchwahl|dw|poste|int|anexo|klapka|linka|доб"
    r"|שלוחה)\.?[ \u00a0]?\d{1,6})?"
)
_NUMBERS_OR_DATES = re.compile(
    rf"(?<![\w#])(?<!\d[.,:-])(?:(?P<date>{_DATE})|(?P<phone>{_DIGITS}{_EXTENSION}))", re.IGNORECASE
)
_FEWEST, _FEWEST_ABROAD, _FEWEST_CALLED, _MAX_DIGITS = 9, 8, 7, 15
# A unit or currency after it, or more of a longer token: "500 mg", "12 500 000 Kc", "100-200x".
_FOLLOWED = re.compile(
    r"[\w@]|-\w|[ \u00a0\u202f]?(?:mg|mcg|µg|ml|kg|iu|units?|мг|מ|euros?|eur|usd|kč|руб|"
    r"€|\$|£|%|₪|₽|views?|vues|aufrufe|vistas|steps)(?!\w)",
    re.IGNORECASE,
)
# Words that say what else a number is, shortly before it: "order no. 555 010 236".
_OTHER = re.compile(
    r"(?:\b(?:isbn|issn|ndc|iban|bic|vin|mrn|cpt|icd|npi|doi|orders?|invoice|case|lot|batch|serial|tracking|parcel|policy|"
    r"claim|ref(?:erence)?|receipt|ticket|zip|code|account|member(?:ship)?|page|lines?|version|no|nr|num|"
    r"bestell\w*|auftrag\w*|rechnung\w*|police|vertrag\w*|akten\w*|kunden\w*|konto\w*|sendung\w*|charge|plz|"
    r"commande|facture|dossier|contrat|colis|réf|article|pedido|factura|póliza|expediente|envío|lote|"
    r"objednávk\w*|faktur\w*|smlouv\w*|zásilk\w*|psč|číslo jednací|"
    r"заказ\w*|сч[её]т\w*|полис\w*|"
    r"накладн\w*|договор\w*|индекс|"
    r"הזמנה|חשבונית|פוליסה|"
    r"מיקוד|חבילה)\b|n°|№|#|[$€£₪₽])[^!?\n\d]{0,10}$",
    re.IGNORECASE,
)
# Words that announce a number to call.
_CALLED = re.compile(
    r"(?:\b(?:call|phone|ring|dial|text|tel|mobile|cell|fax|line|voicemail|whatsapp|signal|anrufen|ruf\w*|telefon\w*|"
    r"handy|mobil\w*|appel\w*|portable|tél\w*|llam\w*|móvil|teléf\w*|volejte|mobil|zavolej\w*|"
    r"тел\w*|звон\w*|позвон\w*|טלפון|"
    r"התקשר\w*|נייד))\b[^!?\n\d]{0,24}$",
    re.IGNORECASE,
)


def phone_numbers(text: str, in_pages: bytes) -> Iterator[Span]:
    """Yield the phone numbers in a text; digits in the addresses of pages (`within_pages`) are none."""
    for match in _NUMBERS_OR_DATES.finditer(text):
        if match["phone"] is None:
            continue
        start, end = match.span()
        if not in_pages[start] and _is_phone(text, start, end):
            yield Span("phone", start + (len(match[0]) - len(match[0].lstrip())), end)


def _is_phone(text: str, start: int, end: int) -> bool:
    number = text[start:end].strip()
    groups = re.findall(r"\d+", number)
    digits = sum(map(len, groups))
    if digits < _FEWEST_CALLED:
        return False
    before = text[max(0, start - 48) : start]
    is_abroad = "+" in number[:3] or number.lstrip("(").startswith("00")
    if digits > _MAX_DIGITS + 6 or _FOLLOWED.match(text, end) or _is_measure(number, groups, is_abroad=is_abroad):
        return False
    is_called = _CALLED.search(before) is not None
    if is_abroad and "+" in number[:3]:
        return digits >= _FEWEST_ABROAD
    if digits > _MAX_DIGITS or (_OTHER.search(before) and not is_called):
        return False
    return digits >= (_FEWEST_CALLED if is_called else _FEWEST)


def _is_measure(number: str, groups: list[str], *, is_abroad: bool) -> bool:
    """Return whether the form alone tells that it is another number."""
    if is_abroad or "(" in number:
        return False
    if re.fullmatch(r"97[89]\d{10}", number):
        return True  # of a book
    sizes = [len(group) for group in groups]
    if len(groups) > 1 and all(re.fullmatch(r"(?:19|20)\d\d", group) for group in groups):
        return True  # years
    if len(groups) >= 3 and set(sizes) == {4}:
        return True  # of a card or a device
    if len(groups) == 4 and set(re.findall(r"\D", number)) == {"."} and all(int(group) < 256 for group in groups):
        return True  # the address of a computer
    if len(groups) == 2 and re.fullmatch(r"\d{1,3}\.\d+", number) and sizes[1] != 7:
        return True  # a fraction
    # in thousands, as in "12 500 000"
    return sizes[0] < 3 and len(groups) > 1 and set(sizes[1:]) == {3} and groups[0][0] != "0"
