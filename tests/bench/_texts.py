"""An archive of texts as clinics write them: what the figures of derived texts are measured on.

Posts of 300 to 2,500 words in sentences of 5 to 40, in paragraphs. A tenth of the sentences of a clinic is in other
posts of it, too. Three posts of a hundred are another clinic's post, reworded; one of five was edited once. The numbers
grow with the posts alone, so that a thousand posts stand for a hundred thousand.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archive.db import open_archive
from tests.bench._archive import CLINICS, START, VOCABULARY, rows_into

SHARED, REWORDED, EDITED = 0.10, 0.03, 0.20
ENDS = (".", ".", ".", ".", "?", "!", ". (See below.)", " (IV).")


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


@cache
def made(posts: int) -> Path:
    """The folder of an archive with the texts of so many posts, of which nothing is derived; made once a run."""
    folder = Path(_folder().name) / str(posts)
    with closing(open_archive(folder, "write")) as db, db.atomic():
        db.execute("PRAGMA defer_foreign_keys = ON")
        clinics = [(name, name, "https://x.example", "blog") for name in map(_clinic, range(min(CLINICS, posts)))]
        rows_into(db, "clinics", "clinic_id name url blog_status", iter(clinics))
        rows_into(
            db, "crawls", "crawl_id started_at software", ((name, _at(0), "bench") for name in ("first", "second"))
        )
        texts = list(_texts(posts))
        visits = [(number, day) for day in (0, 30) for number in range(posts)]
        rows_into(
            db, "captures", "capture_id crawl_id clinic_id url method fetched_at record_type warc_file warc_offset"
            " warc_length origin",
            ((f"{number}-{day}", "second" if day else "first", _clinic(number), f"https://x.example/{number}", "GET",
              _at(day, number), "response", "warc/x", day * 10**9 + number, 100, "crawl") for number, day in visits),
        )  # fmt: skip
        rows_into(
            db, "posts", "post_id clinic_id platform url title published_at revision_id sources first_seen_at"
            " last_seen_at",
            ((number + 1, _clinic(number), "wix", f"https://x.example/{number}", f"Post {number}", _at(0), number + 1,
              "{}", _at(0, number), _at(30, number)) for number in range(posts)),
        )  # fmt: skip
        rows_into(
            db, "revisions", "revision_id post_id capture_id kind source captured_at content_sha256 title body_text"
            " body_html word_count extractor_version",
            _revisions(texts),
        )  # fmt: skip
        rows_into(
            db, "sightings", "clinic_id url post_id capture_id revision_id source seen_at",
            ((_clinic(number), f"https://x.example/{number}", number + 1, f"{number}-{day}",
              number + 1 + (posts if day and texts[number][1] else 0), "post", _at(day, number))
             for number, day in visits),
        )  # fmt: skip
    return folder


def _revisions(texts: list[tuple[str, str | None]]) -> Iterator[tuple[Any, ...]]:
    for day, kind in ((0, "first"), (30, "content")):
        for number, both in enumerate(texts):
            text = both[day > 0]
            if text is not None:
                html = "".join(f"<p>{line}</p>" for line in text.split("\n"))
                yield (
                    number + 1 + (len(texts) if day else 0), number + 1, f"{number}-{day}", kind, "html",
                    _at(day, number), f"{number + day * 10**6:064x}", f"Post {number}", text, html,
                    len(text.split()), 1,
                )  # fmt: skip


def _texts(posts: int) -> Iterator[tuple[str, str | None]]:
    """The text of each post, and that after its edit; None where it has none."""
    rng = random.Random(posts)
    common = {name: [_sentence(rng) for _ in range(40)] for name in map(_clinic, range(posts))}
    before: list[list[str]] = []
    for number in range(posts):
        if before and rng.random() < REWORDED:
            sentences = [_reworded(rng, sentence) for sentence in rng.choice(before)]
        else:
            sentences, words = [], rng.randint(300, 2_500)
            while words > 0:
                shared = rng.random() < SHARED
                sentences.append(rng.choice(common[_clinic(number)]) if shared else _sentence(rng))
                words -= len(sentences[-1].split())
            before.append(sentences)
        yield _text(sentences), _text(_edited(rng, sentences)) if rng.random() < EDITED else None


def _edited(rng: random.Random, sentences: list[str]) -> list[str]:
    """A sentence removed, one reworded, one added."""
    edited = list(sentences)
    edited.pop(rng.randrange(len(edited)))
    place = rng.randrange(len(edited))
    edited[place] = _reworded(rng, edited[place])
    edited.insert(rng.randrange(len(edited)), _sentence(rng))
    return edited


def _reworded(rng: random.Random, sentence: str) -> str:
    words = sentence.split()
    words[rng.randrange(len(words) - 1)] = rng.choice(VOCABULARY)
    return " ".join(words)


def _sentence(rng: random.Random) -> str:
    words = [_word(rng) for _ in range(rng.randint(5, 40))]
    return " ".join(words).capitalize() + rng.choice(ENDS)


def _word(rng: random.Random) -> str:
    """A word of six to ten letters; some with a comma, some with an apostrophe or a hyphen."""
    number = min(int(rng.paretovariate(0.55)) - 1, 39_999)
    word = SYLLABLES[number % 25] + SYLLABLES[number // 25 % 25] + SYLLABLES[number // 625 % 25]
    mark = rng.random()
    return f"{word}," if mark < 0.06 else f"{word}'s" if mark < 0.08 else f"{word}-{word}" if mark < 0.1 else word


SYLLABLES = [first + second for first in ("k", "t", "m", "s", "r") for second in ("a", "en", "i", "or", "u")]


def _text(sentences: list[str]) -> str:
    """A paragraph has four sentences."""
    return "\n".join(" ".join(sentences[at : at + 4]) for at in range(0, len(sentences), 4))


def _clinic(number: int) -> str:
    return f"clinic-{number % CLINICS}"


def _at(days: int, seconds: int = 0) -> str:
    return f"{START + timedelta(days=days, seconds=seconds):%Y-%m-%dT%H:%M:%S.000000Z}"
