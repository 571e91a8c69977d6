"""How WordPress pages print numbers of comments, views and likes, in the words of many languages."""

from __future__ import annotations

import re

from scraper.platforms._values import clean, count, counter_kind

# "5 thoughts on", "3 Responses to", "2 Antworten"
_WORDS = (
    r"(?:comments?|commentaires?|kommentar\w*|comentarios?|comentários?|commenti|commento|reacties?|opmerking(?:en)?"
    r"|komment\w+|koment\w+|комментари\w+|коментар\w*|yorum\w*|σχόλι\w+|תגובות|תגובה|تعليق\w*|コメント|评论|評論|댓글"
    r"|thoughts?|responses?|replies|reply|réponses?|réflexions?|antworten|antwort|gedanken|gedanke|respuestas?"
    r"|respostas?|risposte|pensieri|svar|avis|discussions?)"
)
# The number before or behind: 7 thoughts on, 36 Kommentare, Comments (3), Comments: 3
_COUNTED = re.compile(
    rf"(?P<number>\d[\d.,'’\u00a0\u202f ]*) ?{_WORDS}\b.*|{_WORDS} ?[:：]? ?\(? ?(?P<behind>\d[\d.,]*) ?\)?:?",
    re.IGNORECASE,
)
# "One comment", "Un commentaire", "Eine Antwort"
_ONE = re.compile(
    r"(?:one|a single|un|une|ein|eine|uno|una|um|uma|één|een|en|et|ett|jeden|один|одна)"
    rf" {_WORDS}\b.*",
    re.IGNORECASE,
)
# "No comments yet", "Keine Kommentare"
_NONE = re.compile(
    r"(?:no|zero|keine?|noch keine|aucun|pas (?:encore )?de|sin|no hay|nessun|nenhum|sem|geen|nog geen|inga|ingen|brak"
    rf"|žádné|нет) {_WORDS}(?: yet| vorhanden)?[.!]?",
    re.IGNORECASE,
)


def number_of_comments(printed: str | None) -> int | None:
    """Return the number that a text prints: "7 thoughts on ..." 7, "Un commentaire" 1, "No comments" 0; else None."""
    if printed is None:
        return None
    found = _COUNTED.fullmatch(printed)
    if found is not None:
        return count(clean((found["number"] or found["behind"]).rstrip(".,' ")))
    if _ONE.fullmatch(printed):
        return 1
    return 0 if _NONE.fullmatch(printed) else None


# "37 views", "Views: 1,693", "1.261 Ansichten": a line that says nothing else. Two words at most beside the number.
_LINE = re.compile(r"(?:[^\W\d]+ ?[:：]? ?)?[\d.,٫٬'’\u00a0\u202f ]+[KkMm]?\+?(?: ?[^\W\d]+){0,2}[.!]?")


def is_counter(printed: str, kind: str) -> bool:
    """Return whether a text is a number of views or likes and nothing else; `kind`: "views" or "likes"."""
    is_line = len(printed) <= 40 and _LINE.fullmatch(printed) is not None and "review" not in printed.lower()
    if not is_line or count(printed.lstrip("+")) is None:
        return False
    return counter_kind(printed) in (None, kind)


def is_view_line(printed: str) -> bool:
    """Return whether a text says a number of views and nothing else: "37 views", "Views: 1,693"."""
    return is_counter(printed, "views") and counter_kind(printed) == "views"
