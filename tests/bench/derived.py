"""T: texts derived, against syntok alone, and how large the sentences are."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from syntok import segmenter

from archive.db import DATABASE, open_archive
from archive.derived import sentences
from archive.derived.store import forget_derived
from pipelines.derive import derive
from tests.bench import _texts
from tests.bench._figure import cpu, figure, ratio

POSTS = 200


@figure(
    "T1", "CPU of deriving sentences, edits and fates into SQLite, against syntok alone on the same words", most=1.15
)
def derived() -> float:
    """One process; syntok's own `analyze`, with its tokens thrown away, of each revision's text."""
    folder = _texts.made(POSTS)
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        texts = [text for (text,) in db.execute("SELECT body_text FROM revisions")]

    def alone() -> None:
        for text in texts:
            for paragraph in segmenter.analyze(text):
                for _ in paragraph:
                    pass

    def whole() -> float:
        with closing(open_archive(folder, "write")) as db:
            with db.atomic():
                forget_derived(db.conn)
            sentences.remembered.cache_clear()
            taken = cpu(lambda: derive(db, cores=1))
            assert db.execute("SELECT count(*) FROM cache_derived").fetchone() == (len(texts),)
            return taken

    return ratio(whole, lambda: cpu(alone))


@figure("T2", "bytes of cache_sentences, as a share of those of revisions", most=0.25)
def size() -> float:
    """The pages of each table, as SQLite counts them."""
    folder = _texts.made(POSTS)
    with closing(open_archive(folder, "write")) as db:
        derive(db)
        pages = dict(db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall())
        return float(pages["cache_sentences"] / pages["revisions"])


@figure("T3", "bytes of all that is derived, with its indexes, as a share of those of revisions", most=0.6)
def size_of_all() -> float:
    """One post of five is edited, and the index of edits has the words of both texts."""
    folder = _texts.made(POSTS)
    with closing(open_archive(folder, "write")) as db:
        derive(db)
        pages = db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
        all_derived = sum(size for name, size in pages if "cache_" in name)
        return float(all_derived / dict(pages)["revisions"])
