"""Names of accounts: "@name", "@name@host", "u/name", "name#1234", and a name after that of its platform."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.privacy.finders.spans import Span

# "@name", "@name.b", "@name@host.example"
_AT_NAME = re.compile(r"(?<![\w@/.])@(?=\w)[\w.-]{0,63}\w(?:@[\w-]+(?:\.[\w-]+)+)?")
# Words that follow the sign and name nobody: places and times, groups, program text.
_NOBODY = {
    "home",
    "work",
    "school",
    "night",
    "noon",
    "midnight",
    "lunch",
    "dinner",
    "least",
    "once",
    "first",
    "all",
    "everyone",
    "everybody",
    "anyone",
    "here",
    "channel",
    "admin",
    "alle",
    "zuhause",
    "todos",
    "tous",
    "všichni",
    "всем",
    "все",
    "media",
    "import",
    "param",
    "params",
    "return",
    "returns",
    "override",
    "charset",
    "keyframes",
    "supports",
    "font-face",
    "namespace",
    "page",
    "layer",
    "property",
    "throws",
    "see",
    "deprecated",
    "author",
    "since",
    "version",
    "todo",
    "include",
    "extend",
    "mixin",
    "use",
    "container",
    "staticmethod",
    "classmethod",
    "dataclass",
    "pytest",
    "test",
    "nullable",
    "autowired",
    "component",
    "types",
}
_HOUR = re.compile(r"\d{1,2}(?:[ap]m|h|uhr)")  # "@5pm"
# "u/name", "/u/name"
_REDDIT = re.compile(r"(?<![\w/.])/?(?P<span>u/[\w-]{3,24})(?![\w/])")
# "name#1234"
_DISCORD = re.compile(r"(?<![\w#/.])(?P<name>[^\W\d][\w.]{1,31})#\d{4}(?!\w)")
_NUMBERED = {
    "room",
    "case",
    "order",
    "item",
    "no",
    "nr",
    "issue",
    "bug",
    "ticket",
    "lot",
    "unit",
    "suite",
    "apt",
    "step",
}

_PLATFORM = (
    r"(?:insta(?:gram)?\w{0,2}|ig|snap(?:chat)?|tik ?tok|twitter|telegram\w{0,2}|tg|discord|skype|facebook|fb|threads|"
    r"mastodon|bluesky|bsky|reddit|youtube|yt|linkedin|pinterest|kik|wechat|viber|twitch|tumblr|signal|steam|vk|medium|"
    r"инст[а-я]{0,8}|телеграмм?[а-я]{0,2}|тг|"
    r"вк|тикток|скайп|אינסטה|"
    r"אינסטגרם|טלגרם|טיקטוק|"
    r"פייסבוק)"
)
_ACCOUNT = r"(?P<span>(?:live:)?[^\W_][\w.-]{1,62}\w|_[\w.-]{1,62}\w)"
# After a sign: "insta: name", "snapchat -> name", "Skype name: name".
_AFTER_SIGN = re.compile(
    rf"(?<![\w@./]){_PLATFORM}(?:[ -]?(?:name|id|handle|user(?:name)?|account|acc))?\s{{0,2}}"
    rf"(?::|=|->|=>|\u2192|\u2013|-(?=\s))\s{{0,2}}"
    rf"{_ACCOUNT}(?P<end>\s*(?:$|[\n,;!?)\].]))?",
    re.IGNORECASE,
)
# "my IG is name.b", "on Telegram I'm name_b", "find me on insta as name7"
_AFTER_WORDS = re.compile(
    rf"(?<![\w@./]){_PLATFORM}(?:\s+(?:is|as|am|i'm|i\u2019m|under|name|handle|ich|bin|heiße|als|unter|ist|je|jsem|jako|es|soy|"
    rf"como|est|suis|sous|я|как|אני)){{0,3}}\s+{_ACCOUNT}",
    re.IGNORECASE,
)


def handles(text: str, in_pages: bytes) -> Iterator[Span]:
    """Yield the names of accounts in a text, except those in the addresses of pages (`within_pages`)."""
    return (span for span in _all(text) if not in_pages[span.start])


def _all(text: str) -> Iterator[Span]:
    for match in _AT_NAME.finditer(text):
        name = match[0][1:].lower()
        if name not in _NOBODY and any(map(str.isalpha, name)) and not _HOUR.fullmatch(name):
            yield Span("handle", *match.span())
    for match in _REDDIT.finditer(text):
        yield Span("handle", *match.span("span"))
    for match in _DISCORD.finditer(text):
        if match["name"].lower() not in _NUMBERED:
            yield Span("handle", *match.span())
    for match in _AFTER_SIGN.finditer(text):
        # A word that the sentence continues after ("insta: look at this"), or that is written with a capital, is none,
        # unless it looks like an account.
        if _looks_like_account(match["span"]) or (match["end"] is not None and match["span"].islower()):
            yield Span("handle", *match.span("span"))
    for match in _AFTER_WORDS.finditer(text):
        if _looks_like_account(match["span"]):
            yield Span("handle", *match.span("span"))


def _looks_like_account(word: str) -> bool:
    """Return whether a word has what names of accounts have and words do not: a dot, a line or a digit inside."""
    return bool(re.search(r"[^\W\d_][\w-]*[._\d]", word)) and not re.fullmatch(r"\d+\w{0,2}", word)
