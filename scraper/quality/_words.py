r"""Words of walls, parking pages and the like in some thirty languages, by kind and notion.

A notion matches where any of its words does. A kind needs two different notions, so that no single word decides
(`_shown`). Each notion is a pair: words of scripts with spaces, matched where a word begins (`\b`: where it ends, too),
and words of scripts without spaces, matched anywhere. Both are compared without accents (`_page.folded`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from scraper.quality._doubt import Kind
from scraper.quality._page import folded
from scraper.quality._words_of_hosts import HOSTS
from scraper.quality._words_of_walls import WALLS


def _notions_of(words: Mapping[Kind, Mapping[str, tuple[str, str]]]) -> dict[Kind, list[tuple[str, re.Pattern[str]]]]:
    return {
        kind: [(name, _pattern(spaced, dense)) for name, (spaced, dense) in notions.items()]
        for kind, notions in words.items()
    }


def _pattern(spaced: str, dense: str) -> re.Pattern[str]:
    r"""Return the pattern of a notion; `\d` and the like are lower case, so that folding leaves them alone."""
    return re.compile(rf"(?<!\w)(?:{folded(spaced)})|{folded(dense)}")


# For each kind, its notions with the pattern of their words, for text that is folded.
NOTIONS = _notions_of({**WALLS, **HOSTS})
