"""Finds the claims of texts that were cut into sentences (`archive.lexicon`), in short transactions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlite_utils import Database

from archive.lexicon.engine import Engine
from archive.lexicon.given import lexicons_of
from archive.lexicon.store import due_revisions, fold_rules, match_revision
from archive.wal import WriteAheadLog

BATCH, PATIENCE = 200, 0.5  # revisions, and seconds of work, of a transaction at most


@dataclass(slots=True)
class Matched:
    """What was done: revisions matched, and those that are due; `problems`: a line for each lexicon not used."""

    revisions: int = 0
    matches: int = 0
    due: int = 0
    problems: list[str] = field(default_factory=list)


def match_claims(db: Database, archive: Path, *, go_on: Callable[[], bool] = lambda: True) -> Matched:
    """Match all revisions that are due, as long as `go_on` allows it. The caller holds the lock of the archive.

    Raises `sqlite3.Error`, OSError; what was committed by then stays.
    """
    conn, log = db.conn, WriteAheadLog(db)
    lexicons, problems = lexicons_of(archive)
    with db.atomic():
        rules = fold_rules(conn, lexicons)
    due = due_revisions(conn, rules)
    done = Matched(due=len(due), problems=problems)
    engines = [Engine(lexicon) for lexicon in rules.lexicons] if due and go_on() else []
    while done.revisions < len(due) and go_on():
        until = time.monotonic() + PATIENCE
        with db.atomic():
            for revision_id in due[done.revisions : done.revisions + BATCH]:
                done.matches += match_revision(conn, rules, engines, revision_id)
                done.revisions += 1
                if time.monotonic() > until:
                    break
        log.checkpoint()
    done.due -= done.revisions
    return done
